//! The operator's live connection: presence, offers, the call at hand, and the browser's leg.
//!
//! Owns: one station an account ([`station`]), found by the [`hub`]; the frames ([`protocol`]);
//! the numbered events a page resumes from ([`log`]). Refuses: another origin, a second
//! connection an account, a page that does not read, a flood. A leg outlives its WebSocket for
//! a while, so that a call outlives a router's hiccup; it never outlives the session.

pub mod desk;
pub mod hub;
pub mod legs;
pub mod log;
mod news;
pub mod protocol;
mod requests;
pub mod socket;
pub mod station;

pub use hub::Hub;

use super::origin;
use super::refusal::{ErrorBody, Refusal};
use super::router::App;
use super::session::{LoggedIn, token};
use crate::access::Session;
use crate::task::Phase;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use protocol::{CLOSE_POLICY, CLOSE_TRY_AGAIN, FRAME_LIMIT, Request};
use socket::Taken;
use station::{Input, Opening};
use std::time::Duration;
use zeroize::Zeroizing;

/// A page says `resume` at once.
const RESUME_TIME: Duration = Duration::from_secs(10);

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
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    if !origin::is_own_page(&headers, &app.config.hosts) {
        return Err(Refusal::CrossSite);
    }
    let token = token(&headers).ok_or(Refusal::NoSession)?;
    let upgrade = upgrade.map_err(|_| Refusal::BadRequest("This is a WebSocket.".into()))?;
    Ok(upgrade
        .max_message_size(FRAME_LIMIT)
        .max_frame_size(FRAME_LIMIT)
        .on_upgrade(move |socket| serve(app, socket, session, token)))
}

async fn serve(app: App, mut socket: WebSocket, session: Session, token: Zeroizing<String>) {
    let hub = app.live.clone();
    let mut stop = hub.stop();
    let first = tokio::select! {
        () = stop.reached(Phase::Stopped) => return socket::close(socket, CLOSE_TRY_AGAIN).await,
        first = socket::first_frame(&mut socket, RESUME_TIME) => first,
    };
    let Some((instance, seq)) = first else {
        return socket::close(socket, CLOSE_POLICY).await;
    };
    let (number, key) = (hub.number(), (session.tenant.id, session.account.id));
    let (line, wire) = socket::line();
    if hub.open(Opening { number, session, token, line, instance, seq }).is_err() {
        return socket::close(socket, CLOSE_TRY_AGAIN).await;
    }
    socket::pump(socket, wire, &app.clock, stop, |text| take(&hub, key, number, text)).await;
    hub.send(key, Input::Closed(number));
}

/// Hands a page's frame to its station. A request that can't be read is refused by its number;
/// what has none is none of the protocol's.
fn take(hub: &Hub, key: hub::Key, number: u64, text: &str) -> Taken {
    let input = match serde_json::from_str(text) {
        Ok(Request::Resume { .. }) => return Taken::Badly(CLOSE_POLICY),
        Ok(request) => Input::Asked(number, request),
        Err(_) => match serde_json::from_str(text) {
            Ok(Unread { id }) => Input::Misread(number, id),
            Err(_) => return Taken::Badly(CLOSE_POLICY),
        },
    };
    if hub.send(key, input) { Taken::Well } else { Taken::Badly(CLOSE_TRY_AGAIN) }
}

/// All that is known of a request that can't be read.
#[derive(serde::Deserialize)]
struct Unread {
    id: u64,
}
