//! `kubevirt.io/v1` VirtualMachine.

use super::{
    Condition, DataVolumeSpec, Memo, ObjectMeta, Rest, SharedVec, StrMap, VirtualMachineInstanceSpec,
    is_default, nullable, time_opt,
};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use stuckvm_detector::{PrintableStatus, Time};

/// What a user wants of a virtual machine, running or not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualMachine {
    /// Names.
    pub metadata: ObjectMeta,
    /// What is wanted. Changed by replacing the whole.
    pub spec: Arc<VirtualMachineSpec>,
    /// What virt-controller reports.
    #[serde(deserialize_with = "status_word::read_status")]
    pub status: VirtualMachineStatus,
}

/// `spec` of a virtual machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualMachineSpec {
    /// Deprecated: true is Always, false is Halted; excludes `runStrategy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// When the machine runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_strategy: Option<ArcStr>,
    /// The instance to create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Arc<VmiTemplate>>,
    /// DataVolumes that belong to the machine.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub data_volume_templates: Vec<Arc<DataVolumeTemplate>>,
    /// The same with what the webhook fills in, once it was asked for.
    #[serde(skip)]
    pub defaulted: Memo<Arc<VirtualMachineSpec>>,
    /// Other fields, `instancetype` and `preference` among them.
    #[serde(flatten)]
    pub rest: Rest,
}

impl VirtualMachineSpec {
    /// When the machine runs: `running` true is Always and false is Halted, neither field is Halted.
    ///
    /// # Errors
    ///
    /// Both fields are set, or the word is none of the API's.
    pub fn run_strategy(&self) -> Result<RunStrategy, RunStrategyError> {
        match (self.running, &self.run_strategy) {
            (Some(_), Some(_)) => Err(RunStrategyError::BothSet),
            (Some(true), None) => Ok(RunStrategy::Always),
            (Some(false), None) | (None, None) => Ok(RunStrategy::Halted),
            (None, Some(word)) => {
                RunStrategy::parse(word).ok_or_else(|| RunStrategyError::Unknown(word.clone()))
            }
        }
    }

    /// The word of the run strategy as `status.runStrategy` repeats it, whether it is one of the API's or not; empty where
    /// both fields are set (`RunStrategyUnknown`).
    pub fn run_strategy_word(&self) -> ArcStr {
        match (self.running, &self.run_strategy) {
            (Some(_), Some(_)) => ArcStr::new(),
            (Some(true), None) => arcstr::literal!("Always"),
            (Some(false), None) | (None, None) => arcstr::literal!("Halted"),
            (None, Some(word)) => word.clone(),
        }
    }
}

/// A run strategy that cannot be acted on. The texts are KubeVirt's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunStrategyError {
    /// `running` and `runStrategy` are both set.
    #[error("running and runstrategy are mutually exclusive")]
    BothSet,
    /// The API knows no such word.
    #[error("unknown runstrategy: {0}")]
    Unknown(ArcStr),
}

impl RunStrategyError {
    /// Whether virt-controller gives up on the machine before it reports anything; it reports an unknown word.
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::BothSet)
    }
}

/// When a virtual machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStrategy {
    /// Restarted whenever it ends.
    Always,
    /// Never.
    Halted,
    /// On request.
    Manual,
    /// Restarted when it fails.
    RerunOnFailure,
    /// One run.
    Once,
    /// The target of a migration between clusters.
    WaitAsReceiver,
}

impl RunStrategy {
    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Halted => "Halted",
            Self::Manual => "Manual",
            Self::RerunOnFailure => "RerunOnFailure",
            Self::Once => "Once",
            Self::WaitAsReceiver => "WaitAsReceiver",
        }
    }

    /// Reads the API's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Always, Self::Halted, Self::Manual, Self::RerunOnFailure, Self::Once, Self::WaitAsReceiver]
            .into_iter()
            .find(|strategy| strategy.as_str() == word)
    }
}

/// The instance that a virtual machine creates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VmiTemplate {
    /// Labels and annotations of the instance.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_default")]
    pub metadata: TemplateMeta,
    /// Its spec.
    pub spec: Arc<VirtualMachineInstanceSpec>,
}

/// `metadata` of a template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateMeta {
    /// A name; given for DataVolume templates only.
    #[serde(skip_serializing_if = "is_default")]
    pub name: ArcStr,
    /// Labels.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub labels: StrMap,
    /// Annotations.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub annotations: StrMap,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A DataVolume that a virtual machine creates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataVolumeTemplate {
    /// Name, labels and annotations.
    pub metadata: TemplateMeta,
    /// The spec.
    pub spec: Arc<DataVolumeSpec>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `status` of a virtual machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualMachineStatus {
    /// Whether an instance exists.
    #[serde(skip_serializing_if = "is_default")]
    pub created: bool,
    /// Whether the instance is Ready.
    #[serde(skip_serializing_if = "is_default")]
    pub ready: bool,
    /// What `kubectl get vm` shows; the word that detectors watch.
    #[serde(
        skip_deserializing,
        serialize_with = "status_word::serialize",
        skip_serializing_if = "is_empty_status"
    )]
    pub printable_status: PrintableStatus,
    /// Ready, Failure and copies of the instance's.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub conditions: SharedVec<Condition>,
    /// Start and stop requests, oldest first.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub state_change_requests: Vec<StateChangeRequest>,
    /// How often a start has failed in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_failure: Option<StartFailure>,
    /// The run strategy that was last acted on.
    #[serde(skip_serializing_if = "is_default")]
    pub run_strategy: ArcStr,
    /// `metadata.generation` of the machine that the instance was made from.
    #[serde(skip_serializing_if = "is_default")]
    pub observed_generation: u64,
    /// `metadata.generation` of the machine when that was last looked at.
    #[serde(skip_serializing_if = "is_default")]
    pub desired_generation: u64,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl VirtualMachineStatus {
    /// Key of the printable status, which stands in `rest` as long as its word is none of this release's.
    pub(crate) const PRINTABLE_STATUS: &str = "printableStatus";

    /// The word of the printable status as it is stored, of whatever release.
    pub fn printable_word(&self) -> &str {
        let other = self.rest.get(Self::PRINTABLE_STATUS).and_then(Value::as_str);
        other.unwrap_or_else(|| self.printable_status.as_str())
    }
}

/// A request to start or stop an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StateChangeRequest {
    /// Start or Stop.
    pub action: ArcStr,
    /// The instance that is to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<ArcStr>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl StateChangeRequest {
    /// The action that starts an instance.
    pub const START: &str = "Start";
    /// The action that stops one.
    pub const STOP: &str = "Stop";

    /// A request to start an instance.
    pub fn start() -> Self {
        Self { action: arcstr::literal!("Start"), ..Self::default() }
    }

    /// A request to start an instance whose guest stands still at first.
    pub fn paused_start() -> Self {
        let mut request = Self::start();
        request.rest.insert("data", serde_json::json!({"paused": "true"}));
        request
    }

    /// A request to stop the instance of this uid.
    pub fn stop(uid: ArcStr) -> Self {
        Self { action: arcstr::literal!("Stop"), uid: Some(uid), ..Self::default() }
    }

    /// Whether the guest is to start paused.
    pub fn is_paused_start(&self) -> bool {
        let paused = self.rest.get("data").and_then(|data| data.get("paused")).and_then(Value::as_str);
        self.action == Self::START && paused == Some("true")
    }
}

/// Starts that failed in a row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StartFailure {
    /// How many.
    pub consecutive_fail_count: i32,
    /// The instance that was counted last.
    #[serde(rename = "lastFailedVMIUID", skip_serializing_if = "is_default")]
    pub last_failed_vmi_uid: ArcStr,
    /// No new start before.
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub retry_after_timestamp: Option<Time>,
}

fn is_empty_status(status: &PrintableStatus) -> bool {
    *status == PrintableStatus::Empty
}

/// The wire spelling of a printable status.
mod status_word {
    use super::VirtualMachineStatus;
    use arcstr::ArcStr;
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;
    use stuckvm_detector::PrintableStatus;

    /// A status before its word is understood.
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Wire {
        printable_status: Option<ArcStr>,
        #[serde(flatten)]
        status: VirtualMachineStatus,
    }

    pub(super) fn serialize<S: Serializer>(
        status: &PrintableStatus,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(status.as_str())
    }

    /// A word of another release counts as not yet looked at, and is kept until the controller replaces it.
    pub(super) fn read_status<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<VirtualMachineStatus, D::Error> {
        let Wire { printable_status, mut status } = Option::deserialize(deserializer)?.unwrap_or_default();
        let Some(word) = printable_status else { return Ok(status) };
        // The runbook's names are no words of the API.
        match PrintableStatus::parse(&word).filter(|known| known.as_str() == word) {
            Some(known) => status.printable_status = known,
            None => {
                let word = Value::from(word.as_str());
                status.rest.insert(VirtualMachineStatus::PRINTABLE_STATUS, word);
            }
        }
        Ok(status)
    }
}
