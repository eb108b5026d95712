//! Customer files as Japanese offices have them.

use crate::bed::Bed;
use std::fs;

#[test]
fn a_shift_jis_file_with_a_bad_line_is_refused_whole_and_named_by_line() {
    let bed = Bed::start();
    bed.provision();
    let before = bed.json(&["customer", "search", "高橋"])["customers"].as_array().unwrap().len();
    let good = "顧客番号,氏名,電話番号\r\nC-9001,髙橋 一郎,03-5555-0150\r\n";
    let bad = format!("{good}C-9002,佐藤 花子,でんわなし\r\n");
    let sjis = |text: &str| {
        // Shift_JIS as Excel writes it (CP932 has 髙 as an IBM extension).
        let (bytes, _, unmappable) = encoding_rs::SHIFT_JIS.encode(text);
        assert!(!unmappable);
        bytes.into_owned()
    };
    let file = bed.path("bad.csv");
    fs::write(&file, sjis(&bad)).unwrap();
    let refused = bed.bbctl(&["customer", "import", file.to_str().unwrap(), "--campaign", "shop"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains('3') && said.contains("電話番号"), "line and column are named: {said}");
    let now = bed.json(&["customer", "search", "髙橋"])["customers"].as_array().unwrap().len();
    assert_eq!(now, 0, "nothing half imported");
    let file = bed.path("good.csv");
    fs::write(&file, sjis(good)).unwrap();
    let imported = bed.json(&["customer", "import", file.to_str().unwrap(), "--campaign", "shop"]);
    assert_eq!((&imported["added"], &imported["encoding"]), (&1.into(), &"shift_jis".into()));
    let found = bed.json(&["customer", "search", "髙橋"]);
    assert_eq!(found["customers"][0]["phone"], "+81355550150");
    assert_eq!(bed.json(&["customer", "search", "高橋"])["customers"].as_array().unwrap().len(), before);
}
