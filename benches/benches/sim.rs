//! The simulator: fleets of virtual machines for one virtual hour, healthy, and with one in twenty broken.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::environment::Image;
use stuckvm_sim::{Cluster, Config, Object};

const IMAGE: &str = "registry.example/disk:v1";
const HOUR: Duration = Duration::from_secs(3600);

fn object(value: &Value) -> Object {
    Object::from_value(value).expect("it reads").expect("a known kind")
}

fn node(index: u32) -> Object {
    object(&json!({
        "kind": "Node",
        "metadata": {"name": format!("node-{index}"), "labels": {
            "kubernetes.io/arch": "amd64",
            "kubevirt.io/schedulable": "true",
            "machine-type.node.kubevirt.io/q35": "true",
        }},
        "status": {"allocatable": {
            "cpu": "64", "memory": "512Gi", "pods": "250", "ephemeral-storage": "1T",
            "devices.kubevirt.io/kvm": "1k", "devices.kubevirt.io/tun": "1k", "devices.kubevirt.io/vhost-net": "1k",
        }},
    }))
}

/// A machine whose image exists, or does not.
fn machine(index: u32, broken: bool) -> Object {
    let image = if broken { "registry.example/disk:v2" } else { IMAGE };
    object(&json!({
        "kind": "VirtualMachine",
        "metadata": {"name": format!("vm-{index}"), "namespace": "fleet"},
        "spec": {"runStrategy": "Always", "template": {"spec": {
            "domain": {"memory": {"guest": "1Gi"}, "devices": {"disks": [{"name": "root", "disk": {"bus": "virtio"}}]}},
            "volumes": [{"name": "root", "containerDisk": {"image": image}}],
        }}},
    }))
}

fn play(machines: u32, broken_every: Option<u32>) -> u64 {
    let mut cluster = Cluster::new(Config::default());
    cluster.environment_mut().registry.push(IMAGE, Image { size_bytes: 200_000_000 });
    for index in 0..machines.div_ceil(100) {
        cluster.apply(&node(index)).expect("a new node");
    }
    for index in 0..machines {
        let broken = broken_every.is_some_and(|every| index % every == 0);
        cluster.apply(&machine(index, broken)).expect("a new machine");
    }
    cluster.run_until(cluster.now() + HOUR).expect("every instant comes to rest");
    cluster.trace().digest()
}

fn hours(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sim/hour");
    group.sample_size(10);
    for machines in [100, 1_000] {
        group.throughput(Throughput::Elements(u64::from(machines)));
        for (name, broken_every) in [("healthy", None), ("5-percent-broken", Some(20))] {
            group.bench_function(BenchmarkId::new(name, machines), |bencher| {
                bencher.iter(|| play(machines, broken_every));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, hours);
criterion_main!(benches);
