//! What people get who give the wrong thing: the whole text, and exit code 2.

use crate::program::stuckvm;
use std::path::Path;

/// Why the row is there, the arguments, standard input, and what standard error says.
const TABLE: [(&str, &str, &str, &str); 27] = [
    (
        "nothing at all",
        "schedule -f -",
        "",
        "\
<stdin>, line 1, column 1:
  expected  a YAML or JSON document
  found     nothing
  try       check that this is the right file
",
    ),
    (
        "no file of that name",
        "status -f no-such-file.yaml",
        "",
        "\
no-such-file.yaml:
  No such file or directory (os error 2)
  try       check the path, and that it can be read
",
    ),
    (
        "an unknown release of KubeVirt",
        "status --release 1.4 -f -",
        "",
        "\
error: invalid value '1.4' for '--release <RELEASE>': expected one of 0.59, 1.3, main-2026-08

For more information, try '--help'.
",
    ),
    (
        "an unknown release",
        "schedule --release 1.31 -f -",
        "",
        "\
error: invalid value '1.31' for '--release <RELEASE>': expected one of 1.23, 1.30, 1.34, 1.36

For more information, try '--help'.
",
    ),
    (
        "two objects of one name",
        "status -f -",
        "kind: VirtualMachine\nmetadata: {name: a}\n---\nkind: VirtualMachine\nmetadata: {name: a, namespace: default}\n",
        "\
<stdin>, line 5, column 18:
  field     metadata.name
  expected  objects of different names
  found     VirtualMachine default/a again; it stands in <stdin>, line 1 too
  try       leave one of the two away, or rename it
",
    ),
    (
        "two of one name in nested lists",
        "schedule -f -",
        "kind: List\nitems:\n- kind: List\n  items:\n  - {kind: Node, metadata: {name: a}}\n- {kind: Node, metadata: {name: a}}\n",
        "\
<stdin>, line 6, column 33:
  field     items[1].metadata.name
  expected  objects of different names
  found     Node a again; it stands in <stdin>, line 5 too
  try       leave one of the two away, or rename it
",
    ),
    (
        "an object without a name",
        "render -f -",
        "kind: VirtualMachine\nmetadata: {}\n",
        "\
<stdin>, line 2, column 11:
  field     metadata.name
  expected  Required value: name or generateName is required
  found     none
  try       give the object a name; generateName is enough for a Pod only
",
    ),
    (
        "no kind",
        "vmi -f -",
        "metadata: {name: a}\n",
        "\
<stdin>, line 1, column 1:
  field     kind
  expected  the kind of the object
  found     none
  try       every manifest says `kind`, such as `kind: VirtualMachine`, and
            `apiVersion`
",
    ),
    (
        "an empty kind",
        "status -f -",
        "{kind: '', metadata: {name: a}}\n",
        "\
<stdin>, line 1, column 8:
  field     kind
  expected  the kind of the object
  found     \"\"
  try       every manifest says `kind`, such as `kind: VirtualMachine`, and
            `apiVersion`
",
    ),
    (
        "a tab",
        "schedule -f -",
        "kind: Node\nmetadata:\n\tname: a\n",
        "\
<stdin>, line 3, column 2:
  expected  YAML or JSON
  found     tabs disallowed within this context (block indentation): name: a
  try       indent with spaces: YAML has no tabs there
",
    ),
    (
        "a field of the wrong type in the second line of a stream",
        "schedule -f -",
        "{\"kind\":\"Node\",\"metadata\":{\"name\":\"a\"}}\n{\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\"},\"spec\":{\"containers\":{}}}\n",
        "\
<stdin>, line 2, column 60:
  field     spec.containers
  expected  a list
  found     a mapping
  try       compare with `kubectl explain pod`
",
    ),
    (
        "a quantity deep in a pod",
        "schedule -f -",
        "kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n    image: i\n    resources:\n      requests:\n        memory: 5GiB\n",
        "\
<stdin>, line 9, column 17:
  field     spec.containers[0].resources.requests.memory
  expected  quantities must match the regular expression
            '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
  found     \"5GiB\"
  try       compare with `kubectl explain pod`
",
    ),
    (
        "a quantity that nobody can write out",
        "schedule -f -",
        "kind: Node\nmetadata: {name: a}\nstatus: {allocatable: {cpu: '1e100000'}}\n",
        "\
<stdin>, line 3, column 29:
  field     status.allocatable.cpu
  expected  a quantity of at most 1000 digits
  found     \"1e100000\"
  try       compare with `kubectl explain node`
",
    ),
    (
        "a List without a list",
        "status -f -",
        "kind: List\nitems: {kind: VirtualMachine}\n",
        "\
<stdin>, line 2, column 8:
  field     items
  expected  a list
  found     a mapping
  try       write each object as an item, `- kind: …`; a single one needs no
            List around it
",
    ),
    (
        "a list of pods without a list",
        "schedule -f -",
        "{\"kind\": \"PodList\", \"items\": \"foo\"}",
        "\
<stdin>, line 1, column 30:
  field     items
  expected  a list
  found     \"foo\"
  try       write each object as an item, `- kind: …`; a single one needs no
            List around it
",
    ),
    (
        "a version that Kubernetes does not have",
        "schedule -f -",
        "apiVersion: v2\nkind: Node\nmetadata: {name: a}\n",
        "\
<stdin>, line 1, column 13:
  field     apiVersion
  expected  v1
  found     string \"v2\"
  try       compare with `kubectl explain node`
",
    ),
    (
        "objects in a list that is not one of Kubernetes",
        "render -f -",
        "- {kind: VirtualMachine, metadata: {name: a}}\n",
        "\
<stdin>, line 1, column 1:
  expected  an object: a mapping with `kind`
  found     a list
  try       give each object a document of its own, between lines `---`, or put
            all of them under `items` of a `kind: List`
",
    ),
    (
        "a word for an object",
        "render -f -",
        "hello\n",
        "\
<stdin>, line 1, column 1:
  expected  an object: a mapping with `kind`
  found     \"hello\"
  try       give each object a document of its own, between lines `---`, or put
            all of them under `items` of a `kind: List`
",
    ),
    (
        "a name that YAML takes for a truth value",
        "status -f -",
        "kind: VirtualMachine\nmetadata: {name: n}\n",
        "\
<stdin>, line 2, column 18:
  field     metadata.name
  expected  a string
  found     boolean `false`
  try       write it in quotes: without them YAML takes it for true or false
",
    ),
    (
        "a pod that the API server would refuse",
        "schedule -f -",
        "kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: c, image: i, resources: {requests: {cpu: -1}}}\n",
        "\
<stdin>, line 5, column 53:
  field     spec.containers[0].resources.requests[cpu]
  refused   Pod \"p\" is invalid: spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0
  try       the API server would not store this object; mend the field, or
            leave the object out
",
    ),
    (
        "a priority class that is nowhere",
        "schedule -f -",
        "kind: Pod\nmetadata: {name: p}\nspec: {priorityClassName: high, containers: [{name: c, image: i}]}\n",
        "\
<stdin>, line 3, column 27:
  field     spec.priorityClassName
  expected  the name of a PriorityClass in the input
  found     no PriorityClass with name high was found
  try       add its manifest with another -f; the API server would not store the
            pod without it
",
    ),
    (
        "an instance type that is nowhere",
        "render -f -",
        "kind: VirtualMachine\nmetadata: {name: a}\nspec: {instancetype: {name: large}, template: {spec: {domain: {devices: {}}}}}\n",
        "\
<stdin>, line 3, column 22:
  field     spec.instancetype
  expected  a template, and an instance type and a preference that go with it
  found     default/a: VirtualMachineClusterInstancetype large is not in the
            input; add its manifest with another -f
  try       -f may be repeated; without `kind` the cluster's own is meant
",
    ),
    (
        "no scenario",
        "metrics",
        "",
        "\
no scenario is named
  expected  NAME of the catalog, or -f FILE
  try       `stuckvm metrics pvc-not-found/stuck --at 2m`; `stuckvm list` shows all
",
    ),
    (
        "a group",
        "metrics unknown",
        "",
        "\
`unknown` is a group
  expected  one scenario
  found     5 scenarios
  try       one of them, such as `unknown/broken-again`; `stuckvm list unknown`
            shows all
",
    ),
    (
        "a case of the contract where only scenarios are",
        "check contract/R1 --rules rules/historical.yaml",
        "",
        "\
no scenario is named `contract/R1`
  try       `stuckvm list` shows all; cases of the contract have no cluster and
            are for detectors: `stuckvm check` without --rules
",
    ),
    (
        "an instant behind the end",
        "metrics pvc-not-found/stuck --at 3h",
        "",
        "--at 3h: expected at most 10m, where the scenario ends\n",
    ),
    (
        "a time without its zone",
        "status --now 2022-10-03T11:11:07 -f -",
        "",
        "\
error: invalid value '2022-10-03T11:11:07' for '--now <TIME>': expected a time such as 2022-10-03T11:11:07Z or 2022-10-03T11:11:07.5Z; it departs from that at character 20

For more information, try '--help'.
",
    ),
];

#[test]
fn what_is_wrong_is_said_with_place_and_advice() {
    for (why, arguments, input, message) in TABLE {
        let output = stuckvm(arguments, input);
        assert_eq!(output.err, message, "{why}");
        assert_eq!((output.out.as_str(), output.code), ("", 2), "{why}");
    }
}

#[test]
fn a_list_with_bad_objects_still_gives_the_answers_for_the_others() {
    let list = "kind: List\nitems:\n- {kind: Node, metadata: {name: a}, status: {allocatable: {cpu: 1, memory: 1Gi, pods: 9}}}\n\
        - {kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}\n\
        - {kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}\n\
        - {kind: Pod, metadata: {name: q}, spec: 5}\n";
    let output = stuckvm("schedule --keep-going -f -", list);
    let answer = r#"{"namespace":"default","pod":"p","node":"a","feasible":["a"],"message":null}"#;
    assert_eq!((output.out.trim_end(), output.code), (answer, 2));
    let fields: Vec<&str> = output.err.lines().filter(|line| line.starts_with("  field")).collect();
    assert_eq!(fields, ["  field     items[2].metadata.name", "  field     items[3].spec"]);
}

#[test]
fn files_that_cannot_be_read_do_not_spoil_the_answers_for_the_others() {
    let vm = "kind: VirtualMachine\nmetadata: {name: a}\n";
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keep-going");
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("it is written");
        path.display().to_string()
    };
    let [empty, broken] = [write("empty.yaml", ""), write("broken.yaml", "a: {\n")];
    let output =
        stuckvm(&format!("status --keep-going -f {empty} -f no-such-file.yaml -f {broken} -f -"), vm);
    let answer = r#"{"namespace":"default","name":"a","status":"Stopped","error":false,"reconcile":"Stopped","because":"no vmi"}"#;
    assert_eq!((output.out.trim_end(), output.code), (answer, 2));
    let told: Vec<&str> = output.err.lines().filter(|line| !line.starts_with(' ')).collect();
    let files = [empty.as_str(), "no-such-file.yaml", &broken];
    assert!(told.len() == 3 && told.iter().zip(files).all(|(line, file)| line.starts_with(file)), "{told:?}");
    let output = stuckvm("status -f no-such-file.yaml -f -", vm);
    assert_eq!((output.out.as_str(), output.code), ("", 2));
}

#[test]
fn kinds_of_the_same_name_in_other_groups_are_skipped() {
    let text = "apiVersion: vmoperator.vmware.com/v1alpha1\nkind: VirtualMachine\nmetadata: {name: a}\n---\n\
        apiVersion: kubevirt.io/v1alpha3\nkind: VirtualMachine\nmetadata: {name: b}\n---\n\
        apiVersion: v1\nkind: VirtualMachine\nmetadata: {name: c}\n";
    let output = stuckvm("status -f -", text);
    let names: Vec<_> = output.lines().iter().map(|line| line["name"].clone()).collect();
    assert_eq!((names, output.code), (vec!["b".into()], 0));
    let skipped = "skipped 2 objects of kinds that do not matter here: 1 VirtualMachine of v1, 1 VirtualMachine of vmoperator.vmware.com/v1alpha1\n";
    assert_eq!(output.err, skipped);
    let rancher = "apiVersion: management.cattle.io/v3\nkind: Node\nmetadata: {name: a}\n";
    let output = stuckvm("schedule -f -", rancher);
    let skipped = "skipped 1 object of kinds that do not matter here: 1 Node of management.cattle.io/v3\n";
    assert_eq!((output.out.as_str(), output.err.as_str(), output.code), ("", skipped, 0));
}

#[test]
fn a_priority_class_may_stand_behind_its_pods_and_is_not_missed_where_the_priority_is_known() {
    let pod = |name: &str, fields: &str| {
        format!(
            "kind: Pod\nmetadata: {{name: {name}}}\nspec: {{{fields}, containers: [{{name: c, image: i}}]}}\n---\n"
        )
    };
    let class = "kind: PriorityClass\nmetadata: {name: high}\nvalue: 10\n";
    let pods = pod("a", "priorityClassName: gone, priority: 5")
        + &pod("b", "priorityClassName: high")
        + &pod("c", "priorityClassName: system-node-critical");
    let output = stuckvm("schedule -f -", &(pods + class));
    let order: Vec<_> = output.lines().iter().map(|line| line["pod"].clone()).collect();
    assert_eq!((output.code, output.err.as_str()), (0, ""));
    assert_eq!(order, ["c", "b", "a"], "by priority");
}

#[test]
fn a_list_of_nothing_is_an_empty_list() {
    for text in ["kind: List", "kind: List\nitems:", "kind: PodList\nitems: null", "kind: PodList\nitems: []"]
    {
        let output = stuckvm("schedule -f -", text);
        assert_eq!((output.out.as_str(), output.err.as_str(), output.code), ("", "", 0), "{text}");
    }
}

#[test]
fn line_ends_of_windows_a_mark_and_nested_lists_are_read() {
    let text = "\u{feff}kind: List\r\nitems:\r\n- kind: List\r\n  items:\r\n  - kind: VirtualMachine\r\n    metadata: {name: a}\r\n";
    let output = stuckvm("status -f -", text);
    let answer = r#"{"namespace":"default","name":"a","status":"Stopped","error":false,"reconcile":"Stopped","because":"no vmi"}"#;
    assert_eq!((output.out.trim_end(), output.err.as_str(), output.code), (answer, "", 0));
}
