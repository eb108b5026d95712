//! The session behind a request, and its cookie.

use super::refusal::Refusal;
use super::router::App;
use crate::access::Session;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

/// The prefix makes browsers refuse it without `Secure`, with a `Domain`, or on another path
/// (RFC 6265bis §4.1.3.2).
const COOKIE: &str = "__Host-bluebean";

/// Longer is no token of ours.
const LONGEST_TOKEN: usize = 256;

/// Extracted by every handler that needs a login: the session, asked of the store anew.
pub struct LoggedIn(pub Session);

impl FromRequestParts<App> for LoggedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let token = token(&parts.headers).ok_or(Refusal::NoSession)?;
        Ok(Self(app.services.access.session(&token).await?))
    }
}

/// The session token of a request's cookies. Two of the name are none: one of them is not ours.
pub fn token(headers: &HeaderMap) -> Option<Zeroizing<String>> {
    let mut found = None;
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    for pair in lines.flat_map(|line| line.split(';')) {
        let Some((name, value)) = pair.trim().split_once('=') else { continue };
        if name == COOKIE && found.replace(value).is_some() {
            return None;
        }
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let token = found.filter(|t| !t.is_empty() && t.len() <= LONGEST_TOKEN && t.bytes().all(allowed))?;
    Some(Zeroizing::new(token.to_owned()))
}

/// `Set-Cookie` for a new session; it ends with the browser.
pub fn set_cookie(token: &str) -> Result<HeaderValue, Refusal> {
    let mut value =
        HeaderValue::from_str(&format!("{COOKIE}={token}; HttpOnly; Secure; SameSite=Strict; Path=/"))
            .map_err(|_| Refusal::Internal)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `Set-Cookie` that makes the browser forget it.
pub fn clear_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-bluebean=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        }
        token(&headers).map(|t| t.to_string())
    }

    #[test]
    fn only_one_well_formed_token_is_read() {
        assert_eq!(read(&["__Host-bluebean=abc-_9.x"]).as_deref(), Some("abc-_9.x"));
        assert_eq!(read(&["a=b; __Host-bluebean=abc; c=d"]).as_deref(), Some("abc"));
        assert_eq!(read(&["a=b", "__Host-bluebean=abc"]).as_deref(), Some("abc"));
        let long = format!("__Host-bluebean={}", "a".repeat(LONGEST_TOKEN + 1));
        for bad in [
            &["bluebean=abc"][..],
            &["__Host-bluebean="],
            &["__Host-bluebean"],
            &["__host-bluebean=abc"],
            &["__Host-bluebean=a b"],
            &["__Host-bluebean=../../etc"],
            &["__Host-bluebean=a; __Host-bluebean=b"],
            &["__Host-bluebean=a", "__Host-bluebean=a"],
            &[&long],
            &[],
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
