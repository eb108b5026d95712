//! Paths, and what stands before every handler.

use super::api::{callbacks, calls, contact_records, customers, recordings, session};
use super::playing::Playing;
use super::refusal::Refusal;
use super::server::Services;
use super::{assets, headers, live, openapi, origin};
use crate::access::Session;
use crate::audit::{Entry, Outcome};
use crate::clock::Clock;
use crate::config;
use crate::task::Stop;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post, put};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A login is small; what comes before one must be.
const LOGIN_LIMIT: usize = 8 * 1024;
/// Any other body.
const BODY_LIMIT: usize = 256 * 1024;

/// Where a request comes from, IPv4-mapped addresses folded. Put there by the accept loop.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What handlers are given. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(super) services: Services,
    pub(super) config: Arc<config::Web>,
    pub(super) clock: Clock,
    pub(super) playing: Playing,
    pub(super) live: live::Hub,
    /// Held by everything that must end before the server has.
    pub(super) _alive: mpsc::Sender<Infallible>,
}

impl App {
    /// Starts the live hub and puts everything together.
    pub fn new(
        config: config::Web,
        services: Services,
        clock: Clock,
        stop: Stop,
        alive: mpsc::Sender<Infallible>,
    ) -> Self {
        let live = live::Hub::start(services.clone(), clock.clone(), stop);
        Self { services, config: Arc::new(config), clock, playing: Playing::default(), live, _alive: alive }
    }

    /// Writes down what a session did, or refuses. Before anything is shown, where it can be.
    pub(super) async fn audit(
        &self,
        session: &Session,
        peer: Peer,
        action: &'static str,
        object: String,
        outcome: Outcome,
    ) -> Result<(), Refusal> {
        let entry = Entry {
            actor: format!("account:{}", session.account.id),
            source: peer.0.ip().to_string(),
            action,
            object,
            outcome,
            detail: serde_json::json!({ "session": session.id.to_string() }),
        };
        Ok(self.services.audit.append(Some(session.tenant.id), entry).await?)
    }
}

/// The whole site.
pub fn router(app: App) -> Router {
    let login = post(session::log_in).layer(DefaultBodyLimit::max(LOGIN_LIMIT));
    let api = Router::new()
        .route("/session", login.get(session::show).delete(session::log_out))
        .route("/customers", get(customers::search))
        .route("/customers/{id}", get(customers::show).put(customers::change))
        .route("/customers/{id}/history", get(customers::history))
        .route("/contact-records", put(contact_records::save))
        .route("/callbacks", get(callbacks::list))
        .route("/calls", get(calls::list))
        .route("/recordings/{id}", get(recordings::show))
        .route("/recordings/{id}/audio", get(recordings::audio))
        .route("/openapi.json", get(openapi::document))
        .route("/live", get(live::connect))
        .method_not_allowed_fallback(|| async { Refusal::MethodNotAllowed })
        .fallback(|| async { Refusal::NotFound })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(app.clone(), origin::check));
    Router::new()
        .nest("/api/v1", api)
        .route("/api", get(|| async { Refusal::NotFound }))
        .route("/api/{*rest}", axum::routing::any(|| async { Refusal::NotFound }))
        .fallback(assets::serve)
        .layer(from_fn(headers::secure))
        .with_state(app)
}
