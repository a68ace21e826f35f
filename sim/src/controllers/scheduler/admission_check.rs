//! What a kubelet asks of the scheduler's rules when a pod arrives: `AdmissionCheck` of `pkg/scheduler/scheduler.go` and
//! `Fits` of `plugins/noderesources/fit.go`, Kubernetes 1.36.2.

use super::node_info::{NodeInfo, Share};
use super::plugins::node_resources_fit::lacks;
use super::plugins::{node_affinity, node_ports};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::requests::{Requests, Scalars};
use super::snapshot::PodId;
use super::status::{Plugin, Reason};
use crate::objects::{Node, Pod, ResourceList};
use crate::release::KubernetesRelease;
use crate::validation::is_extended;
use arcstr::{ArcStr, literal};
use std::sync::Arc;

/// What the pods on one node use, as its kubelet counts them.
#[derive(Debug)]
pub(crate) struct NodeUse {
    info: NodeInfo,
    scalars: Scalars,
    profile: Profile,
}

/// The first reason why a node does not take a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Too little is left of a resource: milli-CPU, bytes, pods or pieces.
    Resource { name: ArcStr, requested: i64, used: i64, capacity: i64 },
    /// A plugin rejects it.
    Plugin { name: &'static str, reason: &'static str },
}

impl NodeUse {
    /// No pods yet.
    pub(crate) fn new(release: KubernetesRelease) -> Self {
        Self { info: NodeInfo::default(), scalars: Scalars::default(), profile: Profile::of(release) }
    }

    /// Counts a pod.
    pub(crate) fn add(&mut self, id: PodId, pod: &Arc<Pod>) {
        let info = self.pod_info(pod);
        self.info.add(id, &info);
    }

    /// Counts a pod no more.
    pub(crate) fn remove(&mut self, id: PodId, pod: &Arc<Pod>) {
        let info = self.pod_info(pod);
        self.info.remove(id, &info);
    }

    /// Whether the node has room for one more pod, and is where the pod may be.
    ///
    /// Upstream lists every reason and tells the first. Of several scalar resources that lack it tells a random one, here
    /// it is the first by name. That the pod names this very node need not be asked.
    pub(crate) fn check(&mut self, pod: &Arc<Pod>, node: &Node) -> Result<(), Unfit> {
        let offer = &node.status.allocatable;
        self.info.offer(offer, &mut self.scalars);
        let info = self.pod_info(pod);
        if let Some(lack) = self.first_lack(&info.needs.requests, offer) {
            return Err(lack);
        }
        if !node_affinity::matches_required(&pod.spec, node) {
            return Err(rejected(Plugin::NodeAffinity, Reason::NodeAffinity));
        }
        node_ports::filter(&info, &self.info).map_err(|_| rejected(Plugin::NodePorts, Reason::Ports))
    }

    fn first_lack(&self, requests: &Requests, offer: &ResourceList) -> Option<Unfit> {
        let (node, fit) = (&self.info, requests.counted);
        let pods = i64::try_from(node.pods.len()).expect("few pods on a node");
        if pods + 1 > node.allowed_pods {
            let (name, capacity) = (literal!("pods"), node.allowed_pods);
            return Some(Unfit::Resource { name, requested: 1, used: pods, capacity });
        }
        let share = |allocatable, requested| Share { allocatable, requested };
        let (all, used) = (node.allocatable, node.requested);
        let amounts = [
            (literal!("cpu"), fit.cpu, share(all.cpu, used.cpu)),
            (literal!("memory"), fit.memory, share(all.memory, used.memory)),
            (literal!("ephemeral-storage"), fit.ephemeral, share(all.ephemeral, used.ephemeral)),
        ];
        let scalars = requests.scalars.iter();
        let scalars = scalars.map(|(id, wanted)| (self.scalars.name(*id).clone(), *wanted, node.scalar(*id)));
        // What nodes know nothing of is counted by somebody else (`removeMissingExtendedResources`).
        let known = scalars.filter(|(name, ..)| !is_extended(name) || offer.get(name).is_some());
        let mut lacking =
            amounts.into_iter().chain(known).filter(|(_, wanted, share)| lacks(*share, *wanted));
        lacking.next().map(|(name, requested, Share { allocatable: capacity, requested: used })| {
            Unfit::Resource { name, requested, used, capacity }
        })
    }

    fn pod_info(&mut self, pod: &Arc<Pod>) -> PodInfo {
        PodInfo::new(Arc::clone(pod), self.profile, &mut self.scalars)
    }
}

const fn rejected(plugin: Plugin, reason: Reason) -> Unfit {
    Unfit::Plugin { name: plugin.as_str(), reason: Reason::TEXTS[reason as usize] }
}
