//! A sync's wait for the volumes of its pod, and what is tried meanwhile, Kubernetes 1.36.2:
//! `pkg/kubelet/volumemanager/volume_manager.go` (`WaitForAttachAndMount`), `reconciler/reconciler_common.go` and
//! `pkg/util/goroutinemap/exponentialbackoff`.
//!
//! Upstream's loops come round every 100 ms, and a volume takes three rounds of them; here a round comes with each sync, and what can
//! be mounted then is. A volume that cannot is tried again by itself, whether a sync waits for it or not.

use super::pod_worker::{Outcome, Step, Turn};
use super::profile::Profile;
use super::task::Task;
use super::volume_plugins::mount_error;
use super::volume_populator::{expected, persistent_volume};
use crate::context::EventType;
use crate::objects::{PersistentVolume, Pod};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long a sync waits for volumes (`podAttachAndMountTimeout`).
const MOUNT_TIMEOUT: Duration = Duration::from_secs(123);
/// How often it looks for them (`podAttachAndMountRetryInterval`).
const MOUNT_POLL: Duration = Duration::from_millis(300);
/// How often the loop comes round that mounts (`reconcilerLoopSleepPeriod`).
const MOUNT_LOOP: Duration = Duration::from_millis(100);
/// The wait after a volume's first failure (`initialDurationBeforeRetry`).
const INITIAL_BACK_OFF: Duration = Duration::from_millis(500);
/// The longest (`maxDurationBeforeRetry`).
const MAX_BACK_OFF: Duration = Duration::from_secs(122);

/// What the volume manager knows of the volumes of one pod.
#[derive(Debug, Default)]
pub(super) enum PodVolumes {
    /// No sync has asked for them yet.
    #[default]
    Unknown,
    /// Some are not mounted.
    Incomplete(Box<Incomplete>),
    /// All are mounted, and stay so whatever becomes of what they come from.
    Mounted,
}

/// The volumes of a pod of which some are not mounted.
#[derive(Debug)]
pub(super) struct Incomplete {
    volumes: Vec<Volume>,
    /// Why volumes were refused in this sync; each thing once, in the order of the alphabet.
    refusals: BTreeSet<String>,
}

/// One volume that is expected.
#[derive(Debug)]
struct Volume {
    /// Its place in the pod.
    index: usize,
    /// What stands behind its claim, as it was when last a sync asked and was not refused.
    persistent: Option<Arc<PersistentVolume>>,
    mount: Mount,
}

/// How far a volume is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mount {
    /// It is not known what is to be mounted: it is not in the desired state of the world.
    Undesired,
    /// It was tried, and is tried again after a wait.
    Failed {
        back_off: Duration,
    },
    Mounted,
}

impl Incomplete {
    fn of(pod: &Pod) -> Self {
        let volume = |index| Volume { index, persistent: None, mount: Mount::Undesired };
        Self { volumes: expected(pod).into_iter().map(volume).collect(), refusals: BTreeSet::new() }
    }

    fn is_mounted(&self) -> bool {
        self.volumes.iter().all(|volume| volume.mount == Mount::Mounted)
    }

    /// The names of some, as Go prints a list. They are sorted, but for 1.23, which takes them as its maps have them.
    fn names(&self, pod: &Pod, profile: &Profile, which: impl Fn(Mount) -> bool) -> String {
        let volumes = self.volumes.iter().filter(|volume| which(volume.mount));
        let mut names: Vec<&str> =
            volumes.map(|volume| pod.spec.volumes[volume.index].name.as_str()).collect();
        if profile.sorts_failed_volumes {
            names.sort_unstable();
        }
        format!("[{}]", names.join(" "))
    }
}

impl Turn<'_, '_> {
    /// Goes on with the sync as soon as the pod's volumes are mounted.
    pub(super) fn await_volumes(&mut self) {
        let pod = Arc::clone(&self.worker.pod);
        let mut known = match std::mem::take(&mut self.worker.volumes) {
            PodVolumes::Mounted => return self.volumes_mounted(),
            PodVolumes::Unknown => Box::new(Incomplete::of(&pod)),
            PodVolumes::Incomplete(known) => known,
        };
        self.populate(&pod, &mut known);
        if known.is_mounted() {
            return self.volumes_mounted();
        }
        let wait = if known.refusals.is_empty() { MOUNT_TIMEOUT } else { MOUNT_POLL };
        self.worker.volumes = PodVolumes::Incomplete(known);
        self.worker.step = Step::AwaitVolumes(self.cx.now);
        self.cx.requeue_after(wait, Task::Volumes.of(self.id, 0));
    }

    /// Finds out what is to be mounted, and tries what is new (`processPodVolumes`, `mountOrAttachVolumes`).
    fn populate(&mut self, pod: &Pod, known: &mut Incomplete) {
        known.refusals.clear();
        for volume in &mut known.volumes {
            let source = &pod.spec.volumes[volume.index];
            let spares = self.profile().mounts_protected_claims;
            match persistent_volume(self.cx.newest(), pod, source, spares) {
                Ok(found) => volume.persistent = found.cloned(),
                Err(refusal) => {
                    known.refusals.insert(refusal);
                    continue;
                }
            }
            if volume.mount == Mount::Undesired {
                volume.mount = self.try_mount(volume, INITIAL_BACK_OFF);
            }
        }
    }

    /// Tries to mount a volume; `back_off` is the wait if that fails.
    fn try_mount(&mut self, volume: &Volume, back_off: Duration) -> Mount {
        let pod = Arc::clone(&self.worker.pod);
        let source = &pod.spec.volumes[volume.index];
        let error = mount_error(self.cx.view(), &pod, source, volume.persistent.as_deref());
        let Some(message) = error else { return Mount::Mounted };
        self.cx.event_on(&*pod, "", EventType::Warning, ("FailedMount", &message));
        // The wait must be over when the loop comes round, and the first round after it is a whole one later.
        let number = u32::try_from(volume.index).expect("a pod has few volumes");
        self.cx.requeue_after(back_off + MOUNT_LOOP, Task::Mount.of(self.id, number));
        Mount::Failed { back_off }
    }

    /// A volume that could not be mounted may be tried again.
    pub(super) fn mount(&mut self, number: u32) {
        let PodVolumes::Incomplete(mut known) = std::mem::take(&mut self.worker.volumes) else {
            unreachable!("what is tried again is not mounted yet");
        };
        let found = known.volumes.iter_mut().find(|volume| volume.index == number as usize);
        let volume = found.expect("the volume is expected");
        if let Mount::Failed { back_off } = volume.mount {
            volume.mount = self.try_mount(volume, (back_off * 2).min(MAX_BACK_OFF));
        }
        let is_mounted = known.is_mounted();
        self.worker.volumes = PodVolumes::Incomplete(known);
        if is_mounted {
            self.poll();
        }
    }

    /// A sync that waits for its volumes looks for them, if it is time to.
    pub(super) fn poll(&mut self) {
        let (Step::AwaitVolumes(since), PodVolumes::Incomplete(known)) =
            (self.worker.step, &self.worker.volumes)
        else {
            return;
        };
        let waited = self.cx.now.saturating_since(since);
        let late = u64::try_from(waited.as_nanos() % MOUNT_POLL.as_nanos()).expect("less than a poll");
        let is_over = waited >= MOUNT_TIMEOUT;
        let is_refused = !known.refusals.is_empty() && waited >= MOUNT_POLL;
        if !(is_over || is_refused || known.is_mounted()) {
            return;
        }
        if late > 0 && !is_over {
            let next = MOUNT_POLL - Duration::from_nanos(late);
            self.cx.requeue_after(next, Task::Volumes.of(self.id, 0));
        } else if known.is_mounted() {
            self.volumes_mounted();
        } else if is_refused {
            let refusals: Vec<&str> = known.refusals.iter().map(String::as_str).collect();
            self.give_up(&refusals.join("; "));
        } else {
            self.time_out();
        }
    }

    /// The sync is told to end, as its pod is to (`cancelFn`). Before the wait could be cancelled, it went on.
    pub(super) fn cancel_wait(&mut self) {
        let can_be = self.profile().cancels_volume_waits;
        if can_be && matches!(self.worker.step, Step::AwaitVolumes(_)) {
            self.complete(Outcome::Error { until: None });
        }
    }

    fn volumes_mounted(&mut self) {
        self.worker.volumes = PodVolumes::Mounted;
        self.sync_runtime();
    }

    /// Nothing but time has passed, which later releases do not tell.
    fn time_out(&mut self) {
        let tells = !self.profile().cancels_volume_waits;
        if tells {
            self.give_up("timed out waiting for the condition");
        } else {
            self.complete(Outcome::Error { until: None });
        }
    }

    fn give_up(&mut self, error: &str) {
        let PodVolumes::Incomplete(known) = &self.worker.volumes else {
            unreachable!("volumes are waited for")
        };
        let pod = Arc::clone(&self.worker.pod);
        let profile = self.profile();
        let unmounted = known.names(&pod, profile, |mount| mount != Mount::Mounted);
        let lists = if profile.sorts_failed_volumes {
            let undesired = known.names(&pod, profile, |mount| mount == Mount::Undesired);
            format!("unattached volumes=[], failed to process volumes={undesired}")
        } else {
            // It looks for the pod's names of the volumes where it has its own, and finds none.
            format!("unattached volumes={}", known.names(&pod, profile, |_| true))
        };
        let message =
            format!("Unable to attach or mount volumes: unmounted volumes={unmounted}, {lists}: {error}");
        self.cx.event_on(&*pod, "", EventType::Warning, ("FailedMount", &message));
        self.complete(Outcome::Error { until: None });
    }
}
