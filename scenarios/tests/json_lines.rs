//! docs/json.md says what `--format json` gives: every key that the code can write, every word, and examples that come so.

use indexmap::IndexMap;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::contract::{Side, coverage};
use stuckvm_scenarios::format::VmName;
use stuckvm_scenarios::judge::{Breach, Rule};
use stuckvm_scenarios::prometheus::judge::{Breach as SampledBreach, Sampling};
use stuckvm_scenarios::prometheus::report::json_lines;
use stuckvm_scenarios::prometheus::table::{Row, Slip, Table, Worst};
use stuckvm_scenarios::prometheus::{AlertReport, CaseReport, Checked};
use stuckvm_scenarios::report::{Place, Standing, Summary, json_coverage, json_line, json_summary};
use stuckvm_scenarios::stream::Vm;
use stuckvm_scenarios::verdict::{ErrorKind, Outcome, Part, RunError, Unmet, Verdict};

/// Keys with their values, in the order in which they are written.
type Object = IndexMap<String, Value>;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    std::fs::read_to_string(workspace().join("docs/json.md")).expect("it reads")
}

/// What stands under a heading of the page, up to the next.
fn section(heading: &str) -> Vec<String> {
    let page = page();
    let lines = page.lines().skip_while(|line| line.trim_start_matches(['#', ' ']) != heading).skip(1);
    let lines: Vec<String> = lines.take_while(|line| !line.starts_with('#')).map(str::to_owned).collect();
    assert!(!lines.is_empty(), "docs/json.md has a section `{heading}`");
    lines
}

/// The words of the first column of a section's tables, in their order.
fn documented(heading: &str) -> Vec<String> {
    let section = section(heading);
    let rows = section.iter().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|line| line.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
}

/// The keys of some lines, which come in the order of the section, and the section has no others.
fn assert_documented(heading: &str, lines: &[String]) {
    let documented = documented(heading);
    let mut written = BTreeSet::new();
    for line in lines {
        let line: Object = serde_json::from_str(line).expect("a line is an object");
        let places: Vec<usize> = line.keys().map(|key| place(&documented, key, heading)).collect();
        assert!(places.is_sorted(), "{heading}: {:?} come in the order of the page", line.keys());
        written.extend(places);
    }
    let unwritten: Vec<&String> = (0..documented.len())
        .filter(|place| !written.contains(place))
        .map(|place| &documented[place])
        .collect();
    assert!(unwritten.is_empty(), "{heading}: nothing writes {unwritten:?}");
}

fn place(documented: &[String], key: &str, heading: &str) -> usize {
    let place = documented.iter().position(|word| word == key);
    place.unwrap_or_else(|| panic!("docs/json.md lacks the key `{key}` under `{heading}`"))
}

/// A verdict of each kind, with all that it can have.
fn verdicts() -> Vec<Verdict> {
    let (at, vm) = (Time::ZERO, Vm::new("ns", "vm1", "u1"));
    let breach = Breach {
        rule: Rule::ALL[0],
        also: vec![Rule::ALL[1]],
        at,
        vm: Some(vm.clone()),
        expected: None,
        got: None,
        note: None,
        episode: None,
    };
    let unmet = Unmet {
        part: Part::Alerts,
        entry: Some(0),
        vm: Some(vm),
        at: Some(at),
        expected: "this".to_owned(),
        got: "that".to_owned(),
    };
    vec![
        Verdict::Pass,
        Verdict::Broken(Box::new(breach)),
        Verdict::Unmet(unmet),
        Verdict::Error(RunError { kind: ErrorKind::Died, because: vec!["of this".to_owned()] }),
        Verdict::NotTested("no snapshot capability".to_owned()),
    ]
}

fn outcome(verdict: Verdict) -> Outcome {
    Outcome {
        scenario: "a/b".to_owned(),
        start: Time::ZERO,
        verdict,
        digest: 0,
        events: 0,
        statuses: Vec::new(),
        alerts: Vec::new(),
        lag: Some(Duration::ZERO),
        observations: 1,
    }
}

/// With all that it can have: a new field has to be thought of here.
fn summary() -> Summary {
    Summary {
        detector: "mine".to_owned(),
        threshold: Some(Duration::from_secs(60)),
        resolution: Some(Duration::from_millis(1)),
        scenarios: 1,
        passed: 1,
        failed: 0,
        errors: 0,
        not_tested: 0,
        not_begun: Some(1),
        broken: [].into(),
        tested: [].into(),
        firing: 0,
        lag: Duration::ZERO,
        events: 0,
        digest: 0,
    }
}

#[test]
fn every_key_of_a_scenario_and_of_a_summary_is_documented() {
    let lines: Vec<String> = verdicts().into_iter().map(|verdict| json_line(&outcome(verdict))).collect();
    assert_documented("A scenario", &lines);
    assert_documented("The summary", &[inner(&json_summary(&summary(), Some(7)))]);
    assert_documented(
        "`check --coverage`",
        &json_coverage(&coverage(&[])).lines().map(str::to_owned).collect::<Vec<_>>(),
    );
}

/// The object behind the one key of the last line.
fn inner(line: &str) -> String {
    let inner = line.strip_prefix(r#"{"summary":"#).and_then(|line| line.strip_suffix('}'));
    inner.expect("it has one key").to_owned()
}

#[test]
fn every_key_of_a_rule_of_prometheus_is_documented() {
    let vm = VmName { namespace: "ns".to_owned(), name: "vm1".to_owned() };
    let breach =
        SampledBreach { at: Time::ZERO, rule: Rule::ALL[0], because: "early".to_owned(), episode: None };
    let every = Duration::from_secs(30);
    let (keep, lag, phase) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let sampling = Sampling { scrape: every, evaluate: every, keep, lag, first: Time::ZERO, phase };
    let case = |verdict| CaseReport {
        outcome: outcome(verdict),
        breaches: vec![(vm.clone(), breach.clone())],
        luck: 0,
        changes: Vec::new(),
        sampling,
    };
    let worst = Worst { slip: Slip::Early(Duration::ZERO), scenario: "a/b".to_owned() };
    let row =
        Row { fires_after: Some((Duration::ZERO, Duration::ZERO)), worst: Some(worst), ..Row::default() };
    let report = AlertReport {
        summary: summary(),
        place: Place::new(Path::new("rules.yaml"), 1),
        cases: verdicts()
            .into_iter()
            .filter(|verdict| !matches!(verdict, Verdict::Unmet(_)))
            .map(case)
            .collect(),
        table: Table { rows: [("Unknown".to_owned(), row)].into() },
    };
    let mut lines = json_lines(&Checked { alerts: vec![report], runs: Vec::new() });
    let summary = lines.pop().expect("the last is the summary");
    let (rows, cases): (Vec<String>, Vec<String>) =
        lines.into_iter().partition(|line| line.starts_with(r#"{"table""#));
    assert_documented("A scenario for a rule", &cases);
    assert_documented("A status for a rule", &rows);
    assert_documented("The summary for a rule", &[inner(&summary)]);
}

#[test]
fn every_word_is_documented() {
    let verdicts: Vec<&str> =
        [&verdicts()[0], &verdicts()[1], &verdicts()[3], &verdicts()[4]].map(Verdict::as_str).into();
    let words: Vec<String> = documented("Verdicts");
    let parts: Vec<&str> = Part::ALL.map(Part::as_str).into();
    assert_eq!(words, [verdicts, parts].concat());
    assert_eq!(documented("Kinds of errors"), ErrorKind::ALL.map(ErrorKind::as_str));
    let summary = section("The summary").join("\n");
    let standings = [Standing::Pass, Standing::Fail, Standing::NotTested].map(Standing::as_str);
    standings.iter().for_each(|word| assert!(summary.contains(&format!("`{word}`")), "{word}"));
    let sides = section("`check --coverage`").join("\n");
    Side::ALL.iter().for_each(|side| assert!(sides.contains(&format!("`{}`", side.as_str())), "{side:?}"));
}

/// What the page shows of a command: the command, and the lines below it.
fn examples() -> Vec<(String, Vec<String>)> {
    let page = page();
    let blocks = page.split("```console\n$ ").skip(1).filter_map(|rest| rest.split("\n```").next());
    let of_block = |block: &str| {
        let mut lines = block.lines().map(str::to_owned);
        (lines.next().expect("a command"), lines.collect())
    };
    blocks.map(of_block).collect()
}

/// What of a value must be as the page has it: names, verdicts, keys and their order. Instants, counts and digests may move.
fn shape(key: &str, value: &Value) -> String {
    match value {
        Value::String(word)
            if ["scenario", "verdict", "rule", "kind", "alert", "table", "side"].contains(&key) =>
        {
            format!("{word:?}")
        }
        Value::String(_) => "text".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::Array(values) => {
            format!("[{}]", values.first().map(|value| shape("", value)).unwrap_or_default())
        }
        Value::Object(object) => {
            let keys = object.iter().map(|(key, value)| format!("{key}: {}", shape(key, value)));
            format!("{{{}}}", keys.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) => value.to_string(),
    }
}

fn shapes<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let shape_of =
        |line| shape("", &serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    lines.map(shape_of).collect()
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn the_examples_come_as_the_page_has_them() {
    let programs = Path::new(env!("CARGO_BIN_EXE_stuckvm")).parent().expect("a folder").display();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    let examples = examples();
    assert!(examples.len() > 5, "the page has examples");
    for (command, expected) in examples {
        let lacks = |word: &str, program: &str| command.contains(word) && !is_there(program);
        if lacks("--rules", "prometheus") || lacks("python3", "python3") {
            eprintln!("skipped, for want of a program: {command}");
            continue;
        }
        let output =
            Command::new("sh").args(["-c", &command]).env("PATH", &path).current_dir(workspace()).output();
        let output = output.expect("a shell starts");
        let said = String::from_utf8(output.stdout).expect("it is text");
        assert_eq!(shapes(said.lines()), shapes(expected.iter().map(String::as_str)), "{command}");
    }
}

/// All but one are in an example: `resolution` is in no command's summary.
#[test]
fn every_key_is_in_an_example() {
    let page = page();
    let keys =
        ["A scenario", "The summary", "`check --coverage`", "A scenario for a rule", "A status for a rule"];
    let keys = keys.iter().flat_map(|heading| documented(heading)).filter(|key| key != "resolution");
    for key in keys.chain(documented("The summary for a rule")) {
        let written = format!("\"{key}\":");
        let shown = page.lines().any(|line| line.starts_with('{') && line.contains(&written));
        assert!(shown, "an example has `{key}`");
    }
}
