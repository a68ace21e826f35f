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
    let file = RuleFile::load(&path("successors.yaml")).expect("a rule file");
    let changes = assert_same(&file, &[]);
    assert!(changes.iter().all(|changes| *changes > 20), "{changes:?}");
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
        ("stddev(up) > 0", "`stddev`"),
        ("quantile(0.5, up)", "`quantile`"),
        ("up offset 5m", "`offset`"),
        ("up ^ 2", "the operator `^`"),
        ("absent_over_time(up)", "the function `absent_over_time`"),
        ("label_replace(up, \"a\", \"$1-$2\", \"b\", \"(.+)\")", "the replacement `$1-$2`"),
        ("label_replace(up, \"a\", \"$1\", \"b\", \"(x).*\")", "the regular expression `(x).*`"),
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
        "absent(1)",
        "topk(up)",
        "topk(up, up)",
        "topk(1, 2)",
        "up * group_left up",
        "up and on (job) group_left up",
        "up * on (job) group_left (job) up",
        "label_replace(up, \"a\")",
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
    let rate = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("rate.yaml");
    std::fs::write(&rate, "groups: [{name: g, rules: [{alert: A, expr: 'rate(up[5m]) > 0'}]}]")
        .expect("it is written");
    let (code, said) = check(rate.to_str().expect("a path in UTF-8"));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the function `rate`") && said.contains("try       install Prometheus"), "{said}");
}

/// Two machines are there, each with the value 1, and Prometheus takes that which its storage gives it first.
#[test]
fn a_choice_among_equals_is_refused_while_it_runs() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("tied.yaml");
    let rules = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: 'topk(1, kubevirt_vm_info) > 0'\n";
    std::fs::write(&file, rules).expect("it is written");
    let file = file.to_str().expect("a path in UTF-8");
    let check = |scenario| stuckvm(&["check", scenario, "--rules", file, "--engine", "embedded"]);
    let output = check("identity/same-name-in-two-namespaces");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
    assert!(said.contains("tied.yaml, line 5, column ") && said.contains("a choice of `topk`"), "{said}");
    assert_eq!(check("pvc-not-found/stuck").status.code(), Some(1), "one machine is no choice");
}

#[test]
fn one_who_names_a_server_and_the_embedded_engine_is_asked_which() {
    let rules = path("historical.yaml");
    let rules = rules.to_str().expect("a path in UTF-8");
    let output =
        stuckvm(&["check", "unknown", "--rules", rules, "--engine", "embedded", "--prometheus", "/bin/true"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
    let sentence =
        "--engine embedded starts no server, so --prometheus has no use: leave one of the two away\n";
    assert_eq!(said, sentence);
}
