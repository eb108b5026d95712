//! The named scenarios, as tables of inputs and what they must bring.

use super::*;
use crate::domain::flow::FlowDocument;
use crate::domain::record::Fate;
use crate::domain::{AccountId, CampaignId, OfferId, QueueId, RecordingId};
use std::sync::Arc;
use uuid::Uuid;

pub(super) const FLOW: &str = r#"
start = "welcome"
[step.welcome]
type = "play"
prompt = "welcome"
next = "support"
[step.support]
type = "queue"
queue = "support"
max_wait_seconds = 600
on_timeout = "sorry"
[step.sorry]
type = "play"
prompt = "sorry"
next = "second"
[step.second]
type = "queue"
queue = "unrecorded"
music = "hold"
max_wait_seconds = 30
on_timeout = "bye"
[step.bye]
type = "hangup"
"#;

pub(super) fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n))
}
pub(super) fn offer_id(n: u128) -> OfferId {
    OfferId(Uuid::from_u128(n))
}
pub(super) fn recording(n: u128) -> RecordingId {
    RecordingId(Uuid::from_u128(n))
}

pub(super) fn machine() -> Machine {
    machine_of(FLOW)
}

fn machine_of(flow: &str) -> Machine {
    let facts = |n, recorded| QueueFacts {
        id: QueueId(Uuid::from_u128(n)),
        campaign: CampaignId(Uuid::from_u128(n)),
        recorded,
    };
    let queues = [("support".to_owned(), facts(1, true)), ("unrecorded".to_owned(), facts(2, false))];
    Machine::new(Arc::new(FlowDocument::parse(flow).unwrap()), Arc::new(queues.into()))
}

pub(super) fn offer(id: u128, to: u128, party: Party) -> Input {
    Input::Offered(Offer { id: offer_id(id), account: account(to), party, ring_seconds: 20 })
}

/// Feeds inputs and returns the outputs of the last one, in short words.
fn run(machine: &mut Machine, inputs: impl IntoIterator<Item = Input>) -> String {
    let mut words = Vec::new();
    for input in inputs {
        words.clear();
        machine.step(1_000, input);
        while let Some(output) = machine.poll() {
            words.extend(word(&output));
        }
    }
    words.join(" ")
}

fn word(output: &Output) -> Option<String> {
    Some(match output {
        Output::Note(_) => return None,
        Output::Reject(status) => format!("reject:{status}"),
        Output::Answer => "answer".into(),
        Output::Play(_, Sound::Prompt(name)) => format!("play:{name}"),
        Output::Play(_, Sound::Music(name)) => format!("music:{}", name.as_deref().unwrap_or("-")),
        Output::SetTimer(Timer::Ring(_), ms) => format!("ring:{ms}"),
        Output::SetTimer(Timer::Patience(_), ms) => format!("patience:{ms}"),
        Output::SetTimer(Timer::Join(_), ms) => format!("join:{ms}"),
        Output::ClearTimer(Timer::Join(_)) => "-join".into(),
        Output::ClearTimer(Timer::Ring(_)) => "-ring".into(),
        Output::ClearTimer(Timer::Patience(_)) => "-patience".into(),
        Output::Queued { .. } => "queued".into(),
        Output::Dequeued(_) => "dequeued".into(),
        Output::Offered(_) => "offered".into(),
        Output::Dial(_) => "dial".into(),
        Output::Drop(_) => "drop".into(),
        Output::OfferEnded { outcome, .. } => format!("offer:{}", outcome.word()),
        Output::BeginRecording(_) => "record".into(),
        Output::DiscardRecording(_) => "discard".into(),
        Output::Bridge(_, Recording::Into(_)) => "bridge:recorded".into(),
        Output::Bridge(_, Recording::ByPolicyNot) => "bridge:unrecorded".into(),
        Output::Part => "part".into(),
        Output::Hold(Some(Sound::Music(name))) => format!("hold:{}", name.as_deref().unwrap_or("-")),
        Output::Hold(_) => "resume".into(),
        Output::Mute(muted) => format!("mute:{muted}"),
        Output::HangUp => "bye".into(),
        Output::Ended(fate) => format!("ended:{}", fate.word()),
    })
}

fn begun(id: u128) -> Input {
    Input::RecordingBegun(offer_id(id), Some(recording(id)))
}
const LEFT: Input = Input::CustomerLeft(Departure::HungUp);
const PLAYED: Input = Input::PlayFinished(PlayToken(1));

/// A call that waits in the recorded queue.
fn waiting() -> Machine {
    let mut call = machine();
    run(&mut call, [Input::Begin, PLAYED]);
    assert_eq!(call.phase(), Phase::Queued);
    call
}

/// A call that talks with operator 1 over offer 1.
fn talking(party: Party) -> Machine {
    let mut call = waiting();
    let taken = match party {
        Party::Browser => Input::Accepted(account(1)),
        Party::Sip => Input::OperatorAnswered(offer_id(1)),
    };
    let words = run(&mut call, [offer(1, 1, party), taken, begun(1)]);
    assert_eq!(words, "-patience -join bridge:recorded offer:accepted");
    assert_eq!(call.phase(), Phase::Talking);
    call
}

#[test]
fn the_way_in() {
    let mut call = machine();
    assert_eq!(run(&mut call, [Input::Begin]), "answer play:welcome");
    assert_eq!(run(&mut call, [PLAYED]), "patience:600000 music:- queued");
    assert_eq!(run(&mut call, [offer(1, 1, Party::Sip)]), "offered ring:20000 dial");
    assert_eq!(run(&mut call, [Input::OperatorAnswered(offer_id(1))]), "-ring join:5000 record");
    assert_eq!(run(&mut call, [begun(1)]), "-patience -join bridge:recorded offer:accepted");
}

#[test]
fn scenarios_of_a_waiting_call() {
    let one = || offer(1, 1, Party::Browser);
    let phone = || offer(1, 1, Party::Sip);
    let accept = || Input::Accepted(account(1));
    let ring = || Input::TimerFired(Timer::Ring(offer_id(1)));
    let cases: [(&str, Vec<Input>, &str); 20] = [
        ("caller gives up waiting", vec![LEFT], "-patience dequeued ended:abandoned"),
        (
            "caller cancels while it rings",
            vec![one(), LEFT],
            "-patience -ring offer:caller_gone dequeued ended:abandoned",
        ),
        (
            "caller cancels while a phone rings",
            vec![phone(), LEFT],
            "-patience -ring drop offer:caller_gone dequeued ended:abandoned",
        ),
        (
            "caller leaves in the instant of accept",
            vec![one(), accept(), LEFT],
            "-patience -join offer:caller_gone dequeued ended:abandoned",
        ),
        ("recording comes after that", vec![one(), accept(), LEFT, begun(1)], "discard"),
        ("accept comes after that", vec![one(), LEFT, accept()], ""),
        ("operator refuses", vec![one(), Input::Refused(account(1))], "-ring offer:refused"),
        ("operator hangs up instead", vec![one(), Input::HungUp(account(1))], "-ring offer:refused"),
        (
            "phone is busy",
            vec![phone(), Input::OperatorFailed(offer_id(1), true)],
            "-ring drop offer:refused",
        ),
        (
            "phone can't be reached",
            vec![phone(), Input::OperatorFailed(offer_id(1), false)],
            "-ring drop offer:failed",
        ),
        ("ring time is over", vec![one(), ring()], "-ring offer:timed_out"),
        ("next one is offered", vec![one(), ring(), offer(2, 2, Party::Browser)], "offered ring:20000"),
        ("accept of a withdrawn offer", vec![one(), ring(), offer(2, 2, Party::Browser), accept()], ""),
        ("second offer meanwhile", vec![one(), offer(2, 2, Party::Browser)], "offer:caller_gone"),
        (
            "phone answers twice",
            vec![phone(), Input::OperatorAnswered(offer_id(1)), Input::OperatorAnswered(offer_id(1))],
            "",
        ),
        ("phone can't be accepted by browser", vec![phone(), accept()], ""),
        (
            "spool can't be written",
            vec![one(), accept(), Input::RecordingBegun(offer_id(1), None)],
            "-join offer:failed",
        ),
        (
            "operator leaves while recording begins",
            vec![one(), accept(), Input::OperatorLeft(offer_id(1), Departure::HungUp)],
            "-join offer:failed",
        ),
        (
            "recording comes after that, in vain",
            vec![one(), accept(), Input::HungUp(account(1)), begun(1)],
            "discard",
        ),
        (
            "administrator ends it",
            vec![one(), Input::Stopped(Stopped::Administrator)],
            "bye -patience -ring offer:caller_gone dequeued ended:completed",
        ),
    ];
    for (name, inputs, expected) in cases {
        assert_eq!(run(&mut waiting(), inputs), expected, "{name}");
    }
}

#[test]
fn nobody_available_until_the_flow_goes_on() {
    let mut call = waiting();
    assert_eq!(run(&mut call, [Input::TimerFired(Timer::Patience(2))]), "dequeued play:sorry");
    assert_eq!(run(&mut call, [Input::PlayFinished(PlayToken(3))]), "patience:30000 music:hold queued");
    assert_eq!(run(&mut call, [Input::TimerFired(Timer::Patience(2))]), "", "a stale timer");
    let words = run(&mut call, [Input::TimerFired(Timer::Patience(4))]);
    assert_eq!(words, "dequeued bye ended:completed");
}

#[test]
fn patience_over_while_it_rings() {
    let over = || Input::TimerFired(Timer::Patience(2));
    let mut call = waiting();
    assert_eq!(run(&mut call, [offer(1, 1, Party::Browser), over()]), "", "the operator may still take it");
    assert_eq!(run(&mut call, [Input::Refused(account(1))]), "-ring offer:refused dequeued play:sorry");
    let mut call = waiting();
    let taken = [offer(1, 1, Party::Browser), over(), Input::Accepted(account(1)), begun(1)];
    assert_eq!(run(&mut call, taken), "-join bridge:recorded offer:accepted");
}

#[test]
fn an_unrecorded_queue_bridges_at_once() {
    let mut call = waiting();
    run(&mut call, [Input::TimerFired(Timer::Patience(2)), Input::PlayFinished(PlayToken(3))]);
    let words = run(&mut call, [offer(1, 1, Party::Browser), Input::Accepted(account(1))]);
    assert_eq!(words, "-ring -patience bridge:unrecorded offer:accepted");
}

#[test]
fn a_call_that_cant_be_recorded_is_ended_after_three_tries() {
    let mut call = waiting();
    for n in 1..=3 {
        let words = run(
            &mut call,
            [
                offer(n, 1, Party::Browser),
                Input::Accepted(account(1)),
                Input::RecordingBegun(offer_id(n), None),
            ],
        );
        if n < 3 {
            assert_eq!(words, "-join offer:failed");
        } else {
            assert_eq!(words, "bye -patience -join offer:caller_gone dequeued ended:completed");
        }
    }
}

#[test]
fn scenarios_of_a_talk() {
    let cases = [
        (Party::Browser, vec![LEFT], "part ended:answered"),
        (Party::Sip, vec![LEFT], "drop part ended:answered"),
        (Party::Browser, vec![Input::HungUp(account(1))], "bye part ended:answered"),
        (Party::Browser, vec![Input::HungUp(account(2))], ""),
        (
            Party::Sip,
            vec![Input::OperatorLeft(offer_id(1), Departure::HungUp)],
            "bye drop part ended:answered",
        ),
        (Party::Browser, vec![Input::OperatorLeft(offer_id(1), Departure::Media)], "bye part ended:answered"),
        (Party::Browser, vec![Input::BridgeFailed(offer_id(1))], "bye part ended:answered"),
        (Party::Browser, vec![Input::CustomerLeft(Departure::AckLost)], "part ended:answered"),
        (Party::Browser, vec![Input::CustomerLeft(Departure::Media)], "part ended:answered"),
        (Party::Sip, vec![Input::Stopped(Stopped::Shutdown)], "bye drop part ended:answered"),
        (Party::Browser, vec![Input::Held(account(1), true)], "hold:-"),
        (Party::Browser, vec![Input::Held(account(1), true), Input::Held(account(1), true)], ""),
        (Party::Browser, vec![Input::Held(account(1), true), Input::Held(account(1), false)], "resume"),
        (Party::Browser, vec![Input::Held(account(1), true), LEFT], "part ended:answered"),
        (Party::Browser, vec![Input::Held(account(2), true)], ""),
        (Party::Browser, vec![Input::Muted(account(1), true)], "mute:true"),
        (Party::Browser, vec![Input::Muted(account(2), true)], ""),
        (Party::Browser, vec![LEFT, LEFT, Input::HungUp(account(1))], ""),
        (Party::Browser, vec![offer(2, 2, Party::Browser)], "offer:caller_gone"),
    ];
    for (party, inputs, expected) in cases {
        assert_eq!(run(&mut talking(party), inputs.clone()), expected, "{inputs:?}");
    }
}

#[test]
fn before_the_queue() {
    let cases = [
        (vec![Input::CustomerLeft(Departure::Cancelled)], "ended:completed"),
        (vec![Input::Barred(Bar::BrokenFlow)], "reject:500 ended:refused"),
        (vec![Input::Barred(Bar::NoSpool)], "reject:503 ended:refused"),
        (vec![Input::Barred(Bar::NoCodec)], "reject:488 ended:refused"),
        (vec![Input::Stopped(Stopped::Shutdown)], "reject:503 ended:refused"),
        (vec![Input::Begin, Input::Barred(Bar::NoCodec)], ""),
        (vec![Input::Begin, LEFT], "ended:completed"),
        (vec![Input::Begin, Input::CustomerLeft(Departure::AckLost)], "ended:completed"),
        (vec![Input::Begin, Input::Stopped(Stopped::Shutdown)], "bye ended:interrupted"),
        (vec![Input::Begin, offer(1, 1, Party::Browser)], "offer:caller_gone"),
    ];
    for (inputs, expected) in cases {
        assert_eq!(run(&mut machine(), inputs.clone()), expected, "{inputs:?}");
    }
}

#[test]
fn coming_back_to_a_queue_keeps_the_place() {
    let flow = "start = \"q\"\n[step.q]\ntype = \"queue\"\nqueue = \"support\"\nmax_wait_seconds = 5\non_timeout = \"q\"\n";
    let mut call = machine_of(flow);
    call.step(1_000, Input::Begin);
    call.step(6_000, Input::TimerFired(Timer::Patience(1)));
    let mut sinces = Vec::new();
    while let Some(output) = call.poll() {
        if let Output::Queued { since, .. } = output {
            sinces.push(since);
        }
    }
    assert_eq!(sinces, [1_000, 1_000]);
}

#[test]
fn the_story_is_told_in_order() {
    let mut call = machine();
    let mut story = Vec::new();
    let inputs = [
        Input::Begin,
        PLAYED,
        offer(1, 1, Party::Browser),
        Input::Accepted(account(1)),
        begun(1),
        Input::Held(account(1), true),
        Input::Held(account(1), false),
        LEFT,
    ];
    for (at, input) in inputs.into_iter().enumerate() {
        call.step(at as i64, input);
        while let Some(output) = call.poll() {
            match output {
                Output::Note(note) => story.push(format!("{} {} {}", note.at, note.kind, note.detail)),
                Output::Ended(fate) => assert_eq!(fate, Fate::Answered),
                _ => {}
            }
        }
    }
    assert_eq!(
        story,
        [
            "0 invited ",
            "0 answered ",
            "0 prompt_started welcome",
            "1 queued support",
            "2 offered ",
            "4 offer_ended accepted",
            "4 bridged ",
            "5 held ",
            "6 resumed ",
            "7 hung_up caller",
            "7 ended caller",
        ]
    );
}
