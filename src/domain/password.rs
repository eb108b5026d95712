//! The password rule (profile `mandated`): 8 or more characters with upper case, lower case,
//! digit and symbol each; at most 128 characters; any Unicode.

/// The first part of the rule that a password breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than 8 characters.
    #[error("the password must have 8 or more characters")]
    TooShort,
    /// More than 128 characters.
    #[error("the password must have at most 128 characters")]
    TooLong,
    /// No upper-case letter.
    #[error("the password must have an upper-case letter")]
    NoUpper,
    /// No lower-case letter.
    #[error("the password must have a lower-case letter")]
    NoLower,
    /// No digit.
    #[error("the password must have a digit")]
    NoDigit,
    /// No symbol.
    #[error("the password must have a symbol")]
    NoSymbol,
}

/// Checks a password against the rule. Characters are Unicode scalar values; a symbol is
/// anything that is neither letter, digit, white space nor control.
pub fn check(password: &str) -> Result<(), PasswordError> {
    let length = password.chars().count();
    let has = |test: fn(char) -> bool| password.chars().any(test);
    if length < 8 {
        Err(PasswordError::TooShort)
    } else if length > 128 {
        Err(PasswordError::TooLong)
    } else if !has(char::is_uppercase) {
        Err(PasswordError::NoUpper)
    } else if !has(char::is_lowercase) {
        Err(PasswordError::NoLower)
    } else if !has(|c| c.is_ascii_digit()) {
        Err(PasswordError::NoDigit)
    } else if !has(|c| !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control()) {
        Err(PasswordError::NoSymbol)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_part_is_named() {
        let cases = [
            ("Aa1!aaa", Err(PasswordError::TooShort)),
            ("aa1!aaaa", Err(PasswordError::NoUpper)),
            ("AA1!AAAA", Err(PasswordError::NoLower)),
            ("Aab!aaaa", Err(PasswordError::NoDigit)),
            ("Aab1aaaa", Err(PasswordError::NoSymbol)),
            ("Aab1 aaa", Err(PasswordError::NoSymbol)),
            ("Aa1!aaaa", Ok(())),
            ("パスワードAa1！", Ok(())),
        ];
        for (password, expected) in cases {
            assert_eq!(check(password), expected, "{password}");
        }
        assert_eq!(check(&format!("Aa1!{}", "x".repeat(124))), Ok(()));
        assert_eq!(check(&format!("Aa1!{}", "x".repeat(125))), Err(PasswordError::TooLong));
    }
}
