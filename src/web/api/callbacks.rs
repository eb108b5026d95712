//! `/api/v1/callbacks`: what the account owes its customers.

use super::view;
use crate::web::refusal::{ErrorBody, Refusal};
use crate::web::router::App;
use crate::web::session::LoggedIn;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// At most so many are listed.
const LIMIT: usize = 100;

/// A callback owed.
#[derive(Serialize, ToSchema)]
pub struct Callback {
    record: view::ContactRecord,
    #[schema(required)]
    customer: Option<view::Customer>,
}

/// Callbacks owed, soonest first.
#[derive(Serialize, ToSchema)]
pub struct Callbacks {
    rows: Vec<Callback>,
}

/// Lists the callbacks the account owes.
#[utoipa::path(get, path = "/api/v1/callbacks", operation_id = "callbacks", responses(
    (status = 200, body = Callbacks),
    (status = 401, body = ErrorBody),
))]
pub async fn list(
    State(app): State<App>,
    LoggedIn(session): LoggedIn,
) -> Result<axum::Json<Callbacks>, Refusal> {
    let rows = app.services.crm.callbacks(&session.scope, LIMIT).await?;
    let row = |(record, customer): (_, Option<_>)| Callback {
        record: view::ContactRecord::from(record),
        customer: customer.map(view::Customer::from),
    };
    Ok(axum::Json(Callbacks { rows: rows.into_iter().map(row).collect() }))
}
