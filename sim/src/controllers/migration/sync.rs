//! What a migration needs done, by its phase: `sync` of `migration.go`.

use super::{MigrationController, Pass, active_pods, hand_off, places, target_pod};
use crate::context::{Context, EventType};
use crate::controllers::virtual_machine_instance::{current_pod, is_pod_ready, owned_by};
use crate::objects::Pod;
use crate::store::ApiError;
use arcstr::ArcStr;
use std::sync::Arc;
use std::time::Duration;

/// Who waits for pods to be seen, or for the end of others, looks again after this time.
const SOON: Duration = Duration::from_secs(1);

impl MigrationController {
    /// Does it; returns when to look again by itself.
    pub(super) fn sync(&mut self, pass: &Pass, cx: &mut Context<'_>) -> Result<Option<Duration>, ArcStr> {
        let over = pass.own_state().is_some_and(|state| state.completed);
        if pass.vmi.metadata.is_deleting() || over {
            return Ok(None);
        }
        if !self.can_migrate(pass, cx.view()) {
            if pass.migration.is_final() {
                // Upstream fails here too, and tries again until the other one has ended, of which nothing shows.
                return Ok(None);
            }
            let why = "vmi is ineligible for migration because another migration job is running";
            return Err(why.into());
        }
        let cancelled = pass.migration.metadata.is_deleting();
        match pass.migration.status.phase.as_str() {
            "Pending" | "Scheduling" if cancelled => self.cancel(pass, cx).map(|()| None),
            "Pending" => self.pending(pass, cx),
            "Scheduling" => match &pass.pod {
                Some(pod) => self.check_pending(pass, pod, cx),
                None => Ok(None),
            },
            "Scheduled" if cancelled && !self.is_handed_off(pass) => self.cancel(pass, cx).map(|()| None),
            "Scheduled" => match pass.target().filter(|pod| is_pod_ready(pod)) {
                Some(pod) => self.hand_off(pass, pod, cx).map(|()| None),
                None => Ok(None),
            },
            "PreparingTarget" | "TargetReady" => hand_off::fail_unstarted(pass, cx).map(|()| None),
            "Failed" => hand_off::fail_unnoticed(pass, cx).map(|()| None),
            "Running" if cancelled => hand_off::request_abort(pass, cx).map(|()| None),
            _ => Ok(None),
        }
    }

    /// Before there is a target that is ready.
    fn pending(&mut self, pass: &Pass, cx: &mut Context<'_>) -> Result<Option<Duration>, ArcStr> {
        if let Some(left) = self.back_off(pass, cx) {
            let meta = &pass.vmi.metadata;
            let message = format!("backoff migrating vmi {}/{}", meta.namespace, meta.name);
            cx.event(&*pass.vmi, EventType::Warning, "MigrationBackoff", &message);
            return Ok(Some(left));
        }
        match &pass.pod {
            Some((_, pod)) if is_pod_ready(pod) => Ok(None),
            Some(pod) => self.check_pending(pass, pod, cx),
            None => {
                let pods = owned_by(&pass.vmi, cx.view());
                match current_pod(&pass.vmi, &pods) {
                    Some((_, source)) => self.make_target(pass, &Arc::clone(source), cx),
                    None => Ok(None),
                }
            }
        }
    }

    /// `handleTargetPodCreation`: the target is made as soon as there is a place for one more migration.
    fn make_target(
        &mut self,
        pass: &Pass,
        source: &Pod,
        cx: &mut Context<'_>,
    ) -> Result<Option<Duration>, ArcStr> {
        let view = cx.view();
        if self.expectations.await_creations() || active_pods(&pass.vmi, view) > 1 {
            return Ok(Some(SOON));
        }
        if !self.places.free(&pass.vmi.status.node_name, view) {
            return Ok(Some(places::patience(&pass.migration)));
        }
        if pass.vmi.status.phase != "Running" {
            return Ok(None);
        }
        let target = target_pod::render(pass, source, cx)?;
        self.expectations.expect_creation(pass.id, cx.now);
        match cx.create(target) {
            Ok(id) => {
                let name = cx.newest().get::<Pod>(id).expect("it was just created").metadata.name.clone();
                let message = format!("Created migration target pod {name}");
                cx.event(&*pass.migration, EventType::Normal, "SuccessfulCreate", &message);
                Ok(None)
            }
            Err(error) => {
                self.expectations.creation_observed(pass.id);
                Err(creation_failed(pass, &error, cx))
            }
        }
    }

    /// `handlePreHandoffMigrationCancel`: nobody needs the target any more.
    fn cancel(&mut self, pass: &Pass, cx: &mut Context<'_>) -> Result<(), ArcStr> {
        let Some((id, pod)) = &pass.pod else { return Ok(()) };
        let (namespace, name) = (&pod.metadata.namespace, &pod.metadata.name);
        self.expectations.expect_deletion(pass.id, *id, cx.now);
        if let Err(error) = cx.delete::<Pod>(*id) {
            self.expectations.deletion_observed(pass.id, *id);
            let message = format!("Error deleting canceled migration target pod: {error}");
            cx.event(&*pass.migration, EventType::Warning, "FailedDelete", &message);
            return Err(arcstr::format!(
                "cannot delete pending target pod {name}/{namespace} for migration although migration is aborted"
            ));
        }
        let message = format!("migration canceled and pod {namespace}/{name} is deleted");
        cx.event(&*pass.migration, EventType::Normal, "SuccessfulDelete", &message);
        Ok(())
    }
}

/// Tells why there is no target.
fn creation_failed(pass: &Pass, error: &ApiError, cx: &mut Context<'_>) -> ArcStr {
    let error = error.to_string();
    let meta = &pass.vmi.metadata;
    let (event, message) = if error.contains("violates PodSecurity") {
        let message = arcstr::format!(
            "failed to create target pod for vmi {}/{}, it needs a privileged namespace to run: {error}",
            meta.namespace,
            meta.name
        );
        (format!("failed to render launch manifest: {message}"), message)
    } else {
        let message = arcstr::format!("failed to create vmi migration target pod: {error}");
        (format!("Error creating pod: {error}"), message)
    };
    cx.event(&*pass.vmi, EventType::Warning, "FailedCreate", &event);
    message
}
