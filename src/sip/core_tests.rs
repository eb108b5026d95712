//! Calls that come in, on the core alone: one story a test.

use super::bench::{Bench, INVITE, SDP, dice, message, ours, tag_of};
use super::sdp::Direction;
use super::*;
use bytes::Bytes;
use std::time::Duration;

#[test]
fn a_200_is_sent_again_until_its_ack_is_given_up() {
    let mut bench = Bench::new();
    let leg = bench.invited(INVITE, SDP);
    bench.core.accept(leg, &ours(), bench.now);
    bench.pass(Duration::from_millis(31_900));
    // 0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5 s (RFC 3261 §13.3.1.4).
    assert_eq!(bench.statuses(), [200; 11]);
    bench.pass(Duration::from_millis(200));
    assert_eq!(bench.words(), ["BYE"]);
    assert!(matches!(bench.told()[..], [Event::Ended(l, EndReason::AckLost)] if l == leg));
    bench.assert_nothing_left();
}

#[test]
fn an_ack_stops_the_200_and_the_bye_ends_the_call() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.up(INVITE);
    bench.pass(Duration::from_secs(20));
    assert_eq!(bench.statuses(), [0u16; 0]);
    bench.within("BYE", 2, &tag, "", "");
    bench.within("BYE", 2, &tag, "", "");
    assert_eq!(bench.statuses(), [200, 200], "a repeated BYE hears the same");
    assert!(matches!(bench.told()[..], [Event::Ended(l, EndReason::Bye)] if l == leg));
    bench.within("BYE", 3, &tag, "", "");
    assert_eq!(bench.statuses(), [481]);
    bench.assert_nothing_left();
}

#[test]
fn cancel_ends_what_is_not_answered_and_nothing_else() {
    let mut bench = Bench::new();
    bench.receive(&message("CANCEL", "call", 1, "", ""));
    assert_eq!(bench.statuses(), [481]);
    let leg = bench.invited(INVITE, SDP);
    bench.core.ring(leg, bench.now);
    bench.receive(&message("CANCEL", "call", 1, "", ""));
    assert_eq!(bench.statuses(), [180, 200, 487]);
    assert!(matches!(bench.told()[..], [Event::Cancelled(l)] if l == leg));
    // What comes too late does nothing.
    bench.core.accept(leg, &ours(), bench.now);
    bench.core.hang_up(leg, bench.now);
    assert_eq!(bench.statuses(), [0u16; 0]);
    bench.assert_nothing_left();
    let mut bench = Bench::new();
    let (_, _) = bench.up(INVITE);
    bench.receive(&message("CANCEL", "call", 1, "", ""));
    assert_eq!(bench.statuses(), [200]);
    assert_eq!(bench.told().len(), 0);
}

#[test]
fn a_call_without_offer_gets_ours_and_its_ack_brings_the_answer() {
    for (answer, is_up) in [(SDP, true), ("", false), ("v=0\r\n", false)] {
        let mut bench = Bench::new();
        let leg = bench.invited(INVITE, "");
        bench.core.accept(leg, &ours(), bench.now);
        let ok = bench.sent().remove(0);
        assert!(ok.contains("m=audio 20000 RTP/AVP 0 8 101\r\n"), "{ok}");
        bench.ack(1, &tag_of(&ok), answer);
        match bench.told().as_slice() {
            [Event::Confirmed(l, Some(audio))] => assert!(is_up && *l == leg && audio.address.port() == 6000),
            [Event::Ended(l, EndReason::AckLost)] => assert!(!is_up && *l == leg),
            other => panic!("{other:?}"),
        }
        assert_eq!(bench.words(), if is_up { vec![] } else { vec!["BYE"] });
    }
}

#[test]
fn hanging_up_before_the_ack_waits_for_it() {
    let mut bench = Bench::new();
    let leg = bench.invited(INVITE, SDP);
    bench.core.accept(leg, &ours(), bench.now);
    let tag = tag_of(&bench.sent()[0]);
    bench.core.hang_up(leg, bench.now);
    assert_eq!(bench.words(), [""; 0], "RFC 3261 §15: no BYE before the ACK");
    bench.ack(1, &tag, "");
    assert_eq!(bench.words(), ["BYE"]);
    // Their BYE crosses ours.
    bench.within("BYE", 2, &tag, "", "");
    assert_eq!(bench.statuses(), [200]);
    assert_eq!(bench.told().len(), 0, "no event after hanging up");
    bench.assert_nothing_left();
}

#[test]
fn a_changed_session_is_our_side_s_to_answer() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.up(INVITE);
    let hold = SDP.replace("1 1 IN", "1 2 IN") + "a=sendonly\r\n";
    bench.within("INVITE", 2, &tag, INVITE, &hold);
    assert_eq!(bench.statuses(), [100]);
    assert!(
        matches!(&bench.told()[..], [Event::Reoffered(l, Some(a))] if *l == leg && a.direction == Direction::SendOnly)
    );
    bench.within("INVITE", 3, &tag, INVITE, &hold);
    assert_eq!(bench.statuses(), [500], "one at a time");
    bench.core.accept(leg, &ours(), bench.now);
    let ok = bench.sent().remove(0);
    assert!(ok.contains("a=recvonly"), "{ok}");
    bench.within("INVITE", 4, &tag, INVITE, SDP);
    assert_eq!(bench.statuses(), [491], "not while the ACK is on its way");
    bench.ack(2, &tag, "");
    bench.within("INVITE", 3, &tag, INVITE, &hold);
    assert_eq!(bench.statuses(), [500], "CSeq only goes up");
    // The same description again is a refresh: our side need not hear of it.
    bench.within("INVITE", 5, &tag, INVITE, &hold);
    assert_eq!(bench.statuses(), [100, 200]);
    assert_eq!(bench.told().len(), 0);
    bench.ack(5, &tag, "");
    // Nobody answers: 500, and the call goes on.
    bench.within("INVITE", 6, &tag, INVITE, SDP);
    bench.pass(Duration::from_secs(6));
    assert!(bench.statuses().starts_with(&[100, 500]));
    bench.ack(6, &tag, "");
    bench.within("INVITE", 7, &tag, INVITE, "v=0\r\no=broken\r\n");
    assert_eq!(bench.statuses(), [400]);
    bench.within("INVITE", 8, &tag, INVITE, &SDP.replace("AVP 0", "AVP 18"));
    assert_eq!(bench.statuses(), [488]);
    // No body asks for our offer.
    bench.told();
    bench.within("INVITE", 9, &tag, INVITE, "");
    assert!(matches!(bench.told()[..], [Event::Reoffered(l, None)] if l == leg));
    bench.core.accept(leg, &ours(), bench.now);
    bench.ack(9, &tag, SDP);
    assert!(matches!(bench.told()[..], [Event::Confirmed(l, Some(_))] if l == leg));
    bench.core.hang_up(leg, bench.now);
    bench.assert_nothing_left();
}

#[test]
fn update_refreshes_and_changes_a_session() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.up(INVITE);
    bench.within("UPDATE", 2, &tag, "Contact: <sip:c@192.0.2.77>\r\n", "");
    assert_eq!(bench.statuses(), [200]);
    bench.within("UPDATE", 3, &tag, INVITE, &SDP.replace("6000", "6002"));
    assert!(
        matches!(&bench.told()[..], [Event::Reoffered(l, Some(a))] if *l == leg && a.address.port() == 6002)
    );
    bench.core.accept(leg, &ours(), bench.now);
    let ok = bench.sent().remove(0);
    assert!(ok.starts_with("SIP/2.0 200") && ok.contains("m=audio 20000"), "{ok}");
    bench.within("UPDATE", 4, &tag, INVITE, SDP);
    bench.core.reject(leg, 488, bench.now);
    assert_eq!(bench.statuses(), [488]);
    // Before the first answer there is nothing to change (RFC 3311 §5.2).
    let mut bench = Bench::new();
    let leg = bench.invited(INVITE, SDP);
    bench.core.ring(leg, bench.now);
    let tag = tag_of(&bench.sent()[0]);
    bench.within("UPDATE", 2, &tag, INVITE, SDP);
    assert_eq!(bench.statuses(), [500]);
}

#[test]
fn a_required_reliable_180_is_sent_until_its_prack() {
    let rows = format!("{INVITE}Require: 100rel\r\n");
    let mut bench = Bench::new();
    let leg = bench.invited(&rows, SDP);
    bench.core.ring(leg, bench.now);
    let ringing = bench.sent().remove(0);
    let rseq = ringing.lines().find_map(|l| l.strip_prefix("RSeq: ")).expect("an RSeq").to_owned();
    assert!(ringing.contains("Require: 100rel\r\n"));
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.statuses(), [180, 180], "after 0.5 and 1.5 s");
    let tag = tag_of(&ringing);
    bench.within("PRACK", 2, &tag, &format!("RAck: {rseq} 7 INVITE\r\n"), "");
    assert_eq!(bench.statuses(), [481]);
    bench.within("PRACK", 3, &tag, &format!("RAck: {rseq} 1 INVITE\r\n"), "");
    assert_eq!(bench.statuses(), [200]);
    bench.pass(Duration::from_secs(20));
    assert_eq!(bench.statuses(), [0u16; 0]);
    bench.core.hang_up(leg, bench.now);
    assert_eq!(bench.statuses(), [480]);
    bench.assert_nothing_left();
    // Never acknowledged: RFC 3262 §3.
    let leg = bench.invited(&rows, SDP);
    bench.core.ring(leg, bench.now);
    bench.pass(Duration::from_secs(33));
    assert!(bench.statuses().contains(&504));
    assert!(matches!(bench.told()[..], [Event::Ended(l, _)] if l == leg));
    bench.assert_nothing_left();
}

#[test]
fn a_session_that_nobody_refreshes_is_ended() {
    let rows = format!("{INVITE}Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    let mut bench = Bench::new();
    let (leg, tag) = bench.up(&rows);
    bench.pass(Duration::from_secs(50));
    bench.within("UPDATE", 2, &tag, "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n", "");
    let ok = bench.sent().remove(0);
    assert!(ok.contains("Session-Expires: 90;refresher=uac\r\n"), "{ok}");
    bench.pass(Duration::from_secs(55));
    assert_eq!(bench.words(), [""; 0]);
    bench.pass(Duration::from_secs(10));
    assert!(matches!(bench.told()[..], [Event::Ended(l, EndReason::SessionExpired)] if l == leg));
    assert_eq!(bench.words()[0], "BYE");
    bench.assert_nothing_left();
}

#[test]
fn our_own_refresh_is_an_update_or_a_re_invite() {
    for (allow, method) in [(INVITE, "UPDATE"), ("Contact: <sip:c@192.0.2.1:5060>\r\n", "INVITE")] {
        let rows = format!("{allow}Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n");
        let mut bench = Bench::new();
        let (leg, _) = bench.up(&rows);
        bench.pass(Duration::from_secs(45));
        let refresh = bench.sent().remove(0);
        assert!(refresh.starts_with(method), "{refresh}");
        assert!(refresh.contains("Session-Expires: 90;refresher=uac\r\n"), "{refresh}");
        assert_eq!(refresh.contains("m=audio 20000"), method == "INVITE");
        bench.answer(&refresh, 200, "f", "Session-Expires: 90;refresher=uac\r\n", "");
        bench.answer(&refresh, 200, "f", "Session-Expires: 90;refresher=uac\r\n", "");
        assert_eq!(bench.words().len(), if method == "INVITE" { 2 } else { 0 }, "an ACK for each 200");
        bench.pass(Duration::from_secs(46));
        let refresh = bench.sent().remove(0);
        bench.answer(&refresh, 481, "f", "", "");
        assert!(matches!(bench.told()[..], [Event::Ended(l, EndReason::Transport)] if l == leg));
        bench.assert_nothing_left();
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    let loop_via = |bench: &Bench| {
        format!("Via: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bK{:016x}1234\r\n{INVITE}", bench.core.instance)
    };
    let mut bench = Bench::new();
    let cases: Vec<(String, u16, &str)> = vec![
        (message("OPTIONS", "a", 1, "", ""), 200, "Allow: INVITE"),
        (message("REGISTER", "a", 1, "", ""), 405, "Allow: INVITE"),
        (message("FETCH", "a", 1, "", ""), 501, ""),
        (message("BYE", "a", 1, "", ""), 481, ""),
        (message("BYE", "a", 1, "To-Tag: 0000000000000001\r\n", ""), 481, ""),
        (message("INVITE", "a", 1, "Require: foo\r\n", SDP), 420, "Unsupported: foo"),
        (message("INVITE", "a", 2, "Content-Type: text/plain\r\n", "x"), 415, "Accept: application/sdp"),
        (message("INVITE", "a", 3, "Accept: text/plain\r\n", SDP), 406, ""),
        (message("INVITE", "a", 4, "Session-Expires: 30\r\n", SDP), 422, "Min-SE: 90"),
        (message("INVITE", "a", 5, "", "v=0\r\n"), 400, ""),
        (message("INVITE", "a", 6, "", &SDP.replace("AVP 0", "AVP 18")), 488, ""),
        (message("INVITE", "a", 7, "", SDP).replace("Max-Forwards: 70", "Max-Forwards: 0"), 483, ""),
        (message("INVITE", "a", 8, &loop_via(&bench), SDP), 482, ""),
        (
            message("OPTIONS", "a", 9, "", "").replace("sip:0312345678@192.0.2.9 SIP", "mailto:a@b SIP"),
            416,
            "",
        ),
        (message("OPTIONS", "a", 10, "", "").replace("9 SIP/2.0", "9 SIP/3.0"), 505, ""),
        (message("OPTIONS", "a", 11, "", "").replace("CSeq: 11 OPTIONS", "CSeq: 11 INVITE"), 400, ""),
    ];
    for (message, status, header) in cases {
        bench.receive(&message);
        let sent = bench.sent();
        assert_eq!(sent.len(), 1, "{message}");
        assert!(
            sent[0].starts_with(&format!("SIP/2.0 {status} ")) && sent[0].contains(header),
            "{message}\n{}",
            sent[0]
        );
    }
    assert_eq!(bench.told().len(), 0);
    bench.assert_nothing_left();
}

#[test]
fn the_same_invite_by_another_way_is_a_loop_and_our_own_is_dropped() {
    let mut bench = Bench::new();
    bench.invited(INVITE, SDP);
    bench.receive(&message("INVITE", "call", 1, INVITE, SDP).replace("z9hG4bKcall", "z9hG4bKother"));
    assert_eq!(bench.statuses(), [482]);
    let mut bench = Bench::new();
    let (_, invite) = bench.calling();
    bench.receive(&invite);
    assert_eq!(bench.statuses(), [0u16; 0]);
    assert_eq!(bench.core.status().dropped, 1);
}

#[test]
fn a_peer_that_is_no_trunk_may_only_speak_within_its_dialog() {
    let mut bench = Bench::new();
    let (_, tag) = bench.up(INVITE);
    for silent in [
        message("INVITE", "x", 1, INVITE, SDP),
        message("OPTIONS", "x", 1, "", ""),
        "OPTIONS x\r\n\r\n".repeat(4),
    ] {
        bench.core.receive(&Bytes::from(silent), bench.path, Standing::Peer, false, bench.now);
        assert_eq!(bench.statuses(), [0u16; 0]);
    }
    let bye = message("BYE", "call", 2, &format!("To-Tag: {tag}\r\n"), "");
    bench.core.receive(&Bytes::from(bye), bench.path, Standing::Peer, false, bench.now);
    assert_eq!(bench.statuses(), [200]);
}

#[test]
fn too_many_calls_are_shed_without_a_trace() {
    let mut bench = Bench::new();
    for call in 0..300 {
        bench.receive(&message("INVITE", &format!("many{call}"), 1, INVITE, SDP));
    }
    let statuses = bench.statuses();
    assert_eq!(statuses.iter().filter(|s| **s == 100).count(), 100);
    assert_eq!(statuses.iter().filter(|s| **s == 503).count(), 200);
    let status = bench.core.status();
    assert_eq!((status.legs, status.transactions, status.shed), (100, 100, 200));
}

#[test]
fn random_orders_of_everything_leave_nothing_behind() {
    let mut random = dice("SIP_ORDER_SEED");
    for _ in 0..300 {
        let mut bench = Bench::new();
        let mut tag = "0000000000000000".to_owned();
        for cseq in 1..40 {
            let cseq = if random().is_multiple_of(4) { 1 } else { cseq };
            let rows = match random() % 4 {
                0 => format!("{INVITE}Require: 100rel\r\n"),
                1 => format!("{INVITE}Supported: timer\r\nSession-Expires: 90\r\n"),
                _ => INVITE.to_owned(),
            };
            let body = match random() % 3 {
                0 => String::new(),
                1 => SDP.replace("6000", &(6000 + random() % 9).to_string()),
                _ => SDP.to_owned(),
            };
            let within = format!("{rows}To-Tag: {tag}\r\n");
            match random() % 9 {
                0 => bench.receive(&message("INVITE", "call", 1, &rows, &body)),
                1 => bench.receive(&message("CANCEL", "call", 1, "", "")),
                2 => bench.receive(&message("ACK", "call", cseq, &format!("To-Tag: {tag}\r\n"), &body)),
                3 => bench.receive(&message("BYE", "call", cseq, &within, "")),
                4 => bench.receive(&message("INVITE", "call", cseq, &within, &body)),
                5 => bench.receive(&message("UPDATE", "call", cseq, &within, &body)),
                6 => bench.receive(&message(
                    "PRACK",
                    "call",
                    cseq,
                    &format!("{within}RAck: 1 1 INVITE\r\n"),
                    "",
                )),
                _ => bench.pass(Duration::from_millis(random() % 20_000)),
            }
            bench.drain();
            if let Some(reply) =
                bench.sent.iter().rev().find(|m| m.starts_with("SIP/2.0 ") && m.contains("INVITE\r\n"))
            {
                tag = Some(tag_of(reply)).filter(|tag| !tag.is_empty()).unwrap_or(tag);
            }
            bench.obey(&mut random);
        }
        bench.assert_nothing_left();
    }
}
