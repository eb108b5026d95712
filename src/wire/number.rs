//! `number add|list|remove`.

use super::{Change, List, asks};
use crate::domain::NumberId;
use serde::{Deserialize, Serialize};

/// A number as `bbctl` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// Key.
    pub id: NumberId,
    /// E.164, or the dialled digits.
    pub number: String,
    /// The trunk's name.
    pub trunk: String,
    /// The flow that answers it.
    pub flow: String,
}

/// Gives the tenant a number; adding it again changes its flow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Add {
    /// As people of the tenant's region write it, or the digits the carrier sends.
    pub number: String,
    /// The trunk it is dialled over.
    pub trunk: String,
    /// The tenant's flow that answers it.
    pub flow: String,
}

/// The tenant's numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {}

/// Takes a number away.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remove {
    /// Which.
    pub number: String,
    /// Over which trunk, when the tenant has it over several.
    pub trunk: Option<String>,
}

asks! {
    Add => "number" "add" -> Change<Number>;
    Index => "number" "list" -> List<Number>;
    Remove => "number" "remove" -> Change<Number>;
}
