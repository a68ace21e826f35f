//! Launchers and guests that do not work, and what the containers of a launcher pod do: KubeVirt main 2026-08
//! (`d923fdb815cd`), `cmd/virt-launcher`, `cmd/container-disk-v2alpha` and `pkg/virt-controller/services/template.go`.

use super::Program;
use crate::kind::ObjectId;
use crate::latency::Latency;
use crate::launcher_pod::{EPHEMERAL_PROVISIONING, MIGRATION_JOB, guest_grace};
use crate::objects::{Container, Pod};
use arcstr::ArcStr;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

/// Makes the launcher of an instance crash, as KubeVirt's own functional tests do.
const FAIL_FAST: &str = "kubevirt.io/func-test-virt-launcher-fail-fast";

/// How long virt-launcher waits for a domain (`--qemu-timeout`), and the seconds added to it at random.
const QEMU_TIMEOUT: Duration = Duration::from_secs(240);
const QEMU_TIMEOUT_JITTER: u64 = 120;

/// The exit code of a Go program that panics.
const PANIC: i32 = 2;

/// What goes wrong in a virtual machine's launcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LauncherFault {
    /// The compute container dies at once, with exit code 2.
    CrashAtStart,
    /// libvirt cannot start the domain; virt-launcher gives up after 240 to 359 s.
    DomainCannotStart,
}

/// Faults by virtual machine, the guests that have ended before their launchers, those that are paused or have no ACPI, and
/// those that have moved.
#[derive(Debug, Default)]
pub struct Launchers {
    faults: BTreeMap<(ArcStr, ArcStr), LauncherFault>,
    ended_guests: BTreeSet<(ArcStr, ArcStr)>,
    paused_guests: BTreeSet<(ArcStr, ArcStr)>,
    guests_without_acpi: BTreeSet<(ArcStr, ArcStr)>,
    /// The uid of the pod that a guest has moved to.
    moved_guests: BTreeMap<(ArcStr, ArcStr), ArcStr>,
    /// Pods whose launchers end now.
    ending: Vec<ObjectId>,
}

impl Launchers {
    /// Breaks every launcher of a virtual machine from now on.
    pub fn break_launcher(
        &mut self,
        namespace: impl Into<ArcStr>,
        name: impl Into<ArcStr>,
        fault: LauncherFault,
    ) {
        self.faults.insert((namespace.into(), name.into()), fault);
    }

    /// The next launcher works.
    pub fn heal_launcher(&mut self, namespace: impl Into<ArcStr>, name: impl Into<ArcStr>) {
        self.faults.remove(&(namespace.into(), name.into()));
    }

    /// What is wrong with a virtual machine's launcher, if anything.
    pub fn fault(&self, namespace: &ArcStr, name: &ArcStr) -> Option<LauncherFault> {
        if self.faults.is_empty() {
            return None;
        }
        self.faults.get(&(namespace.clone(), name.clone())).copied()
    }

    /// What is wrong with the launcher in this pod, be it by a fault or by the instance's own annotation.
    pub fn fault_of(&self, pod: &Pod) -> Option<LauncherFault> {
        if pod.metadata.annotations.contains_key(FAIL_FAST) {
            return Some(LauncherFault::CrashAtStart);
        }
        self.fault(&pod.metadata.namespace, domain(pod)?)
    }

    /// What a container of a launcher pod does.
    ///
    /// The compute container runs for ever, dies of a fault, or (in a temporary pod) says a word and ends. The init
    /// containers of container disks end at once: they are there to have the image pulled. Everything else runs on.
    pub fn program(&self, latency: &Latency, pod: &Pod, container: &Container) -> Program {
        if container.name != "compute" {
            let sidecar = container.restart_policy.is_some();
            let init = pod.spec.init_containers.iter().any(|found| found.name == container.name);
            return if init && !sidecar { Program::ends(Duration::ZERO, 0) } else { Program::forever() };
        }
        if pod.metadata.annotations.contains_key(EPHEMERAL_PROVISIONING) {
            return Program::ends(Duration::ZERO, 0);
        }
        match self.fault_of(pod) {
            Some(LauncherFault::CrashAtStart) => Program::ends(latency.launcher_crash, PANIC),
            Some(LauncherFault::DomainCannotStart) => Program::ends(qemu_timeout(pod), PANIC),
            None => Program::forever(),
        }
    }

    /// How long a container of a launcher pod takes to end once it is told to (SIGTERM): virt-launcher outlives its
    /// guest, so the compute container takes as long as the guest needs, or gets, to shut down. Its exit code is 0. A guest
    /// that is paused or has no ACPI does not heed the power button, and takes the time that it gets.
    pub fn stops_after(&self, latency: &Latency, pod: &Pod, container: &Container) -> Duration {
        let has_guest = container.name == "compute"
            && !pod.metadata.annotations.contains_key(EPHEMERAL_PROVISIONING)
            && self.fault_of(pod).is_none()
            && !contains(&self.ended_guests, pod)
            && self.houses_guest(pod);
        let deaf = contains(&self.paused_guests, pod) || contains(&self.guests_without_acpi, pod);
        match (has_guest, guest_grace(&pod.spec)) {
            (false, _) => Duration::ZERO,
            (true, grace) if deaf => grace,
            (true, grace) => latency.guest_shutdown.min(grace),
        }
    }

    /// The guest in this pod has ended; its launcher has nothing left to wait for.
    pub(crate) fn guest_ended(&mut self, pod: &Pod) {
        self.guest_paused(pod, false);
        if let Some(name) = domain(pod) {
            self.ended_guests.insert((pod.metadata.namespace.clone(), name.clone()));
        }
    }

    /// The guest in this pod stands still, or goes on.
    pub(crate) fn guest_paused(&mut self, pod: &Pod, paused: bool) {
        let Some(name) = domain(pod) else { return };
        let guest = (pod.metadata.namespace.clone(), name.clone());
        if paused {
            self.paused_guests.insert(guest);
        } else {
            self.paused_guests.remove(&guest);
        }
    }

    /// The guest runs in this pod from now on, and in its old one no more.
    pub(crate) fn guest_moved(&mut self, pod: &Pod) {
        if let Some(name) = domain(pod) {
            let guest = (pod.metadata.namespace.clone(), name.clone());
            self.moved_guests.insert(guest, pod.metadata.uid.clone());
        }
    }

    /// The launcher in a pod has nothing left to wait for, and ends.
    pub(crate) fn end_launcher(&mut self, pod: ObjectId) {
        self.ending.push(pod);
    }

    /// Takes the pods whose launchers end now.
    pub(crate) fn take_ending(&mut self) -> Vec<ObjectId> {
        std::mem::take(&mut self.ending)
    }

    /// Whether a guest would be in this pod: the target of a migration has none before it has moved.
    pub(crate) fn houses_guest(&self, pod: &Pod) -> bool {
        let Some(name) = domain(pod) else { return true };
        let moved_to = match self.moved_guests.is_empty() {
            true => None,
            false => self.moved_guests.get(&(pod.metadata.namespace.clone(), name.clone())),
        };
        match moved_to {
            Some(uid) => *uid == pod.metadata.uid,
            None => !pod.metadata.labels.contains_key(MIGRATION_JOB),
        }
    }

    /// A guest starts in this pod, with or without ACPI.
    pub(crate) fn guest_started(&mut self, pod: &Pod, has_acpi: bool) {
        self.guest_paused(pod, false);
        if let Some(name) = domain(pod).filter(|_| !has_acpi || !self.guests_without_acpi.is_empty()) {
            let guest = (pod.metadata.namespace.clone(), name.clone());
            match has_acpi {
                true => self.guests_without_acpi.remove(&guest),
                false => self.guests_without_acpi.insert(guest),
            };
        }
        if let Some(name) = domain(pod).filter(|_| !self.moved_guests.is_empty()) {
            self.moved_guests.remove(&(pod.metadata.namespace.clone(), name.clone()));
        }
        if let Some(name) = domain(pod).filter(|_| !self.ended_guests.is_empty()) {
            self.ended_guests.remove(&(pod.metadata.namespace.clone(), name.clone()));
        }
    }
}

fn contains(guests: &BTreeSet<(ArcStr, ArcStr)>, pod: &Pod) -> bool {
    let Some(name) = domain(pod).filter(|_| !guests.is_empty()) else { return false };
    guests.contains(&(pod.metadata.namespace.clone(), name.clone()))
}

/// The name of the instance, and of its virtual machine.
fn domain(pod: &Pod) -> Option<&ArcStr> {
    pod.metadata.annotations.get("kubevirt.io/domain")
}

/// 240 s and up to 119 s more. The template service draws the seconds when it renders the pod; here they follow from the
/// pod's uid, which is drawn too, so that pods can share a spec.
fn qemu_timeout(pod: &Pod) -> Duration {
    QEMU_TIMEOUT + Duration::from_secs(xxh3_64(pod.metadata.uid.as_bytes()) % QEMU_TIMEOUT_JITTER)
}

#[cfg(test)]
mod tests {
    use super::{LauncherFault, Launchers, PANIC, Program};
    use crate::latency::Latency;
    use crate::objects::{Container, Pod, PodSpec};
    use std::sync::Arc;
    use std::time::Duration;

    fn container(name: &str) -> Container {
        Container { name: name.into(), ..Container::default() }
    }

    fn launcher() -> Pod {
        let mut pod = Pod::default();
        pod.metadata.namespace = "default".into();
        pod.metadata.uid = "3f0c".into();
        pod.metadata.annotations.insert("kubevirt.io/domain", "vm1");
        let init_containers = vec![container("volumedisk0")];
        let termination_grace_period_seconds = Some(60);
        pod.spec =
            Arc::new(PodSpec { init_containers, termination_grace_period_seconds, ..PodSpec::default() });
        pod
    }

    #[test]
    fn the_compute_container_runs_until_a_fault_ends_it() {
        let (latency, mut launchers) = (Latency::default(), Launchers::default());
        let run = |launchers: &Launchers| launchers.program(&latency, &launcher(), &container("compute"));
        assert_eq!(run(&launchers), Program::forever());
        launchers.break_launcher("default", "vm1", LauncherFault::CrashAtStart);
        assert_eq!(run(&launchers), Program::ends(latency.launcher_crash, PANIC));
        launchers.break_launcher("default", "vm1", LauncherFault::DomainCannotStart);
        let runs = run(&launchers).runs.expect("it gives up");
        assert!((Duration::from_secs(240)..Duration::from_secs(360)).contains(&runs), "{runs:?}");
        launchers.heal_launcher("default", "vm1");
        assert_eq!(run(&launchers), Program::forever());
    }

    #[test]
    fn images_of_disks_are_pulled_by_containers_that_end_at_once() {
        let program = |name| Launchers::default().program(&Latency::default(), &launcher(), &container(name));
        assert_eq!(program("volumedisk0"), Program::ends(Duration::ZERO, 0));
        assert_eq!(program("guest-console-log"), Program::forever());
    }

    #[test]
    fn a_launcher_stops_with_its_guest() {
        let (latency, mut launchers) = (Latency::default(), Launchers::default());
        let stops =
            |launchers: &Launchers| launchers.stops_after(&latency, &launcher(), &container("compute"));
        assert_eq!(stops(&launchers), latency.guest_shutdown);
        launchers.guest_ended(&launcher());
        assert_eq!(stops(&launchers), Duration::ZERO);
        launchers.guest_started(&launcher(), true);
        assert_eq!(stops(&launchers), latency.guest_shutdown);
        launchers.guest_started(&launcher(), false);
        assert_eq!(stops(&launchers), Duration::from_secs(30), "without ACPI it takes the time that it gets");
        launchers.guest_started(&launcher(), true);
        let hasty = Latency { guest_shutdown: Duration::from_secs(31), ..latency };
        let stop = launchers.stops_after(&hasty, &launcher(), &container("compute"));
        assert_eq!(stop, Duration::from_secs(30), "then it is destroyed");
    }

    #[test]
    fn a_grace_beyond_all_numbers_turns_over_and_back() {
        let mut pod = launcher();
        let grace = Some(i64::MAX.wrapping_add(30));
        pod.spec = Arc::new(PodSpec { termination_grace_period_seconds: grace, ..PodSpec::default() });
        let mut launchers = Launchers::default();
        launchers.guest_started(&pod, false);
        let stop = launchers.stops_after(&Latency::default(), &pod, &container("compute"));
        assert_eq!(stop, Duration::from_secs(u64::try_from(i64::MAX).unwrap()));
    }

    #[test]
    fn of_two_launchers_of_a_guest_that_one_stops_with_it_which_it_is_in() {
        let (latency, mut launchers) = (Latency::default(), Launchers::default());
        let source = launcher();
        let mut target = launcher();
        target.metadata.uid = "4f0c".into();
        target.metadata.labels.insert("kubevirt.io/migrationJobUID", "5f0c");
        let stops = |launchers: &Launchers| {
            [&source, &target].map(|pod| launchers.stops_after(&latency, pod, &container("compute")))
        };
        assert_eq!(stops(&launchers), [latency.guest_shutdown, Duration::ZERO]);
        launchers.guest_moved(&target);
        assert_eq!(stops(&launchers), [Duration::ZERO, latency.guest_shutdown]);
        launchers.guest_started(&source, true);
        assert_eq!(stops(&launchers), [latency.guest_shutdown, Duration::ZERO]);
    }
}
