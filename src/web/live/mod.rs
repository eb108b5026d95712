//! The operator's live connection: one WebSocket a session of work, one browser leg a shift.

pub mod protocol;

use super::origin;
use super::refusal::{ErrorBody, Refusal};
use super::router::App;
use super::session::LoggedIn;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

/// Every account's live state. Cheap to clone.
#[derive(Clone)]
pub struct Hub {}

impl Hub {
    /// Starts.
    pub fn start(services: super::Services, clock: crate::clock::Clock, stop: crate::task::Stop) -> Self {
        let _ = (services, clock, stop);
        Self {}
    }
}

/// Opens the live connection (WebSocket). Text frames: the page sends `LiveRequest`, the server
/// `LiveFrame`. One connection an account; a newer one closes the older with 4000.
#[utoipa::path(get, path = "/api/v1/live", operation_id = "live", responses(
    (status = 101, description = "switching to WebSocket", body = protocol::Frame),
    (status = 401, description = "`no_session`", body = ErrorBody),
    (status = 403, description = "`cross_site`", body = ErrorBody),
))]
pub async fn connect(
    State(app): State<App>,
    headers: HeaderMap,
    LoggedIn(session): LoggedIn,
) -> Result<Response, Refusal> {
    let _ = session;
    if !origin::is_own_page(&headers, &app.config.hosts) {
        return Err(Refusal::CrossSite);
    }
    Err(Refusal::NotFound)
}
