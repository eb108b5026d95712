//! From each room's errors to the one a person reads.

use crate::access::AccessError;
use crate::calls::CallError;
use crate::crm::CrmError;
use crate::recordings::RecordingError;
use crate::store::StoreError;
use crate::wire::{Code, Failure};

pub(super) fn store(error: StoreError) -> Failure {
    match error {
        StoreError::NotFound => Failure::new(Code::NotFound, "there is no such thing in this tenant"),
        StoreError::Conflict(what) => Failure::conflict(what),
        StoreError::Busy => Failure::failed("the database is busy; try again in a moment"),
        other => Failure::failed(other.to_string()),
    }
}

pub(super) fn access(error: AccessError) -> Failure {
    match error {
        AccessError::Password(rule) => Failure::refused(rule.to_string()),
        AccessError::Busy => {
            Failure::failed("too many passwords are being hashed at once; try again in a moment")
        }
        AccessError::NoSession => Failure::new(Code::NotFound, "there is no such session"),
        AccessError::Store(error) => store(error),
        other => Failure::failed(other.to_string()),
    }
}

pub(super) fn crm(error: CrmError) -> Failure {
    match error {
        CrmError::Import(lines) => {
            let message = match lines.len() {
                1 => "nothing was imported: one line can't be taken".to_owned(),
                n => format!("nothing was imported: {n} lines can't be taken"),
            };
            let details = lines.iter().take(100).map(|line| match line.column.as_str() {
                "" => format!("line {}: {}", line.line, line.message),
                column => format!("line {}, {column}: {}", line.line, line.message),
            });
            Failure::failed(message).with_details(details.collect())
        }
        CrmError::File(message) => Failure::failed(format!("nothing was imported: {message}")),
        CrmError::Field(field, message) => Failure::usage(format!("{field}: {message}")),
        CrmError::Store(error) => store(error),
    }
}

pub(super) fn recording(error: RecordingError) -> Failure {
    match error {
        RecordingError::NotFound => {
            Failure::new(Code::NotFound, "there is no such recording; see 'bbctl recording list'")
        }
        RecordingError::NotReady => {
            Failure::conflict("the recording is not sealed yet; try again when the call is over")
        }
        RecordingError::Store(error) => store(error),
        other => Failure::failed(other.to_string()),
    }
}

pub(super) fn call(error: CallError) -> Failure {
    match error {
        CallError::NotFound => {
            Failure::new(Code::NotFound, "no such call lives; see 'bbctl call list --live'")
        }
        CallError::State => Failure::conflict("the call is not in a state for that"),
        CallError::Busy => Failure::failed("the call is busy; try again in a moment"),
    }
}
