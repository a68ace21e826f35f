//! Machines of the cluster beside its instance types and preferences, as KubeVirt's webhooks look at them. What steps create is
//! looked at when they do.

use super::fleet;
use crate::load::Loaded;
use stuckvm_sim::kubevirt::instance_type_objections;
use stuckvm_sim::manifest::{Document, ManifestError};
use stuckvm_sim::{KubeVirtRelease, Object};

/// No machine says itself what its instance type says.
///
/// # Errors
///
/// The first machine that does; the error names no file.
pub(super) fn of_cluster(loaded: &Loaded, document: &Document) -> Result<(), ManifestError> {
    let cluster = &loaded.scenario.cluster;
    let release = cluster.release.kubevirt.as_deref().and_then(KubeVirtRelease::parse).unwrap_or_default();
    let objects = loaded.files.objects(&cluster.manifests);
    let check = |field: String, object: &Object| {
        let found = instance_type_objections(object, &objects, release).unwrap_or_default();
        let Some(error) = found.first() else { return Ok(()) };
        let meta = object.metadata();
        let found = format!("VirtualMachine {}/{}: {error}", meta.namespace, meta.name);
        let advice = "the API server would not store this machine; leave the field to the instance type";
        Err(document.error(&field, "a machine that goes with its instance type", &found, advice))
    };
    for (index, manifest) in cluster.manifests.iter().enumerate() {
        for object in loaded.files.objects(std::slice::from_ref(manifest)) {
            check(format!("cluster.manifests[{index}]"), &object)?;
        }
    }
    for (index, generate) in cluster.generate.iter().enumerate() {
        let first = Object::from_value(&fleet::first_of(generate));
        let first = first.expect("the template was read before").expect("its kind is known");
        check(format!("cluster.generate[{index}].template"), &first)?;
    }
    Ok(())
}
