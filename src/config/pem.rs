//! A certificate chain and its key, read from PEM files.

use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;

/// A chain whose key fits it, ready for TLS.
#[derive(Clone, Debug)]
pub struct Keypair(pub Arc<CertifiedKey>);

/// Which of the two files is wrong, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// The chain.
    #[error("{0}")]
    Certificate(String),
    /// The key.
    #[error("{0}")]
    Key(String),
}

impl Keypair {
    /// Reads both files and checks that they belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, PemError> {
        let shown = certificate.display();
        let pem = std::fs::read(certificate)
            .map_err(|e| PemError::Certificate(format!("{shown} can't be read: {e}")))?;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|e| PemError::Certificate(format!("{shown} is no PEM certificate chain: {e}")))?;
        if chain.is_empty() {
            return Err(PemError::Certificate(format!("{shown} holds no PEM certificate")));
        }
        let shown = key.display();
        let pem = std::fs::read(key).map_err(|e| PemError::Key(format!("{shown} can't be read: {e}")))?;
        let pem = zeroize::Zeroizing::new(pem);
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| PemError::Key(format!("{shown} holds no PEM private key without a passphrase")))?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .map(|certified| Self(Arc::new(certified)))
            .map_err(|e| PemError::Key(format!("{shown} does not belong to the certificate: {e}")))
    }

    /// The leaf certificate, DER.
    pub fn leaf(&self) -> &[u8] {
        self.0.cert.first().map_or(&[], |c| c.as_ref())
    }
}
