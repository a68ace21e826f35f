//! Memory that a launcher needs beyond its guest's, where no vector goes: KubeVirt main of August 2026
//! (`d923fdb815cd`), `GetMemoryOverhead` in `pkg/hypervisor/kvm/hypervisorbackend.go`.
//!
//! All figures are sums by hand over that function. [`PLAIN`] is what every machine pays: 25 virt-launcher-monitor +
//! 100 virt-launcher + 25 virtlogd + 40 virtqemud + 50 qemu + 8 the one vCPU + 8 the I/O thread + 32 graphics = 288 Mi.
//! Nothing asks for memory, so that there are no page tables.

use serde_json::{Value, json};
use stuckvm_sim::kubevirt::memory_overhead;
use stuckvm_sim::objects::VirtualMachineInstanceSpec;
use stuckvm_sim::quantity::Quantity;
use stuckvm_sim::{KubeVirtRelease, Object};

/// In Mi.
const PLAIN: i64 = 288;

/// A spec with this domain and these volumes, as it is before admission.
fn spec(domain: Value, volumes: Value) -> VirtualMachineInstanceSpec {
    let mut manifest = json!({"kind": "VirtualMachineInstance", "metadata": {"name": "vm1"},
        "spec": {"domain": {"devices": {}}, "volumes": volumes}});
    for (field, value) in domain.as_object().expect("fields") {
        manifest["spec"]["domain"][field] = value.clone();
    }
    let object = Object::from_value(&manifest).expect("valid").expect("a kind that is modelled");
    let Object::VirtualMachineInstance(vmi) = object else { unreachable!("the manifest is of an instance") };
    (*vmi.spec).clone()
}

/// The overhead of a spec is so many Mi above [`PLAIN`].
fn costs(spec: &VirtualMachineInstanceSpec, mi: i64) {
    let expected = Quantity::parse(&format!("{}Mi", PLAIN + mi)).expect("a quantity");
    let found = memory_overhead(spec, KubeVirtRelease::Main2026_08);
    assert_eq!(found.value(), expected.value(), "{:?}, {:?}", spec.domain, spec.volumes);
}

fn domain_costs(domain: Value, mi: i64) {
    costs(&spec(domain, json!([])), mi);
}

fn devices_cost(devices: Value, mi: i64) {
    domain_costs(json!({"devices": devices}), mi);
}

#[test]
fn overhead_that_the_instance_reserves_itself_is_added() {
    domain_costs(json!({}), 0);
    let reserves = |reserved: Value| json!({"memory": {"guest": "1Gi", "reservedOverhead": reserved}});
    domain_costs(reserves(json!({"addedOverhead": "100Mi"})), 100);
    // A quantity may stand there as a number, of bytes: 3 * 1048576.
    domain_costs(reserves(json!({"addedOverhead": 3_145_728})), 3);
    // `RequiresMemoryOverheadReservation` asks for the amount, not for the lock.
    domain_costs(reserves(json!({"memLock": "Required"})), 0);
}

#[test]
fn overhead_of_vcpus_goes_by_topology_then_limits_then_requests() {
    let cpus = |cpu: Value, limit: Value, request: Value| {
        let mut domain = json!({"resources": {"limits": {}, "requests": {}}});
        for (at, value) in [("/resources/limits", limit), ("/resources/requests", request)] {
            if !value.is_null() {
                domain.pointer_mut(at).expect("a list")["cpu"] = value;
            }
        }
        if !cpu.is_null() {
            domain["cpu"] = cpu;
        }
        domain
    };
    // 8 Mi for each vCPU; the first is in `PLAIN`.
    domain_costs(cpus(Value::Null, json!("4"), json!("2")), 3 * 8);
    domain_costs(cpus(Value::Null, Value::Null, json!("2")), 8);
    // `Value` rounds 2.5 up to 3.
    domain_costs(cpus(Value::Null, json!("2500m"), Value::Null), 2 * 8);
    domain_costs(cpus(json!({"sockets": 2, "cores": 3}), json!("4"), json!("2")), 5 * 8);
    // The runbook's 5000000Gi CPUs: 5e6 x 2^53 bytes, of which 64 bits keep 13 x 2^59.
    domain_costs(cpus(Value::Null, Value::Null, json!("5000000Gi")), 13 * (1 << 39) - 8);
    // A topology of nothing counts as one vCPU, whatever the limits are.
    domain_costs(cpus(json!({"model": "host-model"}), json!("4"), Value::Null), 0);
}

#[test]
fn overhead_of_a_tpm_unless_it_is_off() {
    devices_cost(json!({"tpm": {}}), 53);
    devices_cost(json!({"tpm": {"enabled": true}}), 53);
    devices_cost(json!({"tpm": {"enabled": false}}), 0);
}

#[test]
fn overhead_of_host_devices_is_a_gibibyte_for_all_of_them() {
    let device =
        json!([{"name": "d", "deviceName": "example.com/d"}, {"name": "e", "deviceName": "example.com/d"}]);
    let sriov = json!([{"name": "net", "sriov": {}}]);
    devices_cost(json!({"hostDevices": device}), 1024);
    devices_cost(json!({"gpus": device}), 1024);
    devices_cost(json!({"interfaces": sriov}), 1024);
    devices_cost(json!({"hostDevices": device, "gpus": device, "interfaces": sriov}), 1024);
    let none = json!({"hostDevices": [], "gpus": [], "interfaces": [{"name": "default", "masquerade": {}}]});
    devices_cost(none, 0);
}

#[test]
fn overhead_of_downward_metrics_is_for_their_disk() {
    let volume = |name: &str| json!({"name": name, "downwardMetrics": {}});
    costs(&spec(json!({}), json!([volume("a")])), 1);
    costs(&spec(json!({}), json!([volume("a"), volume("b")])), 1);
    // The other way to have them is a channel, which has no disk (`HasDownwardMetricDisk`).
    devices_cost(json!({"downwardMetrics": {}}), 0);
}

#[test]
fn overhead_of_encrypted_memory_is_for_amd_alone() {
    let launch = |security: Value| json!({"launchSecurity": security});
    domain_costs(launch(json!({"sev": {}})), 256);
    domain_costs(launch(json!({"sev": {"policy": {"encryptedState": true}}})), 256);
    domain_costs(launch(json!({"snp": {}})), 256);
    domain_costs(launch(json!({"tdx": {}})), 0);
}
