//! The kinds of the cluster and what the store must know of each.

use crate::config::Config;
use crate::manifest::StrictValue;
use crate::objects::{
    ConfigMap, ControllerRevision, DataSource, DataVolume, Node, ObjectMeta, PersistentVolume,
    PersistentVolumeClaim, Pod, PriorityClass, Secret, StorageClass, VirtualMachine,
    VirtualMachineClusterInstancetype, VirtualMachineClusterPreference, VirtualMachineInstance,
    VirtualMachineInstanceMigration, VirtualMachineInstancetype, VirtualMachinePreference, VolumeCloneSource,
    VolumeImportSource, VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent, VolumeUploadSource,
};
use crate::store::{ApiError, Table, Tables, View};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use stuckvm_detector::Time;

/// A kind that is modelled. The order is that of creation where a file gives no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `v1` Node.
    Node,
    /// `storage.k8s.io/v1` StorageClass.
    StorageClass,
    /// `scheduling.k8s.io/v1` PriorityClass.
    PriorityClass,
    /// `v1` ConfigMap.
    ConfigMap,
    /// `v1` Secret.
    Secret,
    /// `apps/v1` ControllerRevision.
    ControllerRevision,
    /// `instancetype.kubevirt.io/v1beta1` VirtualMachineClusterInstancetype.
    VirtualMachineClusterInstancetype,
    /// `instancetype.kubevirt.io/v1beta1` VirtualMachineInstancetype.
    VirtualMachineInstancetype,
    /// `instancetype.kubevirt.io/v1beta1` VirtualMachineClusterPreference.
    VirtualMachineClusterPreference,
    /// `instancetype.kubevirt.io/v1beta1` VirtualMachinePreference.
    VirtualMachinePreference,
    /// `snapshot.storage.k8s.io/v1` VolumeSnapshotClass.
    VolumeSnapshotClass,
    /// `v1` PersistentVolume.
    PersistentVolume,
    /// `v1` PersistentVolumeClaim.
    PersistentVolumeClaim,
    /// `snapshot.storage.k8s.io/v1` VolumeSnapshotContent.
    VolumeSnapshotContent,
    /// `snapshot.storage.k8s.io/v1` VolumeSnapshot.
    VolumeSnapshot,
    /// `cdi.kubevirt.io/v1beta1` DataSource.
    DataSource,
    /// `cdi.kubevirt.io/v1beta1` DataVolume.
    DataVolume,
    /// `cdi.kubevirt.io/v1beta1` VolumeImportSource.
    VolumeImportSource,
    /// `cdi.kubevirt.io/v1beta1` VolumeUploadSource.
    VolumeUploadSource,
    /// `cdi.kubevirt.io/v1beta1` VolumeCloneSource.
    VolumeCloneSource,
    /// `v1` Pod.
    Pod,
    /// `kubevirt.io/v1` VirtualMachineInstance.
    VirtualMachineInstance,
    /// `kubevirt.io/v1` VirtualMachine.
    VirtualMachine,
    /// `kubevirt.io/v1` VirtualMachineInstanceMigration.
    VirtualMachineInstanceMigration,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 24] = [
        Self::Node,
        Self::StorageClass,
        Self::PriorityClass,
        Self::ConfigMap,
        Self::Secret,
        Self::ControllerRevision,
        Self::VirtualMachineClusterInstancetype,
        Self::VirtualMachineInstancetype,
        Self::VirtualMachineClusterPreference,
        Self::VirtualMachinePreference,
        Self::VolumeSnapshotClass,
        Self::PersistentVolume,
        Self::PersistentVolumeClaim,
        Self::VolumeSnapshotContent,
        Self::VolumeSnapshot,
        Self::DataSource,
        Self::DataVolume,
        Self::VolumeImportSource,
        Self::VolumeUploadSource,
        Self::VolumeCloneSource,
        Self::Pod,
        Self::VirtualMachineInstance,
        Self::VirtualMachine,
        Self::VirtualMachineInstanceMigration,
    ];

    /// The kind's name, as in a manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "Node",
            Self::StorageClass => "StorageClass",
            Self::PriorityClass => "PriorityClass",
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
            Self::ControllerRevision => "ControllerRevision",
            Self::VirtualMachineClusterInstancetype => "VirtualMachineClusterInstancetype",
            Self::VirtualMachineInstancetype => "VirtualMachineInstancetype",
            Self::VirtualMachineClusterPreference => "VirtualMachineClusterPreference",
            Self::VirtualMachinePreference => "VirtualMachinePreference",
            Self::PersistentVolume => "PersistentVolume",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::VolumeSnapshotClass => "VolumeSnapshotClass",
            Self::VolumeSnapshotContent => "VolumeSnapshotContent",
            Self::VolumeSnapshot => "VolumeSnapshot",
            Self::DataSource => "DataSource",
            Self::DataVolume => "DataVolume",
            Self::VolumeImportSource => "VolumeImportSource",
            Self::VolumeUploadSource => "VolumeUploadSource",
            Self::VolumeCloneSource => "VolumeCloneSource",
            Self::Pod => "Pod",
            Self::VirtualMachineInstance => "VirtualMachineInstance",
            Self::VirtualMachine => "VirtualMachine",
            Self::VirtualMachineInstanceMigration => "VirtualMachineInstanceMigration",
        }
    }

    /// Group and version, as in a manifest.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::Node
            | Self::ConfigMap
            | Self::Secret
            | Self::PersistentVolume
            | Self::PersistentVolumeClaim
            | Self::Pod => "v1",
            Self::ControllerRevision => "apps/v1",
            Self::VirtualMachineClusterInstancetype
            | Self::VirtualMachineInstancetype
            | Self::VirtualMachineClusterPreference
            | Self::VirtualMachinePreference => "instancetype.kubevirt.io/v1beta1",
            Self::StorageClass => "storage.k8s.io/v1",
            Self::PriorityClass => "scheduling.k8s.io/v1",
            Self::VolumeSnapshotClass | Self::VolumeSnapshotContent | Self::VolumeSnapshot => {
                "snapshot.storage.k8s.io/v1"
            }
            Self::DataSource
            | Self::DataVolume
            | Self::VolumeImportSource
            | Self::VolumeUploadSource
            | Self::VolumeCloneSource => "cdi.kubevirt.io/v1beta1",
            Self::VirtualMachineInstance | Self::VirtualMachine | Self::VirtualMachineInstanceMigration => {
                "kubevirt.io/v1"
            }
        }
    }

    /// Whether objects of this kind live in a namespace.
    pub const fn is_namespaced(self) -> bool {
        !matches!(
            self,
            Self::Node
                | Self::StorageClass
                | Self::PriorityClass
                | Self::PersistentVolume
                | Self::VolumeSnapshotClass
                | Self::VolumeSnapshotContent
                | Self::VirtualMachineClusterInstancetype
                | Self::VirtualMachineClusterPreference
        )
    }

    /// The plural with its group, as error messages of the API name it (`virtualmachines.kubevirt.io`).
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Node => "nodes",
            Self::StorageClass => "storageclasses.storage.k8s.io",
            Self::PriorityClass => "priorityclasses.scheduling.k8s.io",
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
            Self::ControllerRevision => "controllerrevisions.apps",
            Self::VirtualMachineClusterInstancetype => {
                "virtualmachineclusterinstancetypes.instancetype.kubevirt.io"
            }
            Self::VirtualMachineInstancetype => "virtualmachineinstancetypes.instancetype.kubevirt.io",
            Self::VirtualMachineClusterPreference => {
                "virtualmachineclusterpreferences.instancetype.kubevirt.io"
            }
            Self::VirtualMachinePreference => "virtualmachinepreferences.instancetype.kubevirt.io",
            Self::PersistentVolume => "persistentvolumes",
            Self::PersistentVolumeClaim => "persistentvolumeclaims",
            Self::VolumeSnapshotClass => "volumesnapshotclasses.snapshot.storage.k8s.io",
            Self::VolumeSnapshotContent => "volumesnapshotcontents.snapshot.storage.k8s.io",
            Self::VolumeSnapshot => "volumesnapshots.snapshot.storage.k8s.io",
            Self::DataSource => "datasources.cdi.kubevirt.io",
            Self::DataVolume => "datavolumes.cdi.kubevirt.io",
            Self::VolumeImportSource => "volumeimportsources.cdi.kubevirt.io",
            Self::VolumeUploadSource => "volumeuploadsources.cdi.kubevirt.io",
            Self::VolumeCloneSource => "volumeclonesources.cdi.kubevirt.io",
            Self::Pod => "pods",
            Self::VirtualMachineInstance => "virtualmachineinstances.kubevirt.io",
            Self::VirtualMachine => "virtualmachines.kubevirt.io",
            Self::VirtualMachineInstanceMigration => "virtualmachineinstancemigrations.kubevirt.io",
        }
    }

    /// Reads the kind's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind of a manifest, by its `kind` and the group of its `apiVersion`, if it has one: other groups have kinds of the
    /// same names. In which version it is written does not count.
    pub fn of_manifest(manifest: &Value) -> Option<Self> {
        let kind = manifest.get("kind").and_then(Value::as_str).and_then(Self::parse)?;
        let version =
            manifest.get("apiVersion").and_then(Value::as_str).filter(|version| !version.is_empty());
        version.is_none_or(|version| group(version) == group(kind.api_version())).then_some(kind)
    }
}

/// The group of an `apiVersion`; the core group has no name.
fn group(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An object of the store: its kind and its place in the kind's table. A re-created object gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The kind.
    pub kind: Kind,
    /// The place in the table, in order of creation.
    pub index: u32,
}

/// What the store must know of a kind.
pub trait Resource:
    Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + fmt::Debug + 'static
{
    /// The kind.
    const KIND: Kind;

    /// `metadata`.
    fn metadata(&self) -> &ObjectMeta;

    /// `metadata`, to change it.
    fn metadata_mut(&mut self) -> &mut ObjectMeta;

    /// Whether all that counts for `metadata.generation` is equal.
    fn same_spec(&self, other: &Self) -> bool;

    /// Completes a new object as the API server does.
    fn admit(&mut self, view: View<'_>, now: Time, config: &Config);

    /// Why the API server does not let it be created, if an admission plugin or a webhook objects.
    fn objection(&self, view: View<'_>) -> Option<ApiError>;

    /// The kind's table.
    fn table(tables: &Tables) -> &Table<Self>;

    /// The kind's table, to change it.
    fn table_mut(tables: &mut Tables) -> &mut Table<Self>;

    /// The object as one of any kind.
    fn wrap(object: Arc<Self>) -> Object;

    /// The object as this kind, if it is of this kind.
    fn unwrap(object: &Object) -> Option<&Arc<Self>>;
}

/// Something to do with an object of whatever kind.
pub(crate) trait Visit {
    /// What comes of it.
    type Output;

    /// Does it.
    fn visit<T: Resource>(self, object: &Arc<T>) -> Self::Output;
}

macro_rules! kinds {
    ($($kind:ident $table:ident $spec:expr;)*) => {
        /// An object of any kind.
        #[derive(Clone, Debug)]
        pub enum Object {
            $(#[doc = concat!("A ", stringify!($kind), ".")] $kind(Arc<$kind>),)*
        }

        impl Object {
            /// The kind.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// An object of whatever kind that a view shows.
            pub(crate) fn seen(view: View<'_>, id: ObjectId) -> Option<Self> {
                match id.kind { $(Kind::$kind => view.get::<$kind>(id).cloned().map(Self::$kind),)* }
            }

            /// An object of whatever kind that a view shows, by name.
            pub(crate) fn named(view: View<'_>, kind: Kind, namespace: &str, name: &str) -> Option<Self> {
                match kind {
                    $(Kind::$kind => view.named::<$kind>(namespace, name).map(|(_, object)| Self::$kind(object.clone())),)*
                }
            }

            /// `metadata`.
            pub fn metadata(&self) -> &ObjectMeta {
                match self { $(Self::$kind(object) => &object.metadata,)* }
            }

            /// Reads a manifest's kind and the object; other kinds than the modelled ones give `None`.
            ///
            /// # Errors
            ///
            /// The field path and what was wrong there.
            pub fn from_value(value: &Value) -> Result<Option<Self>, serde_path_to_error::Error<serde_json::Error>> {
                match Kind::of_manifest(value) {
                    $(Some(Kind::$kind) => {
                        let mut object: $kind = serde_path_to_error::deserialize(StrictValue(value))?;
                        if Kind::$kind.is_namespaced() && object.metadata.namespace.is_empty() {
                            object.metadata.namespace = arcstr::literal!("default");
                        }
                        Ok(Some(Self::$kind(Arc::new(object))))
                    })*
                    None => Ok(None),
                }
            }

            /// Gives the object another name and namespace; its spec stays shared.
            pub fn rename(&mut self, rename: impl Fn(&str) -> String) {
                match self {
                    $(Self::$kind(object) => {
                        let meta = &mut Arc::make_mut(object).metadata;
                        meta.name = rename(&meta.name).into();
                        meta.namespace = rename(&meta.namespace).into();
                    })*
                }
            }

            /// Does something with the typed object.
            pub(crate) fn visit<V: Visit>(&self, visitor: V) -> V::Output {
                match self { $(Self::$kind(object) => visitor.visit(object),)* }
            }

            /// Appends the few words of the status that a trace shows.
            pub(crate) fn summarize(&self, out: &mut String) {
                match self { $(Self::$kind(object) => crate::trace::Summary::summarize(&**object, out),)* }
            }

            /// The object as the API would show it, `apiVersion` and `kind` first.
            pub fn to_value(&self) -> Value {
                let value = match self { $(Self::$kind(object) => serde_json::to_value(&**object),)* };
                let fields = match value.expect("objects serialize") {
                    Value::Object(fields) => fields,
                    other => panic!("an object serializes as a map, not as {other}"),
                };
                let mut shown = serde_json::Map::new();
                shown.insert("apiVersion".into(), self.kind().api_version().into());
                shown.insert("kind".into(), self.kind().as_str().into());
                shown.extend(fields);
                Value::Object(shown)
            }
        }

        $(impl Resource for $kind {
            const KIND: Kind = Kind::$kind;

            fn metadata(&self) -> &ObjectMeta { &self.metadata }
            fn metadata_mut(&mut self) -> &mut ObjectMeta { &mut self.metadata }
            fn same_spec(&self, other: &Self) -> bool { let same: fn(&Self, &Self) -> bool = $spec; same(self, other) }
            fn admit(&mut self, view: View<'_>, now: Time, config: &Config) {
                crate::admission::Admit::admit_configured(self, view, now, config);
            }
            fn objection(&self, view: View<'_>) -> Option<ApiError> {
                crate::admission::Admit::objection(self, view)
            }
            fn table(tables: &Tables) -> &Table<Self> { &tables.$table }
            fn table_mut(tables: &mut Tables) -> &mut Table<Self> { &mut tables.$table }
            fn wrap(object: Arc<Self>) -> Object { Object::$kind(object) }
            fn unwrap(object: &Object) -> Option<&Arc<Self>> {
                match object { Object::$kind(object) => Some(object), _ => None }
            }
        })*
    };
}

kinds! {
    Node nodes |a, b| a.spec == b.spec;
    StorageClass storage_classes |a, b| a.provisioner == b.provisioner && a.rest == b.rest;
    PriorityClass priority_classes |a, b| a.value == b.value;
    ConfigMap config_maps |_, _| true;
    Secret secrets |_, _| true;
    ControllerRevision controller_revisions |a, b| a.data == b.data;
    VirtualMachineClusterInstancetype cluster_instancetypes |a, b| a.spec == b.spec;
    VirtualMachineInstancetype instancetypes |a, b| a.spec == b.spec;
    VirtualMachineClusterPreference cluster_preferences |a, b| a.spec == b.spec;
    VirtualMachinePreference preferences |a, b| a.spec == b.spec;
    PersistentVolume persistent_volumes |a, b| a.spec == b.spec;
    PersistentVolumeClaim persistent_volume_claims |a, b| a.spec == b.spec;
    VolumeSnapshotClass volume_snapshot_classes |a, b| a.driver == b.driver && a.rest == b.rest;
    VolumeSnapshotContent volume_snapshot_contents |a, b| a.spec == b.spec;
    VolumeSnapshot volume_snapshots |a, b| a.spec == b.spec;
    DataSource data_sources |a, b| a.spec == b.spec;
    DataVolume data_volumes |a, b| Arc::ptr_eq(&a.spec, &b.spec) || a.spec == b.spec;
    VolumeImportSource volume_import_sources |a, b| a.spec == b.spec;
    VolumeUploadSource volume_upload_sources |a, b| a.spec == b.spec;
    VolumeCloneSource volume_clone_sources |a, b| a.spec == b.spec;
    Pod pods |a, b| Arc::ptr_eq(&a.spec, &b.spec) || a.spec == b.spec;
    VirtualMachineInstance virtual_machine_instances |a, b| Arc::ptr_eq(&a.spec, &b.spec) || a.spec == b.spec;
    VirtualMachine virtual_machines |a, b| Arc::ptr_eq(&a.spec, &b.spec) || a.spec == b.spec;
    VirtualMachineInstanceMigration virtual_machine_instance_migrations |a, b| a.spec == b.spec;
}
