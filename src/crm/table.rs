//! Comma-separated values (RFC 4180), with the line of every record and of every mistake.
//!
//! The `csv` crate takes an unclosed quote for the rest of the file without a word, and can't
//! say on which line it began; an import must.

use super::LineError;
use std::borrow::Cow;

/// One record of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// 1-based line on which it begins.
    pub line: u64,
    /// Its fields, unquoted.
    pub fields: Vec<Cow<'a, str>>,
}

/// Reads records one by one. Lines end in LF, CRLF or CR; a line break inside quotes is text.
/// A mistake ends the reading: what follows can't be told apart.
pub(super) struct Table<'a> {
    rest: &'a str,
    line: u64,
    broken: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1, broken: false }
    }

    /// Takes a quoted field whose opening quote is still in front.
    fn quoted(&mut self) -> Result<Cow<'a, str>, LineError> {
        let opened = self.line;
        let body = self.rest.strip_prefix('"').unwrap_or(self.rest);
        let mut from = 0;
        loop {
            let Some(quote) = body.get(from..).and_then(|tail| tail.find('"')).map(|at| from + at) else {
                return Err(mistake(opened, "has a quote (\") that is never closed; close it or remove it"));
            };
            let after = body.get(quote + 1..).unwrap_or_default();
            if after.starts_with('"') {
                from = quote + 2;
                continue;
            }
            let text = body.get(..quote).unwrap_or_default();
            self.line += breaks(text);
            self.rest = after;
            if !after.is_empty() && !after.starts_with([',', '\n', '\r']) {
                return Err(mistake(
                    self.line,
                    "has text after a closing quote; write a quote inside a field twice (\"\")",
                ));
            }
            return Ok(if text.contains('"') { text.replace("\"\"", "\"").into() } else { text.into() });
        }
    }

    /// Takes a bare field. A quote in the middle of one is text, as spreadsheets have it.
    fn bare(&mut self) -> Cow<'a, str> {
        let end = self.rest.find([',', '\n', '\r']).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest;
        field.into()
    }

    fn record(&mut self) -> Result<Record<'a>, LineError> {
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            let field = if self.rest.starts_with('"') { self.quoted()? } else { self.bare() };
            fields.push(field);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            let ended = ["\r\n", "\n", "\r"].iter().find_map(|end| self.rest.strip_prefix(end));
            if let Some(rest) = ended {
                self.rest = rest;
                self.line += 1;
            }
            return Ok(Record { line, fields });
        }
    }
}

impl<'a> Iterator for Table<'a> {
    type Item = Result<Record<'a>, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken || self.rest.is_empty() {
            return None;
        }
        let record = self.record();
        self.broken = record.is_err();
        Some(record)
    }
}

fn mistake(line: u64, message: &str) -> LineError {
    LineError { line, column: String::new(), message: message.into() }
}

/// Line breaks in a text, CRLF counting as one.
fn breaks(text: &str) -> u64 {
    let feeds = text.bytes().filter(|byte| *byte == b'\n').count();
    let lone =
        text.as_bytes().windows(2).filter(|pair| matches!(pair, [b'\r', after] if *after != b'\n')).count();
    (feeds + lone + usize::from(text.ends_with('\r'))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>)> {
        Table::new(text)
            .map(|record| record.unwrap())
            .map(|record| (record.line, record.fields.into_iter().map(Cow::into_owned).collect()))
            .collect()
    }

    fn row(line: u64, fields: &[&str]) -> (u64, Vec<String>) {
        (line, fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn lines_and_quotes() {
        assert_eq!(read(""), []);
        assert_eq!(read("a"), [row(1, &["a"])]);
        assert_eq!(
            read("a,b\r\nc,\n,\rd"),
            [row(1, &["a", "b"]), row(2, &["c", ""]), row(3, &["", ""]), row(4, &["d"]),]
        );
        assert_eq!(
            read("\"x\r\ny\n\rz\",2\n\n\"q\"\"q\",\"\"\n5\" tape,\n"),
            [row(1, &["x\r\ny\n\rz", "2"]), row(5, &[""]), row(6, &["q\"q", ""]), row(7, &["5\" tape", ""]),]
        );
    }

    #[test]
    fn mistakes_name_their_line() {
        let broken = |text| Table::new(text).find_map(Result::err).unwrap().line;
        assert_eq!(broken("a\n\"b\nc\nd"), 2);
        assert_eq!(broken("a\n\"b\nc\"d,e\nf"), 3);
        assert_eq!(broken("\""), 1);
        assert_eq!(broken("\"\"\""), 1);
        assert_eq!(Table::new("\"a\nb\nc").count(), 1, "nothing follows a mistake");
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(text in "[a,\"\r\n日]{0,60}") {
            for record in Table::new(&text).flatten() {
                prop_assert!(record.line <= 1 + breaks(&text));
            }
        }

        #[test]
        fn what_is_quoted_comes_back(fields in proptest::collection::vec("[a,\"\r\n日]{0,8}", 1..5)) {
            let line: Vec<_> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            let read = read(&format!("h\n{}\nend", line.join(",")));
            prop_assert_eq!(&read[1].1, &fields);
            prop_assert_eq!(read[2].0, 3 + fields.iter().map(|field| breaks(field)).sum::<u64>());
        }
    }
}
