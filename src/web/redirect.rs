//! Plain HTTP: one answer, "over there, encrypted".

use super::origin::host;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// What the redirect needs to know.
#[derive(Clone)]
struct Target {
    hosts: Arc<[String]>,
    port: u16,
}

/// Redirects every request (308: the method stays) to `https` on `port`, for a `Host` that is
/// well formed and one of `hosts`, where any are configured.
pub fn router(hosts: &[String], port: u16) -> Router {
    Router::new().fallback(redirect).with_state(Target { hosts: hosts.into(), port })
}

async fn redirect(State(target): State<Target>, request: Request) -> Response {
    let location = location(&target, &request);
    match location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        Some(location) => (
            StatusCode::PERMANENT_REDIRECT,
            [(header::LOCATION, location), (header::CACHE_CONTROL, NO_STORE)],
        )
            .into_response(),
        None => (StatusCode::BAD_REQUEST, "this host is not served here\n").into_response(),
    }
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

fn location(target: &Target, request: &Request) -> Option<String> {
    let authority = host(request.headers(), &target.hosts)?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = if path.starts_with('/') { path } else { "/" };
    let host = authority.host();
    Some(match target.port {
        443 => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use tower::ServiceExt;

    async fn ask(hosts: &[&str], port: u16, host: &str, path: &str) -> (u16, String) {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let request = Request::builder().uri(path).header("host", host).body(Body::empty()).unwrap();
        let response = router(&hosts, port).oneshot(request).await.unwrap();
        let location = response.headers().get("location").map_or("", |value| value.to_str().unwrap());
        (response.status().as_u16(), location.to_owned())
    }

    #[tokio::test]
    async fn only_known_hosts_are_redirected() {
        let hosts = ["cc.example"];
        for (host, path, expected) in [
            ("cc.example", "/", "https://cc.example/"),
            ("cc.example:80", "/a?b=c", "https://cc.example/a?b=c"),
            ("cc.example", "//evil.example/", "https://cc.example//evil.example/"),
            ("cc.example", "/%0d%0aset-cookie:x", "https://cc.example/%0d%0aset-cookie:x"),
        ] {
            assert_eq!(ask(&hosts, 443, host, path).await, (308, expected.to_owned()));
        }
        for host in ["evil.example", "cc.example@evil.example", "cc.example/evil", "", "cc example", "[::1"] {
            assert_eq!(ask(&hosts, 443, host, "/").await, (400, String::new()), "{host:?}");
        }
        assert_eq!(ask(&[], 8443, "[::1]:8080", "/x").await, (308, "https://[::1]:8443/x".to_owned()));
    }
}
