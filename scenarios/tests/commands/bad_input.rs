//! What people get who give the wrong thing: the whole text, and exit code 2.

use crate::program::stuckvm;

/// Why the row is there, the arguments, standard input, and what standard error says.
const TABLE: [(&str, &str, &str, &str); 13] = [
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
        "a pod that the API server would refuse",
        "schedule -f -",
        "kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: c, image: i, resources: {requests: {cpu: -1}}}\n",
        "\
<stdin>, line 5, column 53:
  field     spec.containers[0].resources.requests[cpu]
  refused   Pod \"p\" is invalid: spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0
  try       the API server would not store this object; mend the field, or leave the
            object out
",
    ),
    (
        "an instance type that is nowhere",
        "render -f -",
        "kind: VirtualMachine\nmetadata: {name: a}\nspec: {instancetype: {name: large}, template: {spec: {domain: {devices: {}}}}}\n",
        "default/a: VirtualMachineClusterInstancetype large is not in the input; add its manifest with another -f\n",
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
fn line_ends_of_windows_a_mark_and_nested_lists_are_read() {
    let text = "\u{feff}kind: List\r\nitems:\r\n- kind: List\r\n  items:\r\n  - kind: VirtualMachine\r\n    metadata: {name: a}\r\n";
    let output = stuckvm("status -f -", text);
    let answer = r#"{"namespace":"default","name":"a","status":"Stopped","error":false,"reconcile":"Stopped","because":"no vmi"}"#;
    assert_eq!((output.out.trim_end(), output.err.as_str(), output.code), (answer, "", 0));
}
