//! Why the daemon did not do what was asked: a stable code, one plain sentence, an exit code.

use serde::{Deserialize, Serialize};

/// The kinds of failure; each has its exit code and HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Something broke. Exit 1.
    Failed,
    /// The request itself is wrong. Exit 2.
    Usage,
    /// No such thing. Exit 3.
    NotFound,
    /// A rule forbids it. Exit 4.
    Refused,
    /// It clashes with what is there. Exit 5.
    Conflict,
    /// The daemon does not answer. Exit 6; made by `bbctl`, never sent.
    Unreachable,
    /// It took too long. Exit 7.
    TimedOut,
}

impl Code {
    /// The exit code of `bbctl`.
    pub fn exit(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Conflict => 5,
            Self::Unreachable => 6,
            Self::TimedOut => 7,
        }
    }
    /// The HTTP status on the socket.
    pub fn status(self) -> u16 {
        match self {
            Self::Failed | Self::Unreachable => 500,
            Self::Usage => 400,
            Self::NotFound => 404,
            Self::Refused => 403,
            Self::Conflict => 409,
            Self::TimedOut => 504,
        }
    }
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Its kind.
    pub code: Code,
    /// One plain sentence that says what to do.
    pub message: String,
    /// Further lines, such as the faulty lines of a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }
    /// With further lines.
    pub fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
    /// [`Code::NotFound`], `no NOUN named NAME`.
    pub fn not_found(noun: &str, name: &str) -> Self {
        Self::new(Code::NotFound, format!("no {noun} {name:?}; see 'bbctl {noun} list'"))
    }
    /// [`Code::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }
    /// [`Code::Conflict`].
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Code::Conflict, message)
    }
    /// [`Code::Refused`].
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Code::Refused, message)
    }
    /// [`Code::Failed`].
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Code::Failed, message)
    }
}

/// A failure as the body of a reply.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// The failure.
    pub error: Failure,
}
