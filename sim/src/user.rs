//! What users do to objects of any kind, as kubectl does it.

use crate::cluster::Cluster;
use crate::instance_types::webhook;
use crate::kind::{Kind, Object, ObjectId, Resource, Visit};
use crate::objects::{
    ConfigMap, ControllerRevision, DataSource, DataVolume, Node, PersistentVolume, PersistentVolumeClaim,
    Pod, PriorityClass, Secret, StorageClass, VirtualMachine, VirtualMachineClusterInstancetype,
    VirtualMachineClusterPreference, VirtualMachineInstance, VirtualMachineInstanceMigration,
    VirtualMachineInstancetype, VirtualMachinePreference, VolumeCloneSource, VolumeImportSource,
    VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent, VolumeUploadSource,
};
use crate::store::ApiError;
use crate::validation::{FieldError, validate};
use arcstr::ArcStr;
use serde_json::Value;
use std::sync::Arc;

/// Why an operation of a user was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// The API server refused it.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The object would have a field of a wrong type.
    #[error("{field}: {problem}")]
    Field {
        /// The field's path.
        field: String,
        /// What is wrong there.
        problem: String,
    },
}

impl Cluster {
    /// Creates an object of any kind as a user does.
    pub fn apply(&mut self, object: &Object) -> Result<ObjectId, ApiError> {
        struct Create<'a>(&'a mut Cluster);
        impl Visit for Create<'_> {
            type Output = Result<ObjectId, ApiError>;
            fn visit<T: Resource>(self, object: &Arc<T>) -> Self::Output {
                self.0.create(T::clone(object))
            }
        }
        object.visit(Create(self))
    }

    /// Creates an object as a user does.
    pub fn create<T: Resource>(&mut self, object: T) -> Result<ObjectId, ApiError> {
        self.as_user(|cx| cx.create(object))
    }

    /// Creates an object of any kind as it stands, past admission, and lets every informer hear of it.
    pub fn put(&mut self, object: &Object) -> Result<ObjectId, ApiError> {
        struct Put<'a>(&'a mut Cluster);
        impl Visit for Put<'_> {
            type Output = Result<ObjectId, ApiError>;
            fn visit<T: Resource>(self, object: &Arc<T>) -> Self::Output {
                self.0.as_user(|cx| cx.create_as_is(T::clone(object)))
            }
        }
        object.visit(Put(self))
    }

    /// Changes an object as a user does.
    pub fn patch<T: Resource>(
        &mut self,
        id: ObjectId,
        change: impl FnOnce(&mut T),
    ) -> Result<bool, ApiError> {
        self.as_user(|cx| cx.patch(id, change))
    }

    /// Deletes an object as a user does.
    pub fn delete<T: Resource>(&mut self, id: ObjectId) -> Result<(), ApiError> {
        self.as_user(|cx| cx.delete::<T>(id))
    }

    /// Deletes a pod as a user does with `--grace-period=0 --force`.
    pub fn remove_pod(&mut self, id: ObjectId) -> Result<(), ApiError> {
        self.as_user(|cx| cx.remove_pod(id))
    }

    /// The object of a name; the namespace is empty for kinds without one.
    pub fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<(ObjectId, Object)> {
        with_kind(kind, Find { cluster: self, namespace, name })
    }

    /// Every object of a kind, in the order of creation.
    pub fn all_of(&self, kind: Kind) -> Vec<Object> {
        with_kind(kind, All { cluster: self })
    }

    /// Creates an object or, where one of its name exists, changes what the manifest says (`kubectl apply`).
    ///
    /// # Errors
    ///
    /// If the API server or a webhook refuses it, or a field has a wrong type.
    pub fn apply_manifest(&mut self, object: &Object) -> Result<ObjectId, UserError> {
        let meta = object.metadata();
        match self.find(object.kind(), &meta.namespace, &meta.name) {
            None => {
                self.valid(object, None)?;
                Ok(self.apply(object)?)
            }
            Some((id, _)) => {
                let mut patch = object.to_value();
                if let Some(fields) = patch.as_object_mut() {
                    fields.remove("status");
                }
                self.merge_patch(id, &patch)?;
                Ok(id)
            }
        }
    }

    /// Applies a JSON merge patch (RFC 7386), on the status too.
    ///
    /// # Errors
    ///
    /// If the object is gone, a field would have a wrong type, or the API server or a webhook refuses what would become of it.
    pub fn merge_patch(&mut self, id: ObjectId, patch: &Value) -> Result<(), UserError> {
        with_kind(id.kind, MergePatch { cluster: self, id, patch })
    }

    /// Puts an object to the rules of the API server and of the webhooks. What the stored object is not right in already is no
    /// objection to a change.
    fn valid(&self, new: &Object, old: Option<&Object>) -> Result<(), ApiError> {
        let known = old.map(|old| self.objections(old)).unwrap_or_default();
        let found = self.objections(new).into_iter().filter(|error| !known.contains(error));
        let texts: Vec<String> = found.map(|error| error.to_string()).collect();
        let why = match &texts[..] {
            [] => return Ok(()),
            [only] => only.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        Err(ApiError::Invalid { kind: new.kind(), name: new.metadata().name.clone(), why: why.into() })
    }

    /// A machine is looked at with its instance type and its preference filled in.
    fn objections(&self, object: &Object) -> Vec<FieldError> {
        let Object::VirtualMachine(vm) = object else { return validate(&object.to_value()) };
        match webhook::expand(vm, self.view(), self.config().kubevirt) {
            Ok(None) => validate(&object.to_value()),
            Ok(Some(expanded)) => validate(&Object::VirtualMachine(Arc::new(expanded)).to_value()),
            Err(errors) => errors,
        }
    }

    /// Kind, namespace and name, as the trace writes them.
    pub(crate) fn called(&self, id: ObjectId) -> String {
        with_kind(id.kind, Called { cluster: self, id })
    }

    /// Deletes an object (`kubectl delete`).
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub fn delete_object(&mut self, id: ObjectId) -> Result<(), ApiError> {
        with_kind(id.kind, Delete { cluster: self, id })
    }
}

/// Something to do with the type of a kind.
pub(crate) trait ForKind {
    type Output;
    fn run<T: Resource>(self) -> Self::Output;
}

pub(crate) fn with_kind<F: ForKind>(kind: Kind, act: F) -> F::Output {
    match kind {
        Kind::Node => act.run::<Node>(),
        Kind::StorageClass => act.run::<StorageClass>(),
        Kind::PriorityClass => act.run::<PriorityClass>(),
        Kind::ConfigMap => act.run::<ConfigMap>(),
        Kind::Secret => act.run::<Secret>(),
        Kind::ControllerRevision => act.run::<ControllerRevision>(),
        Kind::VirtualMachineClusterInstancetype => act.run::<VirtualMachineClusterInstancetype>(),
        Kind::VirtualMachineInstancetype => act.run::<VirtualMachineInstancetype>(),
        Kind::VirtualMachineClusterPreference => act.run::<VirtualMachineClusterPreference>(),
        Kind::VirtualMachinePreference => act.run::<VirtualMachinePreference>(),
        Kind::PersistentVolume => act.run::<PersistentVolume>(),
        Kind::PersistentVolumeClaim => act.run::<PersistentVolumeClaim>(),
        Kind::VolumeSnapshotClass => act.run::<VolumeSnapshotClass>(),
        Kind::VolumeSnapshotContent => act.run::<VolumeSnapshotContent>(),
        Kind::VolumeSnapshot => act.run::<VolumeSnapshot>(),
        Kind::DataSource => act.run::<DataSource>(),
        Kind::DataVolume => act.run::<DataVolume>(),
        Kind::VolumeImportSource => act.run::<VolumeImportSource>(),
        Kind::VolumeCloneSource => act.run::<VolumeCloneSource>(),
        Kind::VolumeUploadSource => act.run::<VolumeUploadSource>(),
        Kind::Pod => act.run::<Pod>(),
        Kind::VirtualMachineInstance => act.run::<VirtualMachineInstance>(),
        Kind::VirtualMachine => act.run::<VirtualMachine>(),
        Kind::VirtualMachineInstanceMigration => act.run::<VirtualMachineInstanceMigration>(),
    }
}

struct Find<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    name: &'a str,
}

impl ForKind for Find<'_> {
    type Output = Option<(ObjectId, Object)>;

    fn run<T: Resource>(self) -> Self::Output {
        let (id, object) = self.cluster.view().named::<T>(self.namespace, self.name)?;
        Some((id, T::wrap(object.clone())))
    }
}

struct All<'a> {
    cluster: &'a Cluster,
}

impl ForKind for All<'_> {
    type Output = Vec<Object>;

    fn run<T: Resource>(self) -> Self::Output {
        self.cluster.view().iter::<T>().map(|(_, object)| T::wrap(object.clone())).collect()
    }
}

struct Called<'a> {
    cluster: &'a Cluster,
    id: ObjectId,
}

impl ForKind for Called<'_> {
    type Output = String;

    fn run<T: Resource>(self) -> Self::Output {
        let Some(object) = self.cluster.view().get::<T>(self.id) else {
            return format!("a {} that is gone", T::KIND);
        };
        let meta = object.metadata();
        let separator = if meta.namespace.is_empty() { "" } else { "/" };
        format!("{} {}{separator}{}", T::KIND, meta.namespace, meta.name)
    }
}

struct MergePatch<'a> {
    cluster: &'a mut Cluster,
    id: ObjectId,
    patch: &'a Value,
}

impl ForKind for MergePatch<'_> {
    type Output = Result<(), UserError>;

    fn run<T: Resource>(self) -> Self::Output {
        let old =
            self.cluster.view().get::<T>(self.id).ok_or(ApiError::Gone { kind: T::KIND, name: None })?;
        let mut value = serde_json::to_value(&**old).expect("objects serialize");
        merge(&mut value, self.patch);
        let mut new: T = serde_path_to_error::deserialize(&value).map_err(|error| UserError::Field {
            field: error.path().to_string(),
            problem: error.inner().to_string(),
        })?;
        new.metadata_mut().resource_version = old.metadata().resource_version;
        self.cluster.valid(&T::wrap(Arc::new(new.clone())), Some(&T::wrap(Arc::clone(old))))?;
        self.cluster.patch::<T>(self.id, |object| *object = new)?;
        Ok(())
    }
}

struct Delete<'a> {
    cluster: &'a mut Cluster,
    id: ObjectId,
}

impl ForKind for Delete<'_> {
    type Output = Result<(), ApiError>;

    fn run<T: Resource>(self) -> Self::Output {
        self.cluster.delete::<T>(self.id)
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let fields = target.as_object_mut().expect("it was just made one");
    for (key, change) in changes {
        match change {
            Value::Null => drop(fields.remove(key)),
            change => merge(fields.entry(key.clone()).or_insert(Value::Null), change),
        }
    }
}

/// Splits `namespace/name`; a name alone stands in the namespace `default`, or in none where the kind has none.
pub fn split_name(kind: Kind, name: &str) -> (ArcStr, ArcStr) {
    match name.split_once('/') {
        Some((namespace, name)) => (namespace.into(), name.into()),
        None if kind.is_namespaced() => (arcstr::literal!("default"), name.into()),
        None => (ArcStr::new(), name.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use serde_json::json;

    #[test]
    fn a_merge_patch_sets_nests_and_removes() {
        let mut value = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [1]});
        merge(&mut value, &json!({"a": null, "b": {"c": 4}, "e": [2, 3], "f": {"g": null, "h": 5}}));
        assert_eq!(value, json!({"b": {"c": 4, "d": 3}, "e": [2, 3], "f": {"h": 5}}));
    }
}
