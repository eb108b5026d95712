//! The JSON API under `/api/v1`, one file a resource.

pub mod callbacks;
pub mod calls;
pub mod contact_records;
pub mod customers;
pub mod range;
pub mod recordings;
pub mod session;
pub mod view;
