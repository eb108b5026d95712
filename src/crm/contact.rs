//! Contact records: what came of a call.

use super::customer::check_text;
use super::{Crm, CrmError, LONGEST_TEXT};
use crate::domain::contact::{ContactRecord, NextAction};
use crate::domain::customer::Customer;
use crate::domain::{CallId, CampaignId, ContactRecordId, CustomerId, Scope, UnixMillis};
use crate::store::StoreError;
use uuid::Uuid;

/// Callbacks that may be asked for at once.
const MOST_CALLBACKS: usize = 500;

/// A contact record as the operator saves it.
#[derive(Clone)]
pub struct Draft {
    /// The campaign worked for.
    pub campaign: CampaignId,
    /// The customer, if known.
    pub customer: Option<CustomerId>,
    /// The call it is of; with the saving account it is the record's key.
    pub call: Option<CallId>,
    /// 用件区分
    pub topic: String,
    /// 対応結果
    pub disposition: String,
    /// 次アクション
    pub next_action: NextAction,
    /// When due.
    pub due_at: Option<UnixMillis>,
    /// 対応内容, at most 20,000 characters.
    pub note: String,
    /// The version this edits; 0 for the first save. A newer one in the store is a conflict.
    pub version: i64,
}

impl std::fmt::Debug for Draft {
    /// Notes are personal data and stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft")
            .field("call", &self.call)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Crm {
    /// Saves a contact record of the scope's account; returns after commit. A record without a
    /// call can't be edited again, so its `version` is 0. A follow-up time without a next
    /// action is dropped.
    pub async fn save_contact(&self, scope: &Scope, draft: Draft) -> Result<ContactRecord, CrmError> {
        let tenant = self.store.tenant(scope.tenant())?;
        let account = scope
            .account()
            .ok_or_else(|| CrmError::Field("account", "Only an account writes contact records.".into()))?;
        if draft.call.is_none() && draft.version != 0 {
            return Err(CrmError::Field("version", "A record without a call can't be edited again.".into()));
        }
        let note = check_text("note", &draft.note, LONGEST_TEXT)?;
        let campaigns = tenant.campaigns(scope).await?;
        let campaign =
            campaigns.iter().find(|known| known.id == draft.campaign).ok_or(StoreError::NotFound)?;
        let listed = |field, word: &str, list: &[String]| {
            if word.is_empty() || list.iter().any(|known| known == word) {
                return Ok(());
            }
            Err(CrmError::Field(
                field,
                "It is not in the campaign's list; choose one of those or none.".into(),
            ))
        };
        listed("topic", &draft.topic, &campaign.topics)?;
        listed("disposition", &draft.disposition, &campaign.dispositions)?;
        let now = self.clock.unix_millis();
        let record = ContactRecord {
            id: ContactRecordId(Uuid::now_v7()),
            campaign: draft.campaign,
            customer: draft.customer,
            call: draft.call,
            account,
            topic: draft.topic,
            disposition: draft.disposition,
            next_action: draft.next_action,
            due_at: draft.due_at.filter(|_| draft.next_action != NextAction::None),
            note,
            created_at: now,
            updated_at: now,
            version: draft.version,
        };
        Ok(tenant.contact_save(scope, record).await?)
    }

    /// The contact record that the scope's account has saved of a call, if any: what a
    /// conflict is shown with.
    pub async fn contact(&self, scope: &Scope, call: CallId) -> Result<Option<ContactRecord>, CrmError> {
        let Some(account) = scope.account() else { return Ok(None) };
        Ok(self.store.tenant(scope.tenant())?.contact_of(scope, call, account).await?)
    }

    /// Callbacks the account owes, soonest first: record and customer. At most `limit` (≤ 500).
    pub async fn callbacks(
        &self,
        scope: &Scope,
        limit: usize,
    ) -> Result<Vec<(ContactRecord, Option<Customer>)>, CrmError> {
        let Some(account) = scope.account() else { return Ok(Vec::new()) };
        let tenant = self.store.tenant(scope.tenant())?;
        Ok(tenant.callbacks(scope, account, limit.min(MOST_CALLBACKS)).await?)
    }
}
