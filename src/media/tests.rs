//! The media thread with real sockets on loopback: fake phones speak to it.

use super::g711;
use super::handle::{Event, EventKind, LegId, Limits, Media, MediaError, PlayId, Remote, Sound};
use super::rtp::{Head, Packet};
use super::tap::{Companding, Recorded, TapSink};
use crate::clock::Clock;
use crate::config;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::mpsc;

pub(super) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Longer than anything here takes.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_millis(60);

pub(super) fn started(ports: (u16, u16)) -> (Media, mpsc::Receiver<Event>, SocketAddr) {
    let config =
        config::Media { rtp_ports: ports, browser: SocketAddr::new(HERE, 0), browser_candidates: Vec::new() };
    Media::start(&config, Limits { sip_legs: 64, browsers: 8 }, Clock::system()).unwrap()
}

/// The next event; anything else than an answer in time fails the test.
pub(super) async fn next(events: &mut mpsc::Receiver<Event>) -> Event {
    tokio::time::timeout(DEADLINE, events.recv()).await.unwrap().unwrap()
}

/// A tap's far end: what it was given, once it ended.
pub(super) struct Collector {
    samples: Vec<u8>,
    done: SyncSender<Vec<u8>>,
}

impl Collector {
    pub(super) fn pair() -> (Recorded, Receiver<Vec<u8>>) {
        let (done, ended) = sync_channel(1);
        (Recorded::Into(Box::new(Self { samples: Vec::new(), done })), ended)
    }
}

impl TapSink for Collector {
    fn write(&mut self, samples: &[u8]) {
        assert!(!samples.is_empty() && samples.len().is_multiple_of(2) && samples.len() <= 8000);
        self.samples.extend(samples);
    }
    fn end(&mut self) {
        self.done.send(std::mem::take(&mut self.samples)).unwrap();
    }
}

/// One channel of interleaved µ-law, as samples.
pub(super) fn channel(stereo: &[u8], right: bool) -> Vec<i16> {
    stereo.chunks(2).map(|pair| g711::decode_mu(pair[usize::from(right)])).collect()
}

/// The share of the signal's energy that lies at `hertz` (Goertzel).
pub(super) fn share(samples: &[i16], hertz: f64) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * hertz / 8000.0).cos();
    let (mut one, mut two, mut energy) = (0.0, 0.0, 0.0);
    for sample in samples.iter().map(|sample| f64::from(*sample)) {
        (one, two) = (sample + turn * one - two, one);
        energy += sample * sample;
    }
    if energy < 1.0 {
        0.0
    } else {
        2.0 * (one * one + two * two - turn * one * two) / (energy * samples.len() as f64)
    }
}

pub(super) fn tone(hertz: f64, samples: usize) -> Vec<i16> {
    (0..samples)
        .map(|n| ((std::f64::consts::TAU * hertz * n as f64 / 8000.0).sin() * 10_000.0) as i16)
        .collect()
}

/// A phone.
pub(super) struct Phone {
    socket: UdpSocket,
    pub(super) leg: LegId,
    to: SocketAddr,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    remote: Remote,
}

impl Phone {
    pub(super) async fn new(media: &Media, companding: Companding) -> Self {
        Self::on(media, HERE, companding).await
    }

    async fn on(media: &Media, local: IpAddr, companding: Companding) -> Self {
        let socket = UdpSocket::bind((local, 0)).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let opened = media.open(local).await.unwrap();
        let remote = Remote {
            address: socket.local_addr().unwrap(),
            rtcp: None,
            companding,
            payload_type: if companding == Companding::Mu { 0 } else { 8 },
            digit_payload_type: Some(101),
            send: true,
            receive: true,
        };
        media.connect(opened.leg, remote).unwrap();
        let to = SocketAddr::new(local, opened.port);
        Self {
            socket,
            leg: opened.leg,
            to,
            ssrc: opened.leg.0 as u32 + 77,
            sequence: 65_500,
            timestamp: u32::MAX - 999,
            remote,
        }
    }

    fn packet(&mut self, payload_type: u8, payload: &[u8]) -> Vec<u8> {
        let head = Head {
            payload_type,
            marker: false,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
        [&head.bytes()[..], payload].concat()
    }

    pub(super) fn say(&mut self, payload: &[u8]) {
        let packet = self.packet(self.remote.payload_type, payload);
        self.socket.send_to(&packet, self.to).unwrap();
    }

    /// The next packet: its head's numbers and payload.
    pub(super) fn hear(&self) -> (Head, Vec<u8>) {
        let mut bytes = [0; 2048];
        let (length, from) = self.socket.recv_from(&mut bytes).unwrap();
        assert_eq!(from, self.to);
        let packet = Packet::parse(&bytes[..length]).unwrap();
        let Packet { payload_type, marker, sequence, timestamp, ssrc, payload } = packet;
        (Head { payload_type, marker, sequence, timestamp, ssrc }, payload.to_vec())
    }

    fn hears_nothing(&self) -> bool {
        self.socket.set_read_timeout(Some(QUIET)).unwrap();
        let nothing = self.socket.recv_from(&mut [0; 2048]).is_err();
        self.socket.set_read_timeout(Some(DEADLINE)).unwrap();
        nothing
    }

    fn hears_within(&self, wait: Duration) -> Option<Vec<u8>> {
        self.socket.set_read_timeout(Some(wait.max(Duration::from_millis(1)))).unwrap();
        let mut bytes = [0; 2048];
        let heard = self.socket.recv_from(&mut bytes).ok().map(|(length, _)| bytes[12..length].to_vec());
        self.socket.set_read_timeout(Some(DEADLINE)).unwrap();
        heard
    }
}

#[tokio::test]
async fn a_phone_hears_a_prompt_to_its_end() {
    let (media, mut events, _) = started((32_000, 32_063));
    for (local, law) in [(HERE, Companding::Mu), (Ipv6Addr::LOCALHOST.into(), Companding::A)] {
        let phone = Phone::on(&media, local, law).await;
        let play = media.play(phone.leg, Sound::Once(tone(440.0, 1600).into())).unwrap();
        let (mut heard, mut last) = (Vec::new(), None::<Head>);
        for n in 0..10 {
            let (head, payload) = phone.hear();
            assert_eq!((head.payload_type, head.marker), (phone.remote.payload_type, n == 0));
            if let Some(last) = last {
                let expected = (last.sequence.wrapping_add(1), last.timestamp.wrapping_add(160), last.ssrc);
                assert_eq!((head.sequence, head.timestamp, head.ssrc), expected);
            }
            last = Some(head);
            let decode = if law == Companding::Mu { g711::decode_mu } else { g711::decode_a };
            heard.extend(payload.iter().map(|code| decode(*code)));
        }
        assert!(share(&heard, 440.0) > 0.99);
        let event = next(&mut events).await;
        assert_eq!((event.leg, event.kind), (phone.leg, EventKind::PlayFinished(play)));
        assert_eq!(media.stats(phone.leg).await.unwrap().sent, 10);
        assert!(phone.hears_nothing());
    }
}

#[tokio::test]
async fn a_bridge_carries_octets_untouched_both_ways() {
    let (media, _events, _) = started((32_064, 32_127));
    let (mut a, mut b) = (Phone::new(&media, Companding::Mu).await, Phone::new(&media, Companding::Mu).await);
    media.play(a.leg, Sound::Loop(vec![0; 160].into())).unwrap();
    let (music, _) = a.hear();
    media.bridge(a.leg, b.leg, Recorded::ByPolicyNot).unwrap();
    media.stats(a.leg).await.unwrap();
    let mut last = music;
    while let Some(_music) = a.hears_within(QUIET) {
        last.sequence = last.sequence.wrapping_add(1);
    }
    for n in 0..=255_u8 {
        let payload: Vec<u8> = (0..160).map(|k| n.wrapping_mul(31).wrapping_add(k)).collect();
        a.say(&payload);
        assert_eq!(b.hear().1, payload);
        b.say(&payload);
        let (head, heard) = a.hear();
        assert_eq!(heard, payload);
        assert_eq!(
            (head.sequence, head.ssrc, head.marker),
            (last.sequence.wrapping_add(1), music.ssrc, n == 0)
        );
        last = head;
    }
    assert_eq!(media.stats(a.leg).await.unwrap().received, 256);
    media.part(b.leg).unwrap();
    media.stats(a.leg).await.unwrap();
    a.say(&[1; 160]);
    assert!(b.hears_nothing());
}

#[tokio::test]
async fn two_laws_are_translated_and_muting_is_silence() {
    let (media, _events, _) = started((32_128, 32_191));
    let (mut a, mut b) = (Phone::new(&media, Companding::A).await, Phone::new(&media, Companding::Mu).await);
    let (recorded, ended) = Collector::pair();
    media.bridge(a.leg, b.leg, recorded).unwrap();
    media.stats(a.leg).await.unwrap();
    let loud = g711::encode(Companding::A, 20_000);
    a.say(&[loud; 160]);
    let (head, heard) = b.hear();
    assert!(head.payload_type == 0 && heard.iter().all(|code| (g711::decode_mu(*code) - 20_000).abs() < 700));
    media.mute(a.leg, true).unwrap();
    media.stats(a.leg).await.unwrap();
    a.say(&[loud; 160]);
    assert_eq!(b.hear().1, [g711::MU_SILENCE; 160]);
    b.say(&[g711::encode(Companding::Mu, -9000); 160]);
    assert!(a.hear().1.iter().all(|code| (g711::decode_a(*code) + 9000).abs() < 400));
    media.close(b.leg);
    let left = channel(&ended.recv_timeout(DEADLINE).unwrap(), false);
    assert_eq!(left.iter().filter(|sample| **sample > 15_000).count(), 160, "only what was said unmuted");
}

#[tokio::test]
async fn the_tap_holds_both_tones_and_silence_while_held() {
    let (media, _events, _) = started((32_192, 32_255));
    let (mut a, mut b) = (Phone::new(&media, Companding::Mu).await, Phone::new(&media, Companding::A).await);
    let (recorded, ended) = Collector::pair();
    media.bridge(a.leg, b.leg, recorded).unwrap();
    let (left, right) = (tone(440.0, 8000), tone(1000.0, 8000));
    let begin = Clock::system().now();
    let mut heard_on_hold = Vec::new();
    for (n, (ours, theirs)) in left.chunks(160).zip(right.chunks(160)).enumerate() {
        match n {
            20 => media.hold(a.leg, Some(Sound::Loop(tone(700.0, 800).into()))).unwrap(),
            30 => media.hold(a.leg, None).unwrap(),
            _ => {}
        }
        a.say(&ours.iter().map(|sample| g711::encode(Companding::Mu, *sample)).collect::<Vec<_>>());
        b.say(&theirs.iter().map(|sample| g711::encode(Companding::A, *sample)).collect::<Vec<_>>());
        // The pace of a phone: listen until the next packet is due.
        let due = begin + Duration::from_millis(20 * (n as u64 + 1));
        loop {
            let left = due.saturating_duration_since(Clock::system().now());
            if left.is_zero() {
                break;
            }
            if let Some(payload) = a.hears_within(left)
                && (22..29).contains(&n)
            {
                heard_on_hold.extend(payload.iter().map(|code| g711::decode_mu(*code)));
            }
        }
    }
    media.part(a.leg).unwrap();
    let stereo = ended.recv_timeout(DEADLINE).unwrap();
    let (left, right) = (channel(&stereo, false), channel(&stereo, true));
    assert!((7800..9600).contains(&left.len()), "{}", left.len());
    for range in [800..2800, 5600..7600] {
        assert!(share(&left[range.clone()], 440.0) > 0.97, "left {range:?}");
        assert!(share(&right[range.clone()], 1000.0) > 0.97, "right {range:?}");
    }
    assert!(left[3600..4400].iter().chain(&right[3600..4400]).all(|sample| *sample == 0), "held");
    assert!(share(&heard_on_hold, 700.0) > 0.9, "{}", share(&heard_on_hold, 700.0));
}

#[tokio::test]
async fn a_stranger_does_not_get_the_audio() {
    let (media, _events, _) = started((32_256, 32_319));
    let (mut a, mut b) = (Phone::new(&media, Companding::Mu).await, Phone::new(&media, Companding::Mu).await);
    media.bridge(a.leg, b.leg, Recorded::ByPolicyNot).unwrap();
    media.stats(a.leg).await.unwrap();
    a.say(&[1; 160]);
    b.hear();
    let stranger = UdpSocket::bind((HERE, 0)).unwrap();
    stranger.set_nonblocking(true).unwrap();
    for _ in 0..200 {
        // The stranger even knows the stream's numbers.
        let sequence = a.sequence;
        let forged = a.packet(0, &[66; 160]);
        a.sequence = sequence;
        stranger.send_to(&forged, a.to).unwrap();
        a.say(&[2; 160]);
        b.say(&[3; 160]);
        assert_eq!(b.hear().1, [2; 160]);
        assert_eq!(a.hear().1, [3; 160]);
    }
    assert!(stranger.recv_from(&mut [0; 2048]).is_err());
}

#[tokio::test]
async fn keys_are_told_once_passed_on_and_sent() {
    let (media, mut events, _) = started((32_320, 32_383));
    let (mut a, b) = (Phone::new(&media, Companding::Mu).await, Phone::new(&media, Companding::Mu).await);
    media.bridge(a.leg, b.leg, Recorded::ByPolicyNot).unwrap();
    media.stats(a.leg).await.unwrap();
    let at = a.timestamp;
    for duration in [160_u16, 320, 480, 640] {
        let [d0, d1] = duration.to_be_bytes();
        a.timestamp = at;
        let packet = a.packet(101, &[9, if duration == 640 { 0x8A } else { 10 }, d0, d1]);
        a.socket.send_to(&packet, a.to).unwrap();
        let (head, payload) = b.hear();
        assert_eq!((head.payload_type, payload), (101, vec![9, packet[13], d0, d1]));
    }
    let event = next(&mut events).await;
    assert_eq!((event.leg, event.kind), (a.leg, EventKind::Digit('9')));
    media.send_digits(a.leg, "5#".into()).unwrap();
    let (mut codes, mut stamps) = (Vec::new(), Vec::new());
    for _ in 0..14 {
        let (head, payload) = a.hear();
        assert_eq!(head.payload_type, 101);
        codes.push(payload[0]);
        stamps.push(head.timestamp);
    }
    stamps.dedup();
    assert_eq!((codes[..7].to_vec(), codes[7..].to_vec(), stamps.len()), (vec![5; 7], vec![11; 7], 2));
    assert!(events.try_recv().is_err(), "one key, one event");
}

#[tokio::test]
async fn ports_run_out_and_come_back() {
    let (media, _events, _) = started((32_384, 32_391));
    let mut legs = Vec::new();
    let refused = loop {
        match media.open(HERE).await {
            Ok(opened) => legs.push(opened),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, MediaError::NoPort) && (1..=4).contains(&legs.len()));
    media.close(legs[0].leg);
    let again = media.open(HERE).await.unwrap();
    assert_eq!(again.port, legs[0].port);
    assert!(matches!(media.stats(legs[0].leg).await, Err(MediaError::NoLeg)), "an old name opens nothing");
    // Strangers' names are harmless everywhere.
    let nobody = LegId(0xFFFF_FFFF_FFFF);
    media.close(nobody);
    media.mute(nobody, true).unwrap();
    media.part(nobody).unwrap();
    assert_ne!(media.play(nobody, Sound::Once(vec![1].into())).unwrap(), PlayId(0));
    let (recorded, ended) = Collector::pair();
    media.bridge(nobody, again.leg, recorded).unwrap();
    assert!(ended.recv_timeout(DEADLINE).unwrap().is_empty());
    let (recorded, ended) = Collector::pair();
    media.bridge(again.leg, again.leg, recorded).unwrap();
    assert!(ended.recv_timeout(DEADLINE).unwrap().is_empty());
}

#[tokio::test]
async fn the_end_of_the_thread_ends_the_taps() {
    let (media, mut events, _) = started((32_392, 32_407));
    let (a, b) = (Phone::new(&media, Companding::Mu).await, Phone::new(&media, Companding::Mu).await);
    let (recorded, ended) = Collector::pair();
    media.bridge(a.leg, b.leg, recorded).unwrap();
    media.stats(a.leg).await.unwrap();
    media.shut_down();
    ended.recv_timeout(DEADLINE).unwrap();
    assert!(matches!(media.open(HERE).await, Err(MediaError::Busy)));
    assert!(events.recv().await.is_none());
}

#[tokio::test]
async fn garbage_on_every_port_changes_nothing() {
    let (media, mut events, browsers) = started((32_408, 32_471));
    let (mut a, mut b) = (Phone::new(&media, Companding::Mu).await, Phone::new(&media, Companding::Mu).await);
    media.bridge(a.leg, b.leg, Recorded::ByPolicyNot).unwrap();
    media.stats(a.leg).await.unwrap();
    a.say(&[1; 160]);
    b.hear();
    let rtcp = SocketAddr::new(HERE, a.to.port() + 1);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    for round in 0..3000_usize {
        let mut bytes: Vec<u8> = (0..round % 300).map(|_| random()).collect();
        // Every third looks like RTP, every fifth like STUN.
        if let (0, Some(start)) = (round % 3, bytes.first_chunk_mut::<2>()) {
            *start = [0x80 | (start[0] & 0x3F), start[1]];
        }
        if let (0, Some(start)) = (round % 5, bytes.first_chunk_mut::<8>()) {
            *start = [0, 1, 0, start[3] & 0xFC, 0x21, 0x12, 0xA4, 0x42];
        }
        // From the phone's own socket: past the latch.
        a.socket.send_to(&bytes, a.to).unwrap();
        a.socket.send_to(&bytes, rtcp).unwrap();
        a.socket.send_to(&bytes, browsers).unwrap();
        if round % 16 == 0 {
            media.stats(a.leg).await.unwrap();
        }
    }
    while b.hears_within(QUIET).is_some() {}
    b.say(&[9; 160]);
    while a.hear().1 != [9; 160] {}
    while events.try_recv().is_ok() {}
    media.stats(b.leg).await.unwrap();
}

#[test]
fn an_address_that_is_not_ours_is_refused_in_one_sentence() {
    let config = config::Media {
        rtp_ports: (32_500, 32_501),
        browser: "192.0.2.1:4000".parse().unwrap(),
        browser_candidates: Vec::new(),
    };
    let refused = Media::start(&config, Limits::default(), Clock::system()).map(|_| ());
    let text = refused.unwrap_err().to_string();
    assert!(text.starts_with("cannot listen for browsers on 192.0.2.1:4000"), "{text}");
}
