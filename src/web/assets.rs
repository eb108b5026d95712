//! The page: files embedded by `build.rs`, and `index.html` for every path of its router.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// One embedded file.
struct Asset {
    /// From the root, `/assets/…`.
    path: &'static str,
    content_type: &'static str,
    /// Its name holds a hash of its content.
    immutable: bool,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Serves a file, or the page for a path without one.
pub async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match find(request.uri().path()) {
        Some(asset) => answer(asset),
        None => (StatusCode::NOT_FOUND, "not found").into_response(),
    }
}

fn find(path: &str) -> Option<&'static Asset> {
    let named = |name: &str| ASSETS.iter().find(|asset| asset.path == name);
    let file = path == "/assets" || path.starts_with("/assets/");
    named(path).or_else(|| if !file && is_screen(path) { named("/index.html") } else { None })
}

/// Whether the page's router may know it: plain words. Anything encoded, dotted or strange is
/// nothing of ours.
fn is_screen(path: &str) -> bool {
    path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_'))
}

fn answer(asset: &Asset) -> Response {
    let cache = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
            (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        ],
        asset.bytes,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_are_screens() {
        for path in ["/", "/login", "/calls/0193", "/index.html"] {
            assert_eq!(find(path).map(|asset| asset.path), Some("/index.html"), "{path}");
        }
        for path in [
            "/../etc/passwd",
            "/..%2fetc/passwd",
            "/%2e%2e/etc/passwd",
            "/..\\etc",
            "/.git/config",
            "/a%00b",
            "/assets",
            "/assets/",
            "/assets/../index.html",
            "/assets/none.js",
            "/bbd.toml",
            "/favicon.ico",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }
}
