//! Tags, branches and session ids that nobody can guess, from a seed handed in.

use aws_lc_rs::hmac;

/// A stream of unguessable numbers: HMAC-SHA-256 of a counter under the seed.
pub(super) struct Random {
    key: hmac::Key,
    counter: u64,
    pool: Vec<u64>,
}

impl Random {
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, seed), counter: 0, pool: Vec::with_capacity(4) }
    }

    pub(super) fn next(&mut self) -> u64 {
        if self.pool.is_empty() {
            self.counter += 1;
            let block = hmac::sign(&self.key, &self.counter.to_be_bytes());
            self.pool.extend(block.as_ref().chunks_exact(8).map(number));
        }
        self.pool.pop().unwrap_or_default()
    }

    /// The same number for the same input, for tags of stateless replies (RFC 3261 §8.2.7).
    pub(super) fn of(&self, input: &[u8]) -> u64 {
        hmac::sign(&self.key, input).as_ref().chunks_exact(8).next().map(number).unwrap_or_default()
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b))
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_differ_within_a_seed_and_between_seeds() {
        let (mut a, mut b) = (Random::new(&[1; 32]), Random::new(&[2; 32]));
        let seen: HashSet<u64> = (0..1000).flat_map(|_| [a.next(), b.next()]).collect();
        assert_eq!(seen.len(), 2000);
        assert_eq!(a.of(b"x"), a.of(b"x"));
        assert_ne!(a.of(b"x"), b.of(b"x"));
    }
}
