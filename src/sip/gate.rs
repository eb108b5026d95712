//! Who is let in when there is too much to do: only new calls are ever shed.

use std::time::Instant;

/// A token bucket over new INVITEs, one second deep.
#[derive(Debug)]
pub(super) struct Gate {
    per_second: f64,
    tokens: f64,
    filled: Option<Instant>,
}

impl Gate {
    /// `per_second` 0 lets nothing in.
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, tokens: per_second, filled: None }
    }

    /// Takes a token, if there is one.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        if let Some(filled) = self.filled {
            let passed = now.saturating_duration_since(filled).as_secs_f64();
            self.tokens = (self.tokens + passed * self.per_second).min(self.per_second);
        }
        self.filled = Some(now);
        let open = self.tokens >= 1.0;
        if open {
            self.tokens -= 1.0;
        }
        open
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests need a starting point")]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_second_s_worth_passes_and_then_the_rate() {
        let start = Instant::now();
        let mut gate = Gate::new(10);
        assert_eq!((0..20).filter(|_| gate.admit(start)).count(), 10);
        let later = start + Duration::from_millis(500);
        assert_eq!((0..20).filter(|_| gate.admit(later)).count(), 5);
        let much_later = start + Duration::from_secs(60);
        assert_eq!(
            (0..20).filter(|_| gate.admit(much_later)).count(),
            10,
            "never more than a second's worth"
        );
    }
}
