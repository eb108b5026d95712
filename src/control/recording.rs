//! `recording …`

use super::act::{Act, Answered, Reply};
use super::call::Names;
use super::refusal;
use crate::domain::record::{self, RecordingState};
use crate::wire::recording::{Export, Index, Recording, Show};
use crate::wire::{Ask, Failure, List};
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Index::PATH => act.read(index).await,
        Show::PATH => act.read(show).await,
        Export::PATH if act.dry_run => act.read(rehearse).await,
        Export::PATH => Some(export(act).await),
        _ => None,
    }
}

async fn index(act: &mut Act, ask: Index) -> Result<List<Recording>, Failure> {
    let inside = act.inside()?;
    let names = Names::of(&inside).await?;
    let limit = ask.limit.unwrap_or(50).clamp(1, 1000);
    let recordings =
        act.desk.recordings.list(&inside.scope, limit, ask.before).await.map_err(refusal::recording)?;
    Ok(List { items: recordings.into_iter().map(|r| shown(r, &names)).collect() })
}

async fn show(act: &mut Act, ask: Show) -> Result<Recording, Failure> {
    let inside = act.inside()?;
    let names = Names::of(&inside).await?;
    let recording = act.desk.recordings.show(&inside.scope, ask.id).await.map_err(refusal::recording)?;
    Ok(shown(recording, &names))
}

async fn rehearse(act: &mut Act, ask: Export) -> Result<Recording, Failure> {
    let shown = show(act, Show { id: ask.id }).await?;
    match shown.state {
        RecordingState::Sealed | RecordingState::Recovered => Ok(shown),
        RecordingState::Spooling => Err(refusal::recording(crate::recordings::RecordingError::NotReady)),
        RecordingState::Lost => Err(Failure::failed("nothing of this recording could be saved")),
    }
}

/// Streams the WAV as it is decrypted. Audited before the first byte leaves.
async fn export(act: &mut Act) -> Result<Reply, Failure> {
    let opened = open(act).await;
    let written = act.write_down(Export::ACTION, opened.as_ref().err()).await;
    let playback = opened?;
    written?;
    let length = playback.len();
    let chunks = stream::unfold(playback.stream(0, length), |mut chunks| async move {
        let chunk = chunks.recv().await?;
        Some((chunk.map(Frame::data).map_err(std::io::Error::other), chunks))
    });
    Ok(Reply::Audio(StreamBody::new(chunks).boxed_unsync()))
}

async fn open(act: &mut Act) -> Result<crate::recordings::Playback, Failure> {
    let ask = act.ask::<Export>()?;
    act.object = ask.id.to_string();
    let inside = act.inside()?;
    act.desk.recordings.open(&inside.scope, ask.id).await.map_err(refusal::recording)
}

fn shown(recording: record::Recording, names: &Names) -> Recording {
    Recording {
        id: recording.id,
        call: recording.call,
        campaign: names.campaign(recording.campaign),
        operator: names.login(recording.operator),
        state: recording.state,
        started_at: recording.started_at,
        duration_ms: recording.duration_ms,
        wav_bytes: recording.wav_bytes,
    }
}
