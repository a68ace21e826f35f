//! Rules of Prometheus, put to scenarios of the catalog by a real server. Without one each of these tests says that it was skipped.

mod comparisons;
mod engines;
mod page;
mod random;
mod reports;
mod scraping;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use stuckvm_scenarios::catalog::{Tree, load_all, select};
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::prometheus::exporter::Schedule;
use stuckvm_scenarios::prometheus::report::text;
use stuckvm_scenarios::prometheus::rules::RuleFile;
use stuckvm_scenarios::prometheus::server::{Engine, ServerError};
use stuckvm_scenarios::prometheus::{CheckError, Checked, Options, check_rules};
use stuckvm_scenarios::verdict::Verdict;

const HALF_A_MINUTE: Schedule = Schedule { scrape: 30_000, evaluate: 30_000, phase: 0 };
const A_SECOND: Schedule = Schedule { scrape: 1_000, evaluate: 1_000, phase: 0 };

/// False, with a word about it, where there is no Prometheus.
fn has_prometheus() -> bool {
    let missing = matches!(Engine::default().check(), Err(ServerError::Missing { .. }));
    if missing {
        eprintln!("skipped: needs Prometheus (Debian: apt-get install prometheus)");
    }
    !missing
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").join(name)
}

fn scenarios(names: &[&str]) -> Vec<Loaded> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    select(load_all(&Tree::Embedded).expect("the catalog"), &names).expect("they are in the catalog")
}

fn check<'a>(
    file: &RuleFile,
    scenarios: &'a [Loaded],
    schedule: Schedule,
) -> Result<Checked<'a>, CheckError> {
    check_rules(file, scenarios, &Options { schedule, ..Options::default() }, |_| ())
}

fn rule(text: &str) -> RuleFile {
    let text = format!("groups: [{{name: g, rules: [{text}]}}]");
    RuleFile::read("r.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

const ERROR: &str = r#"max by (name, namespace) (kubevirt_vm_info{status_group="error"} == 1)"#;

#[test]
fn one_clock_for_all_error_statuses_keeps_the_sampled_profile_in_the_whole_catalog() {
    if !has_prometheus() {
        return;
    }
    let corrected = RuleFile::load(&path("any-error-for-5m.yaml")).expect("a rule file");
    let recorded = format!(
        "{{record: 'vm:error:max', expr: '{ERROR}'}}, {{alert: A, expr: 'vm:error:max == 1', for: 5m}}"
    );
    let kept = format!("{{alert: A, expr: '{ERROR}', for: 5m, keep_firing_for: 2m}}");
    let all = scenarios(&[]);
    for (file, schedule) in [
        (&corrected, HALF_A_MINUTE),
        (&corrected, Schedule { phase: 14_999, ..HALF_A_MINUTE }),
        (&corrected, A_SECOND),
        (&rule(&recorded), HALF_A_MINUTE),
        (&rule(&kept), HALF_A_MINUTE),
    ] {
        let checked = check(file, &all, schedule).unwrap_or_else(|error| panic!("{error}"));
        assert!(checked.all_passed(), "{}", text(&checked, schedule, |_, _| None));
        let passed = checked.alerts[0].cases.iter().filter(|case| case.outcome.verdict == Verdict::Pass);
        assert!(passed.count() > all.len() / 2, "most of the catalog can be tested");
    }
}

/// A rule, when it is scraped and evaluated, a scenario, the rule of the contract that it breaks there, and why.
type Wrong<'a> = (&'a str, Schedule, &'a str, &'a str, &'a str);

const WRONG: [Wrong<'_>; 8] = [
    // The claim is missing from 0.15 s on. Scraped at 30 s, pending at 30 s, firing at 30 s + 360 s.
    (
        "{alert: A, expr: 'ERROR', for: 6m}",
        HALF_A_MINUTE,
        "pvc-not-found/stuck",
        "R1",
        "fired only 6m29.85s after the error began",
    ),
    ("{alert: A, expr: 'ERROR'}", HALF_A_MINUTE, "pvc-not-found/stuck", "R2", "fired 29.85s after the error"),
    (
        r#"{alert: A, for: 5m, expr: 'kubevirt_vm_info{status_group="error",status!="errorpvcnotfound"}'}"#,
        HALF_A_MINUTE,
        "pvc-not-found/stuck",
        "R1",
        "did not fire for an error that lasted 9m59.85s",
    ),
    (
        r#"{alert: A, for: 5m, expr: 'kubevirt_vm_info{status=~"PvcNotFound|Unschedulable|Unknown"}'}"#,
        HALF_A_MINUTE,
        "pvc-not-found/stuck",
        "R1",
        "did not fire for an error that lasted 9m59.85s",
    ),
    // The two statuses of a pull alternate, and each change that a scrape catches begins another clock.
    (
        r#"{alert: A, for: 5m, expr: 'kubevirt_vm_info{status_group="error"} == 1'}"#,
        HALF_A_MINUTE,
        "timelines/disk-image-missing",
        "R1",
        "",
    ),
    // Ready is false since 0 s, when the machine was created; the error begins at 19.50038 s. With > in place of >= the
    // first evaluation beyond 300 s is that at 301 s.
    (
        "{alert: A, expr: 'time() - (kubevirt_vm_error_status_last_transition_timestamp_seconds != 0) > 300'}",
        A_SECOND,
        "data-volume-error/stuck",
        "R2",
        "fired 4m41.49962s after the error began",
    ),
    // Created at 0 s: the exporter has whole seconds only.
    (
        "{alert: A, expr: 'time() - (kubevirt_vm_error_status_last_transition_timestamp_seconds != 0) >= 300'}",
        HALF_A_MINUTE,
        "pvc-not-found/stuck",
        "R2",
        "fired 4m59.85s after the error began",
    ),
    (
        "{alert: A, for: 5m, expr: 'count(ERROR) > 0'}",
        HALF_A_MINUTE,
        "pvc-not-found/stuck",
        "R2",
        "fired for a machine in no error status",
    ),
];

#[test]
fn wrong_rules_are_failed_by_name() {
    if !has_prometheus() {
        return;
    }
    for (text, schedule, scenario, name, because) in WRONG {
        let file = rule(&text.replace("ERROR", ERROR));
        let played = scenarios(&[scenario]);
        let checked = check(&file, &played, schedule).unwrap_or_else(|error| panic!("{error}"));
        let breaches = &checked.alerts[0].cases[0].breaches;
        let (_, first) = breaches.first().unwrap_or_else(|| panic!("{text} passes"));
        assert_eq!((first.rule.as_str(), first.because.contains(because)), (name, true), "{text}: {first:?}");
    }
}

#[test]
fn what_prometheus_cannot_read_is_told_with_its_place() {
    if !has_prometheus() {
        return;
    }
    let played = scenarios(&["unknown/stuck"]);
    let error = check(&rule("{alert: A, expr: 'sum by (name up'}"), &played, A_SECOND);
    let error = error.expect_err("it is no PromQL").to_string();
    assert!(error.starts_with("r.yaml, line 1, column 45:"), "{error}");
    assert!(error.contains("groups[0].rules[0].expr") && error.contains("parse error"), "{error}");
}

fn stuckvm(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stuckvm")).args(arguments).output().expect("it starts")
}

#[test]
fn without_prometheus_a_sentence_says_how_to_get_it() {
    let rules = path("historical.yaml");
    let rules = rules.to_str().expect("a path in UTF-8");
    let output = stuckvm(&["check", "unknown", "--rules", rules, "--prometheus", "/nowhere/prometheus"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
    assert!(said.starts_with("no Prometheus: `/nowhere/prometheus` cannot be started"), "{said}");
}

#[test]
fn a_file_in_which_nothing_can_alert_is_refused() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    for (name, text) in [
        ("no-groups.yaml", "groups: []\n"),
        ("records-alone.yaml", "groups:\n- name: g\n  rules: [{record: a:b, expr: up}]\n"),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("the file is written");
        let output = stuckvm(&["check", "--rules", file.to_str().expect("a text")]);
        let told = String::from_utf8(output.stderr).expect("messages are text");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{told}");
        assert!(told.contains(name) && told.contains("a rule with `alert`"), "{told}");
    }
}

#[test]
fn times_that_prometheus_does_not_know_are_refused() {
    let rules = path("historical.yaml");
    let rules = rules.to_str().expect("a path in UTF-8");
    let table = [
        (&["--phase", "30s"][..], "--phase: expected less than --scrape"),
        (&["--scrape", "0s"], "an interval is longer than 0s"),
        (&["--evaluate", "1us"], "expected whole milliseconds"),
    ];
    for (arguments, said) in table {
        let output = stuckvm(&[&["check", "--rules", rules], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{arguments:?}: {output:?}");
    }
    assert_eq!(stuckvm(&["check", "--scrape", "1s"]).status.code(), Some(2), "--scrape is about rules");
}

#[test]
fn the_command_prints_a_table_and_exits_with_1_where_a_rule_fails() {
    if !has_prometheus() {
        return;
    }
    let rules = path("historical.yaml");
    let output =
        stuckvm(&["check", "pvc-not-found/stuck", "--rules", rules.to_str().expect("a path in UTF-8")]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    // 4 min 59.85 s: see above.
    let row = "PvcNotFound 1 4m59.85s 150ms 0s 0 0";
    let is_row = |line: &str| line.split_whitespace().eq(row.split(' '));
    assert!(text.contains("R2 default/vm1: fired 4m59.85s after the error began"), "{text}");
    assert!(text.lines().any(is_row), "{text}");
}

/// The place of an alert in a rule file, a scenario, the rule of the contract that it breaks there, and why.
type Finding<'a> = (usize, &'a str, &'a str, &'a str);

fn assert_findings(file: &str, findings: &[Finding<'_>]) {
    if !has_prometheus() {
        return;
    }
    let file = RuleFile::load(&path(file)).expect("a rule file");
    let names: Vec<&str> = findings.iter().map(|(_, scenario, ..)| *scenario).collect();
    let played = scenarios(&names);
    let checked = check(&file, &played, HALF_A_MINUTE).unwrap_or_else(|error| panic!("{error}"));
    for (alert, scenario, rule, because) in findings {
        let case = checked.alerts[*alert].cases.iter().find(|case| case.outcome.scenario == *scenario);
        let breaches = &case.expect("it was selected").breaches;
        let (_, first) = breaches.first().unwrap_or_else(|| panic!("{scenario} passes"));
        assert_eq!((first.rule.as_str(), first.because.as_str()), (*rule, *because), "{scenario}");
    }
}

#[test]
fn the_historical_alert_does_what_the_findings_say() {
    const NO_ERROR: &str = "fired for a machine in no error status";
    assert_findings(
        "historical.yaml",
        &[
            // Of the evaluations every 30 s, 300 s is the first at which Ready, false since the creation at 0 s, is 300 s old.
            (0, "pvc-not-found/stuck", "R2", "fired 4m59.85s after the error began"),
            // Likewise; in error since 255.5051 s, 167.50334 s and 19.50038 s.
            (0, "data-volume-error/broken-again", "R2", "fired 44.4949s after the error began"),
            (0, "timelines/source-answers-404", "R2", "fired 2m12.49666s after the error began"),
            (0, "data-volume-error/stuck", "R2", "fired 4m40.49962s after the error began"),
            // Ready changes at 15 s or before; the pull fails at 76.7 s.
            (0, "err-image-pull/stuck", "R2", "fired 3m43.3s after the error began"),
            (0, "err-image-pull/recovered-1ns-early", "R2", "fired 3m43.3s after the error began"),
            // In error from 6 min 0.05 s on, first scraped at 6 min 30 s.
            (0, "unknown/broken-again", "R2", "fired 29.95s after the error began"),
            // From 1.05 s on until 20 min.
            (0, "causes/datavolume-failed", "R1", "did not fire for an error that lasted 19m58.95s"),
            (0, "releases/kubevirt-main-waits-for-a-receiver", "R2", NO_ERROR),
            (0, "control-plane/virt-controller-down", "R2", NO_ERROR),
        ],
    );
}

#[test]
fn the_successors_do_what_the_findings_say() {
    // Each is in error from the instant that its file derives until 10 min.
    let stuck = [
        ("unschedulable/stuck", "9m59.75s"),
        ("err-image-pull/stuck", "8m43.3s"),
        ("image-pull-back-off/stuck", "9m45.3s"),
        ("pvc-not-found/stuck", "9m59.85s"),
        ("unknown/stuck", "8m59.95s"),
        ("data-volume-error/stuck", "9m40.49962s"),
    ];
    let silent =
        stuck.map(|(scenario, long)| (scenario, format!("did not fire for an error that lasted {long}")));
    let both = silent
        .iter()
        .flat_map(|(scenario, because)| [0, 1].map(|alert| (alert, *scenario, "R1", because.as_str())));
    assert_findings("successors.yaml", &both.collect::<Vec<_>>());
}
