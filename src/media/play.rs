//! Prompts and music: a sound cut into 20 ms frames at the pace of the clock.

use super::g711;
use super::handle::{PlayId, Sound};
use super::tap::Companding;
use std::time::{Duration, Instant};

/// Samples in a frame.
pub(super) const FRAME: usize = 160;
const INTERVAL: Duration = Duration::from_millis(20);
/// Frames a stalled thread makes up for; older ones are dropped.
const BEHIND: Duration = Duration::from_millis(200);

/// A sound on its way to one leg.
pub(super) struct Player {
    sound: Sound,
    at: usize,
    next: Instant,
    pub(super) play: PlayId,
}

/// What a due player does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A frame was written.
    Frame,
    /// The last frame has been heard out.
    Finished,
    /// Not yet.
    Wait,
}

impl Player {
    /// Begins with the first frame at `now`.
    pub(super) fn new(sound: Sound, play: PlayId, now: Instant) -> Self {
        Self { sound, at: 0, next: now, play }
    }

    /// When the next turn is due.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Whether the thread fell behind, so that the sent timestamps must leap with the clock.
    pub(super) fn late(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.next) > BEHIND
    }

    /// Writes the frame that is due by `now`.
    pub(super) fn turn(&mut self, law: Companding, frame: &mut [u8; FRAME], now: Instant) -> Turn {
        if self.next > now {
            return Turn::Wait;
        }
        if self.late(now) {
            self.next = now;
        }
        self.next += INTERVAL;
        match &self.sound {
            Sound::Once(samples) => {
                let Some(rest) = samples.get(self.at..).filter(|rest| !rest.is_empty()) else {
                    return Turn::Finished;
                };
                write(law, frame, rest.iter().copied());
            }
            Sound::Loop(samples) => {
                if self.at >= samples.len() {
                    self.at = 0;
                }
                let rest = samples.get(self.at..).unwrap_or_default();
                write(law, frame, rest.iter().chain(samples.iter()).copied());
                self.at = (self.at + FRAME).checked_rem(samples.len()).unwrap_or(0);
                return Turn::Frame;
            }
        }
        self.at += FRAME;
        Turn::Frame
    }
}

fn write(law: Companding, frame: &mut [u8; FRAME], samples: impl Iterator<Item = i16>) {
    let mut samples = samples.map(|sample| g711::encode(law, sample));
    for code in frame {
        *code = samples.next().unwrap_or(g711::silence(law));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn play(sound: Sound, turns: usize) -> (Vec<i16>, Vec<Turn>) {
        let clock = Clock::test(0);
        let mut player = Player::new(sound, PlayId(1), clock.now());
        let (mut heard, mut said, mut frame) = (Vec::new(), Vec::new(), [0; FRAME]);
        for _ in 0..turns {
            assert_eq!(player.next(), clock.now());
            let turn = player.turn(Companding::Mu, &mut frame, clock.now());
            if turn == Turn::Frame {
                heard.extend(frame.iter().map(|code| g711::decode_mu(*code)));
            }
            said.push(turn);
            assert_eq!(player.turn(Companding::Mu, &mut frame, clock.now()), Turn::Wait);
            clock.advance(INTERVAL);
        }
        (heard, said)
    }

    #[test]
    fn once_ends_after_its_last_frame() {
        let (heard, said) = play(Sound::Once(vec![8031; 200].into()), 3);
        assert_eq!(said, [Turn::Frame, Turn::Frame, Turn::Finished]);
        assert!(heard[..200].iter().all(|sample| (*sample - 8031).abs() < 300));
        assert!(heard[200..].iter().all(|sample| *sample == 0));
        assert_eq!(play(Sound::Once(Vec::new().into()), 1).1, [Turn::Finished]);
    }

    #[test]
    fn a_loop_goes_round_without_a_seam() {
        let samples: Vec<i16> = (0..250).map(|n| g711::decode_mu(n as u8 | 0x80)).collect();
        let (heard, _) = play(Sound::Loop(samples.clone().into()), 10);
        for (n, sample) in heard.iter().enumerate() {
            assert_eq!(*sample, samples[n % 250], "{n}");
        }
        assert_eq!(play(Sound::Loop(Vec::new().into()), 2).0, [0; 320]);
        assert_eq!(play(Sound::Loop(vec![0; 7].into()), 2).1, [Turn::Frame; 2]);
    }

    #[test]
    fn a_stall_is_skipped_not_raced_through() {
        let clock = Clock::test(0);
        let mut player = Player::new(Sound::Loop(vec![1; 800].into()), PlayId(1), clock.now());
        clock.advance(Duration::from_secs(3));
        let mut frame = [0; FRAME];
        assert!(player.late(clock.now()));
        assert_eq!(player.turn(Companding::A, &mut frame, clock.now()), Turn::Frame);
        assert_eq!(player.turn(Companding::A, &mut frame, clock.now()), Turn::Wait);
    }
}
