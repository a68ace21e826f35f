//! Guests on their way between two nodes: how long that takes, and what may come between.
//!
//! KubeVirt main 2026-08 as 1.9.0 has it: the migration monitor and `setMigrationResult` of `pkg/virt-launcher/virtwrap/live-migration-source.go`. How long
//! a guest takes is [`crate::Latency::guest_migration`]; it always makes progress. Disks that are copied along do not count.

use super::guest_event::GuestEvent;
use super::{VirtHandler, migration_target};
use crate::context::Context;
use crate::controllers::virtual_machine_instance::{is_compute_down, owned_by};
use crate::kind::ObjectId;
use crate::objects::{MigrationState, Pod, VirtualMachineInstance};
use crate::store::View;
use crate::work_queue::Work;
use arcstr::{ArcStr, literal};
use std::sync::Arc;
use std::time::Duration;

/// A migration may take so many seconds for each GB of memory (`MigrationCompletionTimeoutPerGiB`).
const SECONDS_PER_GIGABYTE: u64 = 150;

/// How often virt-launcher looks at it (`monitorSleepPeriodMS`).
const MONITOR_MILLIS: u64 = 400;

/// libvirt takes a connection for dead after this time without an answer: six intervals of 5 s (`keepalive_interval`,
/// `keepalive_count`; from memory).
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A guest on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transfer {
    /// The migration's uid.
    pub(super) migration: ArcStr,
    source_node: ArcStr,
    target_node: ArcStr,
    takes: Duration,
    pub(super) outcome: Outcome,
    /// Tells its end from those of others that ended before their time.
    number: u32,
}

/// How a transfer ends, if nothing comes between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The guest runs on the target.
    Arrives,
    /// It stays.
    Fails(Failure),
}

/// Why a guest stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The target's launcher has ended.
    Closed,
    /// The other node does not answer any more.
    KeepAlive,
    /// It was called back: nobody wants it any more, or it took longer than it may.
    Aborted,
}

impl Failure {
    /// `failureReason` of the instance.
    pub(super) fn reason(self) -> ArcStr {
        match self {
            Self::Closed => {
                literal!("virError(Code=1, Domain=7, Message='internal error: client socket is closed')")
            }
            Self::KeepAlive => literal!(
                "virError(Code=1, Domain=7, Message='internal error: connection closed due to keepalive timeout')"
            ),
            Self::Aborted => literal!("Live migration has been aborted"),
        }
    }
}

/// The launchers of a migration that live.
pub(super) struct Ends {
    pub(super) source: Option<(ObjectId, Arc<Pod>)>,
    pub(super) target: Option<(ObjectId, Arc<Pod>)>,
}

impl Ends {
    pub(super) fn of(vmi: &VirtualMachineInstance, state: &MigrationState, view: View<'_>) -> Self {
        let live = owned_by(vmi, view).into_iter();
        let live = live.filter(|(_, pod)| !pod.is_finished() && !is_compute_down(pod));
        let mut ends = Self { source: None, target: None };
        for (id, pod) in live {
            if pod.metadata.name == state.target_pod {
                ends.target = Some((id, pod));
            } else if pod.node_name == state.source_node {
                ends.source = Some((id, pod));
            }
        }
        ends
    }
}

impl Transfer {
    /// The one that begins now.
    pub(super) fn of(vmi: &VirtualMachineInstance, state: &MigrationState, cx: &Context<'_>) -> Self {
        let takes = cx.config.latency.guest_migration;
        let (takes, outcome) = if Ends::of(vmi, state, cx.newest()).target.is_none() {
            (Duration::ZERO, Outcome::Fails(Failure::Closed))
        } else if cx.environment.machines.is_lost(&state.target_node) {
            (KEEP_ALIVE, Outcome::Fails(Failure::KeepAlive))
        } else if let Some(limit) = limit(vmi).map(noticed).filter(|limit| takes >= *limit) {
            (limit, Outcome::Fails(Failure::Aborted))
        } else {
            (takes, Outcome::Arrives)
        };
        Self {
            migration: state.migration_uid.clone(),
            source_node: state.source_node.clone(),
            target_node: state.target_node.clone(),
            takes,
            outcome,
            number: 0,
        }
    }
}

impl VirtHandler {
    /// Waits for the end of a transfer.
    pub(super) fn follow(&mut self, id: ObjectId, transfer: Transfer, cx: &mut Context<'_>) {
        self.transfers_begun += 1;
        let number = self.transfers_begun;
        cx.complete_after(transfer.takes, Work { number, ..GuestEvent::Moved.of(id) });
        self.transfers.insert(id, Transfer { number, ..transfer });
    }

    /// A transfer has come to its end, if it still is under way.
    pub(super) fn transfer_ended(&mut self, work: Work, cx: &mut Context<'_>) {
        let known = self.transfers.get(&work.id).filter(|known| known.number == work.number);
        let Some(transfer) = known.cloned() else { return };
        self.transfers.swap_remove(&work.id);
        let newest = cx.newest();
        let Some(vmi) = newest.get::<VirtualMachineInstance>(work.id).cloned() else { return };
        let state = vmi.status.migration_state.as_deref();
        let state = state.filter(|state| state.migration_uid == transfer.migration && !state.is_done());
        let Some(state) = state.filter(|_| !vmi.is_final() && !vmi.metadata.is_deleting()) else { return };
        let ends = Ends::of(&vmi, state, newest);
        match (transfer.outcome, ends.target) {
            (Outcome::Fails(failure), _) => self.fail(work.id, &vmi, failure, cx),
            (Outcome::Arrives, None) => self.fail(work.id, &vmi, Failure::Closed, cx),
            (Outcome::Arrives, Some((_, target))) => {
                cx.environment.launchers.guest_moved(&target);
                if let Some((source, _)) = ends.source {
                    cx.environment.launchers.end_launcher(source);
                }
                migration_target::acknowledge(work.id, &vmi, cx);
            }
        }
    }

    /// A machine is lost: what is sent to it waits in vain, and what it was sending nobody ends.
    pub(super) fn break_transfers(&mut self, node: &str, cx: &mut Context<'_>) {
        self.transfers.retain(|_, transfer| transfer.source_node != node);
        let broken = self.transfers.iter().filter(|(_, transfer)| transfer.target_node == node);
        let broken: Vec<(ObjectId, Transfer)> =
            broken.map(|(id, transfer)| (*id, transfer.clone())).collect();
        for (id, transfer) in broken {
            let outcome = Outcome::Fails(Failure::KeepAlive);
            self.follow(id, Transfer { takes: KEEP_ALIVE, outcome, ..transfer }, cx);
        }
    }
}

/// How many seconds a migration may take, if that is limited (`getVMIMigrationDataSize`).
fn limit(vmi: &VirtualMachineInstance) -> Option<u64> {
    let domain = &vmi.spec.domain;
    let guest = domain.memory.as_ref().and_then(|memory| memory.guest.as_ref());
    let bytes = guest.or_else(|| domain.resources.requests.get("memory"))?.value();
    let gigabytes = u64::try_from(bytes).ok()?.div_ceil(1_000_000_000);
    Some(gigabytes * SECONDS_PER_GIGABYTE).filter(|limit| *limit > 0)
}

/// When virt-launcher finds that more than so many whole seconds have passed.
fn noticed(limit: u64) -> Duration {
    let over = (limit + 1).saturating_mul(1_000);
    Duration::from_millis(over.div_ceil(MONITOR_MILLIS).saturating_mul(MONITOR_MILLIS))
}

#[cfg(test)]
mod tests {
    use super::{limit, noticed};
    use crate::objects::VirtualMachineInstance;
    use std::time::Duration;

    #[test]
    fn a_guest_may_take_150_s_for_each_gb_that_it_has_begun() {
        let guest = |memory: &str| -> VirtualMachineInstance {
            let spec = serde_json::json!({"domain": {"memory": {"guest": memory}}});
            serde_json::from_value(serde_json::json!({"metadata": {"name": "vm1"}, "spec": spec})).unwrap()
        };
        assert_eq!(limit(&guest("1G")), Some(150));
        assert_eq!(limit(&guest("1Gi")), Some(300));
        assert_eq!(limit(&guest("0")), None);
        // 300 s have passed for more than 300 s only at 301 s, and 301 s is no multiple of 400 ms.
        assert_eq!(noticed(300), Duration::from_millis(301_200));
        assert_eq!(noticed(3), Duration::from_millis(4_000));
    }
}
