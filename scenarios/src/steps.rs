//! Carries out the steps of a scenario, as users and faults do.

use crate::control_plane::{self, Fault};
use crate::files::Files;
use crate::format::{
    CredentialSpec, ImageSpec, LauncherFault, LauncherTarget, Manifest, ObjectPatch, ObjectTarget,
    PhaseTarget, SourceSpec, Step, Target, VmName,
};
use serde_json::json;
use std::collections::BTreeMap;
use stuckvm_sim::environment::{self, Credential, Image, Registry, Source};
use stuckvm_sim::quantity::Quantity;
use stuckvm_sim::{Cluster, Kind, Object, ObjectId, split_name};

/// Why a step could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StepError(pub(crate) String);

/// What steps need to know besides the cluster: the files, and what they overwrote.
pub(crate) struct Hands<'a> {
    files: &'a Files,
    /// The phases that `break: {phase: …}` overwrote, to be written back.
    phases: BTreeMap<VmName, String>,
}

impl<'a> Hands<'a> {
    /// Hands that find manifests in these files.
    pub(crate) fn new(files: &'a Files) -> Self {
        Self { files, phases: BTreeMap::new() }
    }

    /// Carries out one step; stopping the detector is the runner's part.
    ///
    /// # Errors
    ///
    /// If an object that the step names is not there, or the API server refuses what the step asks.
    pub(crate) fn carry_out(&mut self, step: &Step, cluster: &mut Cluster) -> Result<(), StepError> {
        self.apply(&step.apply, cluster)?;
        if let Some(ObjectPatch { kind, name, merge }) = &step.patch {
            let (id, _) = find(cluster, kind.0, name)?;
            let merge = serde_json::to_value(merge).expect("a map of values is a value");
            cluster.merge_patch(id, &merge).map_err(refused)?;
        }
        if let Some(ObjectTarget { kind, name }) = &step.delete {
            let (id, _) = find(cluster, kind.0, name)?;
            cluster.delete_object(id).map_err(refused)?;
        }
        self.run_machines(step, cluster)?;
        operate_nodes(step, cluster)?;
        if let Some(target) = &step.breaks {
            self.break_target(target, cluster)?;
        }
        if let Some(target) = &step.heal {
            self.heal_target(target, cluster)?;
        }
        Ok(())
    }

    /// Applies manifests in order.
    ///
    /// # Errors
    ///
    /// If the API server refuses one.
    pub(crate) fn apply(&self, manifests: &[Manifest], cluster: &mut Cluster) -> Result<(), StepError> {
        for object in self.files.objects(manifests) {
            cluster.apply_manifest(&object).map_err(refused)?;
        }
        Ok(())
    }

    fn run_machines(&self, step: &Step, cluster: &mut Cluster) -> Result<(), StepError> {
        if let Some(VmName { namespace, name }) = &step.start {
            cluster.start_vm(namespace, name).map_err(refused)?;
        }
        if let Some(VmName { namespace, name }) = &step.stop {
            cluster.stop_vm(namespace, name).map_err(refused)?;
        }
        if let Some(VmName { namespace, name }) = &step.restart {
            cluster.restart_vm(namespace, name).map_err(refused)?;
        }
        if let Some(vm) = &step.panic {
            has_guest(cluster.panic_guest(&vm.namespace, &vm.name), vm)?;
        }
        if let Some(vm) = &step.power_off {
            has_guest(cluster.power_off_guest(&vm.namespace, &vm.name), vm)?;
        }
        Ok(())
    }

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
        }
        Ok(())
    }

    fn heal_target(&mut self, target: &Target, cluster: &mut Cluster) -> Result<(), StepError> {
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
        }
        Ok(())
    }
}

/// What administrators do to nodes.
fn operate_nodes(step: &Step, cluster: &mut Cluster) -> Result<(), StepError> {
    if let Some(node) = &step.cordon {
        cluster.set_unschedulable(node, true).map_err(refused)?;
    }
    if let Some(node) = &step.uncordon {
        cluster.set_unschedulable(node, false).map_err(refused)?;
    }
    if let Some(node) = &step.drain {
        cluster.drain_node(node).map_err(refused)?;
    }
    Ok(())
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

fn bytes(size: &str) -> u64 {
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

fn find(cluster: &Cluster, kind: Kind, name: &str) -> Result<(ObjectId, Object), StepError> {
    let (namespace, short) = split_name(kind, name);
    let found = cluster.find(kind, &namespace, &short);
    found.ok_or_else(|| StepError(format!("there is no {kind} `{name}` at this instant")))
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

fn has_guest(found: bool, vm: &VmName) -> Result<(), StepError> {
    if found { Ok(()) } else { Err(StepError(format!("{vm} has no instance at this instant"))) }
}

fn refused(error: impl std::fmt::Display) -> StepError {
    StepError(error.to_string())
}
