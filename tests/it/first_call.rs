//! The main job: a customer's telephone call rings a home operator's browser, is answered,
//! recorded and played back. SIPp speaks at 440 Hz, Chromium's microphone at 1000 Hz.

use crate::audio::{from_mu_law, loud, read_recording, share};
use crate::bed::{Bed, NUMBER, wait_until};
use crate::browser::Operator;
use crate::capture::Capture;
use crate::sipp::{Plan, Sipp};
use serde_json::json;
use std::time::{Duration, Instant};

fn bed_with_operator() -> Bed {
    let bed = Bed::start();
    bed.provision();
    bed.operator("nakamura", None);
    bed
}

fn caller<'a>(scenario: &'a str) -> Plan<'a> {
    Plan { dial: Some((NUMBER, "0355550142")), ..Plan::of(scenario) }
}

#[test]
fn a_call_rings_the_browser_is_answered_recorded_and_played_back() {
    let bed = bed_with_operator();
    let Some(mut operator) = Operator::available(&bed, "nakamura", 1000.0) else { return };
    let Some(customer) =
        Sipp::caller(&bed, "customer", Plan { talk: Duration::from_secs(60), ..caller("caller_waits") })
    else {
        return;
    };
    let capture = Capture::start(bed.path("").as_path(), customer.media_port());

    // The pop: who calls, which queue, before anyone has said a word.
    let ringing =
        operator.tell(json!({"do": "wait_state", "state": "ringing"}))["text"].as_str().unwrap().to_owned();
    assert!(ringing.contains("高橋 由美子") && ringing.contains("support"), "{ringing}");
    assert_eq!(operator.tell(json!({"do": "value", "label": "氏名"}))["value"], "高橋 由美子");
    operator.tell(json!({"do": "press", "name": "answer"}));
    operator.tell(json!({"do": "wait_state", "state": "talking"}));
    let talking = Instant::now();
    let packets = |operator: &mut Operator| {
        let stats = operator.tell(json!({"do": "stats"}))["stats"].clone();
        (stats["packetsSent"].as_u64().unwrap_or(0), stats["packetsReceived"].as_u64().unwrap_or(0))
    };
    let before = packets(&mut operator);
    let mut after = before;
    wait_until(Duration::from_secs(10), || {
        after = packets(&mut operator);
        talking.elapsed() > Duration::from_secs(4) && after.0 > before.0 + 100 && after.1 > before.1 + 100
    });
    assert!(
        after.0 > before.0 + 100 && after.1 > before.1 + 100,
        "packets both ways: {before:?} then {after:?}"
    );

    operator.tell(json!({"do": "press", "name": "hang-up"}));
    operator.tell(json!({"do": "wait_state", "state": "wrap_up"}));
    customer.success(Duration::from_secs(5));

    // What reached the customer's telephone at the end of the call is the operator's voice.
    if let Some(capture) = capture {
        let heard: Vec<i16> = capture.payloads().into_iter().map(from_mu_law).collect();
        let end = &heard[heard.len().saturating_sub(16_000)..];
        assert!(share(end, 1000.0) > 0.6, "the customer heard {:.2} of 1000 Hz", share(end, 1000.0));
    }
    let call = bed.ended_call();
    assert_eq!(call["fate"], "answered", "{call}");
    let id = call["recording"].as_str().expect("a recording").to_owned();
    let (left, right) = read_recording(&bed.recording(&id));
    assert!(share(&left, 440.0) > 0.6, "left: {:.2} of 440 Hz", share(&left, 440.0));
    assert!(share(&right, 1000.0) > 0.6, "right: {:.2} of 1000 Hz", share(&right, 1000.0));
    assert!(loud(&left) > 0.8 && loud(&right) > 0.8, "gaps: {:.2} {:.2}", loud(&left), loud(&right));

    // The operator writes the result and is free again; the history shows the call and plays it.
    operator.tell(
        json!({"do": "write_record", "topic": "配送", "disposition": "完了", "note": "荷物は明日届く。"}),
    );
    operator.tell(json!({"do": "press", "name": "finish"}));
    operator.tell(json!({"do": "wait_state", "state": "idle"}));
    let played = operator.tell(json!({"do": "play_newest"}));
    assert!(played["seconds"].as_f64().unwrap_or(0.0) > 1.0, "{played}");
    let record = bed.json(&["call", "show", call["id"].as_str().unwrap()]);
    assert_eq!(record["contact_records"][0]["disposition"], "完了", "{record}");
}

#[test]
fn the_operator_refuses_and_the_customer_waits_on() {
    let bed = bed_with_operator();
    let Some(mut operator) = Operator::available(&bed, "nakamura", 1000.0) else { return };
    let Some(customer) =
        Sipp::caller(&bed, "customer", Plan { talk: Duration::from_secs(4), ..caller("caller") })
    else {
        return;
    };
    operator.tell(json!({"do": "wait_state", "state": "ringing"}));
    operator.tell(json!({"do": "press", "name": "refuse"}));
    operator.tell(json!({"do": "wait_state", "state": "idle"}));
    customer.success(Duration::from_secs(20));
    assert_eq!(bed.ended_call()["fate"], "abandoned");
}

#[test]
fn the_customer_hangs_up_while_it_rings_and_the_screen_is_quiet_again() {
    let bed = bed_with_operator();
    let Some(mut operator) = Operator::available(&bed, "nakamura", 1000.0) else { return };
    let Some(customer) =
        Sipp::caller(&bed, "customer", Plan { talk: Duration::from_secs(2), ..caller("caller") })
    else {
        return;
    };
    operator.tell(json!({"do": "wait_state", "state": "ringing"}));
    customer.success(Duration::from_secs(20));
    operator.tell(json!({"do": "wait_state", "state": "idle"}));
    assert_eq!(bed.ended_call()["fate"], "abandoned");
}

#[test]
fn the_customer_hangs_up_first_and_the_next_call_is_offered_after_wrap_up() {
    let bed = bed_with_operator();
    let Some(mut operator) = Operator::available(&bed, "nakamura", 1000.0) else { return };
    for n in 0..2 {
        let name = format!("customer-{n}");
        let Some(customer) =
            Sipp::caller(&bed, &name, Plan { talk: Duration::from_secs(4), ..caller("caller") })
        else {
            return;
        };
        operator.tell(json!({"do": "wait_state", "state": "ringing"}));
        operator.tell(json!({"do": "key", "key": "Alt+a"}));
        operator.tell(json!({"do": "wait_state", "state": "talking"}));
        customer.success(Duration::from_secs(20));
        operator.tell(json!({"do": "wait_state", "state": "wrap_up"}));
        operator.tell(json!({"do": "press", "name": "finish"}));
        operator.tell(json!({"do": "wait_state", "state": "idle"}));
    }
    assert!(
        bed.calls().iter().all(|c| c["fate"] == "answered" && c["recording"].is_string()),
        "{:?}",
        bed.calls()
    );
}
