//! BlueBean: one daemon that is a call centre's exchange, browser phone, customer
//! records and recording store, and one command that administers it.
//!
//! This file is the map. The rooms stand in floor order and imports only run
//! downwards; each room's own first lines say what it owns and what it refuses.

// -- doors
pub mod app;
pub mod cli;
pub mod control;
pub mod web;
// -- services: each owns its tasks and its state
pub mod queues;
pub mod calls;
pub mod signalling;
pub mod recordings;
pub mod crm;
pub mod access;
pub mod audit;
// -- store: the only room with SQL
pub mod store;
// -- primitives
pub mod sip;
pub mod media;
pub mod wire;
pub mod config;
pub mod net;
pub mod clock;
pub mod task;
// -- domain: pure, no IO, no clock, no tokio; its words are every floor's
pub mod domain;
