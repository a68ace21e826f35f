//! What happened, one line an event, and the digest of it.

use crate::objects::{
    Condition, DataVolume, Node, PersistentVolume, PersistentVolumeClaim, Pod, PriorityClass, StorageClass,
    Truth, VirtualMachine, VirtualMachineInstance, VolumeCloneSource, VolumeImportSource, VolumeSourceSpec,
    VolumeUploadSource,
};
use std::fmt::Write as _;
use stuckvm_detector::{PrintableStatus, Time};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// One line of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// When.
    pub at: Time,
    /// Who: a controller, `step` or `environment`.
    pub actor: &'static str,
    /// What: `create`, `update`, `delete`, `remove`, `event` or a fault's verb.
    pub verb: &'static str,
    /// On what: the kind, and namespace and name.
    pub object: String,
    /// The rest.
    pub detail: String,
}

impl std::fmt::Display for TraceLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { at, actor, verb, object, detail } = self;
        write!(f, "{at:<30} {actor:<24} {verb:<7} {object} {detail}")
    }
}

/// Collects what happened: always as a digest, as lines only when asked to.
#[derive(Debug)]
pub struct Trace {
    digest: u64,
    events: u64,
    lines: Option<Vec<TraceLine>>,
    buffer: String,
}

impl Trace {
    /// A trace that keeps its lines, or only the digest.
    pub fn new(keep_lines: bool) -> Self {
        Self { digest: 0, events: 0, lines: keep_lines.then(Vec::new), buffer: String::new() }
    }

    /// A rolling hash over every event so far.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// How many events there were.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The lines, if they are kept.
    pub fn lines(&self) -> &[TraceLine] {
        self.lines.as_deref().unwrap_or_default()
    }

    /// Adds an event. `write` appends the object, then, after a tab, the detail.
    pub(crate) fn record(
        &mut self,
        at: Time,
        actor: &'static str,
        verb: &'static str,
        write: impl FnOnce(&mut String),
    ) {
        self.buffer.clear();
        write(&mut self.buffer);
        self.events += 1;
        self.digest = xxh3_64_with_seed(self.buffer.as_bytes(), self.digest ^ at.as_nanos().rotate_left(17));
        self.digest = xxh3_64_with_seed(verb.as_bytes(), self.digest);
        self.digest = xxh3_64_with_seed(actor.as_bytes(), self.digest);
        if let Some(lines) = &mut self.lines {
            let (object, detail) = self.buffer.split_once('\t').unwrap_or((&self.buffer, ""));
            lines.push(TraceLine { at, actor, verb, object: object.to_owned(), detail: detail.to_owned() });
        }
    }
}

/// The few words of an object's status that the trace shows.
pub(crate) trait Summary {
    fn summarize(&self, out: &mut String);
}

/// Appends a condition as `Ready=False/GuestNotRunning`.
fn conditions(conditions: &[Condition], kinds: &[&str], out: &mut String) {
    for condition in conditions.iter().filter(|condition| kinds.contains(&condition.kind.as_str())) {
        let _ = write!(out, " {}={}", condition.kind, condition.status.as_str());
        if !condition.reason.is_empty() {
            let _ = write!(out, "/{}", condition.reason);
        }
    }
}

impl Summary for Node {
    fn summarize(&self, out: &mut String) {
        out.push_str(if self.spec.unschedulable { "cordoned" } else { "open" });
        conditions(&self.status.conditions, &["Ready"], out);
        for taint in &self.spec.taints {
            let _ = write!(out, " {}:{}", taint.key, taint.effect);
        }
    }
}

impl Summary for Pod {
    fn summarize(&self, out: &mut String) {
        out.push_str(&self.status.phase);
        if let Some(node) = self.node() {
            let _ = write!(out, " on {node}");
        }
        conditions(&self.status.conditions, &["PodScheduled", "Ready"], out);
        for status in self.status.init_container_statuses.iter().chain(&self.status.container_statuses) {
            let state = match (status.waiting(), status.running(), status.terminated()) {
                (Some(waiting), ..) => waiting.reason.as_str(),
                (_, Some(_), _) => "running",
                (_, _, Some(terminated)) => terminated.reason.as_str(),
                _ => "-",
            };
            let _ = write!(out, " {}:{state}", status.name);
        }
    }
}

impl Summary for PersistentVolumeClaim {
    fn summarize(&self, out: &mut String) {
        let _ = write!(out, "{} {}", self.status.phase, self.spec.volume_name);
    }
}

impl Summary for PersistentVolume {
    fn summarize(&self, out: &mut String) {
        out.push_str(&self.status.phase);
        if let Some(claim) = &self.spec.claim_ref {
            let _ = write!(out, " {}/{}", claim.namespace, claim.name);
        }
    }
}

impl Summary for StorageClass {
    fn summarize(&self, out: &mut String) {
        out.push_str(&self.provisioner);
    }
}

impl Summary for PriorityClass {
    fn summarize(&self, out: &mut String) {
        let _ = write!(out, "{}", self.value);
    }
}

impl Summary for DataVolume {
    fn summarize(&self, out: &mut String) {
        let _ = write!(out, "{} {}", self.status.phase, self.status.progress);
        conditions(&self.status.conditions, &["Bound", "Running", "Ready"], out);
    }
}

impl Summary for VolumeSourceSpec {
    fn summarize(&self, out: &mut String) {
        let kinds = self.source.as_ref().and_then(serde_json::Value::as_object).map(serde_json::Map::keys);
        kinds.into_iter().flatten().for_each(|kind| out.push_str(kind));
    }
}

impl Summary for VolumeImportSource {
    fn summarize(&self, out: &mut String) {
        self.spec.summarize(out);
    }
}

impl Summary for VolumeUploadSource {
    fn summarize(&self, out: &mut String) {
        self.spec.summarize(out);
    }
}

impl Summary for VolumeCloneSource {
    fn summarize(&self, out: &mut String) {
        self.spec.summarize(out);
    }
}

impl Summary for VirtualMachineInstance {
    fn summarize(&self, out: &mut String) {
        out.push_str(&self.status.phase);
        conditions(&self.status.conditions, &["PodScheduled", "Synchronized", "Ready", "Paused"], out);
    }
}

impl Summary for VirtualMachine {
    fn summarize(&self, out: &mut String) {
        let status = self.status.printable_status;
        out.push_str(if status == PrintableStatus::Empty { "-" } else { status.as_str() });
        conditions(&self.status.conditions, &["Ready", "Failure"], out);
        debug_assert!(
            self.status.conditions.iter().all(|found| found.kind != "Failure" || found.status == Truth::True)
        );
    }
}
