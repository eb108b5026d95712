//! What really reached a UDP port: tcpdump on loopback, its file read here.

use crate::bed::{need, wait_until};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running capture of the datagrams to one UDP port.
pub struct Capture {
    child: Child,
    file: PathBuf,
}

impl Capture {
    /// Starts, and returns once tcpdump listens. `None`: not allowed to capture here.
    pub fn start(folder: &Path, port: u16) -> Option<Self> {
        need("tcpdump", "--version")?;
        let (file, log) = (folder.join(format!("to-{port}.pcap")), folder.join(format!("to-{port}.log")));
        let mut child = Command::new("tcpdump")
            .args(["-i", "lo", "-U", "-n", "-w"])
            .arg(&file)
            .arg(format!("udp and dst port {port}"))
            .stderr(std::fs::File::create(&log).unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        wait_until(Duration::from_secs(10), || {
            said().contains("listening on") || child.try_wait().unwrap().is_some()
        });
        if said().contains("listening on") {
            return Some(Self { child, file });
        }
        assert!(std::env::var_os("CI").is_none(), "tcpdump can't capture: {}", said());
        eprintln!("SKIPPED: tcpdump can't capture here ({}); run as root", said().trim());
        None
    }

    /// Stops and returns the RTP payloads (RFC 3550 §5.1, version 2) of payload type 0 in order of arrival.
    pub fn payloads(mut self) -> Vec<u8> {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        self.child.wait().unwrap();
        let pcap = std::fs::read(&self.file).unwrap();
        let mut audio = Vec::new();
        let mut at = 24; // the file's head
        while at + 16 <= pcap.len() {
            let length = u32::from_le_bytes(pcap[at + 8..at + 12].try_into().unwrap()) as usize;
            let frame = &pcap[at + 16..(at + 16 + length).min(pcap.len())];
            at += 16 + length;
            // Ethernet 14, IPv4 20, UDP 8; loopback sends no options.
            let Some(rtp) = frame.get(42..) else { continue };
            if rtp.len() > 12 && rtp[0] >> 6 == 2 && rtp[1] & 0x7f == 0 {
                audio.extend_from_slice(&rtp[12..]);
            }
        }
        audio
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
