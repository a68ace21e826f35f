//! Targets that stay pending for too long: `handlePendingPodTimeout` of `migration.go`.

use super::{MigrationController, Pass, host_model};
use crate::context::{Context, EventType};
use crate::controllers::virtual_machine_instance::OwnedPod;
use crate::objects::{Conditions as _, Pod};
use arcstr::ArcStr;
use std::time::Duration;

/// The limit for a target that fits nowhere, in seconds, and the annotation of a migration that gives another one.
const UNSCHEDULABLE: (i64, &str) = (300, "kubevirt.io/migrationUnschedulablePodTimeoutSeconds");

/// The limit for one that is pending for whatever reason.
const PENDING: (i64, &str) = (900, "kubevirt.io/migrationPendingPodTimeoutSeconds");

impl MigrationController {
    /// Removes a target that has been pending for too long; returns when to look again.
    pub(super) fn check_pending(
        &mut self,
        pass: &Pass,
        (id, pod): &OwnedPod,
        cx: &mut Context<'_>,
    ) -> Result<Option<Duration>, ArcStr> {
        let Some(created) = pod.metadata.creation_timestamp else { return Ok(None) };
        if pod.status.phase != "Pending" || pod.metadata.is_deleting() {
            return Ok(None);
        }
        let waited = cx.now.as_secs().saturating_sub(created.as_secs());
        let left = |limit: i64| i64::try_from(waited).map_or(0, |waited| limit.saturating_sub(waited).max(0));
        let mut next = left(limit(pass, PENDING));
        let mut why = "pending pod";
        if fits_nowhere(pod) {
            host_model::warn_of_missing_nodes(pass, pod, cx);
            let meta = &pass.vmi.metadata;
            let (namespace, name) = (&meta.namespace, &meta.name);
            let message =
                format!("Migration target pod for VMI [{namespace}/{name}] is currently unschedulable.");
            cx.event(&*pass.migration, EventType::Warning, "migrationTargetPodUnschedulable", &message);
            let sooner = left(limit(pass, UNSCHEDULABLE));
            if sooner <= next {
                (next, why) = (sooner, "unschedulable pod");
            }
        }
        if let Some(seconds) = u64::try_from(next).ok().filter(|seconds| *seconds > 0) {
            return Ok(Some(Duration::from_secs(seconds)));
        }
        let message =
            format!("{why} {}/{} timeout period exceeded", pod.metadata.namespace, pod.metadata.name);
        self.expectations.expect_deletion(pass.id, *id, cx.now);
        if let Err(error) = cx.delete::<Pod>(*id) {
            self.expectations.deletion_observed(pass.id, *id);
            let message = format!("Error deleted migration target pod: {error}");
            cx.event(&*pass.migration, EventType::Warning, "FailedDelete", &message);
            return Err(arcstr::format!(
                "failed to delete vmi migration target pod that reached pending pod timeout period.: {error}"
            ));
        }
        cx.event(&*pass.migration, EventType::Normal, "SuccessfulDelete", &message);
        Ok(None)
    }
}

/// A limit, or what the migration gives in its stead; what is no number counts for nothing.
fn limit(pass: &Pass, (default, annotation): (i64, &str)) -> i64 {
    let given = pass.migration.metadata.annotations.get(annotation);
    given.and_then(|seconds| seconds.parse().ok()).unwrap_or(default)
}

/// `isPodPendingUnschedulable`.
fn fits_nowhere(pod: &Pod) -> bool {
    let scheduled = pod.status.conditions.condition("PodScheduled");
    scheduled.is_some_and(|found| found.is_false_because("Unschedulable"))
}
