//! The call machine: one inbound call from INVITE to its end. Pure: an [`Input`] and the time
//! go in by [`Machine::step`], [`Output`]s come out by [`Machine::poll`] until it is dry; no
//! socket, task, clock or random number.
//!
//! What always holds, whatever arrives in whatever order (checked by property tests):
//! - Every call ends: after a party's leaving, an administrator's or the daemon's word, the
//!   last output is [`Output::Ended`], once; after it only what comes too late is given
//!   back (an offer ended, a recording discarded).
//! - No leg is left: what was answered is hung up unless it left by itself; what was
//!   [`Output::Dial`]led is [`Output::Drop`]ped, once.
//! - Every offer taken ends in exactly one [`Output::OfferEnded`].
//! - [`Output::Bridge`] carries its recording: of a recorded queue it can't be emitted
//!   before a recording was begun, and a recording begun in vain is discarded.

mod input;
mod machine;
mod output;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tables;

pub use input::{Bar, Departure, Input, Offer, Party, Stopped};
pub use machine::{Machine, Phase, QueueFacts};
pub use output::{Note, OfferOutcome, Output, Recording, Sound, Timer};

/// Names one playing to the customer; the machine counts them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlayToken(pub u32);
