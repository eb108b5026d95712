use super::*;

fn good(text: &str) -> Sheet {
    match read(text.as_bytes(), "JP") {
        Ok(sheet) => sheet,
        Err(error) => panic!("{error}: {error:?}"),
    }
}

fn errors(text: &str) -> Vec<(u64, String)> {
    match read(text.as_bytes(), "JP") {
        Err(CrmError::Import(errors)) => errors.into_iter().map(|e| (e.line, e.column)).collect(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("was taken"),
    }
}

#[test]
fn columns_are_known_in_both_languages_and_widths() {
    let japanese = "顧客番号,氏 名,ﾌﾘｶﾞﾅ,電話番号,電話番号（予備）,メールアドレス,郵便番号,住所,申し送り,契約プラン\r\n\
                    A-1,山田 太郎,ヤマダ タロウ,03-5555-0142,090-1234-5678,t@example.jp,100-0001,千代田区,\"一行\r\n二行\",松\r\n";
    let sheet = good(japanese);
    let row = &sheet.rows[0];
    assert_eq!(row.code, "A-1");
    assert_eq!(row.name.as_deref(), Some("山田 太郎"));
    assert_eq!(row.kana.as_deref(), Some("ヤマダ タロウ"));
    assert_eq!(row.phone.clone().flatten().unwrap().as_str(), "+81355550142");
    assert_eq!(row.phone_alt.clone().flatten().unwrap().as_str(), "+819012345678");
    assert_eq!(row.handover.as_deref(), Some("一行\r\n二行"));
    assert_eq!(row.extra, [("契約プラン".to_owned(), "松".to_owned())]);
    assert_eq!(sheet.header[1], "氏 名", "the header is kept as it was");

    let english = good("Code,NAME,Phone,e mail\n1,A,,a@b\n");
    assert_eq!(english.rows[0].email.as_deref(), Some("a@b"));
    assert!(english.rows[0].address.is_none(), "a column that is not there changes nothing");
    assert!(english.rows[0].phone == Some(None));
}

#[test]
fn shift_jis_is_read() {
    let (bytes, ..) = encoding_rs::SHIFT_JIS.encode("氏名,電話番号\r\n髙橋ソ,0355550142\r\n");
    let sheet = read(&bytes, "JP").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((sheet.encoding, sheet.rows[0].name.as_deref()), ("shift_jis", Some("髙橋ソ")));
}

#[test]
fn every_mistake_names_its_line_and_column() {
    let file = "code,name,phone,備考\n\
                1,A,0355550142,\n\
                2,\"B\nB\",12,\n\
                1,C,0355550143,\n\
                4,D\n\
                5,E,0355550144,,extra\n\
                ,,,only a note\n\
                7,F\u{7},0355550145,\n";
    assert_eq!(
        errors(file),
        [
            (3, "phone".into()),
            (5, "code".into()),
            (6, String::new()),
            (7, String::new()),
            (8, String::new()),
            (9, "name".into()),
        ]
    );
}

#[test]
fn a_header_that_is_none_is_refused() {
    assert_eq!(errors("山田,03-5555-0142\n"), [(1, String::new())]);
    assert_eq!(errors("氏名;電話番号\nA;1\n"), [(1, String::new())]);
    assert_eq!(errors("氏名,name\nA,B\n"), [(1, "name".into())]);
    assert_eq!(errors("name,備考,備 考\nA,B,C\n"), [(1, "備 考".into())]);
    assert!(matches!(read(b"", "JP"), Err(CrmError::File(_))));
    assert!(matches!(read(&vec![b'a'; LARGEST_FILE + 1], "JP"), Err(CrmError::File(_))));
    assert_eq!(errors(&format!("name{}\n", ",x".repeat(MOST_COLUMNS))).len(), 1);
}

#[test]
fn blank_rows_and_cells_of_spreadsheets_are_forgiven() {
    let sheet = good("name,phone,\nA,0355550142,\n,,\n\n  ,　,\nB,,,,\n");
    assert_eq!(sheet.rows.len(), 2);
    assert_eq!(errors("name,phone,\nA,,x\n"), [(2, String::new())], "but not a value without a column name");
}

#[test]
fn at_most_a_hundred_mistakes_are_told() {
    let file = format!("name,phone\n{}", "A,1\n".repeat(5_000));
    assert_eq!(errors(&file).len(), SHOWN_ERRORS);
}

#[test]
fn messages_hold_no_personal_data() {
    let Err(CrmError::Import(errors)) = read("name,phone\n山田,not-a-number\n".as_bytes(), "JP") else {
        panic!()
    };
    assert!(!errors[0].message.contains("not-a-number") && !errors[0].message.contains("山田"));
}
