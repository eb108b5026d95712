//! The accept loop, and what becomes of an accepted connection: allowlist, handshake, HTTP.

use super::gate::{Gate, Place};
use super::router::Peer;
use super::server::Admit;
use crate::net::canonical;
use crate::task::{self, Phase, Stop};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tower::Service;

/// A TLS handshake may take so long.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// A request's head may take so long, the wait for it on a kept-alive connection included.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// A request's head may be so long, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;
/// A request may have so many headers.
const MOST_HEADERS: usize = 64;
/// What is still open so long after the end is cut off.
const CLOSING_TIME: Duration = Duration::from_secs(2);
/// Waits after a failed accept: from, and doubling up to.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What every listener needs. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    /// Whom to let near.
    pub admit: Admit,
    /// How many.
    pub gate: Gate,
    /// `None` speaks plain HTTP.
    pub tls: Option<TlsAcceptor>,
    /// What answers.
    pub router: Router,
    /// When to end.
    pub stop: Stop,
}

impl Door {
    /// Accepts until draining begins. Dropping the listener closes it.
    pub async fn accept(self, listener: TcpListener) {
        let mut stop = self.stop.clone();
        let mut wait = BACK_OFF.0;
        loop {
            let accepted = tokio::select! {
                () = stop.reached(Phase::Draining) => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((tcp, peer)) => {
                    wait = BACK_OFF.0;
                    let peer = canonical(peer);
                    if (self.admit)(peer.ip()) {
                        let place = self.gate.enter(peer.ip());
                        task::spawn("web connection", self.clone().welcome(tcp, peer, place));
                    }
                }
                Err(error) if is_the_peers(&error) => {}
                Err(error) => {
                    // Out of descriptors or memory: the connection stays in the backlog, and
                    // asking again at once would only spin.
                    tracing::warn!(%error, wait_ms = wait.as_millis(), "can't accept web connections");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(BACK_OFF.1);
                }
            }
        }
    }

    /// Serves one connection to its end.
    async fn welcome(self, tcp: TcpStream, peer: SocketAddr, mut place: Place) {
        // A frame or an answer must not wait for its acknowledgement; a socket that refuses is gone.
        let _ = tcp.set_nodelay(true);
        let Some(tls) = self.tls.clone() else {
            if let Some(_seat) = place.settle() {
                self.converse(tcp, peer).await;
            }
            return;
        };
        let handshake = tokio::select! {
            () = place.turned_away() => return,
            done = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(tcp)) => done,
        };
        match handshake {
            Ok(Ok(stream)) => {
                if let Some(_seat) = place.settle() {
                    self.converse(stream, peer).await;
                }
            }
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn converse(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: SocketAddr) {
        let Self { router, mut stop, .. } = self;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            let answer = router.clone().call(request.map(Body::new));
            async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(LONGEST_HEAD)
            .max_headers(MOST_HEADERS)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.reached(Phase::Stopped) => {
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(CLOSING_TIME, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a web connection broke off");
        }
    }
}

/// Failures of the connection that was about to be accepted, not of the listener (accept(2)).
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
    )
}
