//! The certificate, and TLS 1.2 and 1.3 with AEAD suites alone.

use super::WebError;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// A certificate chain with its key, fit to serve.
#[derive(Clone)]
pub struct Certificate(Arc<CertifiedKey>);

impl std::fmt::Debug for Certificate {
    /// The key stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificate")
    }
}

impl Certificate {
    /// Reads a PEM chain and a PEM key from files. The message names the file at fault.
    pub fn load(chain: &Path, key: &Path) -> Result<Self, WebError> {
        let read = |path: &Path| {
            std::fs::read(path)
                .map_err(|e| WebError::Certificate(format!("can't read {}: {e}", path.display())))
        };
        let key_bytes = zeroize::Zeroizing::new(read(key)?);
        Self::parse(&read(chain)?, &key_bytes, &chain.display().to_string(), &key.display().to_string())
    }

    /// Takes a PEM chain and a PEM key as bytes.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, WebError> {
        Self::parse(chain, key, "the certificate", "the key")
    }

    fn parse(chain: &[u8], key: &[u8], chain_name: &str, key_name: &str) -> Result<Self, WebError> {
        let refuse = |name: &str, why: String| WebError::Certificate(format!("{name}: {why}"));
        let certificates = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| refuse(chain_name, format!("not a PEM certificate chain: {e}")))?;
        if certificates.is_empty() {
            return Err(refuse(chain_name, "holds no PEM certificate".into()));
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|e| refuse(key_name, format!("holds no PEM private key: {e}")))?;
        let certified = CertifiedKey::from_der(certificates, key, &aws_lc_rs::default_provider())
            .map_err(|e| refuse(key_name, format!("can't be used with {chain_name}: {e}")))?;
        Ok(Self(Arc::new(certified)))
    }

    /// SHA-256 of the leaf certificate as `AB:CD:…`, as browsers and `openssl x509` show it.
    pub fn fingerprint(&self) -> String {
        let leaf = self.0.cert.first().map_or(&[][..], |leaf| leaf.as_ref());
        let digest = ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, leaf);
        let hex: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        hex.join(":")
    }
}

/// Changes the certificate of new handshakes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reload(Arc<Current>);

#[derive(Debug)]
struct Current(RwLock<Certificate>);

impl Reload {
    /// Starts with `certificate`.
    pub fn new(certificate: Certificate) -> Self {
        Self(Arc::new(Current(RwLock::new(certificate))))
    }

    /// Handshakes from now on use `certificate`; open connections keep theirs.
    pub fn replace(&self, certificate: Certificate) {
        *self.0.0.write().unwrap_or_else(PoisonError::into_inner) = certificate;
    }

    /// A TLS configuration that always serves the current certificate: TLS 1.2 and 1.3, the
    /// AEAD suites of aws-lc-rs, ALPN `http/1.1`, no early data.
    pub fn server_config(&self) -> Result<Arc<rustls::ServerConfig>, WebError> {
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|e| WebError::Certificate(format!("TLS can't be set up: {e}")))?
            .with_no_client_auth()
            .with_cert_resolver(self.0.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).0.clone())
    }
}
