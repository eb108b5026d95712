//! `customer import|search`.

use super::{List, asks};
use crate::domain::customer::Customer;
use serde::{Deserialize, Serialize};

/// Imports a CSV, all or nothing. The file follows the request's line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
    /// Into which campaign.
    pub campaign: String,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The campaign's name.
    pub campaign: String,
    /// New customers.
    pub added: usize,
    /// Customers whose code was known, now changed.
    pub changed: usize,
    /// `utf-8` or `shift_jis`.
    pub encoding: String,
    /// Whether nothing was really imported.
    pub dry_run: bool,
}

/// Searches name, kana, code, numbers and e-mail. Audited: it shows personal data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Search {
    /// What to look for.
    pub text: String,
    /// At most this many, up to 100; 20 when absent.
    pub limit: Option<usize>,
}

asks! {
    Import => "customer" "import" -> Imported;
    Search => "customer" "search" -> List<Customer>;
}
