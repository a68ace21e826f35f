//! KubeVirt's answers about single objects, by the same code that plays the cluster.

use crate::admission::virtual_machine_instance as admission;
use crate::cluster::Cluster;
use crate::config::Config;
use crate::instance_types::{Matcher, webhook};
use crate::kind::{Kind, Object, ObjectId};
use crate::launcher_pod;
use crate::objects::{
    Condition, Node, ObjectMeta, Pod, VirtualMachine, VirtualMachineInstance, VirtualMachineInstanceSpec,
};
use crate::quantity::{Format, Quantity};
use crate::release::KubeVirtRelease;
use crate::store::{ApiError, generated_name, generated_uid};
use crate::validation::FieldError;
use arcstr::ArcStr;
use std::sync::Arc;
use stuckvm_detector::Time;

pub use crate::instance_types::{InstanceTypeError, InstanceTypes};
pub use launcher_pod::{Rendered, memory_overhead, render_spec};

/// Why an object gives no launcher pod.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Its instance type or preference cannot be used.
    #[error("{namespace}/{name}: {source}")]
    InstanceType {
        /// The virtual machine's namespace.
        namespace: ArcStr,
        /// The virtual machine's name.
        name: ArcStr,
        /// What is wrong with it.
        source: InstanceTypeError,
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

/// The field of a machine that leaves its instance type or its preference to a volume's labels, which are not looked at.
pub fn inferred_field(object: &Object) -> Option<String> {
    let Object::VirtualMachine(vm) = object else { return None };
    let inferred = Matcher::all(&vm.spec).find(Matcher::is_inferred)?;
    Some(format!("spec.{}.inferFromVolume", inferred.role.field))
}

/// What KubeVirt's webhooks object to in a machine for the instance type and the preference that it names, where the cluster
/// has these objects; nothing for other kinds.
pub fn instance_type_objections<'a>(
    object: &Object,
    objects: impl IntoIterator<Item = &'a Object>,
    release: KubeVirtRelease,
) -> Result<Vec<FieldError>, ApiError> {
    let Object::VirtualMachine(vm) = object else { return Ok(Vec::new()) };
    if Matcher::all(&vm.spec).next().is_none() {
        return Ok(Vec::new());
    }
    let is_type = |object: &&Object| InstanceTypes::KINDS.contains(&object.kind().as_str());
    let mut cluster = Cluster::with_some(Config::default(), |_| false);
    cluster.load(objects.into_iter().filter(is_type).cloned())?;
    Ok(webhook::expand(vm, cluster.view(), release).err().unwrap_or_default())
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
/// template with its instance type, its preference and the webhook's defaults. Other kinds give `None`. Claims are not
/// looked up. What the API server draws, characters of the pod's name and the uid of an instance that has none, follows from
/// what the pod is made for.
///
/// # Errors
///
/// See [`RenderError`].
pub fn render(
    object: &Object,
    types: &InstanceTypes,
    release: KubeVirtRelease,
) -> Result<Option<Pod>, RenderError> {
    let mut vmi = match object {
        Object::VirtualMachineInstance(vmi) => VirtualMachineInstance::clone(vmi),
        Object::VirtualMachine(vm) => instance_of_template(vm, types, release)?,
        _ => return Ok(None),
    };
    let made_for = format!("{} {}/{}", object.kind(), vmi.metadata.namespace, vmi.metadata.name);
    let bits = xxhash_rust::xxh3::xxh3_128(made_for.as_bytes());
    if vmi.metadata.uid.is_empty() {
        vmi.metadata.uid = generated_uid(bits);
    }
    let mut pod = launcher_pod::render(&vmi, release);
    pod.metadata.name = generated_name(&pod.metadata.generate_name, bits);
    Ok(Some(pod))
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
        cluster.reconcile_once(CONTROLLER, id).expect("the cluster has this controller");
        let after = cluster.view().get::<VirtualMachineInstance>(id).cloned().expect("a finalizer keeps it");
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
    types: &InstanceTypes,
    release: KubeVirtRelease,
) -> Result<VirtualMachineInstance, RenderError> {
    let ObjectMeta { namespace, name, .. } = &vm.metadata;
    let none = || RenderError::NoTemplate { namespace: namespace.clone(), name: name.clone() };
    let template = vm.spec.template.as_ref().ok_or_else(none)?;
    let mut spec = VirtualMachineInstanceSpec::clone(&template.spec);
    let mut annotations = template.metadata.annotations.clone();
    types.apply(vm, &mut spec, &mut annotations).map_err(|source| RenderError::InstanceType {
        namespace: namespace.clone(),
        name: name.clone(),
        source,
    })?;
    let metadata = ObjectMeta {
        name: name.clone(),
        namespace: namespace.clone(),
        labels: template.metadata.labels.clone(),
        annotations,
        ..ObjectMeta::default()
    };
    let spec = admission::with_defaults(&Arc::new(spec), release);
    Ok(VirtualMachineInstance { metadata, spec, ..VirtualMachineInstance::default() })
}

/// Keeps an instance whose last finalizer goes, so that there is something to answer.
const KEPT_FOR_THE_ANSWER: &str = "stuckvm/answer";

/// An instance past its first look, in which the controller does no more than note its API version.
fn observed(object: &Object) -> Object {
    match object {
        Object::VirtualMachineInstance(vmi) => {
            let mut vmi = VirtualMachineInstance::clone(vmi);
            crate::controllers::virtual_machine_instance::set_observed_api_version(&mut vmi);
            vmi.metadata.add_finalizer(KEPT_FOR_THE_ANSWER);
            Object::VirtualMachineInstance(Arc::new(vmi))
        }
        other => other.clone(),
    }
}
