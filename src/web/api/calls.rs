//! `/api/v1/calls`: recent calls.

use super::customers::{History, Limit};
use super::view::{Call, HistoryRow};
use crate::web::directory;
use crate::web::query::Query;
use crate::web::refusal::{ErrorBody, Refusal};
use crate::web::router::App;
use crate::web::session::LoggedIn;
use axum::extract::State;

/// Lists recent calls, newest first: an operator's own ones, for others those of their campaigns.
#[utoipa::path(get, path = "/api/v1/calls", operation_id = "calls", params(Limit), responses(
    (status = 200, body = History),
    (status = 401, body = ErrorBody),
))]
pub async fn list(
    State(app): State<App>,
    LoggedIn(session): LoggedIn,
    Query(query): Query<Limit>,
) -> Result<axum::Json<History>, Refusal> {
    let store = &app.services.store;
    let limit = query.limit.unwrap_or(50).clamp(1, 100);
    let calls = directory::calls(store, &session, limit).await?;
    let names = directory::names(store, session.tenant.id).await?;
    let mut rows = Vec::with_capacity(calls.len());
    for call in calls {
        let contact = app.services.crm.contact(&session.scope, call.id).await?;
        rows.push(HistoryRow {
            at: call.started_at,
            operator: call.operator.and_then(|id| names.get(&id).cloned()).unwrap_or_default(),
            contact: contact.map(Into::into),
            call: Some(Call::from(call)),
        });
    }
    Ok(axum::Json(History { rows }))
}
