//! What the API server and KubeVirt's webhooks refuse to store, in their own words.
//!
//! Kubernetes 1.36: `pkg/apis/core/validation/validation.go` and its siblings of the other groups. Each kind has a file
//! with an ordered table of `Row`s: a field and the rule that holds there. Rules look at the manifest itself, so that fields
//! that no controller reads are checked too, and whatever they do not know they leave alone. A field that the API server
//! fills in when it is left out is not missed.
//!
//! Only what users create and change is put to these rules; objects that are read as they are stored are not.

mod affinity;
mod classes;
mod container;
mod data_volume;
mod field;
mod field_error;
mod instance_type;
mod label_keys;
mod meta;
mod names;
mod node;
mod persistent_volume;
mod persistent_volume_claim;
mod pod;
mod pod_resources;
mod pod_volumes;
mod probe;
mod refusal;
mod resources;
mod selectors;
mod virtual_machine;
mod virtual_machine_instance;
mod virtual_machine_instance_migration;
mod vm_dedicated_cpus;
mod vm_devices;
mod vm_hardware;

pub use field_error::{ErrorType, FieldError};
pub use refusal::{Refusal, of_object, refusals};
pub(crate) use resources::is_extended;

use crate::kind::Kind;
use field::Field;
use field_error::Errors;
use serde_json::Value;

/// What must hold at a field.
type Rule = fn(&Field<'_>, &mut Errors);

/// A field and its rule: `spec.containers[].ports[]` is each port of each container, the empty path the thing itself.
type Row = (&'static str, Rule);

/// All that the API server objects to in an object, in its order; nothing for kinds that are not modelled.
///
/// # Examples
///
/// ```
/// let pod = serde_json::json!({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
///     {"name": "c", "image": "app:1", "resources": {"requests": {"cpu": "-1"}}}]}});
/// let errors = stuckvm_sim::validation::validate(&pod);
/// assert_eq!(
///     errors[0].to_string(),
///     "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"
/// );
/// ```
#[must_use]
pub fn validate(object: &Value) -> Vec<FieldError> {
    let mut errors = Errors::default();
    if let Some(kind) = Kind::of_manifest(object) {
        apply(rules(kind), &Field::root(object), &mut errors);
    }
    errors.into_vec()
}

fn rules(kind: Kind) -> &'static [Row] {
    match kind {
        Kind::Node => node::RULES,
        Kind::StorageClass => classes::STORAGE_CLASS,
        Kind::PriorityClass => classes::PRIORITY_CLASS,
        Kind::PersistentVolume => persistent_volume::RULES,
        Kind::PersistentVolumeClaim => persistent_volume_claim::RULES,
        Kind::DataVolume => data_volume::RULES,
        Kind::VolumeSnapshotClass | Kind::VolumeSnapshotContent | Kind::VirtualMachineClusterPreference => {
            meta::CLUSTER_WIDE
        }
        Kind::VirtualMachineClusterInstancetype => instance_type::CLUSTER_WIDE,
        Kind::VirtualMachineInstancetype => instance_type::NAMESPACED,
        Kind::ConfigMap
        | Kind::ControllerRevision
        | Kind::VirtualMachinePreference
        | Kind::Secret
        | Kind::VolumeSnapshot
        | Kind::DataSource
        | Kind::VolumeImportSource
        | Kind::VolumeUploadSource
        | Kind::VolumeCloneSource => meta::NAMESPACED,
        Kind::Pod => pod::RULES,
        Kind::VirtualMachineInstance => virtual_machine_instance::RULES,
        Kind::VirtualMachine => virtual_machine::RULES,
        Kind::VirtualMachineInstanceMigration => virtual_machine_instance_migration::RULES,
    }
}

/// Puts a field to a table of rules, in the table's order.
fn apply(rows: &[Row], at: &Field<'_>, errors: &mut Errors) {
    for (path, rule) in rows {
        visit(at, path, &mut |field| rule(field, errors));
    }
}

/// Visits every field that a path of a table names.
fn visit(at: &Field<'_>, path: &str, found: &mut dyn FnMut(&Field<'_>)) {
    if path.is_empty() {
        return found(at);
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match first.strip_suffix("[]") {
        None => visit(&at.child(first), rest, found),
        Some(name) => at.child(name).items().for_each(|item| visit(&item, rest, found)),
    }
}
