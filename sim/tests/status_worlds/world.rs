//! A world of one machine: all that the table of printable statuses looks at, and some of what it must pass over.

use serde_json::{Value, json};
use stuckvm_sim::Object;

/// One machine with what belongs to it. Its parts need not fit together.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) wants: Wants,
    pub(crate) deleting: bool,
    pub(crate) requests: Vec<Request>,
    /// `status.startFailure.consecutiveFailCount`.
    pub(crate) failures: Option<i32>,
    /// `status.runStrategy`.
    pub(crate) wanted: &'static str,
    pub(crate) instance: Option<Instance>,
    pub(crate) volumes: Vec<Volume>,
}

/// `spec.running` and `spec.runStrategy`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wants {
    pub(crate) running: Option<bool>,
    pub(crate) strategy: Option<&'static str>,
}

impl Wants {
    pub(crate) const fn strategy(strategy: &'static str) -> Self {
        Self { running: None, strategy: Some(strategy) }
    }
}

/// A state change request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Start,
    Stop,
    /// For an instance that is gone.
    StopOther,
    /// For no instance in particular.
    StopAny,
    /// Not upstream's, but the API takes it.
    StartThis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Machine,
    Nobody,
    Another,
}

/// An instance of the machine's name.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) owner: Owner,
    pub(crate) deleting: bool,
    pub(crate) phase: &'static str,
    /// Whether its guest ever ran.
    pub(crate) ran: bool,
    /// Status of the condition.
    pub(crate) paused: Option<&'static str>,
    /// Status and reason of the condition.
    pub(crate) synchronized: Option<(&'static str, &'static str)>,
    pub(crate) scheduled: Option<(&'static str, &'static str)>,
    pub(crate) migration: Option<Migration>,
}

impl Instance {
    /// One that the launcher is waited for.
    pub(crate) const fn new() -> Self {
        let (owner, deleting, phase, ran) = (Owner::Machine, false, "Scheduling", false);
        let (paused, synchronized, scheduled, migration) = (None, None, None, None);
        Self { owner, deleting, phase, ran, paused, synchronized, scheduled, migration }
    }
}

/// Start and end, before now, now or later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    pub(crate) start: Option<&'static str>,
    pub(crate) end: Option<&'static str>,
}

/// A volume of the machine, and what there is of its name.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    pub(crate) kind: VolumeKind,
    /// Whether the machine has a template for the DataVolume.
    pub(crate) templated: bool,
    pub(crate) data_volume: Option<DataVolume>,
    /// The phase of the claim.
    pub(crate) claim: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VolumeKind {
    DataVolume,
    Claim,
    Dump,
    Image,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct DataVolume {
    pub(crate) phase: &'static str,
    /// Status of the condition.
    pub(crate) bound: Option<&'static str>,
    /// Status and reason of the condition.
    pub(crate) running: Option<(&'static str, &'static str)>,
}

pub(crate) const PAST: &str = "2001-02-03T04:05:06Z";
pub(crate) const NOW: &str = "2026-06-01T12:00:00Z";
pub(crate) const FUTURE: &str = "2099-01-01T00:00:00Z";

impl World {
    /// The objects of a machine of this name.
    pub(crate) fn objects(&self, namespace: &str, name: &str) -> Vec<Object> {
        let names = Names { namespace, name };
        let volumes = self.volumes.iter().enumerate();
        let belongings = volumes.flat_map(|(index, volume)| volume.objects(names, index));
        let instance = self.instance.iter().map(|instance| self.instance(instance, names));
        let values = [self.machine(names)].into_iter().chain(instance).chain(belongings);
        let object = |value| Object::from_value(&value).expect("a readable object").expect("a known kind");
        values.map(object).collect()
    }

    fn machine(&self, names: Names<'_>) -> Value {
        let failure = |count| json!({"consecutiveFailCount": count, "lastFailedVMIUID": "uid-gone", "retryAfterTimestamp": PAST});
        let templates = self.volumes.iter().enumerate().filter(|(_, volume)| volume.templated);
        let template = |index| {
            json!({"metadata": {"name": names.disk(index)}, "spec": {"source": {"blank": {}},
                "storage": {"resources": {"requests": {"storage": "1Gi"}}}}})
        };
        let mut spec = json!({
            "dataVolumeTemplates": templates.map(|(index, _)| template(index)).collect::<Vec<_>>(),
            "template": {"spec": self.template(names)},
        });
        for (key, value) in
            [("running", json!(self.wants.running)), ("runStrategy", json!(self.wants.strategy))]
        {
            if !value.is_null() {
                spec[key] = value;
            }
        }
        let requests = self.requests.iter().map(|request| request.value(names));
        json!({
            "kind": "VirtualMachine",
            "metadata": metadata(names, names.name, "vm", self.deleting),
            "spec": spec,
            "status": {
                "printableStatus": "Stopped", "runStrategy": self.wanted, "startFailure": self.failures.map(failure),
                "stateChangeRequests": requests.collect::<Vec<_>>(),
            },
        })
    }

    fn template(&self, names: Names<'_>) -> Value {
        let volumes = self.volumes.iter().enumerate();
        let volumes: Vec<_> = volumes.map(|(index, volume)| volume.source(&names.disk(index))).collect();
        json!({"domain": {"memory": {"guest": "1Gi"}, "devices": {}}, "volumes": volumes})
    }

    fn instance(&self, instance: &Instance, names: Names<'_>) -> Value {
        let condition = |kind, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "lastTransitionTime": PAST});
        let conditions = [("Synchronized", instance.synchronized), ("PodScheduled", instance.scheduled)];
        let conditions = conditions
            .into_iter()
            .chain([("Paused", instance.paused.map(|status| (status, "PausedByUser")))]);
        let conditions =
            conditions.filter_map(|(kind, it)| it.map(|(status, reason)| condition(kind, status, reason)));
        let owners = match instance.owner {
            Owner::Machine => json!([owner(names.name, &names.uid("vm"))]),
            Owner::Another => json!([owner(names.name, "uid-other")]),
            Owner::Nobody => json!([]),
        };
        let mut metadata = metadata(names, names.name, "vmi", instance.deleting);
        metadata["ownerReferences"] = owners;
        let migration =
            instance.migration.map(|it| json!({"startTimestamp": it.start, "endTimestamp": it.end}));
        let ran = instance.ran.then(|| json!({"phase": "Running", "phaseTransitionTimestamp": PAST}));
        json!({
            "kind": "VirtualMachineInstance", "metadata": metadata, "spec": self.template(names),
            "status": {
                "phase": instance.phase, "conditions": conditions.collect::<Vec<_>>(), "migrationState": migration,
                "phaseTransitionTimestamps": ran.into_iter().collect::<Vec<_>>(),
            },
        })
    }
}

impl Request {
    fn value(self, names: Names<'_>) -> Value {
        match self {
            Self::Start => json!({"action": "Start"}),
            Self::Stop => json!({"action": "Stop", "uid": names.uid("vmi")}),
            Self::StopOther => json!({"action": "Stop", "uid": "uid-gone"}),
            Self::StopAny => json!({"action": "Stop"}),
            Self::StartThis => json!({"action": "Start", "uid": names.uid("vmi")}),
        }
    }
}

impl Volume {
    fn source(&self, disk: &str) -> Value {
        let (key, source) = match self.kind {
            VolumeKind::DataVolume => ("dataVolume", json!({"name": disk})),
            VolumeKind::Claim => ("persistentVolumeClaim", json!({"claimName": disk})),
            VolumeKind::Dump => ("memoryDump", json!({"claimName": disk})),
            VolumeKind::Image => ("containerDisk", json!({"image": disk})),
        };
        json!({"name": disk, key: source})
    }

    fn objects(&self, names: Names<'_>, index: usize) -> Vec<Value> {
        let disk = names.disk(index);
        let data_volume = self.data_volume.map(|dv| {
            let bound = dv.bound.map(|status| json!({"type": "Bound", "status": status}));
            let running = dv.running.map(|(status, reason)| json!({"type": "Running", "status": status, "reason": reason}));
            json!({
                "kind": "DataVolume", "metadata": metadata(names, &disk, "dv", false), "spec": {"source": {"blank": {}}},
                "status": {"phase": dv.phase, "conditions": bound.into_iter().chain(running).collect::<Vec<_>>()},
            })
        });
        let claim = self.claim.map(|phase| {
            json!({"kind": "PersistentVolumeClaim", "metadata": metadata(names, &disk, "pvc", false), "spec": {},
                "status": {"phase": phase}})
        });
        data_volume.into_iter().chain(claim).collect()
    }
}

/// Where the objects of a world lie.
#[derive(Clone, Copy)]
struct Names<'a> {
    namespace: &'a str,
    name: &'a str,
}

impl Names<'_> {
    fn disk(self, index: usize) -> String {
        format!("{}-d{index}", self.name)
    }

    fn uid(self, kind: &str) -> String {
        format!("uid-{}-{}-{kind}", self.namespace, self.name)
    }
}

fn metadata(names: Names<'_>, name: &str, kind: &str, deleting: bool) -> Value {
    let uid = Names { name, ..names }.uid(kind);
    let mut metadata =
        json!({"name": name, "namespace": names.namespace, "uid": uid, "finalizers": ["test/kept"]});
    if deleting {
        metadata["deletionTimestamp"] = PAST.into();
    }
    metadata
}

fn owner(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": name, "uid": uid, "controller": true})
}
