//! A core on a clock of its own, and what its tests say to it.

use super::sdp::{Audio, Codec, Direction};
use super::*;
use bytes::Bytes;
use std::time::{Duration, Instant};

/// A core, its peer at 192.0.2.1:5060, and a clock that only moves when told.
pub(super) struct Bench {
    pub(super) core: Core,
    pub(super) now: Instant,
    pub(super) path: Path,
    pub(super) sent: Vec<String>,
    pub(super) told: Vec<Event>,
    /// Invited legs that [`Bench::obey`] plays with.
    legs: Vec<LegId>,
}

pub(super) const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n";
/// Header rows of an ordinary INVITE.
pub(super) const INVITE: &str =
    "Contact: <sip:c@192.0.2.1:5060>\r\nAllow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n";

/// A request of the peer. `rows` are whole header lines; a To tag goes in as `To-Tag: x`.
pub(super) fn message(method: &str, call: &str, cseq: u32, rows: &str, body: &str) -> String {
    let (tag, rows) = match rows.split_once("To-Tag: ") {
        Some((before, after)) => {
            let (tag, after) = after.split_once("\r\n").unwrap();
            (format!(";tag={tag}"), format!("{before}{after}"))
        }
        None => (String::new(), rows.to_owned()),
    };
    let kind = if body.is_empty() || rows.contains("Content-Type") {
        ""
    } else {
        "Content-Type: application/sdp\r\n"
    };
    // CANCEL has the branch of its INVITE.
    let branch = if method == "CANCEL" { "INVITE" } else { method };
    format!(
        "{method} sip:0312345678@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{call}{branch}{cseq}\r\n\
         From: <sip:09011112222@192.0.2.1>;tag=f\r\nTo: <sip:0312345678@192.0.2.9>{tag}\r\nCall-ID: {call}\r\nCSeq: {cseq} {method}\r\n\
         Max-Forwards: 70\r\n{rows}{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Random numbers from a seed that is printed, and can be given in the environment.
pub(super) fn dice(variable: &str) -> impl FnMut() -> u64 + use<> {
    let given = std::env::var(variable).ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(|| {
        let mut bytes = [0; 8];
        aws_lc_rs::rand::fill(&mut bytes).unwrap();
        u64::from_be_bytes(bytes)
    });
    println!("{variable}={seed}");
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 3
    }
}

pub(super) fn ours() -> Audio {
    Audio {
        address: "192.0.2.9:20000".parse().unwrap(),
        rtcp: None,
        codecs: vec![(Codec::Pcmu, 0), (Codec::Pcma, 8)],
        digits: Some(101),
        direction: Direction::SendRecv,
    }
}

pub(super) fn tag_of(message: &str) -> String {
    let to =
        message.lines().find(|line| line.starts_with("To:")).unwrap_or_else(|| panic!("no To in {message}"));
    to.split("tag=").nth(1).unwrap_or_default().to_owned()
}

impl Bench {
    #[expect(clippy::disallowed_methods, reason = "a starting point")]
    pub(super) fn new() -> Self {
        let path = Path {
            transport: Transport::Udp,
            flow: 1,
            peer: "192.0.2.1:5060".parse().unwrap(),
            advertised: "192.0.2.9:5060".parse().unwrap(),
        };
        let settings = Settings { calls: 100, invites_per_second: 1000 };
        Self {
            core: Core::new(settings, [7; 32]),
            now: Instant::now(),
            path,
            sent: vec![],
            told: vec![],
            legs: vec![],
        }
    }

    pub(super) fn receive(&mut self, message: &str) {
        self.receive_bytes(message.as_bytes());
    }

    pub(super) fn receive_bytes(&mut self, bytes: &[u8]) {
        self.core.receive(&Bytes::copy_from_slice(bytes), self.path, Standing::Trunk, false, self.now);
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        while let Some(action) = self.core.next_action() {
            match action {
                Action::Send(_, bytes) => self.sent.push(String::from_utf8_lossy(&bytes).into_owned()),
                Action::Tell(event) => self.told.push(event),
            }
        }
    }

    /// What was sent since the last look.
    pub(super) fn sent(&mut self) -> Vec<String> {
        self.drain();
        std::mem::take(&mut self.sent)
    }

    /// What was told since the last look.
    pub(super) fn told(&mut self) -> Vec<Event> {
        self.drain();
        std::mem::take(&mut self.told)
    }

    /// The statuses, or methods as 0, of what was sent since the last look.
    pub(super) fn statuses(&mut self) -> Vec<u16> {
        self.sent()
            .iter()
            .map(|m| m.strip_prefix("SIP/2.0 ").map_or(0, |rest| rest[..3].parse().unwrap()))
            .collect()
    }

    /// First words of what was sent since the last look: status or method.
    pub(super) fn words(&mut self) -> Vec<String> {
        self.sent()
            .iter()
            .map(|m| m.trim_start_matches("SIP/2.0 ").split(' ').next().unwrap().to_owned())
            .collect()
    }

    /// Lets time pass, timer by timer.
    pub(super) fn pass(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(due) = self.core.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.core.tick(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Lets time pass until nothing is left to wait for.
    pub(super) fn run_to_the_end(&mut self) {
        for _ in 0..1_000_000 {
            let Some(due) = self.core.next_deadline() else { return };
            self.now = self.now.max(due);
            self.core.tick(self.now);
            while self.core.next_action().is_some() {}
        }
        panic!("timers without end: {:?}", self.core.status());
    }

    /// Does something to the legs it heard of.
    pub(super) fn obey(&mut self, random: &mut impl FnMut() -> u64) {
        self.drain();
        self.sent.clear();
        for event in std::mem::take(&mut self.told) {
            if let Event::Invited(invited) = event {
                self.legs.push(invited.leg);
            }
        }
        if self.legs.is_empty() || random().is_multiple_of(4) {
            return;
        }
        let leg = self.legs[random() as usize % self.legs.len()];
        match random() % 5 {
            0 => self.core.ring(leg, self.now),
            1 | 2 => self.core.accept(leg, &ours(), self.now),
            3 => self.core.reject(leg, 486, self.now),
            _ => self.core.hang_up(leg, self.now),
        }
    }

    /// An INVITE; its leg.
    pub(super) fn invited(&mut self, rows: &str, body: &str) -> LegId {
        self.receive(&message("INVITE", "call", 1, rows, body));
        assert_eq!(self.statuses(), [100]);
        match self.told().as_slice() {
            [Event::Invited(invited)] => invited.leg,
            other => panic!("no call but {other:?}"),
        }
    }

    /// A call that is up; its leg and our tag.
    pub(super) fn up(&mut self, rows: &str) -> (LegId, String) {
        let leg = self.invited(rows, SDP);
        self.core.accept(leg, &ours(), self.now);
        let tag = tag_of(&self.sent()[0]);
        self.ack(1, &tag, "");
        assert!(matches!(self.told()[..], [Event::Confirmed(l, None)] if l == leg));
        (leg, tag)
    }

    pub(super) fn ack(&mut self, cseq: u32, tag: &str, body: &str) {
        self.receive(&message("ACK", "call", cseq, &format!("To-Tag: {tag}\r\n"), body));
    }

    pub(super) fn within(&mut self, method: &str, cseq: u32, tag: &str, rows: &str, body: &str) {
        self.receive(&message(method, "call", cseq, &format!("{rows}To-Tag: {tag}\r\n"), body));
    }

    /// An outbound call; its leg and INVITE.
    pub(super) fn calling(&mut self) -> (LegId, String) {
        let (leg, target) = (LegId(1), Target::parse("sip:100@192.0.2.1:5060").unwrap());
        let outbound = Outbound { leg, target, path: self.path, caller: "0901".to_owned(), offer: ours() };
        self.core.invite(outbound, self.now);
        (leg, self.sent().pop().expect("an INVITE"))
    }

    /// Answers a request of ours.
    pub(super) fn answer(&mut self, request: &str, status: u16, tag: &str, rows: &str, body: &str) {
        let copied: String = request
            .lines()
            .filter(|l| ["Via:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| l.starts_with(name)))
            .map(|line| format!("{line}\r\n"))
            .collect();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        self.receive(&format!(
            "SIP/2.0 {status} X\r\n{copied}To: <sip:100@192.0.2.1:5060>;tag={tag}\r\nContact: <sip:100@192.0.2.1:5060>\r\n{rows}{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    }

    /// Everything is over, and nothing is left of it.
    pub(super) fn assert_nothing_left(&mut self) {
        self.run_to_the_end();
        let status = self.core.status();
        assert_eq!((status.legs, status.transactions, status.timers, status.peers), (0, 0, 0, 0));
        assert_eq!((self.core.tags.len(), self.core.merges.len(), self.core.calls), (0, 0, 0));
    }
}
