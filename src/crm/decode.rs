//! From the bytes of a file to its text: UTF-8 or Shift_JIS.

use super::{CrmError, LineError, SHOWN_ERRORS};
use encoding_rs::SHIFT_JIS;
use std::borrow::Cow;

/// The text of a file and the name of its encoding. UTF-8 where the bytes are valid UTF-8,
/// else Shift_JIS as Windows writes it; a byte order mark is dropped. Lines that are neither
/// are named, each once.
pub(super) fn decode(file: &[u8]) -> Result<(Cow<'_, str>, &'static str), CrmError> {
    if file.starts_with(&[0xFF, 0xFE]) || file.starts_with(&[0xFE, 0xFF]) {
        return Err(CrmError::File("The file is UTF-16; save it as \"CSV UTF-8\" and import that.".into()));
    }
    let marked = file.strip_prefix(&[0xEF, 0xBB, 0xBF]);
    let bytes = marked.unwrap_or(file);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((Cow::Borrowed(text), "utf-8"));
    }
    let readable = |line: &[u8]| match marked {
        Some(_) => std::str::from_utf8(line).is_ok(),
        None => SHIFT_JIS.decode_without_bom_handling_and_without_replacement(line).is_some(),
    };
    // No trail byte of Shift_JIS or UTF-8 is a line feed, so lines can be told apart before decoding.
    let errors: Vec<_> = (1..)
        .zip(bytes.split(|byte| *byte == b'\n'))
        .filter(|(_, line)| !readable(line))
        .take(SHOWN_ERRORS)
        .map(|(line, _)| LineError {
            line,
            column: String::new(),
            message: match marked {
                Some(_) => "has bytes that are not UTF-8, though the file says it is; save it again as UTF-8",
                None => {
                    "has bytes that are neither UTF-8 nor Shift_JIS; save the file again in one of the two"
                }
            }
            .into(),
        })
        .collect();
    if !errors.is_empty() {
        return Err(CrmError::Import(errors));
    }
    match SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok((text, "shift_jis")),
        None => Err(CrmError::File("The file is neither UTF-8 nor Shift_JIS.".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_two_encodings() {
        assert_eq!(decode("氏名\r\n山田".as_bytes()).unwrap(), ("氏名\r\n山田".into(), "utf-8"));
        assert_eq!(decode("\u{FEFF}氏名".as_bytes()).unwrap(), ("氏名".into(), "utf-8"));
        // ソ and 表 have a backslash as trail byte; ①, 髙 and ～ are Windows' own.
        let (bytes, ..) = SHIFT_JIS.encode("氏名,ソ表\n①髙～,ﾔﾏﾀﾞ");
        assert_eq!(decode(&bytes).unwrap(), ("氏名,ソ表\n①髙～,ﾔﾏﾀﾞ".into(), "shift_jis"));
    }

    #[test]
    fn names_lines_that_are_neither() {
        let CrmError::Import(errors) = decode(b"name\n\x93\x8C\nbad \x81\nfine\n\xFF\xFF").unwrap_err()
        else {
            panic!("a list of lines")
        };
        assert_eq!(errors.iter().map(|e| e.line).collect::<Vec<_>>(), [3, 5]);
        let CrmError::Import(errors) = decode(b"\xEF\xBB\xBFname\n\x93\x8C").unwrap_err() else {
            panic!("a list of lines")
        };
        assert_eq!((errors[0].line, errors.len()), (2, 1));
        assert!(matches!(decode(b"\xFF\xFEn\0"), Err(CrmError::File(_))));
        assert_eq!(
            decode(&b"\x81\n".repeat(500)).map_err(|e| e.to_string()).unwrap_err(),
            "100 lines can't be imported"
        );
    }
}
