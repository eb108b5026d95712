//! From an HTTP request to its verb and back.

use super::act::{Act, Reply};
use super::*;
use crate::wire::failure::Refusal;
use crate::wire::{Code, Failure, TIME_ZONE_HEADER};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, header};
use std::time::Duration;

/// Bytes of a request without a file.
const PLAIN: usize = 1024 * 1024;
/// Bytes of a request with a file.
const WITH_FILE: usize = 64 * 1024 * 1024 + PLAIN;
/// How long a request's body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(120);

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) uid: u32,
    pub(super) pid: Option<i32>,
}

impl Peer {
    /// As the audit names it.
    pub(super) fn actor(self) -> String {
        format!("uid:{}/pid:{}", self.uid, self.pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string()))
    }
}

/// A reply's body: JSON, or a recording as it is decrypted.
pub(super) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

pub(super) async fn answer(desk: &Arc<Desk>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
    match verb(desk, peer, request).await {
        Ok((Reply::Json(json), time_zone)) => {
            let mut response = response(StatusCode::OK, "application/json", full(json));
            if let Some(value) = time_zone.and_then(|zone| header::HeaderValue::from_str(&zone).ok()) {
                response.headers_mut().insert(TIME_ZONE_HEADER, value);
            }
            response
        }
        Ok((Reply::Audio(body), _)) => response(StatusCode::OK, "audio/wav", body),
        Err(error) => {
            let status =
                StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            if error.code == Code::Failed {
                tracing::warn!(actor = peer.actor(), error = error.message, "a control request failed");
            }
            let json = serde_json::to_vec(&Refusal { error }).unwrap_or_default();
            response(status, "application/json", full(json))
        }
    }
}

fn full(bytes: Vec<u8>) -> Body {
    Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed_unsync()
}

fn response(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}

async fn verb(
    desk: &Arc<Desk>,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<(Reply, Option<String>), Failure> {
    let path = request.uri().path().to_owned();
    if request.method() != Method::POST {
        return Err(Failure::usage("every request is POST /v1/NOUN/VERB with a JSON body"));
    }
    let takes_file = matches!(path.as_str(), "/v1/customer/import" | "/v1/prompt/add");
    let limit = if takes_file { WITH_FILE } else { PLAIN };
    let body = tokio::time::timeout(ARRIVAL, Limited::new(request.into_body(), limit).collect())
        .await
        .map_err(|_| Failure::new(Code::TimedOut, "the request's body did not arrive in time"))?
        .map_err(|_| Failure::usage(format!("the request is incomplete or larger than {} MiB", limit >> 20)))?
        .to_bytes();
    let mut act = Act::new(desk, peer, body, takes_file)?;
    let reply = reply(&mut act, &path).await?;
    Ok((reply, act.time_zone))
}

async fn reply(act: &mut Act, path: &str) -> Result<Reply, Failure> {
    let noun = path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let done = match noun {
        "status" => status::answer(act, path).await,
        "tenant" => tenant::answer(act, path).await,
        "account" => account::answer(act, path).await,
        "campaign" => campaign::answer(act, path).await,
        "customer" => customer::answer(act, path).await,
        "queue" => queue::answer(act, path).await,
        "number" => number::answer(act, path).await,
        "trunk" => trunk::answer(act, path).await,
        "flow" => flow::answer(act, path).await,
        "prompt" => prompt::answer(act, path).await,
        "call" => call::answer(act, path).await,
        "recording" => recording::answer(act, path).await,
        "session" => session::answer(act, path).await,
        _ => None,
    };
    done.unwrap_or_else(|| Err(Failure::usage("there is no such verb; use the bbctl of this bbd's version")))
}
