//! What people get whose scenario has objects that the API server or a webhook would not store, or faults of what is not there.

use std::path::PathBuf;
use stuckvm_scenarios::catalog::Tree;
use stuckvm_scenarios::load::load;

#[test]
fn a_process_that_the_control_plane_has_not_is_answered_with_those_that_it_has() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("control-plane");
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    let text =
        "scenario: x\nuntil: 5m\nsteps: [{at: 0s, break: {controller: kubelet}}]\nexpect: {alerts: []}\n";
    std::fs::write(folder.join("x.yaml"), text).expect("the file is written");
    let error = load(&Tree::Folder(folder.clone()), "x.yaml").expect_err("an agent");
    let shown = error.to_string().replace(&format!("{}/", folder.display()), "");
    let message = "\
x.yaml, line 3, column 38:
  field     steps[0].break.controller
  expected  one of kube-controller-manager, kube-scheduler, virt-controller,
            cdi-deployment, external-provisioner, external-snapshotter, or a
            controller in one of them
  found     kubelet
  try       an agent is down with its machine: break the node";
    assert_eq!(shown, message);
}

/// What the API server or a webhook would not store: why the row is there, the scenario's file, and the message in full.
const REFUSED: [(&str, &str, &str); 4] = [
    (
        "negative requests in the cluster",
        "scenario: x\nuntil: 5m\ncluster:\n  manifests:\n    - kind: Pod\n      metadata: {name: p}\n      spec: {containers: [{name: c, image: i, resources: {requests: {cpu: -1}}}]}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 7, column 75:
  field     cluster.manifests[0].spec.containers[0].resources.requests[cpu]
  refused   Pod \"p\" is invalid: spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0
  try       the API server would not store this object; mend the field, or
            leave the object out",
    ),
    (
        "both running and runStrategy in a step",
        "scenario: x\nuntil: 5m\nsteps:\n  - at: 0s\n    apply:\n      - kind: VirtualMachine\n        metadata: {name: v}\n        spec: {running: true, runStrategy: Always, template: {spec: {domain: {}}}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 8, column 25:
  field     steps[0].apply[0].spec.running
  refused   VirtualMachine \"v\" is invalid: spec.running: Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy instead
  try       the API server would not store this object; mend the field, or
            leave the object out",
    ),
    (
        "a generated fleet",
        "scenario: x\nuntil: 5m\ncluster:\n  generate:\n    - count: 2\n      template:\n        kind: Node\n        metadata: {name: 'node-{i}', labels: {a: '-'}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 8, column 50:
  field     cluster.generate[0].template.metadata.labels[a]
  refused   Node \"node-0\" is invalid: metadata.labels: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
  try       the API server would not store this object; mend the field, or
            leave the object out",
    ),
    (
        "two objects of a list, of which all objections are told",
        "scenario: x\nuntil: 5m\ncluster:\n  manifests:\n    - kind: List\n      items:\n        - {kind: Node, metadata: {name: a}, status: {capacity: {cpu: -4}}}\n        - {kind: StorageClass, metadata: {name: s}}\nexpect: {alerts: []}\n",
        "\
x.yaml, line 7, column 70:
  field     cluster.manifests[0].items[0].status.capacity[cpu]
  refused   Node \"a\" is invalid: status.capacity.cpu: Invalid value: \"-4\": must be greater than or equal to 0
  try       the API server would not store this object; mend the field, or
            leave the object out
x.yaml, line 8, column 11:
  field     cluster.manifests[0].items[1].provisioner
  refused   StorageClass \"s\" is invalid: provisioner: Required value
  try       the API server would not store this object; mend the field, or
            leave the object out",
    ),
];

#[test]
fn what_the_api_server_would_refuse_is_refused_in_its_words_with_the_place() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("refused");
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    for (why, text, message) in REFUSED {
        std::fs::write(folder.join("x.yaml"), text).expect("the file is written");
        let error = load(&Tree::Folder(folder.clone()), "x.yaml").expect_err(why);
        let shown = error.to_string().replace(&format!("{}/", folder.display()), "");
        assert_eq!(shown, message, "{why}");
    }
}

#[test]
fn a_manifest_file_is_named_itself() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("refused-file");
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    let scenario = "scenario: x\nuntil: 5m\ncluster: {manifests: [m.yaml]}\nexpect: {alerts: []}\n";
    std::fs::write(folder.join("x.yaml"), scenario).expect("the file is written");
    let claim = "kind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {accessModes: [ReadWriteOnce]}\n";
    std::fs::write(folder.join("m.yaml"), format!("---\n{claim}")).expect("the file is written");
    let error = load(&Tree::Folder(folder.clone()), "x.yaml").expect_err("a claim of no size");
    let shown = error.to_string().replace(&format!("{}/", folder.display()), "");
    let message = "\
m.yaml, line 4, column 7:
  field     spec.resources.requests.storage
  refused   PersistentVolumeClaim \"c\" is invalid: spec.resources[storage]: Required value
  try       the API server would not store this object; mend the field, or
            leave the object out";
    assert_eq!(shown, message);
}

#[test]
fn the_command_names_file_line_and_column_and_ends_with_2() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("refused.yaml");
    let (_, text, message) = REFUSED[0];
    std::fs::write(&file, text).expect("the file is written");
    let stuckvm = std::process::Command::new(env!("CARGO_BIN_EXE_stuckvm"));
    let output = { stuckvm }.arg("run").arg("-f").arg(&file).output().expect("the command runs");
    let shown = String::from_utf8(output.stderr).expect("text");
    let lines = message.split_once(':').expect("the file comes first").1;
    assert!(shown.contains("refused.yaml, line 7, column 75:"), "{shown}");
    assert!(shown.contains(lines), "{shown}");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
}
