//! Random rules of pods about nodes and about each other.

use super::nodes::{EFFECTS, TAINTS};
use super::tape::Tape;
use serde_json::{Value, json};

const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";
/// The operators of node affinity.
pub(crate) const OPERATORS: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

/// A toleration; no key goes with operator Exists only.
pub(crate) fn toleration(tape: &mut Tape) -> Value {
    let mut toleration = json!({"key": tape.pick(&TAINTS)});
    match tape.below(4) {
        0 => toleration["operator"] = json!("Exists"),
        1 => toleration = json!({"operator": "Exists"}),
        2 => {
            toleration["operator"] = json!("Equal");
            toleration["value"] = json!(tape.pick(&["db", "web"]));
        }
        _ => {}
    }
    tape.set(2, (&mut toleration, "effect"), |tape| json!(tape.pick(&EFFECTS)));
    toleration
}

/// Node affinity, or rules about other pods, or both.
pub(crate) fn affinity(tape: &mut Tape) -> Value {
    let mut affinity = json!({});
    tape.set(2, (&mut affinity, "nodeAffinity"), node_affinity);
    tape.set(3, (&mut affinity, "podAffinity"), pod_affinity);
    tape.set(3, (&mut affinity, "podAntiAffinity"), pod_affinity);
    affinity
}

fn node_affinity(tape: &mut Tape) -> Value {
    let mut rules = json!({});
    tape.set(2, (&mut rules, "preferredDuringSchedulingIgnoredDuringExecution"), |tape| {
        json!([{"weight": tape.pick(&[10, 1, 100]), "preference": {"matchExpressions": [expression(tape)]}}])
    });
    if tape.once_in(2) {
        let mut terms = vec![json!({"matchExpressions": [expression(tape)]})];
        if tape.once_in(3) {
            terms.push(json!({"matchExpressions": [expression(tape), expression(tape)]}));
        }
        if tape.once_in(2) {
            terms = vec![json!({"matchFields": fields(tape)}), json!({"matchFields": fields(tape)})];
        }
        rules["requiredDuringSchedulingIgnoredDuringExecution"] = json!({"nodeSelectorTerms": terms});
    }
    rules
}

fn expression(tape: &mut Tape) -> Value {
    let operator = tape.pick(&OPERATORS);
    match operator {
        "In" | "NotIn" => {
            json!({"key": "disk", "operator": operator, "values": [tape.pick(&["ssd", "hdd"])]})
        }
        "Gt" | "Lt" => json!({"key": "rank", "operator": operator, "values": [tape.pick(&["5", "1", "9"])]}),
        _ => json!({"key": tape.pick(&["disk", "rank"]), "operator": operator}),
    }
}

fn fields(tape: &mut Tape) -> Value {
    let field = |tape: &mut Tape, operator: &str| {
        let name = format!("node-{}", tape.below(4));
        json!({"key": "metadata.name", "operator": operator, "values": [name]})
    };
    match tape.below(3) {
        0 => json!([field(tape, "In")]),
        1 => json!([field(tape, "NotIn")]),
        _ => json!([field(tape, "In"), field(tape, "In")]),
    }
}

fn pod_affinity(tape: &mut Tape) -> Value {
    let mut rules = json!({});
    tape.set(2, (&mut rules, "requiredDuringSchedulingIgnoredDuringExecution"), |tape| json!([term(tape)]));
    tape.set(
        2,
        (&mut rules, "preferredDuringSchedulingIgnoredDuringExecution"),
        |tape| json!([{"weight": tape.pick(&[50, 1, 100]), "podAffinityTerm": term(tape)}]),
    );
    rules
}

fn term(tape: &mut Tape) -> Value {
    let mut term = json!({"topologyKey": tape.pick(&[HOST, ZONE]), "labelSelector": selector(tape)});
    match tape.below(5) {
        1 => term["matchLabelKeys"] = json!(["tier"]),
        2 => term["mismatchLabelKeys"] = json!(["tier"]),
        3 => term["namespaces"] = json!(["other"]),
        4 => term["namespaceSelector"] = json!({}),
        _ => {}
    }
    term
}

/// A selector of pods.
pub(crate) fn selector(tape: &mut Tape) -> Value {
    let app = tape.pick(&["web", "db"]);
    match tape.below(6) {
        0 => json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": [app]}]}),
        1 => json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
        _ => json!({"matchLabels": {"app": app}}),
    }
}

/// A topology spread constraint.
pub(crate) fn spread(tape: &mut Tape) -> Value {
    let hard = tape.once_in(2);
    let mut constraint = json!({
        "maxSkew": tape.pick(&[1, 2]), "topologyKey": tape.pick(&[ZONE, HOST]), "labelSelector": selector(tape),
        "whenUnsatisfiable": if hard { "DoNotSchedule" } else { "ScheduleAnyway" },
    });
    if constraint["maxSkew"] == 1 {
        constraint["matchLabelKeys"] = json!(["tier"]);
    }
    if hard {
        tape.set(2, (&mut constraint, "minDomains"), |tape| json!(tape.pick(&[2, 3])));
    }
    tape.set(2, (&mut constraint, "nodeAffinityPolicy"), |_| json!("Ignore"));
    tape.set(1, (&mut constraint, "nodeTaintsPolicy"), |tape| json!(tape.pick(&["Honor", "Ignore"])));
    constraint
}
