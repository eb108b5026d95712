//! Prints rows in the format asked for.

use super::Format;
use super::cell::{Cell, Tone};
use crate::wire::{Change, Failure, List, Listed, Outcome};
use comfy_table::{Attribute, CellAlignment, Color, ContentArrangement, Table, presets};
use jiff::tz::TimeZone;
use serde::Serialize;

/// A thing that lists and pages can show.
pub(super) trait Show: Serialize {
    /// Column names, `snake_case`, the same as the JSON's where there is one.
    const COLUMNS: &'static [&'static str];
    /// One value a column.
    fn cells(&self) -> Vec<Cell>;
    /// Its id for `-o ids`.
    fn id(&self) -> String;
    /// What a sentence calls it: `queue support`.
    fn label(&self) -> String;
    /// Values only a page of its own has room for.
    fn more(&self) -> Vec<(&'static str, Cell)> {
        Vec::new()
    }
}

/// How to print.
#[derive(Clone)]
pub(super) struct Style {
    pub(super) format: Format,
    /// Whether a person's terminal reads it: colours, and wrapping at its width.
    pub(super) terminal: bool,
    pub(super) colour: bool,
    pub(super) zone: TimeZone,
}

impl Style {
    /// A list.
    pub(super) fn list<T: Show + Listed>(&self, list: &List<T>) -> Result<String, Failure> {
        match self.format {
            Format::Json => json(list),
            Format::Ids => Ok(list.items.iter().map(|item| item.id() + "\n").collect()),
            Format::Csv => csv(T::COLUMNS, list.items.iter().map(|item| self.csv_row(&item.cells()))),
            Format::Table if list.items.is_empty() => Ok("nothing to show\n".into()),
            Format::Table => Ok(self.table(T::COLUMNS, list.items.iter().map(Show::cells))),
        }
    }

    /// One thing.
    pub(super) fn item<T: Show>(&self, item: &T) -> Result<String, Failure> {
        match self.format {
            Format::Json => json(item),
            Format::Ids => Ok(item.id() + "\n"),
            Format::Csv => csv(T::COLUMNS, [self.csv_row(&item.cells())]),
            Format::Table => {
                let mut pairs: Vec<_> = T::COLUMNS.iter().copied().zip(item.cells()).collect();
                pairs.extend(item.more());
                Ok(self.page(&pairs))
            }
        }
    }

    /// What a mutation did.
    pub(super) fn change<T: Show>(&self, change: &Change<T>) -> Result<String, Failure> {
        match self.format {
            Format::Json => json(change),
            Format::Ids => Ok(change.item.id() + "\n"),
            Format::Csv => {
                let columns: Vec<_> = std::iter::once("outcome").chain(T::COLUMNS.iter().copied()).collect();
                let mut row = self.csv_row(&change.item.cells());
                row.insert(0, word(change.outcome).to_owned());
                csv(&columns, [row])
            }
            Format::Table => {
                let label = super::cell::printable(&change.item.label());
                let would =
                    if change.dry_run && change.outcome != Outcome::Unchanged { "would be " } else { "" };
                Ok(format!("{label}: {would}{}\n", word(change.outcome)))
            }
        }
    }

    /// Rows under their headings.
    pub(super) fn table(&self, columns: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
        let mut table = self.blank();
        let rows: Vec<Vec<Cell>> = rows.into_iter().collect();
        let is_right = |column: usize| rows.iter().any(|row| row.get(column).is_some_and(Cell::is_right));
        table.set_header(columns.iter().enumerate().map(|(i, name)| {
            let head = self.heading(name);
            if is_right(i) { head.set_alignment(CellAlignment::Right) } else { head }
        }));
        for row in rows.iter() {
            table.add_row(row.iter().map(|cell| self.cell(cell)));
        }
        trimmed(&table)
    }

    /// Names and values, a line each.
    pub(super) fn page(&self, pairs: &[(&str, Cell)]) -> String {
        let mut table = self.blank();
        for (name, value) in pairs {
            // On a page everything stands to the left, beside its name.
            table.add_row([self.heading(name), self.cell(value).set_alignment(CellAlignment::Left)]);
        }
        trimmed(&table)
    }

    fn blank(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        // A terminal wraps at its width; a pipe gets whole lines.
        if self.terminal {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.set_content_arrangement(ContentArrangement::Disabled);
            table.force_no_tty();
        }
        if self.colour {
            table.enforce_styling();
        }
        table
    }

    fn heading(&self, name: &str) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(name.replace('_', " ").to_uppercase());
        if self.colour { cell.add_attribute(Attribute::Bold) } else { cell }
    }

    fn cell(&self, value: &Cell) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(value.for_people(&self.zone));
        let cell = if value.is_right() { cell.set_alignment(CellAlignment::Right) } else { cell };
        match value.tone() {
            _ if !self.colour => cell,
            Tone::Plain => cell,
            Tone::Good => cell.fg(Color::Green),
            Tone::Warning => cell.fg(Color::Yellow),
            Tone::Bad => cell.fg(Color::Red),
        }
    }

    fn csv_row(&self, cells: &[Cell]) -> Vec<String> {
        cells.iter().map(|cell| cell.for_csv(&self.zone)).collect()
    }
}

/// The stable word for it, in JSON and sentences.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Changed => "changed",
        Outcome::Unchanged => "unchanged",
        Outcome::Removed => "removed",
        Outcome::Ended => "ended",
    }
}

/// The contract for programs.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::failed(e.to_string()))?;
    Ok(text + "\n")
}

/// A header and rows, RFC 4180.
pub(super) fn csv(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<String, Failure> {
    let wrong = |e: csv::Error| Failure::failed(e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).map_err(wrong)?;
    for row in rows {
        writer.write_record(row).map_err(wrong)?;
    }
    let bytes = writer.into_inner().map_err(|e| Failure::failed(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| Failure::failed(e.to_string()))
}

/// The table without the blanks that pad its right edge, its left edge at the margin.
fn trimmed(table: &Table) -> String {
    table
        .to_string()
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line).trim_end()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing {
        name: &'static str,
        calls: i64,
    }

    impl Show for Thing {
        const COLUMNS: &'static [&'static str] = &["name", "calls", "state"];
        fn cells(&self) -> Vec<Cell> {
            vec![Cell::text(self.name), Cell::Number(self.calls), Cell::Word("running")]
        }
        fn id(&self) -> String {
            self.name.into()
        }
        fn label(&self) -> String {
            format!("thing {}", self.name)
        }
    }

    impl Listed for Thing {
        const PLURAL: &'static str = "things";
    }

    fn style(format: Format) -> Style {
        Style { format, terminal: false, colour: false, zone: TimeZone::UTC }
    }

    fn things() -> List<Thing> {
        List { items: vec![Thing { name: "受付", calls: 7 }, Thing { name: "=long name", calls: 1234 }] }
    }

    #[test]
    fn each_format_prints_the_same_things() {
        let table = style(Format::Table).list(&things()).unwrap();
        assert_eq!(
            table,
            "NAME        CALLS  STATE\n受付            7  running\n=long name   1234  running\n"
        );
        assert_eq!(style(Format::Ids).list(&things()).unwrap(), "受付\n=long name\n");
        assert_eq!(
            style(Format::Csv).list(&things()).unwrap(),
            "name,calls,state\n受付,7,running\n'=long name,1234,running\n"
        );
        let page = style(Format::Table).item(&Thing { name: "x", calls: 7 }).unwrap();
        assert_eq!(page, "NAME   x\nCALLS  7\nSTATE  running\n");
    }

    #[test]
    fn a_change_is_one_sentence() {
        let change = Change { outcome: Outcome::Created, dry_run: true, item: Thing { name: "x", calls: 1 } };
        assert_eq!(style(Format::Table).change(&change).unwrap(), "thing x: would be created\n");
        let change = Change { outcome: Outcome::Unchanged, ..change };
        assert_eq!(style(Format::Table).change(&change).unwrap(), "thing x: unchanged\n");
    }
}
