//! Containers of a pod, Kubernetes 1.36: `validateContainers`, `validateInitContainers` and `validateContainerCommon` of
//! `pkg/apis/core/validation/validation.go`.

use super::field::Field;
use super::field_error::Errors;
use super::names::{dns1123_label, range};
use super::pod::one_of;
use super::{Row, apply, pod_volumes, probe, resources, visit};
use std::collections::BTreeSet;

const COMMON: &[Row] = &[
    ("name", name),
    ("image", image),
    ("terminationMessagePolicy", termination_message_policy),
    ("ports", ports),
    ("env[].name", env_name),
    ("imagePullPolicy", pull_policy),
    ("resources", resources::of_container),
];

const PROBES: &[Row] = &[
    ("livenessProbe", probe::liveness),
    ("readinessProbe", probe::readiness),
    ("startupProbe", probe::liveness),
];

/// Restart policies of one container (ContainerRestartRules, on since 1.35).
const RESTART_POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];

/// The containers of a pod's spec.
pub(super) fn containers(spec: &Field<'_>, errors: &mut Errors) {
    let containers = spec.child("containers");
    if containers.is_empty() {
        errors.required(&containers, "");
        return;
    }
    let mut names = BTreeSet::new();
    for at in containers.items() {
        common(&at, spec, errors);
        unique_name(&at, &mut names, errors);
        apply(PROBES, &at, errors);
        one_of(&at.child("restartPolicy"), &RESTART_POLICIES, errors);
    }
    host_ports(&containers.items().collect::<Vec<_>>(), errors);
}

/// The init containers of a pod's spec. One that restarts is a sidecar and may have probes.
pub(super) fn init_containers(spec: &Field<'_>, errors: &mut Errors) {
    let regular = spec.child("containers");
    let mut names: BTreeSet<String> = regular.items().map(|at| at.child("name").text().to_owned()).collect();
    for at in spec.child("initContainers").items() {
        common(&at, spec, errors);
        let restart = at.child("restartPolicy");
        one_of(&restart, &RESTART_POLICIES, errors);
        unique_name(&at, &mut names, errors);
        host_ports(&[at], errors);
        if restart.text() == "Always" {
            apply(PROBES, &at, errors);
            continue;
        }
        for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            let at = at.child(field);
            if at.is_set() {
                errors.forbidden(&at, "may not be set for init containers without restartPolicy=Always");
            }
        }
    }
}

fn common(at: &Field<'_>, spec: &Field<'_>, errors: &mut Errors) {
    apply(COMMON, at, errors);
    pod_volumes::mounts(at, spec, errors);
}

fn name(at: &Field<'_>, errors: &mut Errors) {
    if at.is_empty() {
        errors.required(at, "");
    } else {
        errors.invalid_each(at, at.text(), dns1123_label(at.text()));
    }
}

fn unique_name(container: &Field<'_>, names: &mut BTreeSet<String>, errors: &mut Errors) {
    let at = container.child("name");
    if !at.is_empty() && !names.insert(at.text().to_owned()) {
        errors.duplicate(&at, at.text());
    }
}

fn image(at: &Field<'_>, errors: &mut Errors) {
    if at.is_empty() {
        errors.required(at, "");
    } else if at.text().trim() != at.text() {
        errors.invalid(at, at.text(), "must not have leading or trailing whitespace");
    }
}

fn termination_message_policy(at: &Field<'_>, errors: &mut Errors) {
    one_of(at, &["File", "FallbackToLogsOnError"], errors);
}

fn pull_policy(at: &Field<'_>, errors: &mut Errors) {
    one_of(at, &["Always", "IfNotPresent", "Never"], errors);
}

fn env_name(at: &Field<'_>, errors: &mut Errors) {
    if at.is_empty() {
        errors.required(at, "");
    }
}

/// `validateContainerPorts`.
fn ports(at: &Field<'_>, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    for port in at.items() {
        let name = port.child("name");
        if !name.is_empty() && !names.insert(name.text().to_owned()) {
            errors.duplicate(&name, name.text());
        }
        let container = port.child("containerPort");
        if container.number().is_none_or(|number| number == 0) {
            errors.required(&container, "");
        } else {
            port_number(&container, errors);
        }
        port_number(&port.child("hostPort"), errors);
        one_of(&port.child("protocol"), &["SCTP", "TCP", "UDP"], errors);
    }
}

fn port_number(at: &Field<'_>, errors: &mut Errors) {
    let most = i64::from(u16::MAX);
    if let Some(number) = at.number().filter(|number| *number != 0 && !(1..=most).contains(number)) {
        errors.invalid_number(at, number, &range(1, most));
    }
}

/// `checkHostPortConflicts`: no two containers that run at once take the same port of the host.
fn host_ports(containers: &[Field<'_>], errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for container in containers {
        visit(container, "ports[]", &mut |port| {
            let host = port.child("hostPort");
            let Some(number) = host.number().filter(|number| *number != 0) else { return };
            let (protocol, ip) = (port.child("protocol"), port.child("hostIP"));
            let protocol = if protocol.is_empty() { "TCP" } else { protocol.text() };
            let taken = format!("{protocol}/{}/{number}", ip.text());
            if !seen.insert(taken.clone()) {
                errors.duplicate(&host, &taken);
            }
        });
    }
}
