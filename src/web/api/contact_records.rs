//! `/api/v1/contact-records`: what came of a contact.

use super::view;
use crate::audit::Outcome;
use crate::crm::{CrmError, Draft};
use crate::domain::contact::NextAction;
use crate::domain::{CallId, CampaignId, CustomerId, UnixMillis};
use crate::store::StoreError;
use crate::web::body::Json;
use crate::web::refusal::{Conflict, ErrorBody, Refusal};
use crate::web::router::{App, Peer};
use crate::web::session::LoggedIn;
use axum::Extension;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// A contact record as the operator saves it. One a call and operator: saving again replaces it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactDraft {
    campaign: CampaignId,
    customer: Option<CustomerId>,
    call: Option<CallId>,
    /// 用件区分: one of the campaign's, or empty.
    topic: String,
    /// 対応結果: one of the campaign's, or empty.
    disposition: String,
    next_action: NextAction,
    #[schema(value_type = Option<i64>)]
    due_at: Option<UnixMillis>,
    /// 対応内容, at most 20,000 characters.
    note: String,
    /// The version this edits; 0 for the first save.
    version: i64,
}

/// Saves a contact record; answers after commit.
#[utoipa::path(put, path = "/api/v1/contact-records", operation_id = "saveContactRecord", request_body = ContactDraft, responses(
    (status = 200, body = view::ContactRecord),
    (status = 401, body = ErrorBody),
    (status = 403, description = "`cross_site`", body = ErrorBody),
    (status = 404, description = "`not_found`: campaign, customer or call is not within the scope", body = ErrorBody),
    (status = 409, description = "`conflict`", body = Conflict<view::ContactRecord>),
    (status = 422, description = "`field`", body = ErrorBody),
))]
pub async fn save(
    State(app): State<App>,
    LoggedIn(session): LoggedIn,
    Extension(peer): Extension<Peer>,
    Json(it): Json<ContactDraft>,
) -> Result<axum::Json<view::ContactRecord>, Refusal> {
    let draft = Draft {
        campaign: it.campaign,
        customer: it.customer,
        call: it.call,
        topic: it.topic,
        disposition: it.disposition,
        next_action: it.next_action,
        due_at: it.due_at,
        note: it.note,
        version: it.version,
    };
    let crm = &app.services.crm;
    match crm.save_contact(&session.scope, draft).await {
        Err(CrmError::Store(StoreError::Conflict(_))) => {
            let current =
                if let Some(call) = it.call { crm.contact(&session.scope, call).await? } else { None };
            Err(Refusal::Conflict(
                current.and_then(|it| serde_json::to_value(view::ContactRecord::from(it)).ok()),
            ))
        }
        result => {
            let record = result?;
            app.audit(&session, peer, "contact.save", record.id.to_string(), Outcome::Done).await?;
            Ok(axum::Json(record.into()))
        }
    }
}
