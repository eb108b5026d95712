//! Request bodies: JSON alone, bounded in size and in time.

use super::refusal::Refusal;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long a body may take to arrive.
const READ_TIME: Duration = Duration::from_secs(15);

/// The most of a parser's message that is sent back.
const LONGEST_MESSAGE: usize = 200;

/// A JSON body. Its size is bounded by the route's `DefaultBodyLimit`.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Refusal::MediaType);
        }
        let bytes = tokio::time::timeout(READ_TIME, Bytes::from_request(request, state))
            .await
            .map_err(|_| Refusal::Timeout)?
            .map_err(|rejection| match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
                _ => Refusal::BadRequest("The body can't be read.".into()),
            })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let why: String = error.to_string().chars().take(LONGEST_MESSAGE).collect();
            Refusal::BadRequest(format!("The body is not what this takes: {why}."))
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}
