//! The log: one event a line on standard error, fields after the message.
//!
//! Whatever a field holds, it stays within its line: control characters are escaped on the
//! way out, behind all formatting, so that no peer can forge a line or drive a terminal.

use std::io::Write;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

/// Changes the level of a running log.
pub struct Level(reload::Handle<EnvFilter, tracing_subscriber::Registry>);

impl Level {
    /// Takes up a new filter, already checked by `config`.
    pub fn change(&self, filter: &str) {
        if let Ok(filter) = filter.parse::<EnvFilter>() {
            // Fails only when the subscriber is gone, and then nobody listens.
            let _ = self.0.reload(filter);
        }
    }
}

/// Starts logging to standard error.
pub fn start(filter: &str) -> Level {
    let filter = filter.parse().unwrap_or_else(|_| EnvFilter::new("info"));
    let (filter, handle) = reload::Layer::new(filter);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Escaping(std::io::stderr));
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Level(handle)
}

/// Makes writers that escape.
struct Escaping<M>(M);

/// Receives one formatted event a write.
struct Line<W>(W);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Escaping<M> {
    type Writer = Line<M::Writer>;
    fn make_writer(&'a self) -> Self::Writer {
        Line(self.0.make_writer())
    }
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = String::with_capacity(text.len() + 1);
        for c in text.chars() {
            if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            {
                line.extend(c.escape_default());
            } else {
                line.push(c);
            }
        }
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_field_can_forge_a_line_or_drive_a_terminal() {
        let page = Page::default();
        let writer = page.clone();
        let layer =
            tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Escaping(move || writer.clone()));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let hostile =
                "x\r\n2026-01-01T00:00:00Z  INFO bluebean: all is well \u{1b}[2J\u{9b}31m\u{2028}\u{202e}";
            tracing::warn!(peer = hostile, "as {hostile} a message");
            tracing::warn!(peer = %hostile, debug = ?hostile, "second");
            std::fs::read("/nonexistent\nnext")
                .inspect_err(|error| tracing::error!(%error, "third\n"))
                .unwrap_err();
        });
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.ends_with('\n'));
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.contains(['\u{2028}', '\u{202e}']), "{text:?}");
        assert!(text.contains("\\r\\n2026"), "{text}");
    }
}
