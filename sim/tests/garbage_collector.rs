//! What is owned goes with its owners.

use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::objects::{PersistentVolumeClaim, Pod};
use stuckvm_sim::{Cluster, Config, Object, ObjectId};

fn cluster() -> Cluster {
    Cluster::with_some(Config::default(), |name| matches!(name, "garbage-collector" | "pvc-protection"))
}

fn apply(cluster: &mut Cluster, object: Value) -> ObjectId {
    let object = Object::from_value(&object).expect("a readable object").expect("a known kind");
    cluster.apply(&object).expect("nothing refuses it")
}

fn pod(cluster: &mut Cluster, name: &str, owners: Value) -> ObjectId {
    apply(
        cluster,
        json!({"kind": "Pod", "metadata": {"name": name, "ownerReferences": owners}, "spec": {"containers": []}}),
    )
}

fn pass(cluster: &mut Cluster) {
    let until = cluster.now().checked_add(Duration::from_secs(1)).expect("an instant");
    cluster.run_until(until).expect("every instant comes to rest");
}

fn reference(cluster: &Cluster, id: ObjectId) -> Value {
    let meta = &cluster.view().get::<Pod>(id).expect("the pod is there").metadata;
    json!({"apiVersion": "v1", "kind": "Pod", "name": meta.name.as_str(), "uid": meta.uid.as_str()})
}

#[test]
fn deletion_cascades_through_generations() {
    let mut cluster = cluster();
    let root = pod(&mut cluster, "root", json!([]));
    let owner = reference(&cluster, root);
    let child = pod(&mut cluster, "child", json!([owner]));
    let owner = reference(&cluster, child);
    apply(
        &mut cluster,
        json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "grandchild", "ownerReferences": [owner]}, "spec": {}}),
    );
    pass(&mut cluster);
    assert_eq!(cluster.count::<PersistentVolumeClaim>(), 1);
    cluster.delete::<Pod>(root).expect("the pod is there");
    pass(&mut cluster);
    assert_eq!((cluster.count::<Pod>(), cluster.count::<PersistentVolumeClaim>()), (0, 0));
}

#[test]
fn what_has_another_owner_stays_and_forgets_the_one_that_went() {
    let mut cluster = cluster();
    let (first, second) = (pod(&mut cluster, "first", json!([])), pod(&mut cluster, "second", json!([])));
    let owners = json!([reference(&cluster, first), reference(&cluster, second)]);
    let child = pod(&mut cluster, "child", owners);
    cluster.delete::<Pod>(first).expect("the pod is there");
    pass(&mut cluster);
    let owners = &cluster.view().get::<Pod>(child).expect("it stays").metadata.owner_references;
    assert_eq!(owners.iter().map(|owner| owner.name.as_str()).collect::<Vec<_>>(), ["second"]);
}

#[test]
fn an_owner_of_the_same_name_is_not_the_owner() {
    let mut cluster = cluster();
    let root = pod(&mut cluster, "root", json!([]));
    let mut owner = reference(&cluster, root);
    owner["uid"] = "another".into();
    pod(&mut cluster, "child", json!([owner]));
    pass(&mut cluster);
    assert_eq!(cluster.count::<Pod>(), 1);
}
