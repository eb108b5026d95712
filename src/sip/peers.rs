//! The addresses of the other sides of our legs, so that the driver lets them in though they
//! are no trunk.

use std::collections::HashMap;
use std::net::IpAddr;

/// Counted addresses.
#[derive(Debug, Default)]
pub(super) struct Peers(HashMap<IpAddr, u32>);

impl Peers {
    pub(super) fn hold(&mut self, ip: IpAddr) {
        *self.0.entry(ip).or_default() += 1;
    }

    pub(super) fn release(&mut self, ip: IpAddr) {
        if let Some(count) = self.0.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&ip);
            }
        }
    }

    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains_key(&ip)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_as_long_as_somebody_holds_it() {
        let (mut peers, ip) = (Peers::default(), IpAddr::from([192, 0, 2, 1]));
        peers.hold(ip);
        peers.hold(ip);
        peers.release(ip);
        assert!(peers.contains(ip));
        peers.release(ip);
        peers.release(ip);
        assert!(!peers.contains(ip));
        assert_eq!(peers.len(), 0);
    }
}
