//! What people get who write a scenario wrong: where, what was expected, what stands there, what to try.

use std::path::PathBuf;
use stuckvm_scenarios::catalog::{Tree, load_all, select};
use stuckvm_scenarios::load::load;

/// Why the row is there, the file, and the message in full.
const TABLE: [(&str, &str, &str); 9] = [
    (
        "a bad duration",
        "scenario: x\nuntil: 5 minutes\nexpect: {}\n",
        "\
x.yaml, line 2, column 8:
  field     until
  expected  \"5 minutes\" is not a duration: the unit is not known; write a number
            with one of the units h, m, s, ms, us, ns, such as 5m, 299.999s,
            1h30m, 50ms or 0s
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "an unknown key",
        "scenario: x\nuntil: 5m\nfoo: 1\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 6:
  field     foo
  expected  one of `scenario`, `about`, `start`, `seed`, `until`, `threshold`,
            `cluster`, `steps`, `expect`
  found     unknown field `foo`
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "nothing is expected",
        "scenario: x\nuntil: 5m\nexpect: {}\n",
        "\
x.yaml, line 3, column 9:
  field     expect
  expected  one of status, alerts, counts, verdict
  found     nothing
  try       pin what must come: `alerts: []` demands silence",
    ),
    (
        "a manifest that names no kind",
        "scenario: x\nuntil: 5m\nsteps:\n  - at: 0s\n    apply: [{apiVersion: v1, metadata: {name: a}}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 5, column 13:
  field     steps[0].apply[0].kind
  expected  the kind of the object
  found     none
  try       every manifest says `kind`, such as `kind: VirtualMachine`, and
            `apiVersion`",
    ),
    (
        "a bad quantity",
        "scenario: x\nuntil: 5m\ncluster:\n  manifests:\n    - {kind: Node, metadata: {name: a}, status: {allocatable: {memory: 5GiB}}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 5, column 72:
  field     cluster.manifests[0].status.allocatable.memory
  expected  quantities must match the regular expression
            '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
  found     \"5GiB\"
  try       compare with `kubectl explain node`",
    ),
    (
        "a step before the last",
        "scenario: x\nuntil: 5m\nsteps: [{at: 2m}, {at: 1m}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 24:
  field     steps[1].at
  expected  2m or later, as the step before
  found     1m
  try       put the steps in order of time",
    ),
    (
        "a release that YAML takes for a number",
        "scenario: x\nuntil: 5m\ncluster: {release: {kubernetes: 1.30}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 33:
  field     cluster.release.kubernetes
  expected  a string
  found     floating point `1.3`
  try       `stuckvm schema` prints what may stand there",
    ),
    (
        "a duplicate object",
        "scenario: x\nuntil: 5m\ncluster:\n  manifests:\n    - {kind: Node, metadata: {name: a}}\n    - {kind: Node, metadata: {name: a}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 6, column 7:
  field     cluster.manifests[1]
  expected  objects of different names
  found     Node /a twice
  try       an object can be created once; rename it or leave one out",
    ),
    (
        "a file that is not there",
        "scenario: x\nuntil: 5m\nsteps: [{at: 0s, apply: [vm.yaml]}]\nexpect: {alerts: []}\n",
        "\
x.yaml, line 3, column 26:
  field     steps[0].apply[0]
  expected  a file with manifests
  found     no file `vm.yaml`
  try       paths are taken from the scenario's folder, then from the root of
            the catalog",
    ),
];

#[test]
fn a_wrong_scenario_is_answered_with_place_and_advice() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bad-input");
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    for (why, text, message) in TABLE {
        std::fs::write(folder.join("x.yaml"), text).expect("the file is written");
        let error = load(&Tree::Folder(folder.clone()), "x.yaml").expect_err(why);
        let shown = error.to_string().replace(&format!("{}/", folder.display()), "");
        assert_eq!(shown, message, "{why}");
    }
}

#[test]
fn a_name_that_matches_nothing_is_answered_with_the_nearest() {
    let catalog = load_all(&Tree::Embedded).expect("the catalog reads");
    let error = select(catalog, &["pvc-not-fund".to_owned()]).expect_err("no such name");
    let message = "no scenario is named `pvc-not-fund`\n  try       `stuckvm list` shows all; the nearest is";
    assert!(error.to_string().starts_with(message), "{error}");
}
