//! What stands in one place of a table, and how each format prints it.

use crate::domain::UnixMillis;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Free text, perhaps of strangers.
    Text(String),
    /// One of our own words, coloured by what it means.
    Word(&'static str),
    /// A count or size.
    Number(i64),
    /// A moment.
    Time(UnixMillis),
    /// A length in milliseconds.
    Span(i64),
    /// Yes or no.
    Flag(bool),
    /// Several texts.
    List(Vec<String>),
    /// Not known, or none.
    Nothing,
}

/// How a word or flag strikes the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
}

impl Cell {
    /// Text, or nothing when it is empty.
    pub(super) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Nothing } else { Self::Text(text.to_owned()) }
    }
    /// What there may be.
    pub(super) fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Nothing, cell)
    }
    /// Whether it stands to the right of its column.
    pub(super) fn is_right(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Span(_))
    }

    /// For people.
    pub(super) fn for_people(&self, zone: &TimeZone) -> String {
        match self {
            Self::Text(text) => printable(text),
            Self::Word(word) => (*word).to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Time(at) => time(
                *at,
                zone,
                if *zone == TimeZone::UTC { "%Y-%m-%d %H:%M:%SZ" } else { "%Y-%m-%d %H:%M:%S" },
            ),
            Self::Span(millis) => span(*millis),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::List(list) if list.is_empty() => "-".to_owned(),
            Self::List(list) => printable(&list.join(", ")),
            Self::Nothing => "-".to_owned(),
        }
    }

    /// For spreadsheets and scripts. A text that a spreadsheet would take for a formula gets a
    /// leading apostrophe; control characters but for line ends within a text are escaped.
    pub(super) fn for_csv(&self, zone: &TimeZone) -> String {
        match self {
            Self::Text(text) => inert(text),
            Self::Time(at) => time(*at, zone, "%Y-%m-%dT%H:%M:%S%.3f%:z"),
            Self::Span(millis) => format!("{:.3}", *millis as f64 / 1000.0),
            Self::List(list) => inert(&list.join(" ")),
            Self::Nothing => String::new(),
            other => other.for_people(zone),
        }
    }

    /// How it strikes the eye.
    pub(super) fn tone(&self) -> Tone {
        match self {
            Self::Word("running" | "answered" | "sealed" | "available" | "talking") => Tone::Good,
            Self::Word(
                "draft" | "paused" | "abandoned" | "recovered" | "queued" | "ringing" | "draining"
                | "spooling",
            ) => Tone::Warning,
            Self::Word("lost" | "interrupted" | "refused" | "disabled") => Tone::Bad,
            _ => Tone::Plain,
        }
    }
}

fn time(at: UnixMillis, zone: &TimeZone, format: &str) -> String {
    Timestamp::from_millisecond(at)
        .map_or_else(|_| at.to_string(), |t| t.to_zoned(zone.clone()).strftime(format).to_string())
}

/// `0:07`, `12:34`, `1:02:03`.
fn span(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// The text on one line, without anything that drives a terminal.
pub(super) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
    }
    clean
}

fn inert(text: &str) -> String {
    let guard =
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) && !is_phone(text);
    let mut clean = if guard { String::from("'") } else { String::new() };
    for c in text.chars() {
        if c.is_control() && !matches!(c, '\n' | '\t') {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// An E.164 number is no formula: spreadsheets read it as a number at worst.
fn is_phone(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_drives_neither_terminal_nor_spreadsheet() {
        let hostile = Cell::Text("=cmd|'/c calc'!A1\u{1b}[2J\r\nnext".into());
        assert_eq!(hostile.for_people(&TimeZone::UTC), "=cmd|'/c calc'!A1\\u{1b}[2J\\r\\nnext");
        assert_eq!(hostile.for_csv(&TimeZone::UTC), "'=cmd|'/c calc'!A1\\u{1b}[2J\\r\nnext");
        assert_eq!(Cell::Text("+81355550142".into()).for_csv(&TimeZone::UTC), "+81355550142");
        assert_eq!(Cell::Text("+1+cmd".into()).for_csv(&TimeZone::UTC), "'+1+cmd");
        assert_eq!(Cell::List(vec!["@x".into()]).for_csv(&TimeZone::UTC), "'@x");
    }

    #[test]
    fn times_stand_in_the_tenants_zone() {
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let at = Cell::Time(1_790_000_000_123);
        assert_eq!(at.for_people(&tokyo), "2026-09-21 23:13:20");
        assert_eq!(at.for_csv(&tokyo), "2026-09-21T23:13:20.123+09:00");
        assert_eq!(at.for_people(&TimeZone::UTC), "2026-09-21 14:13:20Z");
        assert_eq!(Cell::Span(3_723_000).for_people(&tokyo), "1:02:03");
        assert_eq!(Cell::Span(7_400).for_people(&tokyo), "0:07");
    }
}
