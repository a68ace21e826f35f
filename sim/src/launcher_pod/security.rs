//! Guests whose memory is kept from their host, KubeVirt main 2026-08 (`d923fdb815cd`): `pkg/util/predicates`. The APIs of
//! older releases have fewer of these fields.

use crate::objects::VirtualMachineInstanceSpec;
use serde_json::Value;

/// AMD SEV, which SEV-SNP is too (`IsSEVVMI`).
pub(super) fn has_sev(spec: &VirtualMachineInstanceSpec) -> bool {
    kind(spec, "sev").is_some() || has_sev_snp(spec)
}

/// AMD SEV with encrypted registers (`IsSEVESVMI`).
pub(super) fn has_sev_es(spec: &VirtualMachineInstanceSpec) -> bool {
    let policy = kind(spec, "sev").and_then(|sev| sev.get("policy"));
    policy.and_then(|policy| policy.get("encryptedState")?.as_bool()).unwrap_or(false)
}

/// AMD SEV-SNP (`IsSEVSNPVMI`).
pub(super) fn has_sev_snp(spec: &VirtualMachineInstanceSpec) -> bool {
    kind(spec, "snp").is_some()
}

/// Intel TDX (`IsTDXVMI`).
pub(super) fn has_tdx(spec: &VirtualMachineInstanceSpec) -> bool {
    kind(spec, "tdx").is_some()
}

/// Secure Execution of IBM Z, which needs no kind of its own (`IsSecureExecutionVMI`).
pub(super) fn has_secure_execution(spec: &VirtualMachineInstanceSpec) -> bool {
    launch_security(spec).is_some() && spec.architecture == "s390x"
}

fn kind<'a>(spec: &'a VirtualMachineInstanceSpec, kind: &str) -> Option<&'a Value> {
    launch_security(spec)?.get(kind).filter(|kind| !kind.is_null())
}

fn launch_security(spec: &VirtualMachineInstanceSpec) -> Option<&Value> {
    spec.domain.rest.get("launchSecurity").filter(|security| !security.is_null())
}
