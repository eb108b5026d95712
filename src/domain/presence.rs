//! An operator's state, in the glossary's words.

use serde::{Deserialize, Serialize};

/// 受付状態. Set by the operator (`Available`, `Away`, `WrapUp`, `Offline`) or by a call
/// (`Ringing`, `Dialing`, `Talking`, `Hold`, `WrapUp`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(utoipa::ToSchema)]
pub enum Presence {
    /// 受付可
    Available,
    /// 着信中
    Ringing,
    /// 発信中
    Dialing,
    /// 通話中
    Talking,
    /// 保留中
    Hold,
    /// 後処理
    WrapUp,
    /// 離席
    Away,
    /// 受付終了
    Offline,
}

impl Presence {
    /// Whether the operator may choose it by hand.
    pub fn is_chosen(self) -> bool {
        matches!(self, Self::Available | Self::Away | Self::WrapUp | Self::Offline)
    }
    /// Whether a call holds the operator.
    pub fn is_busy(self) -> bool {
        matches!(self, Self::Ringing | Self::Dialing | Self::Talking | Self::Hold)
    }
    /// The stable word for schema, CLI and API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Ringing => "ringing",
            Self::Dialing => "dialing",
            Self::Talking => "talking",
            Self::Hold => "hold",
            Self::WrapUp => "wrap_up",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }
    /// Reads [`Presence::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Available,
            Self::Ringing,
            Self::Dialing,
            Self::Talking,
            Self::Hold,
            Self::WrapUp,
            Self::Away,
            Self::Offline,
        ]
        .into_iter()
        .find(|p| p.word() == word)
    }
}
