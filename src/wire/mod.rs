//! What `bbctl` and `bbd` say to each other: requests, replies, error codes. Shared by both
//! binaries; the JSON of replies is the documented contract of `bbctl -o json`.
//!
//! May use: domain.
