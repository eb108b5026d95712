//! The daemon whole, spoken to over its socket as bytes.

use super::{Options, start};
use crate::audit::Outcome;
use crate::config::Config;
use crate::domain::audit::AuditRow;
use crate::task::Phase;
use serde_json::{Value, json};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const CONFIG: &str = "[web]\nlisten = [\"127.0.0.1:0\"]\n[sip]\nudp = [\"127.0.0.1:0\"]\ntcp = [\"127.0.0.1:0\"]\n\
                      [media]\nbrowser = \"127.0.0.1:0\"\nbrowser_candidates = [\"127.0.0.1\"]\n";

async fn started(dir: &Path) -> super::running::Running {
    let options = Options {
        config: None,
        data_dir: dir.join("data"),
        socket: dir.join("bbd.sock"),
        master_key: Some(dir.join("master.key")),
        check: false,
    };
    let config = Config::parse(CONFIG, Path::new("bbd.toml")).unwrap();
    start::start(&options, config, super::log::start("off")).await.unwrap()
}

/// One request with `body`; status and reply.
async fn post(dir: &Path, path: &str, body: &[u8]) -> (u16, Value) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let (status, reply) = raw(dir, &[head.as_bytes(), body].concat()).await;
    (status, serde_json::from_slice(&reply).unwrap_or(Value::Null))
}

/// Sends bytes as they are; status (0 when there is none) and body.
async fn raw(dir: &Path, bytes: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = UnixStream::connect(dir.join("bbd.sock")).await.unwrap();
    // The daemon may hang up on bytes it refuses before it has read them all.
    let _ = stream.write_all(bytes).await;
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    let text = String::from_utf8_lossy(&reply).into_owned();
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    let body = reply.windows(4).position(|w| w == b"\r\n\r\n").map_or(&[][..], |at| &reply[at + 4..]);
    (status, body.to_vec())
}

async fn done(dir: &Path, path: &str, body: Value) -> Value {
    let (status, reply) = post(dir, path, body.to_string().as_bytes()).await;
    assert_eq!(status, 200, "{path}: {reply}");
    reply
}

fn written<'a>(rows: &'a [AuditRow], action: &str) -> Vec<(&'a str, &'a str)> {
    let of = rows.iter().filter(|row| row.entry.action == action);
    of.map(|row| (row.entry.outcome.as_str(), row.entry.object.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_audited_with_who_made_it_and_a_rehearsal_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let running = started(dir).await;
    let rehearsed = done(dir, "/v1/tenant/create", json!({"slug": "shop", "dry_run": true})).await;
    assert_eq!((&rehearsed["outcome"], &rehearsed["dry_run"]), (&"created".into(), &true.into()));
    assert_eq!(done(dir, "/v1/tenant/list", json!({})).await["tenants"], json!([]));
    let made = done(dir, "/v1/tenant/create", json!({"slug": "shop"})).await;
    let again = done(dir, "/v1/tenant/create", json!({"slug": "shop"})).await;
    assert_eq!((&again["outcome"], &again["item"]), (&"unchanged".into(), &made["item"]));
    let (status, _) = post(dir, "/v1/tenant/create", br#"{"slug": "shop", "name": "other"}"#).await;
    assert_eq!(status, 409);

    let rows = running.store.system().audit_rows(0, 100).await.unwrap();
    let id = made["item"]["id"].as_str().unwrap();
    assert_eq!(
        written(&rows, "tenant.create"),
        [(Outcome::Done.word(), id), (Outcome::Done.word(), id), (Outcome::Refused.word(), id)]
    );
    let actor = format!("/pid:{}", std::process::id());
    assert!(
        rows.iter().all(|r| r.entry.actor.starts_with("uid:") && r.entry.actor.ends_with(&actor)),
        "{rows:?}"
    );

    // Within a tenant: its own chain. Looking at personal data is written down as well.
    let weak = json!({"login": "ann", "role": "operator", "password": "weak"});
    assert_eq!(post(dir, "/v1/account/create", weak.to_string().as_bytes()).await.0, 403);
    let account = json!({"login": "ann", "role": "operator", "password": "Strong-Horse7"});
    done(dir, "/v1/account/create", account).await;
    done(dir, "/v1/account/set", json!({"login": "ann", "name": "Ann", "dry_run": true})).await;
    assert_eq!(done(dir, "/v1/account/show", json!({"login": "ann"})).await["name"], "ann");
    done(dir, "/v1/customer/search", json!({"text": "x"})).await;
    let tenant = running.store.tenants().remove(0);
    let rows = tenant.audit_rows(0, 100).await.unwrap();
    let outcomes: Vec<_> = written(&rows, "account.create").into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["refused", "done"]);
    assert_eq!(written(&rows, "account.set"), []);
    assert_eq!(written(&rows, "customer.search").len(), 1);
    let text = format!("{rows:?}");
    assert!(!text.contains("Strong-Horse7") && !text.contains("ann"), "the audit holds ids alone: {text}");
    running.stopper.advance(Phase::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn trunks_reach_signalling_and_stay_apart() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let running = started(dir).await;
    let admitted = running.trunks.subscribe();
    done(dir, "/v1/trunk/add", json!({"name": "one", "sources": ["192.0.2.0/24"]})).await;
    let names =
        |list: &[crate::domain::route::Trunk]| list.iter().map(|t| t.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&admitted.borrow()), ["one"]);
    let inside = json!({"name": "two", "sources": ["192.0.2.7"]});
    assert_eq!(post(dir, "/v1/trunk/add", inside.to_string().as_bytes()).await.0, 409);
    done(dir, "/v1/trunk/remove", json!({"name": "one"})).await;
    assert_eq!(names(&admitted.borrow()), Vec::<String>::new());
    running.stopper.advance(Phase::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bytes_on_the_socket_are_refused_and_harm_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let running = started(dir).await;
    done(dir, "/v1/tenant/create", json!({"slug": "shop"})).await;
    let large = vec![b' '; 2 * 1024 * 1024];
    let cases: Vec<(&str, &[u8], u16)> = vec![
        ("/v1/status/show", b"garbage", 400),
        ("/v1/status/show", b"", 400),
        ("/v1/queue/list", b"{\"tenant\": 7}", 400),
        ("/v1/queue/list", b"{\"tenant\": \"nope\"}", 404),
        ("/v1/queue/list", &large, 400),
        ("/v1/queue/../../etc/passwd", b"{}", 400),
        ("/v1/nope", b"{}", 400),
        ("/", b"{}", 400),
        ("/v1/campaign/create", b"{\"name\": \"a\\u001b[2Jb\"}", 400),
        ("/v1/campaign/create", b"{\"name\": \"\"}", 400),
        ("/v1/prompt/add", b"{\"name\": \"x\"}\nRIFF\xff\xff\xff\xffWAVEfmt ", 400),
        ("/v1/prompt/add", b"{\"name\": \"x\"}", 400),
        ("/v1/recording/show", b"{\"id\": \"../../../etc/passwd\"}", 400),
        ("/v1/recording/export", b"{\"id\": \"019ab3c4-d5e6-7000-8000-000000000000\"}", 404),
        ("/v1/call/hangup", b"{\"id\": \"019ab3c4-d5e6-7000-8000-000000000000\"}", 404),
    ];
    for (path, body, expected) in cases {
        let (status, reply) = post(dir, path, body).await;
        assert_eq!(
            status,
            expected,
            "{path} {:?}: {reply}",
            String::from_utf8_lossy(&body[..body.len().min(60)])
        );
        assert!(reply["error"]["message"].is_string(), "{path}: {reply}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(post(dir, "/v1/flow/check", json!({"document": deep}).to_string().as_bytes()).await.0, 200);
    assert_eq!(
        raw(dir, b"GET /v1/status/show HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.0,
        400
    );
    assert!(raw(dir, &[0xff; 70_000]).await.0 != 200);
    assert!(raw(dir, format!("POST /{} HTTP/1.1\r\n", "a".repeat(200_000)).as_bytes()).await.0 != 200);
    // Callers that connect and say nothing leave room for one who does.
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(UnixStream::connect(dir.join("bbd.sock")).await.unwrap());
    }
    assert_eq!(done(dir, "/v1/status/show", json!({})).await["phase"], "running");
    running.stopper.advance(Phase::Stopped);
}
