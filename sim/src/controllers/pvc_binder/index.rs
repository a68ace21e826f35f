//! Volumes by what they are looked up by, so that no claim walks them all.

use crate::kind::ObjectId;
use crate::objects::PersistentVolume;
use arcstr::ArcStr;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeMap;

/// Volumes by the claim that they name, and free ones by class.
#[derive(Debug, Default)]
pub(super) struct VolumeIndex {
    naming: IndexMap<ClaimName, Vec<ObjectId>, FxBuildHasher>,
    free: BTreeMap<ArcStr, BTreeMap<ArcStr, ObjectId>>,
    places: IndexMap<ObjectId, Place, FxBuildHasher>,
}

type ClaimName = (ArcStr, ArcStr);

/// Where a volume is filed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Under the claim that its claimRef names.
    Claimed(ClaimName),
    /// Under its class and name: Available.
    Free(ArcStr, ArcStr),
}

impl VolumeIndex {
    /// Volumes whose claimRef has this name, whatever its uid.
    pub(super) fn naming(&self, namespace: &ArcStr, claim: &ArcStr) -> &[ObjectId] {
        let key = (namespace.clone(), claim.clone());
        self.naming.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Available volumes of a class that name no claim, in name order.
    pub(super) fn free(&self, class: &str) -> impl Iterator<Item = ObjectId> {
        self.free.get(class).into_iter().flat_map(|volumes| volumes.values().copied())
    }

    /// Files a new version of a volume; without one, takes it out.
    pub(super) fn note(&mut self, id: ObjectId, volume: Option<&PersistentVolume>) {
        let place = volume.and_then(place_of);
        if self.places.get(&id) == place.as_ref() {
            return;
        }
        if let Some(old) = self.places.swap_remove(&id) {
            self.take_out(id, &old);
        }
        if let Some(new) = place {
            self.file(id, new.clone());
            self.places.insert(id, new);
        }
    }

    fn file(&mut self, id: ObjectId, place: Place) {
        match place {
            Place::Claimed(claim) => self.naming.entry(claim).or_default().push(id),
            Place::Free(class, name) => {
                self.free.entry(class).or_default().insert(name, id);
            }
        }
    }

    fn take_out(&mut self, id: ObjectId, place: &Place) {
        match place {
            Place::Claimed(claim) => {
                let ids = self.naming.get_mut(claim).expect("a filed volume is there");
                ids.retain(|found| *found != id);
                if ids.is_empty() {
                    self.naming.swap_remove(claim);
                }
            }
            Place::Free(class, name) => {
                let volumes = self.free.get_mut(class).expect("a filed volume is there");
                volumes.remove(name);
                if volumes.is_empty() {
                    self.free.remove(class);
                }
            }
        }
    }
}

fn place_of(volume: &PersistentVolume) -> Option<Place> {
    if let Some(claim) = &volume.spec.claim_ref {
        return Some(Place::Claimed((claim.namespace.clone(), claim.name.clone())));
    }
    let free = volume.status.phase == "Available";
    free.then(|| Place::Free(super::class::volume_class(volume).clone(), volume.metadata.name.clone()))
}
