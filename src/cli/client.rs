//! One request over the daemon's socket.

use crate::wire::failure::Refusal;
use crate::wire::{Ask, Code, Envelope, Failure, TIME_ZONE_HEADER};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;

/// The longest JSON reply taken.
const LONGEST_REPLY: usize = 256 * 1024 * 1024;

/// Where requests go.
pub(super) struct Client {
    pub(super) socket: PathBuf,
    pub(super) tenant: Option<String>,
    pub(super) dry_run: bool,
}

/// A reply with the zone its times are shown in.
pub(super) struct Answer<T> {
    pub(super) reply: T,
    pub(super) time_zone: Option<String>,
}

impl Client {
    /// Asks, and reads the reply.
    pub(super) async fn ask<A: Ask>(
        &self,
        ask: A,
        file: Option<Vec<u8>>,
    ) -> Result<Answer<A::Reply>, Failure> {
        let response = self.send(ask, file).await?;
        let time_zone =
            response.headers().get(TIME_ZONE_HEADER).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let body = collect(response.into_body()).await?;
        let reply = serde_json::from_slice(&body).map_err(|e| misunderstood(&e.to_string()))?;
        Ok(Answer { reply, time_zone })
    }

    /// Asks for a verb whose reply is a file, and returns its stream.
    pub(super) async fn fetch<A: Ask>(&self, ask: A) -> Result<Incoming, Failure> {
        Ok(self.send(ask, None).await?.into_body())
    }

    async fn send<A: Ask>(&self, ask: A, file: Option<Vec<u8>>) -> Result<Response<Incoming>, Failure> {
        let envelope = Envelope { tenant: self.tenant.clone(), dry_run: self.dry_run, ask };
        let mut body = serde_json::to_vec(&envelope).map_err(|e| Failure::failed(e.to_string()))?;
        if let Some(file) = file {
            body.push(b'\n');
            body.extend_from_slice(&file);
        }
        let stream = UnixStream::connect(&self.socket).await.map_err(|e| unreachable(&self.socket, &e))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let driver = crate::task::spawn("connection", connection);
        let request = Request::post(A::PATH)
            .header(hyper::header::HOST, "bbd")
            .header(hyper::header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| Failure::failed(e.to_string()))?;
        let response = sender.send_request(request).await.map_err(broken)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let body = collect(response.into_body()).await?;
        driver.abort();
        Err(serde_json::from_slice::<Refusal>(&body)
            .map_or_else(|e| misunderstood(&e.to_string()), |refusal| refusal.error))
    }
}

async fn collect(body: Incoming) -> Result<Bytes, Failure> {
    let collected = Limited::new(body, LONGEST_REPLY).collect().await;
    collected
        .map(|body| body.to_bytes())
        .map_err(|e| Failure::failed(format!("the daemon's reply broke off: {e}")))
}

fn unreachable(socket: &Path, error: &std::io::Error) -> Failure {
    let advice = match error.kind() {
        std::io::ErrorKind::PermissionDenied => "run bbctl as root or as a member of the group bluebean",
        _ => "start bbd, or name its socket with --socket",
    };
    Failure::new(
        Code::Unreachable,
        format!("bbd does not answer on {} ({error}); {advice}", socket.display()),
    )
}

fn broken(error: hyper::Error) -> Failure {
    Failure::new(
        Code::Unreachable,
        format!("the connection to bbd broke off ({error}); see its log, then try again"),
    )
}

fn misunderstood(why: &str) -> Failure {
    Failure::failed(format!("bbd's reply can't be understood ({why}); use the bbctl of the same version"))
}
