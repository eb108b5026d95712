//! kill -9 in the middle of a call, and SIGTERM beside one.

use crate::audio::{read_recording, share};
use crate::bed::{Bed, NUMBER, PASSWORD, wait_until};
use crate::client::Client;
use crate::sipp::{Plan, Sipp, free_port};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

fn talking(bed: &Bed) -> Option<(Sipp, Sipp)> {
    let port = free_port();
    bed.operator("desk", Some(&format!("sip:desk@127.0.0.1:{port}")));
    let phone = Sipp::phone(bed, "phone", port, Plan { hz: 1000.0, ..Plan::of("operator") })?;
    let plan =
        Plan { dial: Some((NUMBER, "0355550142")), talk: Duration::from_secs(8), ..Plan::of("caller") };
    let customer = Sipp::caller(bed, "customer", plan)?;
    let bridged = || bed.calls().first().is_some_and(|c| c["answered_at"].is_i64());
    assert!(wait_until(Duration::from_secs(15), bridged), "{}", bed.log());
    Some((phone, customer))
}

fn every_file(folder: &Path, each: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()) {
        if entry.is_dir() { every_file(&entry, each) } else { each(&entry) }
    }
}

/// A µ-law period of each tone, three times over, as it would stand in a file in clear.
fn clear_audio_in(folder: &Path) -> Option<String> {
    let tones = [440.0, 1000.0].map(|hz| {
        crate::audio::sine(hz, 1.0, 8000).into_iter().map(crate::audio::mu_law).collect::<Vec<u8>>()[800..848]
            .to_vec()
    });
    let mut found = None;
    every_file(folder, &mut |file| {
        let bytes = fs::read(file).unwrap_or_default();
        let mono = |needle: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
        let stereo = |needle: &[u8], first| {
            bytes[first..]
                .iter()
                .step_by(2)
                .copied()
                .collect::<Vec<_>>()
                .windows(needle.len())
                .any(|w| w == needle)
        };
        if !bytes.is_empty() && tones.iter().any(|t| mono(t) || stereo(t, 0) || stereo(t, 1)) {
            found = Some(file.display().to_string());
        }
    });
    found
}

#[test]
fn a_killed_daemon_loses_at_most_the_last_second() {
    let mut bed = Bed::start();
    bed.provision();
    let Some((phone, customer)) = talking(&bed) else { return };
    let answered = Instant::now();
    wait_until(Duration::from_secs(4), || answered.elapsed() > Duration::from_millis(3500));
    bed.kill();
    let talked = answered.elapsed();
    drop((phone, customer));
    assert_eq!(clear_audio_in(&bed.data()), None, "audio in clear in the spool");
    bed.run();
    let call = bed.ended_call();
    assert_eq!(call["fate"], "interrupted", "{call}");
    let id = call["recording"].as_str().expect("a recording").to_owned();
    let (left, right) = read_recording(&bed.recording(&id));
    assert_eq!(bed.json(&["recording", "show", &id])["state"], "recovered");
    let saved = Duration::from_secs_f64(left.len() as f64 / 8000.0);
    assert!(saved + Duration::from_millis(1000) >= talked, "talked {talked:?}, saved {saved:?}");
    assert!(share(&left, 440.0) > 0.6 && share(&right, 1000.0) > 0.6);
    assert_eq!(clear_audio_in(&bed.data()), None, "audio in clear after recovery");
    let spools = || {
        let mut left = 0;
        every_file(&bed.data(), &mut |f| left += usize::from(f.extension().is_some_and(|e| e == "spool")));
        left
    };
    assert_eq!(spools(), 0, "the spool is gone");
}

#[test]
fn every_contact_record_acknowledged_before_a_kill_is_there_after_it() {
    let mut bed = Bed::start();
    bed.provision();
    bed.operator("nakamura", None);
    let Some(client) = Client::new(&bed, "client") else { return };
    let me: Value = serde_json::from_str(&client.log_in("demo", "nakamura", PASSWORD).1).unwrap();
    let campaign = me["campaigns"][0]["id"].clone();
    let customer =
        bed.json(&["customer", "search", "高橋"])["customers"][0]["id"].as_str().unwrap().to_owned();
    let save = |n: usize| {
        let record = json!({
            "campaign": campaign, "customer": customer, "call": null, "topic": "配送", "disposition": "完了",
            "next_action": "none", "due_at": null, "note": format!("record {n}"), "version": 0,
        });
        client.ask("PUT", "/api/v1/contact-records", Some(record), &["--max-time", "5"]).0
    };
    // The kill comes in the middle of a stream of saves.
    let acknowledged = std::thread::scope(|scope| {
        let saves = scope.spawn(|| (0..45).take_while(|&n| save(n) == 200).count());
        wait_until(Duration::from_millis(600), || false);
        bed.kill();
        saves.join().unwrap()
    });
    assert!(acknowledged > 3, "{acknowledged} records acknowledged");
    bed.run();
    let client = Client::new(&bed, "client").unwrap();
    client.log_in("demo", "nakamura", PASSWORD);
    let history = client.ask("GET", &format!("/api/v1/customers/{customer}/history?limit=50"), None, &[]).1;
    let missing: Vec<_> =
        (0..acknowledged).filter(|n| !history.contains(&format!("\"record {n}\""))).collect();
    assert!(missing.is_empty(), "of {acknowledged} acknowledged, {missing:?} are gone: {history}");
}

#[test]
fn sigterm_lets_a_running_call_finish_and_takes_no_new_one() {
    let mut bed = Bed::start();
    bed.provision();
    let Some((phone, customer)) = talking(&bed) else { return };
    let pid = bed.pid().to_string();
    let _ = std::process::Command::new("kill").arg(&pid).status();
    assert!(wait_until(Duration::from_secs(5), || bed.log().contains("drain")), "{}", bed.log());
    let late = Plan { dial: Some((NUMBER, "0355550143")), ..Plan::of("caller") };
    let Some(mut late) = Sipp::caller(&bed, "late", late) else { return };
    assert!(late.wait(Duration::from_secs(5)).is_some_and(|s| !s.success()), "a new call while draining");
    assert!(late.said().contains("SIP/2.0 503"), "{}", late.said());
    customer.success(Duration::from_secs(20));
    phone.success(Duration::from_secs(5));
    assert_eq!(bed.stop(), Some(0));
    bed.run();
    let calls = bed.calls();
    let call = calls.iter().find(|c| c["caller"] == "+81355550142").unwrap();
    assert_eq!(call["fate"], "answered");
    assert_eq!(bed.json(&["recording", "show", call["recording"].as_str().unwrap()])["state"], "sealed");
}
