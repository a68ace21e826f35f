//! ImageLocality: nodes that have the images score higher. Kubernetes 1.36.2: `plugins/imagelocality`.

use crate::controllers::scheduler::images::ImageState;
use crate::controllers::scheduler::snapshot::{Slot, Snapshot};
use crate::objects::PodSpec;
use arcstr::ArcStr;

const MEBI: i64 = 1 << 20;

/// The pod's images that some node has.
#[derive(Debug)]
pub(in crate::controllers::scheduler) struct State<'a> {
    /// Each with its size, scaled by the share of nodes that have it.
    images: Vec<(&'a ImageState, i64)>,
    /// How many images the pod has.
    count: i64,
}

impl<'a> State<'a> {
    /// Looks the images up.
    pub(in crate::controllers::scheduler) fn of(snapshot: &'a Snapshot, spec: &PodSpec) -> Self {
        let nodes = snapshot.order().len();
        let containers =
            spec.init_containers.iter().chain(&spec.containers).map(|container| &container.image);
        let volumes: Vec<ArcStr> = image_volumes(spec).collect();
        let count = spec.init_containers.len() + spec.containers.len() + volumes.len();
        let known = containers.chain(&volumes).filter_map(|image| snapshot.images.get(&full_name(image)));
        let images = known.map(|state| (state, scaled(state, nodes))).collect();
        Self { images, count: i64::try_from(count).expect("few images") }
    }

    /// The score of a node.
    pub(in crate::controllers::scheduler) fn score(&self, slot: Slot) -> i64 {
        let here = self.images.iter().filter(|(state, _)| state.nodes.binary_search(&slot).is_ok());
        let sum: i64 = here.map(|(_, size)| size).sum();
        let (low, high) = (23 * MEBI, 1000 * MEBI * self.count);
        100 * (sum.clamp(low, high.max(low)) - low) / (high - low)
    }

    /// Whether no node has any of the images, so that all score 0.
    pub(in crate::controllers::scheduler) fn is_empty(&self) -> bool {
        self.images.is_empty()
    }
}

/// Float64 as upstream.
fn scaled(state: &ImageState, nodes: usize) -> i64 {
    let spread = state.nodes.len() as f64 / nodes as f64;
    (state.size as f64 * spread) as i64
}

fn image_volumes(spec: &PodSpec) -> impl Iterator<Item = ArcStr> {
    let image = |volume: &crate::objects::PodVolume| {
        let reference = volume.rest.get("image")?.get("reference")?.as_str()?;
        Some(ArcStr::from(reference))
    };
    spec.volumes.iter().filter_map(image)
}

/// `normalizedImageName`: without a tag it is the latest.
fn full_name(image: &ArcStr) -> ArcStr {
    if image.rfind(':') > image.rfind('/') { image.clone() } else { arcstr::format!("{image}:latest") }
}
