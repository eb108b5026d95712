//! The OpenAPI document: the API, and the live connection's frames.

use super::api::{callbacks, calls, contact_records, customers, recordings, session};
use super::live::protocol;
use super::refusal::{ErrorBody, Refusal};
use super::session::LoggedIn;
use crate::domain::account::Role;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "BlueBean",
        version = "1",
        description = "Times are integer milliseconds since the Unix epoch, UTC. Mutations carry `X-BlueBean: 1` and come from BlueBean's own page.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(),
    ),
    paths(
        session::log_in,
        session::show,
        session::log_out,
        customers::search,
        customers::show,
        customers::change,
        customers::history,
        contact_records::save,
        callbacks::list,
        calls::list,
        recordings::show,
        recordings::audio,
        document,
        super::live::connect,
    ),
    components(schemas(protocol::Request, protocol::Frame))
)]
struct Document;

/// The document as JSON text, as it is committed at `src/ui/openapi.json`.
pub fn json() -> Result<String, Refusal> {
    let mut text = Document::openapi().to_pretty_json().map_err(|error| {
        tracing::error!(%error, "the OpenAPI document can't be written");
        Refusal::Internal
    })?;
    text.push('\n');
    Ok(text)
}

/// This document; for supervisors and administrators.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "openapi", responses(
    (status = 200, description = "OpenAPI 3.1", content_type = "application/json"),
    (status = 401, body = ErrorBody),
    (status = 403, description = "`forbidden`", body = ErrorBody),
))]
pub async fn document(LoggedIn(session): LoggedIn) -> Result<Response, Refusal> {
    if session.account.role == Role::Operator {
        return Err(Refusal::Forbidden);
    }
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json()?).into_response())
}

#[cfg(test)]
mod tests {
    /// The page's types are generated from the committed document. `UPDATE_OPENAPI=1` rewrites it.
    #[test]
    fn openapi_is_committed_as_served() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ui/openapi.json");
        let served = super::json().unwrap();
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, &served).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == served,
            "src/ui/openapi.json is stale: UPDATE_OPENAPI=1 cargo test --lib openapi"
        );
    }
}
