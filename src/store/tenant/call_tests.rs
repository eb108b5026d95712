use crate::domain::record::{CallEvent, Fate, Recording, RecordingState};
use crate::domain::{AccountId, CallId, RecordingId};
use crate::store::StoreError;
use crate::store::fixture::{Centre, NOW};
use uuid::Uuid;
use zeroize::Zeroizing;

fn event(call: CallId, at: i64, kind: &str) -> CallEvent {
    CallEvent { call, at, kind: kind.into(), account: None, detail: String::new() }
}

#[tokio::test]
async fn a_call_is_kept_from_invite_to_end() {
    let centre = Centre::open().await;
    let tenant = centre.store.tenant(centre.tenant).unwrap();
    let mut call = centre.call(centre.sales, NOW);
    tenant.call_begin(call.clone()).await.unwrap();
    call.answered_at = Some(NOW + 5);
    tenant.call_update(call.clone(), vec![event(call.id, NOW + 5, "bridged")]).await.unwrap();
    assert!(matches!(tenant.call_end(call.clone(), Vec::new()).await, Err(StoreError::Conflict(_))));
    (call.fate, call.ended_at) = (Some(Fate::Answered), Some(NOW + 9));
    let ended = CallEvent { account: Some(centre.operator), ..event(call.id, NOW + 9, "ended") };
    tenant.call_end(call.clone(), vec![ended.clone()]).await.unwrap();
    assert_eq!(tenant.call(&centre.all(), call.id).await.unwrap(), call);
    let events = tenant.call_events(&centre.all(), call.id).await.unwrap();
    assert_eq!(events, [event(call.id, NOW + 5, "bridged"), ended]);
    let unknown = centre.call(centre.sales, NOW);
    assert!(matches!(tenant.call_update(unknown, Vec::new()).await, Err(StoreError::NotFound)));
}

#[tokio::test]
async fn scopes_decide_which_calls_are_seen() {
    let centre = Centre::open().await;
    let tenant = centre.store.tenant(centre.tenant).unwrap();
    let own = centre.call(centre.sales, NOW);
    let mut colleagues = centre.call(centre.sales, NOW + 1);
    colleagues.operator = Some(AccountId(Uuid::now_v7()));
    let other = centre.call(centre.support, NOW + 2);
    let mut early = centre.call(centre.sales, NOW + 3);
    early.campaign = None;
    for call in [&own, &colleagues, &other, &early] {
        tenant.call_begin(call.clone()).await.unwrap();
    }
    let listed = async |scope| {
        let calls = tenant.calls(&scope, 10, None).await.unwrap();
        calls.into_iter().map(|call| call.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(centre.all()).await, [early.id, other.id, colleagues.id, own.id]);
    assert_eq!(listed(centre.operator()).await, [own.id]);
    assert_eq!(listed(centre.supervisor(&[centre.sales])).await, [colleagues.id, own.id]);
    assert_eq!(listed(centre.supervisor(&[])).await, []);
    assert!(matches!(tenant.calls(&centre.stranger(), 10, None).await, Err(StoreError::NotFound)));
    for (scope, call) in [(centre.operator(), &other), (centre.operator(), &early), (centre.stranger(), &own)]
    {
        assert!(matches!(tenant.call(&scope, call.id).await, Err(StoreError::NotFound)));
        assert!(matches!(tenant.call_events(&scope, call.id).await, Err(StoreError::NotFound)));
    }
    let page = tenant.calls(&centre.all(), 2, Some(NOW + 2)).await.unwrap();
    assert_eq!(page.iter().map(|call| call.id).collect::<Vec<_>>(), [colleagues.id, own.id]);
}

#[tokio::test]
async fn calls_of_a_dead_daemon_are_closed_once() {
    let centre = Centre::open().await;
    let tenant = centre.store.tenant(centre.tenant).unwrap();
    let (told, silent, mut over) =
        (centre.call(centre.sales, NOW), centre.call(centre.sales, NOW), centre.call(centre.sales, NOW));
    for call in [&told, &silent, &over] {
        tenant.call_begin(call.clone()).await.unwrap();
    }
    (over.fate, over.ended_at) = (Some(Fate::Abandoned), Some(NOW + 1));
    tenant.call_end(over.clone(), Vec::new()).await.unwrap();
    tenant.call_update(told.clone(), vec![event(told.id, NOW + 700, "queued")]).await.unwrap();
    let recording = Recording {
        id: RecordingId(Uuid::now_v7()),
        call: told.id,
        campaign: told.campaign,
        operator: told.operator,
        state: RecordingState::Spooling,
        started_at: NOW,
        duration_ms: 0,
        wav_bytes: 0,
    };
    tenant.recording_begin(recording.clone(), Zeroizing::new([0; 32])).await.unwrap();
    let closed = tenant.calls_close_interrupted(NOW + 9_000).await.unwrap();
    assert_eq!(closed.len(), 2);
    for (id, fate, ended) in [
        (told.id, Fate::Interrupted, NOW + 700),
        (silent.id, Fate::Interrupted, NOW + 9_000),
        (over.id, Fate::Abandoned, NOW + 1),
    ] {
        let call = tenant.call(&centre.all(), id).await.unwrap();
        assert_eq!((call.fate, call.ended_at), (Some(fate), Some(ended)));
    }
    assert_eq!(tenant.call(&centre.all(), told.id).await.unwrap().recording, Some(recording.id));
    assert_eq!(tenant.call_events(&centre.all(), told.id).await.unwrap().len(), 2);
    assert_eq!(tenant.calls_close_interrupted(NOW + 10_000).await.unwrap(), []);
}
