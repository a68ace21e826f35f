//! The API server and etcd: objects by kind and name, revisions, finalizers, and the log of changes.
//!
//! Kubernetes 1.36: `staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go`.

mod change;
mod error;
mod index;
mod table;
mod view;

pub use change::Change;
pub use error::ApiError;
pub use table::Table;
pub use view::View;

pub(crate) use view::Horizon;

use crate::kind::{Kind, Object, ObjectId, Resource};
use crate::objects::{
    ConfigMap, ControllerRevision, DataSource, DataVolume, Node, PersistentVolume, PersistentVolumeClaim,
    Pod, PriorityClass, Secret, StorageClass, VirtualMachine, VirtualMachineClusterInstancetype,
    VirtualMachineClusterPreference, VirtualMachineInstance, VirtualMachineInstanceMigration,
    VirtualMachineInstancetype, VirtualMachinePreference, VolumeCloneSource, VolumeImportSource,
    VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent, VolumeUploadSource,
};
use arcstr::ArcStr;
use change::ChangeLog;
use index::Indexes;
use std::sync::Arc;
use std::time::Duration;
use stuckvm_detector::Time;

/// The tables, one a kind.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each field is the table of the kind that it names")]
pub struct Tables {
    pub nodes: Table<Node>,
    pub storage_classes: Table<StorageClass>,
    pub priority_classes: Table<PriorityClass>,
    pub config_maps: Table<ConfigMap>,
    pub secrets: Table<Secret>,
    pub controller_revisions: Table<ControllerRevision>,
    pub cluster_instancetypes: Table<VirtualMachineClusterInstancetype>,
    pub instancetypes: Table<VirtualMachineInstancetype>,
    pub cluster_preferences: Table<VirtualMachineClusterPreference>,
    pub preferences: Table<VirtualMachinePreference>,
    pub persistent_volumes: Table<PersistentVolume>,
    pub persistent_volume_claims: Table<PersistentVolumeClaim>,
    pub volume_snapshot_classes: Table<VolumeSnapshotClass>,
    pub volume_snapshot_contents: Table<VolumeSnapshotContent>,
    pub volume_snapshots: Table<VolumeSnapshot>,
    pub data_sources: Table<DataSource>,
    pub data_volumes: Table<DataVolume>,
    pub volume_import_sources: Table<VolumeImportSource>,
    pub volume_upload_sources: Table<VolumeUploadSource>,
    pub volume_clone_sources: Table<VolumeCloneSource>,
    pub pods: Table<Pod>,
    pub virtual_machine_instances: Table<VirtualMachineInstance>,
    pub virtual_machines: Table<VirtualMachine>,
    pub virtual_machine_instance_migrations: Table<VirtualMachineInstanceMigration>,
}

/// All objects of the cluster.
#[derive(Debug, Default)]
pub struct Store {
    tables: Tables,
    indexes: Indexes,
    log: ChangeLog,
    uids: u64,
    /// Distinguishes the uids and names of one seed from those of another.
    uid_seed: u64,
}

impl Store {
    /// An empty store; uids and generated names follow from the seed.
    pub(crate) fn new(uid_seed: u64) -> Self {
        Self { uid_seed, ..Self::default() }
    }

    /// Revision of the newest write.
    pub fn revision(&self) -> u64 {
        self.log.revision()
    }

    /// How many objects of a kind exist.
    pub fn count<T: Resource>(&self) -> usize {
        T::table(&self.tables).len()
    }

    /// The change that a revision made, if some view has yet to see it.
    pub(crate) fn change(&self, revision: u64) -> &Change {
        self.log.get(revision)
    }

    /// Adds an object, with uid, creation time and generation as the API server sets them.
    pub(crate) fn create<T: Resource>(&mut self, mut object: T, now: Time) -> Result<ObjectId, ApiError> {
        if object.metadata().name.is_empty() {
            self.generate_name(object.metadata_mut());
        }
        let meta = object.metadata();
        assert_eq!(
            meta.namespace.is_empty(),
            !T::KIND.is_namespaced(),
            "a namespace where the kind has one: {meta:?}"
        );
        if View::newest(self).named::<T>(&meta.namespace, &meta.name).is_some() {
            return Err(ApiError::AlreadyExists { kind: T::KIND, name: meta.name.clone() });
        }
        let revision = self.revision() + 1;
        if object.metadata().uid.is_empty() {
            object.metadata_mut().uid = self.next_uid();
        }
        let meta = object.metadata_mut();
        meta.creation_timestamp.get_or_insert(now.truncate_to_secs());
        meta.resource_version = revision;
        meta.generation = meta.generation.max(1);
        let object = Arc::new(object);
        let index = T::table_mut(&mut self.tables).insert(Arc::clone(&object), revision);
        let id = ObjectId { kind: T::KIND, index };
        self.record(id, None, Some(T::wrap(object)));
        Ok(id)
    }

    /// Replaces an object that still has the revision it was read at. Nothing is written where nothing changes.
    pub(crate) fn update<T: Resource>(&mut self, id: ObjectId, object: T) -> Result<(), ApiError> {
        let live = self.live::<T>(id)?;
        if live.metadata().resource_version != object.metadata().resource_version {
            return Err(ApiError::Conflict { kind: T::KIND, name: live.metadata().name.clone() });
        }
        self.write(id, object);
        Ok(())
    }

    /// Changes the newest version of an object, whatever its revision, and returns whether that changed anything.
    pub(crate) fn patch<T: Resource>(
        &mut self,
        id: ObjectId,
        change: impl FnOnce(&mut T),
    ) -> Result<bool, ApiError> {
        let mut object = T::clone(self.live::<T>(id)?);
        change(&mut object);
        Ok(self.write(id, object))
    }

    /// Deletes an object, or marks it as being deleted where a finalizer or a pod's grace keeps it.
    pub(crate) fn delete<T: Resource>(
        &mut self,
        id: ObjectId,
        now: Time,
        grace_seconds: u32,
    ) -> Result<(), ApiError> {
        let live = self.live::<T>(id)?;
        let meta = live.metadata();
        let kept = grace_seconds > 0 || !meta.finalizers.is_empty();
        if !kept {
            self.remove::<T>(id);
            return Ok(());
        }
        let left = meta.deletion_timestamp.map(|_| meta.deletion_grace_period_seconds.unwrap_or(0));
        if left.is_some_and(|left| left <= grace_seconds) {
            return Ok(());
        }
        let mut object = T::clone(live);
        let meta = object.metadata_mut();
        let ends = now.truncate_to_secs().checked_add(Duration::from_secs(grace_seconds.into()));
        meta.deletion_timestamp = Some(ends.unwrap_or(Time::MAX));
        meta.deletion_grace_period_seconds = Some(grace_seconds);
        meta.generation += 1;
        self.write(id, object);
        Ok(())
    }

    /// Forgets the versions and changes that every view has seen.
    pub(crate) fn forget_seen(&mut self, oldest_horizon: u64) {
        while let Some(change) = self.log.pop_seen(oldest_horizon) {
            let Change { revision, id, old, new } = change;
            forget_version(&mut self.tables, id, revision);
            if let (Some(last), None) = (old, new) {
                self.indexes.remove(id, &last);
            }
        }
    }

    fn live<T: Resource>(&self, id: ObjectId) -> Result<&Arc<T>, ApiError> {
        View::newest(self).get::<T>(id).ok_or_else(|| self.gone::<T>(id))
    }

    /// What becomes of a request for an object that is gone.
    pub(crate) fn gone<T: Resource>(&self, id: ObjectId) -> ApiError {
        ApiError::Gone { kind: T::KIND, name: T::table(&self.tables).last_name(id.index) }
    }

    fn write<T: Resource>(&mut self, id: ObjectId, mut object: T) -> bool {
        let live = Arc::clone(self.live::<T>(id).expect("only a live object is written"));
        if *live == object {
            return false;
        }
        let meta = object.metadata();
        if meta.is_deleting()
            && meta.finalizers.is_empty()
            && meta.deletion_grace_period_seconds.unwrap_or(0) == 0
        {
            self.remove::<T>(id);
            return true;
        }
        let spec_changed = !object.same_spec(&live);
        let revision = self.revision() + 1;
        let meta = object.metadata_mut();
        meta.generation += u64::from(spec_changed);
        meta.resource_version = revision;
        self.replace(id, Some(Arc::new(object)));
        true
    }

    fn remove<T: Resource>(&mut self, id: ObjectId) {
        self.replace::<T>(id, None);
    }

    fn replace<T: Resource>(&mut self, id: ObjectId, object: Option<Arc<T>>) {
        let revision = self.revision() + 1;
        let old = T::table_mut(&mut self.tables).replace(id.index, object.clone(), revision);
        self.record(id, Some(T::wrap(old)), object.map(T::wrap));
    }

    fn record(&mut self, id: ObjectId, old: Option<Object>, new: Option<Object>) {
        if let Some(new) = &new {
            self.indexes.add(id, old.as_ref(), new);
        }
        let revision = self.revision() + 1;
        self.log.push(Change { revision, id, old, new });
    }

    /// A UUID that follows from the seed and a counter.
    fn next_uid(&mut self) -> ArcStr {
        generated_uid(self.draw_bits())
    }

    /// Gives a name that the prefix leaves open.
    fn generate_name(&mut self, meta: &mut crate::objects::ObjectMeta) {
        let bits = self.draw_bits();
        meta.name = generated_name(&meta.generate_name, bits);
    }

    fn draw_bits(&mut self) -> u128 {
        self.uids += 1;
        xxhash_rust::xxh3::xxh3_128_with_seed(&self.uids.to_le_bytes(), self.uid_seed)
    }
}

/// A version 4 UUID of these bits.
pub(crate) fn generated_uid(bits: u128) -> ArcStr {
    arcstr::format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        bits >> 96,
        (bits >> 80) & 0xffff,
        (bits >> 64) & 0xfff,
        (bits >> 48) & 0xfff,
        bits & 0xffff_ffff_ffff
    )
}

/// A prefix with five characters of the alphabet that the API server uses.
pub(crate) fn generated_name(prefix: &str, mut bits: u128) -> ArcStr {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut name = String::from(prefix);
    for _ in 0..5 {
        name.push(char::from(ALPHABET[(bits % 27) as usize]));
        bits /= 27;
    }
    name.into()
}

fn forget_version(tables: &mut Tables, id: ObjectId, seen: u64) {
    match id.kind {
        Kind::Node => tables.nodes.forget(id.index, seen),
        Kind::StorageClass => tables.storage_classes.forget(id.index, seen),
        Kind::PriorityClass => tables.priority_classes.forget(id.index, seen),
        Kind::ConfigMap => tables.config_maps.forget(id.index, seen),
        Kind::Secret => tables.secrets.forget(id.index, seen),
        Kind::ControllerRevision => tables.controller_revisions.forget(id.index, seen),
        Kind::VirtualMachineClusterInstancetype => tables.cluster_instancetypes.forget(id.index, seen),
        Kind::VirtualMachineInstancetype => tables.instancetypes.forget(id.index, seen),
        Kind::VirtualMachineClusterPreference => tables.cluster_preferences.forget(id.index, seen),
        Kind::VirtualMachinePreference => tables.preferences.forget(id.index, seen),
        Kind::PersistentVolume => tables.persistent_volumes.forget(id.index, seen),
        Kind::PersistentVolumeClaim => tables.persistent_volume_claims.forget(id.index, seen),
        Kind::VolumeSnapshotClass => tables.volume_snapshot_classes.forget(id.index, seen),
        Kind::VolumeSnapshotContent => tables.volume_snapshot_contents.forget(id.index, seen),
        Kind::VolumeSnapshot => tables.volume_snapshots.forget(id.index, seen),
        Kind::DataSource => tables.data_sources.forget(id.index, seen),
        Kind::DataVolume => tables.data_volumes.forget(id.index, seen),
        Kind::VolumeImportSource => tables.volume_import_sources.forget(id.index, seen),
        Kind::VolumeUploadSource => tables.volume_upload_sources.forget(id.index, seen),
        Kind::VolumeCloneSource => tables.volume_clone_sources.forget(id.index, seen),
        Kind::Pod => tables.pods.forget(id.index, seen),
        Kind::VirtualMachineInstance => tables.virtual_machine_instances.forget(id.index, seen),
        Kind::VirtualMachine => tables.virtual_machines.forget(id.index, seen),
        Kind::VirtualMachineInstanceMigration => {
            tables.virtual_machine_instance_migrations.forget(id.index, seen);
        }
    }
}
