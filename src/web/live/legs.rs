//! The operator's browser leg over reconnects and reloads. Pure: which leg is what.
//!
//! A page's connection has a certificate of its own, named in its SDP. The same fingerprint is
//! the same connection after an ICE restart; another one is a page that was loaded anew, whose
//! leg takes over once it is connected.

use crate::media::LegId;

/// A leg and whose it is.
struct Leg {
    id: LegId,
    fingerprint: String,
}

/// The legs of one account: at most one that is connected, and one to come.
#[derive(Default)]
pub struct Legs {
    standing: Option<Leg>,
    coming: Option<Leg>,
}

/// What a connected leg asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Takeover {
    /// Operators hear calls here from now on.
    pub attach: LegId,
    /// And no longer here; to be detached and closed.
    pub replaced: Option<LegId>,
}

impl Legs {
    /// The leg that an offer with this fingerprint restarts.
    pub fn restarted(&self, fingerprint: &str) -> Option<LegId> {
        [&self.coming, &self.standing]
            .into_iter()
            .flatten()
            .find(|leg| leg.fingerprint == fingerprint)
            .map(|leg| leg.id)
    }

    /// A leg was opened for an offer; returns one that never connected, to be closed.
    #[must_use]
    pub fn opened(&mut self, id: LegId, fingerprint: String) -> Option<LegId> {
        if self.standing.as_ref().is_some_and(|leg| leg.id == id) {
            return None;
        }
        let before = self.coming.replace(Leg { id, fingerprint });
        before.map(|leg| leg.id).filter(|before| *before != id)
    }

    /// A leg connected; nothing if it is none of ours. The standing one may connect again.
    pub fn connected(&mut self, id: LegId) -> Option<Takeover> {
        if let Some(coming) = self.coming.take_if(|leg| leg.id == id) {
            let replaced = self.standing.replace(coming).map(|leg| leg.id);
            return Some(Takeover { attach: id, replaced });
        }
        self.standing.as_ref().filter(|leg| leg.id == id).map(|_| Takeover { attach: id, replaced: None })
    }

    /// A leg is gone; `true` if it was the standing one.
    #[must_use]
    pub fn gone(&mut self, id: LegId) -> bool {
        self.coming.take_if(|leg| leg.id == id);
        self.standing.take_if(|leg| leg.id == id).is_some()
    }

    /// Gives all up: the standing one, to be detached and closed, and the one to come, to be closed.
    pub fn give_up(&mut self) -> (Option<LegId>, Option<LegId>) {
        (self.standing.take().map(|leg| leg.id), self.coming.take().map(|leg| leg.id))
    }

    /// Every leg there is.
    pub fn all(&self) -> impl Iterator<Item = LegId> {
        [&self.standing, &self.coming].into_iter().flatten().map(|leg| leg.id)
    }
}

/// The first DTLS fingerprint of an SDP offer (RFC 8122 §5), lower case.
pub fn fingerprint(sdp: &str) -> Option<String> {
    sdp.lines().find_map(|line| line.trim_end().strip_prefix("a=fingerprint:")).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_keeps_its_leg_and_a_reload_takes_over() {
        let mut legs = Legs::default();
        assert_eq!(legs.opened(LegId(1), "a".into()), None);
        assert_eq!(legs.connected(LegId(1)), Some(Takeover { attach: LegId(1), replaced: None }));
        assert_eq!(legs.restarted("a"), Some(LegId(1)));
        assert_eq!(legs.opened(LegId(1), "a".into()), None);
        assert_eq!(legs.restarted("b"), None);
        assert_eq!(legs.opened(LegId(2), "b".into()), None);
        assert_eq!(legs.all().collect::<Vec<_>>(), [LegId(1), LegId(2)], "the old one stands until then");
        assert_eq!(legs.connected(LegId(2)), Some(Takeover { attach: LegId(2), replaced: Some(LegId(1)) }));
        assert!(!legs.gone(LegId(1)));
        assert!(legs.gone(LegId(2)));
        assert_eq!(legs.all().count(), 0);
    }

    #[test]
    fn a_leg_that_never_connected_is_closed() {
        let mut legs = Legs::default();
        assert_eq!(legs.opened(LegId(1), "a".into()), None);
        assert_eq!(legs.opened(LegId(2), "b".into()), Some(LegId(1)));
        assert_eq!(legs.connected(LegId(1)), None);
        assert_eq!(legs.give_up(), (None, Some(LegId(2))));
    }

    #[test]
    fn the_fingerprint_is_found_in_an_offer() {
        let sdp = "v=0\r\na=group:BUNDLE 0\r\na=fingerprint:sha-256 AB:CD\r\na=fingerprint:sha-256 EF:01\r\n";
        assert_eq!(fingerprint(sdp).as_deref(), Some("sha-256 ab:cd"));
        assert_eq!(fingerprint("v=0\r\n"), None);
    }
}
