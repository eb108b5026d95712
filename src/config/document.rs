//! The file as it is written, before it is checked.

use serde::Deserialize;
use toml::Spanned;

pub(super) type Text = Spanned<String>;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Document {
    pub(super) web: Web,
    pub(super) sip: Sip,
    pub(super) media: Media,
    pub(super) limits: Limits,
    pub(super) log: Log,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Web {
    pub(super) listen: Option<Vec<Text>>,
    pub(super) redirect: Option<Vec<Text>>,
    pub(super) certificate: Option<Text>,
    pub(super) key: Option<Text>,
    pub(super) hosts: Option<Vec<Text>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Sip {
    pub(super) udp: Option<Vec<Text>>,
    pub(super) tcp: Option<Vec<Text>>,
    pub(super) public_address: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Media {
    pub(super) rtp_ports: Option<Text>,
    pub(super) browser: Option<Text>,
    pub(super) browser_candidates: Option<Vec<Text>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) calls: Option<Spanned<i64>>,
    pub(super) invites_per_second: Option<Spanned<i64>>,
    pub(super) drain_seconds: Option<Spanned<i64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) level: Option<Text>,
}
