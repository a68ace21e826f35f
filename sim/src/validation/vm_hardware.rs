//! Pages, CPUs and the start of a virtual machine, KubeVirt main of August 2026: `validateHugepagesMemoryRequests`,
//! `validateEmulatedMachine`, `validateCpuPinning`, `validateNUMA`, `validateRealtime` and their neighbours in `vmi-create-admitter.go`.

use super::field::Field;
use super::field_error::Errors;
use crate::quantity::Quantity;

/// Types of machine by architecture (`DefaultAMD64EmulatedMachines` and its kin); an end of `*` stands for anything.
const MACHINES: [(&str, &[&str]); 3] =
    [("arm64", &["virt*"]), ("s390x", &["s390-ccw-virtio*"]), ("", &["q35*", "pc-q35*"])];

/// What a guest may be told of a CPU's feature.
const FEATURE_POLICIES: [&str; 6] = ["", "force", "require", "optional", "disable", "forbid"];

/// The memory is whole huge pages.
pub(super) fn huge_pages(domain: &Field<'_>, errors: &mut Errors) {
    let (memory, resources) = (domain.child("memory"), domain.child("resources"));
    let huge_pages = memory.child("hugepages");
    if !huge_pages.is_set() {
        return;
    }
    let (size, requests, limits) =
        (huge_pages.child("pageSize"), resources.child("requests"), resources.child("limits"));
    let page = match Quantity::parse(size.text()) {
        Ok(page) => page.value(),
        Err(error) => {
            errors.cause(&size, format!("{} '{}': {error}", size.path(), size.text()));
            return;
        }
    };
    let request = requests.child("memory");
    let amounts = [request, memory.child("guest"), limits.child("memory")].map(|amount| whole(&amount));
    let memory = amounts.into_iter().find(|amount| *amount != 0).unwrap_or(0);
    let asked = request.quantity().unwrap_or_default();
    let message = match memory {
        0 => return,
        less if less < page => "must be equal to or larger than page size",
        odd if odd.checked_rem(page).is_some_and(|rest| rest != 0) => "is not a multiple of the page size",
        _ => return,
    };
    let message = format!("{} '{asked}' {message} {} '{}'", request.path(), size.path(), size.text());
    errors.cause(&request, message);
}

/// The architecture has such a machine.
pub(super) fn machine_type(spec: &Field<'_>, errors: &mut Errors) {
    let (architecture, domain) = (spec.child("architecture"), spec.child("domain"));
    let machine = domain.child("machine");
    let kind = machine.child("type");
    let found = MACHINES.iter().find(|(name, _)| ["", architecture.text()].contains(name));
    let known = found.expect("the last row is for all").1;
    let fits = |pattern: &&str| kind.text().starts_with(pattern.trim_end_matches('*'));
    if !kind.is_empty() && !known.iter().any(fits) {
        let (path, known) = (kind.path(), known.join(" "));
        let message = format!("{path} is not supported: {} (allowed values: [{known}])", kind.text());
        errors.cause(&kind, message);
    }
}

/// An emulator's thread has a CPU of its own only where the vCPUs have.
pub(super) fn isolated_emulator(cpu: &Field<'_>, errors: &mut Errors) {
    let isolated = cpu.child("isolateEmulatorThread");
    if isolated.is_true() && !cpu.child("dedicatedCpuPlacement").is_true() {
        let message = "IsolateEmulatorThread should be only set in combination with DedicatedCPUPlacement";
        errors.cause(&isolated, message);
    }
}

/// Policies of a CPU's features are known ones.
pub(super) fn feature_policy(feature: &Field<'_>, errors: &mut Errors) {
    let (name, policy) = (feature.child("name"), feature.child("policy"));
    if !FEATURE_POLICIES.contains(&policy.text()) {
        let message =
            format!("CPU feature {} uses policy {} that is not supported.", name.text(), policy.text());
        errors.cause(&policy, message);
    }
}

/// There are no more sockets than there may ever be.
pub(super) fn sockets(cpu: &Field<'_>, errors: &mut Errors) {
    let [sockets, most] = ["sockets", "maxSockets"].map(|name| cpu.child(name));
    let (given, allowed) = (sockets.number().unwrap_or(0), most.number().unwrap_or(0));
    if allowed != 0 && given > allowed {
        let message = "Number of sockets in CPU topology is greater than the maximum sockets allowed";
        errors.cause(&sockets, message);
    }
}

/// A guest may start paused, but not where a probe would find it dead.
pub(super) fn start_strategy(spec: &Field<'_>, errors: &mut Errors) {
    let [start, probe] = ["startStrategy", "livenessProbe"].map(|name| spec.child(name));
    if !start.is_set() {
        return;
    }
    if start.text() != "Paused" {
        let message = format!("{} is set with an unrecognized option: {}", start.path(), start.text());
        errors.cause(&start, message);
    } else if probe.is_set() {
        let (start_path, probe_path) = (start.path(), probe.path());
        let message = format!(
            "either {start_path} or {probe_path} should be provided.Pausing VMI with LivenessProbe is not supported"
        );
        errors.cause(&start, message);
    }
}

/// A guest sees the host's NUMA nodes only with CPUs and pages of its own.
pub(super) fn numa(domain: &Field<'_>, errors: &mut Errors) {
    let [cpu, memory] = ["cpu", "memory"].map(|name| domain.child(name));
    let (numa, dedicated) = (cpu.child("numa"), cpu.child("dedicatedCpuPlacement"));
    let passthrough = numa.child("guestMappingPassthrough");
    if !passthrough.is_set() {
        return;
    }
    let path = passthrough.path();
    if !dedicated.is_true() {
        let dedicated = dedicated.path();
        let message = format!("{dedicated} must be set to true when NUMA topology strategy is set in {path}");
        errors.cause(&passthrough, message);
    }
    let pages = memory.child("hugepages");
    if !pages.is_set() {
        let pages = pages.path();
        let message = format!("{pages} must be requested when NUMA topology strategy is set in {path}");
        errors.cause(&passthrough, message);
    }
}

/// A guest that runs in real time has CPUs of its own and sees the host's NUMA nodes.
pub(super) fn realtime(cpu: &Field<'_>, errors: &mut Errors) {
    let (realtime, numa, dedicated) =
        (cpu.child("realtime"), cpu.child("numa"), cpu.child("dedicatedCpuPlacement"));
    if !realtime.is_set() {
        return;
    }
    let path = realtime.path();
    if !dedicated.is_true() {
        let message = format!("{} must be set to true when {path} is used", dedicated.path());
        errors.cause(&dedicated, message);
    }
    let passthrough = numa.child("guestMappingPassthrough");
    if !passthrough.is_set() {
        let message = format!("{} must be defined when {path} is used", passthrough.path());
        errors.cause(&passthrough, message);
    }
}

/// A probe asks in one way.
pub(super) fn probe(at: &Field<'_>, errors: &mut Errors) {
    if !at.is_set() {
        return;
    }
    let handlers = ["httpGet", "tcpSocket", "exec", "guestAgentPing"].map(|name| at.child(name));
    let path = at.path();
    match handlers.iter().filter(|handler| handler.is_set()).count() {
        0 => {
            let [tcp, exec, http] = ["tcpSocket", "exec", "httpGet"].map(|name| at.child(name).path());
            errors.cause(at, format!("either {tcp}, {exec} or {http} must be set if a {path} is specified"));
        }
        1 => {}
        _ => {
            errors.cause(at, format!("{path} must have exactly one probe type set"));
        }
    }
}

/// An amount in whole units, rounded up; 0 where there is none.
pub(super) fn whole(at: &Field<'_>) -> i64 {
    at.quantity().map_or(0, |amount| amount.value())
}
