//! The scripted environment of `dv-history`: claims are bound, pods live, volumes change hands.

use crate::datavolume_history::after;
use crate::datavolume_step::progress;
use crate::datavolume_steps;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use stuckvm_detector::Time;
use stuckvm_sim::environment::Progress;
use stuckvm_sim::objects::{
    Condition, DataVolume, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass, Truth,
    VolumeCloneSource, VolumeImportSource, VolumeUploadSource,
};
use stuckvm_sim::{ClaimEvent, Cluster, EventType, Kind, Object, ObjectId};

/// Something that happens at an instant.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    CreateDataVolume,
    Scripted(String),
    Bind(ObjectId),
    Rebind(ObjectId, String),
    Step(ObjectId, usize),
    Event(ObjectId, Value),
    Report(ObjectId, u32, Option<Progress>),
}

/// The script and how far it is.
pub(crate) struct Environment {
    script: Value,
    /// The DataVolume, to create it and to create it again.
    pub(crate) data_volume: Value,
    data_volumes: u32,
    agenda: BTreeMap<(Time, u64), Act>,
    number: u64,
    binding: BTreeSet<ObjectId>,
    seen: BTreeSet<ObjectId>,
    /// Lives of pods, by pod: the steps.
    lives: BTreeMap<ObjectId, Vec<Value>>,
    waiting: BTreeSet<ObjectId>,
    pods: usize,
    /// Runs of an importer: progress of an earlier one does not count.
    runs: BTreeMap<ObjectId, u32>,
    consumed: bool,
    node: Option<String>,
    start: Time,
    /// Events that the script records.
    pub(crate) events: Vec<(Time, Value)>,
}

impl Environment {
    pub(crate) fn new(case: &Value) -> Self {
        let start = case["start"].as_str().expect("a start").parse().expect("a time");
        let mut environment = Self {
            script: case["script"].clone(),
            data_volume: Value::Null,
            data_volumes: 0,
            agenda: BTreeMap::new(),
            number: 0,
            binding: BTreeSet::new(),
            seen: BTreeSet::new(),
            lives: BTreeMap::new(),
            waiting: BTreeSet::new(),
            pods: 0,
            runs: BTreeMap::new(),
            consumed: false,
            node: None,
            start,
            events: Vec::new(),
        };
        for act in list(&case["script"]["at"]) {
            let at = after(start, act["t"].as_f64().expect("a time"));
            environment.plan(at, Act::Scripted(act["do"].as_str().expect("words").to_owned()));
        }
        environment
    }

    pub(crate) fn next_at(&self) -> Option<Time> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    fn plan(&mut self, at: Time, act: Act) {
        self.number += 1;
        self.agenda.insert((at, self.number), act);
    }

    pub(crate) fn deny(&mut self, cluster: &mut Cluster, kind: &str, why: &str) {
        cluster.environment_mut().admission.refuse(Kind::parse(kind).expect("a kind"), "default", why);
    }

    /// A created object gets the status that it had.
    pub(crate) fn keep_status(&mut self, cluster: &mut Cluster, id: ObjectId, status: &Value) {
        let phase = status["phase"].as_str().unwrap_or_default();
        match id.kind {
            Kind::PersistentVolumeClaim => {
                cluster
                    .patch::<PersistentVolumeClaim>(id, |claim| claim.status.phase = phase.into())
                    .expect("patched");
            }
            Kind::PersistentVolume => {
                cluster
                    .patch::<PersistentVolume>(id, |volume| volume.status.phase = phase.into())
                    .expect("patched");
            }
            _ => {}
        }
    }

    /// Sees what is new and does what is due.
    pub(crate) fn react(&mut self, cluster: &mut Cluster) {
        loop {
            self.observe(cluster);
            let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= cluster.now()) else {
                return;
            };
            let act = entry.remove();
            self.act(cluster, &act);
            self.collect_garbage(cluster);
        }
    }

    pub(crate) fn act(&mut self, cluster: &mut Cluster, act: &Act) {
        match act {
            Act::CreateDataVolume => self.create_data_volume(cluster),
            Act::Scripted(words) => self.scripted(cluster, words),
            Act::Bind(id) => bind(cluster, *id),
            Act::Rebind(id, volume) => {
                let _ = cluster.patch::<PersistentVolumeClaim>(*id, |claim| {
                    claim.spec.volume_name = volume.as_str().into();
                    claim.status.phase = "Bound".into();
                });
            }
            Act::Step(id, index) => self.step(cluster, *id, *index),
            Act::Event(id, event) => self.event(cluster, *id, event),
            Act::Report(id, run, progress) => {
                if self.runs.get(id) == Some(run) {
                    report(cluster, *id, *progress);
                }
            }
        }
    }

    fn create_data_volume(&mut self, cluster: &mut Cluster) {
        self.data_volumes += 1;
        let mut object = self.data_volume.clone();
        if self.data_volumes > 1 {
            object["metadata"]["uid"] = format!("uid-datavolume-disk-{}", self.data_volumes).into();
        }
        let object = Object::from_value(&object).expect("an object").expect("a DataVolume");
        cluster.apply(&object).expect("created");
    }

    fn scripted(&mut self, cluster: &mut Cluster, words: &str) {
        let words: Vec<&str> = words.split(' ').collect();
        match words[..] {
            ["node", node] => self.node = Some(node.to_owned()),
            ["consume"] => self.consumed = true,
            ["allow", kind] => {
                let kind = Kind::parse(kind).expect("a kind");
                cluster.environment_mut().admission.allow(kind, "default");
            }
            ["source"] => create_source(cluster),
            ["lose", name] => {
                let claims = cluster.view().iter::<PersistentVolumeClaim>();
                // Uids, and so the ends of names, are not those of the vectors.
                let kind =
                    |name: &str| (name.split('-').next().map(str::to_owned), name.ends_with("-scratch"));
                let is_meant = |claim: &PersistentVolumeClaim| kind(&claim.metadata.name) == kind(name);
                let found = claims.filter(|(_, claim)| is_meant(claim)).map(|(id, _)| id).next();
                let Some(id) = found else { return };
                if cluster.view().get::<PersistentVolumeClaim>(id).expect("found").status.phase != "Bound" {
                    return;
                }
                let volume =
                    cluster.view().get::<PersistentVolumeClaim>(id).expect("found").spec.volume_name.clone();
                let volume = cluster.view().named::<PersistentVolume>("", &volume).map(|(id, _)| id);
                if let Some(volume) = volume {
                    cluster.delete::<PersistentVolume>(volume).expect("deleted");
                }
                cluster
                    .patch::<PersistentVolumeClaim>(id, |claim| claim.status.phase = "Lost".into())
                    .expect("lost");
            }
            ["class", name, ref rest @ ..] => {
                let mut class = json!({ "kind": "StorageClass", "metadata": { "name": name }, "provisioner": "csi.example.com", "volumeBindingMode": "Immediate" });
                if rest == ["default"] {
                    class["metadata"]["annotations"] =
                        json!({ "storageclass.kubernetes.io/is-default-class": "true" });
                }
                let class = Object::from_value(&class).expect("an object").expect("a class");
                cluster.apply(&class).expect("created");
            }
            ["delete", "dv"] => delete::<DataVolume>(cluster, "disk"),
            ["delete", "pvc", name] => delete::<PersistentVolumeClaim>(cluster, name),
            ["delete", "pod", name] => {
                // Uids, and so the ends of names, are not those of the vectors.
                let kind = name.split('-').next().expect("a first part");
                let is_meant = |pod: &Pod| pod.metadata.name.starts_with(kind);
                let pod = cluster.view().iter::<Pod>().find(|(_, pod)| is_meant(pod)).map(|(id, _)| id);
                if let Some(pod) = pod {
                    cluster.remove_pod(pod).expect("deleted");
                }
            }
            ["create", "dv"] => self.create_data_volume(cluster),
            _ => panic!("unknown act {words:?}"),
        }
    }

    /// What an object owns goes with it.
    pub(crate) fn collect_garbage(&self, cluster: &mut Cluster) {
        while let Some(id) = orphan(cluster) {
            match id.kind {
                Kind::Pod => cluster.remove_pod(id).expect("deleted"),
                Kind::PersistentVolumeClaim => cluster.delete::<PersistentVolumeClaim>(id).expect("deleted"),
                Kind::VolumeCloneSource => cluster.delete::<VolumeCloneSource>(id).expect("deleted"),
                Kind::VolumeUploadSource => cluster.delete::<VolumeUploadSource>(id).expect("deleted"),
                _ => cluster.delete::<VolumeImportSource>(id).expect("deleted"),
            }
        }
    }

    /// Plans what follows from what is there.
    fn observe(&mut self, cluster: &mut Cluster) {
        let now = cluster.now();
        let claims: Vec<(ObjectId, PersistentVolumeClaim)> = cluster
            .view()
            .iter::<PersistentVolumeClaim>()
            .map(|(id, claim)| (id, PersistentVolumeClaim::clone(claim)))
            .collect();
        for (id, claim) in claims {
            self.observe_claim(cluster, id, &claim, now);
        }
        let pods: Vec<(ObjectId, Pod)> =
            cluster.view().iter::<Pod>().map(|(id, pod)| (id, Pod::clone(pod))).collect();
        for (id, pod) in pods {
            self.observe_pod(cluster, id, &pod, now);
        }
        self.observe_volumes(cluster, now);
    }

    fn observe_claim(
        &mut self,
        cluster: &mut Cluster,
        id: ObjectId,
        claim: &PersistentVolumeClaim,
        now: Time,
    ) {
        if self.seen.insert(id) {
            let kind = match claim.metadata.name.as_str() {
                "disk" => "target",
                name if name.starts_with("prime-") => "prime",
                _ => "scratch",
            };
            for event in list(&self.script["events"].clone()).iter().filter(|event| event["on"] == kind) {
                self.plan(after(now, event["after"].as_f64().unwrap_or(0.0)), Act::Event(id, event.clone()));
            }
        }
        let annotation = "volume.kubernetes.io/selected-node";
        if let Some(node) = &self.node
            && claim.metadata.name == "disk"
            && !claim.metadata.annotations.contains_key(annotation)
        {
            let select = |claim: &mut PersistentVolumeClaim| {
                claim.metadata.annotations.insert(annotation, node.as_str())
            };
            cluster
                .patch::<PersistentVolumeClaim>(id, |claim| {
                    select(claim);
                })
                .expect("patched");
        }
        let seconds = self.script["bind"].as_f64().expect("bind");
        // Drivers copy claims; the volumes of claims that name other sources come from populators.
        let source = claim.spec.data_source_ref.as_ref();
        let is_populated = source.is_some_and(|source| source.kind != "PersistentVolumeClaim");
        if seconds < 0.0 || claim.status.phase != "Pending" || is_populated {
            return;
        }
        let Some(class) = claim.spec.storage_class_name.as_ref() else { return };
        let Some((_, class)) = cluster.view().named::<StorageClass>("", class) else { return };
        let selected = claim.metadata.annotations.contains_key("volume.kubernetes.io/selected-node");
        let used = cluster.view().users_of_claim::<Pod>("default", &claim.metadata.name).next().is_some()
            || (self.consumed && claim.metadata.name == "disk");
        if (!class.waits_for_first_consumer() || selected || used) && self.binding.insert(id) {
            self.plan(after(now, seconds), Act::Bind(id));
        }
    }

    fn observe_pod(&mut self, cluster: &mut Cluster, id: ObjectId, pod: &Pod, now: Time) {
        let is_new = self.seen.insert(id);
        if pod.metadata.is_deleting() {
            cluster.remove_pod(id).expect("removed");
            return;
        }
        if is_new {
            let lives = list(&self.script["pods"]);
            let life = lives.get(self.pods).or(lives.last());
            self.lives.insert(id, life.map(|life| list(life).to_vec()).unwrap_or_default());
            self.pods += 1;
            self.waiting.insert(id);
        }
        if !self.waiting.contains(&id) {
            return;
        }
        let claims = pod.spec.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
        let is_bound = |name: &str| {
            let claim = cluster.view().named::<PersistentVolumeClaim>("default", name);
            claim.is_some_and(|(_, claim)| claim.status.phase == "Bound")
        };
        if claims.into_iter().all(|claim| is_bound(&claim.claim_name)) {
            self.waiting.remove(&id);
            self.plan_step(id, 0, now);
        } else if is_new && pod.node_name.is_empty() {
            let unschedulable = Condition {
                kind: "PodScheduled".into(),
                status: Truth::False,
                reason: "Unschedulable".into(),
                ..Condition::default()
            };
            cluster.patch::<Pod>(id, |pod| pod.status.conditions = [unschedulable].into()).expect("patched");
        }
    }

    fn plan_step(&mut self, id: ObjectId, index: usize, now: Time) {
        let after_seconds =
            self.lives.get(&id).and_then(|life| life.get(index)).and_then(|step| step["after"].as_f64());
        if let Some(seconds) = after_seconds {
            self.plan(after(now, seconds), Act::Step(id, index));
        }
    }

    /// A volume whose claim was replaced leaves the old one.
    fn observe_volumes(&mut self, cluster: &mut Cluster, now: Time) {
        let volumes: Vec<PersistentVolume> = cluster
            .view()
            .iter::<PersistentVolume>()
            .map(|(_, volume)| PersistentVolume::clone(volume))
            .collect();
        for volume in volumes {
            let Some(reference) = &volume.spec.claim_ref else { continue };
            let holders: Vec<ObjectId> = cluster
                .view()
                .iter::<PersistentVolumeClaim>()
                .filter(|(_, claim)| {
                    claim.spec.volume_name == volume.metadata.name
                        && claim.metadata.uid != reference.uid
                        && claim.status.phase == "Bound"
                })
                .map(|(id, _)| id)
                .collect();
            for holder in holders {
                cluster
                    .patch::<PersistentVolumeClaim>(holder, |claim| claim.status.phase = "Lost".into())
                    .expect("lost");
                let target = find::<PersistentVolumeClaim>(cluster, &reference.name);
                let at = after(now, self.script["rebind"].as_f64().expect("rebind"));
                target
                    .into_iter()
                    .for_each(|target| self.plan(at, Act::Rebind(target, volume.metadata.name.to_string())));
            }
        }
    }

    fn event(&mut self, cluster: &mut Cluster, id: ObjectId, event: &Value) {
        let Some(claim) = cluster.view().get::<PersistentVolumeClaim>(id).cloned() else { return };
        if claim.status.phase != "Pending" {
            return;
        }
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let severity = if event["type"] == "Warning" { EventType::Warning } else { EventType::Normal };
        let recorded = ClaimEvent::new(severity, text("reason"), text("message"), cluster.now());
        let on = format!("PersistentVolumeClaim/{}", claim.metadata.name);
        let shown =
            json!({ "on": on, "type": text("type"), "reason": text("reason"), "message": text("message") });
        // The vectors' environment counts the same again by the claim's name, under the first claim's uid.
        if !self.events.iter().any(|(_, known)| *known == shown) {
            cluster.claim_event(&claim.metadata.uid, recorded);
        }
        self.events.push((cluster.now(), shown));
    }

    fn step(&mut self, cluster: &mut Cluster, id: ObjectId, index: usize) {
        let Some(pod) = cluster.view().get::<Pod>(id).cloned() else { return };
        let step = self.lives[&id][index].clone();
        let words: Vec<&str> = step["do"].as_str().expect("words").split(' ').collect();
        let message = step["msg"].as_str().unwrap_or_default();
        let mut status = datavolume_steps::after(&pod, &words, message, cluster.now());
        if status.container_statuses.first().is_some_and(|first| first.running().is_some()) {
            status.rest.insert("podIP", format!("10.0.0.{}", id.index).into());
        }
        cluster
            .patch::<Pod>(id, |pod| {
                pod.status = status;
                // Pods of the script go at once when they are deleted, as if on no node.
                pod.node_name = "".into();
            })
            .expect("patched");
        let run = self.runs.entry(id).or_default();
        if matches!(words[0], "run" | "restart") {
            *run += 1;
            let run = *run;
            let answers = self.script["progress"].is_array();
            report(cluster, id, answers.then_some(Progress(0)));
            for entry in list(&self.script["progress"].clone()) {
                // Compared in floating point, as the vectors were.
                let seconds = entry[0].as_f64().expect("seconds");
                let of = |time: Time| time.saturating_since(self.start).as_secs_f64();
                let due = after(cluster.now(), seconds);
                let late = of(due) - of(cluster.now()) < seconds;
                let at = if late { after(due, 0.001) } else { due };
                self.plan(at, Act::Report(id, run, Some(progress(&entry[1].to_string()))));
            }
        } else if matches!(words[0], "done" | "evict") {
            *run += 1;
        }
        self.plan_step(id, index + 1, cluster.now());
    }
}

fn report(cluster: &mut Cluster, id: ObjectId, progress: Option<Progress>) {
    cluster.environment_mut().sources.report_progress(format!("10.0.0.{}", id.index), progress);
}

fn bind(cluster: &mut Cluster, id: ObjectId) {
    let Some(claim) = cluster.view().get::<PersistentVolumeClaim>(id).cloned() else { return };
    if claim.status.phase != "Pending" {
        return;
    }
    let name = format!("pv-{}", claim.metadata.uid);
    let volume = json!({
        "kind": "PersistentVolume", "metadata": { "name": name },
        "spec": { "claimRef": { "namespace": "default", "name": claim.metadata.name.as_str(), "uid": claim.metadata.uid.as_str() } },
        "status": { "phase": "Bound" }
    });
    let volume = Object::from_value(&volume).expect("an object").expect("a volume");
    cluster.apply(&volume).expect("created");
    cluster
        .patch::<PersistentVolumeClaim>(id, |claim| {
            claim.spec.volume_name = name.as_str().into();
            claim.status.phase = "Bound".into();
            claim.status.capacity = claim.spec.resources.requests.clone();
        })
        .expect("bound");
}

/// The claim that a clone copies.
fn create_source(cluster: &mut Cluster) {
    let claim = json!({
        "kind": "PersistentVolumeClaim",
        "metadata": { "name": "golden", "annotations": { "cdi.kubevirt.io/storage.contentType": "kubevirt" } },
        "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } },
            "storageClassName": "csi", "volumeMode": "Filesystem", "volumeName": "pv-golden"
        },
        "status": { "phase": "Bound", "capacity": { "storage": "1Gi" } }
    });
    cluster.restore(Object::from_value(&claim).expect("an object")).expect("created");
}

/// An object whose controlling owner is gone.
fn orphan(cluster: &Cluster) -> Option<ObjectId> {
    let view = cluster.view();
    let mut uids: BTreeSet<String> = BTreeSet::new();
    uids.extend(view.iter::<DataVolume>().map(|(_, it)| it.metadata.uid.to_string()));
    uids.extend(view.iter::<PersistentVolumeClaim>().map(|(_, it)| it.metadata.uid.to_string()));
    uids.extend(view.iter::<Pod>().map(|(_, it)| it.metadata.uid.to_string()));
    let is_orphan = |meta: &stuckvm_sim::objects::ObjectMeta| {
        meta.controller().is_some_and(|owner| !uids.contains(owner.uid.as_str()))
    };
    let claims =
        view.iter::<PersistentVolumeClaim>().filter(|(_, it)| is_orphan(&it.metadata)).map(|(id, _)| id);
    let pods = view.iter::<Pod>().filter(|(_, it)| is_orphan(&it.metadata)).map(|(id, _)| id);
    let imports =
        view.iter::<VolumeImportSource>().filter(|(_, it)| is_orphan(&it.metadata)).map(|(id, _)| id);
    let uploads =
        view.iter::<VolumeUploadSource>().filter(|(_, it)| is_orphan(&it.metadata)).map(|(id, _)| id);
    let clones = view.iter::<VolumeCloneSource>().filter(|(_, it)| is_orphan(&it.metadata)).map(|(id, _)| id);
    claims.chain(pods).chain(imports).chain(uploads).chain(clones).next()
}

fn delete<T: stuckvm_sim::Resource>(cluster: &mut Cluster, name: &str) {
    if let Some(id) = find::<T>(cluster, name) {
        cluster.delete::<T>(id).expect("deleted");
    }
}

fn find<T: stuckvm_sim::Resource>(cluster: &Cluster, name: &str) -> Option<ObjectId> {
    cluster.view().named::<T>("default", name).map(|(id, _)| id)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
