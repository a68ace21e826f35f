//! What the sampled profile asks of each episode, for explanations.

use super::{Bench, Case, Sampling, later};
use std::time::Duration;
use stuckvm_detector::Time;

/// From when on something may come, and from when on that is too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant at which it is right.
    pub from: Time,
    /// The first instant at which it no longer is.
    pub before: Time,
}

/// Whether a rule fires for an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firing {
    /// It must.
    Must(Window),
    /// Luck: another phase of the scrapes would decide otherwise.
    May(Window),
    /// Luck: scrapes are missing on the way.
    Blind(Window),
    /// It must not: this length and less is too short.
    Never(Duration),
}

/// What is asked of an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Its firing.
    pub fires: Firing,
    /// Its end, if it has one, may fire, and is not bridged.
    pub resolves: Option<Window>,
}

/// What is asked of each episode of a machine, in their order.
pub fn expectations(sampling: Sampling, case: Case<'_>) -> Vec<Expectation> {
    let Case { episodes, firings, missing, until } = case;
    let bench = Bench { sampling, episodes, firings, missing, until };
    (0..episodes.len()).map(|place| bench.expectation(place)).collect()
}

impl Bench<'_> {
    fn expectation(&self, place: usize) -> Expectation {
        let episode = &self.episodes[place];
        let (from, before) = self.window(episode);
        let window = Window { from, before };
        let never = self.sampling.never(episode);
        let fires = match () {
            () if self.length(episode) <= never => Firing::Never(never),
            () if self.is_blind(episode.since, self.end(episode)) => Firing::Blind(window),
            () if self.is_luck(place) => Firing::May(window),
            () => Firing::Must(window),
        };
        let kept = self.sampling.in_evaluations(self.sampling.keep);
        let is_bridged = self.joined(place, kept).nth(1).is_some();
        let resolves = episode.end.filter(|_| !is_bridged && !matches!(fires, Firing::Never(_))).map(|end| {
            let from = later(end, kept);
            Window { from, before: later(from, self.sampling.unseen()) }
        });
        Expectation { fires, resolves }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expectation, Firing, Window};
    use crate::prometheus::judge::tests::expected;
    use std::time::Duration;
    use stuckvm_detector::Time;

    fn window(from: u64, before: u64) -> Window {
        Window { from: Time::from_secs(from), before: Time::from_secs(before) }
    }

    /// S = E = 30 s: an error of 4:30 or less never fires, one of 6 minutes or more always does, between 5 and 6 minutes.
    #[test]
    fn an_episode_must_may_or_must_not_fire_by_its_length() {
        let short = Firing::Never(Duration::from_secs(270));
        let table = [
            ((60, 330), &[][..], short, None),
            ((60, 331), &[], Firing::May(window(360, 420)), Some(window(331, 391))),
            ((60, 420), &[], Firing::Must(window(360, 420)), Some(window(420, 480))),
            ((60, 420), &[90], Firing::Blind(window(360, 420)), Some(window(420, 480))),
            ((60, 0), &[], Firing::Must(window(360, 420)), None),
        ];
        for (stretch, missing, fires, resolves) in table {
            assert_eq!(expected(&[stretch], missing), [Expectation { fires, resolves }], "{stretch:?}");
        }
    }

    #[test]
    fn an_end_that_no_evaluation_sees_resolves_nothing() {
        let ends: Vec<_> =
            expected(&[(60, 601), (629, 1000)], &[]).iter().map(|each| each.resolves).collect();
        assert_eq!(ends, [None, Some(window(1000, 1060))]);
    }
}
