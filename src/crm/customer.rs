//! One customer, shown and changed.

use super::{Crm, CrmError, LONGEST_FIELD, LONGEST_TEXT};
use crate::domain::customer::Customer;
use crate::domain::{CustomerId, Scope};

impl Crm {
    /// One customer.
    pub async fn customer(&self, scope: &Scope, id: CustomerId) -> Result<Customer, CrmError> {
        Ok(self.store.tenant(scope.tenant())?.customer(scope, id).await?)
    }

    /// Saves changed fields of a customer; `version` in it must be the store's, else
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict). Returns after commit.
    pub async fn save_customer(&self, scope: &Scope, mut customer: Customer) -> Result<Customer, CrmError> {
        let fields: [(&'static str, &mut String, usize); 7] = [
            ("code", &mut customer.code, LONGEST_FIELD),
            ("name", &mut customer.name, LONGEST_FIELD),
            ("kana", &mut customer.kana, LONGEST_FIELD),
            ("email", &mut customer.email, LONGEST_FIELD),
            ("postcode", &mut customer.postcode, LONGEST_FIELD),
            ("address", &mut customer.address, LONGEST_FIELD),
            ("handover", &mut customer.handover, LONGEST_TEXT),
        ];
        for (name, field, longest) in fields {
            *field = check_text(name, field, longest)?;
        }
        if customer.code.is_empty() && customer.name.is_empty() && customer.phone.is_none() {
            return Err(CrmError::Field("name", "A customer has a name, a phone number or a code.".into()));
        }
        customer.updated_at = self.clock.unix_millis();
        Ok(self.store.tenant(scope.tenant())?.customer_save(scope, customer).await?)
    }
}

/// `text` without white space around it, if it is short enough and has no control characters
/// but tabs and line breaks.
pub(super) fn check_text(field: &'static str, text: &str, longest: usize) -> Result<String, CrmError> {
    let text = text.trim();
    if text.chars().count() > longest {
        return Err(CrmError::Field(field, format!("At most {longest} characters are kept; shorten it.")));
    }
    if text.chars().any(is_unwritable) {
        return Err(CrmError::Field(field, "It has a control character; remove it.".into()));
    }
    Ok(text.to_owned())
}

/// A control character that no person writes.
pub(super) fn is_unwritable(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}
