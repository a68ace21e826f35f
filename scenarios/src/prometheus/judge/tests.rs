//! The sampled profile, by streams of one machine: S = E = 30 s, so W + S + E is 6 minutes and W - S is 4:30.

use super::{Case, Expectation, Judged, Sampling, expectations, judge};
use crate::judge::Rule;
use crate::oracle::{Episode, Thresholds, episodes};
use crate::prometheus::firings::Firing;
use crate::stream::{Event, Input, Observed, Vm};
use std::time::Duration;
use stuckvm_detector::Time;

const UNTIL: u64 = 3600;

fn sampling(keep: u64) -> Sampling {
    let half = Duration::from_secs(30);
    Sampling {
        scrape: half,
        evaluate: half,
        keep: Duration::from_secs(keep),
        lag: Duration::ZERO,
        first: Time::ZERO,
        phase: Duration::ZERO,
    }
}

/// Judges firings `(at, until)` of a machine that is in error in these stretches; an end of 0 is none.
fn judged(stretches: &[(u64, u64)], firings: &[(u64, u64)], keep: u64) -> Judged {
    with_missing(stretches, firings, keep, &[])
}

fn with_missing(stretches: &[(u64, u64)], firings: &[(u64, u64)], keep: u64, missing: &[u64]) -> Judged {
    let at = Time::from_secs;
    let firing =
        |(from, until): &(u64, u64)| Firing { at: at(*from), until: (*until > 0).then(|| at(*until)) };
    let firings: Vec<Firing> = firings.iter().map(firing).collect();
    let missing: Vec<Time> = missing.iter().map(|seconds| at(*seconds)).collect();
    let case =
        Case { episodes: &in_error(stretches), firings: &firings, missing: &missing, until: at(UNTIL) };
    judge(sampling(keep), case)
}

/// What is asked of a machine that is in error in these stretches.
pub(super) fn expected(stretches: &[(u64, u64)], missing: &[u64]) -> Vec<Expectation> {
    let missing: Vec<Time> = missing.iter().map(|seconds| Time::from_secs(*seconds)).collect();
    let (episodes, until) = (in_error(stretches), Time::from_secs(UNTIL));
    expectations(sampling(0), Case { episodes: &episodes, firings: &[], missing: &missing, until })
}

fn in_error(stretches: &[(u64, u64)]) -> Vec<Episode> {
    let observed = |seconds: u64, status: &str| {
        let status = Observed { vm: Vm::new("ns", "vm1", "u1"), status: status.into() };
        Input { at: Time::from_secs(seconds), event: Event::Observed(status) }
    };
    let mut inputs = Vec::new();
    for (since, end) in stretches {
        inputs.push(observed(*since, "Unknown"));
        inputs.extend((*end > 0).then(|| observed(*end, "Running")));
    }
    episodes(&Thresholds::default(), &inputs)
}

/// `R1@360 R6@900`
fn rules(stretches: &[(u64, u64)], firings: &[(u64, u64)], keep: u64) -> String {
    let judged = judged(stretches, firings, keep);
    let shown =
        judged.breaches.iter().map(|breach| format!("{}@{}", breach.rule.as_str(), breach.at.as_secs()));
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_sampling_can_bring_about_passes() {
    let table = [
        ("nothing happens", &[][..], &[][..]),
        ("it fires at once", &[(60, 1000)], &[(360, 1020)]),
        ("it fires as late as it may", &[(61, 1001)], &[(420, 1060)]),
        ("it goes on", &[(60, 0)], &[(390, 0)]),
        ("too short", &[(60, 330)], &[]),
        ("luck: it fires", &[(60, 331)], &[(360, 390)]),
        ("luck: it does not", &[(60, 419)], &[]),
        ("luck: it fires after the end", &[(60, 340)], &[(360, 390)]),
        ("a gap that was not seen", &[(60, 200), (201, 1000)], &[(360, 1020)]),
        ("a gap that was seen", &[(60, 205), (215, 1000)], &[(540, 1020)]),
        ("a gap that was not seen while it fires", &[(60, 601), (629, 1000)], &[(360, 1020)]),
        ("a gap that was seen while it fires", &[(60, 600), (630, 1200)], &[(360, 630), (930, 1230)]),
        ("the run ends before it must fire", &[(3250, 0)], &[]),
        ("the run ends before it must resolve", &[(60, 3550)], &[(360, 0)]),
    ];
    for (what, stretches, firings) in table {
        assert_eq!(rules(stretches, firings, 0), "", "{what}");
    }
}

#[test]
fn what_sampling_cannot_bring_about_is_named_by_its_rule() {
    let table = [
        ("early by a second", &[(61, 1000)][..], &[(360, 1020)][..], "R2@360"),
        ("at once", &[(60, 1000)], &[(60, 1020)], "R2@60"),
        ("never", &[(60, 1000)], &[], "R1@420"),
        ("late", &[(60, 1000)], &[(420, 1020)], "R1@420"),
        ("for a short one", &[(60, 330)], &[(360, 389)], "R1@360"),
        ("for a very short one", &[(60, 90)], &[(120, 149)], "R2@120"),
        ("for nothing", &[], &[(600, 900)], "R2@600"),
        ("long after the end", &[(60, 300)], &[(600, 900)], "R1@600"),
        ("again", &[(60, 1000)], &[(360, 600), (900, 1020)], "R6@600 R7@900"),
        ("resolved late", &[(60, 1000)], &[(360, 1060)], "R6@1060"),
        ("resolved early", &[(60, 1000)], &[(360, 990)], "R6@990"),
        ("not resolved", &[(60, 1000)], &[(360, 0)], "R6@1060"),
        ("a long gap is not bridged", &[(60, 200), (260, 1000)], &[(360, 1020)], "R2@360"),
        ("over a gap that was seen", &[(60, 205), (215, 1000)], &[(360, 1020)], "R2@360"),
        ("on over a gap that was seen", &[(60, 600), (630, 1000)], &[(360, 1020)], "R6@1020"),
        ("the second of two", &[(60, 1000), (2000, 3000)], &[(360, 1020)], "R1@2360"),
    ];
    for (what, stretches, firings, expected) in table {
        assert_eq!(rules(stretches, firings, 0), expected, "{what}");
    }
}

/// S = E = 1 s: one evaluation more, as `>` for `>=` costs, fits twice into the window, and the third is too late.
#[test]
fn with_an_evaluation_a_second_the_window_is_two_evaluations_wide() {
    let second = Duration::from_secs(1);
    let sampling = Sampling { scrape: second, evaluate: second, ..sampling(0) };
    let episodes = in_error(&[(60, 1000)]);
    let table = [(359, Some(Rule::NeverEarly)), (360, None), (361, None), (362, Some(Rule::Exact))];
    for (at, broken) in table {
        let firings = [Firing { at: Time::from_secs(at), until: Some(Time::from_secs(1000)) }];
        let case =
            Case { episodes: &episodes, firings: &firings, missing: &[], until: Time::from_secs(UNTIL) };
        let breaches = judge(sampling, case).breaches;
        assert_eq!(breaches.first().map(|breach| breach.rule), broken, "{at}");
    }
}

#[test]
fn a_rule_that_holds_on_resolves_so_much_later() {
    // In evaluations: 100 s are 120.
    let table = [
        (&[(60, 1000)][..], &[(360, 1020)][..], "R6@1020"),
        (&[(60, 1000)], &[(360, 1140)], ""),
        (&[(60, 1000)], &[(360, 1200)], "R6@1200"),
        (&[(60, 1000), (1100, 2000)], &[(360, 2130)], ""),
        (&[(60, 1000), (1100, 0)], &[(360, 0)], ""),
    ];
    for (stretches, firings, expected) in table {
        assert_eq!(rules(stretches, firings, 100), expected, "{stretches:?} {firings:?}");
    }
}

#[test]
fn what_another_phase_could_decide_otherwise_is_counted() {
    for (end, luck) in [(330, 0), (331, 1), (419, 1), (420, 0)] {
        assert_eq!(judged(&[(60, end)], &[], 0).luck.len(), luck, "{end}");
    }
}

#[test]
fn an_episode_with_a_scrape_that_is_missing_is_left_to_luck_and_never_fires_early() {
    for firings in [&[][..], &[(360, 1020)], &[(360, 600), (900, 1020)], &[(900, 1020)]] {
        let judged = with_missing(&[(60, 1000)], firings, 0, &[590]);
        assert_eq!((judged.breaches.len(), judged.luck.len()), (0, 1), "{firings:?}");
    }
    let early = with_missing(&[(60, 1000)], &[(330, 1020)], 0, &[590]);
    assert_eq!(early.breaches.len(), 1);
    let elsewhere = with_missing(&[(60, 1000)], &[], 0, &[2000]);
    assert_eq!((elsewhere.breaches.len(), elsewhere.luck.len()), (1, 0));
}

#[test]
fn a_gap_is_seen_by_an_evaluation_that_looks_at_a_scrape_in_it() {
    let seconds = Duration::from_secs;
    let at = Time::from_secs;
    let often = Sampling { evaluate: seconds(60), scrape: seconds(10), ..sampling(0) };
    // The scrape at 50 s is the last before the evaluation at 60 s only if there is none at 60 s.
    let late = Sampling { phase: seconds(5), ..often };
    let table = [
        (sampling(0), 209, 215, true),
        (sampling(0), 200, 210, false),
        (sampling(0), 210, 211, true),
        (Sampling { lag: seconds(1), ..sampling(0) }, 210, 215, false),
        (often, 45, 60, false),
        (often, 45, 61, true),
        (late, 51, 59, true),
        (late, 41, 54, false),
    ];
    for (sampling, from, to, seen) in table {
        assert_eq!(sampling.sees(at(from), at(to), &[]), seen, "{sampling:?}: {from} to {to}");
    }
}

#[test]
fn nobody_can_know_of_a_change_that_only_missing_scrapes_would_have_seen() {
    let is_blamed = |stretches: &[(u64, u64)], firings: &[(u64, u64)], missing: &[u64]| {
        !with_missing(stretches, firings, 0, missing).breaches.is_empty()
    };
    // A recovery that only the scrape at 210 would have seen.
    let (flap, on) = ([(60, 205), (215, 1000)], [(360, 1020)]);
    assert_eq!([is_blamed(&flap, &on, &[]), is_blamed(&flap, &on, &[210])], [true, false]);
    // An end that only scrapes from 330 to 420 would have seen: the next one is that at 450.
    let (short, late) = ([(60, 325)], [(360, 450)]);
    assert_eq!(
        [is_blamed(&short, &late, &[]), is_blamed(&short, &late, &[330, 360, 390, 420])],
        [true, false]
    );
    // Once it is scraped again, everyone knows.
    assert!(is_blamed(&[(60, 200)], &[(600, 630)], &[210, 240]));
}
