//! `/api/v1/customers`: search, show, change, history.

use super::view::{self, HistoryRow, views};
use crate::audit::Outcome;
use crate::crm::CrmError;
use crate::domain::customer::Customer;
use crate::domain::{CustomerId, PhoneNumber};
use crate::store::StoreError;
use crate::web::body::Json;
use crate::web::id::Id;
use crate::web::query::Query;
use crate::web::refusal::{Conflict, ErrorBody, Refusal};
use crate::web::router::{App, Peer};
use crate::web::session::LoggedIn;
use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to search.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Any part of a name, kana, code, telephone number or email.
    q: String,
    /// At most this many, 1–100; 20 when absent.
    limit: Option<usize>,
}

/// How many rows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// At most this many, 1–100; 50 when absent.
    pub(super) limit: Option<usize>,
}

/// Customers found.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomersFound)]
pub struct Found {
    customers: Vec<view::Customer>,
}

/// 対応履歴, newest first.
#[derive(Serialize, ToSchema)]
pub struct History {
    pub(super) rows: Vec<HistoryRow>,
}

/// What to change of a customer; what is absent stays, `null` empties a number.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CustomerChange)]
pub struct Change {
    /// The version this edits.
    version: i64,
    name: Option<String>,
    kana: Option<String>,
    /// E.164 or national; `null` or empty for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    phone: Option<Option<String>>,
    /// E.164 or national; `null` or empty for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    phone_alt: Option<Option<String>>,
    email: Option<String>,
    postcode: Option<String>,
    address: Option<String>,
    handover: Option<String>,
}

/// Tells `null` (`Some(None)`) from an absent field (`None`).
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// Searches customers within the scope.
#[utoipa::path(get, path = "/api/v1/customers", operation_id = "searchCustomers", params(
    ("q" = String, Query, description = "any part of a name, kana, code, telephone number or email"),
    ("limit" = Option<usize>, Query, description = "at most so many, 1–100; 20 when absent"),
), responses(
    (status = 200, body = Found),
    (status = 401, body = ErrorBody),
))]
pub async fn search(
    State(app): State<App>,
    LoggedIn(session): LoggedIn,
    Query(query): Query<Search>,
) -> Result<axum::Json<Found>, Refusal> {
    let limit = query.limit.unwrap_or(20).clamp(1, 100);
    let customers = app.services.crm.search(&session.scope, &query.q, limit).await?;
    Ok(axum::Json(Found { customers: views(customers) }))
}

/// Shows one customer.
#[utoipa::path(get, path = "/api/v1/customers/{id}", operation_id = "customer", params(("id" = CustomerId, Path)), responses(
    (status = 200, body = view::Customer),
    (status = 401, body = ErrorBody),
    (status = 404, description = "`not_found`: none within the scope", body = ErrorBody),
))]
pub async fn show(
    State(app): State<App>,
    LoggedIn(session): LoggedIn,
    Id(id): Id,
) -> Result<axum::Json<view::Customer>, Refusal> {
    let customer = app.services.crm.customer(&session.scope, CustomerId(id)).await?;
    Ok(axum::Json(customer.into()))
}

/// Changes a customer.
#[utoipa::path(put, path = "/api/v1/customers/{id}", operation_id = "changeCustomer", params(("id" = CustomerId, Path)), request_body = Change, responses(
    (status = 200, body = view::Customer),
    (status = 401, body = ErrorBody),
    (status = 403, description = "`cross_site`", body = ErrorBody),
    (status = 404, description = "`not_found`: none within the scope", body = ErrorBody),
    (status = 409, description = "`conflict`", body = Conflict<view::Customer>),
    (status = 422, description = "`field`", body = ErrorBody),
))]
pub async fn change(
    State(app): State<App>,
    LoggedIn(session): LoggedIn,
    Extension(peer): Extension<Peer>,
    Id(id): Id,
    Json(change): Json<Change>,
) -> Result<axum::Json<view::Customer>, Refusal> {
    let crm = &app.services.crm;
    let customer = crm.customer(&session.scope, CustomerId(id)).await?;
    let id = customer.id;
    let changed = change.apply(customer, &session.tenant.region)?;
    match crm.save_customer(&session.scope, changed).await {
        Err(CrmError::Store(StoreError::Conflict(_))) => {
            let current: view::Customer = crm.customer(&session.scope, id).await?.into();
            Err(Refusal::Conflict(serde_json::to_value(current).ok()))
        }
        result => {
            let customer = result?;
            app.audit(&session, peer, "customer.change", id.to_string(), Outcome::Done).await?;
            Ok(axum::Json(customer.into()))
        }
    }
}

/// Shows a customer's history.
#[utoipa::path(get, path = "/api/v1/customers/{id}/history", operation_id = "customerHistory", params(
    ("id" = CustomerId, Path),
    ("limit" = Option<usize>, Query, description = "at most so many, 1–100; 50 when absent"),
), responses(
    (status = 200, body = History),
    (status = 401, body = ErrorBody),
    (status = 404, description = "`not_found`: none within the scope", body = ErrorBody),
))]
pub async fn history(
    State(app): State<App>,
    LoggedIn(session): LoggedIn,
    Id(id): Id,
    Query(query): Query<Limit>,
) -> Result<axum::Json<History>, Refusal> {
    let limit = query.limit.unwrap_or(50).clamp(1, 100);
    let rows = app.services.crm.history(&session.scope, CustomerId(id), limit).await?;
    Ok(axum::Json(History { rows: views(rows) }))
}

impl Change {
    fn apply(self, mut customer: Customer, region: &str) -> Result<Customer, Refusal> {
        customer.version = self.version;
        let texts = [
            (&mut customer.name, self.name),
            (&mut customer.kana, self.kana),
            (&mut customer.email, self.email),
            (&mut customer.postcode, self.postcode),
            (&mut customer.address, self.address),
            (&mut customer.handover, self.handover),
        ];
        for (field, text) in texts {
            if let Some(text) = text {
                *field = text;
            }
        }
        let numbers = [
            ("phone", &mut customer.phone, self.phone),
            ("phone_alt", &mut customer.phone_alt, self.phone_alt),
        ];
        for (name, field, text) in numbers {
            if let Some(text) = text {
                *field = number(name, text.as_deref().unwrap_or_default(), region)?;
            }
        }
        Ok(customer)
    }
}

fn number(name: &str, text: &str, region: &str) -> Result<Option<PhoneNumber>, Refusal> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let refuse = || Refusal::Field(name.to_owned(), "This is not a telephone number.".to_owned());
    PhoneNumber::normalise(text, region).map(Some).ok_or_else(refuse)
}
