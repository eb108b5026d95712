//! The SIP torture messages of RFC 4475 against the daemon, over UDP and TCP: it answers as the
//! manifest expects (or tolerates, where the RFC's own prose decides) and is alive after each.

use crate::bed::{Bed, fixture};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// One line of the manifest.
struct Torture {
    file: String,
    /// `valid`, `invalid` or `application`.
    label: String,
    kind: String,
    expected: String,
    tolerated: String,
    bytes: Vec<u8>,
}

fn manifest() -> Vec<Torture> {
    let folder = fixture("rfc4475");
    let table = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let rows = table.lines().skip(1).filter(|l| !l.trim().is_empty());
    rows.map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        Torture {
            file: cells[0].into(),
            label: cells[3].into(),
            kind: cells[4].into(),
            expected: cells[5].into(),
            tolerated: cells[6].into(),
            bytes: fs::read(folder.join(cells[0])).unwrap(),
        }
    })
    .collect()
}

const OPTIONS: &str = "OPTIONS sip:ping@bluebean SIP/2.0\r\nVia: SIP/2.0/TRANSPORT 127.0.0.1:PORT;branch=z9hG4bKNONCE;rport\r\n\
Max-Forwards: 70\r\nFrom: <sip:t@127.0.0.1>;tag=NONCE\r\nTo: <sip:ping@bluebean>\r\nCall-ID: NONCE@t\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

fn options(transport: &str, port: u16, nonce: usize) -> String {
    OPTIONS
        .replace("TRANSPORT", transport)
        .replace("PORT", &port.to_string())
        .replace("NONCE", &format!("alive{nonce}"))
}

/// First status code of an answer.
fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

/// The top Via of a torture message names hosts of its own; with rport (RFC 3581) or without, the
/// answers below are read from the socket that sent it.
fn ask_udp(socket: &UdpSocket, to: SocketAddr, bytes: &[u8], wait: Duration) -> Vec<String> {
    socket.send_to(bytes, to).unwrap();
    socket.set_read_timeout(Some(wait)).unwrap();
    let mut answers = Vec::new();
    let mut buffer = [0; 65_535];
    while let Ok((length, _)) = socket.recv_from(&mut buffer) {
        answers.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        socket.set_read_timeout(Some(Duration::from_millis(60))).unwrap();
    }
    answers
}

/// Whether the manifest lets `code` be the answer. A valid message that is no call of ours ends as
/// any other for an unknown user, method or number does; an invalid one may be taken as valid only
/// where the RFC's prose says so (its "tolerated" column).
fn acceptable(t: &Torture, code: u16) -> bool {
    const PROCESSED: [u16; 13] = [100, 180, 200, 404, 405, 406, 415, 416, 420, 481, 483, 488, 501];
    let listed = (t.expected.contains("error response") && (400..500).contains(&code))
        || t.expected.contains(&code.to_string())
        || t.tolerated.contains(&code.to_string());
    let tolerates = ["ignore", "infer", "fall back", "should be accepted"]
        .iter()
        .any(|w| t.tolerated.contains(w) || t.expected.contains(w));
    let processed = t.expected.starts_with("parse OK")
        || t.expected.contains("200")
        || t.expected == "must not break"
        || tolerates;
    // 400 says "I can't read this": never to a message whose reading the RFC demands.
    let unreadable = code == 400 && t.label != "valid" && !t.expected.starts_with("parse OK");
    t.kind == "request" && (listed || (processed && PROCESSED.contains(&code)) || (unreadable && tolerates))
}

/// Whether silence would be wrong: a request, not one that the manifest lets drop, and one whose
/// answer goes to the port that the test listens on (RFC 3261 §18.2.2: the Via's, 5060 by default).
fn must_answer(t: &Torture) -> bool {
    let text = String::from_utf8_lossy(&t.bytes).to_lowercase();
    let via =
        text.lines().find(|l| l.starts_with("via") || l.starts_with("v:")).unwrap_or_default().to_owned();
    let other_port = via.contains(":5070") || via.contains(":5050");
    t.kind == "request" && t.label != "unreferenced" && !other_port && !t.tolerated.contains("silence")
}

#[test]
fn every_torture_message_over_udp() {
    let mut bed = Bed::start();
    bed.provision();
    let to = bed.address("sip_udp");
    // Most of the messages have a Via without port, so that answers come to 5060.
    let socket = UdpSocket::bind("127.0.0.77:5060").unwrap();
    let (mut wrong, mut seen) = (Vec::new(), std::collections::HashSet::new());
    for (n, torture) in manifest().iter().enumerate() {
        let answers = ask_udp(&socket, to, &torture.bytes, Duration::from_millis(400));
        // Answers to earlier messages come again to the letter, since nobody here acknowledges them.
        let new: Vec<_> = answers.into_iter().filter(|a| seen.insert(a.clone())).collect();
        let codes: Vec<_> = new.iter().map(|a| status(a)).collect();
        let right = codes.iter().all(|c| c.is_some_and(|code| acceptable(torture, code)));
        if !right || (codes.is_empty() && must_answer(torture)) {
            wrong.push(format!(
                "{} ({}): {codes:?}, expected {} / {}",
                torture.file, torture.label, torture.expected, torture.tolerated
            ));
        }
        let probe = UdpSocket::bind("127.0.0.1:0").unwrap();
        let alive = ask_udp(
            &probe,
            to,
            options("UDP", probe.local_addr().unwrap().port(), n).as_bytes(),
            Duration::from_secs(3),
        );
        assert_eq!(alive.first().and_then(|a| status(a)), Some(200), "alive after {}", torture.file);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(bed.alive() && !bed.log().contains("panicked"));
}

#[test]
fn every_torture_message_over_tcp() {
    let mut bed = Bed::start();
    bed.provision();
    let to = bed.address("sip_tcp");
    let mut wrong = Vec::new();
    for (n, torture) in manifest().iter().enumerate() {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(150))).unwrap();
        stream.write_all(&torture.bytes).unwrap();
        let mut answer = vec![0; 65_535];
        let length = stream.read(&mut answer).unwrap_or(0);
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        if let Some(code) = status(&answer).filter(|&code| !acceptable(torture, code)) {
            wrong
                .push(format!("{} ({}): {code}, expected {}", torture.file, torture.label, torture.expected));
        }
        let mut probe = TcpStream::connect(to).unwrap();
        probe.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        probe.write_all(options("TCP", probe.local_addr().unwrap().port(), n).as_bytes()).unwrap();
        let mut alive = [0; 2048];
        let length = probe.read(&mut alive).unwrap_or(0);
        assert_eq!(
            status(&String::from_utf8_lossy(&alive[..length])),
            Some(200),
            "alive after {}",
            torture.file
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(bed.alive() && !bed.log().contains("panicked"));
}
