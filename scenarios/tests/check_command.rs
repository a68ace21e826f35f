//! `stuckvm check` as people and scripts meet it.

use std::path::Path;
use std::process::Command;

/// Exit code, standard output, standard error.
fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stuckvm"));
    let output = command.arg("check").args(arguments).output().expect("stuckvm starts");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_built_in_detector_passes_every_case() {
    let (code, text, errors) = check(&["--format", "json"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let names: Vec<&str> = text.lines().filter_map(|line| line.split('"').nth(3)).collect();
    let (names, summary) = names.split_at(names.len() - 1);
    assert!(names.is_sorted(), "in the order of the names");
    assert!(names.contains(&"pvc-not-found/stuck"), "the catalog");
    assert!(names.contains(&"contract/R3/ends-at-the-deadline/Unknown"), "and the contract's own");
    assert_eq!(summary, ["detector"]);
    let rules: Vec<String> = (1..=13).map(|rule| format!(r#""R{rule}":"pass""#)).collect();
    assert!(text.contains(&format!(r#""rules":{{{}}}"#, rules.join(","))), "every rule is put to the test");
}

#[test]
fn the_number_of_jobs_changes_no_byte() {
    for format in ["text", "json"] {
        let with = |jobs: &str| check(&["contract/R3", "pvc-not-found", "--jobs", jobs, "--format", format]);
        let one = with("1");
        assert_eq!((one.0, one.2.as_str()), (Some(0), ""));
        assert_eq!(with("3"), one);
    }
}

#[test]
fn text_keeps_within_80_columns() {
    for arguments in [&["contract"][..], &["--coverage"], &["--help"]] {
        let (code, text, _) = check(arguments);
        assert_eq!(code, Some(0), "{arguments:?}");
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{arguments:?}: beyond 80 columns: {wide:#?}");
    }
}

#[test]
fn a_name_that_matches_nothing_and_a_threshold_of_zero_are_refused() {
    let (code, text, errors) = check(&["contract/R3/ends-at-the-dedline"]);
    assert_eq!((code, text.as_str()), (Some(2), ""));
    assert!(errors.contains("`contract/R3/ends-at-the-deadline"), "{errors}");
    let (code, _, errors) = check(&["--threshold", "0s"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("a threshold is longer than 0s"), "{errors}");
}

#[test]
fn with_a_threshold_the_contract_is_judged_and_not_what_files_pin() {
    let (code, text, _) = check(&["pvc-not-found/stuck", "contract/R3", "--threshold", "1m"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("PvcNotFound at 1m0.15s\n"), "{text}");
    let told = "\nthreshold 1m for all: the contract was judged, not what the files pin\n";
    assert!(text.contains(told), "{text}");
    let (_, json, _) = check(&["pvc-not-found/stuck", "--threshold", "1m", "--format", "json"]);
    assert!(json.contains(r#""threshold":"1m","pinned":false"#), "{json}");
}

#[test]
fn what_a_file_pins_wrongly_fails_and_files_stand_alone() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("must-fail/wrong-count.yaml").display().to_string();
    let (code, text, _) = check(&["-f", &file]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("\n1 scenario: 0 passed, 1 failed, 0 errors\n"), "{text}");
    let (code, text, _) = check(&["-f", &file, "--seed", "3"]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn the_coverage_says_which_cases_visit_what() {
    let (code, text, _) = check(&["--coverage"]);
    assert_eq!(code, Some(0));
    assert!(text.ends_with("\n273 cells, 0 of them empty\n"), "{text}");
    let (_, json, _) = check(&["contract/R3", "--coverage", "--format", "json"]);
    let cell = r#"{"rule":"R3","status":"Unknown","side":"at","cases":["contract/R3/ends-at-the-deadline"#;
    assert!(json.contains(cell), "{json}");
}

/// The machine is deleted at 4m30s while the detector is down, its status follows a reaction of 50 ms later, and the detector is
/// back at 6m: 6m - 4m30.05s.
#[test]
fn what_the_detector_heard_late_is_told() {
    let scenario = "identity/recovered-while-detector-was-down";
    let (_, json, _) = check(&[scenario, "--format", "json"]);
    assert!(json.lines().next().is_some_and(|line| line.ends_with(r#","lag":"1m29.95s"}"#)), "{json}");
    let (_, text, _) = check(&[scenario]);
    assert!(text.contains("\ndelivery lagged behind the cluster by up to 1m29.95s; dwell"), "{text}");
    let (_, json, _) = check(&["pvc-not-found/stuck", "--format", "json"]);
    assert!(json.lines().next().is_some_and(|line| line.ends_with(r#","lag":"0s"}"#)), "{json}");
}
