//! What other doors report of a detector, this one reports of a rule: each report can be red and green, and an explanation
//! tells what led to an alert.

use super::{has_prometheus, path};
use insta::assert_snapshot;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Fires 150 ms early where a claim is missing, and at once for a machine that ran for long.
const EARLY: [&str; 2] = ["pvc-not-found/stuck", "unknown/broken-again"];

/// From where the rule files lie, so that paths are the same everywhere.
fn check(rules: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stuckvm"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["check", "--rules", rules]).args(arguments);
    command.output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it is text")
}

struct Reports {
    code: Option<i32>,
    printed: String,
    junit: String,
    markdown: String,
}

/// What every report says at once.
fn reports(rules: &str, names: &[&str]) -> Reports {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(rules.replace('/', "-"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let [junit, markdown] = ["a.xml", "a.md"].map(|name| folder.join(name));
    let shown = |path: &PathBuf| path.display().to_string();
    let flags =
        ["--github", "--junit", &shown(&junit), "--markdown", &shown(&markdown)].map(ToOwned::to_owned);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let output = check(rules, &[names, &flags].concat());
    let read = |path| std::fs::read_to_string(path).expect("it was written");
    Reports {
        code: output.status.code(),
        printed: text(&output.stdout),
        junit: read(junit),
        markdown: read(markdown),
    }
}

/// The line in which a rule file says this, from 1.
fn line_of(rules: &str, what: &str) -> usize {
    let name = Path::new(rules).file_name().and_then(|name| name.to_str()).expect("a name");
    let text = std::fs::read_to_string(path(name)).expect("it reads");
    text.lines().position(|line| line.contains(what)).expect("it is there") + 1
}

#[test]
fn a_rule_that_is_wrong_is_red_in_every_report_at_its_line() {
    if !has_prometheus() {
        return;
    }
    let rules = "rules/historical.yaml";
    let Reports { code, printed, junit, markdown } = reports(rules, &EARLY);
    assert_eq!(code, Some(1), "{printed}");
    let line = line_of(rules, "alert: KubeVirtVMStuckInErrorState");
    let begin = format!("::error file={rules},line={line},title=KubeVirtVMStuckInErrorState/");
    assert_eq!(printed.lines().filter(|line| line.starts_with(&begin)).count(), 2, "{printed}");
    assert!(printed.contains("fired 4m59.85s after the error began"), "{printed}");
    assert!(junit.contains(r#"tests="2" failures="2" errors="0""#), "{junit}");
    assert!(junit.contains(r#"classname="stuckvm.KubeVirtVMStuckInErrorState.unknown""#), "{junit}");
    assert!(junit.contains(r#"type="R2" message="R2: nothing fires before the threshold""#), "{junit}");
    assert!(junit.contains(&format!("{rules}:{line}</failure>")), "{junit}");
    assert!(markdown.starts_with("# stuckvm: failed\n"), "{markdown}");
    assert!(markdown.contains("| `KubeVirtVMStuckInErrorState` | 2 | 0 | 2 | 0 | 0 |"), "{markdown}");
    assert_eq!(markdown.matches("\n### ").count(), 2, "{markdown}");
}

#[test]
fn a_rule_that_is_right_is_green_in_every_report() {
    if !has_prometheus() {
        return;
    }
    let Reports { code, printed, junit, markdown } = reports("rules/any-error-for-5m.yaml", &EARLY);
    assert_eq!(code, Some(0), "{printed}");
    assert!(!printed.contains("::error"), "{printed}");
    assert!(junit.contains(r#"tests="2" failures="0" errors="0""#) && !junit.contains("<failure"), "{junit}");
    assert!(markdown.starts_with("# stuckvm: passed\n") && !markdown.contains("##"), "{markdown}");
}

/// Each alert is judged by itself, and JUnit's readers tell test cases apart by their names.
#[test]
fn two_alerts_of_a_file_are_told_apart() {
    if !has_prometheus() {
        return;
    }
    let Reports { junit, markdown, .. } = reports("rules/successors.yaml", &["unknown/stuck"]);
    let document = roxmltree::Document::parse(&junit).expect("it is well-formed");
    let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let names: BTreeSet<_> = cases.iter().filter_map(|case| case.attribute("name")).collect();
    let expected =
        ["VirtualMachineStuckInUnhealthyState/unknown/stuck", "VirtualMachineStuckOnNode/unknown/stuck"];
    assert_eq!((cases.len(), names), (2, expected.into()));
    for alert in ["VirtualMachineStuckInUnhealthyState", "VirtualMachineStuckOnNode"] {
        assert!(markdown.contains(&format!("| `{alert}` | 1 | 0 | 1 |")), "{markdown}");
        assert!(junit.contains(&format!(r#"<property name="detector" value="{alert}"/>"#)), "{junit}");
    }
}

/// The explanation, before the totals.
fn explained(rules: &str, name: &str) -> String {
    let told = text(&check(rules, &[name, "--explain"]).stdout);
    let end = told.find("\n\n\n").expect("totals follow");
    told[..end].to_owned()
}

#[test]
fn an_explanation_has_windows_states_and_causes_on_one_axis() {
    if !has_prometheus() {
        return;
    }
    assert_snapshot!("an_early_rule", explained("rules/historical.yaml", EARLY[1]));
    assert_snapshot!(
        "a_right_rule",
        explained("rules/any-error-for-5m.yaml", "pvc-not-found/recovered-1ns-late")
    );
    assert_snapshot!("a_silent_rule", explained("rules/successors.yaml", "unknown/stuck"));
    assert_snapshot!(
        "a_rule_while_scrapes_fail",
        explained("rules/any-error-for-5m.yaml", "scraping/scrapes-fail")
    );
}

#[test]
fn of_many_scenarios_only_bad_verdicts_are_explained() {
    if !has_prometheus() {
        return;
    }
    let told = text(&check("rules/historical.yaml", &["pvc-not-found", "--explain"]).stdout);
    let verdicts = |word: &str| told.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!(verdicts("pass "), 0, "{told}");
    assert_eq!(told.matches("what led there").count(), verdicts("fail "), "{told}");
    let is_event = |line: &str| line.contains("  Normal ") || line.contains("  Warning ");
    assert!(told.lines().all(|line| line.chars().count() <= 80 || is_event(line)), "{told}");
}
