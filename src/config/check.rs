//! From what is written to what holds.

use super::document::{Document, Text};
use super::place::Places;
use super::{Config, ConfigError, Keypair, Limits, Media, Sip, Web};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use toml::Spanned;

type Checked<T> = Result<T, ConfigError>;

pub(super) fn check(raw: Document, places: &Places<'_>) -> Checked<Config> {
    let config = Config {
        web: web(raw.web, places)?,
        sip: sip(raw.sip, places)?,
        media: media(raw.media, places)?,
        limits: limits(raw.limits, places)?,
        log_level: raw.log.level.map_or_else(|| Ok("info".into()), |level| log_level(level, places))?,
    };
    Ok(config)
}

fn web(raw: super::document::Web, places: &Places<'_>) -> Checked<Web> {
    let default = Web::default();
    let (certificate, key) = keypair(raw.certificate, raw.key, places)?;
    let hosts = raw.hosts.unwrap_or_default();
    Ok(Web {
        listen: sockets(raw.listen, default.listen, Least::One, places)?,
        redirect: sockets(raw.redirect, default.redirect, Least::None, places)?,
        certificate,
        key,
        hosts: hosts.into_iter().map(|host| host_name(host, places)).collect::<Checked<_>>()?,
    })
}

fn sip(raw: super::document::Sip, places: &Places<'_>) -> Checked<Sip> {
    let default = Sip::default();
    Ok(Sip {
        udp: sockets(raw.udp, default.udp, Least::None, places)?,
        tcp: sockets(raw.tcp, default.tcp, Least::None, places)?,
        public_address: raw.public_address.map(|a| address(a, places)).transpose()?,
    })
}

fn media(raw: super::document::Media, places: &Places<'_>) -> Checked<Media> {
    let default = Media::default();
    let candidates = raw.browser_candidates.unwrap_or_default();
    Ok(Media {
        rtp_ports: raw.rtp_ports.map_or(Ok(default.rtp_ports), |ports| port_range(ports, places))?,
        browser: raw.browser.map_or(Ok(default.browser), |a| socket(a, places))?,
        browser_candidates: candidates.into_iter().map(|a| address(a, places)).collect::<Checked<_>>()?,
    })
}

fn limits(raw: super::document::Limits, places: &Places<'_>) -> Checked<Limits> {
    let default = Limits::default();
    Ok(Limits {
        calls: count(raw.calls, default.calls, 1..=100_000, places)?,
        invites_per_second: count(raw.invites_per_second, default.invites_per_second, 1..=100_000, places)?,
        drain_seconds: count(raw.drain_seconds, default.drain_seconds, 0..=86_400, places)?,
    })
}

fn count<T: TryFrom<i64>>(
    raw: Option<Spanned<i64>>,
    default: T,
    allowed: std::ops::RangeInclusive<i64>,
    places: &Places<'_>,
) -> Checked<T> {
    let Some(raw) = raw else { return Ok(default) };
    let value = *raw.get_ref();
    allowed.contains(&value).then(|| T::try_from(value).ok()).flatten().ok_or_else(|| {
        places.error(
            raw.span(),
            format!("{value} is out of range; use {} to {}", allowed.start(), allowed.end()),
        )
    })
}

/// How many entries a list of addresses must have.
#[derive(PartialEq)]
enum Least {
    None,
    One,
}

fn sockets(
    raw: Option<Vec<Text>>,
    default: Vec<SocketAddr>,
    least: Least,
    places: &Places<'_>,
) -> Checked<Vec<SocketAddr>> {
    let Some(raw) = raw else { return Ok(default) };
    if raw.is_empty() && least == Least::One {
        // An empty list has no span of its own; its key is found by name.
        let at = places.text.find("listen").unwrap_or(0);
        return Err(places.error(at..at, "names no address; give at least one such as \"[::]:443\""));
    }
    raw.into_iter().map(|a| socket(a, places)).collect()
}

fn socket(raw: Text, places: &Places<'_>) -> Checked<SocketAddr> {
    raw.get_ref().parse().map_err(|_| {
        let reason = format!(
            "{:?} is no address with a port; write it like \"192.0.2.1:443\" or \"[::]:443\"",
            raw.get_ref()
        );
        places.error(raw.span(), reason)
    })
}

fn address(raw: Text, places: &Places<'_>) -> Checked<IpAddr> {
    raw.get_ref().parse().map_err(|_| {
        let reason =
            format!("{:?} is no IP address; write it like \"192.0.2.1\" or \"2001:db8::1\"", raw.get_ref());
        places.error(raw.span(), reason)
    })
}

fn host_name(raw: Text, places: &Places<'_>) -> Checked<String> {
    let host = raw.get_ref();
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !l.starts_with('-')
    };
    let is_name = host.len() <= 253 && host.split('.').all(label);
    if is_name || host.parse::<IpAddr>().is_ok() {
        Ok(host.to_ascii_lowercase())
    } else {
        let reason = format!(
            "{host:?} is no host name or IP address; write it without scheme and port, like \"call.example.jp\""
        );
        Err(places.error(raw.span(), reason))
    }
}

fn port_range(raw: Text, places: &Places<'_>) -> Checked<(u16, u16)> {
    let wrong = |reason: &str| {
        places.error(raw.span(), format!("{:?} {reason}; write it like \"20000-39999\"", raw.get_ref()))
    };
    let (first, last) = raw.get_ref().split_once('-').ok_or_else(|| wrong("is no range of ports"))?;
    let port = |text: &str| text.trim().parse::<u16>().map_err(|_| wrong("is no range of ports"));
    let (first, last) = (port(first)?, port(last)?);
    if first < 1024 || !first.is_multiple_of(2) || last <= first {
        return Err(wrong("must start at an even port of 1024 or more and end above it"));
    }
    Ok((first, last))
}

fn log_level(raw: Text, places: &Places<'_>) -> Checked<String> {
    match raw.get_ref().parse::<tracing_subscriber::filter::EnvFilter>() {
        Ok(_) if !raw.get_ref().trim().is_empty() => Ok(raw.into_inner()),
        _ => {
            let reason =
                format!("{:?} is no log level; use error, warn, info, debug or trace", raw.get_ref());
            Err(places.error(raw.span(), reason))
        }
    }
}

type Paths = (Option<PathBuf>, Option<PathBuf>);

fn keypair(certificate: Option<Text>, key: Option<Text>, places: &Places<'_>) -> Checked<Paths> {
    let (certificate, key) = match (certificate, key) {
        (None, None) => return Ok((None, None)),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(lone), None) => {
            return Err(
                places.error(lone.span(), "has no 'key' beside it; name the PEM file of its private key")
            );
        }
        (None, Some(lone)) => {
            return Err(
                places.error(lone.span(), "has no 'certificate' beside it; name the PEM file of the chain")
            );
        }
    };
    let beside = |text: &Text| places.file.parent().unwrap_or(std::path::Path::new("")).join(text.get_ref());
    let (certificate_path, key_path) = (beside(&certificate), beside(&key));
    match Keypair::read(&certificate_path, &key_path) {
        Ok(_) => Ok((Some(certificate_path), Some(key_path))),
        Err(super::pem::PemError::Certificate(reason)) => Err(places.error(certificate.span(), reason)),
        Err(super::pem::PemError::Key(reason)) => Err(places.error(key.span(), reason)),
    }
}
