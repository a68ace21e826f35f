//! `status` of a pod.

use super::{Condition, Rest, SharedVec, is_default, nullable, time_opt};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use stuckvm_detector::Time;

/// `status` of a pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// Pending, Running, Succeeded, Failed or Unknown.
    #[serde(skip_serializing_if = "is_default")]
    pub phase: ArcStr,
    /// PodScheduled, Initialized, Ready and others.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub conditions: SharedVec<Condition>,
    /// Why the pod is in this phase, in one word.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: ArcStr,
    /// Why, for people.
    #[serde(skip_serializing_if = "is_default")]
    pub message: ArcStr,
    /// The node on which preemption makes room for it.
    #[serde(skip_serializing_if = "is_default")]
    pub nominated_node_name: ArcStr,
    /// When the kubelet first saw it.
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// Guaranteed, Burstable or BestEffort.
    #[serde(skip_serializing_if = "is_default")]
    pub qos_class: ArcStr,
    /// Init containers and sidecars, in the order of the spec.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub init_container_statuses: SharedVec<ContainerStatus>,
    /// Regular containers, in the order of the spec.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub container_statuses: SharedVec<ContainerStatus>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// What became of one container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// The container.
    pub name: ArcStr,
    /// The image as written.
    #[serde(skip_serializing_if = "is_default")]
    pub image: ArcStr,
    /// The image that the runtime runs.
    #[serde(rename = "imageID", skip_serializing_if = "is_default")]
    pub image_id: ArcStr,
    /// The running or last container.
    #[serde(rename = "containerID", skip_serializing_if = "is_default")]
    pub container_id: ArcStr,
    /// Running and its readiness probe succeeds.
    pub ready: bool,
    /// Whether the startup probe has succeeded; absent before anyone knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<bool>,
    /// How often it was started again.
    pub restart_count: u32,
    /// The state now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ContainerState>,
    /// The end of the run before.
    #[serde(skip_serializing_if = "no_state")]
    pub last_state: Option<ContainerState>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

fn no_state(state: &Option<ContainerState>) -> bool {
    state.is_none()
}

impl ContainerStatus {
    /// The waiting state, if it is waiting.
    pub fn waiting(&self) -> Option<&Waiting> {
        match &self.state {
            Some(ContainerState::Waiting(waiting)) => Some(waiting),
            _ => None,
        }
    }

    /// The running state, if it is running.
    pub fn running(&self) -> Option<&Running> {
        match &self.state {
            Some(ContainerState::Running(running)) => Some(running),
            _ => None,
        }
    }

    /// The terminated state, if it is terminated.
    pub fn terminated(&self) -> Option<&Terminated> {
        match &self.state {
            Some(ContainerState::Terminated(terminated)) => Some(terminated),
            _ => None,
        }
    }
}

/// The state of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StateFields", into = "StateFields")]
pub enum ContainerState {
    /// Not started, or between two runs.
    Waiting(Waiting),
    /// Running.
    Running(Running),
    /// Ended.
    Terminated(Box<Terminated>),
}

/// The API's spelling: one of three keys; none of them means waiting.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StateFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<Waiting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    running: Option<Running>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminated: Option<Box<Terminated>>,
}

impl TryFrom<StateFields> for ContainerState {
    type Error = &'static str;

    fn try_from(fields: StateFields) -> Result<Self, Self::Error> {
        match (fields.waiting, fields.running, fields.terminated) {
            (waiting, None, None) => Ok(Self::Waiting(waiting.unwrap_or_default())),
            (None, Some(running), None) => Ok(Self::Running(running)),
            (None, None, Some(terminated)) => Ok(Self::Terminated(terminated)),
            _ => Err("expected only one of waiting, running and terminated"),
        }
    }
}

impl From<ContainerState> for StateFields {
    fn from(state: ContainerState) -> Self {
        match state {
            ContainerState::Waiting(waiting) => Self { waiting: Some(waiting), ..Self::default() },
            ContainerState::Running(running) => Self { running: Some(running), ..Self::default() },
            ContainerState::Terminated(terminated) => {
                Self { terminated: Some(terminated), ..Self::default() }
            }
        }
    }
}

/// Why a container waits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Waiting {
    /// In one word, such as ErrImagePull.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: ArcStr,
    /// For people.
    #[serde(skip_serializing_if = "is_default")]
    pub message: ArcStr,
}

/// Since when a container runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Running {
    /// Since when.
    #[serde(with = "time_opt")]
    pub started_at: Option<Time>,
}

/// How a container ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terminated {
    /// The exit code.
    pub exit_code: i32,
    /// Completed, Error, OOMKilled and others.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: ArcStr,
    /// The termination message.
    #[serde(skip_serializing_if = "is_default")]
    pub message: ArcStr,
    /// When it began.
    #[serde(with = "time_opt")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(with = "time_opt")]
    pub finished_at: Option<Time>,
    /// The container.
    #[serde(rename = "containerID", skip_serializing_if = "is_default")]
    pub container_id: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}
