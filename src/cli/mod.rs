//! `bbctl`.
