//! Faults of scraping: what they make of rules. In each scenario the claim is missing from 0.15 s on, and scrapes and evaluations
//! come every 30 s, so that a rule with `for: 5m` is pending at 30 s and fires at 5 min 30 s.

use super::{ERROR, HALF_A_MINUTE, check, has_prometheus, rule, scenarios};
use std::time::Duration;
use stuckvm_scenarios::prometheus::CaseReport;

const EACH_SERIES: &str = r#"kubevirt_vm_info{status_group="error"} == 1"#;

fn case(expression: &str, hold: &str, scenario: &str) -> CaseReport {
    let file = rule(&format!("{{alert: A, for: {hold}, expr: '{expression}'}}"));
    let played = scenarios(&[scenario]);
    let checked = check(&file, &played, HALF_A_MINUTE).unwrap_or_else(|error| panic!("{error}"));
    checked.alerts[0].cases[0].clone()
}

/// When it fires, from the start, in seconds.
fn firings(case: &CaseReport) -> Vec<u64> {
    let firing = case.outcome.alerts.iter().filter(|alert| alert.is_firing());
    firing.map(|alert| (alert.at - case.outcome.start).as_secs()).collect()
}

#[test]
fn another_leader_begins_another_clock_where_a_rule_keeps_the_labels_of_the_pod() {
    if !has_prometheus() {
        return;
    }
    let scenario = "scraping/leader-changes";
    let right = case(ERROR, "5m", scenario);
    assert_eq!((right.breaches.as_slice(), firings(&right)), (&[][..], vec![330]));
    // The new pod is first scraped at 3 min 30 s.
    let wrong = case(EACH_SERIES, "5m", scenario);
    assert_eq!(firings(&wrong), [510]);
    let (_, first) = &wrong.breaches[0];
    assert_eq!(
        (first.rule.as_str(), first.because.as_str()),
        ("R1", "fired only 8m29.85s after the error began")
    );
    // Without the change of the leader the same rule is right.
    assert_eq!(firings(&case(EACH_SERIES, "5m", "pvc-not-found/stuck")), [330]);
}

#[test]
fn a_scrape_that_fails_begins_another_clock_and_one_that_is_missed_does_not() {
    if !has_prometheus() {
        return;
    }
    // The scrape at 3 min 30 s fails; the next is at 4 min.
    assert_eq!(firings(&case(ERROR, "5m", "scraping/scrapes-fail")), [540]);
    assert_eq!(firings(&case(ERROR, "5m", "scraping/scrapes-missed")), [330]);
    // 11 samples within 325 s, which are there at 5 min 30 s; with one missing at 3 min 30 s, the next 11 in a row are at 9 min.
    let counts = format!("count_over_time({}[325s]) >= 11", r#"kubevirt_vm_info{status_group="error"}"#);
    assert_eq!(firings(&case(&counts, "0s", "pvc-not-found/stuck")), [330]);
    assert_eq!(firings(&case(&counts, "0s", "scraping/scrapes-missed")), [540]);
}

/// A rule that is a minute late, as it is without the fault, may be so for want of samples.
#[test]
fn no_rule_is_blamed_for_what_scrapes_did_not_tell_it() {
    if !has_prometheus() {
        return;
    }
    for (scenario, breaches, luck) in
        [("pvc-not-found/stuck", 1, 0), ("scraping/scrapes-fail", 0, 1), ("scraping/scrapes-missed", 0, 1)]
    {
        let case = case(ERROR, "6m", scenario);
        assert_eq!((case.breaches.len(), case.luck), (breaches, luck), "{scenario}");
    }
    // But for an alert about no machine they are: nothing is stuck where nothing is known. (At 0 s there is no machine yet.)
    let absent = format!("({ERROR}) or on () absent(kubevirt_vm_info)");
    let is_blamed = |scenario| {
        let case = case(&absent, "0s", scenario);
        let minute = case.outcome.start + Duration::from_secs(60);
        case.breaches.iter().any(|(vm, breach)| vm.name == "?" && breach.at > minute)
    };
    assert_eq!([is_blamed("scraping/scrapes-missed"), is_blamed("scraping/scrapes-fail")], [false, true]);
}
