//! What happened, one line an event, and the digest of it.

use crate::causes::Causes;
use crate::objects::{
    Condition, ConfigMap, ControllerRevision, DataSource, DataVolume, InstancetypeSpec, MigrationState, Node,
    PersistentVolume, PersistentVolumeClaim, Pod, PreferenceSpec, PriorityClass, Secret, StorageClass,
    VirtualMachine, VirtualMachineClusterInstancetype, VirtualMachineClusterPreference,
    VirtualMachineInstance, VirtualMachineInstanceMigration, VirtualMachineInstancetype,
    VirtualMachinePreference, VolumeCloneSource, VolumeImportSource, VolumeSnapshot, VolumeSnapshotClass,
    VolumeSnapshotContent, VolumeSourceSpec, VolumeUploadSource,
};
use std::fmt::Write as _;
use stuckvm_detector::{PrintableStatus, Time};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// One line of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// Its number, from 1 on; what is not kept counts too.
    pub number: u64,
    /// The number of the line that set it off; `None` where it came from outside, as what a user does. Known only of a whole
    /// trace ([`Keep::Everything`]).
    pub because: Option<u64>,
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

impl TraceLine {
    /// Whether this is what people look at first: what users and faults did, and the cluster's events.
    pub fn is_moment(&self) -> bool {
        is_moment(self.actor, self.verb)
    }
}

fn is_moment(actor: &str, verb: &str) -> bool {
    verb == "event" || actor == "user"
}

/// Which lines a trace keeps. The digest covers everything all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// None.
    #[default]
    Nothing,
    /// The first so many moments ([`TraceLine::is_moment`]); the others are counted.
    Moments(usize),
    /// All.
    Everything,
}

impl std::fmt::Display for TraceLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, because, at, actor, verb, object, detail } = self;
        // An instant ignores the width that is asked for, and so do its longest and its shortest form differ.
        let (at, because) = (at.to_string(), because.map(|line| line.to_string()).unwrap_or_default());
        write!(f, "{number:>6} {because:>6} {at:<30} {actor:<24} {verb:<7} {object} {detail}")
    }
}

/// Collects what happened: always as a digest, as lines only when asked to.
#[derive(Debug)]
pub struct Trace {
    digest: u64,
    events: u64,
    keep: Keep,
    lines: Vec<TraceLine>,
    moments_left_out: usize,
    buffer: String,
    /// Kept only where everything is.
    causes: Option<Box<Causes>>,
}

impl Trace {
    /// A trace without events so far.
    pub fn new(keep: Keep) -> Self {
        let (lines, buffer) = (Vec::new(), String::new());
        let causes = (keep == Keep::Everything).then(Box::default);
        Self { digest: 0, events: 0, keep, lines, moments_left_out: 0, buffer, causes }
    }

    /// A rolling hash over every event so far.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// How many events there were.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many moments are not among the lines since there were too many.
    pub fn moments_left_out(&self) -> usize {
        self.moments_left_out
    }

    /// Takes the lines that are kept.
    pub fn take_lines(&mut self) -> Vec<TraceLine> {
        std::mem::take(&mut self.lines)
    }

    /// What set off what, where that is kept.
    pub(crate) fn causes(&mut self) -> Option<&mut Causes> {
        self.causes.as_deref_mut()
    }

    /// Adds a write of an object, as [`Trace::record`] adds an event.
    pub(crate) fn record_write(
        &mut self,
        at: Time,
        actor: &'static str,
        (verb, revision): (&'static str, u64),
        write: impl FnOnce(&mut String),
    ) {
        self.record(at, actor, verb, write);
        let line = self.events;
        if let Some(causes) = self.causes() {
            causes.wrote(revision, line, actor);
        }
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
        if self.keeps(actor, verb) {
            let (object, detail) = self.buffer.split_once('\t').unwrap_or((&self.buffer, ""));
            self.lines.push(TraceLine {
                number: self.events,
                because: self.causes.as_ref().and_then(|causes| causes.current()),
                at,
                actor,
                verb,
                object: object.to_owned(),
                detail: detail.to_owned(),
            });
        }
    }

    fn keeps(&mut self, actor: &str, verb: &str) -> bool {
        match self.keep {
            Keep::Nothing => false,
            Keep::Everything => true,
            Keep::Moments(most) => {
                let moment = is_moment(actor, verb);
                let kept = moment && self.lines.len() < most;
                self.moments_left_out += usize::from(moment && !kept);
                kept
            }
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

impl Summary for ConfigMap {
    fn summarize(&self, out: &mut String) {
        let names: Vec<&str> = self.names().collect();
        out.push_str(&names.join(" "));
    }
}

impl Summary for Secret {
    /// What it holds is nobody's business.
    fn summarize(&self, out: &mut String) {
        out.push_str(&self.kind);
    }
}

impl Summary for ControllerRevision {
    fn summarize(&self, out: &mut String) {
        let _ = write!(out, "{}", self.revision);
    }
}

impl Summary for InstancetypeSpec {
    fn summarize(&self, out: &mut String) {
        let _ = write!(out, "{} vCPUs {}", self.cpu.guest, self.memory.guest);
    }
}

impl Summary for PreferenceSpec {
    fn summarize(&self, out: &mut String) {
        let topology = self.cpu.as_ref().and_then(|cpu| cpu.topology.as_deref());
        out.push_str(topology.unwrap_or("-"));
    }
}

impl Summary for VirtualMachineInstancetype {
    fn summarize(&self, out: &mut String) {
        self.spec.summarize(out);
    }
}

impl Summary for VirtualMachineClusterInstancetype {
    fn summarize(&self, out: &mut String) {
        self.spec.summarize(out);
    }
}

impl Summary for VirtualMachinePreference {
    fn summarize(&self, out: &mut String) {
        self.spec.summarize(out);
    }
}

impl Summary for VirtualMachineClusterPreference {
    fn summarize(&self, out: &mut String) {
        self.spec.summarize(out);
    }
}

impl Summary for VolumeSnapshotClass {
    fn summarize(&self, out: &mut String) {
        out.push_str(&self.driver);
    }
}

impl Summary for VolumeSnapshotContent {
    fn summarize(&self, out: &mut String) {
        out.push_str(&self.spec.driver);
    }
}

impl Summary for VolumeSnapshot {
    fn summarize(&self, out: &mut String) {
        out.push_str(if self.is_ready() { "ready" } else { "not ready" });
    }
}

impl Summary for DataSource {
    fn summarize(&self, out: &mut String) {
        let kinds = self.spec.source.as_object().map(serde_json::Map::keys);
        kinds.into_iter().flatten().for_each(|kind| out.push_str(kind));
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
        if let Some(state) = &self.status.migration_state {
            migration(state, out);
        }
    }
}

/// Appends a migration as `node-a>node-b started`.
fn migration(state: &MigrationState, out: &mut String) {
    let _ = write!(out, " {}>{}", state.source_node, state.target_node);
    let word = match (state.start_timestamp, state.end_timestamp) {
        _ if state.failed => "failed",
        (_, Some(_)) if state.completed => "completed",
        (_, Some(_)) => "ended",
        (Some(_), None) => "started",
        (None, None) if state.target_node_address.is_empty() => "handed-off",
        (None, None) => "prepared",
    };
    let _ = write!(out, " {word}");
}

impl Summary for VirtualMachineInstanceMigration {
    fn summarize(&self, out: &mut String) {
        let _ = write!(out, "{} of {}", self.status.phase, self.spec.vmi_name);
    }
}

impl Summary for VirtualMachine {
    fn summarize(&self, out: &mut String) {
        let status = self.status.printable_status;
        out.push_str(if status == PrintableStatus::Empty { "-" } else { status.as_str() });
        conditions(&self.status.conditions, &["Ready", "Failure"], out);
    }
}

#[cfg(test)]
mod tests {
    use super::{Keep, Trace, TraceLine};
    use stuckvm_detector::Time;

    fn played(keep: Keep) -> Trace {
        let mut trace = Trace::new(keep);
        for (actor, verb) in
            [("user", "create"), ("kubelet", "update"), ("kubelet", "event"), ("user", "delete")]
        {
            trace.record(Time::from_secs(1), actor, verb, |out| out.push_str("Pod a/b\tPending"));
        }
        trace
    }

    #[test]
    fn columns_stay_where_they_are_whatever_the_instant_is() {
        let line = |at: &str| TraceLine {
            number: 7,
            because: None,
            at: at.parse().expect("a time"),
            actor: "user",
            verb: "create",
            object: "Pod a/b".into(),
            detail: "Pending".into(),
        };
        let column = |at| line(at).to_string().find("user");
        assert_eq!(column("2022-10-03T11:11:07Z"), column("2022-10-03T11:11:07.000000001Z"));
        let longest = line("2022-10-03T11:11:07.000000001Z").to_string();
        assert!(longest.contains("07.000000001Z user "), "the longest one fits: {longest}");
    }

    #[test]
    fn moments_beyond_the_limit_are_counted_and_the_digest_covers_all() {
        let mut trace = played(Keep::Moments(2));
        let kept: Vec<_> = trace.take_lines().iter().map(|line| (line.actor, line.verb)).collect();
        assert_eq!(kept, [("user", "create"), ("kubelet", "event")]);
        assert_eq!(trace.moments_left_out(), 1);
        let mut whole = played(Keep::Everything);
        assert_eq!((whole.take_lines().len(), whole.moments_left_out()), (4, 0));
        assert_eq!(trace.digest(), whole.digest());
        assert_eq!(played(Keep::Nothing).take_lines(), []);
    }
}
