//! Whether a request comes from our own page.
//!
//! A browser says so in `Origin` and `Sec-Fetch-Site`, which no page can forge; `X-BlueBean`
//! can be sent across sites only after a CORS preflight, which is never answered.

use super::refusal::Refusal;
use super::router::App;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Middleware: refuses every mutation that is not our own page's.
pub async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || (is_own_page(request.headers(), &app.config.hosts) && is_marked(request.headers())) {
        next.run(request).await
    } else {
        Refusal::CrossSite.into_response()
    }
}

fn is_marked(headers: &HeaderMap) -> bool {
    headers.get("x-bluebean").is_some_and(|value| value == "1")
}

/// Whether `Origin` is `https://` and the very `Host` of the request, that host is one of
/// `hosts` (any, where none is configured), and the browser does not say otherwise.
pub fn is_own_page(headers: &HeaderMap, hosts: &[String]) -> bool {
    let Some(host) = host(headers, hosts) else { return false };
    let origin = single(headers, header::ORIGIN.as_str()).and_then(|origin| origin.strip_prefix("https://"));
    let same_site = match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => true,
    };
    same_site
        && origin.is_some_and(|origin| {
            without_default_port(origin).eq_ignore_ascii_case(without_default_port(host.as_str()))
        })
}

/// The request's `Host` when it is well formed, without user info, and one of `hosts`.
pub fn host(headers: &HeaderMap, hosts: &[String]) -> Option<Authority> {
    let text = single(headers, header::HOST.as_str())?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    if text.len() > 255 || !text.bytes().all(allowed) {
        return None;
    }
    let authority: Authority = text.parse().ok()?;
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let known =
        |known: &String| known.trim_start_matches('[').trim_end_matches(']').eq_ignore_ascii_case(name);
    (hosts.is_empty() || hosts.iter().any(known)).then_some(authority)
}

fn without_default_port(authority: &str) -> &str {
    authority.strip_suffix(":443").unwrap_or(authority)
}

/// A header that stands exactly once.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn only_our_own_origin_passes() {
        let own = [
            &[("host", "cc.example"), ("origin", "https://cc.example")][..],
            &[("host", "cc.example:8443"), ("origin", "https://cc.example:8443")],
            &[("host", "CC.example"), ("origin", "https://cc.example")],
            &[("host", "cc.example:443"), ("origin", "https://cc.example")],
            &[("host", "[::1]:8443"), ("origin", "https://[::1]:8443")],
            &[("host", "cc.example"), ("origin", "https://cc.example"), ("sec-fetch-site", "same-origin")],
        ];
        for pairs in own {
            assert!(is_own_page(&headers(pairs), &[]), "{pairs:?}");
        }
        let other = [
            &[("host", "cc.example")][..],
            &[("origin", "https://cc.example")],
            &[("host", "cc.example"), ("origin", "null")],
            &[("host", "cc.example"), ("origin", "http://cc.example")],
            &[("host", "cc.example"), ("origin", "https://evil.example")],
            &[("host", "cc.example"), ("origin", "https://cc.example.evil.example")],
            &[("host", "cc.example"), ("origin", "https://cc.example:8443")],
            &[("host", "cc.example"), ("origin", "https://x@cc.example")],
            &[("host", "cc.example"), ("origin", "https://cc.example/")],
            &[("host", "cc.example"), ("origin", "https://cc.example"), ("sec-fetch-site", "same-site")],
            &[("host", "cc.example"), ("origin", "https://cc.example"), ("sec-fetch-site", "cross-site")],
            &[("host", "cc.example"), ("origin", "https://cc.example"), ("origin", "https://evil.example")],
            &[("host", "cc.example"), ("host", "evil.example"), ("origin", "https://cc.example")],
            &[("host", "x@cc.example"), ("origin", "https://x@cc.example")],
        ];
        for pairs in other {
            assert!(!is_own_page(&headers(pairs), &[]), "{pairs:?}");
        }
    }

    #[test]
    fn configured_hosts_bound_what_host_may_say() {
        let hosts = ["cc.example".to_owned(), "192.0.2.1".to_owned(), "2001:db8::1".to_owned()];
        for (host, passes) in [
            ("cc.example", true),
            ("cc.example:8443", true),
            ("192.0.2.1", true),
            ("[2001:db8::1]:8443", true),
            ("rebound.evil.example", false),
            ("192.0.2.2", false),
        ] {
            let origin = format!("https://{host}");
            assert_eq!(
                is_own_page(&headers(&[("host", host), ("origin", &origin)]), &hosts),
                passes,
                "{host}"
            );
        }
    }
}
