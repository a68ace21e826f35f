//! What one controller knows: its informers' caches.

use super::Store;
use crate::kind::{Kind, ObjectId, Resource};
use arcstr::ArcStr;
use std::sync::Arc;

/// Up to which revision a controller's informers have been told of changes.
///
/// One number for all kinds, but for the kinds whose watch a fault holds back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Horizon {
    delivered: u64,
    held: Vec<(Kind, u64)>,
}

impl Horizon {
    /// Of informers that have listed everything up to this revision.
    pub(crate) fn listed(revision: u64) -> Self {
        Self { delivered: revision, held: Vec::new() }
    }

    /// The newest revision of this kind that was delivered.
    pub(crate) fn of(&self, kind: Kind) -> u64 {
        self.held.iter().find(|(held, _)| *held == kind).map_or(self.delivered, |(_, revision)| *revision)
    }

    /// The newest revision that was delivered for kinds that are not held.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// The oldest revision that some kind is at.
    pub(crate) fn oldest(&self) -> u64 {
        self.held.iter().map(|(_, revision)| *revision).min().unwrap_or(self.delivered).min(self.delivered)
    }

    /// Tells the informers of everything up to `revision`.
    pub(crate) fn advance(&mut self, revision: u64) {
        assert!(revision >= self.delivered, "a view never goes back");
        self.delivered = revision;
    }

    /// Stops deliveries of a kind.
    pub(crate) fn hold(&mut self, kind: Kind) {
        if !self.is_held(kind) {
            self.held.push((kind, self.delivered));
        }
    }

    /// Resumes deliveries of a kind and returns where it had stopped.
    pub(crate) fn release(&mut self, kind: Kind) -> Option<u64> {
        let at = self.held.iter().position(|(held, _)| *held == kind)?;
        Some(self.held.swap_remove(at).1)
    }

    /// Whether deliveries of a kind are stopped.
    pub(crate) fn is_held(&self, kind: Kind) -> bool {
        self.held.iter().any(|(held, _)| *held == kind)
    }
}

/// The store as one controller sees it: it lags behind, and learns of the controller's own writes only after the
/// reconcile that made them.
#[derive(Clone, Copy)]
pub struct View<'a> {
    store: &'a Store,
    /// `None` sees everything.
    horizon: Option<&'a Horizon>,
}

impl<'a> View<'a> {
    pub(crate) fn new(store: &'a Store, horizon: &'a Horizon) -> Self {
        Self { store, horizon: Some(horizon) }
    }

    /// The store as it stands, as the API server itself sees it.
    pub(crate) fn newest(store: &'a Store) -> Self {
        Self { store, horizon: None }
    }

    /// An object.
    pub fn get<T: Resource>(self, id: ObjectId) -> Option<&'a Arc<T>> {
        assert_eq!(id.kind, T::KIND, "an id of this kind");
        T::table(&self.store.tables).at(id.index, self.horizon(T::KIND))
    }

    /// An object by its name; the namespace is empty for kinds without one.
    pub fn named<T: Resource>(self, namespace: &str, name: &str) -> Option<(ObjectId, &'a Arc<T>)> {
        let (index, object) = T::table(&self.store.tables).named(namespace, name, self.horizon(T::KIND))?;
        Some((ObjectId { kind: T::KIND, index }, object))
    }

    /// All objects of a kind in order of creation. It walks every object that ever was: not for hot paths.
    pub fn iter<T: Resource>(self) -> impl Iterator<Item = (ObjectId, &'a Arc<T>)> {
        let objects = T::table(&self.store.tables).iter(self.horizon(T::KIND));
        objects.map(|(index, object)| (ObjectId { kind: T::KIND, index }, object))
    }

    /// Objects of a kind that this uid owns, in order of creation.
    pub fn owned<T: Resource>(self, owner_uid: &'a str) -> impl Iterator<Item = (ObjectId, &'a Arc<T>)> {
        let owns = move |object: &Arc<T>| {
            object.metadata().owner_references.iter().any(|owner| owner.uid == owner_uid)
        };
        self.visible(self.store.indexes.dependents(owner_uid)).filter(move |(_, object)| owns(object))
    }

    /// Every object of any kind that this uid owns.
    pub fn dependents(self, owner_uid: &str) -> &'a [ObjectId] {
        self.store.indexes.dependents(owner_uid)
    }

    /// Pods that are bound to a node.
    pub fn pods_on(self, node: &'a str) -> impl Iterator<Item = (ObjectId, &'a Arc<crate::objects::Pod>)> {
        self.visible::<crate::objects::Pod>(self.store.indexes.pods_on(node))
            .filter(move |(_, pod)| pod.node_name == node)
    }

    /// Objects of a kind (Pod, VirtualMachineInstance, VirtualMachine) that use a claim, or name its DataVolume; or
    /// PersistentVolumes that refer to it, or did.
    pub fn users_of_claim<T: Resource>(
        self,
        namespace: &str,
        claim: &str,
    ) -> impl Iterator<Item = (ObjectId, &'a Arc<T>)> {
        let key = (ArcStr::from(namespace), ArcStr::from(claim));
        self.visible(self.store.indexes.users_of_claim(&key))
    }

    /// The newest revision of this kind that was delivered: two views of the same one show the same objects of it.
    pub(crate) fn delivered<T: Resource>(self) -> u64 {
        self.horizon(T::KIND)
    }

    fn visible<T: Resource>(self, ids: &'a [ObjectId]) -> impl Iterator<Item = (ObjectId, &'a Arc<T>)> {
        let of_kind = ids.iter().filter(|id| id.kind == T::KIND);
        of_kind.filter_map(move |id| Some((*id, self.get::<T>(*id)?)))
    }

    fn horizon(self, kind: Kind) -> u64 {
        self.horizon.map_or(u64::MAX, |horizon| horizon.of(kind))
    }
}
