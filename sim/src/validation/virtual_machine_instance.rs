//! VirtualMachineInstance, KubeVirt main of August 2026: `ValidateVirtualMachineInstanceSpec` of
//! `pkg/virt-api/webhooks/validating-webhook/admitters/vmi-create-admitter.go`.
//!
//! The features that are off by default, devices of the host and firmware are left out. The rollout strategy is the default,
//! `LiveUpdate`, under which a guest may be given more memory than its limit.

use super::field::Field;
use super::field_error::Errors;
use super::names::{dns1123_label, dns1123_subdomain};
use super::selectors::labels;
use super::{Row, affinity, apply, meta, vm_dedicated_cpus, vm_devices, vm_hardware};
use crate::quantity::Quantity;

pub(super) const RULES: &[Row] = &[
    ("metadata", meta::namespaced),
    ("spec", spec),
    ("spec", vm_devices::volumes_have_disks),
    ("spec", memory_is_asked_for),
];

const SPEC: &[Row] = &[
    ("hostname", hostname),
    ("subdomain", subdomain),
    ("domain.resources", memory),
    ("domain.memory.guest", guest_is_not_negative),
    ("domain", vm_hardware::huge_pages),
    ("", vm_hardware::machine_type),
    ("domain.resources", cpu),
    ("", vm_dedicated_cpus::dedicated_cpus),
    ("domain", vm_hardware::numa),
    ("domain.cpu", vm_hardware::isolated_emulator),
    ("domain.cpu.features[]", vm_hardware::feature_policy),
    ("domain.cpu", vm_hardware::sockets),
    ("", vm_hardware::start_strategy),
    ("domain.cpu", vm_hardware::realtime),
    ("affinity", affinity::affinity),
    ("topologySpreadConstraints", affinity::spread_constraints),
    ("nodeSelector", labels),
    ("", vm_devices::disks_have_volumes),
    ("readinessProbe", vm_hardware::probe),
    ("livenessProbe", vm_hardware::probe),
    ("domain.devices.disks", vm_devices::disks),
    ("volumes", vm_devices::volumes),
    ("evictionStrategy", eviction_strategy),
];

/// Labels that only KubeVirt's own components may set.
const RESERVED_LABELS: [&str; 6] = [
    "kubevirt.io/created-by",
    "kubevirt.io/migrationJobUID",
    "kubevirt.io/nodeName",
    "kubevirt.io/migrationTargetNodeName",
    "kubevirt.io/schedulable",
    "kubevirt.io/install-strategy",
];

const EVICTION_STRATEGIES: [&str; 4] = ["LiveMigrate", "LiveMigrateIfPossible", "None", "External"];

/// The spec of an instance or of a machine's template.
pub(super) fn spec(at: &Field<'_>, errors: &mut Errors) {
    apply(SPEC, at, errors);
}

/// The metadata of a machine's template.
pub(super) fn template_metadata(at: &Field<'_>, errors: &mut Errors) {
    labels(&at.child("labels"), errors);
    reserved_labels(at, errors);
}

fn reserved_labels(at: &Field<'_>, errors: &mut Errors) {
    let labels = at.child("labels");
    if labels.entries().any(|(key, _)| RESERVED_LABELS.contains(&key)) {
        let message = "creation of the following reserved kubevirt.io/ labels on a VMI object is prohibited";
        errors.cause(&labels, message);
    }
}

fn hostname(at: &Field<'_>, errors: &mut Errors) {
    dns_rule(at, "DNS_LABEL", dns1123_label, errors);
}

fn subdomain(at: &Field<'_>, errors: &mut Errors) {
    dns_rule(at, "DNS_SUBDOMAIN", dns1123_subdomain, errors);
}

fn dns_rule(at: &Field<'_>, rule: &str, check: fn(&str) -> Vec<String>, errors: &mut Errors) {
    let messages = if at.is_empty() { Vec::new() } else { check(at.text()) };
    if !messages.is_empty() {
        let path = at.path();
        let messages = messages.join(", ");
        errors.cause(at, format!("{path} does not conform to the kubernetes {rule} rules : {messages}"));
    }
}

/// `validateMemoryRequestsNegativeOrNull`, `validateMemoryLimitsNegativeOrNull`.
fn memory(at: &Field<'_>, errors: &mut Errors) {
    let (requests, limits) = (at.child("requests"), at.child("limits"));
    let (request, limit) = (requests.child("memory"), limits.child("memory"));
    if let Some(amount) = request.quantity() {
        if amount.sign() < 0 {
            not_negative(&request, &amount, errors);
        } else if amount.sign() > 0 && amount.value() < 1_000_000 {
            let message = format!("{} '{amount}': must be greater than or equal to 1M.", request.path());
            errors.cause(&request, message);
        }
    }
    within_limit(&request, &limit, errors);
}

/// `validateCPURequestNotNegative`, `validateCPULimitNotNegative`, `validateCpuRequestDoesNotExceedLimit`.
fn cpu(at: &Field<'_>, errors: &mut Errors) {
    let (requests, limits) = (at.child("requests"), at.child("limits"));
    let (request, limit) = (requests.child("cpu"), limits.child("cpu"));
    if let Some(amount) = request.quantity().filter(|amount| amount.sign() < 0) {
        not_negative(&request, &amount, errors);
    }
    within_limit(&request, &limit, errors);
}

fn within_limit(request: &Field<'_>, limit: &Field<'_>, errors: &mut Errors) {
    let Some(most) = limit.quantity() else { return };
    if most.sign() < 0 {
        not_negative(limit, &most, errors);
    }
    let above = request.quantity().filter(|amount| most.sign() > 0 && *amount > most);
    if let Some(amount) = above {
        let (path, limit_path) = (request.path(), limit.path());
        errors.cause(request, format!("{path} '{amount}' is greater than {limit_path} '{most}'"));
    }
}

/// Upstream has no rule for guest memory below nothing; the domain could not be made.
fn guest_is_not_negative(at: &Field<'_>, errors: &mut Errors) {
    if let Some(amount) = at.quantity().filter(|amount| amount.sign() < 0) {
        not_negative(at, &amount, errors);
    }
}

fn not_negative(at: &Field<'_>, amount: &Quantity, errors: &mut Errors) {
    let message = format!("{} '{amount}': must be greater than or equal to 0.", at.path());
    errors.cause(at, message);
}

fn eviction_strategy(at: &Field<'_>, errors: &mut Errors) {
    if at.is_set() && !EVICTION_STRATEGIES.contains(&at.text()) {
        let message = format!("{} is set with an unrecognized option: {}", at.path(), at.text());
        errors.cause(at, message);
    }
}

/// `ValidateVirtualMachineInstanceMandatoryFields`, of instances only.
fn memory_is_asked_for(at: &Field<'_>, errors: &mut Errors) {
    let domain = at.child("domain");
    let (memory, resources) = (domain.child("memory"), domain.child("resources"));
    let requests = resources.child("requests");
    let request = requests.child("memory");
    let (guest, huge_pages) = (memory.child("guest"), memory.child("hugepages"));
    let asked = request.quantity().is_some_and(|amount| !amount.is_zero());
    if !asked && !guest.is_set() && !huge_pages.is_set() {
        let [guest, pages, request] = [guest.path(), huge_pages.child("size").path(), request.path()];
        let message =
            format!("no memory requested, at least one of '{guest}', '{pages}' or '{request}' must be set");
        errors.cause(&domain, message);
    }
}
