//! The server as a whole: what it is made of, where it listens, how it ends.

use super::accept::Door;
use super::gate::{Caps, Gate};
use super::router::{self, App};
use super::{WebError, redirect, tls};
use crate::access::Access;
use crate::audit::Audit;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::config;
use crate::crm::Crm;
use crate::media::Media;
use crate::queues::Queues;
use crate::recordings::Recordings;
use crate::store::Store;
use crate::task::{self, Stop};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// The services behind the API. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Sessions and scopes.
    pub access: Access,
    /// Who heard and saw what.
    pub audit: Audit,
    /// Campaigns, queues and names.
    pub store: Store,
    /// Customers and contact records.
    pub crm: Crm,
    /// Playback.
    pub recordings: Recordings,
    /// Living calls.
    pub calls: Calls,
    /// Presence and offers.
    pub queues: Queues,
    /// Browser legs.
    pub media: Media,
}

/// Whether an address may reach the appliance at all; asked before TLS.
pub type Admit = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// The running server.
pub struct Server {
    /// Where HTTPS listens, ports filled in, in the order of the configuration.
    pub https: Vec<SocketAddr>,
    /// Where plain HTTP redirects, likewise.
    pub redirect: Vec<SocketAddr>,
    /// Changes the certificate of new handshakes (SIGHUP).
    pub certificate: tls::Reload,
    alive: Alive,
}

/// Closed once the last connection, and the last task of the live hub, has let go of its end.
type Alive = mpsc::Receiver<Infallible>;

impl Server {
    /// Returns once every connection is closed: soon after `Stopped`.
    pub async fn finished(mut self) {
        // Nothing can be sent: this waits for the last sender to go.
        let _ = self.alive.recv().await;
    }
}

/// Binds, starts the tasks, and returns at once. `Draining` closes the listeners while open
/// connections go on; `Stopped` closes those too.
pub async fn serve(
    config: config::Web,
    certificate: tls::Certificate,
    admit: Admit,
    services: Services,
    clock: Clock,
    stop: Stop,
) -> Result<Server, WebError> {
    let reload = tls::Reload::new(certificate);
    let tls = TlsAcceptor::from(reload.server_config()?);
    let (https, https_addresses) = bind(&config.listen).await?;
    let (redirect, redirect_addresses) = bind(&config.redirect).await?;
    let (guard, alive) = mpsc::channel(1);
    let port = https_addresses.first().map_or(443, SocketAddr::port);
    let redirecting = redirect::router(&config.hosts, port);
    let app = App::new(config, services, clock, stop.clone(), guard);
    let gate = Gate::new(Caps::default());
    let secure = Door { admit, gate: gate.clone(), tls: Some(tls), router: router::router(app), stop };
    let plain = Door { tls: None, router: redirecting, ..secure.clone() };
    for listener in https {
        task::spawn("web accept", secure.clone().accept(listener));
    }
    for listener in redirect {
        task::spawn("web redirect", plain.clone().accept(listener));
    }
    Ok(Server { https: https_addresses, redirect: redirect_addresses, certificate: reload, alive })
}

async fn bind(addresses: &[SocketAddr]) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), WebError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    let mut bound = Vec::with_capacity(addresses.len());
    for &address in addresses {
        let refuse = |source| WebError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refuse)?;
        bound.push(listener.local_addr().map_err(refuse)?);
        listeners.push(listener);
    }
    Ok((listeners, bound))
}
