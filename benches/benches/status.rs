//! `status`: the printable statuses of ten thousand stored objects, with and without the reading of their text.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use stuckvm_detector::Time;
use stuckvm_sim::manifest::{parse, read_objects};
use stuckvm_sim::{KubeVirtRelease, Object, statuses};

const MACHINES: usize = 4_000;
const CLAIMS: usize = 2_000;

fn spec(index: usize) -> Value {
    json!({
        "domain": {"resources": {"requests": {"memory": "1Gi"}}, "devices": {"disks": [{"name": "root", "disk": {}}]}},
        "volumes": [{"name": "root", "persistentVolumeClaim": {"claimName": format!("claim-{index}")}}],
    })
}

/// A machine and its instance, which no node has room for.
fn machine(index: usize) -> [Value; 2] {
    let name = format!("vm-{index}");
    let owner = json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": name, "uid": format!("uid-{name}"),
        "controller": true});
    [
        json!({"kind": "VirtualMachine", "metadata": {"name": name, "uid": format!("uid-{name}")},
            "spec": {"runStrategy": "Always", "template": {"spec": spec(index)}}}),
        json!({"kind": "VirtualMachineInstance",
            "metadata": {"name": name, "uid": format!("uid-vmi-{index}"), "ownerReferences": [owner]},
            "spec": spec(index),
            "status": {"phase": "Scheduling", "conditions": [{"type": "PodScheduled", "status": "False",
                "reason": "Unschedulable", "message": "0/2 nodes are available: 2 Insufficient memory."}]}}),
    ]
}

fn claim(index: usize) -> Value {
    json!({"kind": "PersistentVolumeClaim", "metadata": {"name": format!("claim-{index}")},
        "spec": {"resources": {"requests": {"storage": "10Gi"}}}, "status": {"phase": "Bound"}})
}

fn ten_thousand(criterion: &mut Criterion) {
    let items: Vec<Value> = (0..MACHINES).flat_map(machine).chain((0..CLAIMS).map(claim)).collect();
    let text = json!({"kind": "List", "items": items}).to_string();
    let read = || -> Vec<Object> {
        let documents = parse("list.json", text.as_bytes()).expect("it parses");
        read_objects(&documents[0], "").expect("it reads").into_iter().flatten().collect()
    };
    let objects = read();
    let now = Time::from_secs(1_664_795_467);
    let mut group = criterion.benchmark_group("status/10000");
    group.sample_size(10).throughput(Throughput::Elements(objects.len() as u64));
    group.bench_function("read", |bencher| bencher.iter(read));
    let answer = || statuses(&objects, KubeVirtRelease::default(), now).expect("no duplicates");
    group.bench_function("answer", |bencher| bencher.iter(answer));
    group.finish();
}

criterion_group!(benches, ten_thousand);
criterion_main!(benches);
