//! Which image lies on which nodes: `imageStates` of `pkg/scheduler/backend/cache/cache.go`, Kubernetes 1.36.2.

use super::snapshot::Slot;
use crate::objects::ContainerImage;
use arcstr::ArcStr;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// Images by name.
#[derive(Debug, Default)]
pub(super) struct Images(IndexMap<ArcStr, ImageState, FxBuildHasher>);

/// An image that some node has.
#[derive(Debug)]
pub(super) struct ImageState {
    /// Bytes, as the node said that had it first.
    pub(super) size: i64,
    /// The nodes that have it.
    pub(super) nodes: Vec<Slot>,
}

impl Images {
    /// An image by its full name.
    pub(super) fn get(&self, name: &str) -> Option<&ImageState> {
        self.0.get(name)
    }

    /// Notes the images of a node.
    pub(super) fn add_node(&mut self, slot: Slot, images: &[ContainerImage]) {
        for image in images {
            for name in &image.names {
                let new = || ImageState { size: image.size_bytes, nodes: Vec::new() };
                let state = self.0.entry(name.clone()).or_insert_with(new);
                if let Err(at) = state.nodes.binary_search(&slot) {
                    state.nodes.insert(at, slot);
                }
            }
        }
    }

    /// Forgets the images of a node.
    pub(super) fn remove_node(&mut self, slot: Slot) {
        self.0.retain(|_, state| {
            state.nodes.retain(|found| *found != slot);
            !state.nodes.is_empty()
        });
    }
}
