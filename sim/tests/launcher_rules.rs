//! Rules of the launcher pod that no vector reaches: a small instance each, with figures by hand from upstream's source.

use serde_json::{Value, json};
use stuckvm_sim::kubevirt::{render_spec, with_defaults};
use stuckvm_sim::objects::{Container, PodSpec};
use stuckvm_sim::{KubeVirtRelease, Object};

const RELEASES: [KubeVirtRelease; 3] =
    [KubeVirtRelease::V0_59, KubeVirtRelease::V1_3, KubeVirtRelease::Main2026_08];

/// The launcher of an instance with 1 vCPU and 1Gi, whose domain and spec have these fields besides.
fn launcher_of(release: KubeVirtRelease, domain: Value, spec: Value) -> PodSpec {
    let mut wanted = json!({"domain": {"memory": {"guest": "1Gi"}, "devices": {}}});
    let add = |target: &mut Value, fields: &Value| {
        for (field, value) in fields.as_object().expect("fields") {
            target[field] = value.clone();
        }
    };
    add(&mut wanted["domain"], &domain);
    add(&mut wanted, &spec);
    let manifest = json!({"kind": "VirtualMachineInstance", "metadata": {"name": "vm1"}, "spec": wanted});
    let object = Object::from_value(&manifest).expect("valid").expect("a kind that is modelled");
    let Object::VirtualMachineInstance(instance) = object else { panic!("no instance") };
    let mut instance = (*instance).clone();
    instance.spec = with_defaults(&instance.spec, release);
    (*render_spec(&instance, release).pod).clone()
}

fn launcher(domain: Value) -> PodSpec {
    launcher_of(KubeVirtRelease::Main2026_08, domain, json!({}))
}

fn compute(pod: &PodSpec) -> &Container {
    &pod.containers[0]
}

/// What compute asks for: requests and limits must agree, as they do of devices.
fn asked(pod: &PodSpec, resource: &str) -> Option<String> {
    let resources = &compute(pod).resources;
    let [request, limit] =
        [&resources.requests, &resources.limits].map(|list| list.get(resource).map(ToString::to_string));
    assert_eq!(request, limit, "{resource}");
    request
}

fn memory(pod: &PodSpec) -> i64 {
    compute(pod).resources.requests.get("memory").expect("it is asked for").value() >> 20
}

#[test]
fn a_forbidden_feature_keeps_the_launcher_from_nodes_that_have_it() {
    let features =
        json!([{"name": "vmx", "policy": "forbid"}, {"name": "aes"}, {"name": "pge", "policy": "optional"}]);
    let own = json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]},
            {"matchExpressions": [{"key": "rack", "operator": "Exists"}]}]}}}});
    for release in RELEASES {
        let pod =
            launcher_of(release, json!({"cpu": {"model": "Haswell", "features": features}}), own.clone());
        let required = pod
            .affinity
            .expect("there is one")
            .node_affinity
            .expect("of nodes")
            .required
            .expect("it must hold");
        let keys: Vec<Vec<(String, String)>> = required
            .node_selector_terms
            .iter()
            .map(|term| {
                let expressions = term.match_expressions.iter();
                expressions.map(|found| (found.key.to_string(), found.operator.to_string())).collect()
            })
            .collect();
        let vmx = ("cpu-feature.node.kubevirt.io/vmx".to_string(), "DoesNotExist".to_string());
        let exists = |key: &str| (key.to_string(), "Exists".to_string());
        assert_eq!(keys, [vec![exists("zone"), vmx.clone()], vec![exists("rack"), vmx]], "{release:?}");
        assert!(pod.node_selector.has("cpu-feature.node.kubevirt.io/aes", "true"));
        assert!(!pod.node_selector.contains_key("cpu-feature.node.kubevirt.io/pge"));
    }
}

#[test]
fn gpus_and_host_devices_are_asked_of_their_plugins() {
    let devices = json!({
        "gpus": [{"name": "a", "deviceName": "nvidia.com/A100"}, {"name": "b", "deviceName": "nvidia.com/A100"},
            {"name": "c", "deviceName": "nvidia.com/A100", "claimName": "claim", "requestName": "gpu"}],
        "hostDevices": [{"name": "d", "deviceName": "intel.com/qat"}, {"name": "e", "deviceName": "own.com/nic"}],
    });
    let resources = json!({"requests": {"own.com/nic": "3"}, "limits": {"own.com/nic": "3"}});
    for release in RELEASES {
        let pod = launcher_of(release, json!({"devices": devices, "resources": resources}), json!({}));
        assert_eq!(asked(&pod, "nvidia.com/A100").as_deref(), Some("2"), "{release:?}");
        assert_eq!(asked(&pod, "intel.com/qat").as_deref(), Some("1"), "{release:?}");
        // What the instance itself says of a resource is laid over what is counted.
        assert_eq!(asked(&pod, "own.com/nic").as_deref(), Some("3"), "{release:?}");
    }
    let plain = launcher(json!({}));
    assert!(!compute(&plain).resources.limits.iter().any(|(name, _)| name.contains(".com/")));
}

#[test]
fn an_sr_iov_interface_needs_room_for_vfio() {
    // 1Gi and 25 + 100 + 25 + 40 + 50 (fixed), 8 (vCPU), 8 (I/O thread), 32 (graphics): 1312. VFIO adds 1024.
    assert_eq!(memory(&launcher(json!({}))), 1312);
    let interface = json!({"interfaces": [{"name": "net", "sriov": {}}]});
    assert_eq!(memory(&launcher(json!({"devices": interface}))), 2336);
    let interface = json!({"interfaces": [{"name": "net", "bridge": {}, "sriov": null}]});
    assert_eq!(memory(&launcher(json!({"devices": interface}))), 1312);
    // 1.0 and older copy the guest's memory to the requests, so that page tables count: 2 Mi. Fixed 210, graphics 16.
    let interface = json!({"devices": {"interfaces": [{"name": "net", "sriov": {}}]}});
    assert_eq!(
        memory(&launcher_of(KubeVirtRelease::V0_59, interface, json!({}))),
        1024 + 2 + 210 + 8 + 8 + 16 + 1024
    );
}

#[test]
fn probes_begin_ten_seconds_later_than_the_user_says() {
    let probes = json!({
        "readinessProbe": {"initialDelaySeconds": 5, "httpGet": {"port": 80}},
        "livenessProbe": {"initialDelaySeconds": 120, "timeoutSeconds": 4, "exec": {"command": ["true"]}},
    });
    for release in RELEASES {
        let pod = launcher_of(release, json!({}), probes.clone());
        let ready = compute(&pod).readiness_probe.as_ref().expect("it is asked for");
        assert_eq!((ready.initial_delay_seconds, ready.timeout_seconds), (15, 0), "{release:?}");
        let alive = compute(&pod).liveness_probe.as_ref().expect("it is asked for");
        // virt-probe, which runs the command in the guest, gets a second more.
        assert_eq!((alive.initial_delay_seconds, alive.timeout_seconds), (130, 5), "{release:?}");
    }
    let ping = json!({"readinessProbe": {"guestAgentPing": {}}});
    let pod = launcher_of(KubeVirtRelease::Main2026_08, json!({}), ping);
    let ready = compute(&pod).readiness_probe.as_ref().expect("it is asked for");
    // A second is the default of what is not given.
    assert_eq!((ready.initial_delay_seconds, ready.timeout_seconds), (10, 2));
}

#[test]
fn what_only_some_hosts_can_do_is_asked_of_the_node() {
    let labels = |domain: Value, architecture: &str| -> Vec<String> {
        let spec = json!({"architecture": architecture});
        let pod = launcher_of(KubeVirtRelease::Main2026_08, domain, spec);
        let own = ["schedulable", "realtime", "sev", "sev-es", "sev-snp", "tdx", "s390-pv"];
        let asked = own.iter().filter(|label| pod.node_selector.has(&format!("kubevirt.io/{label}"), "true"));
        asked.map(ToString::to_string).collect()
    };
    assert_eq!(labels(json!({}), "amd64"), ["schedulable"]);
    assert_eq!(labels(json!({"cpu": {"realtime": {}}}), "amd64"), ["schedulable", "realtime"]);
    assert_eq!(labels(json!({"launchSecurity": {"sev": {}}}), "amd64"), ["schedulable", "sev"]);
    let encrypted = json!({"launchSecurity": {"sev": {"policy": {"encryptedState": true}}}});
    assert_eq!(labels(encrypted, "amd64"), ["schedulable", "sev", "sev-es"]);
    assert_eq!(labels(json!({"launchSecurity": {"snp": {}}}), "amd64"), ["schedulable", "sev", "sev-snp"]);
    assert_eq!(labels(json!({"launchSecurity": {"tdx": {}}}), "amd64"), ["schedulable", "tdx"]);
    assert_eq!(labels(json!({"launchSecurity": {}}), "s390x"), ["schedulable", "s390-pv"]);
    assert_eq!(labels(json!({"launchSecurity": {}}), "amd64"), ["schedulable"]);
}

#[test]
fn guests_with_encrypted_memory_ask_for_the_device_of_their_kind() {
    let devices = |security: Value| {
        let pod = launcher(json!({"launchSecurity": security}));
        ["sev", "tdx"].map(|kind| asked(&pod, &format!("devices.kubevirt.io/{kind}")).is_some())
    };
    assert_eq!(devices(json!({"sev": {}})), [true, false]);
    assert_eq!(devices(json!({"snp": {}})), [true, false]);
    assert_eq!(devices(json!({"tdx": {}})), [false, true]);
}

#[test]
fn the_image_of_a_kernel_is_pulled_as_those_of_disks_are() {
    let kernel =
        json!({"image": "quay.io/me/kernel:1", "imagePullSecret": "robot", "imagePullPolicy": "Always"});
    let pod =
        |release| launcher_of(release, json!({"firmware": {"kernelBoot": {"container": kernel}}}), json!({}));
    let names = |containers: &[Container]| -> Vec<String> {
        containers.iter().map(|container| container.name.to_string()).collect()
    };

    let main = pod(KubeVirtRelease::Main2026_08);
    assert_eq!(names(&main.init_containers), ["guest-console-log", "volumekernel-boot-volume"]);
    let pulls = &main.init_containers[1];
    assert_eq!((&*pulls.image, &*pulls.image_pull_policy), ("quay.io/me/kernel:1", "Always"));
    assert_eq!(pulls.resources.requests.get("memory").expect("it is asked for").value(), 1_000_000);
    let volumes: Vec<String> = main.volumes.iter().map(|volume| volume.name.to_string()).collect();
    assert_eq!(volumes, ["kernel-boot-volume", "launcher-volume"]);
    assert_eq!(main.image_pull_secrets[0].name, "robot");

    let old = pod(KubeVirtRelease::V0_59);
    assert_eq!(names(&old.containers), ["compute", "volumekernel-boot-volume"]);
    assert_eq!(names(&old.init_containers), ["container-disk-binary", "volumekernel-boot-volume-init"]);
}
