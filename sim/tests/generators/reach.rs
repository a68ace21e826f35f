//! REACH: which rules the generated worlds have reached.
//!
//! A field of a pod counts as reached when the answer is another one without it.

use serde_json::Value;
use std::collections::BTreeMap;

/// How often each rule was reached, by name.
#[derive(Debug, Default)]
pub(crate) struct Reach(BTreeMap<String, usize>);

impl Reach {
    /// Counts a rule.
    pub(crate) fn note(&mut self, rule: impl Into<String>) {
        *self.0.entry(rule.into()).or_insert(0) += 1;
    }

    /// Fails with the names of the rules that were never reached.
    pub(crate) fn expect(&self, rules: &[&str]) {
        let never: Vec<&&str> = rules.iter().filter(|rule| !self.0.contains_key(**rule)).collect();
        assert!(never.is_empty(), "never reached: {never:#?}\nreached: {:#?}", self.0);
    }
}

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Fields that stand at one place, by the name of their rule.
const PLACES: [(&str, &str); 21] = [
    ("schedulingGates", "/spec/schedulingGates"),
    ("nodeSelector", "/spec/nodeSelector"),
    ("hostNetwork", "/spec/hostNetwork"),
    ("overhead", "/spec/overhead"),
    ("requests of the whole pod", "/spec/resources"),
    ("priority", "/spec/priority"),
    ("priorityClassName", "/spec/priorityClassName"),
    ("preemptionPolicy", "/spec/preemptionPolicy"),
    ("initContainers", "/spec/initContainers"),
    ("a sidecar", "/spec/initContainers/0/restartPolicy"),
    ("limits", "/spec/containers/0/resources/limits"),
    ("hostPort", "/spec/containers/0/ports/0/hostPort"),
    ("protocol of a port", "/spec/containers/0/ports/0/protocol"),
    ("hostIP", "/spec/containers/0/ports/0/hostIP"),
    ("matchLabelKeys of a constraint", "/spec/topologySpreadConstraints/0/matchLabelKeys"),
    ("minDomains", "/spec/topologySpreadConstraints/0/minDomains"),
    ("nodeAffinityPolicy", "/spec/topologySpreadConstraints/0/nodeAffinityPolicy"),
    ("nodeTaintsPolicy", "/spec/topologySpreadConstraints/0/nodeTaintsPolicy"),
    ("deletionTimestamp", "/metadata/deletionTimestamp"),
    ("phase", "/status/phase"),
    ("startTime", "/status/startTime"),
];

/// The fields of a pod by the name of their rule, each with the pod as it is without the field.
pub(crate) fn fields(pod: &Value) -> Vec<(String, Value)> {
    let mut fields: Vec<(String, String)> =
        PLACES.iter().map(|(rule, place)| ((*rule).to_owned(), (*place).to_owned())).collect();
    for (at, toleration) in list(pod, "/spec/tolerations") {
        fields.push((name_toleration(toleration), at));
    }
    for (at, constraint) in list(pod, "/spec/topologySpreadConstraints") {
        fields.push((text(&constraint["whenUnsatisfiable"]), at));
    }
    for (at, volume) in list(pod, "/spec/volumes") {
        let kind = volume.as_object().and_then(|volume| volume.keys().find(|key| *key != "name"));
        fields.push((format!("volume {}", kind.map_or("", String::as_str)), at));
    }
    node_affinity(pod, &mut fields);
    for kind in ["podAffinity", "podAntiAffinity"] {
        for (what, when) in [("required", REQUIRED), ("preferred", PREFERRED)] {
            let place = format!("/spec/affinity/{kind}/{when}");
            for key in ["namespaces", "namespaceSelector", "matchLabelKeys", "mismatchLabelKeys"] {
                fields.push((format!("{key} of a term"), format!("{place}/0/{key}")));
            }
            fields.push((format!("{what} {kind}"), place));
        }
    }
    fields.into_iter().filter_map(|(rule, place)| Some((rule, without(pod, &place)?))).collect()
}

fn node_affinity(pod: &Value, fields: &mut Vec<(String, String)>) {
    let place = format!("/spec/affinity/nodeAffinity/{REQUIRED}/nodeSelectorTerms");
    for (term, _) in list(pod, &place) {
        for (what, list_name) in [("operator", "matchExpressions"), ("matchFields operator", "matchFields")] {
            for (at, expression) in list(pod, &format!("{term}/{list_name}")) {
                fields.push((format!("{what} {}", text(&expression["operator"])), at));
            }
        }
        fields.push(("a term of node affinity".to_owned(), term));
    }
    for (at, preferred) in list(pod, &format!("/spec/affinity/nodeAffinity/{PREFERRED}")) {
        let operator = text(&preferred["preference"]["matchExpressions"][0]["operator"]);
        fields.push((format!("preferred operator {operator}"), at));
    }
}

fn name_toleration(toleration: &Value) -> String {
    let operator = toleration["operator"].as_str().unwrap_or("none");
    let key = if toleration["key"].is_null() { " of every key" } else { "" };
    let effect = if toleration["effect"].is_null() { "every effect" } else { "one effect" };
    format!("toleration {operator}{key}, {effect}")
}

/// The places of a list's items, and the items.
fn list<'a>(pod: &'a Value, place: &str) -> Vec<(String, &'a Value)> {
    let items = pod.pointer(place).and_then(Value::as_array).into_iter().flatten();
    items.enumerate().map(|(at, item)| (format!("{place}/{at}"), item)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The pod without what stands there; `None` where nothing does.
fn without(pod: &Value, place: &str) -> Option<Value> {
    pod.pointer(place)?;
    let (parent, last) = place.rsplit_once('/')?;
    let mut pod = pod.clone();
    match pod.pointer_mut(parent)? {
        Value::Array(items) => drop(items.remove(last.parse().ok()?)),
        Value::Object(fields) => drop(fields.remove(last)),
        _ => return None,
    }
    Some(pod)
}
