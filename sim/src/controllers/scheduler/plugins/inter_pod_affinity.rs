//! InterPodAffinity: near some pods, away from others.
//!
//! Kubernetes 1.36.2: `plugins/interpodaffinity/{filtering,scoring}.go`. Namespaces are not objects here: each has the
//! label `kubernetes.io/metadata.name` and no other.

use crate::controllers::scheduler::node_info::NodeInfo;
use crate::controllers::scheduler::pod_info::PodInfo;
use crate::controllers::scheduler::profile::Profile;
use crate::controllers::scheduler::snapshot::Snapshot;
use crate::controllers::scheduler::status::{Plugin, Reason, Rejection};
use crate::objects::{Pod, PodAffinity, PodAffinityTerm, StrMap};
use arcstr::ArcStr;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::sync::Arc;

/// Pods by topology key and value; a topology without any has no entry.
#[derive(Clone, Debug, Default)]
struct Counts(IndexMap<(ArcStr, ArcStr), i64, FxBuildHasher>);

/// How many pods speak for and against each topology.
#[derive(Clone, Debug)]
pub(in crate::controllers::scheduler) struct State {
    pod: Arc<Pod>,
    profile: Profile,
    /// Pods that match all of the pod's own affinity terms.
    affinity: Counts,
    /// Pods that match one of its anti-affinity terms.
    anti_affinity: Counts,
    /// Pods that do not want it near.
    existing: Counts,
    /// PreFilter has skipped the pod: the plugin neither filters nor hears of other pods.
    skipped: bool,
}

/// Counts the pods that the rules speak of.
pub(in crate::controllers::scheduler) fn pre_filter(snapshot: &Snapshot, pod: &PodInfo) -> State {
    let mut state = State {
        pod: Arc::clone(&pod.pod),
        profile: snapshot.profile,
        affinity: Counts::default(),
        anti_affinity: Counts::default(),
        existing: Counts::default(),
        skipped: false,
    };
    if !terms(pod.affinity()).is_empty() || !terms(pod.anti_affinity()).is_empty() {
        for &slot in snapshot.order() {
            let node = snapshot.node(slot);
            node.pods.iter().for_each(|id| state.count_own(snapshot.pod(*id), node.labels(), 1));
        }
    }
    for &slot in &snapshot.with_affinity {
        let node = snapshot.node(slot);
        if node.with_required_anti_affinity > 0 {
            node.pods.iter().for_each(|id| state.count_existing(snapshot.pod(*id), node.labels(), 1));
        }
    }
    state.skipped = snapshot.profile.skips_for_good && state.is_silent();
    state
}

impl State {
    /// Whether no node is rejected as things are.
    pub(in crate::controllers::scheduler) fn is_silent(&self) -> bool {
        let affinity = self.pod.spec.affinity.as_ref();
        let silent = |rules: Option<&PodAffinity>| terms(rules).is_empty();
        affinity.is_none_or(|rules| {
            silent(rules.pod_affinity.as_ref()) && silent(rules.pod_anti_affinity.as_ref())
        }) && self.existing.0.is_empty()
    }

    /// Rejects a node whose topologies break a rule.
    pub(in crate::controllers::scheduler) fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        let affinity = self.pod.spec.affinity.as_ref();
        if self.skipped || self.is_silent() {
            return Ok(());
        }
        let labels = node.labels();
        if !self.satisfies_affinity(terms(affinity.and_then(|rules| rules.pod_affinity.as_ref())), labels) {
            return Err(Rejection::unresolvable(Plugin::InterPodAffinity, Reason::Affinity));
        }
        let away = terms(affinity.and_then(|rules| rules.pod_anti_affinity.as_ref()));
        if away.iter().any(|term| self.anti_affinity.at(term, labels) > 0) {
            return Err(Rejection::unschedulable(Plugin::InterPodAffinity, Reason::AntiAffinity));
        }
        let blocked = |(key, value): (&ArcStr, &ArcStr)| self.existing.get(key, value) > 0;
        if !self.existing.0.is_empty() && labels.iter().any(blocked) {
            return Err(Rejection::unschedulable(Plugin::InterPodAffinity, Reason::ExistingAntiAffinity));
        }
        Ok(())
    }

    /// Counts a pod that comes to a node (+1) or goes (-1).
    pub(in crate::controllers::scheduler) fn update(
        &mut self,
        other: &PodInfo,
        node: &NodeInfo,
        change: i64,
    ) {
        if !self.skipped {
            self.count_existing(other, node.labels(), change);
            self.count_own(other, node.labels(), change);
        }
    }

    /// Every term needs a pod in its topology, unless the pod is the first of those that it wants near.
    fn satisfies_affinity(&self, near: &[PodAffinityTerm], labels: &StrMap) -> bool {
        if !near.iter().all(|term| labels.contains_key(&term.topology_key)) {
            return false;
        }
        near.iter().all(|term| self.affinity.at(term, labels) > 0)
            || (self.affinity.0.is_empty() && near.iter().all(|term| self.selects(term, &self.pod)))
    }

    fn count_own(&mut self, other: &PodInfo, labels: &StrMap, change: i64) {
        let pod = Arc::clone(&self.pod);
        let Some(affinity) = &pod.spec.affinity else { return };
        let near = terms(affinity.pod_affinity.as_ref());
        if !near.is_empty() && near.iter().all(|term| self.selects(term, &other.pod)) {
            near.iter().for_each(|term| self.affinity.add(term, labels, change));
        }
        let away = terms(affinity.pod_anti_affinity.as_ref()).iter();
        for term in away {
            if self.selects(term, &other.pod) {
                self.anti_affinity.add(term, labels, change);
            }
        }
    }

    /// Whether a term of the pod itself speaks of another.
    fn selects(&self, term: &PodAffinityTerm, other: &Pod) -> bool {
        selects_for_itself(term, (&self.pod, other), self.profile)
    }

    fn count_existing(&mut self, other: &PodInfo, labels: &StrMap, change: i64) {
        let pod = Arc::clone(&self.pod);
        for term in terms(other.anti_affinity()).iter().filter(|term| selects(term, &other.pod, &pod)) {
            self.existing.add(term, labels, change);
        }
    }
}

/// What the preferences of the pod, and those of the pods that run, make of each topology.
#[derive(Debug)]
pub(in crate::controllers::scheduler) struct Scoring(Counts);

impl Scoring {
    /// Sums up the preferences; `None` where nobody has any.
    pub(in crate::controllers::scheduler) fn of(snapshot: &Snapshot, pod: &PodInfo) -> Option<Self> {
        let prefers = |rules: Option<&PodAffinity>| rules.is_some_and(|rules| !rules.preferred.is_empty());
        let own = prefers(pod.affinity()) || prefers(pod.anti_affinity());
        let nodes = if own { snapshot.order() } else { &snapshot.with_affinity };
        let mut sums = Counts::default();
        for &slot in nodes {
            let node = snapshot.node(slot);
            for other in node.pods.iter().map(|id| snapshot.pod(*id)) {
                if own || other.has_affinity() {
                    sums.weigh((pod, other), node.labels(), snapshot.profile);
                }
            }
        }
        (!sums.0.is_empty()).then_some(Self(sums))
    }

    /// The sum over the node's topologies.
    pub(in crate::controllers::scheduler) fn score(&self, node: &NodeInfo) -> i64 {
        node.labels().iter().map(|(key, value)| self.0.get(key, value)).sum()
    }
}

/// Stretches the scores over 0 to 100; float64 as upstream.
pub(in crate::controllers::scheduler) fn normalize(scores: &mut [i64]) {
    let (Some(&least), Some(&most)) = (scores.iter().min(), scores.iter().max()) else { return };
    for score in scores {
        let share = if most > least { (*score - least) as f64 / (most - least) as f64 } else { 0.0 };
        *score = (100.0 * share) as i64;
    }
}

/// For a rule that another pod's required affinity breaks even: `hardPodAffinityWeight`.
const HARD_POD_AFFINITY_WEIGHT: i64 = 1;

impl Counts {
    fn get(&self, key: &ArcStr, value: &ArcStr) -> i64 {
        if self.0.is_empty() {
            return 0;
        }
        self.0.get(&(key.clone(), value.clone())).copied().unwrap_or(0)
    }

    fn at(&self, term: &PodAffinityTerm, labels: &StrMap) -> i64 {
        labels.get(&term.topology_key).map_or(0, |value| self.get(&term.topology_key, value))
    }

    fn add(&mut self, term: &PodAffinityTerm, labels: &StrMap, change: i64) {
        let Some(value) = labels.get(&term.topology_key) else { return };
        let key = (term.topology_key.clone(), value.clone());
        let count = self.0.entry(key.clone()).or_insert(0);
        *count += change;
        if *count == 0 {
            self.0.swap_remove(&key);
        }
    }

    /// A sum of preferences that comes to nothing still counts as one.
    fn weigh_term(&mut self, term: &PodAffinityTerm, labels: &StrMap, weight: i64) {
        if let Some(value) = labels.get(&term.topology_key) {
            *self.0.entry((term.topology_key.clone(), value.clone())).or_insert(0) += weight;
        }
    }

    /// `processExistingPod`: both pods' preferences about each other.
    fn weigh(&mut self, (pod, other): (&PodInfo, &PodInfo), labels: &StrMap, profile: Profile) {
        let sides = [(pod.affinity(), 1), (pod.anti_affinity(), -1)];
        for (rules, sign) in sides {
            let spoken_of = |term: &_| selects_for_itself(term, (&pod.pod, &other.pod), profile);
            self.weigh_preferred(rules, spoken_of, (labels, sign));
        }
        for term in terms(other.affinity()).iter().filter(|term| selects(term, &other.pod, &pod.pod)) {
            self.weigh_term(term, labels, HARD_POD_AFFINITY_WEIGHT);
        }
        let sides = [(other.affinity(), 1), (other.anti_affinity(), -1)];
        for (rules, sign) in sides {
            self.weigh_preferred(rules, |term| selects(term, &other.pod, &pod.pod), (labels, sign));
        }
    }

    fn weigh_preferred(
        &mut self,
        rules: Option<&PodAffinity>,
        spoken_of: impl Fn(&PodAffinityTerm) -> bool,
        (labels, sign): (&StrMap, i64),
    ) {
        for preferred in rules.into_iter().flat_map(|rules| &rules.preferred) {
            let term = &preferred.pod_affinity_term;
            if spoken_of(term) {
                self.weigh_term(term, labels, sign * i64::from(preferred.weight));
            }
        }
    }
}

/// The required terms.
pub(in crate::controllers::scheduler) fn terms(rules: Option<&PodAffinity>) -> &[PodAffinityTerm] {
    rules.map_or(&[], |rules| &rules.required)
}

/// `AffinityTerm.Matches`: whether `owner`'s term speaks of `other`.
fn selects(term: &PodAffinityTerm, owner: &Pod, other: &Pod) -> bool {
    in_namespaces(term, &owner.metadata.namespace, &other.metadata.namespace) && selects_labels(term, other)
}

/// The same where `owner` is the pod that is placed. The namespaces that its selector finds are put beside those that it
/// names, and the selector is to be dropped; but since 1.34 it is dropped from a copy
/// (`mergeAffinityTermNamespacesIfNotEmpty`). It is then put to no labels, and finds every namespace if these do.
fn selects_for_itself(term: &PodAffinityTerm, (owner, other): (&Pod, &Pod), profile: Profile) -> bool {
    let stays = profile.keeps_namespace_selector && selects_no_labels(term);
    selects(term, owner, other) || (stays && selects_labels(term, other))
}

/// The same as hints ask it: a selector of namespaces is put to no labels and to nothing else.
pub(in crate::controllers::scheduler) fn selects_as_hint(
    term: &PodAffinityTerm,
    owner: &Pod,
    other: &Pod,
) -> bool {
    let (own, there) = (&owner.metadata.namespace, &other.metadata.namespace);
    let is_named = match term.namespace_selector {
        Some(_) => term.namespaces.contains(there) || selects_no_labels(term),
        None => in_namespaces(term, own, there),
    };
    is_named && selects_labels(term, other)
}

fn selects_labels(term: &PodAffinityTerm, other: &Pod) -> bool {
    term.label_selector.as_ref().is_some_and(|selector| selector.matches(&other.metadata.labels))
}

fn selects_no_labels(term: &PodAffinityTerm) -> bool {
    term.namespace_selector.as_ref().is_some_and(|selector| selector.matches(&StrMap::default()))
}

/// Without namespaces and selector it is the owner's own namespace.
fn in_namespaces(term: &PodAffinityTerm, own: &ArcStr, other: &ArcStr) -> bool {
    if term.namespaces.is_empty() && term.namespace_selector.is_none() {
        return own == other;
    }
    term.namespaces.contains(other)
        || term.namespace_selector.as_ref().is_some_and(|selector| {
            let labels = StrMap::from_iter([("kubernetes.io/metadata.name", other.clone())]);
            selector.matches(&labels)
        })
}
