//! Instance types and preferences: what they fill into the instance of a machine that names them.
//!
//! KubeVirt main 2026-08 (`d923fdb815cd`): `startVMI` in `pkg/virt-controller/watch/vm/vm.go`, `pkg/instancetype/find`,
//! `annotations` and `apply`. Only what a launcher pod can show: disk buses, clocks, firmware, features and the like are left
//! out, and so are `numa`, `realtime`, `maxSockets` and `maxGuest`. A machine that leaves the name to a volume's labels
//! (`inferFromVolume`) is not looked after.

pub(crate) mod find;
mod instance_type;
pub(crate) mod matcher;
mod preference;
pub(crate) mod webhook;

pub(crate) use matcher::Matcher;

use crate::admission::virtual_machine_instance::set_network_interface;
use crate::kind::{Kind, Object};
use crate::objects::{
    InstancetypeSpec, PreferenceSpec, StrMap, VirtualMachine, VirtualMachineInstanceSpec, VirtualMachineSpec,
};
use arcstr::ArcStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Instance types and preferences by kind, namespace and name. Those of the whole cluster have no namespace.
#[derive(Clone, Debug, Default)]
pub struct InstanceTypes(BTreeMap<(Kind, ArcStr, ArcStr), Object>);

/// Why a machine's instance type or preference cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstanceTypeError {
    /// There is none of that name.
    #[error("{0} is not in the input; add its manifest with another -f")]
    NotInInput(String),
    /// The machine does not name it, but leaves it to a volume's labels.
    #[error("{field} is inferred from a volume, which is not looked up; name it in spec.{field}.name")]
    Inferred {
        /// `instancetype` or `preference`.
        field: &'static str,
    },
    /// The kind that the machine names is none; the words are KubeVirt's.
    #[error("got unexpected kind in {matcher}: {kind}")]
    UnexpectedKind {
        /// `InstancetypeMatcher` or `PreferenceMatcher`.
        matcher: &'static str,
        /// The kind as the machine writes it.
        kind: String,
    },
    /// The machine says itself what its instance type says; the words are KubeVirt's.
    #[error("VM field(s) {} conflicts with selected instance type", joined(.0))]
    Conflicts(Vec<Conflict>),
}

/// A field of a machine that its instance type does not let it have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The field's path.
    pub field: String,
    /// What is wrong, where it is not that both say something.
    pub message: Option<String>,
}

impl Conflict {
    fn of(field: String) -> Self {
        Self { field, message: None }
    }
}

/// The fields, as upstream lists them.
pub(crate) fn joined(conflicts: &[Conflict]) -> String {
    let fields: Vec<&str> = conflicts.iter().map(|conflict| conflict.field.as_str()).collect();
    fields.join(", ")
}

/// What a machine's instance type and preference say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) instance_type: Option<Arc<InstancetypeSpec>>,
    pub(crate) preference: Option<Arc<PreferenceSpec>>,
}

impl Chosen {
    pub(crate) fn is_empty(&self) -> bool {
        self.instance_type.is_none() && self.preference.is_none()
    }

    /// Fills in a template (`ApplyToVM`). Conflicts are named below `base`.
    pub(crate) fn apply_to_template(
        &self,
        base: &str,
        spec: &mut VirtualMachineInstanceSpec,
        annotations: &mut StrMap,
    ) -> Result<(), Vec<Conflict>> {
        if let Some(preference) = &self.preference {
            preference.apply_architecture(spec);
        }
        if let Some(instance_type) = &self.instance_type {
            instance_type.apply(base, self.preference.as_deref(), (&mut *spec, &mut *annotations))?;
        }
        if let Some(preference) = &self.preference {
            preference.apply(spec, annotations);
        }
        Ok(())
    }

    /// Fills in the instance that is about to start. `vm` tells it the names. Conflicts are named below `base`.
    pub(crate) fn apply_to_instance(
        &self,
        base: &str,
        vm: &VirtualMachineSpec,
        (spec, annotations): (&mut VirtualMachineInstanceSpec, &mut StrMap),
    ) -> Result<(), Vec<Conflict>> {
        if let Some(preference) = &self.preference {
            // Before a network is added: the preference may not want any.
            preference.apply_architecture(spec);
            preference.apply_devices(spec);
            set_network_interface(spec);
        }
        for matcher in Matcher::all(vm) {
            matcher.annotate(annotations);
        }
        self.apply_to_template(base, spec, annotations)
    }

    /// Takes up what an object of one of the kinds says.
    pub(crate) fn take(&mut self, object: &Object) {
        match object {
            Object::VirtualMachineInstancetype(found) => self.instance_type = Some(found.spec.clone()),
            Object::VirtualMachineClusterInstancetype(found) => self.instance_type = Some(found.spec.clone()),
            Object::VirtualMachinePreference(found) => self.preference = Some(found.spec.clone()),
            Object::VirtualMachineClusterPreference(found) => self.preference = Some(found.spec.clone()),
            other => panic!("a {} is neither an instance type nor a preference", other.kind()),
        }
    }
}

impl InstanceTypes {
    /// The kinds.
    pub const KINDS: [&str; 4] = [
        Kind::VirtualMachineInstancetype.as_str(),
        Kind::VirtualMachineClusterInstancetype.as_str(),
        Kind::VirtualMachinePreference.as_str(),
        Kind::VirtualMachineClusterPreference.as_str(),
    ];

    /// Of objects those that are of these kinds.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Self {
        let is_one = |object: &&Object| Self::KINDS.contains(&object.kind().as_str());
        let entry = |object: &Object| {
            let meta = object.metadata();
            ((object.kind(), meta.namespace.clone(), meta.name.clone()), object.clone())
        };
        Self(objects.into_iter().filter(is_one).map(entry).collect())
    }

    /// Fills in the spec and the annotations of a machine's instance.
    ///
    /// # Errors
    ///
    /// See [`InstanceTypeError`].
    pub(crate) fn apply(
        &self,
        vm: &VirtualMachine,
        spec: &mut VirtualMachineInstanceSpec,
        annotations: &mut StrMap,
    ) -> Result<(), InstanceTypeError> {
        let mut chosen = Chosen::default();
        for matcher in Matcher::all(&vm.spec) {
            if matcher.name.is_empty() && matcher.is_inferred() {
                return Err(InstanceTypeError::Inferred { field: matcher.role.field });
            }
            let kind = matcher.kind()?;
            let namespace = if kind.is_namespaced() { vm.metadata.namespace.clone() } else { ArcStr::new() };
            let shown = match namespace.as_str() {
                "" => format!("{kind} {}", matcher.name),
                namespace => format!("{kind} {namespace}/{}", matcher.name),
            };
            let found = self.0.get(&(kind, namespace, matcher.name.into()));
            chosen.take(found.ok_or(InstanceTypeError::NotInInput(shown))?);
        }
        chosen
            .apply_to_instance("spec.template.spec", &vm.spec, (spec, annotations))
            .map_err(InstanceTypeError::Conflicts)
    }
}

/// Copies annotations that are not there; returns the keys that say something else already.
fn add_annotations(from: &StrMap, to: &mut StrMap) -> Vec<ArcStr> {
    let mut others = Vec::new();
    for (key, value) in from.iter() {
        match to.get(key) {
            None => drop(to.insert(key.clone(), value.clone())),
            Some(found) if found != value => others.push(key.clone()),
            Some(_) => {}
        }
    }
    others
}
