//! What a page asks of its station.

use super::legs::fingerprint;
use super::log::frame;
use super::protocol::{Answer, OperatorPresence, Request};
use super::station::Station;
use crate::calls::CallError;
use crate::media::MediaError;
use crate::queues::QueueError;

/// Why a request is refused: a stable code and a sentence.
struct No(&'static str, String);

impl Station {
    /// Does what a request asks and answers it.
    pub(super) async fn asked(&mut self, request: Request) {
        let Some(re) = request.id() else { return };
        // A ping asks nothing of anybody and keeps no session alive.
        let allowed = matches!(request, Request::Ping { .. }) || self.check_session().await;
        let answer = if allowed {
            self.perform(re, request).await
        } else {
            Err(No("no_session", "You are not logged in.".into()))
        };
        let answer =
            answer.unwrap_or_else(|No(code, message)| Answer::Refused { re, code: code.to_owned(), message });
        self.send(frame(&answer));
    }

    /// Answers a request that can't be read.
    pub(super) fn misread(&mut self, re: u64) {
        let (code, message) = ("bad_request".to_owned(), "This is no request of the protocol.".to_owned());
        self.send(frame(&Answer::Refused { re, code, message }));
    }

    async fn perform(&mut self, re: u64, request: Request) -> Result<Answer, No> {
        let (calls, tenant, account) = (&self.services.calls, self.tenant, self.account);
        match request {
            Request::MediaOffer { sdp, .. } => return self.media_offer(re, sdp).await,
            Request::Presence { presence, .. } => {
                let operator = self.services.queues.choose(tenant, account, presence).await?;
                return Ok(Answer::Chosen { re, presence: OperatorPresence::from(&operator) });
            }
            Request::Accept { call, .. } => calls.accept(tenant, call, account)?,
            Request::Refuse { call, .. } => calls.refuse(tenant, call, account)?,
            Request::HangUp { call, .. } => calls.hang_up(tenant, call, Some(account))?,
            Request::Mute { call, muted, .. } => {
                calls.mute(tenant, call, account, muted)?;
                self.desk.muted(call, muted);
            }
            Request::Hold { call, held, .. } => {
                calls.hold(tenant, call, account, held)?;
                self.desk.held(call, held);
            }
            Request::Ping { .. } | Request::Resume { .. } => {}
        }
        Ok(Answer::Done { re })
    }

    async fn media_offer(&mut self, re: u64, sdp: String) -> Result<Answer, No> {
        let fingerprint =
            fingerprint(&sdp).ok_or_else(|| No("offer", "The SDP names no DTLS fingerprint.".into()))?;
        let restarted = self.legs.restarted(&fingerprint);
        let media = &self.services.media;
        let (leg, answer) = match (media.accept_offer(restarted, sdp.clone()).await, restarted) {
            // The leg timed out meanwhile; the page's connection can still begin anew.
            (Err(MediaError::NoLeg), Some(leg)) => {
                if self.legs.gone(leg) {
                    self.detach(leg);
                }
                self.hub.disown(leg);
                self.services.media.accept_offer(None, sdp).await?
            }
            (accepted, _) => accepted?,
        };
        self.hub.adopt(leg, (self.tenant, self.account));
        if let Some(never_connected) = self.legs.opened(leg, fingerprint) {
            self.close_leg(never_connected);
        }
        Ok(Answer::Accepted { re, sdp: answer })
    }
}

impl From<CallError> for No {
    fn from(error: CallError) -> Self {
        let code = match error {
            CallError::NotFound => "not_found",
            CallError::State => "state",
            CallError::Busy => "busy",
        };
        Self(code, sentence(&error))
    }
}

impl From<QueueError> for No {
    fn from(error: QueueError) -> Self {
        let code = match error {
            QueueError::NotChosen => "not_chosen",
            QueueError::NotFound => "not_found",
            QueueError::Busy => "busy",
        };
        Self(code, sentence(&error))
    }
}

impl From<MediaError> for No {
    fn from(error: MediaError) -> Self {
        let code = match error {
            MediaError::Offer(_) => "offer",
            MediaError::NoLeg => "not_found",
            MediaError::Busy | MediaError::NoPort => "busy",
        };
        Self(code, sentence(&error))
    }
}

/// An error's text as a sentence.
fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}
