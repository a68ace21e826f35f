//! What a container runtime knows of one pod: its sandbox and its containers (CRI v1, as kubelet 1.36.2 reads it).

use crate::objects::{Container, Pod};
use arcstr::ArcStr;
use stuckvm_detector::Time;

/// What the runtime holds of one pod.
///
/// Containers are addressed by slot: init containers first, then the regular ones, both in the order of the spec.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodRuntime {
    /// The pod's sandbox.
    pub sandbox: Sandbox,
    /// By slot, newest first.
    pub containers: Vec<Vec<ContainerRecord>>,
}

/// The state of a pod's sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sandbox {
    /// There is none.
    #[default]
    None,
    /// It has its network.
    Ready,
    /// It has been stopped, or died.
    NotReady,
}

/// One run of a container.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerRecord {
    /// How often the container had been started before.
    pub restarts: u32,
    /// What became of it.
    pub state: RunState,
}

/// The state of one run of a container.
#[derive(Clone, Debug, PartialEq)]
pub enum RunState {
    /// Made, but never started.
    Created,
    /// Running.
    Running {
        /// Since when.
        started: Time,
    },
    /// Over.
    Exited(Box<Exit>),
    /// The runtime lost track of it.
    Unknown,
}

/// How a run of a container ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exit {
    /// The exit code.
    pub code: i32,
    /// Completed, Error, OOMKilled, StartError.
    pub reason: ArcStr,
    /// The termination message.
    pub message: ArcStr,
    /// When it had started.
    pub started: Option<Time>,
    /// When it ended.
    pub finished: Option<Time>,
}

impl PodRuntime {
    /// Nothing yet, with a place for each container of the pod.
    pub fn of(pod: &Pod) -> Self {
        let slots = pod.spec.init_containers.len() + pod.spec.containers.len();
        Self { sandbox: Sandbox::None, containers: vec![Vec::new(); slots] }
    }

    /// The newest run in a slot.
    pub fn newest(&self, slot: usize) -> Option<&ContainerRecord> {
        self.containers[slot].first()
    }

    /// Whether the newest run in a slot is running.
    pub fn is_running(&self, slot: usize) -> bool {
        self.newest(slot).is_some_and(ContainerRecord::is_running)
    }

    /// The newest run that ended in a slot.
    pub(super) fn newest_exit(&self, slot: usize) -> Option<&Exit> {
        self.containers[slot].iter().find_map(ContainerRecord::exit)
    }

    /// Adds a run; of those before, the newest is kept.
    pub(super) fn add(&mut self, slot: usize, record: ContainerRecord) {
        let records = &mut self.containers[slot];
        records.truncate(1);
        records.insert(0, record);
    }

    /// Whether a relist that compares the two finds a difference.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let same = |a: &ContainerRecord, b: &ContainerRecord| {
            a.restarts == b.restarts && std::mem::discriminant(&a.state) == std::mem::discriminant(&b.state)
        };
        let pairs = self.containers.iter().zip(&other.containers);
        self.sandbox == other.sandbox
            && self.containers.len() == other.containers.len()
            && pairs.into_iter().all(|(a, b)| match (a.first(), b.first()) {
                (Some(a), Some(b)) => same(a, b),
                (a, b) => a.is_none() && b.is_none(),
            })
    }
}

impl ContainerRecord {
    /// Whether it is running.
    pub fn is_running(&self) -> bool {
        matches!(self.state, RunState::Running { .. })
    }

    /// How it ended, if it did.
    pub fn exit(&self) -> Option<&Exit> {
        match &self.state {
            RunState::Exited(exit) => Some(exit),
            _ => None,
        }
    }
}

/// Slots of a pod's containers.
pub(super) trait Slots {
    /// The container in a slot.
    fn container(&self, slot: usize) -> &Container;

    /// Whether the slot is that of an init container.
    fn is_init(&self, slot: usize) -> bool;

    /// Whether the slot is that of an init container that runs beside the others.
    fn is_sidecar(&self, slot: usize) -> bool;

    /// How many slots there are.
    fn slots(&self) -> usize;

    /// The slots of the regular containers.
    fn regular(&self) -> std::ops::Range<usize>;
}

impl Slots for Pod {
    fn container(&self, slot: usize) -> &Container {
        let init = self.spec.init_containers.len();
        if slot < init { &self.spec.init_containers[slot] } else { &self.spec.containers[slot - init] }
    }

    fn is_init(&self, slot: usize) -> bool {
        slot < self.spec.init_containers.len()
    }

    fn is_sidecar(&self, slot: usize) -> bool {
        self.is_init(slot) && self.container(slot).restart_policy.as_deref() == Some("Always")
    }

    fn slots(&self) -> usize {
        self.spec.init_containers.len() + self.spec.containers.len()
    }

    fn regular(&self) -> std::ops::Range<usize> {
        self.spec.init_containers.len()..self.slots()
    }
}
