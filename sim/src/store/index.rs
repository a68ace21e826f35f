//! Who belongs to whom: looked up by a key, never walked.

use crate::kind::{Object, ObjectId};
use arcstr::ArcStr;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// Objects by owner, by node and by the claims that they use.
///
/// An entry may be older than the newest version and newer than a view, so who looks up filters by the version that it
/// sees. An entry goes when every view has seen its object gone.
#[derive(Debug, Default)]
pub(super) struct Indexes {
    by_owner: Index<ArcStr>,
    by_node: Index<ArcStr>,
    by_claim: Index<(ArcStr, ArcStr)>,
}

impl Indexes {
    /// Objects that name this uid among their owners.
    pub(super) fn dependents(&self, owner_uid: &str) -> &[ObjectId] {
        self.by_owner.get(owner_uid)
    }

    /// Pods that are bound to this node.
    pub(super) fn pods_on(&self, node: &str) -> &[ObjectId] {
        self.by_node.get(node)
    }

    /// Pods, instances and virtual machines that use this claim or DataVolume, and volumes that are kept for it.
    pub(super) fn users_of_claim(&self, claim: &(ArcStr, ArcStr)) -> &[ObjectId] {
        self.by_claim.get(claim)
    }

    /// Adds what the new version says and the old one did not.
    pub(super) fn add(&mut self, id: ObjectId, old: Option<&Object>, new: &Object) {
        let known = old.map(keys).unwrap_or_default();
        for key in keys(new) {
            if known.contains(&key) {
                continue;
            }
            match key {
                Key::Owner(uid) => self.by_owner.add(uid, id),
                Key::Node(node) => self.by_node.add(node, id),
                Key::Claim(namespace, name) => self.by_claim.add((namespace, name), id),
            }
        }
    }

    /// Removes an object that nobody sees any more.
    pub(super) fn remove(&mut self, id: ObjectId, last: &Object) {
        for key in keys(last) {
            match key {
                Key::Owner(uid) => self.by_owner.remove(&uid, id),
                Key::Node(node) => self.by_node.remove(&node, id),
                Key::Claim(namespace, name) => self.by_claim.remove(&(namespace, name), id),
            }
        }
    }
}

#[derive(PartialEq)]
enum Key {
    Owner(ArcStr),
    Node(ArcStr),
    Claim(ArcStr, ArcStr),
}

fn keys(object: &Object) -> Vec<Key> {
    let meta = object.metadata();
    let mut keys: Vec<Key> =
        meta.owner_references.iter().map(|owner| Key::Owner(owner.uid.clone())).collect();
    let claim = |name: &ArcStr| Key::Claim(meta.namespace.clone(), name.clone());
    match object {
        Object::Pod(pod) => {
            keys.extend(pod.node().map(|node| Key::Node(node.clone())));
            let claims = pod.spec.volumes.iter().filter_map(|volume| volume.claim_name(&meta.name));
            keys.extend(claims.map(|name| claim(&name)));
        }
        Object::PersistentVolume(volume) => {
            let kept = volume.spec.claim_ref.as_ref();
            keys.extend(kept.map(|kept| Key::Claim(kept.namespace.clone(), kept.name.clone())));
        }
        Object::VirtualMachineInstance(vmi) => {
            keys.extend(vmi.spec.volumes.iter().filter_map(|volume| volume.claim_name()).map(claim));
        }
        Object::VirtualMachine(vm) => {
            let volumes = vm.spec.template.iter().flat_map(|template| &template.spec.volumes);
            keys.extend(volumes.filter_map(|volume| volume.claim_name()).map(claim));
            keys.extend(vm.spec.data_volume_templates.iter().map(|template| claim(&template.metadata.name)));
        }
        _ => {}
    }
    keys
}

/// Objects by one key, in the order in which they were added.
#[derive(Debug)]
struct Index<K>(IndexMap<K, Vec<ObjectId>, FxBuildHasher>);

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self(IndexMap::default())
    }
}

impl<K: std::hash::Hash + Eq> Index<K> {
    fn get<Q: ?Sized + std::hash::Hash + indexmap::Equivalent<K>>(&self, key: &Q) -> &[ObjectId] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, key: K, id: ObjectId) {
        let ids = self.0.entry(key).or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }

    fn remove(&mut self, key: &K, id: ObjectId) {
        let Some(ids) = self.0.get_mut(key) else { return };
        ids.retain(|found| *found != id);
        if ids.is_empty() {
            self.0.swap_remove(key);
        }
    }
}
