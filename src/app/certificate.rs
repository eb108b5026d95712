//! The certificate of the web pages: the configured one, or one we make and keep.

use super::StartError;
use crate::clock::Clock;
use crate::config::{Keypair, Web};
use crate::wire::status::Certificate;
use aws_lc_rs::digest;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Days that a certificate of our own is valid; made anew when fewer than a tenth is left.
const OWN_DAYS: i64 = 825;

/// What TLS serves, exchangeable while it runs. Cheap to clone.
#[derive(Clone)]
pub struct Shown(Arc<RwLock<(Keypair, Certificate)>>);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown")
    }
}

impl Shown {
    /// Loads the configured certificate, or ours from `data_dir`, made if needed.
    pub fn load(web: &Web, data_dir: &Path, clock: &Clock) -> Result<Self, StartError> {
        Ok(Self(Arc::new(RwLock::new(load(web, data_dir, clock)?))))
    }

    /// Loads again; the old one stays when that fails.
    pub fn reload(&self, web: &Web, data_dir: &Path, clock: &Clock) -> Result<(), StartError> {
        let loaded = load(web, data_dir, clock)?;
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// What people are told of it.
    pub fn description(&self) -> Certificate {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).1.clone()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).0.0.clone())
    }
}

fn load(web: &Web, data_dir: &Path, clock: &Clock) -> Result<(Keypair, Certificate), StartError> {
    let (pair, self_signed) = match (&web.certificate, &web.key) {
        (Some(certificate), Some(key)) => (Keypair::read(certificate, key).map_err(StartError::Pem)?, false),
        _ => (own(web, data_dir, clock)?, true),
    };
    let not_after = not_after(pair.leaf())
        .ok_or_else(|| StartError::Certificate("the certificate's validity can't be read".into()))?;
    let described = Certificate { fingerprint: fingerprint(pair.leaf()), not_after, self_signed };
    if not_after <= clock.unix_millis() {
        tracing::warn!(fingerprint = described.fingerprint, "the web certificate has expired");
    }
    tracing::info!(fingerprint = described.fingerprint, self_signed, "web certificate loaded");
    Ok((pair, described))
}

/// Our own certificate: the kept one while it holds, else a new one.
fn own(web: &Web, data_dir: &Path, clock: &Clock) -> Result<Keypair, StartError> {
    let (certificate, key) = (data_dir.join("self-signed.crt"), data_dir.join("self-signed.key"));
    if certificate.exists() && key.exists() {
        let kept = Keypair::read(&certificate, &key).map_err(StartError::Pem)?;
        let left = not_after(kept.leaf()).unwrap_or(0) - clock.unix_millis();
        if left > OWN_DAYS * 86_400_000 / 10 {
            return Ok(kept);
        }
    }
    make(web, &certificate, &key, clock)?;
    Keypair::read(&certificate, &key).map_err(StartError::Pem)
}

fn make(web: &Web, certificate: &Path, key: &Path, clock: &Clock) -> Result<(), StartError> {
    let made = |e: rcgen::Error| StartError::Certificate(format!("no certificate could be made: {e}"));
    let mut hosts = web.hosts.clone();
    for host in ["localhost", "127.0.0.1", "::1"] {
        if !hosts.iter().any(|h| h == host) {
            hosts.push(host.into());
        }
    }
    let subject = hosts.first().cloned().unwrap_or_default();
    let mut params = rcgen::CertificateParams::new(hosts).map_err(made)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, subject);
    params.extended_key_usages.push(rcgen::ExtendedKeyUsagePurpose::ServerAuth);
    let day = date(clock.unix_millis() - 86_400_000);
    params.not_before = rcgen::date_time_ymd(day.0, day.1, day.2);
    let day = date(clock.unix_millis() + OWN_DAYS * 86_400_000);
    params.not_after = rcgen::date_time_ymd(day.0, day.1, day.2);
    let signing_key = rcgen::KeyPair::generate().map_err(made)?;
    let signed = params.self_signed(&signing_key).map_err(made)?;
    // Key first: a crash between the two leaves no certificate, and both are made anew.
    let _ = std::fs::remove_file(certificate);
    write_private(key, signing_key.serialize_pem().as_bytes())?;
    write_private(certificate, signed.pem().as_bytes())
}

fn date(millis: i64) -> (i32, u8, u8) {
    let date = jiff::Timestamp::from_millisecond(millis)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    (i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), StartError> {
    let temporary = PathBuf::from(format!("{}.new", path.display()));
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| std::io::Write::write_all(&mut file, bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|error| StartError::Path { path: path.into(), doing: "written", error })
}

/// Upper-case hexadecimal SHA-256 with colons, as browsers show it.
fn fingerprint(der: &[u8]) -> String {
    let mut text = String::new();
    for byte in digest::digest(&digest::SHA256, der).as_ref() {
        let colon = if text.is_empty() { "" } else { ":" };
        // Writing to a String never fails.
        let _ = write!(text, "{colon}{byte:02X}");
    }
    text
}

fn not_after(der: &[u8]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    certificate.validity().not_after.timestamp().checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_certificate_is_kept_until_it_runs_out() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::test(1_790_000_000_000);
        let web = Web { hosts: vec!["call.example.jp".into()], ..Web::default() };
        let first = Shown::load(&web, dir.path(), &clock).unwrap().description();
        assert!(first.self_signed);
        assert_eq!(first.fingerprint.len(), 32 * 3 - 1);
        assert_eq!(Shown::load(&web, dir.path(), &clock).unwrap().description(), first);
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(dir.path().join("self-signed.key")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        clock.advance(std::time::Duration::from_secs(86_400 * 800));
        let shown = Shown::load(&web, dir.path(), &clock).unwrap();
        assert!(shown.description().not_after > first.not_after);
    }
}
