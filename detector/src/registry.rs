//! Names to ids: which machine of a name is live (R9).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::VmId;
use crate::error::RestoreError;

/// A machine's identity, borrowed. The uid tells a deleted and re-created
/// machine of the same name apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VmRef<'a> {
    /// `metadata.namespace`
    pub namespace: &'a str,
    /// `metadata.name`
    pub name: &'a str,
    /// `metadata.uid`
    pub uid: &'a str,
}

impl<'a> VmRef<'a> {
    /// The machine with this identity.
    pub const fn new(namespace: &'a str, name: &'a str, uid: &'a str) -> VmRef<'a> {
        VmRef { namespace, name, uid }
    }
}

/// A machine's identity, owned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VmName {
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// `metadata.uid`
    pub uid: String,
}

impl VmName {
    /// The same identity, borrowed.
    pub fn as_vm_ref(&self) -> VmRef<'_> {
        VmRef::new(&self.namespace, &self.name, &self.uid)
    }
}

impl From<VmRef<'_>> for VmName {
    fn from(vm: VmRef<'_>) -> VmName {
        VmName { namespace: vm.namespace.into(), name: vm.name.into(), uid: vm.uid.into() }
    }
}

/// The live machines, at most one of each namespace and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    /// Hash of namespace and name, id: short keys keep the look-up fast where
    /// there are many machines. It is ordered, so nothing depends on chance,
    /// and names whose hashes are equal stand side by side.
    index: BTreeSet<(u64, VmId)>,
    /// By id; `None` where the id is free.
    names: Vec<Option<Arc<VmName>>>,
    /// Ids that may be given out again; the last one first.
    free: Vec<VmId>,
}

impl Registry {
    /// The live machine of this namespace and name, whatever its uid.
    pub(crate) fn live(&self, vm: VmRef<'_>) -> Option<VmId> {
        let hash = hash(vm);
        let candidates = self.index.range((hash, VmId::new(0))..=(hash, VmId::new(u32::MAX)));
        candidates.map(|(_, id)| *id).find(|id| {
            let name = self.name(*id);
            name.name == vm.name && name.namespace == vm.namespace
        })
    }

    /// The name of a live machine.
    pub(crate) fn name(&self, id: VmId) -> &Arc<VmName> {
        match self.names.get(id.index()) {
            Some(Some(name)) => name,
            _ => panic!("{id} is not live"),
        }
    }

    /// Gives an id to a machine of whose name none is live.
    pub(crate) fn insert(&mut self, vm: VmRef<'_>) -> VmId {
        debug_assert_eq!(self.live(vm), None, "the old machine of a name goes before the new one comes");
        let id = self.free.pop().unwrap_or_else(|| {
            self.names.push(None);
            let number = u32::try_from(self.names.len() - 1);
            VmId::new(number.expect("fewer than 2^32 machines are live at once"))
        });
        self.names[id.index()] = Some(Arc::new(vm.into()));
        self.index.insert((hash(vm), id));
        id
    }

    /// Takes a machine off the list; its id may be given out again.
    pub(crate) fn remove(&mut self, id: VmId) {
        let Some(name) = self.names[id.index()].take() else { panic!("{id} is not live") };
        self.index.remove(&(hash(name.as_vm_ref()), id));
        self.free.push(id);
    }

    /// The live machines that `wanted` picks, in the order of namespace and name.
    pub(crate) fn in_order(&self, wanted: impl Fn(VmId) -> bool) -> Vec<VmId> {
        let mut ids: Vec<VmId> = self.index.iter().map(|(_, id)| *id).filter(|id| wanted(*id)).collect();
        ids.sort_unstable_by(|a, b| self.name(*a).cmp(self.name(*b)));
        ids
    }

    /// Above every id that was given out.
    pub(crate) fn ids_end(&self) -> usize {
        self.names.len()
    }

    /// Whether the id belongs to a live machine.
    pub(crate) fn is_live(&self, id: VmId) -> bool {
        self.names.get(id.index()).is_some_and(Option::is_some)
    }

    /// A registry of these machines, with ids below `ids_end`; the rest of the
    /// ids are free.
    pub(crate) fn from_names(names: &[(VmId, VmName)], ids_end: usize) -> Result<Registry, RestoreError> {
        let mut registry = Registry { names: vec![None; ids_end], ..Registry::default() };
        for (id, name) in names {
            if registry.live(name.as_vm_ref()).is_some() {
                return Err(RestoreError::SameName { name: name.clone() });
            }
            let Some(place) = registry.names.get_mut(id.index()) else {
                return Err(RestoreError::NoSuchVm { vm: *id });
            };
            if place.replace(Arc::new(name.clone())).is_some() {
                return Err(RestoreError::Twice { vm: *id });
            }
            registry.index.insert((hash(name.as_vm_ref()), *id));
        }
        let ids = (0..ids_end as u32).rev().map(VmId::new);
        registry.free = ids.filter(|id| !registry.is_live(*id)).collect();
        Ok(registry)
    }
}

/// FNV-1a of name and namespace; the same on every machine.
fn hash(vm: VmRef<'_>) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = vm.name.bytes().chain([b'/']).chain(vm.namespace.bytes());
    bytes.fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a of `foo/bar`, by another program that gives the published value of `foobar`.
    #[test]
    fn the_hash_is_fnv_1a_of_name_and_namespace() {
        assert_eq!(hash(VmRef::new("bar", "foo", "u1")), 0x571d_17d6_ef2d_ef0d);
    }

    #[test]
    fn names_whose_hashes_are_equal_are_two_machines() {
        let twins = ["8yn0iYCKYHlIj4-BwPqk", "GReLUrM4wMqfg9yzV3KQ"].map(|name| VmRef::new("ns", name, "u1"));
        assert_eq!(hash(twins[0]), hash(twins[1]), "a known collision of FNV-1a");
        let mut registry = Registry::default();
        let first = registry.insert(twins[0]);
        assert_eq!(registry.live(twins[1]), None);
        let second = registry.insert(twins[1]);
        assert_eq!(twins.map(|vm| registry.live(vm)), [Some(first), Some(second)]);
        registry.remove(first);
        assert_eq!(twins.map(|vm| registry.live(vm)), [None, Some(second)]);
    }

    #[test]
    fn a_fleet_that_comes_and_goes_needs_no_more_ids_than_live_at_once() {
        let mut registry = Registry::default();
        let steady = registry.insert(VmRef::new("ns", "steady", "u1"));
        for number in 0..1_000 {
            let id = registry.insert(VmRef::new("ns", &format!("vm{number}"), "u1"));
            registry.remove(id);
        }
        assert_eq!(registry.ids_end(), 2);
        assert_eq!(registry.in_order(|_| true), [steady]);
    }
}
