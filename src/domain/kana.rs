//! Folding of Japanese and Latin text, so that what is typed finds what was written: full and
//! half width, hiragana and katakana, upper and lower case are one; white space is nothing.

/// Half-width katakana U+FF61..=U+FF9F in full width; the last two are the sound marks.
const HALF_WIDTH: [char; 63] = [
    '。',
    '「',
    '」',
    '、',
    '・',
    'ヲ',
    'ァ',
    'ィ',
    'ゥ',
    'ェ',
    'ォ',
    'ャ',
    'ュ',
    'ョ',
    'ッ',
    'ー',
    'ア',
    'イ',
    'ウ',
    'エ',
    'オ',
    'カ',
    'キ',
    'ク',
    'ケ',
    'コ',
    'サ',
    'シ',
    'ス',
    'セ',
    'ソ',
    'タ',
    'チ',
    'ツ',
    'テ',
    'ト',
    'ナ',
    'ニ',
    'ヌ',
    'ネ',
    'ノ',
    'ハ',
    'ヒ',
    'フ',
    'ヘ',
    'ホ',
    'マ',
    'ミ',
    'ム',
    'メ',
    'モ',
    'ヤ',
    'ユ',
    'ヨ',
    'ラ',
    'リ',
    'ル',
    'レ',
    'ロ',
    'ワ',
    'ン',
    VOICED,
    SEMI_VOICED,
];
/// Dakuten, as a character of its own.
const VOICED: char = '゛';
/// Handakuten, as a character of its own.
const SEMI_VOICED: char = '゜';

/// Folds text for comparison and search. Never longer than the text in characters, except
/// where lower case itself is longer.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut held: Option<char> = None;
    for c in text.chars().filter(|c| !c.is_whitespace()).map(widen) {
        match (held, sounded(held, c)) {
            (_, Some(joined)) => held = Some(joined),
            (Some(before), None) => {
                folded.extend(before.to_lowercase());
                held = Some(c);
            }
            (None, None) => held = Some(c),
        }
    }
    if let Some(last) = held {
        folded.extend(last.to_lowercase());
    }
    folded
}

/// Full-width kana, half-width Latin, one kind of hyphen.
fn widen(c: char) -> char {
    let code = u32::from(c);
    let moved = |by: i64| char::from_u32((i64::from(code) + by) as u32).unwrap_or(c);
    match c {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => moved(0x60),
        '！'..='～' => moved(-0xFEE0),
        '\u{FF61}'..='\u{FF9F}' => HALF_WIDTH.get((code - 0xFF61) as usize).copied().unwrap_or(c),
        '\u{3099}' => VOICED,
        '\u{309A}' => SEMI_VOICED,
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        '￥' => '¥',
        _ => c,
    }
}

/// The one katakana of a kana and the sound mark after it, if `mark` is one and they join.
fn sounded(kana: Option<char>, mark: char) -> Option<char> {
    let kana = kana?;
    let next = |by: u32| char::from_u32(u32::from(kana) + by);
    match (mark, kana) {
        (VOICED, 'ウ') => Some('ヴ'),
        (
            VOICED,
            'カ' | 'キ' | 'ク' | 'ケ' | 'コ' | 'サ' | 'シ' | 'ス' | 'セ' | 'ソ' | 'タ' | 'チ' | 'ツ' | 'テ'
            | 'ト',
        )
        | (VOICED, 'ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ') => next(1),
        (SEMI_VOICED, 'ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ') => next(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn widths_scripts_cases_and_spaces_are_one() {
        for (written, folded) in [
            ("ヤマダ　タロウ", "ヤマダタロウ"),
            ("やまだ たろう", "ヤマダタロウ"),
            ("ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダタロウ"),
            ("ﾊﾟﾋﾟﾌﾟ ｳﾞ ﾊﾞｯﾄ", "パピプヴバット"),
            ("か\u{3099}は\u{309A}", "ガパ"),
            ("ＡＢＣ-１２３", "abc-123"),
            ("０３−５５５５―０１４２", "03-5555-0142"),
            ("ｻｰﾋﾞｽ", "サービス"),
            ("山田 太郎", "山田太郎"),
            ("゛ア゛", "゛ア゛"),
            ("", ""),
        ] {
            assert_eq!(fold(written), folded, "{written}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}|[ぁ-ヶｦ-ﾟ゛゜\u{3099}\u{309A}]{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
        }
    }
}
