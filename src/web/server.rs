//! The server as a whole: what it is made of, where it listens, how it ends.

use super::{WebError, tls};
use crate::access::Access;
use crate::audit::Audit;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::crm::Crm;
use crate::media::Media;
use crate::queues::Queues;
use crate::recordings::Recordings;
use crate::store::Store;
use crate::task::Stop;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

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
}

impl Server {
    /// Returns once every connection is closed: soon after `Stopped`.
    pub async fn finished(self) {
        todo!("H7")
    }
}

/// Binds, starts the tasks, and returns at once. `Draining` closes the listeners while open
/// connections go on; `Stopped` closes those too.
pub async fn serve(
    config: crate::config::Web,
    certificate: tls::Certificate,
    admit: Admit,
    services: Services,
    clock: Clock,
    stop: Stop,
) -> Result<Server, WebError> {
    let _ = (config, certificate, admit, services, clock, stop);
    todo!("H7")
}
