//! What the kubelet of one node keeps beside its pods.

use super::clock::Clock;
use super::image_manager::{ImageManager, Inspection};
use super::image_puller::ImagePuller;
use crate::context::Context;
use crate::controllers::scheduler::NodeUse;
use crate::objects::Node;
use crate::work_queue::Work;
use arcstr::ArcStr;
use std::collections::{BTreeMap, BTreeSet};
use stuckvm_detector::Time;

/// What the kubelet of one node keeps beside its pods.
#[derive(Debug)]
pub(super) struct NodeState {
    pub(super) name: ArcStr,
    pub(super) clock: Clock,
    pub(super) images: ImageManager,
    pub(super) puller: ImagePuller,
    /// Images that were pulled, with their sizes in bytes.
    pub(super) stored: BTreeMap<ArcStr, u64>,
    /// The pods in the work queue, by the tick that takes them out: when they were put in, and which.
    pub(super) requeued: BTreeMap<Time, BTreeSet<(Time, Work)>>,
    /// What the pods that it has taken use.
    pub(super) used: NodeUse,
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
            images: ImageManager::new(cx.environment.machines.verification().clone()),
            puller: ImagePuller::new(limits),
            stored: BTreeMap::new(),
            requeued: BTreeMap::new(),
            used: NodeUse::new(cx.config.kubernetes),
            held: Vec::new(),
            name,
        }
    }

    /// Whether an image is on the node: pulled, brought along, or listed in the node's status.
    pub(super) fn inspect(&self, reference: &str, cx: &Context<'_>) -> Inspection {
        let listed = || {
            let (_, node) = cx.view().named::<Node>("", &self.name)?;
            let image =
                node.status.images.iter().find(|image| image.names.iter().any(|name| name == reference))?;
            Some(u64::try_from(image.size_bytes).unwrap_or(0))
        };
        let brought_along = || cx.environment.machines.has_image(reference, cx.now).then_some(0);
        let size = self.stored.get(reference).copied().or_else(brought_along).or_else(listed);
        size.map_or(Inspection::Absent, |size_bytes| Inspection::Present { size_bytes })
    }
}
