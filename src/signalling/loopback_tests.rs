//! The real task on loopback: calls in and out, admission, overload.

use super::*;
use crate::sip::sdp::{Codec, Direction};
use crate::task::{Phase, Stopper};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(5);

/// The room, and what keeps it going.
pub(super) struct House {
    pub(super) signalling: Signalling,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) udp: SocketAddr,
    pub(super) tcp: SocketAddr,
    pub(super) trunks: watch::Sender<Arc<Vec<Trunk>>>,
    pub(super) stopper: Stopper,
    pub(super) task: tokio::task::JoinHandle<()>,
}

pub(super) fn trunk(sources: &str) -> Arc<Vec<Trunk>> {
    let sources = sources.split_whitespace().map(|net| net.parse().unwrap()).collect();
    Arc::new(vec![Trunk { id: TrunkId(Uuid::nil()), name: "t".to_owned(), sources, created_at: 0 }])
}

pub(super) async fn house(listen: &str, sources: &str, calls: usize, invites_per_second: u32) -> House {
    let (trunks, watched) = watch::channel(trunk(sources));
    let (stopper, stop) = Stopper::new();
    let address: SocketAddr = listen.parse().unwrap();
    let setup = Setup {
        sip: config::Sip { udp: vec![address], tcp: vec![address], public_address: None },
        limits: config::Limits { calls, invites_per_second, drain_seconds: 1 },
        trunks: watched,
        clock: Clock::system(),
        stop,
    };
    let started = Signalling::start(setup).await.unwrap();
    let Started { signalling, events, udp, tcp, task } = started;
    House { signalling, events, udp: udp[0], tcp: tcp[0], trunks, stopper, task }
}

impl House {
    pub(super) async fn event(&mut self) -> Event {
        timeout(SOON, self.events.recv()).await.expect("an event in time").expect("an event")
    }
}

pub(super) fn audio(port: u16) -> Audio {
    Audio {
        address: SocketAddr::new([127, 0, 0, 1].into(), port),
        rtcp: None,
        codecs: vec![(Codec::Pcmu, 0)],
        digits: Some(101),
        direction: Direction::SendRecv,
    }
}

/// A phone on a UDP socket.
pub(super) struct Phone {
    socket: UdpSocket,
    to: SocketAddr,
    call: String,
}

impl Phone {
    pub(super) async fn at(address: &str, to: SocketAddr, call: &str) -> Self {
        Self { socket: UdpSocket::bind(address).await.unwrap(), to, call: call.to_owned() }
    }

    pub(super) fn request(&self, method: &str, cseq: u32, to_tag: Option<&str>, body: &str) -> String {
        let me = self.socket.local_addr().unwrap();
        request_from(me, "UDP", &self.call, method, cseq, to_tag, body)
    }

    pub(super) async fn send(&self, message: &str) {
        self.socket.send_to(message.as_bytes(), self.to).await.unwrap();
    }

    pub(super) async fn receive(&self) -> Option<String> {
        self.receive_within(SOON).await
    }

    pub(super) async fn receive_within(&self, limit: Duration) -> Option<String> {
        let mut buffer = vec![0; 65_536];
        let (n, _) = timeout(limit, self.socket.recv_from(&mut buffer)).await.ok()?.unwrap();
        Some(String::from_utf8(buffer[..n].to_vec()).unwrap())
    }

    /// The next message that is not a 100.
    pub(super) async fn reply(&self) -> String {
        loop {
            let message = self.receive().await.expect("a message in time");
            if !message.starts_with("SIP/2.0 100") {
                return message;
            }
        }
    }
}

pub(super) fn request_from(
    me: SocketAddr,
    transport: &str,
    call: &str,
    method: &str,
    cseq: u32,
    to_tag: Option<&str>,
    body: &str,
) -> String {
    let tag = to_tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let branch = if method == "CANCEL" { "INVITE" } else { method };
    format!(
        "{method} sip:0312345678@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} {me};branch=z9hG4bK{call}{branch}{cseq};rport\r\nFrom: <sip:09011112222@{me}>;tag=f{call}\r\nTo: <sip:0312345678@127.0.0.1>{tag}\r\nCall-ID: {call}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: <sip:09011112222@{me};transport={transport}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(super) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

pub(super) fn to_tag(message: &str) -> &str {
    let to = message.lines().find(|line| line.starts_with("To:")).unwrap();
    to.split("tag=").nth(1).unwrap()
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {message}"))
}

#[tokio::test]
async fn a_call_from_a_trunk_is_rung_answered_and_ended() {
    let mut house = house("127.0.0.1:0", "127.0.0.0/8", 10, 100).await;
    let phone = Phone::at("127.0.0.1:0", house.udp, "a").await;
    phone.send(&phone.request("INVITE", 1, None, SDP)).await;
    let Event::Invited(invited) = house.event().await else { panic!("no call") };
    assert_eq!((invited.caller.as_deref(), invited.called.as_str()), (Some("09011112222"), "0312345678"));
    assert_eq!(invited.local, IpAddr::from([127, 0, 0, 1]));
    assert_eq!(invited.offer.as_ref().unwrap().address, "127.0.0.1:6000".parse().unwrap());
    assert!(phone.receive().await.unwrap().starts_with("SIP/2.0 100 Trying\r\n"));
    house.signalling.ring(invited.leg).unwrap();
    assert!(phone.reply().await.starts_with("SIP/2.0 180 Ringing\r\n"));
    house.signalling.accept(invited.leg, audio(20_000)).unwrap();
    let ok = phone.reply().await;
    assert!(ok.starts_with("SIP/2.0 200 OK\r\n"), "{ok}");
    assert!(ok.contains("m=audio 20000 RTP/AVP 0 101\r\n"), "{ok}");
    let tag = to_tag(&ok).to_owned();
    phone.send(&phone.request("ACK", 1, Some(&tag), "")).await;
    assert!(matches!(house.event().await, Event::Confirmed(leg, None) if leg == invited.leg));
    phone.send(&phone.request("BYE", 2, Some(&tag), "")).await;
    assert!(phone.reply().await.starts_with("SIP/2.0 200 OK\r\n"));
    assert!(matches!(house.event().await, Event::Ended(leg, EndReason::Bye) if leg == invited.leg));
}

#[tokio::test]
async fn an_outbound_call_is_answered_and_hung_up_though_its_phone_is_no_trunk() {
    let mut house = house("127.0.0.1:0", "192.0.2.0/24", 10, 100).await;
    let phone = Phone::at("127.0.0.1:0", house.udp, "b").await;
    let me = phone.socket.local_addr().unwrap();
    let target = format!("sip:100@{me}");
    assert_eq!(house.signalling.local_for(&target), Ok(IpAddr::from([127, 0, 0, 1])));
    let leg = house
        .signalling
        .invite(Invite { target, caller: "09011112222".to_owned(), offer: audio(20_002) })
        .unwrap();
    let invite = phone.reply().await;
    assert!(invite.starts_with(&format!("INVITE sip:100@{me} SIP/2.0\r\n")), "{invite}");
    let answer = |status: &str, request: &str, body: &str| {
        format!(
            "SIP/2.0 {status}\r\nVia:{}\r\nFrom:{}\r\nTo: <sip:100@{me}>;tag=t\r\nCall-ID:{}\r\nCSeq:{}\r\nContact: <sip:100@{me}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            header(request, "Via:"),
            header(request, "From:"),
            header(request, "Call-ID:"),
            header(request, "CSeq:"),
            body.len()
        )
    };
    phone.send(&answer("180 Ringing", &invite, "")).await;
    assert!(matches!(house.event().await, Event::Ringing(l) if l == leg));
    phone.send(&answer("200 OK", &invite, SDP)).await;
    assert!(
        matches!(house.event().await, Event::Answered(l, audio) if l == leg && audio.address.port() == 6000)
    );
    assert!(phone.reply().await.starts_with("ACK "));
    house.signalling.hang_up(leg).unwrap();
    let bye = phone.reply().await;
    assert!(bye.starts_with("BYE "), "{bye}");
    phone.send(&answer("200 OK", &bye, "")).await;
}

#[tokio::test]
async fn an_unknown_source_hears_nothing_until_its_trunk_is_made() {
    let mut house = house("127.0.0.1:0", "192.0.2.0/24", 10, 100).await;
    let phone = Phone::at("127.0.0.1:0", house.udp, "c").await;
    for message in
        [phone.request("INVITE", 1, None, SDP), phone.request("OPTIONS", 2, None, ""), "x".repeat(500)]
    {
        phone.send(&message).await;
    }
    assert_eq!(phone.receive_within(Duration::from_millis(300)).await, None);
    house.trunks.send(trunk("127.0.0.0/8")).unwrap();
    // The change travels beside the datagram; the caller's own retransmission finds it.
    let mut reply = None;
    for _ in 0..10 {
        phone.send(&phone.request("INVITE", 3, None, SDP)).await;
        reply = phone.receive_within(Duration::from_millis(300)).await;
        if reply.is_some() {
            break;
        }
    }
    assert!(reply.unwrap().starts_with("SIP/2.0 100"));
    assert!(matches!(house.event().await, Event::Invited(_)));
}

#[tokio::test]
async fn overload_sheds_new_calls_only() {
    let mut house = house("127.0.0.1:0", "127.0.0.0/8", 1, 100).await;
    let first = Phone::at("127.0.0.1:0", house.udp, "d").await;
    first.send(&first.request("INVITE", 1, None, SDP)).await;
    let Event::Invited(invited) = house.event().await else { panic!("no call") };
    house.signalling.accept(invited.leg, audio(20_000)).unwrap();
    let tag = to_tag(&first.reply().await).to_owned();
    first.send(&first.request("ACK", 1, Some(&tag), "")).await;
    house.event().await;
    let second = Phone::at("127.0.0.1:0", house.udp, "e").await;
    second.send(&second.request("INVITE", 1, None, SDP)).await;
    let shed = second.reply().await;
    assert!(shed.starts_with("SIP/2.0 503 ") && shed.contains("Retry-After: "), "{shed}");
    first.send(&first.request("OPTIONS", 2, Some(&tag), "")).await;
    assert!(first.reply().await.starts_with("SIP/2.0 200"));
    // Draining: nobody new, and those who are in go on.
    house.stopper.advance(Phase::Draining);
    first.send(&first.request("BYE", 3, Some(&tag), "")).await;
    assert!(first.reply().await.starts_with("SIP/2.0 200"));
    second.send(&second.request("INVITE", 2, None, SDP)).await;
    assert!(second.reply().await.starts_with("SIP/2.0 503 "));
    house.stopper.advance(Phase::Stopped);
    timeout(SOON, house.task).await.expect("an end in time").unwrap();
}

#[tokio::test]
async fn a_dual_stack_listener_takes_ipv4_and_ipv6() {
    let mut house = house("[::]:0", "127.0.0.0/8 ::1/128", 10, 100).await;
    for (at, call) in [("127.0.0.1:0", "f"), ("[::1]:0", "g")] {
        let me: SocketAddr = at.parse().unwrap();
        let phone = Phone::at(at, SocketAddr::new(me.ip(), house.udp.port()), call).await;
        phone.send(&phone.request("INVITE", 1, None, SDP)).await;
        let Event::Invited(invited) = house.event().await else { panic!("no call") };
        assert_eq!(invited.local, me.ip());
        house.signalling.reject(invited.leg, 486).unwrap();
        assert!(phone.reply().await.starts_with("SIP/2.0 486 "));
    }
}

#[tokio::test]
async fn calls_left_at_the_stop_are_ended() {
    let mut house = house("127.0.0.1:0", "127.0.0.0/8", 10, 100).await;
    let phone = Phone::at("127.0.0.1:0", house.udp, "h").await;
    phone.send(&phone.request("INVITE", 1, None, SDP)).await;
    house.event().await;
    house.stopper.advance(Phase::Stopped);
    assert!(phone.reply().await.starts_with("SIP/2.0 480 "));
    timeout(SOON, house.task).await.expect("an end in time").unwrap();
}
