//! Who is let in, by source address, before a byte is read.

use crate::domain::TrunkId;
use crate::domain::route::Trunk;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// The trunks' source ranges.
#[derive(Debug)]
pub(super) struct Admission {
    trunks: watch::Receiver<Arc<Vec<Trunk>>>,
    now: Arc<Vec<Trunk>>,
}

impl Admission {
    pub(super) fn new(mut trunks: watch::Receiver<Arc<Vec<Trunk>>>) -> Self {
        let now = Arc::clone(&trunks.borrow_and_update());
        Self { trunks, now }
    }

    /// The trunk whose sources hold `ip`, an address with IPv4-mapped ones folded.
    pub(super) fn trunk(&self, ip: IpAddr) -> Option<TrunkId> {
        self.now.iter().find(|trunk| trunk.sources.iter().any(|net| net.contains(&ip))).map(|trunk| trunk.id)
    }

    /// Returns once the table has changed; never again when nobody can change it any more.
    pub(super) async fn changed(&mut self) {
        if self.trunks.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.now = Arc::clone(&self.trunks.borrow_and_update());
    }
}
