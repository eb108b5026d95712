//! Attacks from outside on a running appliance.

use crate::bed::{Bed, PASSWORD};
use crate::client::Client;
use serde_json::Value;

#[test]
fn a_wrong_password_an_unknown_login_and_an_unknown_tenant_get_one_answer() {
    let bed = Bed::start();
    bed.provision();
    bed.operator("nakamura", None);
    let Some(client) = Client::new(&bed, "client") else { return };
    let wrong = client.log_in("demo", "nakamura", "Wrong-Horse7");
    assert_eq!(wrong.0, 401);
    assert_eq!(client.log_in("demo", "nobody", PASSWORD), wrong);
    assert_eq!(client.log_in("elsewhere", "nakamura", PASSWORD), wrong);
    assert_eq!(client.ask("GET", "/api/v1/session", None, &[]).0, 401);
    assert_eq!(client.log_in("demo", "nakamura", PASSWORD).0, 200);
    assert_eq!(client.ask("GET", "/api/v1/session", None, &[]).0, 200);
    assert!(!bed.log().contains(PASSWORD) && !bed.log().contains("Wrong-Horse7"));
}

#[test]
fn another_tenants_customer_is_not_found() {
    let bed = Bed::start();
    bed.provision();
    bed.operator("nakamura", None);
    bed.done(&["tenant", "create", "rival", "--name", "競合商会"]);
    let rival = |args: &[&str], input: &str| {
        let mut all = vec!["--tenant", "rival", "-o", "json"];
        all.extend_from_slice(args);
        serde_json::from_str::<Value>(&bed.done_with(&all, input)).unwrap_or_default()
    };
    rival(&["campaign", "create", "shop"], "");
    let file = bed.path("rival.csv");
    std::fs::write(&file, "氏名,電話番号\n他社 太郎,03-5555-0142\n").unwrap();
    rival(&["customer", "import", file.to_str().unwrap(), "--campaign", "shop"], "");
    let id = rival(&["customer", "search", "他社"], "")["customers"][0]["id"].as_str().unwrap().to_owned();
    let own = bed.json(&["customer", "search", "高橋"])["customers"][0]["id"].as_str().unwrap().to_owned();
    let Some(client) = Client::new(&bed, "client") else { return };
    client.log_in("demo", "nakamura", PASSWORD);
    assert_eq!(client.ask("GET", &format!("/api/v1/customers/{own}"), None, &[]).0, 200);
    for path in [
        format!("/api/v1/customers/{id}"),
        format!("/api/v1/customers/{id}/history"),
        format!("/api/v1/recordings/{id}/audio"),
    ] {
        let (status, body) = client.ask("GET", &path, None, &[]);
        assert_eq!(status, 404, "{path}: {body}");
        assert!(!body.contains("他社"));
    }
    let (status, body) = client.ask("GET", "/api/v1/customers?q=%E5%A4%AA%E9%83%8E&limit=20", None, &[]);
    assert!(status == 200 && !body.contains("他社"), "{body}");
}

#[test]
fn no_path_leads_out_of_the_recordings_folder() {
    let bed = Bed::start();
    bed.provision();
    bed.operator("nakamura", None);
    let Some(client) = Client::new(&bed, "client") else { return };
    client.log_in("demo", "nakamura", PASSWORD);
    for id in [
        "../../bbd.toml",
        "..%2f..%2fbbd.toml",
        "%2e%2e/%2e%2e/master.key",
        "....//....//master.key",
        "%00",
        "a%0d%0aX-Evil:1",
    ] {
        for end in ["/audio", ""] {
            let (status, body) = client.ask("GET", &format!("/api/v1/recordings/{id}{end}"), None, &[]);
            assert!(
                status == 404 || status == 400 || body.contains("<!doctype html>"),
                "{id}: {status} {body}"
            );
            assert!(!body.contains("[web]") && !body.contains("listen"), "{id}: {body}");
        }
    }
    let out = bed.bbctl(&[
        "recording",
        "export",
        "../../../etc/passwd",
        "--to",
        bed.path("x.wav").to_str().unwrap(),
    ]);
    assert!(matches!(out.status.code(), Some(2 | 3)), "{out:?}");
    assert!(!bed.path("x.wav").exists());
}

#[test]
fn a_request_from_another_site_changes_nothing() {
    let bed = Bed::start();
    bed.provision();
    bed.operator("nakamura", None);
    let Some(client) = Client::new(&bed, "client") else { return };
    client.log_in("demo", "nakamura", PASSWORD);
    let evil = ["-H", "Origin: https://evil.example"];
    assert_eq!(client.ask("DELETE", "/api/v1/session", None, &evil).0, 403);
    assert_eq!(client.ask("GET", "/api/v1/session", None, &[]).0, 200, "still logged in");
    let upgrade = [
        "-H",
        "Origin: https://evil.example",
        "-H",
        "Connection: Upgrade",
        "-H",
        "Upgrade: websocket",
        "-H",
        "Sec-WebSocket-Version: 13",
        "-H",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "--max-time",
        "3",
    ];
    assert_eq!(client.ask("GET", "/api/v1/live", None, &upgrade).0, 403);
}

#[test]
fn one_hostile_tcp_peer_harms_nobody_else() {
    use std::io::Write;
    use std::net::{TcpStream, UdpSocket};
    use std::time::Duration;
    let bed = Bed::start();
    bed.provision();
    let to = bed.address("sip_tcp");
    let options = |n: usize, transport: &str, port: u16| {
        format!(
            "OPTIONS sip:ping@bluebean SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:{port};branch=z9hG4bK{n};rport\r\nMax-Forwards: 70\r\nFrom: <sip:t@127.0.0.1>;tag=t{n}\r\nTo: <sip:ping@bluebean>\r\nCall-ID: {n}@hostile\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
    };
    // 3,000 pipelined requests whose answers nobody reads, and a crowd of half-open connections.
    let mut pipelined = TcpStream::connect(to).unwrap();
    pipelined.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    for n in 0..3000 {
        if pipelined.write_all(options(n, "TCP", 5060).as_bytes()).is_err() {
            break;
        }
    }
    let half_open: Vec<_> = (0..100)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(to).ok()?;
            stream.write_all(b"INVITE sip:x@y SIP/2.0\r\nVia: ").ok()?;
            Some(stream)
        })
        .collect();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let port = socket.local_addr().unwrap().port();
    for n in 10_000..10_050 {
        socket.send_to(options(n, "UDP", port).as_bytes(), bed.address("sip_udp")).unwrap();
        let mut answer = [0; 2048];
        let (length, _) = socket.recv_from(&mut answer).expect("an answer over UDP beside the hostile peer");
        assert!(answer[..length].starts_with(b"SIP/2.0 "), "an answer");
    }
    drop(half_open);
}
