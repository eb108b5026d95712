//! Calls on the wire with SIPp at both ends: every ordinary fate of a call.

use crate::audio::{from_mu_law, loud, read_recording, share};
use crate::bed::{Bed, NUMBER, wait_until};
use crate::capture::Capture;
use crate::sipp::{Plan, Sipp, free_port};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

const CALLER: &str = "0355550142";

fn caller<'a>(scenario: &'a str) -> Plan<'a> {
    Plan { dial: Some((NUMBER, CALLER)), ..Plan::of(scenario) }
}

/// A bed with one desk-phone operator whose phone will be at the port returned.
fn bed_with_phone() -> (Bed, u16) {
    let bed = Bed::start();
    bed.provision();
    let port = free_port();
    bed.operator("desk", Some(&format!("sip:desk@127.0.0.1:{port}")));
    (bed, port)
}

fn answered_over(transport: &'static str, local: &'static str) {
    let (bed, port) = bed_with_phone();
    let phone = Sipp::phone(&bed, "phone", port, Plan { hz: 1000.0, ..Plan::of("operator") });
    let customer = Sipp::caller(&bed, "customer", Plan { transport, local, ..caller("caller") });
    let (Some(phone), Some(customer)) = (phone, customer) else { return };
    let capture = (local == "127.0.0.1")
        .then(|| Capture::start(bed.path("").as_path(), customer.media_port()))
        .flatten();
    customer.success(Duration::from_secs(30));
    phone.success(Duration::from_secs(10));
    if let Some(capture) = capture {
        let heard: Vec<i16> = capture.payloads().into_iter().map(from_mu_law).collect();
        // The welcome prompt and the music come first: the operator's voice is the end of it.
        let end = &heard[heard.len().saturating_sub(16_000)..];
        assert!(share(end, 1000.0) > 0.6, "the customer heard {:.2} of 1000 Hz", share(end, 1000.0));
    }
    let call = bed.ended_call();
    assert_eq!(call["fate"], "answered", "{call}");
    assert_eq!(call["caller"], "+81355550142", "national number made E.164");
    let (left, right) = read_recording(&bed.recording(call["recording"].as_str().expect("a recording")));
    assert!(
        share(&left, 440.0) > 0.6 && share(&left, 1000.0) < 0.1,
        "left: {:.2} of 440 Hz",
        share(&left, 440.0)
    );
    assert!(
        share(&right, 1000.0) > 0.6 && share(&right, 440.0) < 0.1,
        "right: {:.2} of 1000 Hz",
        share(&right, 1000.0)
    );
    assert!(loud(&left) > 0.85 && loud(&right) > 0.85, "gaps: {:.2}, {:.2}", loud(&left), loud(&right));
    let seconds = left.len() as f64 / 8000.0;
    // The caller talks for 4 s from its answer; prompt (0.3 s) and queue come before the bridge.
    assert!((2.5..4.2).contains(&seconds), "{seconds} s recorded");
}

#[test]
fn a_customer_talks_with_a_desk_phone_and_both_are_recorded() {
    answered_over("u1", "127.0.0.1");
}

#[test]
fn the_same_over_tcp() {
    answered_over("t1", "127.0.0.1");
}

#[test]
fn the_same_over_ipv6() {
    answered_over("u1", "::1");
}

#[test]
fn the_operator_hangs_up_and_the_customer_is_gone_within_100_ms() {
    let (bed, port) = bed_with_phone();
    let talk = Duration::from_secs(2);
    let phone = Sipp::phone(&bed, "phone", port, Plan { talk, ..Plan::of("operator_hangs_up") });
    let customer = Sipp::caller(&bed, "customer", caller("caller_waits"));
    let (Some(mut phone), Some(mut customer)) = (phone, customer) else { return };
    assert!(phone.wait(Duration::from_secs(30)).is_some_and(|s| s.success()), "{}", phone.said());
    let hung_up = Instant::now();
    assert!(customer.wait(Duration::from_secs(5)).is_some_and(|s| s.success()), "{}", customer.said());
    // SIPp's own exit is part of this time: its screen refreshes once in a while.
    assert!(hung_up.elapsed() < Duration::from_secs(2));
    let call = bed.ended_call();
    assert_eq!(call["fate"], "answered");
    let events = bed.json(&["call", "show", call["id"].as_str().unwrap()]);
    let at = |kind: &str| {
        let list = events["events"].as_array().unwrap();
        list.iter().find(|e| e["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {events}"))["at"]
            .as_i64()
            .unwrap()
    };
    assert!(at("ended") - at("hung_up") <= 100, "both legs ended within 100 ms");
}

/// INVITE and CANCEL back to back: the exchange answers a call before its first prompt, so only a
/// cancel that comes at once is early. Final answers by method.
fn cancel_at_once(bed: &Bed, attempt: usize) -> (Option<u16>, Option<u16>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let port = socket.local_addr().unwrap().port();
    let sdp = "v=0\r\no=t 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";
    let request = |method: &str, body: &str| {
        format!(
            "{method} sip:{NUMBER}@bluebean SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKcancel{attempt};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{CALLER}@127.0.0.1>;tag=t{attempt}\r\nTo: <sip:{NUMBER}@bluebean>\r\n\
             Call-ID: cancel{attempt}-{port}\r\nCSeq: 1 {method}\r\nContact: <sip:t@127.0.0.1:{port}>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    for message in [request("INVITE", sdp), request("CANCEL", "")] {
        socket.send_to(message.as_bytes(), bed.address("sip_udp")).unwrap();
    }
    let (mut invite, mut cancel, mut buffer) = (None, None, [0; 4096]);
    while invite.is_none() || cancel.is_none() {
        let Ok((length, _)) = socket.recv_from(&mut buffer) else { break };
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let code = answer.get(8..11).and_then(|c| c.parse::<u16>().ok()).filter(|c| *c >= 200);
        if answer.contains("CSeq: 1 CANCEL") { cancel = cancel.or(code) } else { invite = invite.or(code) }
    }
    (invite, cancel)
}

#[test]
fn a_customer_who_cancels_before_the_answer_gets_487() {
    let (bed, _) = bed_with_phone();
    let cancelled = (0..5).any(|attempt| {
        let (invite, cancel) = cancel_at_once(&bed, attempt);
        assert_eq!(cancel, Some(200), "a CANCEL that matches is answered, whatever becomes of the INVITE");
        // An answer that was faster than the cancel stands (RFC 3261 §9.2): once more.
        invite == Some(487)
    });
    assert!(cancelled, "no INVITE of five was cancelled");
    let call = bed.ended_call();
    assert!(matches!(call["fate"].as_str(), Some("abandoned" | "completed")), "{call}");
    assert!(call["recording"].is_null() && call["answered_at"].is_null());
}

#[test]
fn a_customer_who_gives_up_in_the_queue_is_abandoned_and_the_phone_stops_ringing() {
    let (bed, port) = bed_with_phone();
    let phone = Sipp::phone(&bed, "phone", port, Plan::of("operator_never_answers"));
    let customer = Sipp::caller(&bed, "customer", Plan { talk: Duration::from_secs(3), ..caller("caller") });
    let (Some(phone), Some(customer)) = (phone, customer) else { return };
    customer.success(Duration::from_secs(30));
    phone.success(Duration::from_secs(5));
    let call = bed.ended_call();
    assert_eq!(call["fate"], "abandoned", "{call}");
    assert!(call["recording"].is_null());
}

#[test]
fn nobody_available_means_music_until_the_customer_leaves() {
    let bed = Bed::start();
    bed.provision();
    let Some(customer) =
        Sipp::caller(&bed, "customer", Plan { talk: Duration::from_secs(3), ..caller("caller") })
    else {
        return;
    };
    let capture = Capture::start(bed.path("").as_path(), customer.media_port());
    customer.success(Duration::from_secs(30));
    let call = bed.ended_call();
    assert_eq!(call["fate"], "abandoned", "{call}");
    assert!(call["queued_at"].is_i64() && call["answered_at"].is_null());
    if let Some(capture) = capture {
        let heard: Vec<i16> = capture.payloads().into_iter().map(from_mu_law).collect();
        let tail = &heard[heard.len().saturating_sub(8000)..];
        assert!(tail.len() == 8000 && loud(tail) > 0.3, "music: {:.2} of the last second", loud(tail));
    }
}

#[test]
fn a_refused_call_goes_to_the_next_operator() {
    let (bed, port) = bed_with_phone();
    let second = free_port();
    let refuses = Sipp::phone(&bed, "first", port, Plan::of("operator_refuses"));
    let customer = Sipp::caller(&bed, "customer", Plan { talk: Duration::from_secs(9), ..caller("caller") });
    let (Some(refuses), Some(customer)) = (refuses, customer) else { return };
    refuses.success(Duration::from_secs(20));
    let Some(answers) = Sipp::phone(&bed, "second", second, Plan { hz: 1000.0, ..Plan::of("operator") })
    else {
        return;
    };
    bed.operator("other", Some(&format!("sip:other@127.0.0.1:{second}")));
    customer.success(Duration::from_secs(30));
    answers.success(Duration::from_secs(10));
    let call = bed.ended_call();
    assert_eq!(call["fate"], "answered", "{call}");
    let shown = bed.json(&["call", "show", call["id"].as_str().unwrap()]);
    let ends: Vec<_> = shown["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["kind"] == "offer_ended")
        .map(|e| &e["detail"])
        .collect();
    assert!(ends.iter().any(|d| *d == "refused") && ends.iter().any(|d| *d == "accepted"), "{ends:?}");
}

#[test]
fn a_customer_whose_acks_are_lost_is_let_go_after_32_seconds() {
    let bed = Bed::start();
    bed.provision();
    let Some(customer) = Sipp::caller(&bed, "customer", caller("caller_loses_ack")) else { return };
    let start = Instant::now();
    customer.success(Duration::from_secs(50));
    assert!(start.elapsed() > Duration::from_secs(25), "64*T1 of RFC 3261 is 32 s");
    assert!(bed.ended_call()["fate"].is_string());
    assert!(bed.calls().iter().all(|c| c["fate"].is_string()), "no call is left");
}

#[test]
fn an_unknown_number_gets_404_and_an_unknown_source_gets_nothing() {
    let bed = Bed::start();
    bed.provision();
    let Some(mut customer) =
        Sipp::caller(&bed, "customer", Plan { dial: Some(("0399999999", CALLER)), ..Plan::of("caller") })
    else {
        return;
    };
    assert!(customer.wait(Duration::from_secs(10)).is_some_and(|s| !s.success()));
    assert!(customer.said().contains("SIP/2.0 404"), "{}", customer.said());
    bed.done(&["trunk", "set", "carrier", "--source", "192.0.2.0/24"]);
    let Some(mut stranger) = Sipp::caller(&bed, "stranger", caller("caller")) else { return };
    let answered = || stranger.said().contains("SIP/2.0 ");
    assert!(!wait_until(Duration::from_secs(3), answered), "{}", stranger.said());
    assert!(stranger.wait(Duration::from_millis(1)).is_none(), "still waiting for an answer");
}
