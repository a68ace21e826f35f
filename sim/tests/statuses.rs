//! `statuses` on the objects as they stand, beside what the simulated VM controller last wrote: they agree at every
//! instant of random plays of the whole cluster, or they differ for a reason that has a name and is checked.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::{PrintableStatus, Time};
use stuckvm_sim::environment::{Image, LauncherFault};
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{
    DataVolume, Node, PersistentVolumeClaim, VirtualMachine, VirtualMachineInstance, VmVolume,
};
use stuckvm_sim::{Cluster, Config, Kind, Object, Random, Resource, VmStatus, kubevirt, statuses};

const DISK: &str = "registry.example/disk:v1";
const PLAYS: u64 = 40;

/// Why the stored status is not that of the objects as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Staleness {
    /// What has changed is on its way to the VM controller: less than a reaction has passed.
    OnItsWay,
    /// A claim has turned, of which the VM controller hears nothing: it looks again when something else happens.
    ClaimUnheard,
}

/// When the objects of a name were last written.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    /// So that the VM controller hears of it.
    heard: Option<Time>,
    /// So that it does not.
    unheard: Option<Time>,
}

struct Play {
    cluster: Cluster,
    random: Random,
    written: BTreeMap<(Kind, String), Written>,
    seen: BTreeSet<String>,
    reasons: BTreeSet<Staleness>,
}

impl Play {
    fn new(seed: u64) -> Self {
        let cluster = Cluster::new(Config { seed, keep_journal: true, ..Config::default() });
        let random = Random::new(seed);
        let (written, seen, reasons) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let mut play = Self { cluster, random, written, seen, reasons };
        for name in ["node-a", "node-b"] {
            play.node(name);
        }
        for (name, mode) in [("csi", "Immediate"), ("late", "WaitForFirstConsumer")] {
            play.apply(
                json!({"kind": "StorageClass", "metadata": {"name": name}, "provisioner": "csi.example",
                "volumeBindingMode": mode}),
            );
        }
        for number in 0..play.draw(1, 3) {
            play.machine(&format!("vm{number}"));
        }
        play
    }

    fn draw(&mut self, low: u64, high: u64) -> u64 {
        self.random.uniform("play", low..=high)
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let last = choices.len() as u64 - 1;
        choices[self.draw(0, last) as usize]
    }

    fn apply(&mut self, object: serde_json::Value) {
        let object = Object::from_value(&object).expect("a readable object").expect("a known kind");
        // What is there already, or is refused, is left as it is.
        let _ = self.cluster.apply(&object);
    }

    fn node(&mut self, name: &str) {
        let memory = self.one_of(&["500Mi", "4Gi"]);
        let node = json!({"metadata": {"name": name},
            "status": {"allocatable": {"cpu": "8", "memory": memory, "pods": "110", "ephemeral-storage": "100G"}}});
        let mut node: Node = serde_json::from_value(node).expect("a node");
        kubevirt::equip_node(&mut node);
        self.cluster.create(node).expect("a new node");
    }

    /// A machine with a disk that is there, or one of those that are not.
    fn machine(&mut self, name: &str) {
        let strategy = self.one_of(&["Always", "RerunOnFailure", "Manual", "Halted", "Once"]);
        let disk = self.one_of(&["none", "image", "claim", "late", "import"]);
        let volumes = match disk {
            "image" => json!([{"name": "root", "containerDisk": {"image": DISK}}]),
            "claim" => json!([{"name": "root", "persistentVolumeClaim": {"claimName": "data"}}]),
            "late" => {
                json!([{"name": "root", "persistentVolumeClaim": {"claimName": format!("{name}-late")}}])
            }
            "import" => json!([{"name": "root", "dataVolume": {"name": format!("{name}-root")}}]),
            _ => json!([]),
        };
        if disk == "late" {
            self.claim(&format!("{name}-late"), "late");
        }
        let templates = if disk == "import" {
            json!([{"metadata": {"name": format!("{name}-root")}, "spec": {
                "source": {"http": {"url": "http://images.example/disk.img"}},
                "storage": {"storageClassName": "csi", "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}}}}}])
        } else {
            json!([])
        };
        self.apply(json!({"kind": "VirtualMachine", "metadata": {"name": name, "namespace": "default"},
            "spec": {"runStrategy": strategy, "dataVolumeTemplates": templates,
                "template": {"spec": {"domain": {"memory": {"guest": "1Gi"}, "devices": {}}, "volumes": volumes}}}}));
    }

    fn step(&mut self) {
        let name = self.one_of(&["vm0", "vm1", "vm2"]);
        let act = self.one_of(&[
            "start",
            "stop",
            "restart",
            "delete vm",
            "delete vmi",
            "cordon",
            "uncordon",
            "claim",
            "volume",
            "push",
            "remove",
            "break",
            "heal",
            "again",
        ]);
        // What is not possible just now is refused, as for any user.
        match act {
            "start" => drop(self.cluster.start_vm("default", name)),
            "stop" => drop(self.cluster.stop_vm("default", name)),
            "restart" => drop(self.cluster.restart_vm("default", name)),
            "delete vm" => self.delete(Kind::VirtualMachine, name),
            "delete vmi" => self.delete(Kind::VirtualMachineInstance, name),
            "cordon" | "uncordon" => self.cordon(act == "cordon"),
            "claim" => self.claim("data", "none"),
            "volume" => self.apply(json!({"kind": "PersistentVolume", "metadata": {"name": "pv1"},
                "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "capacity": {"storage": "1Gi"},
                    "nfs": {"server": "nfs.example", "path": "/data"}}})),
            "push" => self.cluster.environment_mut().registry.push(DISK, Image { size_bytes: 1 << 20 }),
            "remove" => self.cluster.environment_mut().registry.remove(DISK),
            "break" => {
                let launchers = &mut self.cluster.environment_mut().launchers;
                launchers.break_launcher("default", name, LauncherFault::CrashAtStart);
            }
            "heal" => self.cluster.environment_mut().launchers.heal_launcher("default", name),
            _ => self.machine(name),
        }
    }

    fn claim(&mut self, name: &str, class: &str) {
        self.apply(json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "1Gi"}}}}));
    }

    fn delete(&mut self, kind: Kind, name: &str) {
        if let Some((id, _)) = self.cluster.find(kind, "default", name) {
            self.cluster.delete_object(id).expect("an object that is there");
        }
    }

    fn cordon(&mut self, unschedulable: bool) {
        for name in ["node-a", "node-b"] {
            let (id, _) = self.cluster.find(Kind::Node, "", name).expect("the node stays");
            let patch = json!({"spec": {"unschedulable": unschedulable}});
            self.cluster.merge_patch(id, &patch).expect("a patch that fits");
        }
    }

    /// Ten minutes with a step in each, and a look at every instant.
    fn run(&mut self) {
        for _ in 0..10 {
            let until = self.cluster.now() + Duration::from_millis(self.draw(1, 60_000));
            self.settle();
            while let Some(at) = self.cluster.next_at().filter(|at| *at < until) {
                self.cluster.advance_to(at);
                self.settle();
            }
            self.cluster.advance_to(until);
            self.step();
        }
    }

    fn settle(&mut self) {
        self.cluster.settle().expect("an instant that comes to rest");
        let journal = self.cluster.take_journal();
        journal.iter().for_each(|entry| self.note(entry));
        let objects = objects(&self.cluster);
        for computed in statuses(&objects, self.cluster.now()).expect("names of their own") {
            self.look(&computed);
        }
    }

    fn note(&mut self, entry: &Entry) {
        let Entry::Write { at, old, new, .. } = entry else { return };
        let object = new.as_ref().or(old.as_ref()).expect("a write is of something");
        let written = self.written.entry((object.kind(), object.metadata().name.to_string())).or_default();
        let unheard = object.kind() == Kind::PersistentVolumeClaim && (old.is_some() || new.is_none());
        let instant = if unheard { &mut written.unheard } else { &mut written.heard };
        *instant = Some(*at);
    }

    fn look(&mut self, computed: &VmStatus) {
        let vm = self.cluster.view().named::<VirtualMachine>(&computed.namespace, &computed.name);
        let vm = vm.expect("a machine that has a status").1.clone();
        let stored = vm.status.printable_status;
        self.seen.insert(stored.to_string());
        if stored == computed.status {
            return;
        }
        let reason = self.staleness(&vm, stored, computed.status);
        let reason = reason.unwrap_or_else(|| {
            panic!(
                "seed {}, {}: {} is {stored:?}, the objects say {:?} ({})",
                self.random.seed(),
                self.cluster.now(),
                computed.name,
                computed.status,
                computed.because
            )
        });
        self.reasons.insert(reason);
    }

    fn staleness(
        &self,
        vm: &VirtualMachine,
        stored: PrintableStatus,
        computed: PrintableStatus,
    ) -> Option<Staleness> {
        let now = self.cluster.now();
        let reaction = self.cluster.config().latency.reaction;
        let written =
            |kind, name: &str| self.written.get(&(kind, name.to_owned())).copied().unwrap_or_default();
        let template = vm.spec.template.as_ref().expect("a template");
        let disks: Vec<&str> =
            template.spec.volumes.iter().filter_map(VmVolume::claim_name).map(|name| name.as_str()).collect();
        let own = [Kind::VirtualMachine, Kind::VirtualMachineInstance];
        let own = own.into_iter().map(|kind| written(kind, &vm.metadata.name));
        let theirs = disks
            .iter()
            .flat_map(|name| [written(Kind::DataVolume, name), written(Kind::PersistentVolumeClaim, name)]);
        let heard = own.chain(theirs).filter_map(|written| written.heard).max();
        if heard.is_some_and(|at| now < at + reaction) {
            return Some(Staleness::OnItsWay);
        }
        let unheard =
            disks.iter().filter_map(|name| written(Kind::PersistentVolumeClaim, name).unheard).max();
        let about_claims = [stored, computed].contains(&PrintableStatus::WaitingForVolumeBinding);
        // Its last look, a reaction after what it heard last, did not show the claim as it is.
        let turned = unheard.is_some_and(|at| heard.is_none_or(|heard| at > heard));
        (about_claims && turned).then_some(Staleness::ClaimUnheard)
    }
}

fn objects(cluster: &Cluster) -> Vec<Object> {
    fn all<T: Resource>(cluster: &Cluster) -> impl Iterator<Item = Object> {
        cluster.view().iter::<T>().map(|(_, object)| T::wrap(object.clone()))
    }
    all::<VirtualMachine>(cluster)
        .chain(all::<VirtualMachineInstance>(cluster))
        .chain(all::<DataVolume>(cluster))
        .chain(all::<PersistentVolumeClaim>(cluster))
        .collect()
}

#[test]
fn the_stored_status_is_that_of_the_objects_or_stale_for_a_reason() {
    let (mut seen, mut reasons) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..PLAYS {
        let mut play = Play::new(seed);
        play.run();
        seen.append(&mut play.seen);
        reasons.append(&mut play.reasons);
    }
    let all = [Staleness::OnItsWay, Staleness::ClaimUnheard];
    assert_eq!(reasons, BTreeSet::from(all), "the plays reach every reason");
    assert!(seen.len() >= 10, "the plays reach many statuses: {seen:?}");
}
