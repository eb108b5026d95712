//! The live connection over a real socket.

use super::house::{Client, DEADLINE, HOST, House};
use crate::calls;
use crate::domain::{CallId, OfferId, RecordingId, record::Fate};
use crate::media::{self, MediaError};
use crate::queues;
use crate::web::accept::Door;
use crate::web::gate::{Caps, Gate};
use crate::web::live::Hub;
use crate::web::live::hub::Patience;
use crate::web::live::station::Input;
use crate::web::router::{App, router};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

/// The house behind a plain listener, which spares the test TLS.
struct Open {
    house: House,
    app: App,
    address: SocketAddr,
}

impl Open {
    async fn new() -> Self {
        let house = House::open().await;
        let mut app = house.app.clone();
        let patience = Patience { leg: Duration::from_millis(300), ..Patience::default() };
        app.live =
            Hub::with_patience(house.services.clone(), house.clock.clone(), house.stop.clone(), patience);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = Door {
            admit: Arc::new(|_| true),
            gate: Gate::new(Caps::default()),
            tls: None,
            router: router(app.clone()),
            stop: house.stop.clone(),
        };
        crate::task::spawn("test door", door.accept(listener));
        Self { house, app, address }
    }

    async fn dial(&self, client: &Client, origin: &str, tcp: TcpStream) -> Result<Page, Error> {
        let mut request = format!("ws://{HOST}/api/v1/live").into_client_request().unwrap();
        if let Some(cookie) = &client.cookie {
            request.headers_mut().insert("cookie", cookie.parse().unwrap());
        }
        request.headers_mut().insert("origin", origin.parse().unwrap());
        client_async(request, tcp).await.map(|(socket, _)| Page { socket, next: 1 })
    }

    async fn page(&self, client: &Client) -> Page {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        self.dial(client, &format!("https://{HOST}"), tcp).await.unwrap()
    }

    /// A page that has been greeted.
    async fn greeted(&self, client: &Client) -> (Page, Value) {
        let mut page = self.page(client).await;
        page.tell(json!({ "type": "resume", "instance": null, "seq": 0 })).await;
        let hello = page.hear("hello").await;
        (page, hello)
    }

    fn key(&self) -> (crate::domain::TenantId, crate::domain::AccountId) {
        (self.house.hana.id, self.house.hana.op)
    }

    fn offer(&self, call: CallId, caller: &str) -> Input {
        Input::Queues(queues::Event {
            tenant: self.house.hana.id,
            at: 1,
            kind: queues::EventKind::Offered {
                offer: OfferId(Uuid::now_v7()),
                account: self.house.hana.op,
                call,
                queue: self.house.hana.queue,
                queue_name: "受付".into(),
                campaign: self.house.hana.sales,
                caller: caller.into(),
                waited_ms: 5,
                ring_seconds: 20,
            },
        })
    }
}

/// A page's end.
struct Page {
    socket: WebSocketStream<TcpStream>,
    next: u64,
}

impl Page {
    async fn tell(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame of this type; what comes before it is passed over.
    async fn hear(&mut self, kind: &str) -> Value {
        loop {
            match timeout(DEADLINE, self.socket.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] == kind {
                        return frame;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no {kind}: {other:?}"),
            }
        }
    }

    /// Asks and waits for the answer.
    async fn ask(&mut self, mut request: Value) -> Value {
        let id = self.next;
        self.next += 1;
        request["id"] = id.into();
        self.tell(request).await;
        loop {
            match timeout(DEADLINE, self.socket.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["re"] == id {
                        return frame;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no answer: {other:?}"),
            }
        }
    }

    /// The close code; 0 when the connection merely ended.
    async fn ended(&mut self) -> u16 {
        loop {
            match timeout(DEADLINE, self.socket.next()).await.unwrap() {
                Some(Ok(Message::Close(frame))) => return frame.map_or(0, |frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return 0,
            }
        }
    }
}

#[tokio::test]
async fn other_origins_and_strangers_get_no_socket() {
    let open = Open::new().await;
    let operator = open.house.operator().await;
    let anonymous = open.house.anonymous();
    for (client, origin, status) in [
        (&operator, "https://evil.example", 403),
        (&operator, "http://cc.example", 403),
        (&operator, "null", 403),
        (&operator, "https://cc.example:444", 403),
        (&anonymous, "https://cc.example", 401),
    ] {
        let tcp = TcpStream::connect(open.address).await.unwrap();
        match open.dial(client, origin, tcp).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status().as_u16(), status, "{origin}"),
            other => panic!("{origin}: {:?}", other.map(|_| "a socket")),
        }
    }
}

#[tokio::test]
async fn a_page_is_greeted_and_resumes() {
    let open = Open::new().await;
    let operator = open.house.operator().await;
    let (mut page, hello) = open.greeted(&operator).await;
    assert_eq!(hello["operator"]["presence"], "offline");
    assert_eq!(hello["queues"][0]["id"], open.house.hana.queue.to_string());
    let answer = page.ask(json!({ "type": "presence", "presence": "away" })).await;
    assert_eq!((&answer["type"], &answer["presence"]), (&json!("done"), &json!("away")));
    let refused = page.ask(json!({ "type": "presence", "presence": "talking" })).await;
    assert_eq!((&refused["type"], &refused["code"]), (&json!("refused"), &json!("not_chosen")));
    let refused = page.ask(json!({ "type": "accept", "call": Uuid::now_v7() })).await;
    assert_eq!((&refused["type"], &refused["code"]), (&json!("refused"), &json!("not_found")));
    assert_eq!(page.ask(json!({ "type": "sing" })).await["code"], "bad_request");
    assert_eq!(page.ask(json!({ "type": "ping" })).await["type"], "done");
    drop(page);

    let mut again = open.page(&operator).await;
    again.tell(json!({ "type": "resume", "instance": hello["instance"], "seq": hello["seq"] })).await;
    let missed = again.hear("presence").await;
    assert_eq!(
        (&missed["presence"], missed["seq"].as_u64()),
        (&json!("away"), hello["seq"].as_u64().map(|n| n + 1))
    );
    drop(again);
    let mut stranger = open.page(&operator).await;
    stranger.tell(json!({ "type": "resume", "instance": "another", "seq": 1 })).await;
    assert_eq!(stranger.hear("hello").await["operator"]["presence"], "away");
}

#[tokio::test]
async fn a_ring_shows_the_caller_at_once() {
    let open = Open::new().await;
    let (mut page, _) = open.greeted(&open.house.operator().await).await;
    let call = CallId(Uuid::now_v7());
    let started = open.house.clock.now();
    assert!(open.app.live.send(open.key(), open.offer(call, "+81355550142")));
    let offered = page.hear("offered").await;
    let took = open.house.clock.now() - started;
    assert_eq!(offered["customers"][0]["name"], "山田 花子");
    assert_eq!((&offered["queue"]["name"], &offered["ring_seconds"]), (&json!("受付"), &json!(20)));
    println!("offered after {took:?}");

    let recording = RecordingId(Uuid::now_v7());
    let kind = calls::EventKind::Bridged {
        account: open.house.hana.op,
        queue: open.house.hana.queue,
        recording: Some(recording),
    };
    let bridged = calls::Event { tenant: open.house.hana.id, call, at: 2, kind };
    assert!(open.app.live.send(open.key(), Input::Calls(bridged)));
    assert_eq!(page.hear("offer_ended").await["outcome"], "accepted");
    let bridged = page.hear("bridged").await;
    assert_eq!(bridged["recording"], recording.to_string());
    assert_eq!(bridged["customers"][0]["name"], "山田 花子");
    let kind =
        calls::EventKind::Ended { fate: Fate::Answered, account: Some(open.house.hana.op), queue: None };
    assert!(
        open.app
            .live
            .send(open.key(), Input::Calls(calls::Event { tenant: open.house.hana.id, call, at: 3, kind }))
    );
    assert_eq!(page.hear("call_ended").await["fate"], "answered");
}

#[tokio::test]
async fn a_caller_of_a_paused_campaign_is_not_shown() {
    let open = Open::new().await;
    let (mut page, _) = open.greeted(&open.house.operator().await).await;
    let rooms = open.house.services.store.tenant(open.house.hana.id).unwrap();
    let mut sales = rooms.campaign_named("Sales").await.unwrap().unwrap();
    sales.status = crate::domain::campaign::CampaignStatus::Paused;
    rooms.campaign_update(sales).await.unwrap();
    assert!(open.app.live.send(open.key(), open.offer(CallId(Uuid::now_v7()), "+81355550142")));
    assert_eq!(page.hear("offered").await["customers"], json!([]));
}

#[tokio::test]
async fn the_newer_page_takes_over() {
    let open = Open::new().await;
    let operator = open.house.operator().await;
    let (mut older, _) = open.greeted(&operator).await;
    let (mut newer, _) = open.greeted(&operator).await;
    assert_eq!(older.ended().await, 4000);
    assert_eq!(newer.ask(json!({ "type": "ping" })).await["type"], "done");
}

#[tokio::test]
async fn the_end_of_the_session_ends_the_page() {
    let open = Open::new().await;
    let operator = open.house.operator().await;
    let (mut page, _) = open.greeted(&operator).await;
    let request = operator.request("DELETE", "/api/v1/session").body(axum::body::Body::empty()).unwrap();
    assert_eq!(operator.send(request).await.status, 204);
    page.hear("session_ended").await;
    assert_eq!(page.ended().await, 4001);
}

#[tokio::test]
async fn a_leg_outlives_its_socket_for_a_while() {
    let open = Open::new().await;
    let operator = open.house.operator().await;
    let (mut page, _) = open.greeted(&operator).await;
    assert_eq!(page.ask(json!({ "type": "media_offer", "sdp": "v=0\r\n" })).await["code"], "offer");
    let sdp = offer();
    let answer = page.ask(json!({ "type": "media_offer", "sdp": sdp })).await;
    assert!(answer["sdp"].as_str().is_some_and(|sdp| sdp.starts_with("v=0")), "{answer}");
    let media = &open.house.services.media;
    let [leg] = open.app.live.legs_of(open.key())[..] else { panic!("not one leg") };
    assert!(
        open.app.live.send(open.key(), Input::Leg(media::Event { leg, kind: media::EventKind::Connected }))
    );
    assert_eq!(
        page.ask(json!({ "type": "presence", "presence": "available" })).await["presence"],
        "available"
    );

    drop(page);
    let (mut back, hello) = open.greeted(&operator).await;
    assert_eq!(hello["operator"]["presence"], "available", "back in time");
    assert_eq!(back.ask(json!({ "type": "ping" })).await["type"], "done");
    assert_eq!(open.app.live.legs_of(open.key()), [leg]);
    assert!(media.stats(leg).await.is_ok());

    drop(back);
    let gone = async {
        while !matches!(media.stats(leg).await, Err(MediaError::NoLeg)) {
            tokio::task::yield_now().await
        }
    };
    timeout(DEADLINE, gone).await.unwrap();
    let (_late, hello) = open.greeted(&operator).await;
    assert_eq!(hello["operator"]["presence"], "offline");
}

/// An offer as a browser makes one.
fn offer() -> String {
    use str0m::media::{Direction, MediaKind};
    let now = crate::clock::Clock::system().now();
    let mut rtc =
        str0m::RtcConfig::new().set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags())).build(now);
    let mut api = rtc.sdp_api();
    api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
    api.apply().unwrap().0.to_sdp_string()
}

#[tokio::test]
async fn a_page_that_does_not_read_is_dropped() {
    let open = Open::new().await;
    let operator = open.house.operator().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let tcp = socket.connect(open.address).await.unwrap();
    let mut page = open.dial(&operator, &format!("https://{HOST}"), tcp).await.unwrap();
    page.tell(json!({ "type": "resume", "instance": null, "seq": 0 })).await;
    page.hear("hello").await;
    // More than queue and socket buffers hold; the station takes one after the other.
    let caller = "9".repeat(60_000);
    for _ in 0..400 {
        while !open.app.live.send(open.key(), open.offer(CallId(Uuid::now_v7()), &caller)) {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
    }
    assert!(matches!(page.ended().await, 0 | 1013), "cut off");
    // Nobody else was harmed, and the page may come back.
    let (mut back, _) = open.greeted(&operator).await;
    assert_eq!(back.ask(json!({ "type": "ping" })).await["type"], "done");
}

#[tokio::test]
async fn nonsense_ends_the_page() {
    let open = Open::new().await;
    let operator = open.house.operator().await;
    let first_frames = [
        "",
        "{}",
        "[]",
        r#"{"type":"ping","id":1}"#,
        r#"{"type":"resume","instance":null,"seq":-1}"#,
        r#"{"type":"resume","instance":null,"seq":0,"more":1}"#,
    ];
    for frame in first_frames {
        let mut page = open.page(&operator).await;
        page.socket.send(Message::text(frame)).await.unwrap();
        assert_eq!(page.ended().await, 1008, "{frame}");
    }
    for frame in ["nonsense", "{\"type\":\"ping\"}", r#"{"type":"resume","instance":null,"seq":0}"#] {
        let (mut page, _) = open.greeted(&operator).await;
        page.socket.send(Message::text(frame)).await.unwrap();
        assert_eq!(page.ended().await, 1008, "{frame}");
    }
    let (mut page, _) = open.greeted(&operator).await;
    page.socket.send(Message::binary(vec![0; 10])).await.unwrap();
    assert_eq!(page.ended().await, 1008);
    let (mut page, _) = open.greeted(&operator).await;
    page.socket.send(Message::text("x".repeat(70_000))).await.unwrap();
    assert_ne!(page.ended().await, 1000);
    let (mut page, _) = open.greeted(&operator).await;
    for id in 0..500 {
        // The other end may have closed already.
        if page.socket.send(Message::text(json!({ "type": "ping", "id": id }).to_string())).await.is_err() {
            break;
        }
    }
    assert!(matches!(page.ended().await, 0 | 1008), "a flood is ended");
}
