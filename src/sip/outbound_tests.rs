//! Calls that go out, on the core alone: one story a test.

use super::bench::{Bench, SDP, ours};
use super::*;
use std::time::Duration;

#[test]
fn an_outbound_call_rings_answers_and_acknowledges_every_200() {
    let mut bench = Bench::new();
    let (leg, invite) = bench.calling();
    assert!(
        invite.contains("From: <sip:0901@192.0.2.9:5060>;tag=") && invite.contains("m=audio 20000"),
        "{invite}"
    );
    assert!(bench.core.expects("192.0.2.1".parse().unwrap()));
    bench.answer(&invite, 100, "t", "", "");
    bench.answer(&invite, 180, "t", "", "");
    bench.answer(&invite, 183, "t", "", "");
    assert!(matches!(bench.told()[..], [Event::Ringing(l)] if l == leg), "once");
    bench.answer(
        &invite,
        200,
        "t",
        "Record-Route: <sip:192.0.2.3;lr>\r\nRecord-Route: <sip:192.0.2.2;lr>\r\n",
        SDP,
    );
    let ack = bench.sent().remove(0);
    assert!(ack.starts_with("ACK sip:100@192.0.2.1:5060") && ack.contains("CSeq: 1 ACK\r\n"), "{ack}");
    assert!(ack.contains("Route: <sip:192.0.2.2;lr>\r\nRoute: <sip:192.0.2.3;lr>\r\n"), "reversed: {ack}");
    assert!(matches!(&bench.told()[..], [Event::Answered(l, a)] if *l == leg && a.address.port() == 6000));
    bench.answer(&invite, 200, "t", "", SDP);
    assert_eq!(bench.words(), ["ACK"]);
    bench.answer(&invite, 200, "fork", "", SDP);
    assert_eq!(bench.words(), ["ACK", "BYE"]);
    bench.answer(&invite, 200, "fork", "", SDP);
    assert_eq!(bench.words(), ["ACK"]);
    bench.core.hang_up(leg, bench.now);
    let bye = bench.sent().remove(0);
    assert!(bye.starts_with("BYE ") && bye.contains("CSeq: 2 BYE\r\n"), "{bye}");
    bench.answer(&bye, 200, "t", "", "");
    assert_eq!(bench.core.status().legs, 0);
    bench.assert_nothing_left();
}

#[test]
fn an_outbound_call_is_cancelled_only_once_its_peer_has_spoken() {
    let mut bench = Bench::new();
    let (leg, invite) = bench.calling();
    bench.core.hang_up(leg, bench.now);
    assert_eq!(bench.words(), [""; 0], "RFC 3261 §9.1");
    bench.answer(&invite, 180, "t", "", "");
    let cancel = bench.sent().remove(0);
    assert!(cancel.starts_with("CANCEL ") && cancel.contains("CSeq: 1 CANCEL\r\n"), "{cancel}");
    bench.answer(&cancel, 200, "t", "", "");
    bench.answer(&invite, 487, "t", "", "");
    assert_eq!(bench.words(), ["ACK"]);
    assert_eq!(bench.told().len(), 0);
    bench.assert_nothing_left();
    // The answer crosses the CANCEL.
    let mut bench = Bench::new();
    let (leg, invite) = bench.calling();
    bench.answer(&invite, 180, "t", "", "");
    bench.core.hang_up(leg, bench.now);
    bench.told();
    bench.answer(&invite, 200, "t", "", SDP);
    assert_eq!(bench.words(), ["CANCEL", "ACK", "BYE"]);
    assert_eq!(bench.told().len(), 0);
    bench.assert_nothing_left();
}

#[test]
fn an_outbound_call_fails_for_its_reason() {
    for (status, failed) in [(486, 486), (302, 302), (401, 401), (503, 503), (603, 603)] {
        let mut bench = Bench::new();
        let (leg, invite) = bench.calling();
        bench.answer(&invite, status, "t", "", "");
        assert!(matches!(bench.told()[..], [Event::Failed(l, s)] if l == leg && s == failed));
        assert_eq!(bench.words(), ["ACK"]);
        bench.assert_nothing_left();
    }
    // Nobody there: Timer B. Nobody home: Timer C.
    let mut bench = Bench::new();
    bench.calling();
    bench.pass(Duration::from_secs(33));
    assert!(matches!(bench.told()[..], [Event::Failed(_, 408)]));
    let (_, invite) = bench.calling();
    bench.answer(&invite, 180, "t", "", "");
    bench.told();
    bench.pass(Duration::from_secs(182));
    assert!(matches!(bench.told()[..], [Event::Failed(_, 408)]));
    assert!(bench.words().contains(&"CANCEL".to_owned()));
    bench.assert_nothing_left();
    // An answer without usable audio.
    for body in ["", "v=0\r\n", &SDP.replace("6000", "0")] {
        let mut bench = Bench::new();
        let (_, invite) = bench.calling();
        bench.answer(&invite, 200, "t", "", body);
        assert!(matches!(bench.told()[..], [Event::Failed(_, 488)]));
        assert_eq!(bench.words(), ["ACK", "BYE"]);
        bench.assert_nothing_left();
    }
    // Too short an interval: once more, with theirs (RFC 4028 §7.3).
    let mut bench = Bench::new();
    let (_, invite) = bench.calling();
    bench.answer(&invite, 422, "t", "Min-SE: 3600\r\n", "");
    let again = bench.sent();
    assert!(again[1].contains("Session-Expires: 3600;") && again[1].contains("CSeq: 2 INVITE"), "{again:?}");
    bench.answer(&again[1], 422, "t", "Min-SE: 4000\r\n", "");
    assert!(matches!(bench.told()[..], [Event::Failed(_, 422)]));
    bench.assert_nothing_left();
}

#[test]
fn a_reliable_provisional_of_the_peer_is_acknowledged_once_and_its_answer_kept() {
    let mut bench = Bench::new();
    let (leg, invite) = bench.calling();
    let rows = |rseq| format!("Require: 100rel\r\nRSeq: {rseq}\r\n");
    bench.answer(&invite, 183, "t", &rows(5), SDP);
    let prack = bench.sent().remove(0);
    assert!(
        prack.starts_with("PRACK ") && prack.contains("RAck: 5 1 INVITE\r\n") && prack.contains(";tag=t\r\n"),
        "{prack}"
    );
    bench.answer(&prack, 200, "t", "", "");
    bench.answer(&invite, 183, "t", &rows(5), SDP);
    bench.answer(&invite, 183, "t", &rows(9), SDP);
    assert_eq!(bench.words(), [""; 0], "repeated, and out of order");
    bench.answer(&invite, 180, "t", &rows(6), "");
    assert_eq!(bench.words(), ["PRACK"]);
    bench.told();
    bench.answer(&invite, 200, "t", "", "");
    assert!(matches!(&bench.told()[..], [Event::Answered(l, a)] if *l == leg && a.address.port() == 6000));
    bench.core.hang_up(leg, bench.now);
    bench.assert_nothing_left();
}

#[test]
fn a_lost_connection_fails_what_waits_on_it() {
    let mut bench = Bench::new();
    bench.path.transport = Transport::Tcp;
    let target = Target::parse("sip:100@192.0.2.1:5060;transport=tcp").unwrap();
    let outbound =
        Outbound { leg: LegId(1), target, path: bench.path, caller: "1".to_owned(), offer: ours() };
    bench.core.invite(outbound, bench.now);
    bench.core.peer_lost(bench.path.peer, bench.now);
    assert!(matches!(bench.told()[..], [Event::Failed(LegId(1), 503)]));
    bench.assert_nothing_left();
}
