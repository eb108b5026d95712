//! `/api/v1/calls`: recent calls.

use super::customers::{History, Limit};
use super::view::views;
use crate::web::query::Query;
use crate::web::refusal::{ErrorBody, Refusal};
use crate::web::router::App;
use crate::web::session::LoggedIn;
use axum::extract::State;

/// Lists recent calls, newest first: an operator's own ones, for others those of their campaigns.
#[utoipa::path(get, path = "/api/v1/calls", operation_id = "calls", params(
    ("limit" = Option<usize>, Query, description = "at most so many, 1–100; 50 when absent"),
), responses(
    (status = 200, body = History),
    (status = 401, body = ErrorBody),
))]
pub async fn list(
    State(app): State<App>,
    LoggedIn(session): LoggedIn,
    Query(query): Query<Limit>,
) -> Result<axum::Json<History>, Refusal> {
    let limit = query.limit.unwrap_or(50).clamp(1, 100);
    let rows = app.services.crm.recent_calls(&session.scope, limit, None).await?;
    Ok(axum::Json(History { rows: views(rows) }))
}
