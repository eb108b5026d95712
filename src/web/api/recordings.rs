//! `/api/v1/recordings`: description and streamed playback. A recording is never handed out as
//! a file: no name, no validators, nothing a browser would keep.

use super::range::{Slice, slice};
use crate::audit::Outcome;
use crate::domain::record::RecordingState;
use crate::domain::{CallId, CampaignId, RecordingId, UnixMillis};
use crate::recordings::RecordingError;
use crate::web::directory;
use crate::web::id::Id;
use crate::web::playing::Permit;
use crate::web::refusal::{ErrorBody, Refusal};
use crate::web::router::{App, Peer};
use crate::web::session::LoggedIn;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc;
use utoipa::ToSchema;

/// 録音
#[derive(Serialize, ToSchema)]
pub struct Recording {
    id: RecordingId,
    call: CallId,
    #[schema(required)]
    campaign: Option<CampaignId>,
    state: RecordingState,
    #[schema(value_type = i64)]
    started_at: UnixMillis,
    /// 0 while it is being written.
    duration_ms: i64,
    /// Who is heard on the right, or empty.
    operator_name: String,
    peaks: RecordingPeaks,
}

/// The waveform: loudest sample of equal parts, 0–255; empty while it is being written.
#[derive(Serialize, ToSchema)]
pub struct RecordingPeaks {
    /// The customer.
    left: Vec<u8>,
    /// The operator.
    right: Vec<u8>,
}

/// Shows a recording and its waveform.
#[utoipa::path(get, path = "/api/v1/recordings/{id}", operation_id = "recording", params(("id" = RecordingId, Path)), responses(
    (status = 200, body = Recording),
    (status = 401, body = ErrorBody),
    (status = 404, description = "`not_found`: none within the scope", body = ErrorBody),
))]
pub async fn show(
    State(app): State<App>,
    LoggedIn(session): LoggedIn,
    Id(id): Id,
) -> Result<axum::Json<Recording>, Refusal> {
    let id = RecordingId(id);
    let it = app.services.recordings.show(&session.scope, id).await?;
    let peaks = match app.services.recordings.peaks(&session.scope, id).await {
        Ok(peaks) => RecordingPeaks { left: peaks.left, right: peaks.right },
        // The description is worth showing without its waveform.
        Err(RecordingError::NotReady | RecordingError::Damaged(_)) => {
            RecordingPeaks { left: Vec::new(), right: Vec::new() }
        }
        Err(error) => return Err(error.into()),
    };
    let operator_name = match it.operator {
        Some(operator) => directory::name(&app.services.store, session.tenant.id, operator).await?,
        None => String::new(),
    };
    Ok(axum::Json(Recording {
        id: it.id,
        call: it.call,
        campaign: it.campaign,
        state: it.state,
        started_at: it.started_at,
        duration_ms: it.duration_ms,
        operator_name,
        peaks,
    }))
}

/// Streams a recording as WAV, decrypted on the way; a single `Range` is honoured.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/audio", operation_id = "recordingAudio", params(("id" = RecordingId, Path)), responses(
    (status = 200, description = "the whole WAV", content_type = "audio/wav"),
    (status = 206, description = "the asked range of it", content_type = "audio/wav"),
    (status = 401, body = ErrorBody),
    (status = 404, description = "`not_found`: none within the scope", body = ErrorBody),
    (status = 409, description = "`not_ready`: still being recorded or sealed", body = ErrorBody),
    (status = 416, description = "the range begins behind the end"),
    (status = 429, description = "`busy`: too many playbacks at once", body = ErrorBody),
))]
pub async fn audio(
    State(app): State<App>,
    LoggedIn(session): LoggedIn,
    Extension(peer): Extension<Peer>,
    Id(id): Id,
    method: Method,
    headers: HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let id = RecordingId(id);
    let permit = app.playing.admit(session.account.id).ok_or(Refusal::Busy)?;
    let playback = app.services.recordings.open(&session.scope, id).await?;
    let length = playback.len();
    let (status, start, end) = match slice(range(&headers), length) {
        Slice::Whole => (StatusCode::OK, 0, length),
        Slice::Part(start, end) => (StatusCode::PARTIAL_CONTENT, start, end),
        Slice::Unsatisfiable => return Ok(unsatisfiable(length)),
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        if app.playing.begins(session.id, id, start, app.clock.unix_millis()) {
            app.audit(&session, peer, "recording.play", id.to_string(), Outcome::Done).await?;
        }
        streamed(playback.stream(start, end), permit)
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(end - start));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{length}", end.saturating_sub(1));
        headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).map_err(|_| Refusal::Internal)?);
    }
    Ok(response)
}

/// `If-Range` needs a validator and we give none, so it never matches (RFC 9110 §13.1.5).
fn range(headers: &HeaderMap) -> Option<&str> {
    if headers.contains_key(header::IF_RANGE) {
        return None;
    }
    headers.get(header::RANGE)?.to_str().ok()
}

fn unsatisfiable(length: u64) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    let headers = response.headers_mut();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{length}")) {
        headers.insert(header::CONTENT_RANGE, value);
    }
    response
}

/// The chunks as a body. A failure midway breaks the connection off, so that a damaged
/// recording never looks like a short one.
fn streamed(chunks: mpsc::Receiver<Result<Bytes, RecordingError>>, permit: Permit) -> Body {
    Body::from_stream(stream::unfold((chunks, permit), |(mut chunks, permit)| async move {
        let chunk = chunks.recv().await?;
        if let Err(error) = &chunk {
            tracing::error!(%error, "a recording broke off while it played");
        }
        Some((chunk, (chunks, permit)))
    }))
}
