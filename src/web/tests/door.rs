//! The door on the wire: TLS, stalled handshakes, plain HTTP, malformed requests, the end.

use super::House;
use super::house::{DEADLINE, web_config};
use crate::task::Phase;
use crate::web::{Server, serve, tls};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate for `cc.example`, and a client that trusts it alone.
fn certificate() -> (tls::Certificate, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(["cc.example".to_owned()]).unwrap();
    let pem = made.cert.pem();
    let certificate =
        tls::Certificate::from_pem(pem.as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(made.cert.der().to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (certificate, TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

async fn server(house: &House, certificate: tls::Certificate) -> Server {
    let everyone = Arc::new(|_| true);
    serve(
        web_config(),
        certificate,
        everyone,
        house.services.clone(),
        house.clock.clone(),
        house.stop.clone(),
    )
    .await
    .unwrap()
}

async fn greet(connector: &TlsConnector, server: &Server) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(server.https[0]).await?;
    connector.connect(ServerName::try_from("cc.example").unwrap(), tcp).await
}

/// Sends raw bytes and reads to the end.
async fn say(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, bytes: &str) -> String {
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A peer that closes without a farewell has answered all the same.
    let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn stalled_handshakes_shut_nobody_out() {
    let house = House::open().await;
    let (certificate, connector) = certificate();
    let server = server(&house, certificate).await;
    let mut stalled = Vec::new();
    for _ in 0..200 {
        stalled.push(TcpStream::connect(server.https[0]).await.unwrap());
    }
    // From another address, and from behind the very same one.
    for source in ["127.0.0.2:0", "127.0.0.1:0"] {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(source.parse().unwrap()).unwrap();
        let tcp = timeout(DEADLINE, socket.connect(server.https[0])).await.unwrap().unwrap();
        let name = ServerName::try_from("cc.example").unwrap();
        let started = house.clock.now();
        let stream = timeout(DEADLINE, connector.connect(name, tcp)).await.unwrap().unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), None, "none was asked for");
        let answer = say(stream, "GET / HTTP/1.1\r\nhost: cc.example\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let took = house.clock.now() - started;
        assert!(took.as_secs() < 9, "waited for the stalled ones to time out: {took:?}");
    }
    drop(stalled);
}

#[tokio::test]
async fn a_new_certificate_is_served_at_once() {
    let house = House::open().await;
    let ((first, trusts_first), (second, trusts_second)) = (certificate(), certificate());
    assert_ne!(first.fingerprint(), second.fingerprint());
    let server = server(&house, first).await;
    assert!(greet(&trusts_first, &server).await.is_ok());
    assert!(greet(&trusts_second, &server).await.is_err());
    server.certificate.replace(second);
    assert!(greet(&trusts_first, &server).await.is_err());
    assert!(greet(&trusts_second, &server).await.is_ok());
}

#[tokio::test]
async fn malformed_requests_are_refused_and_split_no_header() {
    let house = House::open().await;
    let (certificate, connector) = certificate();
    let server = server(&house, certificate).await;
    let long = format!("GET / HTTP/1.1\r\nhost: cc.example\r\nx: {}\r\n\r\n", "y".repeat(40_000));
    let many = format!("GET / HTTP/1.1\r\nhost: cc.example\r\n{}\r\n", "a: b\r\n".repeat(100));
    for (request, status) in [
        ("GET / HTTP/1.1\r\nhost: cc.example\r\nx: a\rset-cookie: b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: cc.example\r\nx\0: a\r\n\r\n", "400"),
        ("GET /%0d%0aset-cookie:%20a HTTP/1.1\r\nhost: cc.example\r\nconnection: close\r\n\r\n", "404"),
        (
            "POST /api/v1/session HTTP/1.1\r\nhost: cc.example\r\ncontent-length: 5\r\ntransfer-encoding: x\r\n\r\nhello",
            "400",
        ),
        (
            "POST /api/v1/session HTTP/1.1\r\nhost: cc.example\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
            "400",
        ),
        ("\x16\x03\x01 / HTTP/9.9\r\n\r\n", "400"),
        (&long, "431"),
        (&many, "431"),
    ] {
        let answer = say(greet(&connector, &server).await.unwrap(), request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:.60}: {answer}");
        assert!(!answer.to_ascii_lowercase().contains("set-cookie"), "{answer}");
    }
}

#[tokio::test]
async fn plain_http_only_points_the_way() {
    let house = House::open().await;
    let server = server(&house, certificate().0).await;
    let plain = async || TcpStream::connect(server.redirect[0]).await.unwrap();
    let port = server.https[0].port();
    let answer =
        say(plain().await, "POST /a?b HTTP/1.1\r\nhost: cc.example\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    assert!(answer.contains(&format!("location: https://cc.example:{port}/a?b\r\n")), "{answer}");
    let answer = say(plain().await, "GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    // Plain HTTP at the TLS port gets no page.
    let tls = TcpStream::connect(server.https[0]).await.unwrap();
    let answer = say(tls, "GET / HTTP/1.1\r\nhost: cc.example\r\n\r\n").await;
    assert!(!answer.contains("200"), "{answer}");
}

#[tokio::test]
async fn the_allowlist_acts_before_tls() {
    let house = House::open().await;
    let (certificate, connector) = certificate();
    let nobody = Arc::new(|_| false);
    let server = serve(
        web_config(),
        certificate,
        nobody,
        house.services.clone(),
        house.clock.clone(),
        house.stop.clone(),
    )
    .await
    .unwrap();
    assert!(greet(&connector, &server).await.is_err());
}

#[tokio::test]
async fn draining_closes_the_door_and_stopping_ends_all() {
    let house = House::open().await;
    let (certificate, connector) = certificate();
    let server = server(&house, certificate).await;
    let address = server.https[0];
    let mut open = greet(&connector, &server).await.unwrap();
    house.stopper.advance(Phase::Draining);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    open.write_all(b"GET / HTTP/1.1\r\nhost: cc.example\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    timeout(DEADLINE, open.read_exact(&mut first)).await.unwrap().unwrap();
    assert_eq!(&first, b"HTTP/1.1 200", "an open connection goes on");
    house.stopper.advance(Phase::Stopped);
    timeout(DEADLINE, server.finished()).await.unwrap();
}
