//! Browsers, played by str0m as a full ICE agent, connect to the media thread.

use super::super::g711;
use super::super::handle::{Event as News, EventKind, LegId, Media, MediaError, Sound};
use super::super::tap::Companding;
use super::super::tap::Recorded;
use super::super::tests::{Collector, DEADLINE, HERE, Phone, channel, next, share, started, tone};
use super::*;
use crate::clock::Clock;
use std::net::UdpSocket;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind};
use tokio::sync::mpsc;

/// A browser.
struct Client {
    rtc: Rtc,
    socket: UdpSocket,
    /// What its ICE agent believes to be its address, wherever its socket went.
    local: SocketAddr,
    mid: Mid,
    connected: bool,
    sequence: u64,
    timestamp: u32,
    /// Sequence, timestamp, SSRC, payload type, marker and payload.
    heard: Vec<(u64, u32, u32, u8, bool, Vec<u8>)>,
    leg: LegId,
}

fn now() -> Instant {
    Clock::system().now()
}

impl Client {
    async fn new(media: &Media) -> Self {
        Self::try_new(media).await.unwrap()
    }

    async fn try_new(media: &Media) -> Result<Self, MediaError> {
        let socket = UdpSocket::bind((HERE, 0)).unwrap();
        let local = socket.local_addr().unwrap();
        let mut config = RtcConfig::new()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_pcmu(true, false);
        let events = FormatParams { telephone_event_max: Some(15), ..FormatParams::default() };
        let pt = Pt::new_with_value(110);
        config.codec_config().add_config(pt, None, Codec::Tele, Frequency::EIGHT_KHZ, None, events);
        let mut rtc = config.build(now());
        rtc.add_local_candidate(Candidate::host(local, "udp").unwrap());
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        let mut client = Self {
            rtc,
            socket,
            local,
            mid,
            connected: false,
            sequence: 500,
            timestamp: 9000,
            heard: Vec::new(),
            leg: LegId(0),
        };
        let offer = offer.to_sdp_string();
        client.negotiate(media, None, offer, pending).await?;
        Ok(client)
    }

    async fn negotiate(
        &mut self,
        media: &Media,
        leg: Option<LegId>,
        offer: String,
        pending: SdpPendingOffer,
    ) -> Result<String, MediaError> {
        let (leg, answer) = media.accept_offer(leg, offer).await?;
        self.leg = leg;
        self.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer).unwrap()).unwrap();
        Ok(answer)
    }

    async fn restart(&mut self, media: &Media) {
        let mut api = self.rtc.sdp_api();
        api.ice_restart(true);
        let (offer, pending) = api.apply().unwrap();
        let leg = self.leg;
        self.negotiate(media, Some(leg), offer.to_sdp_string(), pending).await.unwrap();
        assert_eq!(self.leg, leg);
    }

    /// Runs until `done` says so.
    fn run(&mut self, mut done: impl FnMut(&Self) -> bool) {
        let end = now() + DEADLINE;
        while !done(self) {
            assert!(now() < end, "the browser waited in vain; heard {} packets", self.heard.len());
            self.step(Duration::from_millis(20));
        }
    }

    fn step(&mut self, longest: Duration) {
        let at = self.drain();
        let wait = at.saturating_duration_since(now()).min(longest).max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(wait)).unwrap();
        let mut bytes = [0; 2000];
        match self.socket.recv_from(&mut bytes) {
            Ok((length, from)) => {
                let Ok(receive) = Receive::new(Protocol::Udp, from, self.local, &bytes[..length]) else {
                    return;
                };
                self.rtc.handle_input(Input::Receive(now(), receive)).unwrap();
            }
            Err(_) => self.rtc.handle_input(Input::Timeout(now())).unwrap(),
        }
        self.drain();
    }

    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => return at,
                Output::Transmit(transmit) => {
                    self.socket.send_to(&transmit.contents, transmit.destination).unwrap();
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => {
                    let RtpPacket { seq_no, header, payload, .. } = packet;
                    let pt = *header.payload_type;
                    self.heard.push((
                        *seq_no,
                        header.timestamp,
                        *header.ssrc,
                        pt,
                        header.marker,
                        payload.to_vec(),
                    ));
                }
                Output::Event(_) => {}
            }
        }
    }

    fn say(&mut self, payload: &[u8]) {
        self.send(false, payload);
    }

    fn send(&mut self, digit: bool, payload: &[u8]) {
        let codecs = self.rtc.codec_config().params();
        let wanted = |codec: Codec| if digit { codec.is_tele() } else { codec == Codec::PCMU };
        let pt = codecs.iter().find(|codec| wanted(codec.spec().codec)).unwrap().pt();
        let write = RtpWrite::new(pt, self.sequence.into(), self.timestamp, now(), payload);
        self.rtc.direct_api().stream_tx_by_mid(self.mid, None).unwrap().write_rtp(write);
        self.sequence += 1;
        self.timestamp += if digit { 0 } else { 160 };
        self.rtc.handle_input(Input::Timeout(now())).unwrap();
        self.drain();
    }

    fn payloads(&self) -> Vec<&[u8]> {
        self.heard.iter().map(|heard| heard.5.as_slice()).collect()
    }
}

/// A connected browser.
async fn connected(media: &Media, events: &mut mpsc::Receiver<News>) -> Client {
    let mut client = Client::new(media).await;
    client.run(|client| client.connected);
    let event = next(events).await;
    assert_eq!((event.leg, event.kind), (client.leg, EventKind::Connected));
    client
}

/// Both say `rounds` packets, listening in between.
fn talk(a: &mut Client, b: &mut Client, rounds: u8) {
    let (before_a, before_b) = (a.heard.len(), b.heard.len());
    for n in 0..rounds {
        a.say(&[n; 160]);
        b.say(&[0x80 | n; 160]);
        // The other side first: str0m holds a received packet until it is polled.
        b.run(|b| b.heard.len() > before_b + usize::from(n));
        a.run(|a| a.heard.len() > before_a + usize::from(n));
    }
}

fn is_contiguous(client: &Client) -> bool {
    client
        .heard
        .windows(2)
        .all(|pair| pair[1].0 == pair[0].0 + 1 && pair[1].2 == pair[0].2 && pair[1].1 > pair[0].1)
}

#[tokio::test]
async fn two_browsers_hear_each_other_and_the_tap_both() {
    let (media, mut events, _) = started((33_000, 33_003));
    let (mut a, mut b) = (connected(&media, &mut events).await, connected(&media, &mut events).await);
    let play = media.play(a.leg, Sound::Once(tone(440.0, 800).into())).unwrap();
    a.run(|a| a.heard.len() == 5);
    assert!(a.heard[0].0 < 65_536 && a.heard[0].4);
    let heard: Vec<i16> = a.payloads().concat().iter().map(|code| g711::decode_mu(*code)).collect();
    assert!(share(&heard, 440.0) > 0.98);
    assert_eq!(next(&mut events).await.kind, EventKind::PlayFinished(play));

    let (recorded, ended) = Collector::pair();
    media.bridge(a.leg, b.leg, recorded).unwrap();
    media.stats(a.leg).await.unwrap();
    talk(&mut a, &mut b, 100);
    assert_eq!(b.payloads(), (0..100).map(|n| vec![n; 160]).collect::<Vec<_>>());
    assert_eq!(a.payloads()[5..], (0..100).map(|n| vec![0x80 | n; 160]).collect::<Vec<_>>());
    assert!(is_contiguous(&a) && is_contiguous(&b), "one SSRC, one sequence, time only forward");
    let stats = media.stats(a.leg).await.unwrap();
    assert_eq!((stats.received, stats.sent, stats.lost), (100, 105, 0));
    media.close(a.leg);
    let stereo = ended.recv_timeout(DEADLINE).unwrap();
    // They spoke faster than time: the recording holds the last words of each at least.
    assert!(channel(&stereo, false).contains(&g711::decode_mu(99)));
    assert!(channel(&stereo, true).contains(&g711::decode_mu(0x80 | 99)));
}

#[tokio::test]
async fn a_phone_and_a_browser_speak_and_press_keys() {
    let (media, mut events, _) = started((33_004, 33_067));
    let mut browser = connected(&media, &mut events).await;
    let mut phone = Phone::new(&media, Companding::A).await;
    media.bridge(phone.leg, browser.leg, Recorded::ByPolicyNot).unwrap();
    media.stats(phone.leg).await.unwrap();
    for n in 0..20_u8 {
        phone.say(&[g711::encode(Companding::A, i16::from(n) * 1000); 160]);
        browser.run(|browser| browser.heard.len() > usize::from(n));
        browser.say(&[g711::encode(Companding::Mu, i16::from(n) * -1000); 160]);
        let level = g711::decode_a(phone.hear().1[0]);
        assert!((i32::from(level) + i32::from(n) * 1000).abs() <= 700, "{level}");
    }
    let level = g711::decode_mu(browser.heard[19].5[7]);
    assert!((level - 19_000).abs() < 800, "{level}");
    for duration in [160_u16, 320, 640] {
        let [d0, d1] = duration.to_be_bytes();
        browser.send(true, &[3, if duration == 640 { 0x8A } else { 10 }, d0, d1]);
        assert_eq!(phone.hear().0.payload_type, 101);
    }
    let event = next(&mut events).await;
    assert_eq!((event.leg, event.kind), (browser.leg, EventKind::Digit('3')));
    media.send_digits(browser.leg, "#".into()).unwrap();
    browser.run(|browser| browser.heard.iter().filter(|heard| heard.5.first() == Some(&11)).count() == 7);
}

#[tokio::test]
async fn a_moved_port_keeps_the_audio_and_a_restart_too() {
    let (media, mut events, _) = started((33_068, 33_071));
    let (mut a, mut b) = (connected(&media, &mut events).await, connected(&media, &mut events).await);
    media.bridge(a.leg, b.leg, Recorded::ByPolicyNot).unwrap();
    media.stats(a.leg).await.unwrap();
    talk(&mut a, &mut b, 20);
    // NAT rebinds: a new port, no STUN check yet, the very next packet comes from there.
    a.socket = UdpSocket::bind((HERE, 0)).unwrap();
    talk(&mut a, &mut b, 100);
    assert!(is_contiguous(&a) && is_contiguous(&b), "not one packet lost");
    a.restart(&media).await;
    talk(&mut a, &mut b, 20);
    a.socket = UdpSocket::bind((HERE, 0)).unwrap();
    talk(&mut a, &mut b, 100);
    assert!(is_contiguous(&a) && is_contiguous(&b));
    assert!(events.try_recv().is_err(), "nobody noticed");
}

#[tokio::test]
async fn forged_datagrams_do_not_move_the_audio() {
    let (media, mut events, port) = started((33_072, 33_075));
    let (mut a, mut b) = (connected(&media, &mut events).await, connected(&media, &mut events).await);
    media.bridge(a.leg, b.leg, Recorded::ByPolicyNot).unwrap();
    media.stats(a.leg).await.unwrap();
    talk(&mut a, &mut b, 10);
    let stranger = UdpSocket::bind((HERE, 0)).unwrap();
    stranger.set_nonblocking(true).unwrap();
    let ssrc = a.rtc.direct_api().stream_tx_by_mid(a.mid, None).unwrap().ssrc();
    for n in 0..200_u8 {
        // SRTP with the right SSRC and no key; a check with the right name and no password.
        let mut srtp = vec![0x80, 0, 2, n, 0, 0, 40, n];
        srtp.extend(ssrc.to_be_bytes());
        srtp.extend([n; 170]);
        stranger.send_to(&srtp, port).unwrap();
        stranger.send_to(&stun_check(&mut a, n), port).unwrap();
        a.say(&[n; 160]);
        b.say(&[n; 160]);
        let (for_a, for_b) = (10 + usize::from(n), 10 + usize::from(n));
        b.run(|b| b.heard.len() > for_b);
        a.run(|a| a.heard.len() > for_a);
    }
    let mut bytes = [0; 2000];
    while let Ok((length, _)) = stranger.recv_from(&mut bytes) {
        assert!(length > 0 && bytes[0] < 2, "a stranger was sent media");
    }
    let stats = media.stats(a.leg).await.unwrap();
    assert_eq!((stats.received, stats.lost), (210, 0));
}

/// A binding request for `client`'s leg as a stranger could make it, who saw the name go by.
fn stun_check(client: &mut Client, n: u8) -> Vec<u8> {
    let theirs = client.rtc.direct_api().local_ice_credentials().ufrag;
    let ours = "guessed".to_string();
    let name = format!("{ours}:{theirs}");
    let mut attributes = vec![0, 6, 0, name.len() as u8];
    attributes.extend(name.as_bytes());
    attributes.resize(attributes.len().next_multiple_of(4), 0);
    attributes.extend([0, 8, 0, 20]);
    attributes.extend([n; 20]);
    let mut message = vec![0, 1, 0, attributes.len() as u8, 0x21, 0x12, 0xA4, 0x42];
    message.extend([n; 12]);
    message.extend(attributes);
    message
}

#[tokio::test]
async fn a_browser_that_closes_is_told_and_forgotten() {
    let (media, mut events, _) = started((33_076, 33_139));
    let (mut a, phone) = (connected(&media, &mut events).await, Phone::new(&media, Companding::Mu).await);
    let (recorded, ended) = Collector::pair();
    media.bridge(phone.leg, a.leg, recorded).unwrap();
    media.stats(a.leg).await.unwrap();
    a.rtc.close().unwrap();
    a.drain();
    let event = next(&mut events).await;
    assert_eq!((event.leg, event.kind), (a.leg, EventKind::Gone));
    ended.recv_timeout(DEADLINE).unwrap();
    assert!(matches!(media.stats(a.leg).await, Err(MediaError::NoLeg)));
    let stale = media.accept_offer(Some(a.leg), "v=0".into()).await;
    assert!(matches!(stale, Err(MediaError::NoLeg)));
    assert!(matches!(media.accept_offer(Some(phone.leg), "v=0".into()).await, Err(MediaError::NoLeg)));
}

#[tokio::test]
async fn a_browser_leg_that_we_close_is_told_too() {
    let (media, mut events, _) = started((33_144, 33_147));
    let a = connected(&media, &mut events).await;
    media.close(a.leg);
    let event = next(&mut events).await;
    assert_eq!((event.leg, event.kind), (a.leg, EventKind::Gone));
}

#[tokio::test]
async fn bad_offers_and_too_many_browsers_are_refused() {
    let (media, mut events, _) = started((33_140, 33_143));
    let good = {
        let mut rtc =
            RtcConfig::new().set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags())).build(now());
        let mut api = rtc.sdp_api();
        api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        api.apply().unwrap().0.to_sdp_string()
    };
    let line = |n: usize| good.lines().take(n).flat_map(|line| [line, "\r\n"]).collect::<String>();
    let mut refused = 0;
    for n in 0..good.lines().count() {
        for offer in [line(n), line(n) + "a=candidate:x\r\n", line(n).replace('1', "99999999999999999999")] {
            match media.accept_offer(None, offer).await {
                Ok((leg, _)) => {
                    media.close(leg);
                    assert_eq!(next(&mut events).await.kind, EventKind::Gone);
                }
                Err(error) => {
                    assert!(matches!(error, MediaError::Offer(_)), "{error}");
                    assert!(error.to_string().len() < 200 && !error.to_string().contains('\n'));
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 10);
    assert!(matches!(media.accept_offer(None, "a".repeat(OFFER + 1)).await, Err(MediaError::Offer(_))));
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(connected(&media, &mut events).await);
    }
    assert!(matches!(Client::try_new(&media).await.map(|_| ()), Err(MediaError::Busy)));
    media.close(clients[0].leg);
    assert_eq!(next(&mut events).await.kind, EventKind::Gone);
    connected(&media, &mut events).await;
}

#[test]
fn hidden_candidates_are_left_out() {
    let offer = "v=0\r\na=candidate:1 1 udp 1 ab-cd.local 5 typ host\r\na=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\n";
    assert_eq!(without_names(offer), "v=0\r\na=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\n");
}
