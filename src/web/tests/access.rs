//! Who may ask what, from where, and what a refusal gives away.

use super::{Client, House};
use axum::body::Body;
use serde_json::{Value, json};

/// Every endpoint with every role: one row an endpoint, one column a client.
#[tokio::test]
async fn every_endpoint_with_every_role() {
    let house = House::open().await;
    let hana = &house.hana;
    let recording = super::playback::recording(&house, hana.sales, Some(hana.op)).await;
    let clients = [
        ("anonymous", house.anonymous()),
        ("operator", house.operator().await),
        ("other campaign", house.client(hana, "idle").await),
        ("supervisor", house.supervisor().await),
        ("admin", house.client(hana, "admin").await),
        ("other tenant", house.client(&house.kiku, "op").await),
        ("other admin", house.client(&house.kiku, "admin").await),
    ];
    let customer = format!("/api/v1/customers/{}", hana.customer);
    let history = format!("{customer}/history");
    let show = format!("/api/v1/recordings/{recording}");
    let audio = format!("{show}/audio");
    let stale = json!({ "version": 999, "name": "x" });
    let draft = json!({ "campaign": hana.sales, "customer": hana.customer, "call": null, "topic": "予約",
        "disposition": "完了", "next_action": "none", "due_at": null, "note": "n", "version": 0 });
    let mine = [401, 200, 404, 200, 200, 404, 404];
    let everybodys = [401, 200, 200, 200, 200, 200, 200];
    let table: Vec<(&str, &str, Option<&Value>, [u16; 7])> = vec![
        ("GET", "/api/v1/session", None, everybodys),
        ("GET", "/api/v1/customers?q=%E5%B1%B1%E7%94%B0", None, everybodys),
        ("GET", "/api/v1/callbacks", None, everybodys),
        ("GET", "/api/v1/calls", None, everybodys),
        ("GET", &customer, None, mine),
        ("GET", &history, None, mine),
        ("PUT", &customer, Some(&stale), [401, 409, 404, 409, 409, 404, 404]),
        ("PUT", "/api/v1/contact-records", Some(&draft), mine),
        ("GET", &show, None, mine),
        ("GET", &audio, None, mine),
        ("HEAD", &audio, None, mine),
        ("GET", "/api/v1/openapi.json", None, [401, 403, 403, 200, 200, 403, 200]),
        // Without an upgrade it is no WebSocket, and without an origin not our page.
        ("GET", "/api/v1/live", None, [401, 403, 403, 403, 403, 403, 403]),
        ("GET", "/api/v1/nothing", None, [404; 7]),
        ("GET", "/api", None, [404; 7]),
        ("GET", "/api/v2/session", None, [404; 7]),
        ("PUT", "/api/v1/session", Some(&draft), [405; 7]),
        ("GET", "/", None, [200; 7]),
        ("GET", "/calls", None, [200; 7]),
        ("GET", "/assets/none.js", None, [404; 7]),
        ("DELETE", "/api/v1/session", None, [401, 204, 204, 204, 204, 204, 204]),
        ("GET", "/api/v1/session", None, [401; 7]),
    ];
    let mut wrong = Vec::new();
    for (method, path, body, expected) in &table {
        for ((role, client), expected) in clients.iter().zip(expected) {
            let reply = match body {
                Some(body) => client.json(method, path, body).await,
                None => client.send(client.request(method, path).body(Body::empty()).unwrap()).await,
            };
            if reply.status != *expected {
                wrong.push(format!(
                    "{method} {path} as {role}: {} not {expected}: {}",
                    reply.status,
                    reply.text()
                ));
            }
            let headers = [
                "content-security-policy",
                "strict-transport-security",
                "x-content-type-options",
                "referrer-policy",
                "permissions-policy",
                "cross-origin-opener-policy",
                "cross-origin-resource-policy",
            ];
            for header in headers.into_iter().filter(|header| reply.header(header).is_empty()) {
                wrong.push(format!("{method} {path} as {role}: no {header}"));
            }
            if path.starts_with("/api") && reply.header("cache-control") != "no-store" {
                wrong.push(format!("{method} {path} as {role}: cacheable"));
            }
            if reply.headers.contains_key("server") {
                wrong.push(format!("{method} {path} as {role}: says what it is"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_search_ends_at_the_scope() {
    let house = House::open().await;
    let find = async |client: &Client| client.get("/api/v1/customers?q=%E5%B1%B1%E7%94%B0").await.value();
    let found = find(&house.operator().await).await;
    assert_eq!(found["customers"][0]["id"], house.hana.customer.to_string());
    assert_eq!(found["customers"][0]["phone"], "+81355550142");
    let other = find(&house.client(&house.hana, "idle").await).await;
    assert_eq!(other["customers"], json!([]));
    let me = house.operator().await.get("/api/v1/session").await.value();
    assert_eq!(me["account"]["login"], "op");
    assert_eq!(me["campaigns"].as_array().unwrap().len(), 1);
    assert_eq!(me["queues"][0]["id"], house.hana.queue.to_string());
}

#[tokio::test]
async fn a_failed_login_says_nothing() {
    let house = House::open().await;
    let client = house.anonymous();
    let mut seen = Vec::new();
    for (tenant, login, password) in [
        ("hana", "op", "Wrong-4711"),
        ("hana", "nobody", super::house::PASSWORD),
        ("nowhere", "op", super::house::PASSWORD),
        ("hana", "gone", super::house::PASSWORD),
        ("", "", ""),
        ("hana", "op\0", super::house::PASSWORD),
        ("HANA", "op", super::house::PASSWORD),
        ("hana", "op' OR 1=1 --", "x"),
    ] {
        let reply = client.log_in(tenant, login, password).await;
        seen.push((reply.status, format!("{:?}", reply.headers), reply.body));
    }
    assert_eq!(seen[0].0, 401);
    assert!(String::from_utf8_lossy(&seen[0].2).contains(r#""code":"denied""#));
    assert!(!seen[0].1.contains("set-cookie"));
    for other in &seen[1..] {
        assert_eq!(other, &seen[0]);
    }
}

#[tokio::test]
async fn the_cookie_is_the_hosts_alone() {
    let house = House::open().await;
    let reply = house.anonymous().log_in("hana", "op", super::house::PASSWORD).await;
    let cookie = reply.header("set-cookie");
    assert!(cookie.starts_with("__Host-bluebean="));
    for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain") && !reply.text().contains(&cookie[16..40]));
    for stolen in ["__Host-bluebean=x", "bluebean=x", "__Host-bluebean=", "__Host-bluebean=../../x"] {
        let client = Client { cookie: Some(stolen.to_owned()), ..house.anonymous() };
        assert_eq!(client.get("/api/v1/session").await.code(), "no_session");
    }
}

#[tokio::test]
async fn other_sites_change_nothing() {
    let house = House::open().await;
    let operator = house.operator().await;
    let own = [("origin", "https://cc.example"), ("x-bluebean", "1"), ("sec-fetch-site", "same-origin")];
    let attempts: [(&str, Option<&str>); 9] = [
        ("origin", None),
        ("origin", Some("null")),
        ("origin", Some("https://evil.example")),
        ("origin", Some("http://cc.example")),
        ("origin", Some("https://cc.example.evil.example")),
        ("x-bluebean", None),
        ("x-bluebean", Some("0")),
        ("sec-fetch-site", Some("cross-site")),
        ("sec-fetch-site", Some("same-site")),
    ];
    for (name, value) in attempts {
        for (method, path) in
            [("DELETE", "/api/v1/session"), ("POST", "/api/v1/session"), ("PUT", "/api/v1/contact-records")]
        {
            let mut request =
                axum::http::Request::builder().method(method).uri(path).header("host", "cc.example");
            for (own_name, own_value) in own {
                let sent = if own_name == name { value } else { Some(own_value) };
                request = sent.into_iter().fold(request, |request, sent| request.header(own_name, sent));
            }
            let request = request.header("cookie", operator.cookie.clone().unwrap());
            let reply = operator.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(
                (reply.status.as_u16(), reply.code().as_str()),
                (403, "cross_site"),
                "{method} {name} {value:?}"
            );
        }
    }
    assert_eq!(operator.get("/api/v1/session").await.status, 200, "still logged in");
}

#[tokio::test]
async fn bodies_are_bounded_and_strict() {
    let house = House::open().await;
    let (anonymous, operator) = (house.anonymous(), house.operator().await);
    let reply = anonymous.log_in("hana", "op", &"x".repeat(9 * 1024)).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (413, "too_large"));
    let path = format!("/api/v1/customers/{}", house.hana.customer);
    let reply =
        operator.json("PUT", &path, &json!({ "version": 1, "handover": "x".repeat(300 * 1024) })).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (413, "too_large"));

    let sent = async |kind: &str, body: &str| {
        let request = operator.request("PUT", &path).header("content-type", kind);
        let reply = operator.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        (reply.status.as_u16(), reply.code())
    };
    for (kind, body, expected) in [
        ("application/json", r#"{"version":1,"campaign":"x"}"#, (400, "bad_request")),
        ("application/json", r#"{"version":"1"}"#, (400, "bad_request")),
        ("application/json", r#"{"version":1"#, (400, "bad_request")),
        ("application/json", "", (400, "bad_request")),
        ("application/json", "[[[[[[[[", (400, "bad_request")),
        ("application/json", r#"{"version":1,"phone":"not a number"}"#, (422, "field")),
        ("text/plain", r#"{"version":1}"#, (415, "media_type")),
        ("application/x-www-form-urlencoded", "version=1", (415, "media_type")),
    ] {
        assert_eq!(sent(kind, body).await, (expected.0, expected.1.to_owned()), "{kind} {body}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(sent("application/json", &deep).await.0, 400, "deep nesting is refused, not followed");
}

#[tokio::test]
async fn a_customer_is_changed_once() {
    let house = House::open().await;
    let operator = house.operator().await;
    let path = format!("/api/v1/customers/{}", house.hana.customer);
    let version = operator.get(&path).await.value()["version"].clone();
    let change =
        json!({ "version": version, "handover": "午後に電話", "phone": null, "phone_alt": "03-5555-0199" });
    let saved = operator.json("PUT", &path, &change).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let saved = saved.value();
    assert_eq!(saved["handover"], "午後に電話");
    assert_eq!((&saved["phone"], &saved["phone_alt"]), (&Value::Null, &json!("+81355550199")));
    assert_eq!(saved["name"], "山田 花子", "what is absent stays");
    let late = operator.json("PUT", &path, &change).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (409, "conflict"));
    assert_eq!(late.value()["current"]["version"], saved["version"]);
    let audited = house.services.audit.rows(Some(house.hana.id), 0, 100).await.unwrap();
    assert_eq!(audited.iter().filter(|row| row.entry.action == "customer.change").count(), 1);
}
