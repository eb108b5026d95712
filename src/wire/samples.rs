//! One sample of every reply: the contract of `bbctl -o json`, as the manual page shows it and
//! as a snapshot holds it fast.

use super::*;
use crate::domain::account::Role;
use crate::domain::campaign::{CampaignStatus, Sensitivity};
use crate::domain::contact::{ContactRecord, NextAction};
use crate::domain::record::{Fate, RecordingState};
use crate::domain::{
    AccountId, CallId, CampaignId, ContactRecordId, CustomerId, FlowId, NumberId, PhoneNumber, PromptId,
    QueueId, RecordingId, SessionId, TenantId, TrunkId, UnixMillis,
};

use uuid::Uuid;

/// 2026-11-24T09:00:00+09:00
const AT: UnixMillis = 1_795_478_400_000;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x019a_b3c4_d5e6_7000_8000_0000_0000_0000 + n)
}

fn value<T: Serialize>(reply: &T) -> String {
    serde_json::to_string_pretty(reply).unwrap()
}

fn list<T: Listed + Serialize>(item: T) -> String {
    value(&List { items: vec![item] })
}

/// (commands, reply) in the order of the command tree.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    vec![
        ("status", value(&status())),
        ("tenant list; tenant show yields one of them", list(tenant())),
        ("account list; account show yields one of them", list(account())),
        ("campaign list; campaign show yields one of them", list(campaign())),
        ("customer import", value(&imported())),
        ("customer search", list(customer())),
        ("queue list; queue show yields one of them", list(queue())),
        ("number list", list(number())),
        ("trunk list", list(trunk())),
        (
            "flow check",
            value(&flow::Checked { problems: vec![flow::Problem { line: 7, message: "…".into() }] }),
        ),
        ("flow list; flow show yields one of them with its document", list(flow())),
        ("prompt list", list(prompt())),
        ("call list", list(call())),
        ("call show", value(&story())),
        ("recording list; recording show yields one of them", list(recording())),
        ("recording export", value(&exported())),
        ("session list", list(session())),
        ("every command that changes something", value(&change())),
    ]
}

fn status() -> status::Status {
    let at = |text: &str| vec![text.parse().unwrap()];
    status::Status {
        version: "0.1.0".into(),
        phase: "running".into(),
        started_at: AT,
        now: AT + 60_000,
        pid: 4711,
        bound: status::Bound {
            https: at("[::]:443"),
            sip_udp: at("[::]:5060"),
            sip_tcp: at("[::]:5060"),
            browser: at("[::]:443"),
        },
        certificate: status::Certificate {
            fingerprint: "AB:CD:…".into(), not_after: AT, self_signed: true
        },
        tenants: vec![status::Load {
            tenant: "shop".into(),
            calls: 3,
            operators: 2,
            available: 1,
            queues: vec![status::Waiting { queue: "support".into(), waiting: 1, longest_since: Some(AT) }],
        }],
    }
}

fn tenant() -> Tenant {
    let text = |text: &str| text.to_owned();
    Tenant {
        id: TenantId(id(1)),
        slug: text("shop"),
        name: text("デモ商店"),
        region: text("JP"),
        time_zone: text("Asia/Tokyo"),
        created_at: AT,
    }
}

fn account() -> account::Account {
    account::Account {
        id: AccountId(id(2)),
        login: "nakamura".into(),
        name: "中村 恵".into(),
        role: Role::Operator,
        campaigns: vec!["orders".into()],
        sip_contact: None,
        has_password: true,
        disabled: false,
        created_at: AT,
    }
}

fn campaign() -> Campaign {
    Campaign {
        id: CampaignId(id(3)),
        name: "orders".into(),
        status: CampaignStatus::Running,
        sensitivity: Sensitivity::High,
        topics: vec!["配送".into()],
        dispositions: vec!["完了".into()],
        import_header: vec!["顧客番号".into(), "氏名".into()],
        created_at: AT,
    }
}

fn imported() -> customer::Imported {
    customer::Imported {
        campaign: "orders".into(),
        added: 12,
        changed: 3,
        encoding: "shift_jis".into(),
        dry_run: false,
    }
}

fn customer() -> Customer {
    Customer {
        id: CustomerId(id(4)),
        campaign: CampaignId(id(3)),
        code: "C-1001".into(),
        name: "高橋 一郎".into(),
        kana: "タカハシ イチロウ".into(),
        phone: PhoneNumber::parse("+81355550142"),
        phone_alt: None,
        email: "takahashi@example.jp".into(),
        postcode: "100-0001".into(),
        address: "東京都千代田区".into(),
        handover: String::new(),
        extra: vec![("会員種別".into(), "一般".into())],
        version: 1,
        updated_at: AT,
    }
}

fn queue() -> queue::Queue {
    queue::Queue {
        id: QueueId(id(5)),
        name: "support".into(),
        campaign: "orders".into(),
        sensitivity: Sensitivity::High,
        ring_seconds: 20,
        wrap_up_seconds: 0,
        recorded: true,
        members: vec!["nakamura".into()],
        waiting: 1,
        longest_since: Some(AT),
    }
}

fn number() -> number::Number {
    let (number, trunk, flow) = ("+81355550100".into(), "carrier".into(), "main".into());
    number::Number { id: NumberId(id(6)), number, trunk, flow }
}

fn trunk() -> Trunk {
    Trunk {
        id: TrunkId(id(7)),
        name: "carrier".into(),
        sources: vec!["192.0.2.0/24".parse().unwrap()],
        created_at: AT,
    }
}

fn flow() -> flow::Flow {
    flow::Flow { id: FlowId(id(8)), name: "main".into(), version: 2, applied_at: AT, document: None }
}

fn prompt() -> Prompt {
    Prompt { id: PromptId(id(9)), name: "welcome".into(), duration_ms: 3200, updated_at: AT }
}

fn call() -> call::Call {
    call::Call {
        id: CallId(id(10)),
        caller: "+81355550142".into(),
        called: "+81355550100".into(),
        state: "ended".into(),
        fate: Some(Fate::Answered),
        campaign: Some("orders".into()),
        queue: Some("support".into()),
        operator: Some("nakamura".into()),
        customer: Some(CustomerId(id(4))),
        recording: Some(RecordingId(id(11))),
        started_at: AT,
        queued_at: Some(AT + 3_200),
        answered_at: Some(AT + 9_000),
        ended_at: Some(AT + 69_000),
    }
}

fn story() -> call::Story {
    let event = call::Event {
        at: AT + 9_000,
        kind: "bridged".into(),
        operator: Some("nakamura".into()),
        detail: String::new(),
    };
    let written = ContactRecord {
        id: ContactRecordId(id(12)),
        campaign: CampaignId(id(3)),
        customer: Some(CustomerId(id(4))),
        call: Some(CallId(id(10))),
        account: AccountId(id(2)),
        topic: "配送".into(),
        disposition: "完了".into(),
        next_action: NextAction::None,
        due_at: None,
        note: String::new(),
        created_at: AT,
        updated_at: AT,
        version: 1,
    };
    call::Story { call: call(), events: vec![event], contact_records: vec![written] }
}

fn recording() -> recording::Recording {
    recording::Recording {
        id: RecordingId(id(11)),
        call: CallId(id(10)),
        campaign: Some("orders".into()),
        operator: Some("nakamura".into()),
        state: RecordingState::Sealed,
        started_at: AT + 9_000,
        duration_ms: 60_000,
        wav_bytes: 960_058,
    }
}

fn exported() -> recording::Exported {
    recording::Exported { id: RecordingId(id(11)), file: "call.wav".into(), bytes: 960_058, dry_run: false }
}

fn session() -> session::Session {
    session::Session {
        id: SessionId(id(13)),
        account: AccountId(id(2)),
        login: "nakamura".into(),
        source: "203.0.113.9".into(),
        user_agent: "Mozilla/5.0".into(),
        created_at: AT,
        last_seen_at: AT,
    }
}

fn change() -> Change<number::Number> {
    Change { outcome: Outcome::Created, dry_run: false, item: number() }
}
