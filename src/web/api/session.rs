//! `/api/v1/session`: log in, who am I, log out.

use crate::access::{Attempt, Session};
use crate::domain::account::Role;
use crate::domain::{AccountId, CampaignId, QueueId, TenantId};
use crate::store::Store;
use crate::web::body::Json;
use crate::web::directory;
use crate::web::refusal::{ErrorBody, Refusal};
use crate::web::router::{App, Peer};
use crate::web::session::{LoggedIn, clear_cookie, set_cookie};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// Longest browser name kept with a session, in bytes.
const LONGEST_USER_AGENT: usize = 256;

/// What the login form sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The tenant's slug.
    tenant: String,
    /// The account's login.
    login: String,
    /// Its password.
    #[serde(deserialize_with = "wiped")]
    #[schema(value_type = String)]
    password: Zeroizing<String>,
}

/// Takes a password so that it is wiped when dropped.
fn wiped<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

/// Who is logged in, and what the screens need to begin.
#[derive(Serialize, ToSchema)]
pub struct Me {
    account: MyAccount,
    tenant: MyTenant,
    /// Running campaigns within the scope.
    campaigns: Vec<MyCampaign>,
    /// An operator's own queues; for others, those of their campaigns.
    queues: Vec<MyQueue>,
}

/// The account.
#[derive(Serialize, ToSchema)]
pub struct MyAccount {
    id: AccountId,
    login: String,
    /// The person's name.
    name: String,
    role: Role,
}

/// Its tenant.
#[derive(Serialize, ToSchema)]
pub struct MyTenant {
    id: TenantId,
    slug: String,
    name: String,
    /// IANA name.
    time_zone: String,
}

/// 業務
#[derive(Serialize, ToSchema)]
pub struct MyCampaign {
    id: CampaignId,
    name: String,
    /// 用件区分, in order.
    topics: Vec<String>,
    /// 対応結果, in order.
    dispositions: Vec<String>,
}

/// 窓口
#[derive(Serialize, ToSchema)]
pub struct MyQueue {
    id: QueueId,
    name: String,
    campaign: CampaignId,
}

/// Logs in. The same answer, after the same work, for an unknown tenant, an unknown login and
/// a wrong password.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "logIn", request_body = Login, responses(
    (status = 200, body = Me),
    (status = 401, description = "`denied`", body = ErrorBody),
    (status = 429, description = "`busy`", body = ErrorBody),
))]
pub async fn log_in(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    Json(login): Json<Login>,
) -> Result<Response, Refusal> {
    let Login { tenant, login, password } = login;
    let attempt = Attempt { tenant, login, password, source: peer.ip(), user_agent: user_agent(&headers) };
    let (session, token) = app.services.access.log_in(attempt).await?;
    let me = me(&app.services.store, session).await?;
    Ok(([(header::SET_COOKIE, set_cookie(&token)?)], axum::Json(me)).into_response())
}

/// Says who is logged in.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "me", responses(
    (status = 200, body = Me),
    (status = 401, description = "`no_session`", body = ErrorBody),
))]
pub async fn show(State(app): State<App>, LoggedIn(session): LoggedIn) -> Result<axum::Json<Me>, Refusal> {
    Ok(axum::Json(me(&app.services.store, session).await?))
}

/// Logs out.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "logOut", responses(
    (status = 204, description = "the session is over"),
    (status = 401, description = "`no_session`", body = ErrorBody),
))]
pub async fn log_out(State(app): State<App>, LoggedIn(session): LoggedIn) -> Result<Response, Refusal> {
    app.services.access.log_out(session.tenant.id, session.id).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, clear_cookie())]).into_response())
}

fn user_agent(headers: &HeaderMap) -> String {
    let text = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // `to_str` yields visible ASCII alone, so a byte is a character.
    text.chars().take(LONGEST_USER_AGENT).collect()
}

async fn me(store: &Store, session: Session) -> Result<Me, Refusal> {
    let campaigns = directory::campaigns(store, &session).await?;
    let queues = directory::queues(store, &session).await?;
    let Session { account, tenant, .. } = session;
    Ok(Me {
        account: MyAccount { id: account.id, login: account.login, name: account.name, role: account.role },
        tenant: MyTenant { id: tenant.id, slug: tenant.slug, name: tenant.name, time_zone: tenant.time_zone },
        campaigns: campaigns
            .into_iter()
            .map(|it| MyCampaign {
                id: it.id,
                name: it.name,
                topics: it.topics,
                dispositions: it.dispositions,
            })
            .collect(),
        queues: queues
            .into_iter()
            .map(|it| MyQueue { id: it.id, name: it.name, campaign: it.campaign })
            .collect(),
    })
}
