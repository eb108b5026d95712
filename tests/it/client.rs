//! The web API as a browser would ask, by curl.

use crate::bed::{Bed, need};
use serde_json::{Value, json};
use std::process::Command;

/// curl as a browser of the appliance's own page would ask, with a cookie jar of its own.
pub struct Client {
    base: String,
    jar: std::path::PathBuf,
}

impl Client {
    /// A client that is not logged in.
    pub fn new(bed: &Bed, name: &str) -> Option<Self> {
        need("curl", "--version")?;
        Some(Self {
            base: format!("https://{}", bed.address("https")),
            jar: bed.path(&format!("{name}.jar")),
        })
    }

    /// (status, body)
    pub fn ask(&self, method: &str, path: &str, body: Option<Value>, more: &[&str]) -> (u16, String) {
        let mut command = Command::new("curl");
        command.args(["-sk", "--path-as-is", "-X", method, "-w", "\n%{http_code}", "-H", "X-BlueBean: 1"]);
        command.args(["-H", &format!("Origin: {}", self.base)]);
        command.arg("-b").arg(&self.jar).arg("-c").arg(&self.jar);
        if let Some(body) = body {
            command.args(["-H", "Content-Type: application/json", "--data-binary", &body.to_string()]);
        }
        let output = command.args(more).arg(format!("{}{path}", self.base)).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, code) = text.rsplit_once('\n').unwrap_or_default();
        (code.parse().unwrap_or(0), body.to_owned())
    }

    /// Logs in.
    pub fn log_in(&self, tenant: &str, login: &str, password: &str) -> (u16, String) {
        self.ask(
            "POST",
            "/api/v1/session",
            Some(json!({"tenant": tenant, "login": login, "password": password})),
            &[],
        )
    }
}
