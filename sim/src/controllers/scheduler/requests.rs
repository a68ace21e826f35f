//! What a pod asks of a node: `component-helpers/resource/helpers.go` (`PodRequests`) and `fit.go`, Kubernetes 1.36.2.

use super::profile::Profile;
use crate::objects::{Container, PodSpec, ResourceList};
use crate::quantity::Quantity;
use arcstr::ArcStr;
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

/// A scalar resource (extended, huge pages) by its place in [`Scalars`].
pub(super) type ScalarId = u32;

/// Milli-CPU, bytes of memory and bytes of ephemeral storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    /// Thousandths of a CPU.
    pub(super) cpu: i64,
    /// Bytes.
    pub(super) memory: i64,
    /// Bytes.
    pub(super) ephemeral: i64,
}

impl Amounts {
    /// Reads a node's allocatable.
    pub(super) fn of(list: &ResourceList) -> Self {
        let value = |name| list.get(name).map_or(0, Quantity::value);
        let cpu = list.get("cpu").map_or(0, Quantity::milli_value);
        Self { cpu, memory: value("memory"), ephemeral: value("ephemeral-storage") }
    }

    /// Adds, and wraps as Go does.
    pub(super) fn add(&mut self, other: Self) {
        self.cpu = self.cpu.wrapping_add(other.cpu);
        self.memory = self.memory.wrapping_add(other.memory);
        self.ephemeral = self.ephemeral.wrapping_add(other.ephemeral);
    }

    /// Whether something is more than of the other.
    pub(super) const fn exceeds(self, other: Self) -> bool {
        self.cpu > other.cpu || self.memory > other.memory || self.ephemeral > other.ephemeral
    }

    /// Whether something of which this is not nothing is more in the one than in the other.
    pub(super) const fn wants_any(self, more: Self, less: Self) -> bool {
        (self.cpu > 0 && more.cpu > less.cpu)
            || (self.memory > 0 && more.memory > less.memory)
            || (self.ephemeral > 0 && more.ephemeral > less.ephemeral)
    }

    /// Takes away, and wraps as Go does.
    pub(super) fn sub(&mut self, other: Self) {
        self.cpu = self.cpu.wrapping_sub(other.cpu);
        self.memory = self.memory.wrapping_sub(other.memory);
        self.ephemeral = self.ephemeral.wrapping_sub(other.ephemeral);
    }
}

/// The names of scalar resources, numbered as they are met.
#[derive(Debug, Default)]
pub(super) struct Scalars(IndexSet<ArcStr, FxBuildHasher>);

impl Scalars {
    /// The number of a resource, a new one if need be; `None` for resources that the scheduler does not count.
    pub(super) fn id(&mut self, name: &ArcStr) -> Option<ScalarId> {
        if !is_scalar(name) {
            return None;
        }
        let (at, _) = self.0.insert_full(name.clone());
        Some(u32::try_from(at).expect("few resources"))
    }

    /// The name of a resource.
    pub(super) fn name(&self, id: ScalarId) -> &ArcStr {
        &self.0[id as usize]
    }
}

/// `schedutil.IsScalarResourceName`.
fn is_scalar(name: &str) -> bool {
    let extended = name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.");
    extended
        || name.contains("kubernetes.io/")
        || name.starts_with("hugepages-")
        || name.starts_with("attachable-volumes-")
}

/// What a pod asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Requests {
    /// What Filter compares and what is added to the node. A sum that wrapped below zero lacks nothing.
    pub(super) counted: Amounts,
    /// Milli-CPU and bytes, with a default for containers that name none: what scoring counts.
    pub(super) non_zero: [i64; 2],
    /// What LeastAllocated takes the pod itself to ask for: there the requests of the pod as a whole do not count.
    pub(super) least_allocated: [i64; 2],
    /// The scalar resources in name order, as counted.
    pub(super) scalars: Vec<(ScalarId, i64)>,
}

/// 100m CPU and 200Mi for containers that name none.
const DEFAULTS: [(&str, i64); 2] = [("cpu", 100), ("memory", 209_715_200_000)];

impl Requests {
    /// Computes them.
    pub(super) fn of(spec: &PodSpec, profile: Profile, scalars: &mut Scalars) -> Self {
        let plain = pod_requests(spec, profile.pod_level_resources, false);
        let counted = Amounts::of(&plain);
        let known = plain.iter().filter_map(|(name, amount)| Some((scalars.id(name)?, amount.value())));
        let scalars: Vec<(ScalarId, i64)> = known.collect();
        let padded = |pod_level| {
            let amounts = Amounts::of(&pod_requests(spec, pod_level, true));
            [amounts.cpu, amounts.memory]
        };
        let mut non_zero = padded(profile.pod_level_resources);
        let mut least_allocated = non_zero;
        if spec.resources.is_some() && profile.pod_level_resources {
            least_allocated = padded(false);
            // Then only a resource that nothing in the pod names gets a default.
            let named = [plain.get("cpu").map(|_| counted.cpu), plain.get("memory").map(|_| counted.memory)];
            non_zero = [named[0].unwrap_or(non_zero[0]), named[1].unwrap_or(non_zero[1])];
        }
        Self { counted, non_zero, least_allocated, scalars }
    }

    /// How much of a scalar resource is asked for.
    pub(super) fn scalar(&self, id: ScalarId) -> i64 {
        self.scalars.iter().find(|(found, _)| *found == id).map_or(0, |(_, amount)| *amount)
    }
}

/// `PodRequests`: containers and sidecars together, or the largest step of the initialisation.
pub(crate) fn pod_requests(spec: &PodSpec, pod_level: bool, padded: bool) -> ResourceList {
    let mut sum = container_requests(spec, padded);
    if let Some(own) = spec.resources.as_ref().filter(|_| pod_level) {
        for (name, amount) in own.requests.iter().filter(|(name, _)| is_pod_level(name)) {
            sum.insert(name.clone(), amount.clone());
        }
    }
    add(&mut sum, &spec.overhead);
    sum
}

/// `AggregateContainerRequests`; `padded` gives a default to containers that name no CPU or memory.
pub(crate) fn container_requests(spec: &PodSpec, padded: bool) -> ResourceList {
    let mut sum = ResourceList::default();
    for container in &spec.containers {
        add(&mut sum, &requests_of(container, padded));
    }
    let (mut sidecars, mut largest) = (ResourceList::default(), ResourceList::default());
    for container in &spec.init_containers {
        let mut step = requests_of(container, padded);
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut sum, &step);
            add(&mut sidecars, &step);
            step = sidecars.clone();
        } else {
            add(&mut step, &sidecars);
        }
        keep_largest(&mut largest, &step);
    }
    keep_largest(&mut sum, &largest);
    sum
}

/// Resources that may be asked for by the pod as a whole.
pub(crate) fn is_pod_level(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || name.starts_with("hugepages-")
}

fn requests_of(container: &Container, padded: bool) -> ResourceList {
    let mut requests = container.resources.requests.clone();
    if padded {
        for (name, milli) in DEFAULTS {
            if requests.get(name).is_none() {
                requests.insert(ArcStr::from(name), Quantity::from_milli(milli));
            }
        }
    }
    requests
}

fn add(sum: &mut ResourceList, more: &ResourceList) {
    for (name, amount) in more.iter() {
        let mut total = sum.get(name).cloned().unwrap_or_default();
        total += amount;
        sum.insert(name.clone(), total);
    }
}

fn keep_largest(largest: &mut ResourceList, other: &ResourceList) {
    for (name, amount) in other.iter() {
        if largest.get(name).is_none_or(|found| found < amount) {
            largest.insert(name.clone(), amount.clone());
        }
    }
}
