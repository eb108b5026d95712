//! The product against real peers: `bbd` and `bbctl` as processes, SIPp as customers and desk
//! phones, headless Chromium as the home operator.
//!
//! A missing peer fails the test when `CI` is set and is skipped aloud otherwise.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that can't go on panics, says aloud what it skips, and lives by the machine's clock"
)]

mod audio;
mod bed;
mod browser;
mod capture;
mod client;
mod sipp;

mod calls;
mod crash;
mod first_call;
mod floors;
mod import;
mod intruder;
mod rfc4475;
