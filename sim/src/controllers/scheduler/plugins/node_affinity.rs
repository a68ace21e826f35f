//! NodeAffinity: node selectors and node affinity, required and preferred.
//!
//! Kubernetes 1.36.2: `plugins/nodeaffinity`, `component-helpers/scheduling/corev1/nodeaffinity`.

use crate::controllers::scheduler::cycle::Refusal;
use crate::controllers::scheduler::matches::{NodeMatches, required};
use crate::controllers::scheduler::node_info::NodeInfo;
use crate::controllers::scheduler::pod_info::PodInfo;
use crate::controllers::scheduler::snapshot::{Slot, Snapshot};
use crate::controllers::scheduler::status::{Plugin, Reason, Rejection};
use crate::objects::{
    Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, PreferredSchedulingTerm,
    StrMap,
};
use arcstr::ArcStr;
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the pod wants of nodes.
#[derive(Clone, Debug)]
pub(in crate::controllers::scheduler) struct State {
    required: Required,
    names: Option<BTreeSet<ArcStr>>,
}

#[derive(Clone, Debug)]
enum Required {
    Nothing,
    /// By slot.
    Verdicts(Arc<[bool]>),
    /// To be evaluated for each node.
    Of(Arc<PodSpec>),
}

/// Reads the selector, and refuses the pod where no name of a node can satisfy it.
pub(in crate::controllers::scheduler) fn pre_filter(
    snapshot: &Snapshot,
    matches: &mut NodeMatches,
    pod: &PodInfo,
) -> Result<State, Refusal> {
    let spec = &pod.pod.spec;
    if spec.node_selector.is_empty() && required(spec).is_none() {
        return Ok(State { required: Required::Nothing, names: None });
    }
    let names = required(spec).and_then(node_names);
    if names.as_ref().is_some_and(BTreeSet::is_empty) {
        let message = arcstr::literal!("pod affinity terms conflict");
        return Err(Refusal { plugin: Plugin::NodeAffinity, message });
    }
    let verdicts = matches.of(snapshot, spec).map(Required::Verdicts);
    Ok(State { required: verdicts.unwrap_or_else(|| Required::Of(Arc::clone(spec))), names })
}

impl State {
    /// The nodes that the pod names, where it does, by name.
    pub(in crate::controllers::scheduler) fn names(&self, snapshot: &Snapshot) -> Option<Vec<Slot>> {
        let names = self.names.as_ref()?;
        Some(names.iter().filter_map(|name| snapshot.slot(name)).collect())
    }

    /// Rejects a node that does not match.
    pub(in crate::controllers::scheduler) fn filter(
        &self,
        slot: Slot,
        info: &NodeInfo,
    ) -> Result<(), Rejection> {
        if self.matches(slot, info) {
            return Ok(());
        }
        Err(Rejection::unresolvable(Plugin::NodeAffinity, Reason::NodeAffinity))
    }

    /// Whether a node has what the selector and the required affinity ask for.
    pub(in crate::controllers::scheduler) fn matches(&self, slot: Slot, info: &NodeInfo) -> bool {
        match &self.required {
            Required::Nothing => true,
            Required::Verdicts(verdicts) => verdicts[slot as usize],
            Required::Of(spec) => info.node.as_deref().is_some_and(|node| matches_required(spec, node)),
        }
    }
}

/// `RequiredNodeAffinity.Match`.
pub(in crate::controllers::scheduler) fn matches_required(spec: &PodSpec, node: &Node) -> bool {
    let labels = &node.metadata.labels;
    spec.node_selector.iter().all(|(key, value)| labels.has(key, value))
        && required(spec).is_none_or(|selector| matches_selector(selector, labels, &node.metadata.name))
}

/// Whether one of the terms matches; with an empty name the fields are not looked at.
pub(in crate::controllers::scheduler) fn matches_selector(
    selector: &NodeSelector,
    labels: &StrMap,
    name: &str,
) -> bool {
    selector.node_selector_terms.iter().any(|term| !is_empty(term) && matches_term(term, labels, name))
}

/// The preferred terms that count, `None` where there are no preferences at all: then the plugin gives no score. The
/// error names everything that cannot be read.
pub(in crate::controllers::scheduler) fn preferred(
    pod: &Pod,
) -> Result<Option<Vec<&PreferredSchedulingTerm>>, String> {
    let affinity = pod.spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let terms = affinity.map_or(&[][..], |affinity| &affinity.preferred);
    let counts = |term: &PreferredSchedulingTerm| term.weight != 0 && !is_empty(&term.preference);
    let counted = terms.iter().enumerate().filter(|(_, term)| counts(term));
    let errors: IndexSet<String, FxBuildHasher> = counted
        .flat_map(|(at, term)| term_errors(&term.preference).map(move |error| format!("[{at}].{error}")))
        .collect();
    if errors.is_empty() {
        return Ok((!terms.is_empty()).then(|| terms.iter().filter(|term| counts(term)).collect()));
    }
    Err(format!("running PreScore plugin \"NodeAffinity\": {}", aggregate(&errors)))
}

/// `Aggregate.Error()`: several errors stand in brackets.
fn aggregate(errors: &IndexSet<String, FxBuildHasher>) -> String {
    let all: Vec<&str> = errors.iter().map(String::as_str).collect();
    if let [only] = all[..] { only.to_owned() } else { format!("[{}]", all.join(", ")) }
}

/// The sum of the weights of the terms that match.
pub(in crate::controllers::scheduler) fn score(terms: &[&PreferredSchedulingTerm], info: &NodeInfo) -> i64 {
    let matching = terms.iter().filter(|term| matches_term(&term.preference, info.labels(), &info.name));
    matching.map(|term| i64::from(term.weight)).sum()
}

/// The names that the terms allow, if every one of them names some.
fn node_names(selector: &NodeSelector) -> Option<BTreeSet<ArcStr>> {
    if selector.node_selector_terms.is_empty() {
        return None;
    }
    let mut all = BTreeSet::new();
    for term in &selector.node_selector_terms {
        all.extend(names_of_term(term)?);
    }
    Some(all)
}

fn names_of_term(term: &NodeSelectorTerm) -> Option<BTreeSet<ArcStr>> {
    let by_name = |field: &&NodeSelectorRequirement| field.key == "metadata.name" && field.operator == "In";
    let sets = term.match_fields.iter().filter(by_name).map(|field| field.values.iter().cloned().collect());
    sets.reduce(|a: BTreeSet<ArcStr>, b| a.intersection(&b).cloned().collect())
}

fn is_empty(term: &NodeSelectorTerm) -> bool {
    term.match_expressions.is_empty() && term.match_fields.is_empty()
}

/// A term that cannot be read matches nothing.
fn matches_term(term: &NodeSelectorTerm, labels: &StrMap, name: &str) -> bool {
    term_errors(term).next().is_none()
        && term.match_expressions.iter().all(|requirement| matches_labels(requirement, labels))
        && (name.is_empty() || term.match_fields.iter().all(|requirement| matches_name(requirement, name)))
}

fn matches_labels(requirement: &NodeSelectorRequirement, labels: &StrMap) -> bool {
    let value = labels.get(&requirement.key);
    let number = |text: &ArcStr| text.parse::<i64>().ok();
    let compare = |holds: fn(&i64, &i64) -> bool| {
        let operand = requirement.values.first().and_then(number);
        value.and_then(number).zip(operand).is_some_and(|(value, operand)| holds(&value, &operand))
    };
    match requirement.operator.as_str() {
        "In" => value.is_some_and(|value| requirement.values.contains(value)),
        "NotIn" => value.is_none_or(|value| !requirement.values.contains(value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compare(i64::gt),
        "Lt" => compare(i64::lt),
        _ => false,
    }
}

fn matches_name(requirement: &NodeSelectorRequirement, name: &str) -> bool {
    let named = requirement.values.iter().any(|value| value == name);
    (requirement.operator == "In") == named
}

/// Why a term cannot be read, path first, as `labels.NewRequirement` says it.
fn term_errors(term: &NodeSelectorTerm) -> impl Iterator<Item = String> {
    let labels = term.match_expressions.iter().enumerate().flat_map(|(at, requirement)| {
        label_errors(requirement).map(move |error| format!("matchExpressions[{at}].{error}"))
    });
    let fields = term.match_fields.iter().enumerate();
    labels.chain(fields.filter_map(|(at, field)| Some(format!("matchFields[{at}].{}", field_error(field)?))))
}

/// First what the operator has against its operands, then what is no value of a label.
fn label_errors(requirement: &NodeSelectorRequirement) -> impl Iterator<Item = String> {
    let NodeSelectorRequirement { key, operator, values } = requirement;
    let compares = matches!(operator.as_str(), "Gt" | "Lt");
    let number = (compares && values.len() != 1)
        .then(|| "values: for 'Gt', 'Lt' operators, exactly one value is required".to_owned());
    let no_integers =
        values.iter().enumerate().filter(move |(_, value)| compares && value.parse::<i64>().is_err());
    let no_integers = no_integers.map(|(at, value)| {
        let why = "for 'Gt', 'Lt' operators, the value must be an integer";
        format!("values[{at}]: Invalid value: \"{value}\": {why}")
    });
    let no_values = values.iter().enumerate().filter(|(_, value)| !is_label_value(value));
    let no_values = no_values
        .map(move |(at, value)| format!("values[{at}][{key}]: Invalid value: \"{value}\": {LABEL_VALUE}"));
    number.into_iter().chain(no_integers).chain(no_values)
}

fn field_error(field: &NodeSelectorRequirement) -> Option<String> {
    match field.operator.as_str() {
        "In" | "NotIn" if field.values.len() == 1 => None,
        "In" | "NotIn" => Some("values: Invalid value: must have one element".into()),
        other => Some(format!("operator: Unsupported value: \"{other}\": not a valid selector operator")),
    }
}

const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
     '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
     used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

fn is_label_value(value: &str) -> bool {
    let ends = |end: Option<char>| end.is_none_or(|c| c.is_ascii_alphanumeric());
    value.len() <= 63
        && ends(value.chars().next())
        && ends(value.chars().next_back())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
