//! How many guests move at once, and who waits for how long: `findRunningMigrations`, `outboundMigrationsOnNode`,
//! `getRequeueDelayForPriority` and `reEnqueueHighestPriorityPendingMigrations` of `migration.go`, `PriorityFromMigration` of
//! `pkg/util/migrations`.

use super::target_pods;
use crate::context::Context;
use crate::kind::ObjectId;
use crate::objects::{Pod, VirtualMachineInstance, VirtualMachineInstanceMigration};
use crate::store::View;
use arcstr::ArcStr;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many migrations there may be at once (`ParallelMigrationsPerCluster`, `ParallelOutboundMigrationsPerNode`).
const PER_CLUSTER: usize = 5;
const OUTBOUND_PER_NODE: usize = 2;

/// Migrations that take a place. Who waits for one asks every second, so that they are counted once for all who see the same.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// What was delivered of migrations, instances and pods when they were counted.
    seen: Option<[u64; 3]>,
    taken: usize,
    outbound: BTreeMap<ArcStr, usize>,
}

impl Places {
    /// Whether there is a place for one more migration, away from this node.
    pub(super) fn free(&mut self, node: &str, view: View<'_>) -> bool {
        let seen = [
            view.delivered::<VirtualMachineInstanceMigration>(),
            view.delivered::<VirtualMachineInstance>(),
            view.delivered::<Pod>(),
        ];
        if self.seen != Some(seen) {
            *self = Self::count(view);
            self.seen = Some(seen);
        }
        let outbound = self.outbound.get(node).copied().unwrap_or_default();
        self.taken < PER_CLUSTER && outbound < OUTBOUND_PER_NODE
    }

    fn count(view: View<'_>) -> Self {
        let mut counted = Self::default();
        for (_, migration) in view.iter::<VirtualMachineInstanceMigration>() {
            let (namespace, name) = (&migration.metadata.namespace, &migration.spec.vmi_name);
            let vmi = view.named::<VirtualMachineInstance>(namespace, name).map(|(_, vmi)| vmi);
            let has_target = || vmi.is_some_and(|vmi| !target_pods(migration, vmi, view).is_empty());
            if migration.is_final() || !(migration.is_running() || has_target()) {
                continue;
            }
            counted.taken += 1;
            let Some(vmi) = vmi else { continue };
            let here = &vmi.status.node_name;
            let left = vmi.status.migration_state.as_deref().map(|state| &state.source_node);
            for node in [Some(here), left.filter(|left| *left != here)].into_iter().flatten() {
                *counted.outbound.entry(node.clone()).or_default() += 1;
            }
        }
        counted
    }
}

/// How long a migration waits before it looks for a place again.
pub(super) fn patience(migration: &VirtualMachineInstanceMigration) -> Duration {
    match priority(migration) {
        100.. => Duration::from_secs(1),
        50.. => Duration::from_secs(3),
        _ => Duration::from_secs(5),
    }
}

/// A migration has ended: those that wait look for its place at once, as many as there may be places, the most urgent first.
pub(super) fn wake_waiting(cx: &mut Context<'_>) {
    let all = cx.view().iter::<VirtualMachineInstanceMigration>();
    let waiting = all.filter(|(_, migration)| migration.status.phase == "Pending");
    let mut waiting: Vec<(Reverse<i32>, ObjectId)> =
        waiting.map(|(id, migration)| (Reverse(priority(migration)), id)).collect();
    waiting.sort_unstable();
    for (_, id) in waiting.into_iter().take(PER_CLUSTER) {
        cx.requeue_after(Duration::ZERO, id);
    }
}

fn priority(migration: &VirtualMachineInstanceMigration) -> i32 {
    match migration.spec.priority.as_str() {
        "system-critical" => 100,
        "user-triggered" => 50,
        "system-maintenance" => 20,
        _ => 0,
    }
}
