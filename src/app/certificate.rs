//! The certificate of the web pages: the configured one, or one we make and keep.

use super::StartError;
use crate::clock::Clock;
use crate::config::{Keypair, Web};
use crate::web::tls;
use crate::wire::status::Certificate;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Days that a certificate of our own is valid; made anew when fewer than a tenth is left.
const OWN_DAYS: i64 = 825;

/// The configured certificate, or ours from `data_dir`, made if needed; with what people are
/// told of it.
pub(super) fn load(
    web: &Web,
    data_dir: &Path,
    clock: &Clock,
) -> Result<(tls::Certificate, Certificate), StartError> {
    let (chain, key, self_signed) = match (&web.certificate, &web.key) {
        (Some(chain), Some(key)) => (chain.clone(), key.clone(), false),
        _ => {
            let (chain, key) = own(web, data_dir, clock)?;
            (chain, key, true)
        }
    };
    let certificate = tls::Certificate::load(&chain, &key)?;
    let not_after = not_after(&chain, &key)?;
    let fingerprint = certificate.fingerprint();
    if not_after <= clock.unix_millis() {
        tracing::warn!(fingerprint, "the web certificate has expired");
    }
    tracing::info!(fingerprint, self_signed, "web certificate loaded");
    Ok((certificate, Certificate { fingerprint, not_after, self_signed }))
}

/// Our own certificate's files: the kept ones while they hold, else new ones.
fn own(web: &Web, data_dir: &Path, clock: &Clock) -> Result<(PathBuf, PathBuf), StartError> {
    let (chain, key) = (data_dir.join("self-signed.crt"), data_dir.join("self-signed.key"));
    let is_kept = chain.exists() && key.exists();
    if !is_kept || not_after(&chain, &key)? - clock.unix_millis() < OWN_DAYS * 86_400_000 / 10 {
        make(web, &chain, &key, clock)?;
    }
    Ok((chain, key))
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

/// Writes a small file whole (mode 0600) or not at all.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), StartError> {
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

/// When the leaf stops being valid.
fn not_after(chain: &Path, key: &Path) -> Result<i64, StartError> {
    let pair = Keypair::read(chain, key).map_err(StartError::Pem)?;
    X509Certificate::from_der(pair.leaf())
        .ok()
        .and_then(|(_, certificate)| certificate.validity().not_after.timestamp().checked_mul(1000))
        .ok_or_else(|| StartError::Certificate(format!("the validity of {} can't be read", chain.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_certificate_is_kept_until_it_runs_out() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::test(1_790_000_000_000);
        let web = Web { hosts: vec!["call.example.jp".into()], ..Web::default() };
        let first = load(&web, dir.path(), &clock).unwrap().1;
        assert!(first.self_signed);
        assert_eq!(first.fingerprint.len(), 32 * 3 - 1);
        assert_eq!(load(&web, dir.path(), &clock).unwrap().1, first);
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(dir.path().join("self-signed.key")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        clock.advance(std::time::Duration::from_secs(86_400 * 800));
        assert!(load(&web, dir.path(), &clock).unwrap().1.not_after > first.not_after);
    }
}
