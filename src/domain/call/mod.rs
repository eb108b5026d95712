//! The call machine: pure, sans IO. Input in, outputs out, time handed in.
