//! Telephone numbers, normalised to E.164.
//!
//! Numbering plans come from the `phonenumber` crate's metadata. Its own parser is not used:
//! it picks numbers out of running text and spells letters as digits, and what a network
//! sends must not be guessed at. A number counts when its length is possible in its country;
//! whether a carrier has given it out is not ours to know.

use phonenumber::Metadata;
use phonenumber::metadata::DATABASE;
use serde::{Deserialize, Serialize};

/// Longest text that is looked at, in bytes: a tel: URI with its parameters.
const LONGEST_TEXT: usize = 256;
/// Digits of an E.164 number (ITU-T E.164 §6).
const LONGEST: usize = 15;
/// Fewer digits, country code included, are a short code and not for E.164.
const SHORTEST: usize = 7;

/// An E.164 number with its leading `+` (ITU-T E.164: at most 15 digits).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneNumber(String);

impl std::fmt::Debug for PhoneNumber {
    /// A number is personal data: its last two digits are enough to follow a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PhoneNumber(…{})", self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default())
    }
}

impl PhoneNumber {
    /// Reads a number typed by a person or sent by a network in `region` (ISO 3166 alpha-2):
    /// a tel: URI (RFC 3966) or digits, with separators, full-width or not; national with its
    /// trunk prefix (`03-5555-0142`), international by `+` or the region's prefix (`010…`), or
    /// international digits alone. `None` for anything else, extensions and short codes
    /// (`110`) included.
    pub fn normalise(text: &str, region: &str) -> Option<Self> {
        let (plus, digits) = digits(text)?;
        if plus {
            return international(&digits);
        }
        let home = DATABASE.by_id(region)?;
        let prefix =
            home.international_prefix().and_then(|prefix| prefix.find(&digits).map(|m| (m.start(), m.end())));
        if let Some((0, end)) = prefix {
            // A national number may begin with the same digits (010 is both in some plans).
            if let Some(number) = digits.get(end..).and_then(international) {
                return Some(number);
            }
        }
        national(home, &digits).or_else(|| {
            // Carriers send E.164 without its plus.
            let code = home.country_code().to_string();
            digits
                .strip_prefix(&code)
                .and_then(|rest| significant(home, rest))
                .and_then(|rest| Self::of(&code, rest))
        })
    }

    /// Reads stored E.164 text: `+` and 7 to 15 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let good = (SHORTEST..=LONGEST).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        good.then(|| Self(text.to_owned()))
    }

    /// As people of its country write it, `03-5555-0142`; the E.164 text where its plan has no
    /// way of writing it.
    pub fn national(&self) -> String {
        let written =
            split(self.0.trim_start_matches('+')).and_then(|(plan, rest)| write_national(plan, rest));
        written.unwrap_or_else(|| self.0.clone())
    }

    /// The text, `+81355550142`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(code: &str, rest: &str) -> Option<Self> {
        Self::parse(&format!("+{code}{rest}"))
    }
}

/// Whether a plus leads, and the digits; `None` when there is anything that is neither digit
/// nor separator.
fn digits(text: &str) -> Option<(bool, String)> {
    if text.len() > LONGEST_TEXT {
        return None;
    }
    let text = text.trim();
    let (tel, text) = match text.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => (true, rest),
        _ => (false, text),
    };
    let text = if tel { text.split(';').next().unwrap_or_default() } else { text };
    let mut digits = String::with_capacity(LONGEST + 4);
    let mut plus = false;
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '０'..='９' => digits.push(char::from_digit(c as u32 - '０' as u32, 10)?),
            '+' | '＋' if !plus && digits.is_empty() => plus = true,
            ' '
            | '-'
            | '.'
            | '('
            | ')'
            | '/'
            | '\u{a0}'
            | '\u{3000}'
            | '（'
            | '）'
            | '．'
            | '－'
            | 'ー'
            | '−'
            | '‐'..='―' => {}
            _ => return None,
        }
    }
    // Room for an international prefix in front.
    (!digits.is_empty() && digits.len() <= LONGEST + 6).then_some((plus, digits))
}

/// Country code first.
fn international(digits: impl AsRef<str>) -> Option<PhoneNumber> {
    let (plan, rest) = split(digits.as_ref())?;
    PhoneNumber::of(&plan.country_code().to_string(), significant(plan, rest)?)
}

/// The numbering plan that international digits belong to, and what follows its country code.
fn split(digits: &str) -> Option<(&'static Metadata, &str)> {
    // No country code is the beginning of another (E.164 §6.2.1).
    (1..=3).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        if code.starts_with('0') {
            return None;
        }
        let plans = DATABASE.by_code(&code.parse::<u16>().ok()?)?;
        let main = plans.iter().find(|plan| plan.is_main_country_for_code()).or(plans.first())?;
        Some((*main, rest))
    })
}

/// The national significant number in `rest`, without a trunk prefix that was left in
/// (`+81 (0)3 …`).
fn significant<'a>(plan: &Metadata, rest: &'a str) -> Option<&'a str> {
    let stripped = plan.national_prefix().and_then(|prefix| rest.strip_prefix(prefix));
    match stripped {
        Some(stripped) if !fits(plan, rest) => possible(plan, stripped),
        _ => possible(plan, rest),
    }
}

/// National digits: with the trunk prefix where the plan has one, and without it when they
/// can be nothing else.
fn national(plan: &Metadata, digits: &str) -> Option<PhoneNumber> {
    let code = plan.country_code().to_string();
    let stripped = plan.national_prefix().and_then(|prefix| digits.strip_prefix(prefix));
    if let Some(rest) = stripped.and_then(|rest| possible(plan, rest)) {
        return PhoneNumber::of(&code, rest);
    }
    let sure = plan.national_prefix().is_none() || fits(plan, digits);
    possible(plan, digits).filter(|_| sure).and_then(|rest| PhoneNumber::of(&code, rest))
}

/// Whether the plan's pattern covers all of `rest`.
fn fits(plan: &Metadata, rest: &str) -> bool {
    let pattern = plan.descriptors().general().national_number();
    pattern.find(rest).is_some_and(|m| m.start() == 0 && m.end() == rest.len())
}

fn possible<'a>(plan: &Metadata, rest: &'a str) -> Option<&'a str> {
    let lengths = plan.descriptors().general().possible_length();
    (lengths.is_empty() || lengths.iter().any(|length| usize::from(*length) == rest.len())).then_some(rest)
}

/// Groups a national significant number as the first format that fits it says.
fn write_national(plan: &Metadata, rest: &str) -> Option<String> {
    let format = plan.formats().iter().find(|format| {
        let led = format.leading_digits().last();
        led.is_none_or(|leading| leading.find(rest).is_some_and(|m| m.start() == 0))
            && format.pattern().find(rest).is_some_and(|m| m.start() == 0 && m.end() == rest.len())
    })?;
    let grouped = format.pattern().replace(rest, format.format()).into_owned();
    // The rule is `$NP$FG`, or the like: trunk prefix, then the first group.
    let prefix = format.national_prefix().map_or("", |rule| {
        if rule.contains("$NP") {
            plan.national_prefix().unwrap_or_default()
        } else {
            rule.split('$').next().unwrap_or_default()
        }
    });
    Some(format!("{prefix}{grouped}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn jp(text: &str) -> Option<String> {
        PhoneNumber::normalise(text, "JP").map(|n| n.as_str().to_owned())
    }

    #[test]
    fn japanese_forms_meet_in_one() {
        for text in [
            "03-5555-0142",
            "0355550142",
            "03 5555 0142",
            "(03)5555-0142",
            "０３－５５５５－０１４２",
            "０３ー５５５５ー０１４２",
            "+81 3-5555-0142",
            "+81355550142",
            "＋８１３５５５５０１４２",
            "+81 (0)3 5555 0142",
            "81355550142",
            "010-81-3-5555-0142",
            "tel:+81-3-5555-0142",
            "TEL:+81-3-5555-0142;ext=5;isub=12",
            "tel:03-5555-0142;phone-context=+81",
            "  03\u{3000}5555\u{3000}0142 ",
        ] {
            assert_eq!(jp(text).as_deref(), Some("+81355550142"), "{text}");
        }
        assert_eq!(jp("090-1234-5678").as_deref(), Some("+819012345678"));
        assert_eq!(jp("050-3000-0000").as_deref(), Some("+815030000000"));
        assert_eq!(jp("0120-444-113").as_deref(), Some("+81120444113"));
        assert_eq!(jp("0570-00-0000").as_deref(), Some("+81570000000"));
    }

    #[test]
    fn other_countries() {
        assert_eq!(jp("+1 (212) 555-0123").as_deref(), Some("+12125550123"));
        assert_eq!(jp("010 1 212 555 0123").as_deref(), Some("+12125550123"));
        assert_eq!(jp("+44 20 7946 0018").as_deref(), Some("+442079460018"));
        // Italy keeps its zero.
        assert_eq!(jp("+39 06 698 1234").as_deref(), Some("+39066981234"));
        let us = PhoneNumber::normalise("212-555-0123", "US");
        assert_eq!(us.map(|n| n.as_str().to_owned()).as_deref(), Some("+12125550123"));
        let gb = PhoneNumber::normalise("00 81 3 5555 0142", "GB");
        assert_eq!(gb.map(|n| n.as_str().to_owned()).as_deref(), Some("+81355550142"));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            "+",
            "tel:",
            "110",
            "1001",
            "anonymous",
            "0800 FOR PIZZA",
            "+0355550142",
            "+81",
            "++81355550142",
            "03-5555-0142x5",
            "+999123456789",
            "03555501421234567",
            "sip:0355550142@example.jp",
            "03;5555;0142",
            "\0",
        ] {
            assert_eq!(jp(text), None, "{text:?}");
        }
        assert_eq!(jp(&"0".repeat(100_000)), None);
        assert_eq!(PhoneNumber::normalise("03-5555-0142", "XX"), None);
        assert_eq!(PhoneNumber::normalise("+81355550142", "").unwrap().as_str(), "+81355550142");
    }

    #[test]
    fn national_text_is_what_people_write() {
        let cases = [
            ("+81355550142", "03-5555-0142"),
            ("+819012345678", "090-1234-5678"),
            ("+81120444113", "0120-444-113"),
            ("+12125550123", "(212) 555-0123"),
            ("+9991234567", "+9991234567"),
        ];
        for (stored, written) in cases {
            assert_eq!(PhoneNumber::parse(stored).unwrap().national(), written);
        }
    }

    #[test]
    fn stored_text_is_strict() {
        for text in [
            "81355550142",
            "+8135555014a",
            "+",
            "+123456",
            "+1234567890123456",
            "+８１３５５５５０１４２",
            "",
        ] {
            assert!(PhoneNumber::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn debug_hides_the_number() {
        assert_eq!(format!("{:?}", PhoneNumber::parse("+81355550142").unwrap()), "PhoneNumber(…42)");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,40}", region in "[A-Z]{0,3}") {
            if let Some(number) = PhoneNumber::normalise(&text, &region) {
                prop_assert!(PhoneNumber::parse(number.as_str()).is_some());
                number.national();
            }
        }

        #[test]
        fn a_normal_number_stays_itself(text in "[+0-9０-９ ()-]{0,24}") {
            if let Some(number) = PhoneNumber::normalise(&text, "JP") {
                prop_assert_eq!(PhoneNumber::normalise(number.as_str(), "JP"), Some(number.clone()));
                prop_assert_eq!(PhoneNumber::normalise(number.as_str(), "US"), Some(number));
            }
        }
    }
}
