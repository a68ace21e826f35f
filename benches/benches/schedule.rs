//! `schedule`: a thousand pods on a thousand nodes, once, as the command does it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use stuckvm_sim::{Object, OneShotOptions, schedule};

fn object(value: &Value) -> Object {
    Object::from_value(value).expect("it reads").expect("a known kind")
}

fn node(index: usize) -> Object {
    object(&json!({
        "kind": "Node",
        "metadata": {"name": format!("node-{index}"), "labels": {
            "kubernetes.io/hostname": format!("node-{index}"),
            "topology.kubernetes.io/zone": format!("zone-{}", index % 3),
        }},
        "status": {"allocatable": {"cpu": "64", "memory": "256Gi", "pods": "110"}},
    }))
}

/// Plain pods, or pods that keep away from each other and spread over zones.
fn pod(index: usize, with_rules: bool) -> Object {
    let same = json!({"matchLabels": {"app": format!("app-{}", index % 50)}});
    let mut spec = json!({"containers": [
        {"name": "c", "image": "app:1", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}]});
    if with_rules {
        spec["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": same, "topologyKey": "kubernetes.io/hostname"}]}});
        spec["topologySpreadConstraints"] = json!([{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": same}]);
    }
    object(&json!({"kind": "Pod", "spec": spec, "metadata": {
        "name": format!("pod-{index}"), "labels": {"app": format!("app-{}", index % 50)}}}))
}

fn thousand_on_thousand(criterion: &mut Criterion) {
    const COUNT: usize = 1_000;
    let mut group = criterion.benchmark_group("schedule/1000x1000");
    group.sample_size(10).throughput(Throughput::Elements(COUNT as u64));
    for (name, with_rules) in [("plain", false), ("affinity-and-spread", true)] {
        let pods = (0..COUNT).map(|index| pod(index, with_rules));
        let objects: Vec<Object> = (0..COUNT).map(node).chain(pods).collect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| schedule(&objects, OneShotOptions::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, thousand_on_thousand);
criterion_main!(benches);
