//! KubeVirt's answers about single objects, by the same code that plays the cluster.

use crate::admission::virtual_machine_instance as admission;
use crate::cluster::Cluster;
use crate::config::Config;
use crate::kind::{Kind, Object, ObjectId};
use crate::launcher_pod;
use crate::objects::{
    Condition, Node, ObjectMeta, Pod, VirtualMachine, VirtualMachineInstance, VirtualMachineInstanceSpec,
};
use crate::quantity::{Format, Quantity};
use crate::release::KubeVirtRelease;
use crate::store::ApiError;
use arcstr::ArcStr;
use std::sync::Arc;
use stuckvm_detector::Time;

pub use launcher_pod::{Rendered, memory_overhead, render_spec};

/// Why an object gives no launcher pod.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// An instance type or preference fills in the spec, and it is not known.
    #[error("{namespace}/{name}: its {field} is not in the input")]
    NotInInput {
        /// The virtual machine's namespace.
        namespace: ArcStr,
        /// The virtual machine's name.
        name: ArcStr,
        /// `instancetype` or `preference`.
        field: &'static str,
    },
    /// The virtual machine has no template.
    #[error("{namespace}/{name}: it has no template")]
    NoTemplate {
        /// The virtual machine's namespace.
        namespace: ArcStr,
        /// The virtual machine's name.
        name: ArcStr,
    },
}

/// What one reconcile of virt-controller makes of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceStatus {
    /// The instance's namespace.
    pub namespace: ArcStr,
    /// The instance's name.
    pub name: ArcStr,
    /// The phase afterwards.
    pub phase: ArcStr,
    /// The conditions afterwards, in stored order.
    pub conditions: Vec<Condition>,
}

/// A spec with the defaults that KubeVirt's webhook fills in when an instance is created.
pub fn with_defaults(
    spec: &Arc<VirtualMachineInstanceSpec>,
    release: KubeVirtRelease,
) -> Arc<VirtualMachineInstanceSpec> {
    admission::with_defaults(spec, release)
}

/// The launcher pod that virt-controller would create: for an instance as it stands, for a virtual machine through its
/// template with the webhook's defaults. Other kinds give `None`. Claims are not looked up.
///
/// # Errors
///
/// See [`RenderError`].
pub fn render(object: &Object, release: KubeVirtRelease) -> Result<Option<Pod>, RenderError> {
    match object {
        Object::VirtualMachineInstance(vmi) => Ok(Some(launcher_pod::render(vmi, release))),
        Object::VirtualMachine(vm) => {
            Ok(Some(launcher_pod::render(&instance_of_template(vm, release)?, release)))
        }
        _ => Ok(None),
    }
}

/// For every instance among the objects, in their order, what one reconcile at `now` makes of it: no time passes, and no
/// instance sees what became of another.
///
/// # Errors
///
/// Two objects of one kind and name.
pub fn reconcile_instances(
    objects: &[Object],
    now: Time,
    release: KubeVirtRelease,
) -> Result<Vec<InstanceStatus>, ApiError> {
    const CONTROLLER: &str = "virtual-machine-instance";
    let config = Config { start: now, kubevirt: release, ..Config::default() };
    let mut cluster = Cluster::with_some(config, |name| name == CONTROLLER);
    let ids = cluster.load(objects.iter().map(observed))?;
    let instances = ids.into_iter().filter(|id| id.kind == Kind::VirtualMachineInstance);
    let reconcile = |id: ObjectId| {
        let before = cluster.view().get::<VirtualMachineInstance>(id).cloned().expect("it was just loaded");
        cluster.reconcile_once(CONTROLLER, id).expect("the cluster has this controller");
        let after = cluster.view().get::<VirtualMachineInstance>(id).cloned().unwrap_or(before);
        InstanceStatus {
            namespace: after.metadata.namespace.clone(),
            name: after.metadata.name.clone(),
            phase: after.status.phase.clone(),
            conditions: after.status.conditions.to_vec(),
        }
    };
    Ok(instances.map(reconcile).collect())
}

/// Puts on a node what virt-handler, its node labeller and its device plugins put there: the labels that launchers ask
/// for, and a thousand of each device.
pub fn equip_node(node: &mut Node) {
    const LABELS: [(&str, &str); 3] = [
        ("kubevirt.io/schedulable", "true"),
        ("kubernetes.io/arch", "amd64"),
        ("machine-type.node.kubevirt.io/q35", "true"),
    ];
    const DEVICES: [&str; 4] = ["kvm", "tun", "vhost-net", "vhost-vsock"];
    for (key, value) in LABELS {
        node.metadata.labels.insert(key, value);
    }
    for device in DEVICES {
        let resource = arcstr::format!("devices.kubevirt.io/{device}");
        let amount = Quantity::whole(1000, Format::DecimalSI);
        node.status.capacity.insert(resource.clone(), amount.clone());
        node.status.allocatable.insert(resource, amount);
    }
}

/// The instance that a virtual machine's template makes.
fn instance_of_template(
    vm: &VirtualMachine,
    release: KubeVirtRelease,
) -> Result<VirtualMachineInstance, RenderError> {
    let ObjectMeta { namespace, name, .. } = &vm.metadata;
    for field in ["instancetype", "preference"] {
        if vm.spec.rest.get(field).is_some_and(|matcher| !matcher.is_null()) {
            return Err(RenderError::NotInInput { namespace: namespace.clone(), name: name.clone(), field });
        }
    }
    let none = || RenderError::NoTemplate { namespace: namespace.clone(), name: name.clone() };
    let template = vm.spec.template.as_ref().ok_or_else(none)?;
    let metadata = ObjectMeta {
        name: name.clone(),
        namespace: namespace.clone(),
        labels: template.metadata.labels.clone(),
        annotations: template.metadata.annotations.clone(),
        ..ObjectMeta::default()
    };
    let spec = admission::with_defaults(&template.spec, release);
    Ok(VirtualMachineInstance { metadata, spec, ..VirtualMachineInstance::default() })
}

/// An instance past its first look, in which the controller does no more than note its API version.
fn observed(object: &Object) -> Object {
    match object {
        Object::VirtualMachineInstance(vmi) => {
            let mut vmi = VirtualMachineInstance::clone(vmi);
            crate::controllers::virtual_machine_instance::set_observed_api_version(&mut vmi);
            Object::VirtualMachineInstance(Arc::new(vmi))
        }
        other => other.clone(),
    }
}
