//! How the API says no: a status, a stable code and one plain sentence.

use crate::access::AccessError;
use crate::crm::CrmError;
use crate::recordings::RecordingError;
use crate::store::StoreError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// The body of every refusal.
#[derive(Serialize, ToSchema)]
pub struct ErrorBody {
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub struct ErrorDetail {
    /// Stable word.
    code: String,
    /// One plain English sentence.
    message: String,
    /// The field at fault, with code `field`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

/// The body of 409: the refusal, and the row as it is now.
#[derive(Serialize, ToSchema)]
pub struct Conflict<T> {
    error: ErrorDetail,
    /// `null` when it can't be shown.
    #[schema(required)]
    current: Option<T>,
}

/// Why a request is refused.
#[derive(Debug)]
pub enum Refusal {
    /// Unknown tenant or login, wrong password, disabled: one answer for all.
    Denied,
    /// No session, or it ended.
    NoSession,
    /// Too much at once.
    Busy,
    /// Not from our own page.
    CrossSite,
    /// The role is not enough.
    Forbidden,
    /// No such thing within the scope.
    NotFound,
    /// The resource has no such method.
    MethodNotAllowed,
    /// The row has a newer version: that one, as JSON.
    Conflict(Option<serde_json::Value>),
    /// A value is not allowed.
    Field(String, String),
    /// The body or query is not what the endpoint takes; says what is wrong.
    BadRequest(String),
    /// The body is not `application/json`.
    MediaType,
    /// The body is too large.
    TooLarge,
    /// The body did not come in time.
    Timeout,
    /// Still being recorded or sealed.
    NotReady,
    /// The file does not open.
    Damaged,
    /// A service is stopping or overloaded.
    Unavailable,
    /// A failure that only the log explains.
    Internal,
}

impl Refusal {
    fn parts(&self) -> (StatusCode, &'static str, &str) {
        match self {
            Self::Denied => (StatusCode::UNAUTHORIZED, "denied", "The tenant, login or password is wrong."),
            Self::NoSession => (StatusCode::UNAUTHORIZED, "no_session", "You are not logged in."),
            Self::Busy => {
                (StatusCode::TOO_MANY_REQUESTS, "busy", "Too many requests at once; try again shortly.")
            }
            Self::CrossSite => {
                (StatusCode::FORBIDDEN, "cross_site", "The request does not come from BlueBean's own page.")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this."),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "There is no such thing here."),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This can't be done with that method.")
            }
            Self::Conflict(_) => {
                (StatusCode::CONFLICT, "conflict", "Someone saved a newer version meanwhile.")
            }
            Self::Field(_, message) => (StatusCode::UNPROCESSABLE_ENTITY, "field", message),
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, "bad_request", message),
            Self::MediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", "The body must be application/json.")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large."),
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout", "The body did not arrive in time."),
            Self::NotReady => (StatusCode::CONFLICT, "not_ready", "The recording is not sealed yet."),
            Self::Damaged => (StatusCode::INTERNAL_SERVER_ERROR, "damaged", "The recording can't be opened."),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service is busy; try again shortly.")
            }
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something failed; the log says what.")
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message) = self.parts();
        let field = if let Self::Field(field, _) = &self { Some(field.clone()) } else { None };
        let error = ErrorDetail { code: code.to_owned(), message: message.to_owned(), field };
        let mut response = match self {
            Self::Conflict(current) => (status, Json(Conflict { error, current })).into_response(),
            _ => (status, Json(ErrorBody { error })).into_response(),
        };
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// Logs what the browser is not told, and refuses.
fn internal(error: &dyn std::error::Error) -> Refusal {
    tracing::error!(%error, "a web request failed");
    Refusal::Internal
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Conflict(_) => Self::Conflict(None),
            StoreError::Busy => Self::Unavailable,
            error => internal(&error),
        }
    }
}

impl From<AccessError> for Refusal {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied => Self::Denied,
            AccessError::NoSession => Self::NoSession,
            AccessError::Busy => Self::Busy,
            AccessError::Store(StoreError::Busy) => Self::Unavailable,
            error => internal(&error),
        }
    }
}

impl From<CrmError> for Refusal {
    fn from(error: CrmError) -> Self {
        match error {
            CrmError::Field(field, message) => Self::Field(field.to_owned(), message),
            CrmError::Store(error) => error.into(),
            error => internal(&error),
        }
    }
}

impl From<RecordingError> for Refusal {
    fn from(error: RecordingError) -> Self {
        match error {
            RecordingError::NotFound => Self::NotFound,
            RecordingError::NotReady => Self::NotReady,
            RecordingError::Store(error) => error.into(),
            RecordingError::Damaged(why) => {
                tracing::error!(%why, "a recording can't be opened");
                Self::Damaged
            }
            error => internal(&error),
        }
    }
}
