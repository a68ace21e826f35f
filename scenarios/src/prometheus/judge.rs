//! The sampled profile of the contract: what a rule must do that sees the world only at scrapes and acts only at evaluations.

mod expectation;

pub use expectation::{Expectation, Firing as ExpectedFiring, Window, expectations};

use super::firings::Firing;
use crate::judge::Rule;
use crate::oracle::Episode;
use std::time::Duration;
use stuckvm_detector::Time;

/// What a rule's view of the world is bounded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// S, the time between two scrapes.
    pub scrape: Duration,
    /// E, the time between two evaluations.
    pub evaluate: Duration,
    /// `keep_firing_for`
    pub keep: Duration,
    /// How long after the delivered stream the exporter knows.
    pub lag: Duration,
    /// The first evaluation.
    pub first: Time,
    /// How long after it the first scrape comes.
    pub phase: Duration,
}

impl Sampling {
    /// A time in whole evaluations: `W = E·⌈threshold / E⌉`.
    fn in_evaluations(&self, time: Duration) -> Duration {
        let evaluate = self.evaluate.as_nanos();
        let nanos = time.as_nanos().div_ceil(evaluate) * evaluate;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How long a change can go unseen.
    pub fn unseen(&self) -> Duration {
        self.scrape + self.evaluate + self.lag
    }

    /// Whether an evaluation surely saw what held from an instant to another, by other scrapes than those that are missing.
    fn sees(&self, from: Time, to: Time, missing: &[Time]) -> bool {
        let known = later(from, self.lag);
        let mut scrape = tick(later(self.first, self.phase), self.scrape, known);
        while scrape < to {
            let next = later(scrape, self.scrape);
            let made = missing.binary_search(&scrape).is_err();
            if made && tick(self.first, self.evaluate, scrape) < next {
                return true;
            }
            scrape = next;
        }
        false
    }

    /// An episode of at most this length never fires.
    fn never(&self, episode: &Episode) -> Duration {
        self.in_evaluations(episode.threshold).saturating_sub(self.scrape)
    }

    /// An episode of at least this length always fires, and before it is that old.
    fn always(&self, episode: &Episode) -> Duration {
        self.in_evaluations(episode.threshold).saturating_add(self.unseen())
    }
}

/// How a rule broke the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// When: the earliest instant at which the rule and the profile differ.
    pub at: Time,
    /// Which rule of the contract.
    pub rule: Rule,
    /// What is wrong, in a sentence.
    pub because: String,
    /// The episode that it is about, if there is one.
    pub episode: Option<Episode>,
}

/// The rules that the profile can name, most telling first, as the contract's table has them. An alert's status is no part of it.
pub const JUDGED: [Rule; 4] = [Rule::NeverEarly, Rule::Once, Rule::Resolve, Rule::Exact];

impl Breach {
    /// Breaches stand in the order of time, those of one instant as the contract's table has them.
    pub fn order(&self) -> (Time, Option<usize>) {
        (self.at, JUDGED.iter().position(|rule| *rule == self.rule))
    }
}

/// What the profile makes of one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// What is wrong, in the order of time.
    pub breaches: Vec<Breach>,
    /// Episodes whose outcome sampling leaves to luck, by their place.
    pub luck: Vec<usize>,
}

/// What a machine went through, and what a rule said of it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Its episodes, in order.
    pub episodes: &'a [Episode],
    /// The rule's firings, in order.
    pub firings: &'a [Firing],
    /// Scrapes that failed or were not made, in order: nothing is known of what they would have seen.
    pub missing: &'a [Time],
    /// The end of the run.
    pub until: Time,
}

/// Judges what a rule said of one machine.
pub fn judge(sampling: Sampling, case: Case<'_>) -> Judged {
    let Case { episodes, firings, missing, until } = case;
    let bench = Bench { sampling, episodes, firings, missing, until };
    let mut breaches: Vec<Breach> = firings.iter().filter_map(|firing| bench.wrong_firing(firing)).collect();
    breaches.extend(firings.iter().filter_map(|firing| bench.wrong_end(firing)));
    breaches.extend((0..episodes.len()).filter_map(|place| bench.missing(place)));
    breaches.sort_by_key(Breach::order);
    Judged { breaches, luck: (0..episodes.len()).filter(|place| bench.is_luck(*place)).collect() }
}

struct Bench<'a> {
    sampling: Sampling,
    episodes: &'a [Episode],
    firings: &'a [Firing],
    missing: &'a [Time],
    until: Time,
}

/// The first of `first`, `first + every` … that is no earlier than an instant.
fn tick(first: Time, every: Duration, at: Time) -> Time {
    let ticks = at.saturating_since(first).as_nanos().div_ceil(every.as_nanos());
    let since = u64::try_from(ticks * every.as_nanos()).unwrap_or(u64::MAX);
    later(first, Duration::from_nanos(since))
}

fn later(at: Time, by: Duration) -> Time {
    at.checked_add(by).unwrap_or(Time::MAX)
}

fn shown(duration: Duration) -> String {
    stuckvm_sim::duration::format(duration)
}

impl Bench<'_> {
    fn end(&self, episode: &Episode) -> Time {
        episode.end.unwrap_or(self.until)
    }

    fn length(&self, episode: &Episode) -> Duration {
        self.end(episode).saturating_since(episode.since)
    }

    /// The first instant at which an episode's firing is in time, and the first at which it no longer is.
    fn window(&self, episode: &Episode) -> (Time, Time) {
        (later(episode.since, episode.threshold), later(episode.since, self.sampling.always(episode)))
    }

    /// Whether an evaluation at an instant can still see an episode that has begun.
    fn is_seen(&self, episode: &Episode, at: Time) -> bool {
        episode.end.is_none_or(|end| at < self.gone(end))
    }

    /// From when on every evaluation knows that an episode has ended: later for each scrape that is missing.
    fn gone(&self, end: Time) -> Time {
        let after = self.missing.iter().skip_while(|at| **at < end);
        let sampled = later(end, self.sampling.unseen());
        after.fold(sampled, |gone, at| if *at < gone { later(gone, self.sampling.scrape) } else { gone })
    }

    /// Whether a scrape is missing that could have seen something of a stretch.
    fn is_blind(&self, since: Time, until: Time) -> bool {
        let until = later(until, self.sampling.unseen());
        self.missing.iter().any(|at| since <= *at && *at <= until)
    }

    /// The newest episode that has begun at an instant.
    fn newest(&self, at: Time) -> Option<&Episode> {
        self.episodes.iter().rfind(|episode| episode.since <= at)
    }

    /// Whether a firing is right: in the window of an episode that is long enough and still seen. Gaps that no scrape need
    /// have caught join episodes.
    fn is_right(&self, firing: &Firing) -> bool {
        (0..self.episodes.len()).any(|first| {
            let (from, before) = self.window(&self.episodes[first]);
            (from <= firing.at && firing.at < before)
                && self.joined(first, Duration::ZERO).any(|last| {
                    let long = self.end(last).saturating_since(self.episodes[first].since);
                    last.since <= firing.at
                        && self.is_seen(last, firing.at)
                        && long > self.sampling.never(&self.episodes[first])
                })
        })
    }

    /// An episode, and those behind it that look like one with it: no evaluation saw the gap, or a rule that holds on for so
    /// long bridges it.
    fn joined(&self, first: usize, kept: Duration) -> impl Iterator<Item = &Episode> {
        let episodes = &self.episodes[first..];
        let held = move |end: Time, since: Time| {
            kept > Duration::ZERO && since < later(later(end, kept), self.sampling.unseen())
        };
        let bridged =
            move |end: Time, since: Time| !self.sampling.sees(end, since, self.missing) || held(end, since);
        let gaps = episodes
            .windows(2)
            .take_while(move |pair| pair[0].end.is_none_or(|end| bridged(end, pair[1].since)));
        episodes.iter().take(gaps.count() + 1)
    }

    fn wrong_firing(&self, firing: &Firing) -> Option<Breach> {
        if self.is_right(firing) {
            return None;
        }
        let at = firing.at;
        let episode = self.newest(at).filter(|episode| self.is_seen(episode, at));
        let breach = |rule, because| Some(Breach { at, rule, because, episode: episode.cloned() });
        let Some(episode) = episode else {
            // One that was in no error so far has dwelt for no time at all, which is before any threshold.
            let rule = if self.newest(at).is_none() { Rule::NeverEarly } else { Rule::Exact };
            return breach(rule, "fired for a machine in no error status".to_owned());
        };
        let after = shown(at.saturating_since(episode.since));
        let (from, before) = self.window(episode);
        let again = self.firings.iter().any(|other| episode.since <= other.at && other.at < at);
        match at {
            _ if at < from => breach(Rule::NeverEarly, format!("fired {after} after the error began")),
            _ if self.is_blind(episode.since, at) => None,
            _ if again => breach(Rule::Once, format!("fired again, {after} after the error began")),
            _ if at >= before => breach(Rule::Exact, format!("fired only {after} after the error began")),
            _ => {
                let long = shown(self.length(episode));
                breach(Rule::Exact, format!("fired for an error that lasted {long}"))
            }
        }
    }

    fn wrong_end(&self, firing: &Firing) -> Option<Breach> {
        let kept = self.sampling.in_evaluations(self.sampling.keep);
        let began = self.newest(firing.at).filter(|episode| self.is_seen(episode, firing.at))?;
        let breach =
            |at, because| Some(Breach { at, rule: Rule::Resolve, because, episode: Some(began.clone()) });
        let place = self.episodes.iter().position(|episode| episode == began)?;
        let joined: Vec<&Episode> = self.joined(place, kept).collect();
        // From when on it may resolve, and from when on that is too late.
        let in_time = |end: Time| {
            let from = later(end, kept);
            (from, later(from, self.sampling.unseen()))
        };
        let last = joined.last()?.end.map(in_time);
        let Some(at) = firing.until else {
            let due = last?.1;
            return (due <= self.until).then(|| breach(due, "did not resolve".to_owned())).flatten();
        };
        let mut ends = joined.iter().filter_map(|episode| episode.end).map(in_time);
        if ends.any(|(from, before)| from <= at && at < before) || self.is_blind(firing.at, at) {
            return None;
        }
        match joined.last()?.end.filter(|end| *end <= at) {
            Some(end) => {
                breach(at, format!("resolved {} after the error ended", shown(at.saturating_since(end))))
            }
            None => breach(at, "resolved while the error goes on".to_owned()),
        }
    }

    /// An episode that must fire and does not, at any time.
    fn missing(&self, place: usize) -> Option<Breach> {
        let episode = &self.episodes[place];
        let (_, before) = self.window(episode);
        if self.is_luck(place) || self.length(episode) <= self.sampling.never(episode) {
            return None;
        }
        let gone = later(self.end(episode), self.sampling.unseen());
        // One that ends as this episode begins is about the one before.
        let begun = later(episode.since, self.sampling.unseen());
        let fires = |firing: &Firing| firing.at < gone && firing.until.is_none_or(|until| until > begun);
        if self.firings.iter().any(fires) {
            return None;
        }
        let because = format!("did not fire for an error that lasted {}", shown(self.length(episode)));
        Some(Breach { at: before, rule: Rule::Exact, because, episode: Some(episode.clone()) })
    }

    /// Whether another phase of the scrapes could decide otherwise, or scrapes are missing on the way.
    fn is_luck(&self, place: usize) -> bool {
        let episode = &self.episodes[place];
        let length = self.length(episode);
        let blind = self.is_blind(episode.since, self.end(episode));
        length > self.sampling.never(episode) && (blind || length < self.sampling.always(episode))
    }
}

#[cfg(test)]
pub(super) mod tests;
