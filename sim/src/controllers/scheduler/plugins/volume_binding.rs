//! VolumeBinding: volumes must be within reach of the node, and claims that wait for a pod must find one there.
//!
//! Kubernetes 1.36.2: `plugins/volumebinding/{volume_binding,binder}.go`, `component-helpers/storage/volume`.
//! CSIStorageCapacity is not modelled: every provisioner has room.

use crate::controllers::scheduler::cycle::Refusal;
use crate::controllers::scheduler::node_info::NodeInfo;
use crate::controllers::scheduler::plugins::node_affinity::matches_selector;
use crate::controllers::scheduler::pod_info::PodInfo;
use crate::controllers::scheduler::snapshot::Snapshot;
use crate::controllers::scheduler::status::{Plugin, Reason, ReasonSet, Rejection};
use crate::controllers::scheduler::storage::{SELECTED_NODE, claim_class, named_claims};
use crate::objects::{PersistentVolume, PersistentVolumeClaim, Pod, StrMap};
use crate::quantity::Quantity;
use arcstr::ArcStr;
use serde_json::Value;
use std::sync::Arc;

/// The pod's claims.
#[derive(Clone, Debug, Default)]
pub(in crate::controllers::scheduler) struct State {
    /// The volumes of those that are bound.
    bound: Vec<Arc<PersistentVolume>>,
    /// Those that wait for a pod, the smallest first.
    waiting: Vec<Waiting>,
}

/// A claim that waits for a pod.
#[derive(Clone, Debug)]
struct Waiting {
    claim: Arc<PersistentVolumeClaim>,
    /// The volumes that would do on some node, the smallest first; one that is kept for the claim stands alone.
    candidates: Vec<Arc<PersistentVolume>>,
}

/// What is to become of a pod's claims on a node.
#[derive(Clone, Debug, Default)]
pub(in crate::controllers::scheduler) struct PodVolumes {
    /// Claims that get a volume that is there.
    pub(in crate::controllers::scheduler) bindings: Vec<(Arc<PersistentVolumeClaim>, Arc<PersistentVolume>)>,
    /// Claims for which a volume is to be made.
    pub(in crate::controllers::scheduler) provisions: Vec<Arc<PersistentVolumeClaim>>,
}

/// Looks the claims up, and refuses the pod where one cannot be used yet.
pub(in crate::controllers::scheduler) fn pre_filter(
    snapshot: &Snapshot,
    pod: &PodInfo,
) -> Result<Option<State>, Refusal> {
    if !pod.needs.claims {
        return Ok(None);
    }
    let refuse = |message| Refusal { plugin: Plugin::VolumeBinding, message };
    let claims = usable_claims(snapshot, &pod.pod).map_err(refuse)?;
    let mut state = State::default();
    for claim in claims {
        if is_bound(&claim) {
            // One that is missing is VolumeZone's matter.
            state.bound.extend(snapshot.storage.volume(&claim.spec.volume_name).cloned());
        } else if claim.spec.volume_name.is_empty() && waits_for_pod(snapshot, &claim) {
            let candidates = candidates(snapshot, &claim);
            state.waiting.push(Waiting { claim, candidates });
        } else {
            return Err(refuse(arcstr::literal!("pod has unbound immediate PersistentVolumeClaims")));
        }
    }
    state.waiting.sort_by_key(|waiting| requested(&waiting.claim));
    Ok(Some(state))
}

impl State {
    /// Rejects a node out of reach of a volume, or where a claim finds none.
    pub(in crate::controllers::scheduler) fn filter(
        &self,
        snapshot: &Snapshot,
        node: &NodeInfo,
    ) -> Result<(), Rejection> {
        let mut reasons = ReasonSet::default();
        if !self.bound.iter().all(|volume| is_reachable(volume, node.labels())) {
            reasons.insert(Reason::VolumeNodeAffinity);
        }
        if !self.waiting.is_empty() && self.find(snapshot, node).is_none() {
            reasons.insert(Reason::VolumeBind);
        }
        if reasons == ReasonSet::default() {
            return Ok(());
        }
        Err(Rejection::new(Plugin::VolumeBinding, reasons, false))
    }

    /// What is to become of the claims on a node that has passed.
    pub(in crate::controllers::scheduler) fn on_node(
        &self,
        snapshot: &Snapshot,
        node: &NodeInfo,
    ) -> PodVolumes {
        self.find(snapshot, node).expect("the node has passed")
    }

    /// `FindPodVolumes` for the claims that wait.
    fn find(&self, snapshot: &Snapshot, node: &NodeInfo) -> Option<PodVolumes> {
        let mut found = PodVolumes::default();
        for Waiting { claim, candidates } in &self.waiting {
            match claim.metadata.annotations.get(SELECTED_NODE) {
                Some(selected) if *selected != node.name => return None,
                Some(_) => found.provisions.push(Arc::clone(claim)),
                None => {
                    let taken = |volume: &Arc<PersistentVolume>| {
                        found.bindings.iter().any(|(_, chosen)| Arc::ptr_eq(chosen, volume))
                    };
                    let mut free = candidates.iter().filter(|volume| !taken(volume));
                    match free.find(|volume| is_reachable(volume, node.labels())) {
                        Some(volume) => found.bindings.push((Arc::clone(claim), Arc::clone(volume))),
                        None => found.provisions.push(Arc::clone(claim)),
                    }
                }
            }
        }
        found.provisions.iter().all(|claim| can_provision(snapshot, claim, node)).then_some(found)
    }
}

/// Whether the binder has bound the claim for good.
pub(in crate::controllers::scheduler) fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    !claim.spec.volume_name.is_empty()
        && claim.metadata.annotations.contains_key("pv.kubernetes.io/bind-completed")
}

/// `CheckNodeAffinity`: whether a node with these labels reaches the volume.
pub(crate) fn is_reachable(volume: &PersistentVolume, labels: &StrMap) -> bool {
    let required = volume.spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref());
    required.is_none_or(|selector| matches_selector(selector, labels, ""))
}

/// `podHasPVCs`: the claims, or why one cannot be used.
fn usable_claims(snapshot: &Snapshot, pod: &Pod) -> Result<Vec<Arc<PersistentVolumeClaim>>, ArcStr> {
    let namespace = &pod.metadata.namespace;
    let mut claims = Vec::new();
    for (volume, name) in named_claims(pod) {
        let ephemeral = volume.persistent_volume_claim.is_none();
        let Some(claim) = snapshot.storage.claim(namespace, &name) else {
            let missing = format!("persistentvolumeclaim \"{name}\"");
            return Err(match ephemeral {
                true => arcstr::format!("waiting for ephemeral volume controller to create the {missing}"),
                false => arcstr::format!("{missing} not found"),
            });
        };
        if claim.status.phase == "Lost" {
            let volume = &claim.spec.volume_name;
            return Err(arcstr::format!(
                "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{volume}\""
            ));
        }
        if claim.metadata.is_deleting() {
            return Err(arcstr::format!("persistentvolumeclaim \"{name}\" is being deleted"));
        }
        let is_owner = claim.metadata.controller().is_some_and(|owner| owner.uid == pod.metadata.uid);
        if ephemeral && !is_owner {
            return Err(arcstr::format!(
                "PVC {namespace}/{name} was not created for pod {namespace}/{} (pod is not owner)",
                pod.metadata.name
            ));
        }
        claims.push(Arc::clone(claim));
    }
    Ok(claims)
}

fn waits_for_pod(snapshot: &Snapshot, claim: &PersistentVolumeClaim) -> bool {
    let class = snapshot.storage.class(&claim_class(claim));
    class.is_some_and(|class| class.waits_for_first_consumer())
}

fn requested(claim: &PersistentVolumeClaim) -> Quantity {
    claim.spec.resources.requests.get("storage").cloned().unwrap_or_default()
}

/// `FindMatchingVolume`, but for the node: what passes, in the order of choice.
fn candidates(snapshot: &Snapshot, claim: &PersistentVolumeClaim) -> Vec<Arc<PersistentVolume>> {
    let wanted = requested(claim);
    let fits = |volume: &&Arc<PersistentVolume>| {
        let spec = &volume.spec;
        (spec.claim_ref.is_none() || is_kept_for(volume, claim))
            && size(volume) >= wanted
            && mode(spec.volume_mode.as_ref()) == mode(claim.spec.volume_mode.as_ref())
            && attributes_class(&spec.rest) == attributes_class(&claim.spec.rest)
            && !volume.metadata.is_deleting()
    };
    let class = claim_class(claim);
    let fitting: Vec<&Arc<PersistentVolume>> = snapshot.storage.free_volumes(&class).filter(fits).collect();
    if let Some(kept) = fitting.iter().find(|volume| is_kept_for(volume, claim)) {
        return vec![Arc::clone(kept)];
    }
    let mut free: Vec<Arc<PersistentVolume>> =
        fitting.into_iter().filter(|volume| is_free_for(volume, claim)).cloned().collect();
    free.sort_by_key(|volume| size(volume));
    free
}

fn is_free_for(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    volume.status.phase == "Available"
        && claim.spec.selector.as_ref().is_none_or(|selector| selector.matches(&volume.metadata.labels))
        && claim.spec.access_modes.iter().all(|mode| volume.spec.access_modes.contains(mode))
}

/// `IsVolumeBoundToClaim`.
fn is_kept_for(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let meta = &claim.metadata;
    volume.spec.claim_ref.as_ref().is_some_and(|to| {
        to.name == meta.name && to.namespace == meta.namespace && (to.uid.is_empty() || to.uid == meta.uid)
    })
}

fn size(volume: &PersistentVolume) -> Quantity {
    volume.spec.capacity.get("storage").cloned().unwrap_or_default()
}

fn mode(mode: Option<&ArcStr>) -> &str {
    mode.map_or("Filesystem", ArcStr::as_str)
}

fn attributes_class(rest: &crate::objects::Rest) -> &str {
    rest.get("volumeAttributesClassName").and_then(Value::as_str).unwrap_or("")
}

/// `checkVolumeProvisions`: whether the class makes volumes for such a node.
fn can_provision(snapshot: &Snapshot, claim: &PersistentVolumeClaim, node: &NodeInfo) -> bool {
    let Some(class) = snapshot.storage.class(&claim_class(claim)) else { return false };
    let makes = !class.provisioner.is_empty() && class.provisioner != "kubernetes.io/no-provisioner";
    let topologies = class.rest.get("allowedTopologies").and_then(Value::as_array);
    let allowed =
        |terms: &Vec<Value>| terms.is_empty() || terms.iter().any(|term| in_topology(term, node.labels()));
    makes && topologies.is_none_or(allowed)
}

/// `MatchTopologySelectorTerms`; a term without expressions matches nothing.
fn in_topology(term: &Value, labels: &StrMap) -> bool {
    let Some(expressions) = term.get("matchLabelExpressions").and_then(Value::as_array) else { return false };
    let matches = |expression: &Value| {
        let key = expression.get("key").and_then(Value::as_str).unwrap_or("");
        let mut values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
        labels.get(key).is_some_and(|found| values.any(|value| value.as_str() == Some(found)))
    };
    !expressions.is_empty() && expressions.iter().all(matches)
}
