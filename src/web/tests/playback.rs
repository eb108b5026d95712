//! Playing recordings: ranges, what may be kept, what is written down.

use super::{House, Reply};
use crate::domain::{AccountId, CallId, CampaignId, RecordingId};
use crate::recordings::Subject;
use axum::body::Body;
use uuid::Uuid;

/// A sealed recording of a second, in `hana`.
pub(super) async fn recording(
    house: &House,
    campaign: CampaignId,
    operator: Option<AccountId>,
) -> RecordingId {
    let subject =
        Subject { tenant: house.hana.id, call: CallId(Uuid::now_v7()), campaign: Some(campaign), operator };
    let (id, mut sink) = house.services.recordings.begin(subject).await.unwrap();
    for part in 0..50_u8 {
        sink.write(&[part; 320]);
    }
    sink.end();
    tokio::time::timeout(super::house::DEADLINE, house.services.recordings.drained()).await.unwrap();
    id
}

async fn plays(house: &House) -> usize {
    let rows = house.services.audit.rows(Some(house.hana.id), 0, 1000).await.unwrap();
    rows.iter().filter(|row| row.entry.action == "recording.play").count()
}

#[tokio::test]
async fn ranges_of_one_recording() {
    let house = House::open().await;
    let id = recording(&house, house.hana.sales, Some(house.hana.op)).await;
    let operator = house.operator().await;
    let path = format!("/api/v1/recordings/{id}/audio");
    let ask = async |method: &str, headers: &[(&str, &str)]| -> Reply {
        let request = headers
            .iter()
            .fold(operator.request(method, &path), |request, (name, value)| request.header(*name, *value));
        operator.send(request.body(Body::empty()).unwrap()).await
    };
    let whole = ask("GET", &[]).await;
    let length = whole.body.len();
    assert!(length > 16_000 && whole.body.starts_with(b"RIFF"), "{length}");
    assert_eq!(whole.status, 200);
    let last = length - 1;
    for (range, status, content_range, from, to) in [
        ("bytes=0-99", 206, format!("bytes 0-99/{length}"), 0, 100),
        ("bytes=0-", 206, format!("bytes 0-{last}/{length}"), 0, length),
        ("bytes=9000-9999", 206, format!("bytes 9000-9999/{length}"), 9000, 10_000),
        ("bytes=-10", 206, format!("bytes {}-{last}/{length}", length - 10), length - 10, length),
        ("bytes=99999999-", 416, format!("bytes */{length}"), 0, 0),
        ("bytes=-0", 416, format!("bytes */{length}"), 0, 0),
        ("bytes=0-1,5-6", 200, String::new(), 0, length),
        ("bytes=5-4", 200, String::new(), 0, length),
        ("lines=1-2", 200, String::new(), 0, length),
    ] {
        let reply = ask("GET", &[("range", range)]).await;
        assert_eq!(reply.status, status, "{range}");
        assert_eq!(reply.header("content-range"), content_range, "{range}");
        assert!(reply.body == whole.body[from..to], "{range}");
        private(&reply);
        let head = ask("HEAD", &[("range", range)]).await;
        assert_eq!((head.status, head.body.len()), (reply.status, 0), "HEAD {range}");
        assert_eq!(head.header("content-range"), content_range);
    }
    let ignored = ask("GET", &[("range", "bytes=0-9"), ("if-range", "\"etag\"")]).await;
    assert_eq!(ignored.status, 200, "we give no validator, so none matches");
    private(&whole);
    assert_eq!(whole.header("content-length"), length.to_string());
}

/// Nothing a browser would keep, or name a file by.
fn private(reply: &Reply) {
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("accept-ranges"), "bytes");
    assert_eq!(reply.header("cross-origin-resource-policy"), "same-origin");
    for name in ["etag", "last-modified", "content-disposition", "set-cookie"] {
        assert!(!reply.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a_playback_is_written_down_once() {
    let house = House::open().await;
    let id = recording(&house, house.hana.sales, Some(house.hana.op)).await;
    let path = format!("/api/v1/recordings/{id}/audio");
    let (operator, other) = (house.operator().await, house.client(&house.hana, "idle").await);
    let seek = async |range: &str| {
        let request = operator.request("GET", &path).header("range", range);
        operator.send(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(other.get(&path).await.status, 404);
    assert_eq!(plays(&house).await, 0, "nothing was heard");
    assert_eq!(seek("bytes=5000-5999").await, 206);
    assert_eq!(plays(&house).await, 1, "the first, wherever it begins");
    for range in ["bytes=100-199", "bytes=9000-", "bytes=-5"] {
        assert_eq!(seek(range).await, 206);
    }
    assert_eq!(plays(&house).await, 1, "seeking is the same playback");
    assert_eq!(seek("bytes=0-").await, 206);
    assert_eq!(plays(&house).await, 2);
    let shown = operator.get(&format!("/api/v1/recordings/{id}")).await.value();
    assert_eq!(shown["state"], "sealed");
    assert_eq!(shown["operator_name"], "田中 さくら");
    assert!(!shown["peaks"]["left"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn no_path_leads_out() {
    let house = House::open().await;
    let admin = house.client(&house.hana, "admin").await;
    for path in [
        "/api/v1/recordings/../../../etc/passwd/audio",
        "/api/v1/recordings/..%2f..%2fsystem.db/audio",
        "/api/v1/recordings/%2e%2e/audio",
        "/api/v1/recordings/%2Fetc%2Fpasswd/audio",
        "/api/v1/recordings/0%00/audio",
        "/api/v1/recordings/%ff%fe/audio",
        "/api/v1/customers/..%2f1",
        "/../data/system.db",
        "/assets/../../Cargo.toml",
        "/assets/%2e%2e/%2e%2e/Cargo.toml",
        "/..%5c..%5cCargo.toml",
    ] {
        let reply = admin.get(path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
    }
}
