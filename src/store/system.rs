//! TODO
pub struct System;
