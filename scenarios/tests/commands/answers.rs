//! What the commands answer.

use crate::program::{Output, stuckvm};

/// A cluster of three nodes, and pods that go to one, to none, and wait for their gate.
const WORLD: &str = "\
{kind: Node, metadata: {name: node-a}, status: {allocatable: {cpu: 4, memory: 8Gi, pods: 10}}}
---
{kind: Node, metadata: {name: node-b}, status: {allocatable: {cpu: 8, memory: 8Gi, pods: 10}}}
---
{kind: Node, metadata: {name: node-c}, spec: {unschedulable: true}, status: {allocatable: {cpu: 8, memory: 8Gi, pods: 10}}}
---
kind: Pod
metadata: {name: gated}
spec: {schedulingGates: [{name: example.com/wait}], containers: [{name: c, image: 'app:1'}]}
---
kind: Pod
metadata: {name: small}
spec: {containers: [{name: c, image: 'app:1', resources: {requests: {cpu: 1, memory: 1Gi}}}]}
---
kind: Pod
metadata: {name: large}
spec: {priority: 7, containers: [{name: c, image: 'app:1', resources: {requests: {cpu: 16, memory: 64Gi}}}]}
---
{kind: Service, metadata: {name: s}}
";

#[test]
fn pods_are_tried_in_the_order_of_the_queue_and_gated_ones_come_last() {
    let output = stuckvm("schedule -f -", WORLD);
    let expected = concat!(
        r#"{"namespace":"default","pod":"large","node":null,"feasible":[],"message":"0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu, 2 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."}"#,
        "\n",
        r#"{"namespace":"default","pod":"small","node":"node-b","feasible":["node-a","node-b"],"message":null}"#,
        "\n",
        r#"{"namespace":"default","pod":"gated","node":null,"feasible":[],"message":"Scheduling is blocked due to non-empty scheduling gates"}"#,
        "\n",
    );
    let skipped = "skipped 1 object of kinds that do not matter here: 1 Service\n";
    assert_eq!(output, Output { out: expected.to_owned(), err: skipped.to_owned(), code: 0 });
}

/// How it looks; the scores themselves are compared with the real code's. NodeResourcesFit by hand: 7 of 8 CPUs and 7 of 8
/// GiB stay free on node-b, so 87; 3 of 4 CPUs on node-a, so (75 + 87) / 2.
#[test]
fn explain_accounts_for_each_node_in_text() {
    let output = stuckvm("schedule --explain -f -", WORLD);
    let expected = "\
skipped 1 object of kinds that do not matter here: 1 Service
default/large: no node
  0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu, 2 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.
  NodeResourcesFit rejects 2 nodes: Insufficient cpu, Insufficient memory
    node-a, node-b
  NodeUnschedulable rejects 1 node: node(s) were unschedulable
    node-c
default/small: on node-b
  NodeUnschedulable rejects 1 node: node(s) were unschedulable
    node-c
  node-b scores 462
    DynamicResources 0, ImageLocality 0, NodeResourcesBalancedAllocation 75,
    NodeResourcesFit 87, TaintToleration 300
  node-a scores 452
    DynamicResources 0, ImageLocality 0, NodeResourcesBalancedAllocation 71,
    NodeResourcesFit 81, TaintToleration 300
default/gated: no node
  Scheduling is blocked due to non-empty scheduling gates
";
    assert_eq!(output.err, expected);
    let own = expected.lines().filter(|line| !line.contains("nodes are available"));
    assert_eq!(own.filter(|line| line.chars().count() > 80).count(), 0);
}

#[test]
fn explain_adds_keys_and_changes_none() {
    let plain = stuckvm("schedule -f -", WORLD).lines();
    let output = stuckvm("schedule --explain --format json -f -", WORLD);
    let mut explained = output.lines();
    assert_eq!(explained[1]["rejected"]["node-c"]["plugin"], "NodeUnschedulable");
    assert_eq!(explained[1]["rejected"]["node-c"]["reasons"][0], "node(s) were unschedulable");
    let parts = explained[1]["parts"]["node-a"].as_object().expect("scores by plugin").values();
    assert_eq!(parts.filter_map(|score| score.as_i64()).sum::<i64>(), explained[1]["scores"]["node-a"]);
    for line in &mut explained {
        let line = line.as_object_mut().expect("an object a line");
        line.retain(|key, _| !["rejected", "scores", "parts", "nominated"].contains(&key.as_str()));
    }
    assert_eq!(explained, plain);
    assert!(!output.err.contains("default/small"), "no text beside JSON: {}", output.err);
}

#[test]
fn a_release_that_draws_lists_the_equals() {
    let world = "\
{kind: List, items: [
  {kind: Node, metadata: {name: a}, status: {allocatable: {cpu: 1, memory: 1Gi, pods: 9}}},
  {kind: Node, metadata: {name: b}, status: {allocatable: {cpu: 1, memory: 1Gi, pods: 9}}},
  {kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: 'i:1'}]}}]}";
    let nodes = ["0", "1", "2", "3", "4", "5", "6", "7"].map(|seed| {
        let line = stuckvm(&format!("schedule --release 1.30 --seed {seed} -f -"), world).lines().remove(0);
        assert_eq!(line["ties"], serde_json::json!(["a", "b"]));
        line["node"].as_str().expect("it fits").to_owned()
    });
    assert!(nodes.contains(&"a".to_owned()) && nodes.contains(&"b".to_owned()), "{nodes:?}");
    let newest = stuckvm("schedule -f -", world).lines().remove(0);
    assert_eq!(newest.get("ties"), None, "1.36 does not draw");
}

/// Asks for two CPUs and 1 GiB.
const MACHINE: &str = "\
kind: VirtualMachine
metadata: {name: vm1}
spec: {runStrategy: Always, template: {spec: {domain: {
  resources: {requests: {cpu: 2, memory: 1Gi}}, devices: {}}}}}
";

#[test]
fn what_is_rendered_can_be_scheduled() {
    for format in ["text", "json"] {
        let rendered = stuckvm(&format!("render --format {format} -f -"), MACHINE);
        assert_eq!((rendered.err.as_str(), rendered.code), ("", 0));
        let nodes = "catalog/manifests/two-nodes.yaml";
        let scheduled = stuckvm(&format!("schedule -f {nodes} -f -"), &rendered.out);
        assert_eq!((scheduled.err.as_str(), scheduled.code), ("", 0));
        let line = scheduled.lines().remove(0);
        assert!(line["pod"].as_str().expect("a name").starts_with("virt-launcher-vm1-"), "{line}");
        assert_eq!(line["feasible"], serde_json::json!(["node-a", "node-b"]));
    }
}

#[test]
fn a_machine_and_its_instance_have_pods_of_different_names() {
    let both = format!(
        "{MACHINE}---\nkind: VirtualMachineInstance\nmetadata: {{name: vm1}}\nspec: {{domain: {{devices: {{}}}}}}\n"
    );
    let pods = stuckvm("render --format json -f -", &both).lines();
    assert_ne!(pods[0]["metadata"]["name"], pods[1]["metadata"]["name"]);
}

#[test]
fn now_is_the_newest_timestamp_of_the_input() {
    let vm = |extra: &str| {
        format!("\
kind: VirtualMachine
metadata: {{name: a, uid: u}}
spec: {{runStrategy: Always, template: {{spec: {{domain: {{devices: {{}}}}}}}}}}
---
kind: VirtualMachineInstance
metadata: {{name: a, uid: v, ownerReferences: [{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, name: a, uid: u, controller: true}}]}}
spec: {{domain: {{devices: {{}}}}}}
status: {{phase: Running, migrationState: {{startTimestamp: '2022-10-03T11:00:00Z', endTimestamp: '2022-10-03T11:05:00Z'}}}}
{extra}")
    };
    let status = |arguments: &str, text: &str| stuckvm(arguments, text).lines()[0]["status"].clone();
    assert_eq!(status("status -f -", &vm("")), "Running", "the end of the migration is the newest");
    assert_eq!(status("status --now 2022-10-03T11:04:59Z -f -", &vm("")), "Migrating");
}

#[test]
fn metrics_are_what_a_scrape_of_virt_controller_gives() {
    let at = |at: &str| stuckvm(&format!("metrics pvc-not-found/stuck --at {at}"), "").out;
    let error = "kubevirt_vm_error_status_last_transition_timestamp_seconds";
    assert!(at("2m").contains(&format!(
        "# TYPE {error} counter\n{error}{{name=\"vm1\",namespace=\"default\"}} 1664795467\n"
    )));
    assert!(at("2m").contains("status=\"errorpvcnotfound\",status_group=\"error\"} 1\n"));
    // The status is written at 150 ms, and virt-controller's own informer hears of it 50 ms later.
    assert!(!at("199.999999999ms").contains("errorpvcnotfound"));
    assert!(at("200ms").contains("errorpvcnotfound"));
    let json = stuckvm("metrics pvc-not-found/stuck --at 2m --format json", "").lines();
    assert_eq!(json.len(), 7, "five timestamps and two infos");
}

#[test]
fn older_releases_export_less() {
    let scenario = |release: &str| {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("metrics-{release}.yaml"));
        let text = format!("\
scenario: metrics
until: 1m
cluster: {{release: {{kubevirt: '{release}'}}}}
steps:
- at: 0s
  apply:
  - {{kind: VirtualMachine, metadata: {{name: vm1}}, spec: {{runStrategy: Always, template: {{spec: {{domain: {{devices: {{}}}}}}}}}}}}
expect: {{alerts: []}}
");
        std::fs::write(&path, text).expect("the scenario is written");
        let output = stuckvm(&format!("metrics --format json -f {}", path.display()), "");
        assert_eq!((output.err.as_str(), output.code), ("", 0));
        output.lines()
    };
    let counts = ["0.59", "1.3", "main-2026-08"].map(|release| scenario(release).len());
    assert_eq!(counts, [5, 6, 7], "five timestamps; kubevirt_vmi_info; kubevirt_vm_info");
    assert_eq!(scenario("1.3")[5]["labels"].get("evictable"), None);
    assert_eq!(scenario("1.3")[5]["labels"]["os"], "<none>");
    assert_eq!(scenario("main-2026-08")[6]["labels"].get("os"), None);
}

#[test]
fn an_older_release_has_other_statuses() {
    let world = "\
kind: VirtualMachine
metadata: {name: a}
spec: {runStrategy: Halted, template: {spec: {domain: {devices: {}}, volumes: [{name: d, dataVolume: {name: d}}]}}}
---
kind: DataVolume
metadata: {name: d}
status: {phase: ImportScheduled}";
    let status = |release: &str| {
        stuckvm(&format!("status --release {release} -f -"), world).lines()[0]["status"].clone()
    };
    let found = ["0.59", "1.3", "main-2026-08"].map(status);
    assert_eq!(found, ["Stopped", "Provisioning", "Provisioning"], "0.59 passes over what is not bound");
}

#[test]
fn lists_of_one_kind_are_read_as_the_api_server_gives_them() {
    let world = "\
{kind: NodeList, apiVersion: v1, metadata: {resourceVersion: '7'}, items: [
  {metadata: {name: a}, status: {allocatable: {cpu: 1, memory: 1Gi, pods: 9}}}]}
---
{kind: PodList, apiVersion: v1, items: [{metadata: {name: p}, spec: {containers: [{name: c, image: 'i:1'}]}}]}
---
{kind: ServiceList, apiVersion: v1, items: [{metadata: {name: s}}]}";
    let output = stuckvm("schedule -f -", world);
    let answer = r#"{"namespace":"default","pod":"p","node":"a","feasible":["a"],"message":null}"#;
    let skipped = "skipped 1 object of kinds that do not matter here: 1 Service\n";
    assert_eq!((output.out.trim_end(), output.err.as_str(), output.code), (answer, skipped, 0));
}

#[test]
fn pods_get_the_names_that_they_leave_open() {
    let world = "\
{kind: Node, metadata: {name: a}, status: {allocatable: {cpu: 1, memory: 1Gi, pods: 9}}}
---
{kind: Pod, metadata: {generateName: job-}, spec: {containers: [{name: c, image: 'i:1'}]}}
---
{kind: Pod, metadata: {generateName: job-}, spec: {containers: [{name: c, image: 'i:1'}]}}";
    let output = stuckvm("schedule -f -", world);
    assert_eq!((output.err.as_str(), output.code), ("", 0));
    let names: Vec<String> =
        output.lines().iter().map(|line| line["pod"].as_str().expect("a name").to_owned()).collect();
    assert!(names.iter().all(|name| name.len() == 9 && name.starts_with("job-")), "{names:?}");
    assert_ne!(names[0], names[1]);
}
