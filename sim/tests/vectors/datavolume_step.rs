//! Single reconciles of CDI's controllers: suites `dv-step` and `import-step`.

use serde_json::{Map, Value, json};
use stuckvm_detector::Time;
use stuckvm_sim::environment::Progress;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{DataVolume, PersistentVolumeClaim};
use stuckvm_sim::quantity::Quantity;
use stuckvm_sim::{
    Action, CdiConfig, ClaimEvent, ClaimPropertySet, CloneStrategy, Cluster, Config, EventType, Kind,
    Latency, Object, ObjectId,
};

/// Plays one case; the error is what differs, in short.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let mut cluster = cluster(case, text(case, "now"));
    let Some(id) = requested(case, &cluster) else {
        return differs("writes", &json!([]), &case["expect"]["writes"]);
    };
    let before = cluster.view().get::<DataVolume>(id_or_none(id, Kind::DataVolume)).cloned();
    let action = cluster.reconcile_once(controller(text(case, "controller")), id).expect("the controller");
    let expect = &case["expect"];
    let journal = cluster.take_journal();
    differs("writes", &with_plain_uids(&journal, &writes(&journal)), &expected_writes(&expect["writes"]))?;
    differs("events", &events(&journal, text(case, "controller")), &expect["events"])?;
    differs("outcome", &outcome(&action), &expected_outcome(expect))?;
    if id.kind == Kind::DataVolume {
        let Some(after) = cluster.view().get::<DataVolume>(id) else { return Ok(()) };
        let before = before.expect("the DataVolume was there");
        differs("status", &status(after), &without_defaults(&expect["status"]))?;
        differs("transitions", &transitions(&before, after), &sorted(&expect["transitions"]))
    } else {
        let Some(after) = cluster.view().get::<PersistentVolumeClaim>(id) else { return Ok(()) };
        differs("annotations", &json!(annotations(after)), &or_empty(&expect["annotations"]))
    }
}

fn id_or_none(id: ObjectId, kind: Kind) -> ObjectId {
    if id.kind == kind { id } else { ObjectId { kind, index: u32::MAX } }
}

fn controller(name: &str) -> &str {
    if name.starts_with("dv-") { "data-volume" } else { name }
}

fn requested(case: &Value, cluster: &Cluster) -> Option<ObjectId> {
    let (namespace, name) = text(case, "request").split_once('/').expect("namespace/name");
    if text(case, "controller").starts_with("dv-") {
        return cluster.view().named::<DataVolume>(namespace, name).map(|(id, _)| id);
    }
    cluster.view().named::<PersistentVolumeClaim>(namespace, name).map(|(id, _)| id)
}

/// A cluster without latency, with CDI as the case wants it and the case's objects.
fn cluster(case: &Value, start: &str) -> Cluster {
    let config = Config {
        start: start.parse::<Time>().expect("a time"),
        latency: Latency::none(),
        storage_object_in_use_protection: false,
        default_storage_class: false,
        keep_journal: true,
        cdi: cdi(&case["cluster"]),
        ..Config::default()
    };
    let is_cdi = |name: &str| {
        matches!(
            name,
            "data-volume" | "import" | "upload" | "import-populator" | "upload-populator" | "clone-populator"
        )
    };
    let mut cluster = Cluster::with_some(config, is_cdi);
    let objects = classes(&case["cluster"]).into_iter().chain(list(&case["objects"]).iter().cloned());
    let objects: Vec<Value> = objects.collect();
    let modelled = objects.iter().filter_map(|object| Object::from_value(object).expect("an object"));
    cluster.load(modelled).expect("the objects load");
    for event in objects.iter().filter(|object| object["kind"] == "Event") {
        let severity = if event["type"] == "Warning" { EventType::Warning } else { EventType::Normal };
        let last = text(event, "lastTimestamp").parse().expect("a time");
        let event_on = ClaimEvent::new(severity, text(event, "reason"), text(event, "message"), last);
        cluster.claim_event(&text(&event["involvedObject"], "uid").into(), event_on);
    }
    let environment = cluster.environment_mut();
    for (kind, why) in case["deny"].as_object().into_iter().flatten() {
        if let Some(kind) = Kind::parse(kind) {
            environment.admission.refuse(kind, "default", why.as_str().expect("words"));
        }
    }
    for (ip, percent) in case["progress"].as_object().into_iter().flatten() {
        let percent = percent.as_str().map_or_else(|| percent.to_string(), str::to_owned);
        environment.sources.report_progress(ip.as_str(), Some(progress(&percent)));
    }
    cluster
}

/// What a metrics page says, a decimal number.
pub(crate) fn progress(text: &str) -> Progress {
    let percent: f64 = text.parse().expect("a number");
    Progress((percent * 10_000.0).round() as u32)
}

pub(crate) fn cdi(cluster: &Value) -> CdiConfig {
    let gate = |name: &str| list(&cluster["gates"]).iter().any(|gate| gate == name);
    let mut cdi = CdiConfig {
        honor_wait_for_first_consumer: gate("HonorWaitForFirstConsumer"),
        claim_adoption: gate("DataVolumeClaimAdoption"),
        scratch_storage_class: cluster["scratch"].as_str().map(Into::into),
        importer_image: "importer".into(),
        cloner_image: "cloner".into(),
        ..CdiConfig::default()
    };
    if let Some(strategy) = cluster["cloneStrategy"].as_str() {
        let strategy = CloneStrategy::parse(strategy).expect("a strategy");
        cdi.clone_strategies.insert("csi".into(), strategy);
    }
    cdi.without_csi_driver.insert("nfs.example.com".into());
    if cluster["noDriver"] == true {
        cdi.without_csi_driver.insert("csi.example.com".into());
    }
    for (class, modes) in [
        ("csi", &["ReadWriteMany"][..]),
        ("csi-wffc", &["ReadWriteOnce"]),
        ("late", &["ReadWriteOnce"]),
        ("local", &["ReadWriteOnce"]),
        ("nfs", &[]),
    ] {
        let sets = modes.iter().map(|mode| ClaimPropertySet::new(*mode, "Filesystem")).collect();
        cdi.profiles.insert(class.into(), sets);
    }
    cdi
}

pub(crate) fn classes(cluster: &Value) -> Vec<Value> {
    let class = |(name, provisioner, mode): (&str, &str, &str)| {
        let mut class = json!({
            "kind": "StorageClass", "metadata": { "name": name }, "provisioner": provisioner, "volumeBindingMode": mode
        });
        if cluster["default"] == name {
            class["metadata"]["annotations"] =
                json!({ "storageclass.kubernetes.io/is-default-class": "true" });
        }
        class
    };
    let classes = [
        ("csi", "csi.example.com", "Immediate"),
        ("csi-wffc", "csi.example.com", "WaitForFirstConsumer"),
        ("nfs", "nfs.example.com", "Immediate"),
        ("local", "kubernetes.io/no-provisioner", "WaitForFirstConsumer"),
    ];
    classes.into_iter().map(class).collect()
}

fn outcome(action: &Action) -> Value {
    match action {
        Action::Done => json!({}),
        Action::RequeueAfter(delay) | Action::Idle(delay) => json!({ "requeueAfter": delay.as_secs() }),
        Action::Requeue => json!({ "requeue": true }),
        Action::Fail(text) => json!({ "error": text.as_str() }),
    }
}

/// A failure hides when to look again.
fn expected_outcome(expect: &Value) -> Value {
    let keys = if expect.get("error").is_some() { &["error"][..] } else { &["requeueAfter", "requeue"] };
    let given = keys.iter().filter_map(|key| Some(((*key).to_owned(), expect.get(*key)?.clone())));
    Value::Object(given.collect())
}

fn writes(journal: &[Entry]) -> Value {
    journal.iter().filter_map(write).map(|write| normal(&write)).collect()
}

/// The uids of created objects as the vectors give them: by kind and name.
fn with_plain_uids(journal: &[Entry], writes: &Value) -> Value {
    let mut text = writes.to_string();
    for entry in journal {
        let Entry::Write { verb: "create", new: Some(new), .. } = entry else { continue };
        let meta = new.metadata();
        let plain = format!("uid-{}-{}", new.kind().as_str().to_lowercase(), meta.name);
        text = text.replace(meta.uid.as_str(), &plain);
    }
    serde_json::from_str(&text).expect("JSON as before")
}

fn write(entry: &Entry) -> Option<Value> {
    match entry {
        Entry::Write { verb: "create", new: Some(new), .. } => {
            let meta = new.metadata();
            Some(
                json!({ "verb": "create", "kind": new.kind().as_str(), "name": meta.name.as_str(), "object": new.to_value() }),
            )
        }
        Entry::Write { verb: "update", old: Some(old), new: Some(new), .. } => {
            let mut change = merge_patch(&old.to_value(), &new.to_value());
            if let Some(meta) = change.get_mut("metadata").and_then(Value::as_object_mut) {
                meta.retain(|key, _| !matches!(key.as_str(), "resourceVersion" | "generation"));
            }
            Some(
                json!({ "verb": "update", "kind": new.kind().as_str(), "name": new.metadata().name.as_str(), "change": change }),
            )
        }
        // Of an object that finalizers keep, or that is being deleted already.
        Entry::Write { verb: "delete", old: Some(object), .. } | Entry::Unchanged { object, .. } => Some(
            json!({ "verb": "delete", "kind": object.kind().as_str(), "name": object.metadata().name.as_str() }),
        ),
        // The last finalizer of an object that is being deleted goes, and with it the object.
        Entry::Write { old: Some(old), .. } if !old.metadata().finalizers.is_empty() => Some(json!({
            "verb": "update", "kind": old.kind().as_str(), "name": old.metadata().name.as_str(),
            "change": { "metadata": { "finalizers": null } }
        })),
        Entry::Write { old: Some(old), .. } => Some(
            json!({ "verb": "delete", "kind": old.kind().as_str(), "name": old.metadata().name.as_str() }),
        ),
        Entry::Refused { verb, error, .. } => Some(json!({ "verb": verb, "error": error })),
        _ => None,
    }
}

/// How the writes are told apart: a merge patch of the status is an update here.
fn expected_writes(writes: &Value) -> Value {
    let write = |write: &Value| {
        let mut write = write.clone();
        if matches!(text(&write, "verb"), "patch" | "patchStatus") {
            write["verb"] = "update".into();
        }
        if write.get("error").is_some() {
            return json!({ "verb": write["verb"], "error": write["error"] });
        }
        normal(&write)
    };
    list(writes).iter().map(write).collect()
}

/// Leaves out what the API server's admission adds: the server of the vectors has none.
fn drop_admitted(object: &mut serde_json::Map<String, Value>) {
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.retain(|key, _| {
            !matches!(key.as_str(), "preemptionPolicy" | "priority" | "schedulerName" | "tolerations")
        });
    }
}

/// Leaves out what the server fills in, and writes amounts in one way.
fn normal(write: &Value) -> Value {
    let mut write = write.clone();
    if let Some(object) = write.get_mut("object").and_then(Value::as_object_mut) {
        for field in ["status", "apiVersion", "kind"] {
            object.remove(field);
        }
        if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            meta.retain(|key, _| {
                !matches!(key.as_str(), "uid" | "resourceVersion" | "generation" | "creationTimestamp")
            });
        }
        drop_admitted(object);
        if object["spec"]["volumeMode"] == "Filesystem" {
            object["spec"].as_object_mut().expect("a spec").remove("volumeMode");
        }
        for list in ["containers", "initContainers"] {
            let containers = object["spec"].get_mut(list).and_then(Value::as_array_mut);
            containers.into_iter().flatten().for_each(|container| *container = brief(container));
        }
    }
    if write["kind"] == "PersistentVolume" {
        // The revision at which the claim was written, which every server counts for itself.
        let reference = write["change"]["spec"].get_mut("claimRef").and_then(Value::as_object_mut);
        reference.into_iter().for_each(|it| {
            it.remove("resourceVersion");
        });
    }
    amounts(&mut write);
    if let Some(object) = write.get_mut("object") {
        drop_nulls(object);
    }
    without_defaults(&write)
}

/// Name, image and the variables that the vectors show.
fn brief(container: &Value) -> Value {
    const SHOWN: [&str; 5] =
        ["IMPORTER_SOURCE", "IMPORTER_ENDPOINT", "IMPORTER_READY_FILE", "IMPORTER_CHECKSUM", "CACHE_MODE"];
    let shown =
        |variable: &&Value| SHOWN.contains(&text(variable, "name")) && !text(variable, "value").is_empty();
    let env: Vec<Value> = list(&container["env"]).iter().filter(shown).cloned().collect();
    json!({ "name": container["name"], "image": container["image"], "env": env })
}

/// An absent field of an object may also be written as null.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn amounts(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str().filter(|_| key == "storage").map(Quantity::parse) {
                    Some(Ok(amount)) => *value = amount.value().into(),
                    _ => amounts(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(amounts),
        _ => {}
    }
}

/// Without empty texts, lists and maps, which one side writes and the other leaves out.
fn without_defaults(value: &Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().map(|(key, value)| (key.clone(), without_defaults(value)));
            let is_map = |key: &str| matches!(key, "annotations" | "labels");
            let kept = kept.filter(|(key, value)| is_map(key) || !is_empty(value));
            let kept: Map<String, Value> = kept
                .map(
                    |(key, value)| {
                        if is_map(&key) { (key.clone(), fields[&key].clone()) } else { (key, value) }
                    },
                )
                .filter(|(_, value)| !matches!(value, Value::Object(it) if it.is_empty()))
                .collect();
            Value::Object(kept)
        }
        Value::Array(list) => list.iter().map(without_defaults).collect(),
        other => other.clone(),
    }
}

/// RFC 7386: what must change for `old` to become `new`.
fn merge_patch(old: &Value, new: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return new.clone() };
    let mut patch = Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(before) if before == value => {}
            Some(before) if before.is_object() && value.is_object() => {
                patch.insert(key.clone(), merge_patch(before, value));
            }
            _ => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}

fn events(journal: &[Entry], controller: &str) -> Value {
    let source = match controller {
        "dv-import" => "datavolume-import-controller",
        "dv-upload" => "datavolume-upload-controller",
        "dv-pvc-clone" => "datavolume-pvc-clone-controller",
        "dv-snapshot-clone" => "datavolume-snapshot-clone-controller",
        "dv-populator" => "datavolume-external-population-controller",
        "import" => "import-controller",
        other => other,
    };
    let event = |entry: &Entry| match entry {
        Entry::Event { kind, name, severity, reason, message, .. } => Some(json!({
            "on": format!("{kind}/{name}"), "source": source, "type": severity.as_str(), "reason": reason, "message": message
        })),
        _ => None,
    };
    journal.iter().filter_map(event).collect()
}

fn status(dv: &DataVolume) -> Value {
    without_defaults(&serde_json::to_value(&dv.status).expect("a status"))
}

fn transitions(before: &DataVolume, after: &DataVolume) -> Value {
    let changed = after.status.conditions.iter().filter(|new| {
        let old = before.status.conditions.iter().find(|old| old.kind == new.kind);
        old.is_none_or(|old| old.last_transition_time != new.last_transition_time)
    });
    sorted(&changed.map(|condition| Value::from(condition.kind.as_str())).collect())
}

fn sorted(names: &Value) -> Value {
    let mut names: Vec<&str> = list(names).iter().filter_map(Value::as_str).collect();
    names.sort_unstable();
    json!(names)
}

fn annotations(claim: &PersistentVolumeClaim) -> Map<String, Value> {
    claim.metadata.annotations.iter().map(|(key, value)| (key.to_string(), value.as_str().into())).collect()
}

fn or_empty(value: &Value) -> Value {
    if value.is_null() { json!({}) } else { value.clone() }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn differs(what: &str, ours: &Value, theirs: &Value) -> Result<(), String> {
    let theirs = if theirs.is_null() { json!([]) } else { theirs.clone() };
    if *ours == theirs { Ok(()) } else { Err(format!("{what}\n  ours   {ours}\n  theirs {theirs}")) }
}
