//! The embedded engine answers as Prometheus does where it answers, and names what it does not know.

use super::{ERROR, HALF_A_MINUTE, has_prometheus, path, rule, scenarios, stuckvm};
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::prometheus::rules::RuleFile;
use stuckvm_scenarios::prometheus::{AlertReport, Evaluator, Options, check_rules};

fn checked(file: &RuleFile, played: &[Loaded], engine: Evaluator) -> Vec<AlertReport> {
    let options = Options { schedule: HALF_A_MINUTE, engine, ..Options::default() };
    check_rules(file, played, &options, |_| ()).unwrap_or_else(|error| panic!("{error}")).alerts
}

/// Puts a file to both engines, and gives the number of changes of each alert, so that nobody takes two silences for an agreement.
fn assert_same(file: &RuleFile, names: &[&str]) -> Vec<usize> {
    let played = scenarios(names);
    let engines = [Evaluator::default(), Evaluator::Embedded];
    let [server, embedded] = engines.map(|engine| checked(file, &played, engine));
    let same = |(server, embedded): (&AlertReport, &AlertReport)| {
        let alert = &server.summary.detector;
        for (server, embedded) in server.cases.iter().zip(&embedded.cases) {
            let scenario = &server.outcome.scenario;
            assert_eq!(server.changes, embedded.changes, "{alert} in {scenario}");
            assert_eq!(server.outcome.verdict, embedded.outcome.verdict, "{alert} in {scenario}");
        }
        server.cases.iter().map(|case| case.changes.len()).sum()
    };
    server.iter().zip(&embedded).map(same).collect()
}

#[test]
fn rule_files_of_instant_vectors_come_to_the_same_in_the_whole_catalog() {
    if !has_prometheus() {
        return;
    }
    for name in ["any-error-for-5m.yaml", "historical.yaml"] {
        let file = RuleFile::load(&path(name)).expect("a rule file");
        assert!(assert_same(&file, &[])[0] > 100, "{name}");
    }
}

/// Scenarios with two machines and more, errors that come and go, another leader, and scrapes that fail.
const VARIED: [&str; 5] =
    ["scraping", "timelines/disk-image-missing", "identity", "control-plane", "crash-loop-back-off"];

#[test]
fn every_operator_of_instant_vectors_means_what_it_means_to_prometheus() {
    if !has_prometheus() {
        return;
    }
    const INFO: &str = "kubevirt_vm_info";
    const SINCE: &str = "kubevirt_vm_error_status_last_transition_timestamp_seconds";
    let expressions = [
        ERROR.to_owned(),
        format!(r#"{INFO}{{status_group=~"error|starting",name!~"vm2|vm3"}}"#),
        format!("sum({INFO}) without (pod, instance, status) >= 1"),
        format!("count by (status) ({INFO}) > 0 or group({SINCE} > 0)"),
        format!("min by (name) ({SINCE} != 0) < bool 5 == 0"),
        format!("{INFO} and on (name, namespace) ({SINCE} > 0)"),
        format!("{INFO} unless ignoring (status, status_group) ({SINCE} > 0)"),
        format!("-{SINCE} % 60 + 1 > -30"),
        format!("time() - ({SINCE} > 0) >= 2 * 60 - 0.5"),
        format!("max by (name) ({SINCE}) - on (name) max by (name) ({INFO}) > 0"),
        format!("max by (name, status) ({INFO}) == ignoring (pod) max by (name, status) ({INFO})"),
        format!("vector(1) unless on () ({INFO} == 1)"),
        "time() > bool 0".to_owned(),
        // Two pods export the same machine for a minute: an evaluation with two partners fails.
        format!("{INFO} * on (name, namespace) {INFO} > 0"),
        format!("{{__name__=~\"{INFO}|{SINCE}\"}} > 0"),
        format!("{{__name__=~\"{INFO}|{SINCE}\",name=\"vm1\"}} * 1 > 0"),
    ];
    let alert = |(place, expression): (usize, &String)| {
        ["0s", "2m"].map(|hold| format!("{{alert: A{place}, for: {hold}, expr: '{expression}'}}")).join(", ")
    };
    let alerts: Vec<String> = expressions.iter().enumerate().map(alert).collect();
    let changes = assert_same(&rule(&alerts.join(", ")), &VARIED);
    for (expression, changes) in expressions.iter().zip(changes.chunks(2)) {
        assert!(changes.iter().sum::<usize>() > 0, "it raises no alert anywhere: {expression}");
    }
}

#[test]
fn recording_rules_and_offsets_of_groups_come_to_the_same() {
    if !has_prometheus() {
        return;
    }
    let text = format!(
        "groups: [{{name: g, query_offset: 45s, interval: 20s, rules: [{{record: 'vm:error', expr: '{ERROR}'}}, \
         {{alert: A, expr: 'vm:error == 1', for: 5m, keep_firing_for: 1m}}]}}]"
    );
    let file = RuleFile::read("r.yaml", text.as_bytes()).expect("right");
    assert!(assert_same(&file, &VARIED)[0] > 0);
}

fn refusal(rules: &str) -> (Option<i32>, String) {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused.yaml");
    std::fs::write(&file, rules).expect("it is written");
    let file = file.to_str().expect("a path in UTF-8");
    let output = stuckvm(&["check", "unknown/stuck", "--rules", file, "--engine", "embedded"]);
    assert!(output.stdout.is_empty(), "nothing is judged");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_the_embedded_engine_does_not_know_is_refused_by_name_before_anything_runs() {
    let brackets = "(".repeat(50_000) + "up" + &")".repeat(50_000);
    let (signs, row) = ("-".repeat(50_000) + "up", "up + ".repeat(50_000) + "up");
    let table = [
        (&*brackets, "more than 64 brackets and signs in each other"),
        (&*signs, "more than 64 brackets and signs in each other"),
        (&*row, "more than 256 operators"),
        ("rate(up[5m]) > 0", "the function `rate`"),
        ("up[5m]", "a range `[…]`"),
        ("avg(up) > 0", "`avg`"),
        ("topk(1, up)", "`topk`"),
        ("up offset 5m", "`offset`"),
        ("up ^ 2", "the operator `^`"),
        ("up * on (job) group_left up", "`group_left`"),
        ("absent(up)", "the function `absent`"),
        ("up{job=~\"a.*\"}", "the regular expression `a.*`"),
        ("up == 5m", "the number `5m`"),
    ];
    for (expression, named) in table {
        let rules = format!("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: '{expression}'\n");
        let (code, said) = refusal(&rules);
        assert_eq!(code, Some(2), "{expression}: {said}");
        assert!(said.contains(&format!("found     {named}, which")), "{expression}: {said}");
        assert!(
            said.contains("refused.yaml, line 5, column ") && said.contains("try       install Prometheus"),
            "{said}"
        );
    }
}

#[test]
fn what_is_no_promql_is_no_promql_to_the_embedded_engine() {
    for wrong in [
        "sum by (name up",
        "up ==",
        "1 > 2",
        "{}",
        "up and 1",
        "up{a=\"b\"",
        "sum(1)",
        "up + bool 1",
        ")",
        "a b",
    ] {
        let (code, said) = refusal(&format!("groups: [{{name: g, rules: [{{alert: A, expr: '{wrong}'}}]}}]"));
        assert_eq!(code, Some(2), "{wrong}: {said}");
    }
}

#[test]
fn where_there_is_no_prometheus_the_embedded_engine_stands_in() {
    let check = |rules: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stuckvm"));
        let rules = path(rules);
        command.args(["check", "pvc-not-found/stuck", "--rules"]).arg(rules).env("PATH", "/nowhere");
        let output = command.output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = check("any-error-for-5m.yaml");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("there is no Prometheus: the embedded engine evaluates"), "{said}");
    let (code, said) = check("successors.yaml");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("the function `label_replace`") && said.contains("try       install Prometheus"),
        "{said}"
    );
}
