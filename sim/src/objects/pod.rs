//! Pod: metadata and spec.

use super::{
    Affinity, ObjectMeta, PodStatus, ResourceList, Rest, StrMap, Taint, TopologySpreadConstraint, is_default,
    nullable,
};
use arcstr::ArcStr;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Containers that run together on one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "ReadPod", into = "WrittenPod")]
pub struct Pod {
    /// Names, labels.
    pub metadata: ObjectMeta,
    /// What is wanted. Changed by replacing the whole.
    pub spec: Arc<PodSpec>,
    /// `spec.nodeName`, empty before the pod is bound; apart from the rest, so that all pods of one template share it.
    pub node_name: ArcStr,
    /// What the scheduler and the kubelet report.
    pub status: PodStatus,
}

impl Pod {
    /// The node that the pod is bound to.
    pub fn node(&self) -> Option<&ArcStr> {
        Some(&self.node_name).filter(|name| !name.is_empty())
    }

    /// Whether the phase is Succeeded or Failed.
    pub fn is_finished(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }
}

/// A pod as the API spells it, when it is read. The node's name comes with the other fields of the spec: a struct around a
/// flattened spec would be read by way of a buffer, which takes longer and forgets in which field an error is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ReadPod {
    metadata: ObjectMeta,
    #[serde(deserialize_with = "nullable")]
    spec: ReadPodSpec,
    status: PodStatus,
}

#[derive(Default)]
struct ReadPodSpec {
    node_name: ArcStr,
    spec: PodSpec,
}

impl<'de> Deserialize<'de> for ReadPodSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut spec = PodSpec::deserialize(deserializer)?;
        let node_name = match spec.rest.remove("nodeName") {
            None | Some(Value::Null) => ArcStr::new(),
            Some(Value::String(name)) => name.into(),
            Some(_) => return Err(serde::de::Error::custom("nodeName: expected a string")),
        };
        Ok(Self { node_name, spec })
    }
}

impl From<ReadPod> for Pod {
    fn from(ReadPod { metadata, spec, status }: ReadPod) -> Self {
        Self { metadata, spec: Arc::new(spec.spec), node_name: spec.node_name, status }
    }
}

/// A pod as the API spells it, when it is written.
#[derive(Serialize)]
struct WrittenPod {
    metadata: ObjectMeta,
    spec: WrittenPodSpec,
    status: PodStatus,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPodSpec {
    #[serde(skip_serializing_if = "is_default")]
    node_name: ArcStr,
    #[serde(flatten)]
    spec: Arc<PodSpec>,
}

impl From<Pod> for WrittenPod {
    fn from(Pod { metadata, spec, node_name, status }: Pod) -> Self {
        Self { metadata, spec: WrittenPodSpec { node_name, spec }, status }
    }
}

/// `spec` of a pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    /// The containers.
    #[serde(deserialize_with = "nullable")]
    pub containers: Vec<Container>,
    /// What runs before them, in order; with restart policy Always beside them.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub init_containers: Vec<Container>,
    /// The volumes.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<PodVolume>,
    /// Secrets with credentials for the registries of its images.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Always (default), OnFailure or Never.
    #[serde(skip_serializing_if = "is_default")]
    pub restart_policy: ArcStr,
    /// Seconds between SIGTERM and SIGKILL; 30 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub termination_grace_period_seconds: Option<i64>,
    /// Labels that the node must have.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub node_selector: StrMap,
    /// Wishes about nodes and other pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// Taints that do not keep the pod away.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// How evenly pods must be spread.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// The priority by name.
    #[serde(skip_serializing_if = "is_default")]
    pub priority_class_name: ArcStr,
    /// The priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Never or PreemptLowerPriority (default).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preemption_policy: Option<ArcStr>,
    /// Who schedules it.
    #[serde(skip_serializing_if = "is_default")]
    pub scheduler_name: ArcStr,
    /// What must be removed before it is scheduled.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub scheduling_gates: Vec<SchedulingGate>,
    /// Conditions that must be True for Ready.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub readiness_gates: Vec<PodReadinessGate>,
    /// What the runtime itself needs.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "ResourceList::is_empty")]
    pub overhead: ResourceList,
    /// Requests and limits of the pod as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ContainerResources>,
    /// Whether it shares the node's network.
    #[serde(skip_serializing_if = "is_default")]
    pub host_network: bool,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Its name within the pod.
    pub name: ArcStr,
    /// The image as written.
    #[serde(skip_serializing_if = "is_default")]
    pub image: ArcStr,
    /// Variables.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<EnvVar>,
    /// Always, IfNotPresent or Never; filled in when the pod is created.
    #[serde(skip_serializing_if = "is_default")]
    pub image_pull_policy: ArcStr,
    /// Requests and limits.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_default")]
    pub resources: ContainerResources,
    /// Ports; host ports are taken on the node.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<ContainerPort>,
    /// `Always` makes an init container a sidecar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<ArcStr>,
    /// Whether it may get traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_probe: Option<Arc<Probe>>,
    /// Whether it must be restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness_probe: Option<Arc<Probe>>,
    /// Whether it has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup_probe: Option<Arc<Probe>>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl Container {
    /// The value of a variable that the container gets as it is written.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().find(|variable| variable.name == name).map(|variable| variable.value.as_str())
    }
}

/// A variable of a container; `valueFrom` stands in `rest`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvVar {
    /// Its name.
    pub name: ArcStr,
    /// Its value.
    #[serde(skip_serializing_if = "is_default")]
    pub value: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// Requests and limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerResources {
    /// What is set aside.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "ResourceList::is_empty")]
    pub requests: ResourceList,
    /// What may be used at most.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "ResourceList::is_empty")]
    pub limits: ResourceList,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A port of a container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerPort {
    /// The port inside.
    pub container_port: i32,
    /// The port on the node; 0 is none.
    #[serde(skip_serializing_if = "is_default")]
    pub host_port: i32,
    /// The node's address; empty is all.
    #[serde(skip_serializing_if = "is_default", rename = "hostIP")]
    pub host_ip: ArcStr,
    /// TCP (default), UDP or SCTP.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A probe; what it asks stands in `rest`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Probe {
    /// Wait before the first.
    #[serde(skip_serializing_if = "is_default")]
    pub initial_delay_seconds: i32,
    /// Seconds between two; 10 when 0.
    #[serde(skip_serializing_if = "is_default")]
    pub period_seconds: i32,
    /// Seconds that one may take; 1 when 0.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout_seconds: i32,
    /// Successes in a row that count; 1 when 0.
    #[serde(skip_serializing_if = "is_default")]
    pub success_threshold: i32,
    /// Failures in a row that count; 3 when 0.
    #[serde(skip_serializing_if = "is_default")]
    pub failure_threshold: i32,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A volume of a pod; sources other than a claim stand in `rest`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodVolume {
    /// Its name within the pod.
    pub name: ArcStr,
    /// The claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<PersistentVolumeClaimSource>,
    /// Other fields, `ephemeral`, `image`, `configMap` and in-line disks among them.
    #[serde(flatten)]
    pub rest: Rest,
}

impl PodVolume {
    /// The claim behind this volume of a pod of this name: the one that it names, or the one that is made for it
    /// (generic ephemeral volume).
    pub fn claim_name(&self, pod: &str) -> Option<ArcStr> {
        if let Some(source) = &self.persistent_volume_claim {
            return Some(source.claim_name.clone());
        }
        let ephemeral = self.rest.get("ephemeral").is_some_and(|source| !source.is_null());
        ephemeral.then(|| arcstr::format!("{pod}-{}", self.name))
    }
}

/// An object of the pod's namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LocalObjectReference {
    /// Its name.
    pub name: ArcStr,
}

/// A claim that a pod uses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersistentVolumeClaimSource {
    /// The claim's name, in the pod's namespace.
    pub claim_name: ArcStr,
    /// Mounted read-only.
    #[serde(skip_serializing_if = "is_default")]
    pub read_only: bool,
}

/// A taint that does not keep the pod away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Toleration {
    /// Empty means every key.
    #[serde(skip_serializing_if = "is_default")]
    pub key: ArcStr,
    /// Equal (default) or Exists.
    #[serde(skip_serializing_if = "is_default")]
    pub operator: ArcStr,
    /// The value for Equal.
    #[serde(skip_serializing_if = "is_default")]
    pub value: ArcStr,
    /// Empty means every effect.
    #[serde(skip_serializing_if = "is_default")]
    pub effect: ArcStr,
    /// How long a NoExecute taint is tolerated; for ever when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<i64>,
}

impl Toleration {
    /// Whether it covers a taint (`ToleratesTaint`, `staging/src/k8s.io/api/core/v1/toleration.go`); for how long is
    /// another question.
    ///
    /// # Examples
    ///
    /// ```
    /// use stuckvm_sim::objects::{Taint, Toleration};
    ///
    /// let taint = Taint { key: "dedicated".into(), effect: "NoSchedule".into(), ..Taint::default() };
    /// let every = Toleration { operator: "Exists".into(), ..Toleration::default() };
    /// assert!(every.tolerates(&taint));
    /// ```
    pub fn tolerates(&self, taint: &Taint) -> bool {
        if !self.effect.is_empty() && self.effect != taint.effect {
            return false;
        }
        if !self.key.is_empty() && self.key != taint.key {
            return false;
        }
        match self.operator.as_str() {
            "" | "Equal" => self.value == taint.value,
            "Exists" => true,
            _ => false,
        }
    }
}

/// Keeps a pod out of the scheduling queue while it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SchedulingGate {
    /// Its name.
    pub name: ArcStr,
}

/// A condition that must be True for the pod to be Ready.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodReadinessGate {
    /// The condition's type.
    pub condition_type: ArcStr,
}
