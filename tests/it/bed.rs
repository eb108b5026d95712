//! A bed for one test: a `bbd` of its own on free loopback ports in a folder of its own, and
//! `bbctl` to provision it.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Password of every account a bed makes.
pub const PASSWORD: &str = "Correct-Horse7";
/// The number customers dial.
pub const NUMBER: &str = "+81355550100";

/// Polls until `done`, at most `limit`; says whether it came.
pub fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a peer program is here; its absence fails in CI and is said aloud elsewhere.
pub fn need(program: &str, version: &str) -> Option<()> {
    if Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
        return Some(());
    }
    assert!(std::env::var_os("CI").is_none(), "{program} is missing; tests/run.sh installs it");
    eprintln!("SKIPPED: {program} is missing; tests/run.sh installs it");
    None
}

/// A running appliance. Stopped, and its folder removed, when dropped.
pub struct Bed {
    folder: tempfile::TempDir,
    child: Option<Child>,
    bound: Value,
}

impl Bed {
    /// Starts an empty appliance.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts an empty appliance with further lines of configuration.
    pub fn start_with(more: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("bluebean-").tempdir().unwrap();
        let config = format!(
            "[web]\nlisten = [\"127.0.0.1:0\"]\n\
             [sip]\nudp = [\"127.0.0.1:0\", \"[::1]:0\"]\ntcp = [\"127.0.0.1:0\"]\n\
             [media]\nbrowser = \"127.0.0.1:0\"\n{more}"
        );
        fs::write(folder.path().join("bbd.toml"), config).unwrap();
        let mut bed = Self { folder, child: None, bound: Value::Null };
        bed.run();
        bed
    }

    /// Starts `bbd` again on the same data.
    pub fn run(&mut self) {
        let _ = fs::remove_file(self.data().join("bound.json"));
        let log = fs::File::options().append(true).create(true).open(self.log_file()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_bbd"))
            .arg("--config")
            .arg(self.path("bbd.toml"))
            .arg("--data-dir")
            .arg(self.data())
            .arg("--socket")
            .arg(self.path("bbd.sock"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let ready = wait_until(Duration::from_secs(30), || {
            self.child.as_mut().is_some_and(|c| c.try_wait().unwrap().is_some())
                || (self.data().join("bound.json").exists() && self.bbctl(&["status"]).status.success())
        });
        assert!(ready && self.alive(), "bbd did not start:\n{}", self.log());
        self.bound = serde_json::from_slice(&fs::read(self.data().join("bound.json")).unwrap()).unwrap();
    }

    /// Whether `bbd` still runs.
    pub fn alive(&mut self) -> bool {
        self.child.as_mut().is_some_and(|c| c.try_wait().unwrap().is_none())
    }

    /// Process id of `bbd`.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// kill -9.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, and waits for the end; its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        let ended = wait_until(Duration::from_secs(70), || child.try_wait().unwrap().is_some());
        assert!(ended, "bbd did not stop on SIGTERM:\n{}", self.log());
        child.wait().unwrap().code()
    }

    /// A file of the bed's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }
    fn log_file(&self) -> PathBuf {
        self.path("bbd.log")
    }
    /// What `bbd` logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The address a listener is bound to: `https`, `sip_udp`, `sip_udp6`, `sip_tcp`, `browser`.
    pub fn address(&self, of: &str) -> std::net::SocketAddr {
        let (key, want_v6) = of.strip_suffix('6').map_or((of, false), |key| (key, true));
        let all = match &self.bound[key] {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        all.iter()
            .filter_map(|a| a.as_str()?.parse::<std::net::SocketAddr>().ok())
            .find(|a| a.is_ipv6() == want_v6)
            .unwrap_or_else(|| panic!("{of} in {}", self.bound))
    }

    /// Runs `bbctl` for the tenant `demo`.
    pub fn bbctl(&self, args: &[&str]) -> Output {
        self.bbctl_with(args, "")
    }

    /// Runs `bbctl` with something on standard input.
    pub fn bbctl_with(&self, args: &[&str], input: &str) -> Output {
        use std::io::Write;
        let mut child = Command::new(env!("CARGO_BIN_EXE_bbctl"))
            .env("BBCTL_SOCKET", self.path("bbd.sock"))
            .env("BBCTL_TENANT", "demo")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs `bbctl` and insists that it succeeds; its standard output.
    pub fn done(&self, args: &[&str]) -> String {
        self.done_with(args, "")
    }

    /// [`Bed::done`] with something on standard input.
    pub fn done_with(&self, args: &[&str], input: &str) -> String {
        let output = self.bbctl_with(args, input);
        assert!(
            output.status.success(),
            "bbctl {args:?}: {}{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            self.log()
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `bbctl -o json` and reads what it says.
    pub fn json(&self, args: &[&str]) -> Value {
        let mut all = vec!["-o", "json"];
        all.extend_from_slice(args);
        let text = self.done(&all);
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    /// A tenant `demo` with campaign, customers, queue, flow and number, and the trunk that
    /// loopback is.
    pub fn provision(&self) {
        let flow = self.path("main.toml");
        fs::write(
            &flow,
            "start = \"welcome\"\n\
             [step.welcome]\ntype = \"play\"\nprompt = \"welcome\"\nnext = \"wait\"\n\
             [step.wait]\ntype = \"queue\"\nqueue = \"support\"\n",
        )
        .unwrap();
        let welcome = self.path("welcome.wav");
        fs::write(&welcome, crate::audio::wav(&crate::audio::sine(660.0, 0.3, 16_000), 16_000)).unwrap();
        self.done(&["tenant", "create", "demo", "--name", "デモ商店"]);
        self.done(&[
            "campaign",
            "create",
            "shop",
            "--topic",
            "配送",
            "--topic",
            "請求",
            "--disposition",
            "完了",
            "--disposition",
            "再架電",
        ]);
        self.done(&["customer", "import", fixture("customers.csv").to_str().unwrap(), "--campaign", "shop"]);
        self.done(&[
            "queue",
            "create",
            "support",
            "--campaign",
            "shop",
            "--ring-seconds",
            "10",
            "--wrap-up-seconds",
            "0",
        ]);
        self.done(&["prompt", "add", "welcome", welcome.to_str().unwrap()]);
        self.done(&["flow", "apply", flow.to_str().unwrap()]);
        self.done(&["trunk", "add", "carrier", "--source", "127.0.0.0/8", "--source", "::1/128"]);
        self.done(&["number", "add", NUMBER, "--trunk", "carrier", "--flow", "main"]);
    }

    /// An operator of the queue, answering in the browser or at a SIP contact.
    pub fn operator(&self, login: &str, sip_contact: Option<&str>) {
        let mut args = vec![
            "account",
            "create",
            login,
            "--role",
            "operator",
            "--name",
            login,
            "--campaign",
            "shop",
            "--password-stdin",
        ];
        if let Some(contact) = sip_contact {
            args.extend_from_slice(&["--sip-contact", contact]);
        }
        self.done_with(&args, PASSWORD);
        self.done(&["queue", "set", "support", "--add-member", login]);
    }

    /// Every call, newest first, as `bbctl call list` has them.
    pub fn calls(&self) -> Vec<Value> {
        self.json(&["call", "list"])["calls"].as_array().cloned().unwrap_or_default()
    }

    /// Waits for the newest call to have ended; it.
    pub fn ended_call(&self) -> Value {
        let mut last = Value::Null;
        wait_until(Duration::from_secs(15), || {
            last = self.calls().first().cloned().unwrap_or_default();
            last["fate"].is_string()
        });
        assert!(last["fate"].is_string(), "no call ended: {last}\n{}", self.log());
        last
    }

    /// Waits for a recording to be sealed and exports it; its WAV.
    pub fn recording(&self, id: &str) -> Vec<u8> {
        let mut state = Value::Null;
        wait_until(Duration::from_secs(15), || {
            state = self.json(&["recording", "show", id]);
            matches!(state["state"].as_str(), Some("sealed" | "recovered"))
        });
        let to = self.path(&format!("{id}.wav"));
        let _ = fs::remove_file(&to);
        self.done(&["recording", "export", id, "--to", to.to_str().unwrap()]);
        let wav = fs::read(&to).unwrap();
        fs::remove_file(to).unwrap();
        wav
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- log of bbd\n{}", self.log());
        }
    }
}

/// A file under `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}
