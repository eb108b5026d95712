//! `bbctl status`

use super::cell::Cell;
use super::console::Console;
use super::{Format, present};
use crate::wire::Failure;
use crate::wire::status::{Bound, Show, Status};
use std::net::SocketAddr;

pub(super) async fn run(console: &Console) -> Result<(), Failure> {
    let answer = console.client.ask(Show {}, None).await?;
    let status = &answer.reply;
    let style = console.style(&answer);
    match console.format() {
        Format::Json => console.raw(&present::json(status)?),
        Format::Ids => {
            console.raw(&status.tenants.iter().map(|t| format!("{}\n", t.tenant)).collect::<String>())
        }
        Format::Csv => {
            let rows =
                page(status).into_iter().map(|(name, cell)| vec![name.to_owned(), cell.for_csv(&style.zone)]);
            console.raw(&present::csv(&["name", "value"], rows)?)
        }
        Format::Table => {
            let mut text = style.page(&page(status));
            if !status.tenants.is_empty() {
                text.push('\n');
                text.push_str(&style.table(
                    &["tenant", "calls", "operators", "available", "waiting", "queues"],
                    loads(status),
                ));
            }
            console.raw(&text)
        }
    }
}

fn page(status: &Status) -> Vec<(&'static str, Cell)> {
    let Bound { https, sip_udp, sip_tcp, browser } = &status.bound;
    let days = (status.certificate.not_after - status.now).div_euclid(86_400_000);
    let kind = if status.certificate.self_signed { "self-signed" } else { "configured" };
    vec![
        ("version", Cell::Text(status.version.clone())),
        ("phase", Cell::Word(phase(&status.phase))),
        ("up", Cell::Text(uptime(status.now - status.started_at))),
        ("pid", Cell::Number(i64::from(status.pid))),
        ("calls", Cell::Number(status.tenants.iter().map(|t| t.calls as i64).sum())),
        ("https", addresses(https)),
        ("sip_udp", addresses(sip_udp)),
        ("sip_tcp", addresses(sip_tcp)),
        ("browsers", addresses(browser)),
        ("certificate", Cell::Text(format!("{kind}, {days} days left"))),
        ("fingerprint", Cell::Text(status.certificate.fingerprint.clone())),
    ]
}

fn loads(status: &Status) -> impl Iterator<Item = Vec<Cell>> + '_ {
    status.tenants.iter().map(|tenant| {
        let waiting: usize = tenant.queues.iter().map(|q| q.waiting).sum();
        vec![
            Cell::text(&tenant.tenant),
            Cell::Number(tenant.calls as i64),
            Cell::Number(tenant.operators as i64),
            Cell::Number(tenant.available as i64),
            Cell::Number(waiting as i64),
            Cell::List(tenant.queues.iter().map(|q| format!("{} {}", q.queue, q.waiting)).collect()),
        ]
    })
}

fn addresses(list: &[SocketAddr]) -> Cell {
    Cell::List(list.iter().map(SocketAddr::to_string).collect())
}

fn phase(word: &str) -> &'static str {
    match word {
        "running" => "running",
        "draining" => "draining",
        _ => "stopped",
    }
}

/// `3 d 4 h`, `2 h 5 min`, `40 s`: two units are enough.
fn uptime(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}
