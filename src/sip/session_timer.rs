//! Session timers, both roles (RFC 4028): a peer that is gone without a word is noticed.

use super::action::{EndReason, LegId};
use super::content::Refusal;
use super::core::{Core, LegTimer};
use super::dialog::{self, State};
use super::message::{self, push, tokens};
use super::transaction::{Owner, TxId};
use sipx_sip::session::{self, Answer, MinSe, Refresher, SessionExpires};
use sipx_sip::{HeaderName, Headers, Message, Method, Request, Response};
use std::time::{Duration, Instant};

/// What we ask for, and the least we accept (RFC 4028 §4: 1800 s recommended, 90 s the floor).
const ASKED: Duration = session::DEFAULT_INTERVAL;
const FLOOR: Duration = session::ABSOLUTE_MIN_INTERVAL;
/// How long until a refresh that could not be sent or was refused is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// What was agreed for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SessionTimer {
    pub(super) interval: Duration,
    pub(super) we_refresh: bool,
}

/// Refuses an interval below the floor (RFC 4028 §6).
pub(super) fn check(request: &Request) -> Result<(), Refusal> {
    match request.headers.typed::<SessionExpires>() {
        Some(Err(_)) => Err(Refusal::new(400)),
        Some(Ok(asked)) if asked.interval < FLOOR => {
            Err(Refusal::new(422).with(HeaderName::MinSe, FLOOR.as_secs().to_string()))
        }
        _ => Ok(()),
    }
}

/// What we agree to in a 2xx to `request`, which gets the headers that say so.
pub(super) fn answer(request: &Request, response: &mut Headers) -> Option<SessionTimer> {
    let supports =
        tokens(&request.headers, &HeaderName::Supported).iter().any(|tag| tag == session::OPTION_TAG);
    let asked = request.headers.typed::<SessionExpires>().and_then(Result::ok);
    let least = request
        .headers
        .typed::<MinSe>()
        .and_then(Result::ok)
        .map(|min| min.0.min(Duration::from_secs(86_400)));
    let Answer::Accept(agreed) = session::answer(supports, asked, least, FLOOR) else { return None };
    let interval = agreed.interval.min(Duration::from_secs(86_400));
    let header = SessionExpires { interval, refresher: Some(agreed.refresher) };
    push(response, HeaderName::SessionExpires, header.to_string());
    if agreed.require {
        push(response, HeaderName::Require, session::OPTION_TAG);
    }
    Some(SessionTimer { interval, we_refresh: agreed.refresher == Refresher::Uas })
}

/// Asks for a session timer in a request of ours.
pub(super) fn ask(request: &mut Headers, interval: Option<Duration>) {
    // Without a refresher in the first request the peer may choose; a refresh keeps the role.
    let refresher = interval.map(|_| Refresher::Uac);
    let header = SessionExpires { interval: interval.unwrap_or(ASKED), refresher };
    push(request, HeaderName::SessionExpires, header.to_string());
    push(request, HeaderName::MinSe, FLOOR.as_secs().to_string());
}

/// What the 2xx to a request of ours agreed to.
pub(super) fn adopt(response: &Headers, asked: Duration) -> Option<SessionTimer> {
    let agreed = response.typed::<SessionExpires>().and_then(Result::ok);
    let session = session::adopt(agreed, Some(asked))?;
    Some(SessionTimer {
        interval: session.interval.min(Duration::from_secs(86_400)),
        we_refresh: session.we_refresh,
    })
}

/// The least interval that a 422 asks for.
pub(super) fn least(response: &Headers) -> Option<Duration> {
    let least = response.typed::<MinSe>()?.ok()?.0;
    (least > FLOOR && least <= Duration::from_secs(86_400)).then_some(least)
}

/// The interval asked for when nothing else is known.
pub(super) fn asked() -> Duration {
    ASKED
}

impl Core {
    /// Sets the timers that a leg's session needs from now on.
    pub(super) fn arm_session(&mut self, leg: LegId, now: Instant) {
        self.disarm(leg, LegTimer::Refresh);
        self.disarm(leg, LegTimer::Expiry);
        let Some(session) = self.legs.get(&leg).and_then(|leg| leg.session) else { return };
        if session.we_refresh {
            self.arm(leg, LegTimer::Refresh, now + session.interval / 2);
        }
        // RFC 4028 §10: BYE a little before the end, so that it is not a stranger's.
        let margin = Duration::from_secs(32).min(session.interval / 3);
        self.arm(leg, LegTimer::Expiry, now + session.interval.saturating_sub(margin));
    }

    /// It is time to refresh: UPDATE when the peer takes it, else a re-INVITE with the session as
    /// it is.
    pub(super) fn refresh(&mut self, leg: LegId, now: Instant) {
        let branch = dialog::branch(self.instance, self.random.next());
        let Some(entry) = self.legs.get_mut(&leg).filter(|leg| leg.state == State::Confirmed) else { return };
        if entry.unacked.is_some() || entry.pending.is_some() || entry.refreshing {
            self.arm(leg, LegTimer::Refresh, now + TRY_AGAIN);
            return;
        }
        let Some(session) = entry.session else { return };
        let (method, body) = if entry.updates {
            (Method::Update, None)
        } else {
            (Method::Invite, Some(entry.sdp.body().clone()))
        };
        let cseq = entry.next_cseq();
        let (mut request, path) = entry.request(method, cseq, &branch);
        ask(&mut request.headers, Some(session.interval));
        entry.refreshing = true;
        if self.send_request(request, body, path, Owner::Refresh(leg), now).is_none()
            && let Some(entry) = self.legs.get_mut(&leg)
        {
            entry.refreshing = false;
        }
    }

    /// An answer to our refresh.
    pub(super) fn refresh_answered(
        &mut self,
        leg: LegId,
        transaction: TxId,
        response: &Response,
        now: Instant,
    ) {
        let status = response.status.code();
        if status < 200 {
            return;
        }
        if response.status.is_success() && self.transactions.is_invite(transaction) {
            self.acknowledge_refresh(leg, transaction, response);
        }
        let Some(entry) = self.legs.get_mut(&leg).filter(|leg| leg.state == State::Confirmed) else { return };
        if !std::mem::replace(&mut entry.refreshing, false) {
            return;
        }
        match status {
            200..=299 => {
                if let Some(target) = dialog::target(&response.headers) {
                    entry.target = target;
                }
                let interval = entry.session.map_or(ASKED, |session| session.interval);
                entry.session = adopt(&response.headers, interval);
                self.hold_addresses(leg);
                self.arm_session(leg, now);
            }
            // RFC 3261 §12.2.1.2: the peer has no such dialog any more.
            408 | 481 => self.finish(leg, EndReason::Transport, now),
            422 => {
                if let (Some(session), Some(least)) = (&mut entry.session, least(&response.headers)) {
                    session.interval = session.interval.max(least);
                }
                self.arm(leg, LegTimer::Refresh, now + Duration::from_millis(100));
            }
            _ => self.arm(leg, LegTimer::Refresh, now + TRY_AGAIN),
        }
    }

    /// ACK of the 2xx to our re-INVITE, the same one again for a repeated 2xx.
    fn acknowledge_refresh(&mut self, leg: LegId, transaction: TxId, response: &Response) {
        let tag = message::to_tag(&response.headers).unwrap_or_default();
        if let Some((path, ack)) = self.transactions.kept_ack(transaction, &tag) {
            self.send(path, ack);
            return;
        }
        let branch = dialog::branch(self.instance, self.random.next());
        let (Some(entry), Some(cseq)) = (self.legs.get(&leg), message::sequence(&response.headers)) else {
            return;
        };
        let (mut request, path) = entry.request(Method::Ack, cseq, &branch);
        message::finish(&mut request.headers, None);
        let ack = Message::Request(request).to_bytes();
        self.transactions.keep_ack(transaction, tag.into(), path, ack.clone());
        self.send(path, ack);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(rows: &[(HeaderName, &str)]) -> Request {
        let mut request = Request::new(Method::Invite, sipx_sip::Uri::parse(Bytes::from("sip:a@b")).unwrap());
        for (name, value) in rows {
            push(&mut request.headers, name.clone(), (*value).to_owned());
        }
        request
    }

    #[test]
    fn an_interval_below_the_floor_is_refused_with_the_floor() {
        let refused = check(&request(&[(HeaderName::SessionExpires, "60")])).unwrap_err();
        assert_eq!((refused.status, refused.headers[0].1.as_str()), (422, "90"));
        assert_eq!(check(&request(&[(HeaderName::SessionExpires, "x")])).unwrap_err().status, 400);
        assert!(check(&request(&[(HeaderName::SessionExpires, "90")])).is_ok());
    }

    #[test]
    fn who_refreshes_is_what_rfc_4028_table_2_says() {
        use HeaderName::{SessionExpires as Se, Supported};
        let of = |rows: &[(HeaderName, &str)]| {
            let mut headers = Headers::new();
            let agreed = answer(&request(rows), &mut headers);
            (
                agreed.map(|s| (s.interval.as_secs(), s.we_refresh)),
                tokens(&headers, &HeaderName::Require).len(),
            )
        };
        assert_eq!(of(&[]), (None, 0));
        assert_eq!(of(&[(Supported, "timer")]), (Some((1800, true)), 1));
        assert_eq!(of(&[(Supported, "timer"), (Se, "600;refresher=uac")]), (Some((600, false)), 1));
        assert_eq!(of(&[(Se, "600")]), (Some((600, true)), 0));
        assert_eq!(of(&[(Supported, "timer"), (Se, "18446744073709551615")]).0.map(|s| s.0), Some(86_400));
    }
}
