//! The `{id}` of a path.

use super::refusal::Refusal;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use uuid::Uuid;

/// Anything that is no id, a path or bytes that are no text included, is simply not there.
pub struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| Refusal::NotFound)?;
        // Only the hyphenated form: one thing has one address.
        let hyphenated = text.len() == uuid::fmt::Hyphenated::LENGTH;
        Uuid::parse_str(&text).ok().filter(|_| hyphenated).map(Self).ok_or(Refusal::NotFound)
    }
}
