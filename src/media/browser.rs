//! A browser's leg: one str0m instance (ICE-lite, DTLS-SRTP, RTP mode) that lives for a shift.

use super::demux::{Doors, Via};
use super::leg::Content;
use super::outbound::Numbers;
use super::tap::Companding;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::{Codec, FormatParams};
use str0m::media::{Frequency, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};

/// The longest offer read.
const OFFER: usize = 65_536;
/// Outputs taken from one instance at a time: far above what one input can cause.
const OUTPUTS: usize = 1024;

/// What all browsers' legs are made with.
pub(super) struct Maker {
    crypto: Arc<CryptoProvider>,
    /// One for all: a new key for each would cost a login its milliseconds.
    certificate: DtlsCert,
}

/// A browser.
pub(super) struct Peer {
    rtc: Rtc,
    mid: Option<Mid>,
    audio: Option<Pt>,
    digits: Option<Pt>,
    pub(super) connected: bool,
    /// Its connection is over, or its instance failed.
    pub(super) gone: bool,
    pub(super) deadline: Instant,
    pub(super) made: Instant,
    /// Where something authenticated last came from: audio goes there, even before ICE notices
    /// that the browser's port moved (it takes 15 s).
    source: Option<Via>,
    /// The instance's ICE user fragment; after a restart the one before too.
    ufrags: [String; 2],
}

/// What an instance's turn works with.
pub(super) struct Turn<'a> {
    pub(super) slot: u32,
    pub(super) doors: &'a mut Doors,
    /// What the browser did is added here.
    pub(super) acts: &'a mut Vec<(u32, Act)>,
    pub(super) now: Instant,
}

/// Something a browser did that the engine must act on.
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation a packet")]
pub(super) enum Act {
    Connected,
    Packet(RtpPacket),
}

impl Maker {
    /// Makes the certificate. `None` if the crypto library can't.
    pub(super) fn new() -> Option<Self> {
        let crypto = Arc::new(str0m::crypto::from_feature_flags());
        let certificate = crypto.dtls_provider.generate_certificate()?;
        Some(Self { crypto, certificate })
    }

    /// A browser not yet heard of.
    pub(super) fn peer(&self, candidates: &[SocketAddr], now: Instant) -> Peer {
        let mut config = RtcConfig::new()
            .set_crypto_provider(self.crypto.clone())
            .set_dtls_cert(self.certificate.clone())
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .clear_codecs()
            // Exactly one audio codec: with more, Chromium and str0m disagree on their order.
            .enable_pcmu(true, false)
            // Without transport-wide feedback, which costs 20 packets a second.
            .clear_extension_map()
            .set_extension(1, Extension::AudioLevel)
            .set_extension(4, Extension::RtpMid)
            .set_stats_interval(None);
        let events = FormatParams { telephone_event_max: Some(15), ..FormatParams::default() };
        let digits = Pt::new_with_value(126);
        config.codec_config().add_config(digits, None, Codec::Tele, Frequency::EIGHT_KHZ, None, events);
        let mut rtc = config.build(now);
        for candidate in candidates.iter().filter_map(|address| Candidate::host(*address, "udp").ok()) {
            rtc.add_local_candidate(candidate);
        }
        Peer {
            rtc,
            mid: None,
            audio: None,
            digits: None,
            connected: false,
            gone: false,
            deadline: now,
            made: now,
            source: None,
            ufrags: Default::default(),
        }
    }
}

impl Peer {
    /// Answers an offer: the first, or an ICE restart. `doors` learns the new user fragment.
    pub(super) fn answer(&mut self, offer: &str, slot: u32, doors: &mut Doors) -> Result<String, String> {
        if offer.len() > OFFER {
            return Err("too long".into());
        }
        let offer = SdpOffer::from_sdp_string(&without_names(offer)).map_err(|error| brief(&error))?;
        let answer = catch_unwind(AssertUnwindSafe(|| self.rtc.sdp_api().accept_offer(offer)));
        let answer = match answer {
            Ok(answer) => answer.map_err(|error| brief(&error))?,
            Err(_) => {
                self.gone = true;
                return Err("it makes no sense".into());
            }
        };
        let ufrag = self.rtc.direct_api().local_ice_credentials().ufrag;
        let [current, before] = &mut self.ufrags;
        if *current != ufrag {
            doors.forget_ufrag(before, slot);
            *before = std::mem::replace(current, ufrag.clone());
            doors.learn_ufrag(ufrag, slot);
        }
        Ok(answer.to_sdp_string())
    }

    /// Takes a datagram that demultiplexing gave to this browser; `local` is the candidate it came to.
    pub(super) fn input(&mut self, bytes: &[u8], via: Via, local: SocketAddr, turn: &mut Turn<'_>) {
        let Ok(receive) = Receive::new(Protocol::Udp, via.address, local, bytes) else { return };
        let input = Input::Receive(turn.now, receive);
        let is_stun = bytes.first().is_some_and(|first| *first < 2);
        if is_stun {
            // Checks the message's integrity: only who knows the password moves the audio.
            if !self.rtc.accepts(&input) {
                return;
            }
            self.source = Some(via);
            turn.doors.learn_address(via.address, turn.slot);
        }
        let before = turn.acts.len();
        if self.handle(input) {
            self.drain(turn);
        }
        if is_stun {
            return;
        }
        for (_, act) in turn.acts.get(before..).unwrap_or_default() {
            // A packet that came out of SRTP is authentic, so where it came from is the browser.
            if let Act::Packet(packet) = act {
                self.source = Some(via);
                turn.doors.learn_ssrc(*packet.header.ssrc, turn.slot);
            }
        }
    }

    /// Lets the instance's own timers run.
    pub(super) fn tick(&mut self, turn: &mut Turn<'_>) {
        if self.handle(Input::Timeout(turn.now)) {
            self.drain(turn);
        }
    }

    /// Sends one packet; whether it left.
    pub(super) fn send(
        &mut self,
        numbers: Numbers,
        content: Content,
        payload: &[u8],
        turn: &mut Turn<'_>,
    ) -> bool {
        let (Some(mid), Some(pt)) = (self.mid, self.payload_type(content)) else { return false };
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(mid, None) else { return false };
        let write = RtpWrite::new(pt, numbers.sequence.into(), numbers.timestamp, turn.now, payload);
        stream.write_rtp(write.marker(numbers.marker));
        // The packet leaves the send queue by this and no other way.
        self.tick(turn);
        true
    }

    /// Whether packets of this content can go out now.
    pub(super) fn sends(&self, content: Content) -> bool {
        self.connected && self.mid.is_some() && self.payload_type(content).is_some()
    }

    /// What a received payload type means.
    pub(super) fn content(&self, payload_type: u8) -> Option<Content> {
        if self.audio.is_some_and(|pt| *pt == payload_type) {
            return Some(Content::Audio(Companding::Mu));
        }
        self.digits.is_some_and(|pt| *pt == payload_type).then_some(Content::Digit)
    }

    /// Says goodbye (DTLS close, RTCP BYE) as far as one round allows.
    pub(super) fn close(&mut self, turn: &mut Turn<'_>) {
        if !self.gone && self.rtc.close().is_ok() {
            self.tick(turn);
        }
    }

    fn payload_type(&self, content: Content) -> Option<Pt> {
        match content {
            Content::Audio(_) => self.audio,
            Content::Digit => self.digits,
        }
    }

    /// Feeds the instance. A failure of it, even a panic, costs this browser alone.
    fn handle(&mut self, input: Input<'_>) -> bool {
        if self.gone {
            return false;
        }
        match catch_unwind(AssertUnwindSafe(|| self.rtc.handle_input(input))) {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                // A forged or broken datagram; the instance goes on.
                tracing::debug!(error = %brief(&error), "a browser's input was refused");
                true
            }
            Err(_) => {
                self.gone = true;
                false
            }
        }
    }

    fn drain(&mut self, turn: &mut Turn<'_>) {
        for _ in 0..OUTPUTS {
            match catch_unwind(AssertUnwindSafe(|| self.rtc.poll_output())) {
                Ok(Ok(Output::Timeout(at))) => {
                    self.deadline = at;
                    self.gone |= !self.rtc.is_alive();
                    return;
                }
                Ok(Ok(Output::Transmit(transmit))) => {
                    let contents: &[u8] = &transmit.contents;
                    let is_stun = contents.first().is_some_and(|first| *first < 2);
                    let Some(source) = self.source else { continue };
                    let to = if is_stun { transmit.destination } else { source.address };
                    turn.doors.send(source.door, contents, to);
                }
                Ok(Ok(Output::Event(event))) => self.happened(event, turn),
                Ok(Err(error)) => {
                    tracing::debug!(error = %brief(&error), "a browser's connection failed");
                    self.gone = true;
                    return;
                }
                Err(_) => {
                    self.gone = true;
                    return;
                }
            }
        }
        self.deadline = turn.now + Duration::from_millis(1);
    }

    fn happened(&mut self, event: Event, turn: &mut Turn<'_>) {
        match event {
            Event::Connected => {
                self.connected = true;
                turn.acts.push((turn.slot, Act::Connected));
            }
            Event::MediaAdded(added) if self.mid.is_none() => self.media_added(added.mid),
            Event::RtpPacket(packet) => turn.acts.push((turn.slot, Act::Packet(packet))),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                self.gone = true
            }
            _ => {}
        }
    }

    fn media_added(&mut self, mid: Mid) {
        let Some(media) = self.rtc.media(mid) else { return };
        let agreed = media.remote_pts();
        let find = |wanted: fn(Codec) -> bool| {
            let mut all = self.rtc.codec_config().params().iter();
            all.find(|codec| agreed.contains(&codec.pt()) && wanted(codec.spec().codec))
                .map(|codec| codec.pt())
        };
        let (audio, digits) = (find(|codec| codec == Codec::PCMU), find(|codec| codec.is_tele()));
        if audio.is_some() {
            (self.mid, self.audio, self.digits) = (Some(mid), audio, digits);
        }
    }
}

/// Leaves out candidates that hide behind mDNS names, which nobody here can resolve; an ICE-lite
/// agent learns the browser's address from its checks.
fn without_names(offer: &str) -> String {
    let lines = offer.lines().filter(|line| !(line.starts_with("a=candidate:") && line.contains(".local ")));
    lines.flat_map(|line| [line.trim_end_matches('\r'), "\r\n"]).collect()
}

/// An error in one short line of printable characters: it may quote what the browser sent.
fn brief(error: &dyn std::fmt::Display) -> String {
    error.to_string().chars().filter(|char| !char.is_control()).take(120).collect()
}

#[cfg(test)]
#[path = "browser_tests.rs"]
mod tests;
