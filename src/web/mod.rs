//! The browser's door: HTTPS, sessions, the JSON API, the live WebSocket, the embedded page.
//!
//! Owns: TLS and its certificate, the accept loop and its caps, security headers, cross-site
//! checks, the cookie, the API's shapes ([`api`]), the operator's live connection and browser
//! leg ([`live`]).
//! Refuses: a tenant's data without the session's scope; plain HTTP but for a redirect;
//! requests of another origin; a recording as a file (it streams, and is kept nowhere).
//! May use: queues, calls, recordings, crm, access, audit, store, domain, media, config, net,
//! clock, task.

pub mod api;
pub mod live;

pub mod accept;
pub mod assets;
pub mod body;
pub mod directory;
pub mod gate;
pub mod headers;
pub mod id;
pub mod openapi;
pub mod origin;
pub mod playing;
pub mod query;
pub mod redirect;
pub mod refusal;
pub mod router;
pub mod server;
pub mod session;
pub mod tls;

pub use server::{Admit, Server, Services, serve};

#[cfg(test)]
mod tests;

/// Why the browser's door could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// An address could not be bound.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// As configured.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A certificate or key can't be used; says which file and why.
    #[error("{0}")]
    Certificate(String),
}
