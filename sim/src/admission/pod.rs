//! What the API server makes of a new pod: defaults and built-in admission.
//!
//! Kubernetes 1.36.2: `pkg/apis/core/v1/defaults.go`, `plugin/pkg/admission/{priority,defaulttolerationseconds}`,
//! `pkg/registry/core/pod/strategy.go`.

use super::{Admit, label_keys, unknown_fields};
use crate::config::Config;
use crate::controllers::scheduler::requests::{container_requests, is_pod_level};
use crate::kind::Kind;
use crate::objects::{
    Condition, Container, ContainerResources, Pod, PodSpec, PriorityClass, ResourceList, Toleration, Truth,
};
use crate::quantity::Quantity;
use crate::release::KubernetesRelease;
use crate::store::{ApiError, View};
use arcstr::ArcStr;
use std::sync::Arc;
use stuckvm_detector::Time;

/// The message of the condition PodScheduled while a gate stands.
pub(crate) const GATED: &str = "Scheduling is blocked due to non-empty scheduling gates";

impl Admit for Pod {
    fn admit_configured(&mut self, view: View<'_>, now: Time, config: &Config) {
        read(self, config.kubernetes);
        if self.spec.priority.is_none() {
            resolve_priority(self, view.iter::<PriorityClass>().map(|(_, class)| &**class));
        }
        tolerate_lost_nodes(self);
        self.status.phase = arcstr::literal!("Pending");
        self.status.qos_class = qos_class(&self.spec);
        if !self.spec.scheduling_gates.is_empty() {
            let gated =
                Condition::new("PodScheduled", Truth::False, "SchedulingGated", now).with_message(GATED);
            self.status.conditions = vec![gated].into();
        }
    }

    /// A pod that has a priority was stored before, and its class may be gone.
    fn objection(&self, view: View<'_>) -> Option<ApiError> {
        let name = &self.spec.priority_class_name;
        let is_known = self.spec.priority.is_some()
            || matches!(name.as_str(), "" | "system-cluster-critical" | "system-node-critical")
            || view.named::<PriorityClass>("", name).is_some();
        (!is_known).then(|| ApiError::forbidden(Kind::Pod, &self.metadata, no_priority_class(name).into()))
    }
}

/// The priority admission plugin's words for a class that is not there.
pub(crate) fn no_priority_class(name: &str) -> String {
    format!("no PriorityClass with name {name} was found")
}

/// A pod as the API server of a release reads and prepares it, whoever asks: what it does not know is dropped, what is left
/// out is filled in, and rules about the pod's own labels become selectors.
pub(crate) fn read(pod: &mut Pod, release: KubernetesRelease) {
    unknown_fields::drop(&mut pod.spec, release);
    default(pod);
    label_keys::merge(pod, release);
}

/// `SetDefaults_Pod`: a spec that lacks nothing stays shared.
pub(crate) fn default(pod: &mut Pod) {
    if lacks_something(&pod.spec) {
        let spec = Arc::make_mut(&mut pod.spec);
        let containers = spec.init_containers.iter_mut().chain(&mut spec.containers);
        let on_host = spec.host_network;
        containers.for_each(|container| default_container(container, on_host));
        default_pod_requests(spec);
        set_if_empty(&mut spec.restart_policy, arcstr::literal!("Always"));
        set_if_empty(&mut spec.scheduler_name, arcstr::literal!("default-scheduler"));
    }
}

/// A spec as it is stored, for whoever lets many pods share it: admission then finds nothing to change.
pub(crate) fn admitted(spec: PodSpec) -> Arc<PodSpec> {
    let mut pod = Pod { spec: Arc::new(spec), ..Pod::default() };
    default(&mut pod);
    tolerate_lost_nodes(&mut pod);
    pod.spec
}

/// The priority admission plugin: the class named, else the default class with the lowest value, else 0.
pub(crate) fn resolve_priority<'a>(pod: &mut Pod, mut classes: impl Iterator<Item = &'a PriorityClass>) {
    if pod.spec.priority.is_some() {
        return;
    }
    let name = &pod.spec.priority_class_name;
    let class = match name.as_str() {
        "" => classes.filter(|class| class.global_default).min_by_key(|class| class.value),
        "system-cluster-critical" | "system-node-critical" => None,
        _ => classes.find(|class| class.metadata.name == *name),
    };
    if class.is_none() && name.is_empty() {
        // An absent priority counts as 0; the server writes the 0, but then no two pods could share a spec.
        return;
    }
    let value = match (class, name.as_str()) {
        (Some(class), _) => class.value,
        (None, "system-cluster-critical") => 2_000_000_000,
        (None, "system-node-critical") => 2_000_001_000,
        (None, _) => 0,
    };
    let policy = class.and_then(|class| class.preemption_policy.clone());
    let name = class.map(|class| class.metadata.name.clone());
    let spec = Arc::make_mut(&mut pod.spec);
    spec.priority = Some(value);
    if let Some(name) = name {
        spec.priority_class_name = name;
    }
    spec.preemption_policy = spec.preemption_policy.take().or(policy);
    spec.preemption_policy.get_or_insert(arcstr::literal!("PreemptLowerPriority"));
}

fn lacks_something(spec: &PodSpec) -> bool {
    let mut containers = spec.init_containers.iter().chain(&spec.containers);
    spec.restart_policy.is_empty()
        || spec.scheduler_name.is_empty()
        || spec.resources.is_some()
        || containers.any(|container| lacks_in_container(container, spec.host_network))
}

fn lacks_in_container(container: &Container, on_host: bool) -> bool {
    let ContainerResources { requests, limits, .. } = &container.resources;
    container.image_pull_policy.is_empty()
        || container.ports.iter().any(|port| port.protocol.is_empty() || (on_host && port.host_port == 0))
        || limits.iter().any(|(name, _)| requests.get(name).is_none())
        || requests.iter().chain(limits.iter()).any(|(_, amount)| finer_than_milli(amount))
}

/// On the node's network every port is a port of the node.
fn default_container(container: &mut Container, on_host: bool) {
    set_if_empty(&mut container.image_pull_policy, pull_policy(&container.image));
    for port in &mut container.ports {
        set_if_empty(&mut port.protocol, arcstr::literal!("TCP"));
        if on_host && port.host_port == 0 {
            port.host_port = port.container_port;
        }
    }
    let ContainerResources { requests, limits, .. } = &mut container.resources;
    round_up(limits);
    round_up(requests);
    default_requests(requests, limits);
}

/// What is limited and not asked for is asked for.
fn default_requests(requests: &mut ResourceList, limits: &ResourceList) {
    for (name, amount) in limits.iter() {
        if requests.get(name).is_none() {
            requests.insert(name.clone(), amount.clone());
        }
    }
}

/// `defaultPodRequests`: with limits for the whole pod, what its containers ask for, then the limits.
fn default_pod_requests(spec: &mut PodSpec) {
    let Some(mut own) = spec.resources.take() else { return };
    if !own.limits.is_empty() {
        let wanted = container_requests(spec, false);
        let fill = |requests: &mut ResourceList, from: &ResourceList| {
            for (name, amount) in from.iter().filter(|(name, _)| is_pod_level(name)) {
                if requests.get(name).is_none() {
                    requests.insert(name.clone(), stored(amount));
                }
            }
        };
        fill(&mut own.requests, &wanted);
        fill(&mut own.requests, &own.limits);
    }
    spec.resources = Some(own);
}

/// An amount that was computed, once it has been written and read: a sum above 64 bits comes back as the largest number.
fn stored(amount: &Quantity) -> Quantity {
    Quantity::parse(&amount.canonical()).expect("what is printed can be read")
}

/// `SetDefaults_ResourceList`: nothing finer than a thousandth.
fn round_up(list: &mut ResourceList) {
    let fine: Vec<(ArcStr, Quantity)> = list
        .iter()
        .filter(|(_, amount)| finer_than_milli(amount))
        .map(|(n, a)| (n.clone(), a.clone()))
        .collect();
    for (name, amount) in fine {
        list.insert(name, Quantity::from_milli(amount.milli_value()));
    }
}

fn finer_than_milli(amount: &Quantity) -> bool {
    // Amounts whose thousandths overflow are whole ones.
    let milli = amount.milli_value();
    milli.unsigned_abs() < 1 << 62
        && amount.value().unsigned_abs() < 1 << 52
        && Quantity::from_milli(milli) > *amount
}

/// `SetDefaults_Container`: `latest`, named or meant, is always pulled.
fn pull_policy(image: &str) -> ArcStr {
    let name = image.rsplit('/').next().unwrap_or(image);
    let (name, digest) = name.split_once('@').map_or((name, false), |(name, _)| (name, true));
    match name.split_once(':') {
        Some((_, "latest")) => arcstr::literal!("Always"),
        None if !digest => arcstr::literal!("Always"),
        _ => arcstr::literal!("IfNotPresent"),
    }
}

/// The DefaultTolerationSeconds admission plugin: 300 seconds on a node that is lost.
fn tolerate_lost_nodes(pod: &mut Pod) {
    let keys = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    let missing = keys.map(|key| !pod.spec.tolerations.iter().any(|toleration| covers(toleration, key)));
    if !missing.contains(&true) {
        return;
    }
    let tolerations = &mut Arc::make_mut(&mut pod.spec).tolerations;
    for (key, _) in keys.into_iter().zip(missing).filter(|(_, missing)| *missing) {
        tolerations.push(Toleration {
            key: ArcStr::from(key),
            operator: arcstr::literal!("Exists"),
            effect: arcstr::literal!("NoExecute"),
            toleration_seconds: Some(300),
            ..Toleration::default()
        });
    }
}

fn covers(toleration: &Toleration, key: &str) -> bool {
    let every_key = toleration.key.is_empty() && toleration.operator == "Exists";
    (every_key || toleration.key == key) && matches!(toleration.effect.as_str(), "" | "NoExecute")
}

/// `ComputePodQOS`.
fn qos_class(spec: &PodSpec) -> ArcStr {
    let counts = |name: &str| matches!(name, "cpu" | "memory");
    let own = spec.resources.iter();
    let all = spec.init_containers.iter().chain(&spec.containers).map(|container| &container.resources);
    let resources: Vec<&ContainerResources> =
        if spec.resources.is_some() { own.collect() } else { all.collect() };
    let named = |list: &ResourceList| list.iter().any(|(name, amount)| counts(name) && !amount.is_zero());
    if !resources.iter().any(|each| named(&each.requests) || named(&each.limits)) {
        return arcstr::literal!("BestEffort");
    }
    let full = |each: &&ContainerResources| {
        ["cpu", "memory"].iter().all(|name| {
            let limit = each.limits.get(name).filter(|amount| !amount.is_zero());
            limit.is_some() && each.requests.get(name) == limit
        })
    };
    if resources.iter().all(full) { arcstr::literal!("Guaranteed") } else { arcstr::literal!("Burstable") }
}

fn set_if_empty(text: &mut ArcStr, value: ArcStr) {
    if text.is_empty() {
        *text = value;
    }
}

#[cfg(test)]
mod tests {
    use super::{default, pull_policy, qos_class, tolerate_lost_nodes};
    use crate::objects::Pod;
    use std::sync::Arc;

    fn pod(spec: serde_json::Value) -> Pod {
        serde_json::from_value(serde_json::json!({"metadata": {"name": "p"}, "spec": spec})).unwrap()
    }

    #[test]
    fn only_the_latest_image_is_always_pulled() {
        let policies = ["app", "app:latest", "host:5000/app", "app:1", "app@sha256:00", "host:5000/app:1"];
        let policies = policies.map(|image| pull_policy(image).to_string());
        assert_eq!(policies[..3], ["Always"; 3]);
        assert_eq!(policies[3..], ["IfNotPresent"; 3]);
    }

    #[test]
    fn what_is_limited_is_asked_for() {
        let mut pod = pod(serde_json::json!({"containers": [{"name": "c", "image": "app:1",
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}}]}));
        default(&mut pod);
        let requests = &pod.spec.containers[0].resources.requests;
        assert_eq!(requests.get("cpu").unwrap().milli_value(), 500);
        assert_eq!(requests.get("memory").unwrap().value(), 1 << 30);
        assert_eq!(qos_class(&pod.spec), "Burstable");
    }

    #[test]
    fn a_spec_that_lacks_nothing_stays_shared() {
        let mut first = pod(serde_json::json!({"containers": [{"name": "c", "image": "app:1"}]}));
        default(&mut first);
        let shared = Arc::clone(&first.spec);
        default(&mut first);
        assert!(Arc::ptr_eq(&shared, &first.spec));
    }

    #[test]
    fn lost_nodes_are_tolerated_for_five_minutes_unless_the_pod_says_otherwise() {
        let mut pod = pod(serde_json::json!({"tolerations": [
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}]}));
        tolerate_lost_nodes(&mut pod);
        let added = &pod.spec.tolerations[1..];
        assert_eq!(added.len(), 1);
        assert_eq!(
            (added[0].key.as_str(), added[0].toleration_seconds),
            ("node.kubernetes.io/unreachable", Some(300))
        );
    }
}
