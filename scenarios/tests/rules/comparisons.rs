//! `>` for `>=` where the rule is evaluated every second: what the sampled profile makes of that difference, and of nothing else.
//!
//! It costs one evaluation E, and only where an evaluation is exactly 300 s behind the beginning of the rule's clock. The profile lets
//! a rule fire in `[t0 + 300 s, t0 + 300 s + S + E)`. So `>` is too late where `>=` has used up S and more of that already, and early
//! where it is right not to be `>=`.

use super::{A_SECOND, check, has_prometheus, rule, scenarios};
use std::time::Duration;
use stuckvm_scenarios::prometheus::exporter::Schedule;

/// What a rule with `>=`, and the same one with `>`, comes to in a scenario: how long after the start it fires, and which rule of the
/// contract it breaks and why.
type Outcome = (Option<Duration>, Option<(String, String)>);

fn outcomes(comparison: &str, schedule: Schedule, scenario: &str) -> [Outcome; 2] {
    assert_eq!(comparison.matches(">=").count(), 1, "the operator is the only difference");
    let strict = comparison.replace(">=", ">");
    let file = rule(&format!("{{alert: A, expr: '{comparison}'}}, {{alert: B, expr: '{strict}'}}"));
    let played = scenarios(&[scenario]);
    let checked = check(&file, &played, schedule).unwrap_or_else(|error| panic!("{error}"));
    let outcome = |place: usize| {
        let case = &checked.alerts[place].cases[0];
        let fired = case.outcome.alerts.iter().find(|alert| alert.is_firing());
        let breach =
            case.breaches.first().map(|(_, first)| (first.rule.as_str().to_owned(), first.because.clone()));
        (fired.map(|alert| alert.at - case.outcome.start), breach)
    };
    [outcome(0), outcome(1)]
}

fn breaks(rule: &str, because: &str) -> Option<(String, String)> {
    Some((rule.to_owned(), because.to_owned()))
}

/// 301 samples a second apart are 300 s. The claim is missing from 0.15 s on, and with a phase of 0.1 s the first scrape that sees it is
/// that at 1.1 s, the 301st that at 301.1 s. The evaluation at 302 s is the first that has it: 301.85 s behind the beginning, and the
/// profile has until 302 s. One evaluation later is too late.
#[test]
fn the_strict_comparison_alone_is_too_late() {
    if !has_prometheus() {
        return;
    }
    let samples =
        r#"max by (name, namespace) (count_over_time(kubevirt_vm_info{status_group="error"}[10m])) >= 301"#;
    let schedule = Schedule { phase: 100, ..A_SECOND };
    let [right, strict] = outcomes(samples, schedule, "pvc-not-found/stuck");
    assert_eq!(right, (Some(Duration::from_secs(302)), None));
    let late = breaks("R1", "fired only 5m2.85s after the error began");
    assert_eq!(strict, (Some(Duration::from_secs(303)), late));
}

/// In phase the clock of a rule that counts from its first sample begins less than S behind the error: at 1 s here. With `>=` it is
/// 300 s old at 301 s, with `>` it is more than that at 302 s, 301.85 s behind the beginning. Both are within S + E = 2 s.
#[test]
fn an_age_that_counts_from_the_first_sample_leaves_room_for_one_evaluation_more() {
    if !has_prometheus() {
        return;
    }
    let age = r#"max by (name, namespace) (time() - min_over_time(timestamp(kubevirt_vm_info{status_group="error"})[10m:1s])) >= 300"#;
    let fired = |seconds| (Some(Duration::from_secs(seconds)), None);
    assert_eq!(outcomes(age, A_SECOND, "pvc-not-found/stuck"), [fired(301), fired(302)]);
}

/// The historical metric has whole seconds: 0 for a condition that changed at 0.05 s, and the error began at 0.15 s. At 300 s `>=` is
/// early by that, at 301 s `>` is not.
#[test]
fn on_whole_seconds_the_strict_comparison_alone_is_right() {
    if !has_prometheus() {
        return;
    }
    let stamp = "time() - (kubevirt_vm_error_status_last_transition_timestamp_seconds != 0) >= 300";
    let [loose, strict] = outcomes(stamp, A_SECOND, "pvc-not-found/stuck");
    let early = breaks("R2", "fired 4m59.85s after the error began");
    assert_eq!(loose, (Some(Duration::from_secs(300)), early));
    assert_eq!(strict, (Some(Duration::from_secs(301)), None));
}
