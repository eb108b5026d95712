//! The browser (HTTPS).
