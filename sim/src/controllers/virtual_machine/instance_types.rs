//! The instance type and the preference that a machine names: found, kept, filled into its instance.
//!
//! KubeVirt main of 2026: `Sync` in `pkg/instancetype/controller/vm/controller.go`, `pkg/instancetype/revision/store.go`, and the part
//! of `startVMI` in `pkg/virt-controller/watch/vm/vm.go`. Older releases keep the revision's name in the spec, as
//! `StoreControllerRevisions` of `pkg/instancetype/instancetype.go` does. The reference policy is the default, `reference`.

use super::claim::controller_reference;
use super::reconcile::{Reconcile, SyncFailure};
use crate::context::EventType;
use crate::instance_types::find::{Finder, OBJECT_NAME};
use crate::instance_types::{Chosen, InstanceTypeError, Matcher, joined};
use crate::kind::Object;
use crate::objects::{
    ControllerRevision, ObjectMeta, RevisionData, StrMap, VirtualMachine, VirtualMachineInstanceSpec,
    VirtualMachineSpec, VirtualMachineStatus,
};
use crate::store::ApiError;
use arcstr::ArcStr;
use serde_json::{Value, json};
use std::sync::Arc;

/// The version that objects are kept in (`LatestVersion`).
const VERSION: &str = "v1beta1";

impl Reconcile<'_, '_> {
    /// Makes sure that what the machine names is there, and keeps it as it is now.
    pub(super) fn sync_instance_types(&mut self) -> Result<(), SyncFailure> {
        let vm = Arc::clone(&self.vm);
        if Matcher::all(&vm.spec).next().is_none() {
            return Ok(());
        }
        let profile = self.cx.config.kubevirt.profile();
        let keeps_in_status = profile.keeps_revisions_in_status;
        if profile.lets_types_be_missing {
            self.find_each(&vm)?;
        }
        let stored = if keeps_in_status { self.keep_in_status(&vm) } else { self.keep_in_spec(&vm) };
        stored.map_err(|error| {
            let message = match keeps_in_status {
                true => format!(
                    "error encountered while storing instancetype.kubevirt.io controllerRevisions: {error}"
                ),
                false => {
                    format!("Error encountered while storing Instancetype ControllerRevisions: {error}")
                }
            };
            self.event(EventType::Warning, "FailedCreate", &message);
            SyncFailure::reported(SyncFailure::CREATE, message)
        })
    }

    /// Fills both into what is about to start.
    pub(super) fn apply_instance_types(
        &mut self,
        spec: &mut Arc<VirtualMachineInstanceSpec>,
        annotations: &mut StrMap,
    ) -> Result<(), String> {
        let vm = Arc::clone(&self.vm);
        let chosen = self.chosen(&vm.spec, Some(&self.status))?;
        if chosen.is_empty() {
            return Ok(());
        }
        let spec = Arc::make_mut(spec);
        let applied = chosen.apply_to_instance("spec", &vm.spec, (spec, annotations));
        applied.map_err(|conflicts| {
            let error = format!("VMI conflicts with instancetype spec in fields: [{}]", joined(&conflicts));
            let message =
                format!("Error creating virtual machine instance: Failed to apply instancetype: {error}");
            self.event(EventType::Warning, "FailedCreate", &message);
            error
        })
    }

    /// What counts for a spec of this machine.
    pub(super) fn chosen(
        &self,
        spec: &VirtualMachineSpec,
        status: Option<&VirtualMachineStatus>,
    ) -> Result<Chosen, String> {
        self.finder().chosen(spec, status)
    }

    fn finder(&self) -> Finder<'_> {
        let (cache, server) = (self.cx.view(), self.cx.newest());
        Finder { cache, server, namespace: &self.vm.metadata.namespace }
    }

    /// `checkResourcesExist`.
    fn find_each(&self, vm: &VirtualMachine) -> Result<(), SyncFailure> {
        for matcher in Matcher::all(&vm.spec) {
            let found = self.finder().find(&matcher, Some(&self.status), &mut Chosen::default());
            found.map_err(|error| SyncFailure::reported(matcher.role.not_found.clone(), error))?;
        }
        Ok(())
    }

    /// `syncStatusWithMatcher`: another name or kind than before begins anew; both references are written at once.
    fn keep_in_status(&mut self, vm: &VirtualMachine) -> Result<(), String> {
        let mut changed = Vec::new();
        for matcher in Matcher::all(&vm.spec) {
            let field = matcher.role.status_field;
            // What is no reference at all counts as none.
            let before = self.status.rest.get(field).filter(|before| before.is_object());
            let before = before.cloned().unwrap_or_else(|| json!({}));
            let mut reference = before.clone();
            let mut is_another = false;
            for (key, word) in [("name", matcher.name), ("kind", matcher.written_kind)] {
                if !word.is_empty() && reference[key] != word {
                    reference[key] = word.into();
                    is_another = true;
                }
            }
            if is_another {
                reference["controllerRevisionRef"] = Value::Null;
            }
            if !matcher.revision.is_empty() {
                reference["controllerRevisionRef"] = json!({ "name": matcher.revision });
            } else if reference["controllerRevisionRef"].is_null() {
                let name = self.keep(vm, &matcher)?;
                reference["controllerRevisionRef"] = json!({ "name": name.as_str() });
            }
            if reference != before {
                changed.push((field, reference));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let patched = self.cx.patch::<VirtualMachine>(self.id, |vm| {
            changed.into_iter().for_each(|(field, reference)| vm.status.rest.insert(field, reference));
        });
        patched.map_err(|error| error.to_string())?;
        self.take_patched();
        Ok(())
    }

    /// Both names are written at once; the reconcile goes on with the machine as it was read, so that its status comes too
    /// late and is tried again.
    fn keep_in_spec(&mut self, vm: &VirtualMachine) -> Result<(), String> {
        let mut spec = VirtualMachineSpec::clone(&vm.spec);
        for matcher in Matcher::all(&vm.spec).filter(|matcher| matcher.revision.is_empty()) {
            let name = self.keep(vm, &matcher)?;
            let mut value = vm.spec.rest.get(matcher.role.field).expect("the machine names it").clone();
            value["revisionName"] = name.as_str().into();
            spec.rest.insert(matcher.role.field, value);
        }
        if spec == *vm.spec {
            return Ok(());
        }
        let spec = Arc::new(spec);
        let kept = Arc::clone(&spec);
        let patched = self.cx.patch::<VirtualMachine>(self.id, |vm| vm.spec = kept);
        patched.map_err(|error| error.to_string())?;
        Arc::make_mut(&mut self.vm).spec = spec;
        Ok(())
    }

    /// Keeps what a machine names, as it stands now. One that stands in the template too is not kept.
    fn keep(&mut self, vm: &VirtualMachine, matcher: &Matcher<'_>) -> Result<ArcStr, String> {
        let object = self.finder().live(matcher)?;
        let mut chosen = Chosen::default();
        chosen.take(&object);
        if let (Some(_), Some(template)) = (&chosen.instance_type, &vm.spec.template) {
            let mut spec = VirtualMachineInstanceSpec::clone(&template.spec);
            let mut annotations = template.metadata.annotations.clone();
            let applied = chosen.apply_to_template("spec.template.spec", &mut spec, &mut annotations);
            applied.map_err(|conflicts| InstanceTypeError::Conflicts(conflicts).to_string())?;
        }
        let revision = revision_of(vm, &object);
        let name = revision.metadata.name.clone();
        match self.cx.create(revision.clone()) {
            Ok(_) => Ok(name),
            Err(ApiError::AlreadyExists { .. }) => self.kept_before(&revision).map(|()| name),
            Err(error) => Err(format!("failed to create ControllerRevision: {error}")),
        }
    }

    /// A revision of this name must say the same.
    fn kept_before(&self, revision: &ControllerRevision) -> Result<(), String> {
        let ObjectMeta { namespace, name, .. } = &revision.metadata;
        let found = self.cx.newest().named::<ControllerRevision>(namespace, name);
        let (_, known) = found.expect("a name that is taken is somebody's");
        match known.data == revision.data {
            true => Ok(()),
            false => Err(format!("found existing ControllerRevision with unexpected data: {name}")),
        }
    }
}

/// `CreateControllerRevision`.
fn revision_of(vm: &VirtualMachine, object: &Object) -> ControllerRevision {
    let (kind, meta) = (object.kind().as_str(), object.metadata());
    let data = match object {
        Object::VirtualMachineInstancetype(found) => RevisionData::Instancetype(kind, found.spec.clone()),
        Object::VirtualMachineClusterInstancetype(found) => {
            RevisionData::Instancetype(kind, found.spec.clone())
        }
        Object::VirtualMachinePreference(found) => RevisionData::Preference(kind, found.spec.clone()),
        Object::VirtualMachineClusterPreference(found) => RevisionData::Preference(kind, found.spec.clone()),
        other => panic!("no revisions are kept of a {}", other.kind()),
    };
    let generation = arcstr::format!("{}", meta.generation);
    let labels: [(&str, &str); 5] = [
        ("instancetype.kubevirt.io/object-generation", &generation),
        ("instancetype.kubevirt.io/object-kind", kind),
        (OBJECT_NAME, &meta.name),
        ("instancetype.kubevirt.io/object-uid", &meta.uid),
        ("instancetype.kubevirt.io/object-version", VERSION),
    ];
    let mut metadata = ObjectMeta {
        name: arcstr::format!("{}-{}-{VERSION}-{}-{generation}", vm.metadata.name, meta.name, meta.uid),
        namespace: vm.metadata.namespace.clone(),
        owner_references: vec![controller_reference(vm)].into(),
        ..ObjectMeta::default()
    };
    for (key, value) in labels {
        metadata.labels.insert(key, value);
    }
    ControllerRevision { metadata, data, revision: 0 }
}
