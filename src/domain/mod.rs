//! What the product is about, as plain values and pure machines.
//!
//! Owns: ids, scope, presence, phone numbers, the password rule, the records that the
//! store keeps and the doors show, the call machine and the call flow.
//! Refuses: IO, clocks, randomness, tokio. Time arrives as an argument.
//! May use: nothing of this crate.

pub mod ids;
pub mod scope;
pub mod presence;
pub mod kana;
pub mod phone;
pub mod password;
pub mod tenant;
pub mod audit;
pub mod account;
pub mod campaign;
pub mod customer;
pub mod contact;
pub mod queue;
pub mod route;
pub mod record;
pub mod call;
pub mod flow;

pub use ids::*;
pub use phone::PhoneNumber;
pub use presence::Presence;
pub use scope::Scope;

/// Milliseconds since the Unix epoch, UTC: the one representation of wall-clock time in
/// the store, on the wire and in events.
pub type UnixMillis = i64;
