//! Random plays of the whole cluster: machines with every kind of disk, and everything that a scenario's step can do to them.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use stuckvm_sim::environment::{Image, LauncherFault, Source};
use stuckvm_sim::objects::{Node, Pod};
use stuckvm_sim::{Cluster, Config, Kind, Object, Random, kubevirt};

use super::deafness::Deafness;

const DISK: &str = "registry.example/disk:v1";
const URL: &str = "http://images.example/disk.img";
const NODES: [&str; 2] = ["node-a", "node-b"];

/// A cluster, what is drawn for it, and what has been done to it.
pub(crate) struct Play {
    pub(crate) cluster: Cluster,
    pub(crate) random: Random,
    pub(crate) deafness: Deafness,
    /// The steps that took effect.
    pub(crate) done: BTreeSet<&'static str>,
}

/// The machines of a play.
const MACHINES: [&str; 3] = ["vm0", "vm1", "vm2"];

/// A step: its name, and what it does to the machine of a name. Returns whether it took effect.
type Step = (&'static str, fn(&mut Play, &str) -> bool);

/// All that users do and that breaks or heals. What is not possible just now is refused, as for any user.
pub(crate) const STEPS: [Step; 37] = [
    ("again", |play, name| play.machine(name)),
    ("start", |play, name| play.cluster.start_vm("default", name).is_ok()),
    ("start paused", |play, name| play.cluster.start_vm_paused("default", name).is_ok()),
    ("stop", |play, name| play.cluster.stop_vm("default", name).is_ok()),
    ("restart", |play, name| play.cluster.restart_vm("default", name).is_ok()),
    ("pause", |play, name| play.cluster.pause_vm("default", name).is_ok()),
    // Of whichever machine stands still: few do.
    ("unpause", |play, _| MACHINES.iter().any(|name| play.cluster.unpause_vm("default", name).is_ok())),
    ("another strategy", |play, name| play.another_strategy(name)),
    ("panic", |play, name| play.cluster.panic_guest("default", name)),
    ("power off", |play, name| play.cluster.power_off_guest("default", name)),
    ("delete vm", |play, name| play.delete(Kind::VirtualMachine, name)),
    ("delete vmi", |play, name| play.delete(Kind::VirtualMachineInstance, name)),
    ("delete launcher", |play, name| play.delete_launcher(name)),
    ("delete disk", |play, name| play.delete(Kind::DataVolume, &format!("{name}-root"))),
    ("delete disk's claim", |play, name| play.delete(Kind::PersistentVolumeClaim, &format!("{name}-root"))),
    ("lose disk's volume", |play, name| play.lose_volume(&format!("{name}-root"))),
    ("upload", |play, name| play.cluster.upload_image("default", &format!("{name}-root"), 1 << 20).is_ok()),
    ("claim", |play, _| play.claim("data", "none")),
    ("volume", |play, _| {
        play.apply(json!({"kind": "PersistentVolume", "metadata": {"name": "pv1"},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "capacity": {"storage": "1Gi"},
                "nfs": {"server": "nfs.example", "path": "/data"}}}))
    }),
    ("cordon", |play, _| play.each_node(|cluster, node| cluster.set_unschedulable(node, true).is_ok())),
    ("uncordon", |play, _| play.each_node(|cluster, node| cluster.set_unschedulable(node, false).is_ok())),
    ("drain", |play, _| play.cluster.drain_node("node-a").is_ok()),
    ("lose node", |play, _| play.machine_is_lost(true)),
    ("node is back", |play, _| play.machine_is_lost(false)),
    ("push", |play, _| play.world(|world| world.registry.push(DISK, Image { size_bytes: 1 << 20 }))),
    ("remove", |play, _| play.world(|world| world.registry.remove(DISK))),
    ("put", |play, _| play.world(|world| world.sources.put(URL, Source::Image { size_bytes: 1 << 20 }))),
    ("put another", |play, _| {
        play.world(|world| world.sources.put(URL, Source::ChecksumMismatch { size_bytes: 1 << 20 }))
    }),
    ("take away", |play, _| play.world(|world| world.sources.remove(URL))),
    ("break", |play, name| play.break_launcher(name, LauncherFault::CrashAtStart)),
    ("break domain", |play, name| play.break_launcher(name, LauncherFault::DomainCannotStart)),
    ("heal", |play, name| play.world(|world| world.launchers.heal_launcher("default", name))),
    ("refuse", |play, _| play.refuse()),
    ("allow", |play, _| play.allow()),
    ("overwrite phase", |play, name| play.overwrite(name, "Unknown")),
    ("write phase back", |play, name| play.overwrite(name, "Running")),
    ("deafen", Play::deafen_or_tell),
];

impl Play {
    pub(crate) fn new(seed: u64) -> Self {
        let cluster = Cluster::new(Config { seed, keep_journal: true, ..Config::default() });
        let mut play =
            Self { cluster, random: Random::new(seed), deafness: Deafness::default(), done: BTreeSet::new() };
        NODES.iter().for_each(|name| play.node(name));
        for (name, mode) in [("csi", "Immediate"), ("late", "WaitForFirstConsumer")] {
            play.apply(
                json!({"kind": "StorageClass", "metadata": {"name": name}, "provisioner": "csi.example",
                "volumeBindingMode": mode}),
            );
        }
        if play.draw(0, 1) == 1 {
            // Copies are made of snapshots then, and by two pods otherwise.
            play.apply(
                json!({"kind": "VolumeSnapshotClass", "metadata": {"name": "snap"}, "driver": "csi.example",
                "deletionPolicy": "Delete"}),
            );
        }
        play.claim("golden", "csi");
        for number in 0..play.draw(1, 3) {
            play.machine(&format!("vm{number}"));
        }
        play
    }

    pub(crate) fn draw(&mut self, low: u64, high: u64) -> u64 {
        self.random.uniform("play", low..=high)
    }

    pub(crate) fn step(&mut self) {
        let name = self.one_of(&MACHINES);
        let last = STEPS.len() as u64 - 1;
        let (step, act) = STEPS[self.draw(0, last) as usize];
        if act(self, name) {
            self.done.insert(step);
        }
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let last = choices.len() as u64 - 1;
        choices[self.draw(0, last) as usize]
    }

    fn world(&mut self, change: impl Fn(&mut stuckvm_sim::environment::Environment)) -> bool {
        change(self.cluster.environment_mut());
        true
    }

    /// Whether it is new, and not refused.
    fn apply(&mut self, object: Value) -> bool {
        let object = Object::from_value(&object).expect("a readable object").expect("a known kind");
        self.cluster.apply(&object).is_ok()
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
    fn machine(&mut self, name: &str) -> bool {
        let strategy = self.one_of(&["Always", "RerunOnFailure", "Manual", "Halted", "Once"]);
        let disk =
            self.one_of(&["none", "image", "claim", "late", "http", "registry", "blank", "upload", "pvc"]);
        let template = self.template(name, disk);
        let volumes = match disk {
            "none" => json!([]),
            "image" => json!([{"name": "root", "containerDisk": {"image": DISK}}]),
            "claim" => json!([{"name": "root", "persistentVolumeClaim": {"claimName": "data"}}]),
            "late" => {
                json!([{"name": "root", "persistentVolumeClaim": {"claimName": format!("{name}-late")}}])
            }
            _ => json!([{"name": "root", "dataVolume": {"name": format!("{name}-root")}}]),
        };
        if disk == "late" {
            self.claim(&format!("{name}-late"), "late");
        }
        self.apply(json!({"kind": "VirtualMachine", "metadata": {"name": name, "namespace": "default"},
            "spec": {"runStrategy": strategy, "dataVolumeTemplates": template.into_iter().collect::<Value>(),
                "template": {"spec": {"domain": {"memory": {"guest": "1Gi"}, "devices": {}}, "volumes": volumes}}}}))
    }

    /// The disk that is filled for a machine, if it is one of those.
    fn template(&mut self, name: &str, disk: &str) -> Option<Value> {
        let source = match disk {
            "http" => json!({"url": URL, "checksum": "sha256:00"}),
            "registry" => {
                json!({"url": format!("docker://{DISK}"), "pullMethod": self.one_of(&["node", "pod"])})
            }
            "blank" | "upload" => json!({}),
            "pvc" => json!({"namespace": "default", "name": "golden"}),
            _ => return None,
        };
        let class = self.one_of(&["csi", "late", "none"]);
        Some(json!({"metadata": {"name": format!("{name}-root")}, "spec": {"source": {disk: source},
            "storage": {"storageClassName": class, "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}}}}}))
    }

    fn claim(&mut self, name: &str, class: &str) -> bool {
        self.apply(json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "1Gi"}}}}))
    }

    fn another_strategy(&mut self, name: &str) -> bool {
        let strategy = self.one_of(&["Always", "RerunOnFailure", "Manual", "Halted", "Once"]);
        let found = self.cluster.find(Kind::VirtualMachine, "default", name);
        let patch = json!({"spec": {"runStrategy": strategy}});
        found.is_some_and(|(id, _)| self.cluster.merge_patch(id, &patch).is_ok())
    }

    fn delete(&mut self, kind: Kind, name: &str) -> bool {
        let found = self.cluster.find(kind, "default", name);
        found.is_some_and(|(id, _)| self.cluster.delete_object(id).is_ok())
    }

    fn delete_launcher(&mut self, name: &str) -> bool {
        let prefix = format!("virt-launcher-{name}-");
        let launcher =
            self.cluster.view().iter::<Pod>().find(|(_, pod)| pod.metadata.name.starts_with(&prefix));
        let name = launcher.map(|(_, pod)| pod.metadata.name.clone());
        name.is_some_and(|name| self.delete(Kind::Pod, &name))
    }

    /// Its volume goes in spite of its finalizer, as when somebody forces it.
    fn lose_volume(&mut self, claim: &str) -> bool {
        let Some((_, Object::PersistentVolumeClaim(claim))) =
            self.cluster.find(Kind::PersistentVolumeClaim, "default", claim)
        else {
            return false;
        };
        let Some((id, _)) = self.cluster.find(Kind::PersistentVolume, "", &claim.spec.volume_name) else {
            return false;
        };
        let free = self.cluster.merge_patch(id, &json!({"metadata": {"finalizers": null}}));
        free.is_ok() && self.cluster.delete_object(id).is_ok()
    }

    fn each_node(&mut self, change: impl Fn(&mut Cluster, &str) -> bool) -> bool {
        NODES.iter().filter(|node| change(&mut self.cluster, node)).count() > 0
    }

    fn machine_is_lost(&mut self, lost: bool) -> bool {
        let node = self.one_of(&NODES);
        self.cluster.set_machine(node, lost);
        true
    }

    fn break_launcher(&mut self, name: &str, fault: LauncherFault) -> bool {
        self.world(|world| world.launchers.break_launcher("default", name, fault))
    }

    fn refuse(&mut self) -> bool {
        let kinds = [Kind::Pod, Kind::PersistentVolumeClaim, Kind::DataVolume, Kind::VirtualMachineInstance];
        let kind = kinds[self.draw(0, kinds.len() as u64 - 1) as usize];
        self.world(|world| world.admission.refuse(kind, "default", "exceeded quota: all"))
    }

    fn allow(&mut self) -> bool {
        self.world(|world| {
            for kind in Kind::ALL {
                world.admission.allow(kind, "default");
            }
        })
    }

    fn overwrite(&mut self, name: &str, phase: &str) -> bool {
        let now = self.cluster.find(Kind::VirtualMachineInstance, "default", name);
        let Some((_, Object::VirtualMachineInstance(vmi))) = now else { return false };
        let fits = (vmi.status.phase == "Unknown") == (phase == "Running");
        fits && self.cluster.overwrite_instance_phase("default", name, phase).is_some()
    }

    /// What ails the VM controller, if anything does, ends; else something begins.
    fn deafen_or_tell(&mut self, _: &str) -> bool {
        let choice = self.draw(0, 5) as usize;
        self.deafness.turn(&mut self.cluster, choice);
        true
    }
}
