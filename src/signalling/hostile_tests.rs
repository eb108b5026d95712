//! TCP peers that mean no good, against the real task on loopback: nobody else notices.

use super::loopback_tests::{House, Phone, SDP, audio, house, request_from, to_tag, trunk};
use super::*;
use crate::sip::rfc4475_table as table;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

async fn open() -> House {
    house("127.0.0.1:0", "127.0.0.0/8", 100, 1000).await
}

fn options(call: &str, cseq: u32) -> String {
    request_from("127.0.0.1:5999".parse().unwrap(), "TCP", call, "OPTIONS", cseq, None, "")
}

/// Reads until `count` replies have come, or the end. What was read.
async fn replies(stream: &mut TcpStream, count: usize) -> String {
    let mut read = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if text.matches("\r\n\r\n").count() >= count {
            return text;
        }
        match timeout(SOON, stream.read(&mut buffer)).await.expect("a reply or an end in time") {
            Ok(0) | Err(_) => return text,
            Ok(n) => read.extend_from_slice(&buffer[..n]),
        }
    }
}

async fn everybody_else_is_served(house: &House) {
    let phone = Phone::at("127.0.0.2:0", house.udp, "udp").await;
    phone.send(&phone.request("OPTIONS", 1, None, "")).await;
    assert!(phone.reply().await.starts_with("SIP/2.0 200"));
    let mut stream = TcpStream::connect(house.tcp).await.unwrap();
    stream.write_all(options("other", 1).as_bytes()).await.unwrap();
    assert!(replies(&mut stream, 1).await.starts_with("SIP/2.0 200"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_requests_with_unread_replies_harm_their_sender_only() {
    let house = open().await;
    let mut slow = TcpStream::connect(house.tcp).await.unwrap();
    let flood: String = (0..3000).map(|n| options("slow", n)).collect();
    // As much as fits; the house stops reading before its memory is full.
    let _ = timeout(Duration::from_millis(500), slow.write_all(flood.as_bytes())).await;
    everybody_else_is_served(&house).await;
    drop(slow);
    everybody_else_is_served(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_requests_of_a_peer_that_reads_are_all_answered() {
    let house = open().await;
    let (mut reader, mut writer) = TcpStream::connect(house.tcp).await.unwrap().into_split();
    let flood: String = (0..3000).map(|n| options("fast", n)).collect();
    let sender = crate::task::spawn("test sender", async move {
        writer.write_all(flood.as_bytes()).await.map(|()| writer)
    });
    let (mut got, mut buffer) = (Vec::new(), vec![0; 65_536]);
    while String::from_utf8_lossy(&got).matches("SIP/2.0 200").count() < 3000 {
        let n = timeout(SOON, reader.read(&mut buffer)).await.expect("replies in time").unwrap();
        assert_ne!(n, 0, "closed on a peer that reads");
        got.extend_from_slice(&buffer[..n]);
    }
    sender.await.unwrap().unwrap();
}

#[tokio::test]
async fn half_open_and_half_said_connections_are_bounded_and_end() {
    let house = open().await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        // From a source of its own, so that the others keep their share.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
        idle.push(socket.connect(house.tcp).await.unwrap());
    }
    everybody_else_is_served(&house).await;
    let last = replies(idle.last_mut().unwrap(), 1).await;
    assert_eq!(last, "", "beyond the share of one source: closed");
    let mut partial = TcpStream::connect(house.tcp).await.unwrap();
    partial.write_all(b"INVITE sip:a@b SIP/2.0\r\nVia: ").await.unwrap();
    assert_eq!(replies(&mut partial, 1).await, "", "closed when its time is over");
}

#[tokio::test]
async fn an_unknown_source_is_closed_unheard_and_a_removed_trunk_too() {
    let house = open().await;
    let mut known = TcpStream::connect(house.tcp).await.unwrap();
    known.write_all(format!("\r\n\r\n{}", options("known", 1)).as_bytes()).await.unwrap();
    let heard = replies(&mut known, 1).await;
    assert!(heard.starts_with("\r\nSIP/2.0 200"), "the ping and the request: {heard}");
    house.trunks.send(trunk("192.0.2.0/24")).unwrap();
    assert_eq!(replies(&mut known, 1).await, "");
    let mut unknown = TcpStream::connect(house.tcp).await.unwrap();
    let _ = unknown.write_all(options("unknown", 1).as_bytes()).await;
    assert_eq!(replies(&mut unknown, 1).await, "");
}

#[tokio::test]
async fn a_call_over_tcp_is_answered_and_ended_on_its_connection() {
    let mut house = open().await;
    let mut stream = TcpStream::connect(house.tcp).await.unwrap();
    let me = stream.local_addr().unwrap();
    let request =
        |method, cseq, tag: Option<&str>, body| request_from(me, "TCP", "t", method, cseq, tag, body);
    stream.write_all(request("INVITE", 1, None, SDP).as_bytes()).await.unwrap();
    let Event::Invited(invited) = house.event().await else { panic!("no call") };
    assert!(replies(&mut stream, 1).await.starts_with("SIP/2.0 100"));
    house.signalling.accept(invited.leg, audio(20_000)).unwrap();
    let ok = replies(&mut stream, 1).await;
    assert!(ok.contains(";transport=tcp>"), "{ok}");
    let tag = to_tag(&ok).to_owned();
    stream.write_all(request("ACK", 1, Some(&tag), "").as_bytes()).await.unwrap();
    assert!(matches!(house.event().await, Event::Confirmed(..)));
    house.signalling.hang_up(invited.leg).unwrap();
    let bye = replies(&mut stream, 1).await;
    assert!(bye.starts_with("BYE "), "{bye}");
}

/// Sends a message, and an OPTIONS behind it if the connection is to survive it: the first
/// status that is not the OPTIONS' own, and whether the connection was closed.
async fn torture(to: SocketAddr, file: &'static str, closes: bool) -> (u16, bool) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rfc4475");
    let mut stream = TcpStream::connect(to).await.unwrap();
    let _ = stream.write_all(&std::fs::read(root.join(file)).unwrap()).await;
    if !closes {
        let _ = stream.write_all(options("alive", 1).as_bytes()).await;
    }
    let mut heard = String::new();
    loop {
        let more = replies(&mut stream, 1).await;
        heard.push_str(&more);
        if more.is_empty() || heard.contains("Call-ID: alive") {
            break;
        }
    }
    let closed = !heard.contains("Call-ID: alive");
    let first = heard.split("\r\n\r\n").find(|m| m.starts_with("SIP/2.0 ") && !m.contains("Call-ID: alive"));
    (first.map_or(0, |m| m[8..11].parse().unwrap()), closed)
}

#[tokio::test]
async fn every_rfc_4475_message_over_tcp_is_answered_as_the_manifest_says() {
    let house = open().await;
    let mut wrong = Vec::new();
    for case in table::CASES {
        let (status, closed) = torture(house.tcp, case.file, case.closes).await;
        if !case.tcp.contains(&status) || closed != case.closes {
            wrong.push((case.file, status, closed));
        }
        everybody_else_is_served(&house).await;
    }
    assert_eq!(wrong, []);
}
