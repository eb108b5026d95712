//! The socket file and its connections.

use super::{Desk, dispatch};
use crate::task::{self, Phase, Stop};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Connections at once; further ones wait in the listener's backlog.
const CONNECTIONS: usize = 256;
/// How long a caller may take over its request's head.
const HEAD: Duration = Duration::from_secs(5);
/// How long one connection may last.
const CONNECTION: Duration = Duration::from_secs(3600);

/// Why the socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another daemon answers there.
    #[error("another bbd answers on {}; stop it, or choose another --socket", .0.display())]
    Taken(PathBuf),
    /// Something that is no socket is there.
    #[error("{} is there and is no socket; choose another --socket", .0.display())]
    NoSocket(PathBuf),
    /// The system refused.
    #[error("the control socket {} can't be opened: {error}", path.display())]
    Open {
        /// Where.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// The running socket.
pub struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Control {
    /// Returns once the accept loop is over, soon after `Stopped`, and removes the file.
    pub async fn finished(self) {
        // A loop that panicked is over as well; its task has logged why.
        let _ = self.task.await;
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Opens the socket (mode 0660) and serves it until `Stopped`: draining can be watched.
pub async fn serve(path: &Path, desk: Desk) -> Result<Control, ControlError> {
    let listener = listen(path).await?;
    let stop = desk.stop.clone();
    let task = task::spawn("control", accept(listener, Arc::new(desk), stop));
    Ok(Control { path: path.into(), task })
}

async fn listen(path: &Path) -> Result<UnixListener, ControlError> {
    use std::os::unix::fs::FileTypeExt;
    let refused = |error| ControlError::Open { path: path.into(), error };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o750).create(folder).map_err(refused)?;
    }
    if let Ok(there) = std::fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return Err(ControlError::NoSocket(path.into()));
        }
        // A dead daemon leaves its file behind; a living one answers.
        if UnixStream::connect(path).await.is_ok() {
            return Err(ControlError::Taken(path.into()));
        }
        std::fs::remove_file(path).map_err(refused)?;
    }
    // Bound under another name and renamed, so that it never stands there with a wider mode.
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let _ = std::fs::remove_file(&draft);
    let listener = UnixListener::bind(&draft).map_err(refused)?;
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o660))
        .and_then(|()| std::fs::rename(&draft, path))
        .inspect_err(|_| drop(std::fs::remove_file(&draft)))
        .map_err(refused)?;
    Ok(listener)
}

async fn accept(listener: UnixListener, desk: Arc<Desk>, mut stop: Stop) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.reached(Phase::Stopped) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                task::spawn("control-connection", async move {
                    connection(stream, desk).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket can't accept");
                // Out of descriptors: without a pause this would spin.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: UnixStream, desk: Arc<Desk>) {
    let peer = match stream.peer_cred() {
        Ok(credentials) => dispatch::Peer { uid: credentials.uid(), pid: credentials.pid() },
        Err(error) => {
            // Who can't be named in the audit gets nothing.
            tracing::warn!(%error, "a control caller without credentials was refused");
            return;
        }
    };
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, std::convert::Infallible>(dispatch::answer(&desk, peer, request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a control connection broke off"),
        Err(_) => tracing::warn!(uid = peer.uid, "a control connection lasted too long and was closed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stale_file_is_replaced_and_a_living_one_respected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/bbd.sock");
        let first = listen(&path).await.unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        assert!(matches!(listen(&path).await, Err(ControlError::Taken(_))));
        drop(first);
        assert!(path.exists(), "a dead daemon's file stays");
        listen(&path).await.unwrap();
        let plain = dir.path().join("file");
        std::fs::write(&plain, "precious").unwrap();
        assert!(matches!(listen(&plain).await, Err(ControlError::NoSocket(_))));
        assert_eq!(std::fs::read_to_string(&plain).unwrap(), "precious");
    }
}
