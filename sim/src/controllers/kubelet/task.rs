//! What the kubelet's work is, as the work queue carries it.

use crate::kind::ObjectId;
use crate::work_queue::Work;

/// One kind of the kubelet's work on a pod; the number's meaning follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// The pod has changed in the API.
    Pod = 0,
    /// The sync loop's tick finds the pod due; the number is that of the requeue.
    Tick,
    /// A relist.
    Relist,
    /// A probe is due; the number is its place in the worker's list.
    Probe,
    /// A sync looks for the volumes that it waits for.
    Volumes,
    /// A volume may be tried again; the number is its place in the pod.
    Mount,
    /// All statuses are compared with the API's.
    Status,
    /// The machine is back.
    Return,
    /// The sandbox is there.
    Sandbox,
    /// A pull has ended.
    Pulled,
    /// A container has been started; the number is its slot.
    Started,
    /// A container has ended; the number is its run.
    Exited,
    /// A container that was told to stop has ended; the number is its run.
    Stopped,
}

impl Task {
    const ALL: [Self; 13] = [
        Self::Pod,
        Self::Tick,
        Self::Relist,
        Self::Probe,
        Self::Volumes,
        Self::Mount,
        Self::Status,
        Self::Return,
        Self::Sandbox,
        Self::Pulled,
        Self::Started,
        Self::Exited,
        Self::Stopped,
    ];

    /// This work on a pod.
    pub(super) fn of(self, id: ObjectId, number: u32) -> Work {
        Work { id, what: self as u16, number }
    }

    /// Which it is.
    pub(super) fn from_work(work: Work) -> Self {
        Self::ALL[usize::from(work.what)]
    }

    /// Whether the world completes it, rather than the kubelet's own loops.
    pub(super) fn is_completion(self) -> bool {
        self as u16 >= Self::Sandbox as u16
    }
}

/// A run of a container as one number: the slot above, the restarts below.
pub(super) fn run_number(slot: usize, restarts: u32) -> u32 {
    let slot = u32::try_from(slot).expect("a pod has few containers");
    assert!(slot < 1 << 10 && restarts < 1 << 22, "slot {slot} and {restarts} restarts fit into one number");
    slot << 22 | restarts
}

/// Slot and restarts of such a number.
pub(super) fn slot_and_restarts(number: u32) -> (usize, u32) {
    ((number >> 22) as usize, number & ((1 << 22) - 1))
}
