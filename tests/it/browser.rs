//! Headless Chromium as the home operator, driven by `tests/browser/operator.mjs`: one command a
//! line in, one JSON answer a line out.

use crate::audio::{sine, wav};
use crate::bed::{Bed, PASSWORD, need};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A logged-in operator's browser.
pub struct Operator {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Operator {
    /// Starts Chromium with a fake microphone at `hz`, logs `login` in and presses 受付可.
    pub fn available(bed: &Bed, login: &str, hz: f64) -> Option<Self> {
        let mut operator = Self::open(bed, login, hz)?;
        operator.tell(json!({"do": "log_in", "tenant": "demo", "login": login, "password": PASSWORD}));
        operator.tell(json!({"do": "presence", "presence": "available"}));
        Some(operator)
    }

    /// Starts Chromium at the login screen.
    pub fn open(bed: &Bed, name: &str, hz: f64) -> Option<Self> {
        need("chromium", "--version")?;
        need("node", "--version")?;
        let folder = bed.path(&format!("browser-{name}"));
        fs::create_dir_all(&folder).unwrap();
        let microphone = folder.join("microphone.wav");
        fs::write(&microphone, wav(&sine(hz, 2.0, 48_000), 48_000)).unwrap();
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
        assert!(
            tests.join("node_modules").exists(),
            "run `npm ci --ignore-scripts` in tests/browser, or tests/run.sh"
        );
        let mut child = Command::new("node")
            .arg(tests.join("operator.mjs"))
            .env("URL", format!("https://{}/", bed.address("https")))
            .env("MICROPHONE", &microphone)
            .env("PROFILE", folder.join("profile"))
            .env("TRACE", folder.join("trace.log"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join("stderr.log")).unwrap())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut operator = Self { child, commands, answers };
        operator.tell(json!({"do": "open"}));
        Some(operator)
    }

    /// Gives a command and waits for it to be done (the script has the deadlines).
    pub fn tell(&mut self, command: Value) -> Value {
        let answer = self.try_tell(&command);
        assert!(answer["error"].is_null(), "{command}: {answer}");
        answer
    }

    /// [`Operator::tell`] that may fail.
    pub fn try_tell(&mut self, command: &Value) -> Value {
        writeln!(self.commands, "{command}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{command}: {e}: {line:?}"))
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = writeln!(self.commands, "{}", json!({"do": "quit"}));
        let mut rest = String::new();
        let _ = self.answers.read_line(&mut rest);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
