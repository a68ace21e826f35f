//! Starts that fail before the guest runs, and how long the next one waits.
//!
//! KubeVirt main of August 2026: `syncStartFailureStatus`, `calculateStartBackoffTime` and
//! `startFailureBackoffTimeLeft` in `pkg/virt-controller/watch/vm/vm.go`.

use super::reconcile::Reconcile;
use crate::objects::{RunStrategyError, StartFailure, VirtualMachineInstance};
use crate::random::Random;
use crate::vm_status::is_restarted;
use std::time::Duration;
use stuckvm_detector::Time;

/// The longest delay in seconds (`defaultMaxCrashLoopBackoffDelaySeconds`).
pub const MAX_START_BACK_OFF_SECONDS: u64 = 300;

/// The stream of [`Random`] that delays are drawn from, one number a counted failure, as a fraction of half the base.
pub const START_BACK_OFF_STREAM: &str = "start-back-off";

/// The delay in seconds before the start that follows on `fail_count` failures in a row.
///
/// It grows with the square of the count, is lengthened by a draw of up to the half, and cut at `max_delay_seconds`.
/// Counts below 1 count as 1.
pub fn start_back_off(fail_count: i32, max_delay_seconds: u64, random: &mut Random) -> u64 {
    const MIN_INTERVAL: u64 = 10;
    let count = u64::from(fail_count.max(1).unsigned_abs());
    let interval = (max_delay_seconds / 30).max(MIN_INTERVAL);
    let base = interval.saturating_mul(count.saturating_mul(count));
    let jitter = random.uniform(START_BACK_OFF_STREAM, 0..=base / 2);
    base.saturating_add(jitter).min(max_delay_seconds)
}

/// The seconds left until `retry_after`. Whole seconds are compared: the fractions of both instants do not count.
pub fn start_back_off_left(retry_after: Option<Time>, now: Time) -> u64 {
    retry_after.map_or(0, |retry_after| retry_after.as_secs().saturating_sub(now.as_secs()))
}

impl Reconcile<'_, '_> {
    /// Counts an instance that ended before its guest ran, once; forgets everything when a guest has run, or where
    /// failed starts are not tried again.
    pub(super) fn sync_start_failure(&mut self, vmi: Option<&VirtualMachineInstance>) {
        let strategy = self.vm.spec.run_strategy();
        if vmi.is_some_and(has_run) || !is_restarted(&self.vm) && strategy != Err(RunStrategyError::BothSet) {
            self.status.start_failure = None;
            return;
        }
        let Some(vmi) = vmi.filter(|vmi| vmi.is_final()) else { return };
        let before = self.status.start_failure.as_ref();
        if before.is_some_and(|failure| failure.last_failed_vmi_uid == vmi.metadata.uid) {
            return;
        }
        let count = before.map_or(0, |failure| failure.consecutive_fail_count).saturating_add(1);
        let delay = start_back_off(count, MAX_START_BACK_OFF_SECONDS, self.cx.random);
        self.status.start_failure = Some(StartFailure {
            consecutive_fail_count: count,
            last_failed_vmi_uid: vmi.metadata.uid.clone(),
            retry_after_timestamp: Some(self.cx.now + Duration::from_secs(delay)),
        });
    }
}

/// Whether the guest of this instance ever ran.
fn has_run(vmi: &VirtualMachineInstance) -> bool {
    vmi.was_in_phase("Running")
}
