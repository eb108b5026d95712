//! Real calls in one process: signalling, media, recordings, calls and queues on loopback,
//! with a hand-written SIP caller and phones.

use super::Queues;
use crate::audit::Audit;
use crate::calls::{Calls, Parts};
use crate::clock::Clock;
use crate::config;
use crate::domain::account::{Account, Role};
use crate::domain::campaign::Sensitivity;
use crate::domain::queue::Queue;
use crate::domain::record::{CallRecord, Fate, RecordingState};
use crate::domain::route::{Number, Trunk};
use crate::domain::{AccountId, FlowId, NumberId, Presence, QueueId, TrunkId};
use crate::media::{self, Media};
use crate::recordings::Recordings;
use crate::signalling::{Setup, Signalling};
use crate::store::fixture::Centre;
use crate::task::{Phase, Stop, Stopper};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use uuid::Uuid;

const FLOW: &str = "start = \"q\"\n[step.q]\ntype = \"queue\"\nqueue = \"support\"\n";

/// Fails rather than hangs.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("it took longer than ten seconds")
}

struct House {
    centre: Centre,
    calls: Calls,
    queues: Queues,
    media: Media,
    sip: SocketAddr,
    clock: Clock,
    stopper: Stopper,
    _stop: Stop,
}

impl House {
    /// One queue, `phones` as its operators in this order, two numbers.
    async fn open(phones: &[&Peer]) -> Self {
        let centre = Centre::open().await;
        let (store, clock) = (centre.store.clone(), Clock::system());
        let trunk = Trunk {
            id: TrunkId(Uuid::now_v7()),
            name: "carrier".into(),
            sources: vec!["127.0.0.1/32".parse().unwrap()],
            created_at: 0,
        };
        store.system().trunk_create(trunk.clone()).await.unwrap();
        let tenant = store.tenant(centre.tenant).unwrap();
        for (number, flow) in [("+81355550142", "main"), ("+81355550143", "broken")] {
            let id = NumberId(Uuid::now_v7());
            let (trunk, tenant) = (trunk.id, centre.tenant);
            let number = Number { id, number: number.into(), trunk, tenant, flow: flow.into() };
            store.system().number_create(number).await.unwrap();
        }
        tenant.flow_apply("main", FLOW, FlowId(Uuid::now_v7()), 0).await.unwrap();
        let mut members = Vec::new();
        for (n, phone) in phones.iter().enumerate() {
            let account = Account {
                id: AccountId(Uuid::now_v7()),
                login: format!("phone{n}"),
                name: String::new(),
                role: Role::Operator,
                sip_contact: Some(format!("sip:phone{n}@{}", phone.address())),
                disabled: false,
                created_at: 0,
            };
            members.push(account.id);
            tenant.account_create(account, None).await.unwrap();
        }
        let queue = Queue {
            id: QueueId(Uuid::now_v7()),
            name: "support".into(),
            campaign: centre.support,
            sensitivity: Sensitivity::Low,
            ring_seconds: 20,
            wrap_up_seconds: 0,
            recorded: true,
            members,
        };
        tenant.queue_create(queue).await.unwrap();

        let loopback = "127.0.0.1:0".parse().unwrap();
        let (stopper, stop) = Stopper::new();
        let ports =
            config::Media { rtp_ports: (42_000, 43_999), browser: loopback, browser_candidates: vec![] };
        let (media, media_events, _) = Media::start(&ports, media::Limits::default(), clock.clone()).unwrap();
        let (_trunks, admitted) = watch::channel(Arc::new(store.system().trunks().await.unwrap()));
        let setup = Setup {
            sip: config::Sip { udp: vec![loopback], tcp: vec![], public_address: None },
            limits: config::Limits { calls: 100, invites_per_second: 100, drain_seconds: 1 },
            trunks: admitted,
            clock: clock.clone(),
            stop: stop.clone(),
        };
        let started = Signalling::start(setup).await.unwrap();
        let audit = Audit::new(store.clone(), clock.clone());
        let recordings = Recordings::start(store.clone(), audit, store.data_dir(), clock.clone()).unwrap();
        let scope = centre.all();
        let calls = Calls::start(Parts {
            store: store.clone(),
            signalling: started.signalling,
            signalling_events: started.events,
            media: media.clone(),
            media_events,
            recordings,
            scopes: Arc::new(move |_| scope.clone()),
            clock: clock.clone(),
            stop: stop.clone(),
        });
        let queues = Queues::start(store, calls.clone(), clock.clone(), stop.clone());
        let sip = *started.udp.first().unwrap();
        let house = Self { centre, calls, queues, media, sip, clock, stopper, _stop: stop };
        house.available(phones.len()).await;
        house
    }

    async fn available(&self, count: usize) {
        soon(async {
            loop {
                let mut news = self.queues.subscribe();
                let (operators, _) = self.queues.snapshot(self.centre.tenant).await.unwrap();
                if operators.iter().filter(|o| o.presence == Presence::Available).count() >= count {
                    return;
                }
                news.recv().await.unwrap();
            }
        })
        .await;
    }

    /// After all is over: nothing is left, and these are the calls, newest first.
    async fn close(self) -> Vec<CallRecord> {
        soon(self.calls.idle()).await;
        assert_eq!(self.calls.leftovers(), (0, 0, 0), "calls or legs are left");
        let tenant = self.centre.store.tenant(self.centre.tenant).unwrap();
        let calls = tenant.calls(&self.centre.all(), 10, None).await.unwrap();
        self.stopper.advance(Phase::Stopped);
        self.media.shut_down();
        calls
    }
}

/// A SIP party: caller or phone.
struct Peer {
    socket: UdpSocket,
    rtp: UdpSocket,
}

/// What was received, with its sender.
struct Message {
    text: String,
    from: SocketAddr,
}

impl Message {
    fn is(&self, start: &str) -> bool {
        self.text.starts_with(start)
    }
    fn header(&self, name: &str) -> &str {
        let line = self.text.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")));
        line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }
    /// Where the other wants RTP.
    fn rtp(&self) -> SocketAddr {
        let part = |mark: &str| self.text.lines().find_map(|line| line.strip_prefix(mark)).unwrap();
        let port = part("m=audio ").split(' ').next().unwrap();
        format!("{}:{port}", part("c=IN IP4 ")).parse().unwrap()
    }
}

impl Peer {
    async fn new() -> Self {
        let bind = || UdpSocket::bind("127.0.0.1:0");
        Self { socket: bind().await.unwrap(), rtp: bind().await.unwrap() }
    }
    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }
    fn sdp(&self, payload_types: &str) -> String {
        let port = self.rtp.local_addr().unwrap().port();
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP {payload_types}\r\n"
        )
    }
    async fn send(&self, to: SocketAddr, head: &str, body: &str) {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len());
        self.socket.send_to(text.as_bytes(), to).await.unwrap();
    }
    /// A request of the caller's dialog.
    async fn request(&self, house: &House, method: &str, called: &str, to_tag: &str, cseq: u32, body: &str) {
        let (us, branch) = (self.address(), if matches!(method, "INVITE" | "CANCEL") { 1 } else { cseq + 1 });
        let branch = if method == "ACK" { 77 } else { branch };
        let to = house.sip;
        let head = format!(
            "{method} sip:{called}@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK-{}-{branch}\r\nMax-Forwards: 70\r\nFrom: <sip:0311112222@{us}>;tag=c\r\nTo: <sip:{called}@{to}>{to_tag}\r\nCall-ID: call-{us}\r\nCSeq: {cseq} {method}\r\nContact: <sip:c@{us}>\r\n",
            us.port()
        );
        self.send(to, &head, body).await;
    }
    /// The next message that starts so; others are passed over.
    async fn expect(&self, start: &str) -> Message {
        soon(async {
            let mut buffer = vec![0; 4096];
            loop {
                let (length, from) = self.socket.recv_from(&mut buffer).await.unwrap();
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let message = Message { text, from };
                if message.is(start) {
                    return message;
                }
            }
        })
        .await
    }
    async fn reply(&self, request: &Message, status: &str, body: &str) {
        let tag = if request.header("to").contains("tag=") { "" } else { ";tag=p" };
        let route = match request.header("record-route") {
            "" => String::new(),
            route => format!("Record-Route: {route}\r\n"),
        };
        let head = format!(
            "SIP/2.0 {status}\r\nVia: {}\r\n{route}From: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <sip:p@{}>\r\n",
            request.header("via"),
            request.header("from"),
            request.header("to"),
            request.header("call-id"),
            request.header("cseq"),
            self.address()
        );
        self.send(request.from, &head, body).await;
    }
    /// Calls and is answered; the answer.
    async fn call(&self, house: &House) -> Message {
        self.request(house, "INVITE", "0355550142", "", 1, &self.sdp("8 0")).await;
        let answer = self.expect("SIP/2.0 200").await;
        self.request(house, "ACK", "0355550142", &to_tag(&answer), 1, "").await;
        answer
    }
    /// The phone is called and answers; our INVITE as it saw it.
    async fn answer(&self) -> Message {
        let invite = self.expect("INVITE").await;
        self.reply(&invite, "180 Ringing", "").await;
        self.reply(&invite, "200 OK", &self.sdp("8 0")).await;
        self.expect("ACK").await;
        invite
    }
    /// Sends RTP to `to` until some is heard, and a little longer: who hears is bridged, and
    /// what is sent from then on is heard by the other.
    async fn talk(&self, to: SocketAddr) {
        soon(async {
            let (mut buffer, mut left) = ([0; 512], 10);
            for sequence in 0u16.. {
                let mut packet = vec![0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
                packet[2..4].copy_from_slice(&sequence.to_be_bytes());
                packet[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
                packet.extend([0x2A; 160]);
                self.rtp.send_to(&packet, to).await.unwrap();
                let heard = self.rtp.recv_from(&mut buffer);
                if let Ok(Ok((length, _))) = tokio::time::timeout(Duration::from_millis(20), heard).await
                    && buffer[..length].ends_with(&[0x2A; 20])
                {
                    left -= 1;
                }
                if left < 10 {
                    left -= 1;
                }
                if left <= 0 {
                    return;
                }
            }
        })
        .await;
    }
}

fn to_tag(answer: &Message) -> String {
    answer.header("to").split_once(";tag=").map(|(_, tag)| format!(";tag={tag}")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_answered_recorded_and_ended_by_the_caller() {
    let (caller, phone) = (Peer::new().await, Peer::new().await);
    let house = House::open(&[&phone]).await;
    let (answer, invite) = tokio::join!(caller.call(&house), phone.answer());
    assert!(invite.text.contains("RTP/AVP 8 0"), "the caller's law comes first: {}", invite.text);
    assert!(invite.header("from").contains("+81311112222"), "{}", invite.header("from"));
    tokio::join!(caller.talk(answer.rtp()), phone.talk(invite.rtp()));
    let hung_up = house.clock.now();
    caller.request(&house, "BYE", "0355550142", &to_tag(&answer), 2, "").await;
    let bye = phone.expect("BYE").await;
    assert!(house.clock.now() - hung_up < Duration::from_millis(100), "the other leg ended late");
    phone.reply(&bye, "200 OK", "").await;
    caller.expect("SIP/2.0 200").await;

    let (centre, tenant) = (house.centre.all(), house.centre.store.tenant(house.centre.tenant).unwrap());
    let calls = house.close().await;
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!((call.fate, call.caller.as_str()), (Some(Fate::Answered), "+81311112222"));
    assert!(call.queued_at.is_some() && call.answered_at.is_some() && call.operator.is_some());
    let recording = tenant.recording(&centre, call.recording.unwrap()).await.unwrap();
    assert!(matches!(recording.state, RecordingState::Sealed | RecordingState::Spooling));
    let story: Vec<String> =
        tenant.call_events(&centre, call.id).await.unwrap().into_iter().map(|event| event.kind).collect();
    let told = ["invited", "answered", "queued", "offered", "offer_ended", "bridged", "hung_up", "ended"];
    assert_eq!(story, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_bye_ends_the_callers_leg_and_they_are_free_again() {
    let (caller, phone) = (Peer::new().await, Peer::new().await);
    let house = House::open(&[&phone]).await;
    let (answer, invite) = tokio::join!(caller.call(&house), phone.answer());
    // Once audio flows the call is bridged.
    tokio::join!(caller.talk(answer.rtp()), phone.talk(invite.rtp()));
    let hung_up = house.clock.now();
    let us = phone.address();
    let head = format!(
        "BYE sip:x@{} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK-bye\r\nMax-Forwards: 70\r\nFrom: {};tag=p\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 9 BYE\r\n",
        house.sip,
        invite.header("to"),
        invite.header("from"),
        invite.header("call-id")
    );
    phone.send(house.sip, &head, "").await;
    let bye = caller.expect("BYE").await;
    assert!(house.clock.now() - hung_up < Duration::from_millis(100), "the other leg ended late");
    caller.reply(&bye, "200 OK", "").await;
    phone.expect("SIP/2.0 200").await;
    house.available(1).await;
    let calls = house.close().await;
    assert_eq!(calls.first().unwrap().fate, Some(Fate::Answered));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_phone_passes_the_call_on_and_a_caller_who_leaves_stops_the_ringing() {
    let (caller, first, second) = (Peer::new().await, Peer::new().await, Peer::new().await);
    let house = House::open(&[&first, &second]).await;
    let answer = caller.call(&house).await;
    let busy = first.expect("INVITE").await;
    first.reply(&busy, "486 Busy Here", "").await;
    first.expect("ACK").await;
    let invite = second.expect("INVITE").await;
    second.reply(&invite, "180 Ringing", "").await;
    caller.request(&house, "BYE", "0355550142", &to_tag(&answer), 2, "").await;
    let cancel = second.expect("CANCEL").await;
    second.reply(&cancel, "200 OK", "").await;
    second.reply(&invite, "487 Request Terminated", "").await;
    second.expect("ACK").await;
    house.available(2).await;
    let calls = house.close().await;
    let call = calls.first().unwrap();
    assert_eq!((call.fate, call.operator, call.recording), (Some(Fate::Abandoned), None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_why() {
    let house = House::open(&[]).await;
    let cases = [
        ("0399999999", "0", "SIP/2.0 404"),
        ("0355550143", "0", "SIP/2.0 500"),
        ("0355550142", "9", "SIP/2.0 488"),
        ("+81-3-5555-0142", "0", "SIP/2.0 200"),
    ];
    for (called, payload_types, expected) in cases {
        let caller = Peer::new().await;
        caller.request(&house, "INVITE", called, "", 1, &caller.sdp(payload_types)).await;
        let answer = caller.expect("SIP/2.0 ").await;
        let answer = if answer.is("SIP/2.0 100") { caller.expect("SIP/2.0 ").await } else { answer };
        assert!(answer.is(expected), "{called}: {}", answer.text);
        caller.request(&house, "ACK", called, &to_tag(&answer), 1, "").await;
    }
    // An administrator ends the one that lives; then nobody new gets in.
    let living = house.calls.snapshot(house.centre.tenant);
    let live = living.iter().find(|live| live.state == "queued").unwrap();
    house.calls.hang_up(house.centre.tenant, live.call, None).unwrap();
    soon(house.calls.idle()).await;
    house.stopper.advance(Phase::Draining);
    let late = Peer::new().await;
    late.request(&house, "INVITE", "0355550142", "", 1, &late.sdp("0")).await;
    late.expect("SIP/2.0 503").await;
    assert!(house.clock.unix_millis() >= live.started_at);
    let fates: Vec<_> = house.close().await.into_iter().map(|call| call.fate.unwrap()).collect();
    // 404 is nobody's call, and 488 came from signalling: no audio was offered that we speak.
    assert_eq!(fates, [Fate::Completed, Fate::Refused]);
}
