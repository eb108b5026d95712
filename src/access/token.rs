//! Session tokens: `<tenant id, 32 hex digits>.<256 random bits, base64url>`. The tenant
//! stands in it because each tenant's sessions are in its own database.

use super::AccessError;
use super::password::fill;
use crate::domain::TenantId;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// Length of every token in bytes.
const LENGTH: usize = 32 + 1 + 43;

/// A fresh token.
pub(super) fn make(tenant: TenantId) -> Result<Zeroizing<String>, AccessError> {
    let mut secret = Zeroizing::new([0; 32]);
    fill(secret.as_mut_slice())?;
    let mut token = Zeroizing::new(String::with_capacity(LENGTH));
    token.push_str(&tenant.0.simple().to_string());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(secret.as_slice(), &mut token);
    Ok(token)
}

/// The tenant that a token names and the hash it is kept under; `None` for other text.
pub(super) fn read(token: &str) -> Option<(TenantId, [u8; 32])> {
    if token.len() != LENGTH {
        return None;
    }
    let (tenant, secret) = token.split_once('.')?;
    let shaped =
        tenant.len() == 32 && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    shaped.then_some(())?;
    Some((TenantId::parse(tenant)?, hash(token)))
}

/// SHA-256 of a token: with 256 random bits in it nothing slower is needed.
pub(super) fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}
