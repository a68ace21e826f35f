//! FAULT INJECTOR: carries out `break` and `heal`, in pairs.
//!
//! A fault changes the world outside of the API (`environment/` of the simulator) or the control plane, and the controllers
//! meet it there. `phase` is the only one that writes to an object.

use crate::control_plane::{self, Fault};
use crate::format::{
    CredentialSpec, ImageSpec, LauncherFault, LauncherTarget, PhaseTarget, ScrapeFault, SourceSpec, Target,
    VmName,
};
use crate::steps::{StepError, find, refused};
use serde_json::json;
use std::collections::BTreeMap;
use stuckvm_sim::environment::{self, Credential, Image, Registry, Scrapes, Source};
use stuckvm_sim::quantity::Quantity;
use stuckvm_sim::{Cluster, Kind, Object};

/// Breaks and heals.
#[derive(Debug, Default)]
pub(crate) struct FaultInjector {
    /// The phases that `break: {phase: …}` overwrote, to be written back.
    phases: BTreeMap<VmName, String>,
}

impl FaultInjector {
    /// Breaks one thing.
    ///
    /// # Errors
    ///
    /// If it is not there.
    pub(crate) fn break_target(&mut self, target: &Target, cluster: &mut Cluster) -> Result<(), StepError> {
        let environment = cluster.environment_mut();
        match target {
            Target::Registry(host) => environment.registry.break_host(host.as_str()),
            Target::Image(images) => images.keys().for_each(|image| environment.registry.remove(image)),
            Target::Source(sources) => {
                for (url, source) in sources {
                    let source = source.as_ref().map_or(Source::NotFound, source_of);
                    environment.sources.put(url.as_str(), source);
                }
            }
            Target::Launcher(LauncherTarget { vm, fault }) => {
                environment.launchers.break_launcher(
                    vm.namespace.as_str(),
                    vm.name.as_str(),
                    launcher_fault(*fault),
                );
            }
            Target::Node(node) => cluster.set_machine(node, true),
            Target::Quota(quota) => {
                let kind = quota.kind.0;
                let why = quota.message.clone().unwrap_or_else(|| exceeded_quota(kind));
                environment.admission.refuse(kind, quota.namespace.as_str(), why);
            }
            Target::Phase(PhaseTarget { vmi, is }) => {
                let phase = is.as_deref().unwrap_or("Unknown");
                let old = overwrite_phase(cluster, vmi, phase)?;
                self.phases.entry(vmi.clone()).or_insert(old);
            }
            Target::Watch(watch) => control_plane::watch(cluster, watch, Fault::Begins),
            Target::Controller(name) => control_plane::controller(cluster, name, Fault::Begins),
            Target::Conflicts(conflicts) => control_plane::conflicts(cluster, conflicts, Fault::Begins),
            Target::SlowApi(slow) => control_plane::slow_api(cluster, slow, Fault::Begins),
            Target::Scrapes(ScrapeFault::Fail) => environment.exporter.scrapes = Scrapes::Fail,
            Target::Scrapes(ScrapeFault::Missed) => environment.exporter.scrapes = Scrapes::Missed,
            Target::Leader(leader) => control_plane::leader(cluster, *leader, Fault::Begins),
        }
        Ok(())
    }

    /// Heals what was broken.
    ///
    /// # Errors
    ///
    /// If it is not there, or was not broken.
    pub(crate) fn heal_target(&mut self, target: &Target, cluster: &mut Cluster) -> Result<(), StepError> {
        let environment = cluster.environment_mut();
        match target {
            Target::Registry(host) => environment.registry.heal_host(host),
            Target::Image(images) => {
                for (image, spec) in images {
                    push(&mut environment.registry, image, spec.as_ref());
                }
            }
            Target::Source(sources) => {
                for (url, source) in sources {
                    let small = || Source::Image { size_bytes: 1 << 20 };
                    environment.sources.put(url.as_str(), source.as_ref().map_or_else(small, source_of));
                }
            }
            Target::Launcher(target) => {
                environment.launchers.heal_launcher(target.vm.namespace.as_str(), target.vm.name.as_str());
            }
            Target::Node(node) => cluster.set_machine(node, false),
            Target::Quota(quota) => environment.admission.allow(quota.kind.0, quota.namespace.as_str()),
            Target::Phase(PhaseTarget { vmi, .. }) => {
                let advice = || {
                    StepError(format!("no phase of {vmi} was overwritten; `break: {{phase: …}}` comes first"))
                };
                let old = self.phases.remove(vmi).ok_or_else(advice)?;
                overwrite_phase(cluster, vmi, &old)?;
            }
            Target::Watch(watch) => control_plane::watch(cluster, watch, Fault::Ends),
            Target::Controller(name) => control_plane::controller(cluster, name, Fault::Ends),
            Target::Conflicts(conflicts) => control_plane::conflicts(cluster, conflicts, Fault::Ends),
            Target::SlowApi(slow) => control_plane::slow_api(cluster, slow, Fault::Ends),
            Target::Scrapes(_) => environment.exporter.scrapes = Scrapes::Answered,
            Target::Leader(leader) => control_plane::leader(cluster, *leader, Fault::Ends),
        }
        Ok(())
    }
}

/// Makes an image available, whose size the loader has checked; it is small where nothing is said of it.
pub(crate) fn push(registry: &mut Registry, reference: &str, spec: Option<&ImageSpec>) {
    registry.push(reference, Image { size_bytes: spec.map_or(1 << 20, |spec| bytes(&spec.size)) });
    match spec.and_then(|spec| spec.private.as_ref()) {
        Some(CredentialSpec { user, password }) => {
            registry.protect(reference, Credential { user: user.into(), password: password.into() });
        }
        None => registry.open(reference),
    }
}

/// What a file says of a source, whose size the loader has checked.
pub(crate) fn source_of(spec: &SourceSpec) -> Source {
    let size_bytes = bytes(&spec.size);
    if spec.checksum_mismatch {
        Source::ChecksumMismatch { size_bytes }
    } else {
        Source::Image { size_bytes }
    }
}

pub(crate) fn bytes(size: &str) -> u64 {
    let quantity = Quantity::parse(size).expect("the loader has read the size");
    u64::try_from(quantity.value()).unwrap_or(0)
}

/// Writes a phase over that of an instance, as an actor outside of KubeVirt would, and returns the one before.
fn overwrite_phase(cluster: &mut Cluster, vmi: &VmName, phase: &str) -> Result<String, StepError> {
    let (id, object) = find(cluster, Kind::VirtualMachineInstance, &vmi.to_string())?;
    let Object::VirtualMachineInstance(instance) = object else { unreachable!("it was found by this kind") };
    cluster.merge_patch(id, &json!({"status": {"phase": phase}})).map_err(refused)?;
    Ok(instance.status.phase.to_string())
}

/// What the quota admission plugin says (`plugin/pkg/admission/resourcequota/controller.go`, Kubernetes 1.36).
fn exceeded_quota(kind: Kind) -> String {
    let resource = format!("count/{}", kind.resource());
    format!("exceeded quota: quota, requested: {resource}=1, used: {resource}=10, limited: {resource}=10")
}

const fn launcher_fault(fault: LauncherFault) -> environment::LauncherFault {
    match fault {
        LauncherFault::CrashAtStart => environment::LauncherFault::CrashAtStart,
        LauncherFault::DomainCannotStart => environment::LauncherFault::DomainCannotStart,
    }
}
