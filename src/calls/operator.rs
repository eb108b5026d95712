//! The operator's side of a call: a browser's standing leg, or a phone that is dialled.

use super::driver::{Driver, departure};
use super::negotiate::{self, Agreed};
use super::{Endpoint, Offer};
use crate::domain::OfferId;
use crate::domain::call::{self, Departure, Input, Party};
use crate::media::{Companding, LegId};
use crate::signalling::{Event, Invite, SipLegId};
use std::net::SocketAddr;
use std::sync::Arc;

/// Whom the call is offered to, or talks with.
pub(super) struct Operator {
    /// The offer that led here.
    pub(super) offer: OfferId,
    /// A phone's URI; `None` for a browser.
    pub(super) target: Option<String>,
    /// A phone's dialog, until it is over or we hang up.
    pub(super) sip: Option<SipLegId>,
    /// Their audio: the browser's, or the phone's once dialled.
    pub(super) media: Option<LegId>,
    /// Where we want a phone's RTP.
    pub(super) ours: Option<SocketAddr>,
    /// What was agreed with a phone last.
    pub(super) agreed: Option<Agreed>,
    /// Whether they muted themselves.
    pub(super) muted: bool,
}

impl Operator {
    fn law(&self) -> Option<Companding> {
        self.agreed.as_ref().map(|agreed| agreed.remote.companding)
    }
}

impl Driver {
    /// An offer by `queues`.
    pub(super) fn take_offer(&mut self, offer: Offer) {
        if self.operator.is_some() {
            self.offer_refused(offer.id, offer.account);
            return;
        }
        let (party, target, media) = match offer.endpoint {
            Endpoint::Browser(leg) => (Party::Browser, None, Some(leg)),
            Endpoint::Sip(target) => (Party::Sip, Some(target), None),
        };
        if let Some(leg) = media {
            self.room.registry.add_media_leg(&self.mailbox, leg);
        }
        self.operator = Some(Operator {
            offer: offer.id,
            target,
            sip: None,
            media,
            ours: None,
            agreed: None,
            muted: false,
        });
        let (id, account, ring_seconds) = (offer.id, offer.account, offer.ring_seconds);
        self.inputs.push_back(Input::Offered(call::Offer { id, account, party, ring_seconds }));
    }

    /// Calls the operator's phone, offering the caller's law first.
    pub(super) async fn dial(&mut self, offer: OfferId) {
        let Some(target) = self.operator_of(offer).and_then(|operator| operator.target.clone()) else {
            return;
        };
        if self.try_dial(&target).await.is_none() {
            self.inputs.push_back(Input::OperatorFailed(offer, false));
        }
    }

    async fn try_dial(&mut self, target: &str) -> Option<()> {
        let room = Arc::clone(&self.room);
        let local = room.signalling.local_for(target);
        let local = local.inspect_err(|error| tracing::warn!(%error, "a phone can't be dialled")).ok()?;
        let opened = room.media.open(local).await;
        let opened = opened.inspect_err(|error| tracing::warn!(%error, "a phone can't be dialled")).ok()?;
        let ours = SocketAddr::new(local, opened.port);
        let operator = self.operator.as_mut()?;
        (operator.media, operator.ours) = (Some(opened.leg), Some(ours));
        room.registry.add_media_leg(&self.mailbox, opened.leg);
        let caller = &self.journal.record.caller;
        let invite = Invite {
            target: target.to_owned(),
            caller: if caller.is_empty() { "anonymous".to_owned() } else { caller.clone() },
            offer: negotiate::offer(ours, self.customer.law().unwrap_or(Companding::Mu)),
        };
        let leg = room.registry.with_sip_leg(&self.mailbox, || room.signalling.invite(invite));
        operator.sip =
            Some(leg.inspect_err(|error| tracing::warn!(%error, "a phone can't be dialled")).ok()?);
        Some(())
    }

    pub(super) fn hear_operators_signalling(&mut self, event: Event) {
        let Some(operator) = &mut self.operator else { return };
        let (Some(sip), Some(media), Some(ours)) = (operator.sip, operator.media, operator.ours) else {
            return;
        };
        let id = operator.offer;
        match event {
            Event::Answered(leg, answer) if leg == sip => {
                match negotiate::agree(&answer, ours, operator.law()) {
                    Some(agreed) => {
                        self.room.connect(media, &agreed);
                        operator.agreed = Some(agreed);
                        self.inputs.push_back(Input::OperatorAnswered(id));
                    }
                    None => self.inputs.push_back(Input::OperatorFailed(id, false)),
                }
            }
            Event::Failed(leg, status) if leg == sip => {
                operator.sip = None;
                let declined = matches!(status, 486 | 600 | 603);
                self.room.registry.remove_legs(Some(leg), None);
                self.inputs.push_back(Input::OperatorFailed(id, declined));
            }
            Event::Ended(leg, reason) if leg == sip => {
                operator.sip = None;
                self.room.registry.remove_legs(Some(leg), None);
                self.inputs.push_back(Input::OperatorLeft(id, departure(reason)));
            }
            Event::Reoffered(leg, offer) if leg == sip => {
                operator.agreed =
                    self.room.reoffered(leg, media, ours, offer.as_ref(), operator.agreed.take());
            }
            Event::Confirmed(leg, Some(answer)) if leg == sip => {
                if let Some(agreed) = negotiate::agree(&answer, ours, operator.law()) {
                    self.room.connect(media, &agreed);
                    operator.agreed = Some(agreed);
                }
            }
            _ => {}
        }
    }

    /// The operator's audio is gone.
    pub(super) fn operator_lost(&mut self, leg: LegId, how: Departure) {
        if let Some(operator) = self.operator.as_ref().filter(|operator| operator.media == Some(leg)) {
            self.inputs.push_back(Input::OperatorLeft(operator.offer, how));
        }
    }

    /// The operator, when that offer led to them.
    pub(super) fn operator_of(&self, offer: OfferId) -> Option<&Operator> {
        self.operator.as_ref().filter(|operator| operator.offer == offer)
    }

    /// Lets an operator go: a phone is hung up and its audio closed; a browser's leg stands on.
    pub(super) fn release_operator(&mut self, offer: OfferId) {
        if let Some(operator) = self.operator.take_if(|operator| operator.offer == offer) {
            self.room.registry.remove_legs(operator.sip, operator.media);
            if let Some(leg) = operator.sip {
                self.room.hang_up(leg);
            }
            if let (Some(leg), Some(_)) = (operator.media, operator.target) {
                self.room.media.close(leg);
            }
        }
    }
}
