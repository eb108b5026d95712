//! The daemon while it runs, and how it ends.

use super::log::Level;
use super::signals::{Heard, Signals, notify, notify_reloading, watchdog};
use super::{Options, StartError, certificate, folder};
use crate::clock::Clock;
use crate::config::Config;
use crate::control::Control;
use crate::domain::route::Trunk;
use crate::store::Store;
use crate::task::{Phase, Stopper};
use crate::web::{Server, Services};
use crate::wire::status::Certificate;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How long hung-up calls may take to be committed.
const COMMIT: Duration = Duration::from_secs(5);
/// How long finished recordings may take to be sealed; what is left is recovered at next start.
const SEAL: Duration = Duration::from_secs(30);
/// The same after a second signal.
const HURRY: Duration = Duration::from_secs(2);
/// How often our own certificate's age is looked at.
const DAY: Duration = Duration::from_secs(86_400);

pub(super) struct Running {
    pub(super) options: Options,
    pub(super) config: Config,
    pub(super) level: Level,
    pub(super) clock: Clock,
    pub(super) stopper: Stopper,
    pub(super) signals: Signals,
    pub(super) store: Store,
    pub(super) services: Services,
    pub(super) trunks: watch::Sender<Arc<Vec<Trunk>>>,
    pub(super) certificate: watch::Sender<Certificate>,
    pub(super) web: Server,
    pub(super) control: Control,
}

impl Running {
    /// Runs until told to stop, then drains.
    pub(super) async fn live(mut self) {
        notify(&[NotifyState::Ready]);
        let mut alive = interval(watchdog().unwrap_or(DAY));
        let mut daily = interval(DAY);
        // The first tick is a day from now: the certificate has just been looked at.
        daily.reset();
        for timer in [&mut alive, &mut daily] {
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            tokio::select! {
                heard = self.signals.next() => match heard {
                    Heard::Stop => break,
                    Heard::Reload => self.reload().await,
                },
                _ = alive.tick() => notify(&[NotifyState::Watchdog]),
                _ = daily.tick() => {
                    if self.config.web.certificate.is_none() {
                        self.renew(&self.config);
                    }
                }
            }
        }
        self.end().await;
    }

    /// SIGHUP: the log level, the certificate and the trunk table. A configuration with a
    /// mistake changes nothing.
    async fn reload(&mut self) {
        notify_reloading();
        match Config::load(self.options.config.as_deref()) {
            Ok(new) => {
                self.level.change(&new.log_level);
                self.renew(&new);
                let changed = |config: &Config| {
                    let mut rest = config.clone();
                    rest.log_level.clear();
                    (rest.web.certificate, rest.web.key) = (None, None);
                    rest
                };
                if changed(&new) == changed(&self.config) {
                    tracing::info!("configuration reloaded");
                } else {
                    tracing::warn!("configuration reloaded; some of its changes wait for a restart");
                }
                self.config.log_level = new.log_level;
                (self.config.web.certificate, self.config.web.key) = (new.web.certificate, new.web.key);
            }
            Err(error) => tracing::error!(%error, "the configuration was not reloaded"),
        }
        match self.store.system().trunks().await {
            Ok(all) => drop(self.trunks.send_replace(Arc::new(all))),
            Err(error) => tracing::error!(%error, "the trunks were not reloaded"),
        }
        notify(&[NotifyState::Ready]);
    }

    /// Loads the certificate again; the old one stays when that fails.
    fn renew(&self, config: &Config) {
        let loaded: Result<_, StartError> =
            certificate::load(&config.web, &self.options.data_dir, &self.clock);
        match loaded {
            Ok((pages, described)) => {
                self.web.certificate.replace(pages);
                self.certificate.send_replace(described);
            }
            Err(error) => tracing::error!(%error, "the old web certificate stays"),
        }
    }

    /// No new calls; running ones may finish; recordings are sealed; databases are closed.
    async fn end(mut self) {
        notify(&[NotifyState::Stopping]);
        let calls = &self.services.calls;
        self.stopper.advance(Phase::Draining);
        let limit = Duration::from_secs(self.config.limits.drain_seconds.into());
        tracing::info!(drain_seconds = limit.as_secs(), "draining: no new calls");
        let hurried = tokio::select! {
            () = calls.idle() => false,
            () = tokio::time::sleep(limit) => {
                tracing::warn!("the drain limit is reached; running calls are ended");
                false
            }
            () = self.signals.stop() => {
                tracing::warn!("told to stop again; running calls are ended");
                true
            }
        };
        self.stopper.advance(Phase::Stopped);
        let (commit, seal) = if hurried { (HURRY, HURRY) } else { (COMMIT, SEAL) };
        if timeout(commit, calls.idle()).await.is_err() {
            tracing::error!("some calls did not end in time; they are closed as interrupted at next start");
        }
        if timeout(seal, self.services.recordings.drained()).await.is_err() {
            tracing::warn!("some recordings are not sealed yet; they are recovered at next start");
        }
        self.services.media.shut_down();
        if timeout(HURRY, self.web.finished()).await.is_err() {
            tracing::debug!("some browsers did not let go");
        }
        if timeout(HURRY, self.control.finished()).await.is_err() {
            tracing::debug!("some control callers did not let go");
        }
        self.store.close().await;
        let _ = std::fs::remove_file(folder::bound_file(&self.options.data_dir));
        tracing::info!("stopped");
    }
}
