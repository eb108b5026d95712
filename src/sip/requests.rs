//! Requests as they come in: to their transaction, their dialog, or a stateless answer.

use super::action::{Path, Standing};
use super::content::{self, Refusal};
use super::core::Core;
use super::message::{self, push};
use super::transaction::is_known;
use super::{uri, via};
use sipx_sip::headers::To;
use sipx_sip::{HeaderName, Method, Request, TransactionKey, validate_request};
use std::time::Instant;

/// Seconds after which a caller that was shed may try again.
pub(super) const RETRY_AFTER: &str = "5";

impl Core {
    pub(super) fn request(
        &mut self,
        mut request: Request,
        path: Path,
        standing: Standing,
        busy: bool,
        now: Instant,
    ) {
        let Some((top, reply)) = via::receive(&mut request.headers, path) else {
            // A Via that can't be read, or none: the salvaged reply needs no parsed one.
            let bytes = sipx_sip::Message::Request(request).to_bytes();
            self.refuse_broken(&bytes, path, standing);
            return;
        };
        // A mirror of our own request: its key would be that of our client transaction.
        if self.is_our_branch(top.branch().unwrap_or_default()) {
            self.dropped += 1;
            return;
        }
        let key = TransactionKey::from_request(&request);
        if let Some(id) = key.as_ref().and_then(|key| self.transactions.server(key)) {
            let (transactions, mut world) = self.split(now);
            let news = transactions.repeat(id, &request, &mut world);
            self.hear(Some(id), news, now);
            return;
        }
        if request.method == Method::Ack {
            self.ack(&request, now);
            return;
        }
        let to_tag = message::to_tag(&request.headers);
        let call_id = message::value(&request.headers, &HeaderName::CallId).unwrap_or_default();
        let leg = to_tag.as_ref().and_then(|tag| self.dialog(tag, &call_id));
        let cancelled =
            TransactionKey::for_cancelled_invite(&request).and_then(|key| self.transactions.server(&key));
        if standing == Standing::Peer && leg.is_none() && cancelled.is_none() {
            self.dropped += 1;
            return;
        }
        let (Some(key), Ok(())) = (key, well_formed(&request, top.branch())) else {
            let status = well_formed(&request, top.branch()).err().unwrap_or(400);
            self.refuse(&request, reply, &Refusal::new(status));
            return;
        };
        if request.method == Method::Cancel {
            self.cancel(&request, cancelled, reply, now);
        } else if let Some(leg) = leg {
            self.within(leg, key, request, reply, now);
        } else if to_tag.is_some() {
            self.refuse(&request, reply, &Refusal::new(481));
        } else {
            self.without_dialog(key, request, path, reply, busy, now);
        }
    }

    fn without_dialog(
        &mut self,
        key: TransactionKey,
        request: Request,
        path: Path,
        reply: Path,
        busy: bool,
        now: Instant,
    ) {
        if let Err(refusal) = self.acceptable(&request) {
            self.refuse(&request, reply, &refusal);
            return;
        }
        match request.method {
            Method::Invite => {
                if self.is_loop(&request) {
                    self.refuse(&request, reply, &Refusal::new(482));
                } else if self.admit(busy, now) {
                    self.invited(key, request, path, reply, now);
                } else {
                    self.shed += 1;
                    self.refuse(
                        &request,
                        reply,
                        &Refusal::new(503).with(HeaderName::RetryAfter, RETRY_AFTER),
                    );
                }
            }
            // RFC 3261 §11.2: the answer an INVITE would get.
            Method::Options if busy => {
                self.shed += 1;
                self.refuse(&request, reply, &Refusal::new(503).with(HeaderName::RetryAfter, RETRY_AFTER));
            }
            Method::Options => self.refuse(&request, reply, &capabilities()),
            _ => self.refuse(&request, reply, &Refusal::new(481)),
        }
    }

    /// Method, then URI, then extensions: the order of RFC 3261 §8.2.
    fn acceptable(&self, request: &Request) -> Result<(), Refusal> {
        match request.method {
            Method::Invite | Method::Options | Method::Bye | Method::Prack | Method::Update => {}
            // A registrar could not even read this address of record (RFC 4475 §3.3.4).
            Method::Register if !to_is_sip(request) => return Err(Refusal::new(400)),
            ref method if is_known(method) => {
                return Err(Refusal::new(405).with(HeaderName::Allow, message::ALLOW));
            }
            _ => return Err(Refusal::new(501).with(HeaderName::Allow, message::ALLOW)),
        }
        if !uri::is_known_scheme(&request.uri) {
            return Err(Refusal::new(416));
        }
        content::check_require(request)
    }

    /// An answer without a transaction (RFC 3261 §8.2.7).
    pub(super) fn refuse(&mut self, request: &Request, reply: Path, refusal: &Refusal) {
        let call_id = request.headers.value(&HeaderName::CallId).unwrap_or_default();
        let tag = self.random.of(&call_id);
        let Some(mut response) = message::response(request, refusal.status, tag) else { return };
        for (name, value) in &refusal.headers {
            push(&mut response.headers, name.clone(), value.clone());
        }
        let bytes = message::response_bytes(response);
        self.send(reply, bytes);
    }

    /// Whether the request went through us before, or came twice by different ways (RFC 3261
    /// §8.2.2.2, §16.3).
    fn is_loop(&self, request: &Request) -> bool {
        let ours = format!("z9hG4bK{:016x}", self.instance);
        let passed = request
            .headers
            .get_all(&HeaderName::Via)
            .any(|via| via.raw_value().windows(ours.len()).any(|w| w == ours.as_bytes()));
        passed || self.merge_key(request).is_some_and(|key| self.merges.contains_key(&key))
    }

    /// What two copies of one request share. `None` without a From tag.
    pub(super) fn merge_key(&self, request: &Request) -> Option<u64> {
        let tag = message::from_tag(&request.headers)?;
        let call_id = request.headers.value(&HeaderName::CallId)?;
        let cseq = message::sequence(&request.headers)?;
        Some(self.hash(&[&call_id, &tag, &cseq.to_be_bytes()]))
    }

    fn is_our_branch(&self, branch: &[u8]) -> bool {
        branch.starts_with(format!("z9hG4bK{:016x}", self.instance).as_bytes())
    }
}

/// What we can, as the answer to OPTIONS.
pub(super) fn capabilities() -> Refusal {
    Refusal::new(200)
        .with(HeaderName::Allow, message::ALLOW)
        .with(HeaderName::Accept, message::SDP)
        .with(HeaderName::Supported, message::SUPPORTED)
}

/// What RFC 3261 demands of any request; the status that says what is wrong.
fn well_formed(request: &Request, branch: Option<&[u8]>) -> Result<(), u16> {
    let findings = validate_request(request);
    let worst =
        findings.iter().filter(|finding| !finding.is_repairable()).map(|finding| finding.status()).max();
    if let Some(status) = worst {
        return Err(status);
    }
    // The cookie alone tells no transaction from another (RFC 4475 §3.2.1).
    if branch == Some(sipx_sip::headers::BRANCH_MAGIC_COOKIE) {
        return Err(400);
    }
    let contact = request.headers.typed::<sipx_sip::headers::ContactValue>();
    if matches!(contact, Some(Err(_))) { Err(400) } else { Ok(()) }
}

fn to_is_sip(request: &Request) -> bool {
    request.headers.typed::<To>().and_then(Result::ok).is_some_and(|to| uri::is_known_scheme(&to.uri))
}
