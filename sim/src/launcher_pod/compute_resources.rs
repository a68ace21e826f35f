//! Requests and limits of the compute container, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/services/renderresources.go`. No quota asks for limits, nothing is overcommitted but CPUs.

use super::plugin_devices;
use crate::objects::{ContainerResources, Domain, ResourceList, VirtualMachineInstanceSpec};
use crate::quantity::{Format, Quantity};
use serde_json::Value;

/// Annotation that gives the emulator a second CPU where that makes the number even.
pub(super) const EVEN_PARITY: &str = "alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity";

/// vCPUs to a CPU (`cpuAllocationRatio`).
const CPU_ALLOCATION_RATIO: i64 = 10;

/// Requests and limits, and what rendering them did to the instance.
pub(super) struct Resources {
    pub(super) list: ContainerResources,
    /// The domain with its grown amounts of memory, if any grew.
    pub(super) changed: Option<Domain>,
}

/// `newResourceRenderer`.
pub(super) fn render(spec: &VirtualMachineInstanceSpec, overhead: &Quantity, even_parity: bool) -> Resources {
    let domain = &spec.domain;
    let mut list = ContainerResources {
        requests: domain.resources.requests.clone(),
        limits: domain.resources.limits.clone(),
        ..ContainerResources::default()
    };
    add_ephemeral_storage(&mut list);
    for device in virtualization_devices(&domain.devices) {
        list.limits.insert(device, Quantity::whole(1, Format::DecimalSI));
    }
    let fixed = list.clone();
    if spec.has_dedicated_cpus() {
        pin_cpus(domain, even_parity, &mut list);
    } else if let Some(cpus) = shared_cpus(domain).filter(|_| !list.requests.contains("cpu")) {
        list.requests.insert("cpu", cpus);
    }
    let memory = Memory::of(spec);
    let changed = match domain.memory.as_ref().and_then(|memory| memory.hugepages.as_ref()) {
        Some(pages) => {
            memory.into_huge_pages(&pages.page_size, overhead, &mut list);
            None
        }
        None => memory.with_overhead(domain, overhead, &mut list),
    };
    plugin_devices::request(spec, &fixed, &mut list);
    Resources { list, changed }
}

/// `WithEphemeralStorageRequest`: 50M for KubeVirt's own files.
fn add_ephemeral_storage(list: &mut ContainerResources) {
    let own = Quantity::whole(50_000_000, Format::DecimalSI);
    let add = |list: &mut ResourceList| {
        let mut amount = list.get("ephemeral-storage").cloned().unwrap_or_default();
        amount += &own;
        list.insert("ephemeral-storage", amount);
    };
    add(&mut list.requests);
    if list.limits.contains("ephemeral-storage") {
        add(&mut list.limits);
    }
}

/// `getRequiredResources`, without emulation.
fn virtualization_devices(devices: &Value) -> impl Iterator<Item = &'static str> {
    let interfaces = devices.get("interfaces").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let switch = |name: &str| devices.get(name).and_then(Value::as_bool);
    let tun = !interfaces.is_empty() || switch("autoattachPodInterface").unwrap_or(true);
    let virtio = interfaces.iter().any(|interface| {
        let model = interface.get("model").and_then(Value::as_str).unwrap_or_default();
        matches!(model, "" | "virtio")
    });
    let vsock = switch("autoattachVSOCK").unwrap_or(false);
    [
        (true, "devices.kubevirt.io/kvm"),
        (tun, "devices.kubevirt.io/tun"),
        (virtio, "devices.kubevirt.io/vhost-net"),
        (vsock, "devices.kubevirt.io/vhost-vsock"),
    ]
    .into_iter()
    .filter_map(|(needed, device)| needed.then_some(device))
}

/// `WithoutDedicatedCPU`: none where the 32 bits of their number have run over to 0.
fn shared_cpus(domain: &Domain) -> Option<Quantity> {
    let vcpus = domain.cpu.as_ref().map_or(1, |cpu| cpu.vcpus());
    let cpus = vcpus + supplemental_threads(domain);
    (cpus != 0).then(|| Quantity::from_milli(cpus * 1000 / CPU_ALLOCATION_RATIO))
}

/// `WithCPUPinning`, all but the memory.
fn pin_cpus(domain: &Domain, even_parity: bool, list: &mut ContainerResources) {
    let cpu = domain.cpu.as_ref().expect("dedicated CPUs are asked for there");
    let threads = supplemental_threads(domain);
    if cpu.vcpus() != 0 {
        let cpus = Quantity::whole(cpu.vcpus() + threads, Format::BinarySI);
        list.limits.insert("cpu", cpus.clone());
        list.requests.insert("cpu", cpus);
    } else {
        add_where_set(&mut list.limits, threads);
        add_where_set(&mut list.requests, threads);
    }
    if cpu.isolate_emulator_thread {
        let limit = list.limits.get("cpu").cloned().unwrap_or_default();
        let pool = domain.rest.get("ioThreadsPolicy").is_some_and(|policy| policy == "supplementalPool");
        let even = (limit.value() + if pool { threads } else { 0 }) % 2 == 0;
        let emulator = if even_parity && even { 2 } else { 1 };
        list.limits.insert("cpu", limit);
        add_where_set(&mut list.limits, emulator);
        add_where_set(&mut list.requests, emulator);
    }
}

fn add_where_set(list: &mut ResourceList, cpus: i64) {
    if let Some(mut amount) = list.get("cpu").cloned() {
        amount += &Quantity::whole(cpus, Format::BinarySI);
        list.insert("cpu", amount);
    }
}

fn supplemental_threads(domain: &Domain) -> i64 {
    let pool = domain.rest.get("ioThreads").and_then(|threads| threads.get("supplementalPoolThreadCount"));
    pool.and_then(Value::as_i64).unwrap_or(0)
}

/// Requests and limits of memory, each with where its amount came from.
struct Memory {
    request: Option<Amount>,
    limit: Option<Amount>,
    guest: Option<Quantity>,
    overcommits_overhead: bool,
}

#[derive(Clone)]
struct Amount {
    value: Quantity,
    origin: Origin,
}

/// The amount of the instance that a copy shares its digits with, which Go lets it do where they are a big decimal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Request,
    Limit,
    Guest,
    Own,
}

impl Amount {
    fn of(value: Quantity, origin: Origin) -> Self {
        let origin = if value.is_big_decimal() { origin } else { Origin::Own };
        Self { value, origin }
    }

    fn shares_digits(&self, with: &Self) -> bool {
        self.origin == with.origin && self.origin != Origin::Own
    }
}

impl Memory {
    /// `WithMemoryRequests` and the memory's part of `WithCPUPinning`.
    fn of(spec: &VirtualMachineInstanceSpec) -> Self {
        let domain = &spec.domain;
        let amount = |value: Option<&Quantity>, origin| Some(Amount::of(value?.clone(), origin));
        let mut request = amount(domain.resources.requests.get("memory"), Origin::Request);
        let mut limit = amount(domain.resources.limits.get("memory"), Origin::Limit);
        if request.as_ref().is_none_or(|request| request.value.is_zero()) {
            let set_limit = limit.clone().filter(|limit| !limit.value.is_zero());
            request = set_limit.or(request).or_else(|| guest_memory(domain));
        }
        if spec.has_dedicated_cpus() && request.is_some() {
            limit.clone_from(&request);
        }
        let guest = domain.memory.as_ref().and_then(|memory| memory.guest.clone());
        let overcommit = domain.resources.rest.get("overcommitGuestOverhead").and_then(Value::as_bool);
        Self { request, limit, guest, overcommits_overhead: overcommit.unwrap_or(false) }
    }

    /// `WithMemoryOverhead`.
    fn with_overhead(
        self,
        domain: &Domain,
        overhead: &Quantity,
        list: &mut ContainerResources,
    ) -> Option<Domain> {
        let zero = Amount { value: Quantity::default(), origin: Origin::Own };
        let mut request = self.request.unwrap_or(zero);
        let mut limit = self.limit;
        if !self.overcommits_overhead {
            let shares = limit.as_ref().is_some_and(|limit| request.shares_digits(limit));
            request.value += overhead;
            limit.iter_mut().filter(|_| shares).for_each(|limit| limit.value += overhead);
        }
        if let Some(limit) = &mut limit {
            let shares = limit.shares_digits(&request);
            limit.value += overhead;
            if shares {
                request.value += overhead;
            }
        }
        let changed = grown(domain, [Some(&request), limit.as_ref()].into_iter().flatten());
        list.requests.insert("memory", request.value);
        if let Some(limit) = limit {
            list.limits.insert("memory", limit.value);
        }
        changed
    }

    /// `WithHugePages`: the pages hold the guest, the memory request is the rest.
    fn into_huge_pages(self, page_size: &str, overhead: &Quantity, list: &mut ContainerResources) {
        let request = self.request.map(|amount| amount.value).unwrap_or_default();
        let excess = |amount: &Quantity| match &self.guest {
            Some(guest) if amount.value() > guest.value() => {
                let mut excess = amount.clone();
                excess -= guest;
                excess
            }
            _ => Quantity::default(),
        };
        let mut rest = excess(&request);
        rest += overhead;
        list.requests.insert("memory", rest);
        if let Some(limit) = self.limit {
            let mut rest = excess(&limit.value);
            rest += overhead;
            list.limits.insert("memory", rest);
        }
        let pages = match &self.guest {
            Some(guest) if request.value() > guest.value() => guest.clone(),
            _ => request,
        };
        let resource = arcstr::format!("hugepages-{page_size}");
        for amounts in [&mut list.requests, &mut list.limits] {
            if !amounts.contains(&resource) {
                amounts.insert(resource.clone(), pages.clone());
            }
        }
    }
}

/// Guest memory, or one page.
fn guest_memory(domain: &Domain) -> Option<Amount> {
    let memory = domain.memory.as_ref()?;
    let page = || memory.hugepages.as_ref().and_then(|pages| Quantity::parse(&pages.page_size).ok());
    let guest = memory.guest.clone().map(|value| Amount::of(value, Origin::Guest));
    let amount = guest.or_else(|| Some(Amount { value: page()?, origin: Origin::Own }));
    amount.filter(|amount| amount.value.value() > 0)
}

/// The domain with the amounts that were changed through their copies.
fn grown<'a>(domain: &Domain, amounts: impl Iterator<Item = &'a Amount>) -> Option<Domain> {
    let mut changed = domain.clone();
    for Amount { value, origin } in amounts {
        match origin {
            Origin::Request => changed.resources.requests.insert("memory", value.clone()),
            Origin::Limit => changed.resources.limits.insert("memory", value.clone()),
            Origin::Guest => {
                changed.memory.get_or_insert_default().guest = Some(value.clone());
            }
            Origin::Own => {}
        }
    }
    (changed != *domain).then_some(changed)
}
