//! Starts the media thread.
