//! Free-text search over customers.

use super::{Crm, CrmError};
use crate::domain::Scope;
use crate::domain::customer::Customer;
use crate::domain::kana::fold;

/// Customers that one search yields at most.
const MOST_FOUND: usize = 100;
/// Characters of a search that are looked at.
const LONGEST_SEARCH: usize = 200;
/// Words of a search that are looked for.
const MOST_TERMS: usize = 8;

impl Crm {
    /// Free-text search over name, kana, code, numbers and email, all folded; every word must
    /// occur. A telephone number is found however it is written. At most `limit` (≤ 100).
    pub async fn search(&self, scope: &Scope, text: &str, limit: usize) -> Result<Vec<Customer>, CrmError> {
        let tenant = self.store.tenant(scope.tenant())?;
        let limit = limit.min(MOST_FOUND);
        if let Some(digits) = digits(text) {
            let found = tenant.customer_search(scope, vec![digits], limit).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(tenant.customer_search(scope, terms(text), limit).await?)
    }
}

/// The words of a search, folded.
fn terms(text: &str) -> Vec<String> {
    let text: String = text.chars().take(LONGEST_SEARCH).collect();
    text.split_whitespace()
        .map(|word| fold(&word.replace(char::is_control, "")))
        .filter(|word| !word.is_empty())
        .take(MOST_TERMS)
        .collect()
}

/// The digits of a search that reads like a telephone number.
fn digits(text: &str) -> Option<String> {
    let text: String = text.chars().take(LONGEST_SEARCH).collect();
    let folded = fold(&text);
    let number = folded.chars().all(|c| c.is_ascii_digit() || "+-().ー".contains(c));
    let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
    (number && !digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_told_apart() {
        assert_eq!(digits("０３−５５５５ー０１４２").as_deref(), Some("0355550142"));
        assert_eq!(digits("+81 (3) 5555.0142").as_deref(), Some("81355550142"));
        assert_eq!(digits("A-12"), None);
        assert_eq!(digits(" + "), None);
        assert_eq!(terms("山田　たろう \u{0} X"), ["山田", "タロウ", "x"]);
        assert_eq!(terms("  \u{3000} "), Vec::<String>::new());
        assert_eq!(terms(&"a ".repeat(10_000)).len(), MOST_TERMS);
    }
}
