//! SIPp as customers and desk phones.

use crate::audio::{mu_law, sine};
use crate::bed::{Bed, need, wait_until};
use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A running SIPp.
pub struct Sipp {
    child: Child,
    folder: PathBuf,
}

/// What a SIPp is to do.
pub struct Plan<'a> {
    /// Name of a scenario under `examples/sipp` or `tests/sipp`.
    pub scenario: &'a str,
    /// Frequency it speaks at.
    pub hz: f64,
    /// How long it talks where the scenario says so.
    pub talk: Duration,
    /// What it dials, and the number it shows.
    pub dial: Option<(&'a str, &'a str)>,
    /// `u1` for UDP, `t1` for TCP.
    pub transport: &'a str,
    /// Local address.
    pub local: &'a str,
}

impl Plan<'_> {
    /// A scenario over UDP and IPv4.
    pub fn of(scenario: &str) -> Plan<'_> {
        Plan {
            scenario,
            hz: 440.0,
            talk: Duration::from_secs(4),
            dial: None,
            transport: "u1",
            local: "127.0.0.1",
        }
    }
}

/// A UDP port that is free on loopback.
pub fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Sipp {
    /// A customer who calls the bed's number.
    pub fn caller(bed: &Bed, name: &str, plan: Plan<'_>) -> Option<Self> {
        let to = match (plan.transport, plan.local.contains(':')) {
            ("t1", _) => bed.address("sip_tcp"),
            (_, false) => bed.address("sip_udp"),
            (_, true) => bed.address("sip_udp6"),
        };
        Self::run(bed, name, free_port(), plan, Some(to.to_string()))
    }

    /// A desk phone that waits for calls on `port`.
    pub fn phone(bed: &Bed, name: &str, port: u16, plan: Plan<'_>) -> Option<Self> {
        Self::run(bed, name, port, plan, None)
    }

    fn run(bed: &Bed, name: &str, port: u16, plan: Plan<'_>, to: Option<String>) -> Option<Self> {
        need("sipp", "-v")?;
        let folder = bed.path(name);
        fs::create_dir_all(&folder).unwrap();
        let tone: Vec<u8> = sine(plan.hz, 1.0, 8000).into_iter().map(mu_law).collect();
        fs::write(folder.join("tone.ulaw"), tone).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let file =
            ["examples/sipp", "tests/sipp"].map(|d| root.join(d).join(format!("{}.xml", plan.scenario)));
        let scenario = file.iter().find(|f| f.exists()).expect("a scenario");
        let mut command = Command::new("sipp");
        command
            .current_dir(&folder)
            .arg("-sf")
            .arg(scenario)
            .args([
                "-i",
                plan.local,
                "-mi",
                plan.local,
                "-t",
                plan.transport,
                "-m",
                "1",
                "-l",
                "1",
                "-nostdin",
            ])
            .args(["-p", &port.to_string(), "-d", &plan.talk.as_millis().to_string()])
            .args([
                "-timeout",
                "120",
                "-trace_err",
                "-error_file",
                "errors.log",
                "-trace_msg",
                "-message_file",
                "messages.log",
            ]);
        if let Some((number, shown)) = plan.dial {
            command.args(["-s", number, "-key", "caller", shown]);
        }
        command.args(to);
        let child = command
            .stdin(Stdio::null())
            .stdout(fs::File::create(folder.join("screen.log")).unwrap())
            .stderr(fs::File::create(folder.join("stderr.log")).unwrap())
            .spawn()
            .unwrap();
        let sipp = Self { child, folder };
        if plan.dial.is_none() {
            // A phone is there once its port is taken.
            assert!(
                wait_until(Duration::from_secs(5), || UdpSocket::bind(("127.0.0.1", port)).is_err()),
                "SIPp did not bind"
            );
        }
        Some(sipp)
    }

    /// Waits for the scenario's end and insists that it went as written.
    pub fn success(mut self, within: Duration) {
        let status = self.wait(within);
        assert!(status.is_some_and(|s| s.success()), "SIPp {status:?}:\n{}", self.said());
    }

    /// Waits for the scenario's end.
    pub fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        let mut status = None;
        wait_until(within, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status
    }

    /// The RTP port SIPp chose, from the description it sent.
    pub fn media_port(&self) -> u16 {
        let port = || {
            let said = self.said();
            said.split("m=audio ").nth(1)?.split(' ').next()?.parse().ok()
        };
        assert!(
            wait_until(Duration::from_secs(5), || port().is_some()),
            "SIPp has sent no description:\n{}",
            self.said()
        );
        port().unwrap_or_default()
    }

    /// The messages and errors so far.
    pub fn said(&self) -> String {
        ["errors.log", "stderr.log", "messages.log"]
            .map(|f| String::from_utf8_lossy(&fs::read(self.folder.join(f)).unwrap_or_default()).into_owned())
            .join("\n")
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
