//! Telephone numbers, normalised to E.164.

use serde::{Deserialize, Serialize};

/// An E.164 number with its leading `+` (ITU-T E.164: at most 15 digits).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// The text, `+81355550142`.
    pub fn as_str(&self) -> &str { &self.0 }
}
