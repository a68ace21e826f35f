//! Selectors, affinity and topology spread, as pods and volumes use them.

use super::{Rest, StrMap, is_default, nullable};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};

/// `spec.affinity` of a pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Affinity {
    /// Which nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_affinity: Option<NodeAffinity>,
    /// Near which pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_affinity: Option<PodAffinity>,
    /// Away from which pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_anti_affinity: Option<PodAffinity>,
}

impl Affinity {
    /// Every rule about other pods: near and away, required and preferred.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &PodAffinityTerm> {
        [&self.pod_affinity, &self.pod_anti_affinity].into_iter().flatten().flat_map(|rules| {
            rules.required.iter().chain(rules.preferred.iter().map(|preferred| &preferred.pod_affinity_term))
        })
    }

    /// Whether some rule is about the pod's own values of labels.
    pub(crate) fn has_label_keys(&self) -> bool {
        self.terms().any(|term| !term.match_label_keys.is_empty() || !term.mismatch_label_keys.is_empty())
    }

    /// The same rules, to change them.
    pub(crate) fn terms_mut(&mut self) -> impl Iterator<Item = &mut PodAffinityTerm> {
        [&mut self.pod_affinity, &mut self.pod_anti_affinity].into_iter().flatten().flat_map(|rules| {
            let preferred = rules.preferred.iter_mut().map(|preferred| &mut preferred.pod_affinity_term);
            rules.required.iter_mut().chain(preferred)
        })
    }
}

/// Rules about the node's labels and fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeAffinity {
    /// Must hold when the pod is scheduled.
    #[serde(
        rename = "requiredDuringSchedulingIgnoredDuringExecution",
        skip_serializing_if = "Option::is_none"
    )]
    pub required: Option<NodeSelector>,
    /// Adds to a node's score.
    #[serde(
        rename = "preferredDuringSchedulingIgnoredDuringExecution",
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub preferred: Vec<PreferredSchedulingTerm>,
}

/// Terms of which one must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSelector {
    /// The terms.
    #[serde(deserialize_with = "nullable")]
    pub node_selector_terms: Vec<NodeSelectorTerm>,
}

/// A conjunction of requirements; without any it matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSelectorTerm {
    /// On labels.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<NodeSelectorRequirement>,
    /// On fields; only `metadata.name` exists.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub match_fields: Vec<NodeSelectorRequirement>,
}

/// One requirement on a node: `operator` is In, NotIn, Exists, DoesNotExist, Gt or Lt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSelectorRequirement {
    /// The label or field.
    pub key: ArcStr,
    /// The operator.
    pub operator: ArcStr,
    /// The operands.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ArcStr>,
}

/// A preference with its weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PreferredSchedulingTerm {
    /// 1 to 100.
    pub weight: i32,
    /// What is preferred.
    pub preference: NodeSelectorTerm,
}

/// Rules about other pods in the same topology; used for affinity and for anti-affinity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodAffinity {
    /// Must hold when the pod is scheduled.
    #[serde(
        rename = "requiredDuringSchedulingIgnoredDuringExecution",
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub required: Vec<PodAffinityTerm>,
    /// Adds to, or takes from, a node's score.
    #[serde(
        rename = "preferredDuringSchedulingIgnoredDuringExecution",
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub preferred: Vec<WeightedPodAffinityTerm>,
}

/// Which pods, counted by which topology.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodAffinityTerm {
    /// Pods by label; absent matches none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<LabelSelector>,
    /// Namespaces by name.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<ArcStr>,
    /// Namespaces by label; empty matches all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// The node label that makes a topology.
    pub topology_key: ArcStr,
    /// Labels of which other pods must have the pod's own value.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub match_label_keys: Vec<ArcStr>,
    /// Labels of which other pods must not have the pod's own value.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub mismatch_label_keys: Vec<ArcStr>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A preference about other pods with its weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WeightedPodAffinityTerm {
    /// 1 to 100.
    pub weight: i32,
    /// What is preferred.
    pub pod_affinity_term: PodAffinityTerm,
}

/// A selector over labels; an empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    /// Labels with these very values.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "StrMap::is_empty")]
    pub match_labels: StrMap,
    /// Requirements that all must hold.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<SelectorRequirement>,
}

/// One requirement of a label selector: `operator` is In, NotIn, Exists or DoesNotExist.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SelectorRequirement {
    /// The label.
    pub key: ArcStr,
    /// The operator.
    pub operator: ArcStr,
    /// The operands.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ArcStr>,
}

impl LabelSelector {
    /// Whether labels satisfy every part of the selector.
    pub fn matches(&self, labels: &StrMap) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.has(key, value))
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
    }

    /// Whether the selector has no parts.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }
}

impl SelectorRequirement {
    fn matches(&self, labels: &StrMap) -> bool {
        let value = labels.get(&self.key);
        match self.operator.as_str() {
            "In" => value.is_some_and(|value| self.values.contains(value)),
            "NotIn" => value.is_none_or(|value| !self.values.contains(value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}

/// One of `spec.topologySpreadConstraints`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopologySpreadConstraint {
    /// How uneven the spread may be.
    pub max_skew: i32,
    /// The node label that makes a domain.
    pub topology_key: ArcStr,
    /// DoNotSchedule or ScheduleAnyway.
    pub when_unsatisfiable: ArcStr,
    /// Which pods are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<LabelSelector>,
    /// Labels of which pods that are counted have the pod's own value.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub match_label_keys: Vec<ArcStr>,
    /// How many domains there must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_domains: Option<i32>,
    /// Honor (default) or Ignore.
    #[serde(skip_serializing_if = "is_default")]
    pub node_affinity_policy: Option<ArcStr>,
    /// Honor or Ignore (default).
    #[serde(skip_serializing_if = "is_default")]
    pub node_taints_policy: Option<ArcStr>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}
