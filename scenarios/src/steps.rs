//! Carries out the steps of a scenario, as users and administrators do; what breaks is the fault injector's.

use crate::fault_injector::{FaultInjector, bytes};
use crate::files::Files;
use crate::format::{Manifest, ObjectPatch, ObjectTarget, Step, Upload, VmName};
use stuckvm_sim::{ApiError, Cluster, Kind, Object, ObjectId, split_name};

/// Why a step could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StepError(pub(crate) String);

/// What users ask of a machine by namespace and name.
type VmRequest = fn(&mut Cluster, &str, &str) -> Result<(), ApiError>;

/// What steps need to know besides the cluster: the files, and what is broken.
pub(crate) struct Hands<'a> {
    files: &'a Files,
    /// What breaks and heals.
    pub(crate) faults: FaultInjector,
}

impl<'a> Hands<'a> {
    /// Hands that find manifests in these files.
    pub(crate) fn new(files: &'a Files) -> Self {
        Self { files, faults: FaultInjector::default() }
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
        if let Some(Upload { data_volume: VmName { namespace, name }, size }) = &step.upload {
            cluster.upload_image(namespace, name, bytes(size)).map_err(refused)?;
        }
        operate_nodes(step, cluster)?;
        if let Some(target) = &step.breaks {
            self.faults.break_target(target, cluster)?;
        }
        if let Some(target) = &step.heal {
            self.faults.heal_target(target, cluster)?;
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
        let requests: [(&Option<VmName>, VmRequest); 7] = [
            (&step.start, Cluster::start_vm),
            (&step.start_paused, Cluster::start_vm_paused),
            (&step.stop, Cluster::stop_vm),
            (&step.restart, Cluster::restart_vm),
            (&step.pause, Cluster::pause_vm),
            (&step.unpause, Cluster::unpause_vm),
            (&step.migrate, Cluster::migrate_vm),
        ];
        for (vm, request) in requests {
            if let Some(VmName { namespace, name }) = vm {
                request(cluster, namespace, name).map_err(refused)?;
            }
        }
        if let Some(vm) = &step.panic {
            has_guest(cluster.panic_guest(&vm.namespace, &vm.name), vm)?;
        }
        if let Some(vm) = &step.power_off {
            has_guest(cluster.power_off_guest(&vm.namespace, &vm.name), vm)?;
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

/// An object of the cluster by kind and `namespace/name`.
pub(crate) fn find(cluster: &Cluster, kind: Kind, name: &str) -> Result<(ObjectId, Object), StepError> {
    let (namespace, short) = split_name(kind, name);
    let found = cluster.find(kind, &namespace, &short);
    found.ok_or_else(|| StepError(format!("there is no {kind} `{name}` at this instant")))
}

fn has_guest(found: bool, vm: &VmName) -> Result<(), StepError> {
    if found { Ok(()) } else { Err(StepError(format!("{vm} has no instance at this instant"))) }
}

/// What the API server or a component answers, as a step's error.
pub(crate) fn refused(error: impl std::fmt::Display) -> StepError {
    StepError(error.to_string())
}
