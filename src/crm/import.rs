//! A file of customers, read whole and checked line by line before anything is written.

use super::customer::is_unwritable;
use super::table::{Record, Table};
use super::{Crm, CrmError, LONGEST_FIELD, LONGEST_TEXT, LineError, SHOWN_ERRORS, decode};
use crate::domain::customer::CustomerChange;
use crate::domain::kana::fold;
use crate::domain::{CampaignId, PhoneNumber, Scope};
use std::collections::{BTreeSet, HashMap};

/// The largest file taken.
pub const LARGEST_FILE: usize = 64 * 1024 * 1024;
/// Columns a file may have.
const MOST_COLUMNS: usize = 200;

/// What an import did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Imported {
    /// New customers.
    pub added: usize,
    /// Customers whose code was known, now changed.
    pub changed: usize,
    /// `utf-8` or `shift_jis`.
    pub encoding: String,
}

impl Crm {
    /// Imports a CSV (UTF-8 with or without BOM, or Shift_JIS) into a campaign: all or
    /// nothing. `region` (ISO 3166 alpha-2) is where its national numbers are from. `dry_run`
    /// checks and counts only.
    pub async fn import(
        &self,
        scope: &Scope,
        campaign: CampaignId,
        region: &str,
        file: Vec<u8>,
        dry_run: bool,
    ) -> Result<Imported, CrmError> {
        let tenant = self.store.tenant(scope.tenant())?;
        let region = region.to_owned();
        let sheet = tokio::task::spawn_blocking(move || read(&file, &region))
            .await
            .unwrap_or_else(|_| Err(CrmError::File("The file could not be read.".into())))?;
        let now = self.clock.unix_millis();
        let count = tenant.customers_import(scope, campaign, sheet.header, sheet.rows, now, dry_run).await?;
        Ok(Imported { added: count.added, changed: count.changed, encoding: sheet.encoding.into() })
    }
}

/// A column that has a field of its own; all others are kept under the name they came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Code,
    Name,
    Kana,
    Phone,
    PhoneAlt,
    Email,
    Postcode,
    Address,
    Handover,
}

impl Known {
    fn of(name: &str) -> Option<Self> {
        Some(match fold(name).as_str() {
            "顧客番号" | "code" => Self::Code,
            "氏名" | "name" => Self::Name,
            "フリガナ" | "kana" => Self::Kana,
            "電話番号" | "phone" => Self::Phone,
            "電話番号(予備)" | "phone_alt" => Self::PhoneAlt,
            "メールアドレス" | "email" => Self::Email,
            "郵便番号" | "postcode" => Self::Postcode,
            "住所" | "address" => Self::Address,
            "申シ送リ" | "handover" => Self::Handover,
            _ => return None,
        })
    }
}

/// A file that may be imported as it stands.
pub(super) struct Sheet {
    /// Column names as the file has them.
    pub header: Vec<String>,
    /// One a customer.
    pub rows: Vec<CustomerChange>,
    /// `utf-8` or `shift_jis`.
    pub encoding: &'static str,
}

/// Reads and checks a file; `region` (ISO 3166 alpha-2) is where its national numbers are from.
pub(super) fn read(file: &[u8], region: &str) -> Result<Sheet, CrmError> {
    if file.len() > LARGEST_FILE {
        return Err(CrmError::File("The file is larger than 64 MiB; split it and import the parts.".into()));
    }
    let (text, encoding) = decode::decode(file)?;
    let mut table = Table::new(&text);
    let first = table
        .next()
        .ok_or_else(|| CrmError::File("The file is empty; its first line must name the columns.".into()))?;
    let columns = Columns::read(first.map_err(|error| CrmError::Import(vec![error]))?)?;
    let mut reading = Reading { columns: &columns, region, codes: HashMap::new(), errors: Vec::new() };
    let mut rows = Vec::new();
    for record in table {
        match record {
            Ok(record) if record.fields.iter().all(|field| field.trim().is_empty()) => {}
            Ok(record) => rows.extend(reading.row(record)),
            Err(error) => reading.errors.push(error),
        }
        if reading.errors.len() >= SHOWN_ERRORS {
            break;
        }
    }
    if !reading.errors.is_empty() {
        reading.errors.truncate(SHOWN_ERRORS);
        return Err(CrmError::Import(reading.errors));
    }
    Ok(Sheet { header: columns.names, rows, encoding })
}

/// The header.
struct Columns {
    names: Vec<String>,
    known: Vec<Option<Known>>,
}

impl Columns {
    fn read(header: Record<'_>) -> Result<Self, CrmError> {
        let names: Vec<_> = header.fields.iter().map(|name| name.trim().to_owned()).collect();
        let known: Vec<_> = names.iter().map(|name| Known::of(name)).collect();
        let refuse = |column: &str, message: String| {
            Err(CrmError::Import(vec![LineError { line: header.line, column: column.into(), message }]))
        };
        if names.len() > MOST_COLUMNS {
            return refuse("", format!("names {} columns; at most {MOST_COLUMNS} are taken", names.len()));
        }
        let mut seen = BTreeSet::new();
        for (name, known) in names.iter().zip(&known) {
            // 氏名 beside name is as much a double as 氏名 beside 氏名.
            let key = known.map_or_else(|| fold(name), |known| format!("{known:?}"));
            if !name.is_empty() && !seen.insert(key) {
                return refuse(name, "is named twice; keep one of the two columns".into());
            }
        }
        if !known.iter().flatten().any(|known| matches!(known, Known::Name | Known::Phone | Known::Code)) {
            return refuse(
                "",
                "names no column 氏名 (name), 電話番号 (phone) or 顧客番号 (code); the first line must name the columns, \
                 with commas between them"
                    .into(),
            );
        }
        Ok(Self { names, known })
    }
}

/// The rows so far.
struct Reading<'a> {
    columns: &'a Columns,
    region: &'a str,
    /// Line on which each code was seen.
    codes: HashMap<String, u64>,
    errors: Vec<LineError>,
}

impl Reading<'_> {
    fn row(&mut self, record: Record<'_>) -> Option<CustomerChange> {
        let wrong = self.errors.len();
        let (have, want) = (record.fields.len(), self.columns.names.len());
        // Spreadsheets drop or add empty cells at the end of a row.
        let beyond = record.fields.iter().skip(want).any(|field| !field.trim().is_empty());
        if have < want || beyond {
            let message = format!(
                "has {have} fields, the header has {want}; look for a missing comma or a field with a comma that needs quotes"
            );
            self.refuse(record.line, "", message);
            return None;
        }
        let mut row = CustomerChange::default();
        let columns = self.columns;
        for ((name, known), field) in columns.names.iter().zip(&columns.known).zip(&record.fields) {
            self.field(&mut row, record.line, (name, *known), field.trim());
        }
        let blank = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
        if wrong == self.errors.len()
            && row.code.is_empty()
            && blank(&row.name)
            && row.phone.clone().flatten().is_none()
        {
            self.refuse(
                record.line,
                "",
                "has no name, no phone number and no code; fill one of them or remove the line".into(),
            );
        }
        (wrong == self.errors.len()).then_some(row)
    }

    fn field(
        &mut self,
        row: &mut CustomerChange,
        line: u64,
        (name, known): (&str, Option<Known>),
        text: &str,
    ) {
        let longest = if known == Some(Known::Handover) { LONGEST_TEXT } else { LONGEST_FIELD };
        if text.chars().count() > longest {
            self.refuse(line, name, format!("is longer than {longest} characters; shorten it"));
            return;
        }
        if text.chars().any(is_unwritable) {
            self.refuse(line, name, "has a control character; remove it".into());
            return;
        }
        match known {
            Some(Known::Code) => self.code(row, line, name, text),
            Some(Known::Name) => row.name = Some(text.into()),
            Some(Known::Kana) => row.kana = Some(text.into()),
            Some(Known::Phone) => row.phone = self.phone(line, name, text),
            Some(Known::PhoneAlt) => row.phone_alt = self.phone(line, name, text),
            Some(Known::Email) => row.email = Some(text.into()),
            Some(Known::Postcode) => row.postcode = Some(text.into()),
            Some(Known::Address) => row.address = Some(text.into()),
            Some(Known::Handover) => row.handover = Some(text.into()),
            None if name.is_empty() && !text.is_empty() => {
                self.refuse(
                    line,
                    "",
                    "has a value in a column without a name; name the column in the first line".into(),
                );
            }
            None if name.is_empty() => {}
            None => row.extra.push((name.into(), text.into())),
        }
    }

    fn code(&mut self, row: &mut CustomerChange, line: u64, name: &str, text: &str) {
        row.code = text.into();
        if text.is_empty() {
            return;
        }
        if let Some(before) = self.codes.insert(text.into(), line) {
            self.refuse(
                line,
                name,
                format!(
                    "is the same as on line {before}; a code is one customer's, keep one of the two lines"
                ),
            );
        }
    }

    fn phone(&mut self, line: u64, name: &str, text: &str) -> Option<Option<PhoneNumber>> {
        if text.is_empty() {
            return Some(None);
        }
        let number = PhoneNumber::normalise(text, self.region);
        if number.is_none() {
            self.refuse(line, name, "is not a telephone number; write it with its area code, as 03-1234-5678, or with + and the country".into());
        }
        number.map(Some)
    }

    fn refuse(&mut self, line: u64, column: &str, message: String) {
        self.errors.push(LineError { line, column: column.into(), message });
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
