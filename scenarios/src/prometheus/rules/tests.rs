//! Rule files, right and wrong.

use super::{Alert, RuleFile, RuleKind};
use crate::prometheus::samples::{Labels, NAME};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const WHOLE: &str = "
groups:
  - name: vms
    interval: 15s
    query_offset: 1s
    limit: 10
    labels: {team: virt, severity: none}
    rules:
      - record: ns:vms:count
        expr: count by (namespace) (kubevirt_vm_info)
      - alert: Stuck
        expr: kubevirt_vm_info{status_group='error'} == 1
        for: 5m
        keep_firing_for: 2m
        labels: {severity: warning, tier: 1, vm: '{{ $labels.name }}', os: ''}
        annotations: {summary: '{{ $value }}'}
";

#[test]
fn a_rule_file_is_read() {
    let file = RuleFile::read("r.yaml", WHOLE.as_bytes()).expect("it is right");
    let group = &file.groups[0];
    assert_eq!((group.interval, group.query_offset, group.limit), (Some(15_000), 1_000, 10));
    let [record, alert] = &group.rules[..] else { panic!("two rules") };
    assert!(matches!(&record.kind, RuleKind::Record(name) if name == "ns:vms:count"));
    let RuleKind::Alert(Alert { name, hold, keep }) = &alert.kind else { panic!("an alert") };
    assert_eq!((name.as_str(), *hold, *keep), ("Stuck", 300_000, 120_000));
    let result = labels(&[(NAME, "kubevirt_vm_info"), ("name", "vm1"), ("os", "x"), ("severity", "x")]);
    let with_rule =
        labels(&[("name", "vm1"), ("severity", "warning"), ("team", "virt"), ("tier", "1"), ("vm", "vm1")]);
    assert_eq!(alert.labels_of(&result), with_rule);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let rules = |rules: &str| format!("groups:\n  - name: g\n    rules:\n{rules}");
    let table = [
        ("- 1".to_owned(), "line 1, column 1", "a rule file"),
        ("groups: 5".to_owned(), "groups", "expected"),
        (rules("      - {alert: A, expr: up, fro: 5m}\n"), "line 4, column 35", "fro"),
        (rules("      - {alert: A}\n"), "line 4, column 9", "`expr`"),
        (rules("      - {expr: up}\n"), "line 4, column 9", "neither"),
        (rules("      - {expr: up, alert: A, record: b}\n"), "line 4, column 9", "both"),
        (rules("      - {record: b, expr: up, for: 5m}\n"), "line 4, column 9", "one that waits"),
        (rules("      - {alert: A, expr: up, for: 5min}\n"), "groups[0].rules[0].for", "such as 5m"),
        (rules("      - {alert: A, expr: up @ end()}\n"), "line 4, column 26", "the modifier @"),
        (rules("      - {alert: A, expr: up, labels: {v: '{{ $value }}'}}\n"), "labels.v", "{{ $value }}"),
        (
            rules("      - {alert: A, expr: 'a:b'}\n      - {record: 'a:b', expr: up}\n"),
            "groups[0].rules[0].expr",
            "recorded here or below",
        ),
        ("groups: [{name: g}, {name: g}]".to_owned(), "line 1, column 28", "`g` twice"),
        ("groups: []\n---\ngroups: []".to_owned(), "line 3, column 1", "a second one"),
    ];
    for (text, place, said) in table {
        let error = RuleFile::read("r.yaml", text.as_bytes()).expect_err(&text).to_string();
        assert!(error.starts_with("r.yaml, line "), "{error}");
        let flat = error.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(place) && flat.contains(said), "{text}\n{place}, {said}\n{error}");
        assert!(error.lines().all(|line| line.chars().count() <= 80), "{error}");
    }
}
