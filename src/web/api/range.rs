//! The `Range` header of a body of known length (RFC 9110 §14).

/// What a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// 200, everything: no range, one we need not honour, or more than one.
    Whole,
    /// 206, from the first offset up to and excluding the second.
    Part(u64, u64),
    /// 416: begins behind the end.
    Unsatisfiable,
}

/// Reads a `Range` value against a body of `length` bytes. What is malformed or in another unit
/// is ignored (§14.2); several ranges are answered whole, which §15.3.7.2 leaves to us.
pub fn slice(header: Option<&str>, length: u64) -> Slice {
    let Some((unit, set)) = header.and_then(|value| value.split_once('=')) else { return Slice::Whole };
    let Some((first, last)) = set.trim().split_once('-') else { return Slice::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Slice::Whole;
    }
    match (first.trim(), last.trim()) {
        ("", suffix) => match number(suffix) {
            Some(0) => Slice::Unsatisfiable,
            Some(_) if length == 0 => Slice::Unsatisfiable,
            Some(count) => Slice::Part(length.saturating_sub(count), length),
            None => Slice::Whole,
        },
        (first, "") => match number(first) {
            Some(start) if start < length => Slice::Part(start, length),
            Some(_) => Slice::Unsatisfiable,
            None => Slice::Whole,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(start), Some(end)) if end < start => Slice::Whole,
            (Some(start), Some(end)) if start < length => {
                Slice::Part(start, end.saturating_add(1).min(length))
            }
            (Some(_), Some(_)) => Slice::Unsatisfiable,
            _ => Slice::Whole,
        },
    }
}

/// Digits alone (`str::parse` would take a sign); more than fits is as large as can be.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Slice::*, slice};

    #[test]
    fn table() {
        let huge = format!("bytes={}-", "9".repeat(40));
        let beyond = format!("bytes=1-{}", "9".repeat(40));
        for (header, expected) in [
            (None, Whole),
            (Some("bytes=0-0"), Part(0, 1)),
            (Some("bytes=0-"), Part(0, 100)),
            (Some("bytes=0-99"), Part(0, 100)),
            (Some("bytes=0-100"), Part(0, 100)),
            (Some("bytes=99-"), Part(99, 100)),
            (Some("bytes=99-99"), Part(99, 100)),
            (Some("bytes=100-"), Unsatisfiable),
            (Some("bytes=100-200"), Unsatisfiable),
            (Some("bytes=-1"), Part(99, 100)),
            (Some("bytes=-100"), Part(0, 100)),
            (Some("bytes=-1000"), Part(0, 100)),
            (Some("bytes=-0"), Unsatisfiable),
            (Some("Bytes = 10-19"), Part(10, 20)),
            (Some("bytes= 10-19 "), Part(10, 20)),
            (Some(huge.as_str()), Unsatisfiable),
            (Some(beyond.as_str()), Part(1, 100)),
            (Some("bytes=5-4"), Whole),
            (Some("bytes=0-1,5-6"), Whole),
            (Some("bytes=-"), Whole),
            (Some("bytes="), Whole),
            (Some("bytes"), Whole),
            (Some("bytes=+1-2"), Whole),
            (Some("bytes=1--2"), Whole),
            (Some("bytes=a-b"), Whole),
            (Some("bytes=１-２"), Whole),
            (Some("items=0-1"), Whole),
            (Some(""), Whole),
        ] {
            assert_eq!(slice(header, 100), expected, "{header:?}");
        }
        assert_eq!(slice(Some("bytes=0-"), 0), Unsatisfiable);
        assert_eq!(slice(Some("bytes=-5"), 0), Unsatisfiable);
    }
}
