//! Call flow: parse, check, step.
