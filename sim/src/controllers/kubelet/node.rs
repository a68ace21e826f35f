//! What the kubelet of one node keeps beside its pods.

use super::clock::Clock;
use super::image_manager::{ImageManager, Inspection};
use super::image_puller::ImagePuller;
use crate::context::Context;
use crate::objects::Node;
use crate::work_queue::Work;
use arcstr::ArcStr;
use std::collections::BTreeSet;

/// What the kubelet of one node keeps beside its pods.
#[derive(Debug)]
pub(super) struct NodeState {
    pub(super) name: ArcStr,
    pub(super) clock: Clock,
    pub(super) images: ImageManager,
    pub(super) puller: ImagePuller,
    /// Images that were pulled.
    pub(super) stored: BTreeSet<ArcStr>,
    /// What has come up while the machine was lost, in order.
    pub(super) held: Vec<Work>,
}

impl NodeState {
    /// The kubelet of a node.
    pub(super) fn new(name: ArcStr, cx: &Context<'_>) -> Self {
        let start = cx.environment.machines.kubelet_start(&name, cx.config.start, cx.config.seed);
        let limits = cx.environment.machines.pull_limits().unwrap_or_default();
        Self {
            clock: Clock::new(start),
            images: ImageManager::default(),
            puller: ImagePuller::new(limits),
            stored: BTreeSet::new(),
            held: Vec::new(),
            name,
        }
    }

    /// Whether an image is on the node: pulled, brought along, or listed in the node's status.
    pub(super) fn inspect(&self, reference: &str, cx: &Context<'_>) -> Inspection {
        let listed = || {
            let node = cx.view().named::<Node>("", &self.name);
            node.is_some_and(|(_, node)| {
                node.status.images.iter().flat_map(|image| &image.names).any(|name| name == reference)
            })
        };
        if self.stored.contains(reference) || cx.environment.machines.has_image(reference, cx.now) || listed()
        {
            Inspection::Present
        } else {
            Inspection::Absent
        }
    }
}
