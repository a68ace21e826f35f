//! `steps`: what users and faults do. The operations are named as Chainsaw names them.

use super::{ImageSpec, KindName, Manifest, SourceSpec, Span, VmName};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One moment and what is done then, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// When, from the start; never before the step above.
    pub at: Span,
    /// Objects to create, or to change where they exist.
    #[serde(default)]
    pub apply: Vec<Manifest>,
    /// A JSON merge patch.
    #[serde(default)]
    pub patch: Option<ObjectPatch>,
    /// An object to delete.
    #[serde(default)]
    pub delete: Option<ObjectTarget>,
    /// A virtual machine to start, as `virtctl start` does.
    #[serde(default)]
    pub start: Option<VmName>,
    /// A virtual machine to start whose guest stands still until it is unpaused, as `virtctl start --paused` does.
    #[serde(default)]
    pub start_paused: Option<VmName>,
    /// A virtual machine to stop, as `virtctl stop` does.
    #[serde(default)]
    pub stop: Option<VmName>,
    /// A virtual machine to restart, as `virtctl restart` does.
    #[serde(default)]
    pub restart: Option<VmName>,
    /// A virtual machine to pause, as `virtctl pause vm` does.
    #[serde(default)]
    pub pause: Option<VmName>,
    /// A virtual machine to let go on, as `virtctl unpause vm` does.
    #[serde(default)]
    pub unpause: Option<VmName>,
    /// A virtual machine to move to another node, as `virtctl migrate` does.
    #[serde(default)]
    pub migrate: Option<VmName>,
    /// A node that takes no new pods, as `kubectl cordon` does.
    #[serde(default)]
    pub cordon: Option<String>,
    /// A node that takes pods again, as `kubectl uncordon` does.
    #[serde(default)]
    pub uncordon: Option<String>,
    /// A node that is cordoned and whose pods are evicted, as `kubectl drain` does.
    #[serde(default)]
    pub drain: Option<String>,
    /// An image that a user sends to a DataVolume which is UploadReady, as `virtctl image-upload` does.
    #[serde(default)]
    pub upload: Option<Upload>,
    /// A virtual machine whose guest's kernel panics.
    #[serde(default)]
    pub panic: Option<VmName>,
    /// A virtual machine whose guest powers itself off.
    #[serde(default)]
    pub power_off: Option<VmName>,
    /// What breaks.
    #[serde(default, rename = "break")]
    pub breaks: Option<Target>,
    /// What works again.
    #[serde(default)]
    pub heal: Option<Target>,
    /// Stops the detector and restores it from its snapshot.
    #[serde(default)]
    pub crash_detector: Option<CrashDetector>,
}

/// A JSON merge patch of one object.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ObjectPatch {
    /// The kind.
    pub kind: KindName,
    /// `namespace/name`, or a name for kinds without namespace.
    pub name: String,
    /// What changes; null removes.
    pub merge: BTreeMap<String, Value>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ObjectTarget {
    /// The kind.
    pub kind: KindName,
    /// `namespace/name`, or a name for kinds without namespace.
    pub name: String,
}

/// An image that is sent to a DataVolume.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Upload {
    /// The DataVolume.
    pub data_volume: VmName,
    /// The image's size, a Kubernetes quantity such as `500M`.
    pub size: String,
}

/// What breaks or heals: exactly one of these.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A registry by host: no image of it can be pulled.
    Registry(String),
    /// An image by reference: it is gone; healing pushes it (`{registry.example/disk:v2: {size: 1G}}`).
    Image(BTreeMap<String, Option<ImageSpec>>),
    /// A source by URL: 404; healing puts something there.
    Source(BTreeMap<String, Option<SourceSpec>>),
    /// A virtual machine's launcher.
    Launcher(LauncherTarget),
    /// A node's machine: no heartbeat, nothing on it starts, stops or reports.
    Node(String),
    /// Creations that a quota or a webhook refuses.
    Quota(QuotaTarget),
    /// The artificial fault: a VMI phase that this controller version does not know; healing writes the old phase back.
    Phase(PhaseTarget),
    /// A controller's watch: it learns of no change of this kind; healing tells it all at once.
    Watch(WatchTarget),
    /// A process of the control plane (virt-controller, kube-scheduler, …) or one of its controllers: it is down, and what it had in
    /// memory, its queue and its timers are lost; healing starts it anew.
    Controller(String),
    /// Writes of a controller: another client always writes first, so that they are refused with a conflict.
    Conflicts(ConflictTarget),
    /// The API server: it answers late.
    SlowApi(SlowApiTarget),
    /// Scrapes of virt-controller's metrics: rules of Prometheus learn nothing of what happens meanwhile.
    Scrapes(ScrapeFault),
    /// The pod that leads: the process is down as by `controller`; healing starts it in another pod, which exports the metrics under
    /// its own `pod` and `instance`.
    Leader(Leader),
}

/// What is wrong with scrapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScrapeFault {
    /// They are made and fail: what was known becomes stale at once.
    Fail,
    /// They are not made: what was known stays until the lookback of 5 minutes is over.
    Missed,
}

/// A process of the control plane whose pods elect a leader, and whose metrics are scraped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Leader {
    /// virt-controller.
    VirtController,
}

/// What is wrong with a virtual machine's launcher.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LauncherTarget {
    /// The virtual machine.
    pub vm: VmName,
    /// `crash-at-start` by default.
    #[serde(default)]
    pub fault: LauncherFault,
}

/// How a launcher breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LauncherFault {
    /// It dies right after its start.
    #[default]
    CrashAtStart,
    /// It runs, but the guest cannot be started.
    DomainCannotStart,
}

/// Which creations are refused.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct QuotaTarget {
    /// The kind.
    pub kind: KindName,
    /// The namespace.
    pub namespace: String,
    /// The server's words.
    #[serde(default)]
    pub message: Option<String>,
}

/// Which instance's phase is overwritten.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PhaseTarget {
    /// The virtual machine instance.
    pub vmi: VmName,
    /// The phase that is written; `Unknown` by default.
    #[serde(default)]
    pub is: Option<String>,
}

/// Which watch is held.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WatchTarget {
    /// The controller, as the trace names it.
    pub controller: String,
    /// The kind.
    pub kind: KindName,
    /// When it heals: the watch had broken, and the informer lists anew instead of hearing of each change that it missed.
    #[serde(default)]
    pub relist: bool,
}

/// Whose writes of what are refused.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConflictTarget {
    /// The process or the controller, as the trace names it.
    pub controller: String,
    /// The kind.
    pub kind: KindName,
}

/// Whose requests are answered late.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SlowApiTarget {
    /// How late; 1s by default.
    #[serde(default)]
    pub latency: Option<Span>,
    /// A process or a controller; all of the control plane by default.
    #[serde(default)]
    pub controller: Option<String>,
}

/// How the detector is stopped.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CrashDetector {
    /// How long it is down: observations of that time reach it late, all at once, when it is back. 0s by default.
    #[serde(default)]
    pub down: Option<Span>,
}
