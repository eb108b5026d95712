//! Attacks on the core: the RFC 4475 messages, and 20,000 mutations of them and of good ones.

use super::bench::{Bench, INVITE, SDP, dice, message};
use super::rfc4475_table as table;
use super::*;
use bytes::Bytes;
use std::time::Duration;

fn fixture(file: &str) -> Vec<u8> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read(root.join("tests/fixtures/rfc4475").join(file)).unwrap()
}

/// Whether the core still does its work.
fn is_alive(bench: &mut Bench) {
    bench.receive(&message("OPTIONS", "alive", 1, "", ""));
    assert_eq!(bench.statuses(), [200], "the core no longer answers");
}

#[test]
fn every_rfc_4475_message_is_answered_as_the_manifest_says() {
    let mut wrong = Vec::new();
    for case in table::CASES {
        let mut bench = Bench::new();
        bench.receive_bytes(&fixture(case.file));
        let status = bench.statuses().first().copied().unwrap_or(0);
        if !case.udp.contains(&status) {
            wrong.push((case.file, status));
        }
        is_alive(&mut bench);
        bench.run_to_the_end();
        assert_eq!(
            bench.core.status().legs + bench.core.status().transactions,
            0,
            "{} leaves something",
            case.file
        );
    }
    assert_eq!(wrong, []);
}

#[test]
fn the_table_has_every_message() {
    let files: Vec<&str> = table::CASES.iter().map(|case| case.file).collect();
    let manifest = String::from_utf8(fixture("MANIFEST.tsv")).unwrap();
    let listed: Vec<&str> = manifest.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(files, listed);
    assert!(table::CASES.iter().all(|case| !case.tcp.is_empty() && (case.closes || case.tcp == case.udp)));
}

#[test]
fn extra_octets_are_no_second_request_and_escaped_headers_no_headers() {
    let mut bench = Bench::new();
    bench.receive_bytes(&fixture("dblreq.dat"));
    assert_eq!(bench.statuses().len(), 1);
    bench.receive_bytes(&fixture("escruri.dat"));
    assert!(!bench.sent().join("").contains("Route:"));
}

#[test]
fn no_mutation_panics_or_stays() {
    let mut random = dice("SIP_FUZZ_SEED");
    let mut corpus: Vec<Vec<u8>> = table::CASES.iter().map(|case| fixture(case.file)).collect();
    corpus.push(message("INVITE", "fuzz", 1, INVITE, SDP).into_bytes());
    corpus.push(message("INVITE", "fuzz", 1, "Require: 100rel\r\nSession-Expires: 90\r\n", SDP).into_bytes());
    corpus.push(message("BYE", "fuzz", 2, "", "").into_bytes());
    corpus.push(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKx\r\n\r\n".to_vec());
    let mut bench = Bench::new();
    for round in 0..20_000u32 {
        let mut bytes = corpus[random() as usize % corpus.len()].clone();
        for _ in 0..1 + random() % 8 {
            mutate(&mut bytes, &mut random);
        }
        let standing = if random().is_multiple_of(8) { Standing::Peer } else { Standing::Trunk };
        bench.core.receive(&Bytes::from(bytes), bench.path, standing, random().is_multiple_of(16), bench.now);
        bench.obey(&mut random);
        if round.is_multiple_of(64) {
            bench.pass(Duration::from_secs(random() % 40));
        }
    }
    bench.run_to_the_end();
    let status = bench.core.status();
    assert_eq!((status.legs, status.transactions, status.timers, status.peers), (0, 0, 0, 0));
    is_alive(&mut bench);
}

fn mutate(bytes: &mut Vec<u8>, random: &mut impl FnMut() -> u64) {
    const PIECES: &[&[u8]] = &[
        b"\r\n",
        b"\0",
        b"\r\n ",
        b";tag=",
        b"<",
        b">",
        b"\"",
        b"sip:",
        b"SIP/2.0",
        b"99999999999",
        b"-1",
        b"%00",
        b",",
    ];
    if bytes.is_empty() {
        return;
    }
    let at = random() as usize % bytes.len();
    match random() % 6 {
        0 => bytes[at] = random() as u8,
        1 => bytes.truncate(at),
        2 => {
            let end = (at + random() as usize % 32).min(bytes.len());
            bytes.drain(at..end);
        }
        3 => {
            let end = (at + random() as usize % 64).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            let to = random() as usize % bytes.len();
            bytes.splice(to..to, copy);
        }
        _ => {
            let piece = PIECES[random() as usize % PIECES.len()];
            bytes.splice(at..at, piece.iter().copied());
        }
    }
}
