//! The door from outside: a small house with two tenants, and clients typed by role.

mod access;
mod door;
mod house;
mod live;
mod playback;

use house::{Client, House, Reply};
