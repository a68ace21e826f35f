//! What a DataVolume is a copy of, named by itself or through a DataSource.
//!
//! CDI main 2026-08: `pkg/controller/datavolume/clone-controller-base.go` (`populateSourceIfSourceRef`),
//! `pkg/controller/common/util.go` (`GetCloneSourceInfo`).

use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::tokens::{Subject, Token};
use crate::kind::{Kind, ObjectId};
use crate::objects::{DataSource, DataVolume, DataVolumeSpec, ObjectMeta};
use crate::store::{ApiError, View};
use arcstr::ArcStr;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde_json::Value;
use std::sync::Arc;

/// What is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CloneSource {
    /// `pvc` or `snapshot`, as the DataVolume names it.
    pub(super) kind: &'static str,
    pub(super) namespace: ArcStr,
    pub(super) name: ArcStr,
}

impl CloneSource {
    /// `GetCloneSourceInfo`.
    pub(super) fn of(dv: &DataVolume) -> Option<Self> {
        Self::named_by(dv.spec.source.as_ref()?, &dv.metadata)
    }

    /// The claim or snapshot that a source names; without a namespace it is in that of `by`.
    fn named_by(source: &Value, by: &ObjectMeta) -> Option<Self> {
        let (kind, found) =
            ["pvc", "snapshot"].into_iter().find_map(|kind| Some((kind, source.get(kind)?)))?;
        let text = |field| ArcStr::from(found.get(field).and_then(Value::as_str).unwrap_or_default());
        let namespace = Some(text("namespace")).filter(|namespace| !namespace.is_empty());
        let namespace = namespace.unwrap_or_else(|| by.namespace.clone());
        Some(Self { kind, namespace, name: text("name") })
    }

    /// What a token names.
    fn subject(&self) -> Subject<'_> {
        let resource = if self.kind == "pvc" { "persistentvolumeclaims" } else { "volumesnapshots" };
        Subject { resource, namespace: &self.namespace, name: &self.name }
    }

    fn key(self) -> Key {
        let kind = if self.kind == "pvc" { Kind::PersistentVolumeClaim } else { Kind::VolumeSnapshot };
        (kind, self.namespace, self.name)
    }
}

/// The name of the DataSource that a DataVolume refers to, with its namespace.
fn data_source_name(dv: &DataVolume) -> Option<(ArcStr, ArcStr)> {
    let reference = dv.spec.source_ref.as_ref()?;
    let text = |field| reference.get(field).and_then(Value::as_str).unwrap_or_default();
    let namespace = match text("namespace") {
        "" => dv.metadata.namespace.clone(),
        namespace => namespace.into(),
    };
    Some((namespace, text("name").into()))
}

/// The source of a DataVolume, that of its DataSource if it refers to one. A DataSource that refers to another one has
/// in its status what that stands for.
pub(super) fn resolve(view: View<'_>, dv: &DataVolume) -> Result<Option<Value>, CdiError> {
    let (Some(reference), Some((namespace, name))) = (&dv.spec.source_ref, data_source_name(dv)) else {
        return Ok(dv.spec.source.clone());
    };
    let kind = reference.get("kind").and_then(Value::as_str).unwrap_or_default();
    if kind != "DataSource" {
        return Err(CdiError::Resource(arcstr::format!(
            "Unsupported sourceRef kind {kind}, currently only DataSource is supported"
        )));
    }
    let Some((_, found)) = view.named::<DataSource>(&namespace, &name) else {
        return Err(ApiError::NotFound { kind: Kind::DataSource, name }.into());
    };
    let has = |source: &Value, kind| source.get(kind).is_some_and(|found| !found.is_null());
    let refers = has(&found.spec.source, "dataSource");
    let source = if refers { found.rest.get("status").map(|status| &status["source"]) } else { None };
    let source = source.unwrap_or(&found.spec.source);
    if !has(source, "pvc") && !has(source, "snapshot") {
        return Err(CdiError::Resource(arcstr::format!(
            "Empty source field in '{name}'. DataSource may not be ready yet"
        )));
    }
    Ok(Some(source.clone()))
}

/// The annotation that the webhook adds to a new DataVolume that is a copy, and the token in it.
///
/// A DataSource that is not there has nothing to be copied, and there is no token later on either.
pub(crate) fn token(view: View<'_>, dv: &DataVolume) -> Option<(ArcStr, ArcStr)> {
    let source = CloneSource::named_by(&resolve(view, dv).ok()??, &dv.metadata)?;
    Some((ann::CLONE_TOKEN, Token::new(&source.subject(), &dv.metadata).text()))
}

/// `populateSourceIfSourceRef`: for the time of a reconcile the DataVolume names its source itself.
pub(super) fn populate(view: View<'_>, dv: &mut DataVolume) -> Result<(), CdiError> {
    if dv.spec.source_ref.is_some() {
        let source = resolve(view, dv)?;
        dv.spec = Arc::new(DataVolumeSpec { source, ..DataVolumeSpec::clone(&dv.spec) });
    }
    Ok(())
}

/// Kind, namespace and name of something that others wait for.
type Key = (Kind, ArcStr, ArcStr);

/// Who waits for what: DataVolumes for claims, snapshots and DataSources, and DataSources for claims and snapshots.
///
/// Upstream a DataSource whose claim appears is written by its own controller, which wakes its DataVolumes.
#[derive(Debug, Default)]
pub(super) struct Waiting(IndexMap<Key, Vec<ObjectId>, FxBuildHasher>);

impl Waiting {
    pub(super) fn add_data_volume(&mut self, id: ObjectId, dv: &DataVolume) {
        for key in Self::keys(dv) {
            self.add(key, id);
        }
    }

    pub(super) fn remove_data_volume(&mut self, id: ObjectId, dv: &DataVolume) {
        for key in Self::keys(dv) {
            self.remove(&key, id);
        }
    }

    /// A DataSource is new, stands for something else or is gone.
    pub(super) fn update_data_source(
        &mut self,
        id: ObjectId,
        old: Option<&DataSource>,
        new: Option<&DataSource>,
    ) {
        let key = |source: &DataSource| {
            CloneSource::named_by(&source.spec.source, &source.metadata).map(CloneSource::key)
        };
        if let Some(key) = old.and_then(key) {
            self.remove(&key, id);
        }
        if let Some(key) = new.and_then(key) {
            self.add(key, id);
        }
    }

    /// Calls with every DataVolume that waits for this object, be it through a DataSource.
    pub(super) fn each(&self, view: View<'_>, key: &Key, wake: &mut impl FnMut(ObjectId)) {
        for id in self.0.get(key).into_iter().flatten() {
            if id.kind != Kind::DataSource {
                wake(*id);
            } else if let Some(source) = view.get::<DataSource>(*id) {
                let meta = &source.metadata;
                self.each(view, &(Kind::DataSource, meta.namespace.clone(), meta.name.clone()), wake);
            }
        }
    }

    fn keys(dv: &DataVolume) -> impl Iterator<Item = Key> {
        let reference = data_source_name(dv).map(|(namespace, name)| (Kind::DataSource, namespace, name));
        let source = CloneSource::of(dv).map(CloneSource::key);
        reference.into_iter().chain(source)
    }

    fn add(&mut self, key: Key, id: ObjectId) {
        let ids = self.0.entry(key).or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }

    fn remove(&mut self, key: &Key, id: ObjectId) {
        let Some(ids) = self.0.get_mut(key) else { return };
        ids.retain(|found| *found != id);
        if ids.is_empty() {
            self.0.swap_remove(key);
        }
    }
}
