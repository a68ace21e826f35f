//! Instance types and preferences as KubeVirt's example files use them: what becomes of the launcher pod.

use crate::program::stuckvm;
use serde_json::Value;

/// The example's machine, with a template of this spec.
fn machine(template: &str) -> String {
    format!(
        "\
kind: VirtualMachine
metadata: {{name: vm-windows-clarge-windows}}
spec:
  instancetype: {{kind: VirtualMachineInstancetype, name: clarge}}
  preference: {{kind: VirtualMachinePreference, name: windows}}
  template: {{spec: {template}}}
---
apiVersion: instancetype.kubevirt.io/v1beta1
kind: VirtualMachineInstancetype
metadata: {{name: clarge}}
spec: {{cpu: {{guest: 4}}, memory: {{guest: 2Gi}}, nodeSelector: {{disk: fast}}}}
---
apiVersion: instancetype.kubevirt.io/v1beta1
kind: VirtualMachinePreference
metadata: {{name: windows}}
spec:
  clock: {{preferredClockOffset: {{utc: {{}}}}}}
  cpu: {{preferredCPUTopology: preferSockets, preferredCPUFeatures: [{{name: vmx, policy: require}}]}}
  devices: {{preferredDiskBus: sata, preferredInterfaceModel: e1000, preferredTPM: {{}}}}
  machine: {{preferredMachineType: pc-q35-10.1}}
  preferredTerminationGracePeriodSeconds: 100
"
    )
}

fn pod(template: &str) -> Value {
    let output = stuckvm("render --format json -f -", &machine(template));
    assert_eq!((output.err.as_str(), output.code), ("", 0));
    output.lines().remove(0)
}

const DISK: &str = "{domain: {devices: {disks: [{name: d, disk: {}}]}}, volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}";

#[test]
fn an_instance_type_sets_cpus_memory_and_the_selector() {
    let pod = pod(DISK);
    let compute = &pod["spec"]["containers"][0]["resources"];
    // Four vCPUs, ten to a CPU.
    assert_eq!(compute["requests"]["cpu"], "400m");
    assert_eq!(pod["spec"]["nodeSelector"]["disk"], "fast");
    let plain = "kind: VirtualMachine\nmetadata: {name: vm}\nspec: {template: {spec: {domain: {\
        cpu: {sockets: 4}, memory: {guest: 2Gi}, devices: {tpm: {}}}}}}\n";
    let plain = stuckvm("render --format json -f -", plain).lines().remove(0);
    let memory = &plain["spec"]["containers"][0]["resources"]["requests"]["memory"];
    assert_eq!(
        &compute["requests"]["memory"], memory,
        "the same as spelled out, the TPM of the preference too"
    );
    let annotations = &pod["metadata"]["annotations"];
    assert_eq!(annotations["kubevirt.io/instancetype-name"], "clarge");
    assert_eq!(annotations["kubevirt.io/preference-name"], "windows");
}

#[test]
fn a_preference_fills_in_what_the_machine_does_not_say() {
    let preferred = pod(DISK);
    let devices = |pod: &Value| pod["spec"]["containers"][0]["resources"]["limits"].clone();
    assert_eq!(devices(&preferred).get("devices.kubevirt.io/vhost-net"), None, "e1000 is no virtio");
    assert_eq!(preferred["spec"]["terminationGracePeriodSeconds"], 130);
    let selector = &preferred["spec"]["nodeSelector"];
    assert_eq!(selector["machine-type.node.kubevirt.io/pc-q35-10.1"], "true");
    assert_eq!(selector["cpu-feature.node.kubevirt.io/vmx"], "true");
    let own = "{terminationGracePeriodSeconds: 5, domain: {machine: {type: q35}, devices: {\
        interfaces: [{name: default, model: virtio, masquerade: {}}]}}, networks: [{name: default, pod: {}}]}";
    let own = pod(own);
    assert_eq!(devices(&own)["devices.kubevirt.io/vhost-net"], "1");
    assert_eq!(own["spec"]["terminationGracePeriodSeconds"], 35);
    assert_eq!(own["spec"]["nodeSelector"]["machine-type.node.kubevirt.io/q35"], "true");
}

#[test]
fn a_machine_must_not_say_what_its_instance_type_says() {
    let output =
        stuckvm("render -f -", &machine("{domain: {cpu: {cores: 2}, memory: {guest: 1Gi}, devices: {}}}"));
    let conflict = "default/vm-windows-clarge-windows: VM field(s) spec.template.spec.domain.cpu.cores, \
        spec.template.spec.domain.memory.guest conflicts with selected instance type";
    let words = output.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!((output.out.as_str(), output.code), ("", 2));
    assert!(words.starts_with("<stdin>, line 6, column 13: field spec.template expected"), "{words}");
    assert!(
        words.contains(conflict) && words.ends_with("try leave these fields to the instance type"),
        "{words}"
    );
}

#[test]
fn one_machine_without_its_type_does_not_keep_the_others_from_their_pods() {
    let input = format!(
        "{}---\nkind: VirtualMachine\nmetadata: {{name: b}}\nspec: {{instancetype: {{name: none}}, template: {{spec: {{domain: {{devices: {{}}}}}}}}}}\n",
        machine(DISK)
    );
    let output = stuckvm("render --format json -f -", &input);
    assert_eq!((output.lines().len(), output.code), (1, 2));
    let found = "found     default/b: VirtualMachineClusterInstancetype none is not in";
    assert!(output.err.starts_with("<stdin>, line 25, column 22:\n"), "{}", output.err);
    assert!(output.err.contains(found), "{}", output.err);
}

#[test]
fn a_status_goes_by_what_the_machine_names() {
    let given =
        machine("{domain: {devices: {}}}").replace("  template:", "  runStrategy: Always\n  template:");
    let reconcile = |input: &str| {
        let output = stuckvm("status -f -", input);
        assert_eq!((output.err.as_str(), output.code), ("", 0));
        output.lines()[0]["reconcile"].clone()
    };
    assert_eq!(reconcile(&given), "Starting");
    let (alone, _) = given.split_once("---").expect("more documents follow");
    let odd = "  runStrategy: Always\nstatus: {instancetypeRef: x, preferenceRef: [1]}\n---";
    let odd = given.replacen("---", odd, 1).replacen("  runStrategy: Always\n  template:", "  template:", 1);
    assert_eq!(reconcile(&odd), "Starting", "what is no reference counts as none");
    // KubeVirt main waits for what is not there.
    assert_eq!(reconcile(alone), "Stopped");
}
