//! Telephone numbers, normalised to E.164.

use serde::{Deserialize, Serialize};

/// An E.164 number with its leading `+` (ITU-T E.164: at most 15 digits).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number typed or received in `region` (ISO 3166 alpha-2); `None` when it can't
    /// be a telephone number.
    pub fn normalise(text: &str, region: &str) -> Option<Self> {
        let _ = (text, region);
        todo!("H1")
    }
    /// Reads stored E.164 text: `+` and 3 to 15 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let good = (3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        good.then(|| Self(text.to_owned()))
    }
    /// As people of its country write it: `03-5555-0142`.
    pub fn national(&self) -> String {
        todo!("H1")
    }
    /// The text, `+81355550142`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
