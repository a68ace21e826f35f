//! Pods made and removed for an instance, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/watch/vmi/lifecycle.go`, `sync` and its helpers.

use super::{Pass, SyncError, VirtualMachineInstanceController, descheduling, pods, receiver, volumes};
use crate::context::{Context, EventType};
use crate::launcher_pod::{self, EPHEMERAL_PROVISIONING};
use crate::objects::{Pod, PodSpec};
use crate::store::ApiError;
use std::sync::Arc;

impl VirtualMachineInstanceController {
    /// Makes the pods what the instance needs; `pass.pod` is the launcher afterwards.
    pub(super) fn sync(&mut self, pass: &mut Pass, cx: &mut Context<'_>) -> Result<(), SyncError> {
        if pass.vmi.metadata.is_deleting() {
            return self.delete_all_pods(pass, cx);
        }
        if pass.vmi.is_final() {
            return Ok(());
        }
        let volumes = volumes::check(pass, cx)?;
        if receiver::waits_for_sync(&pass.vmi, cx.config.kubevirt) {
            return Ok(());
        }
        let Some((id, pod)) = pass.pod.clone() else {
            let unprocessed = matches!(pass.vmi.status.phase.as_str(), "" | "Pending");
            if unprocessed && volumes.ready {
                return self.create_pod(pass, volumes.wait_for_first_consumer, cx);
            }
            return Ok(());
        };
        if !volumes.wait_for_first_consumer {
            self.delete_temporary_pods(pass, &pod, cx)?;
        }
        if !pods::is_temporary(&pod) && pods::is_ready(&pod) {
            pass.pod = Some(descheduling::annotate(&pass.vmi, (id, pod), cx)?);
        }
        Ok(())
    }

    /// Creates the launcher or, for claims that wait for a consumer, a temporary pod like it.
    fn create_pod(
        &mut self,
        pass: &mut Pass,
        temporary: bool,
        cx: &mut Context<'_>,
    ) -> Result<(), SyncError> {
        let rendered = launcher_pod::render_spec(&pass.vmi, cx.config.kubevirt);
        if let Some(changed) = rendered.instance {
            pass.spec = changed;
        }
        require_claims(pass, &rendered.pod, cx)?;
        let mut metadata = launcher_pod::metadata(&pass.vmi);
        if temporary {
            metadata.annotations.insert(EPHEMERAL_PROVISIONING, arcstr::literal!("true"));
        }
        let pod = Pod { metadata, spec: rendered.admitted, ..Pod::default() };
        self.expectations.expect_creation(pass.id, cx.now);
        match cx.create(pod) {
            Ok(id) => {
                let created = Arc::clone(cx.newest().get::<Pod>(id).expect("it was just created"));
                let message = format!("Created virtual machine pod {}", created.metadata.name);
                cx.event(&*pass.vmi, EventType::Normal, "SuccessfulCreate", &message);
                pass.pod = Some((id, created));
                Ok(())
            }
            Err(error) => {
                self.expectations.creation_observed(pass.id);
                Err(creation_failed(pass, &error, cx))
            }
        }
    }

    /// `deleteAllMatchingPods`.
    fn delete_all_pods(&mut self, pass: &Pass, cx: &mut Context<'_>) -> Result<(), SyncError> {
        for (id, pod) in &pass.pods {
            if pod.metadata.is_deleting() && !pod.is_finished() {
                continue;
            }
            self.expectations.expect_deletion(pass.id, *id, cx.now);
            let result = cx.delete::<Pod>(*id);
            let name = &pod.metadata.name;
            if let Err(error) = self.deleted(pass, *id, result) {
                let message = format!("Failed to delete virtual machine pod {name}");
                cx.event(&*pass.vmi, EventType::Warning, "FailedDelete", &message);
                let message = arcstr::format!("failed to delete pod: {error}");
                return Err(SyncError::new(arcstr::literal!("FailedDelete"), message));
            }
            let message = format!("Deleted virtual machine pod {name}");
            cx.event(&*pass.vmi, EventType::Normal, "SuccessfulDelete", &message);
        }
        Ok(())
    }

    /// `cleanupWaitForFirstConsumerTemporaryPods`: removed once they run or have ended.
    fn delete_temporary_pods(
        &mut self,
        pass: &Pass,
        launcher: &Pod,
        cx: &mut Context<'_>,
    ) -> Result<(), SyncError> {
        debug_assert!(pass.pod.is_some(), "temporary pods make way for a launcher: {launcher:?}");
        for (id, pod) in pass.pods.iter().filter(|(_, pod)| pods::is_temporary(pod)) {
            let name = &pod.metadata.name;
            if matches!(pod.status.phase.as_str(), "Running" | "Succeeded" | "Failed") {
                self.expectations.expect_deletion(pass.id, *id, cx.now);
                let result = cx.remove_pod(*id);
                if let Err(error) = self.deleted(pass, *id, result) {
                    let message = format!("Failed to delete WaitForFirstConsumer temporary pod {name}");
                    cx.event(&*pass.vmi, EventType::Warning, "FailedDelete", &message);
                    let message = arcstr::format!("failed to clean up temporary pods: {error}");
                    return Err(SyncError::new(arcstr::literal!("FailedHotplugSync"), message));
                }
            }
            let message = format!("Deleted WaitForFirstConsumer temporary pod {name}");
            cx.event(&*pass.vmi, EventType::Normal, "SuccessfulDelete", &message);
        }
        Ok(())
    }

    /// A pod that could not be deleted will not be seen to go; one that is gone already is no error.
    fn deleted(
        &mut self,
        pass: &Pass,
        pod: crate::kind::ObjectId,
        result: Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        if result.is_err() {
            self.expectations.deletion_observed(pass.id, pod);
        }
        match result {
            Err(ApiError::Gone { .. } | ApiError::NotFound { .. }) => Ok(()),
            other => other,
        }
    }
}

/// Rendering looks up the claims. Since those that a volume names are waited for before, only what lies below a disk of which
/// nothing stays can still be missing; then a change is waited for.
fn require_claims(pass: &Pass, pod: &PodSpec, cx: &mut Context<'_>) -> Result<(), SyncError> {
    let Some(claim) = volumes::missing_claim(&pass.vmi, pod, cx.view()) else { return Ok(()) };
    let message = arcstr::format!("failed to render launch manifest: didn't find PVC {claim}");
    cx.event(&*pass.vmi, EventType::Warning, "FailedPvcNotFound", &message);
    let requeue = !cx.config.kubevirt.profile().waits_for_claims;
    Err(SyncError { requeue, ..SyncError::new(arcstr::literal!("FailedPvcNotFound"), message) })
}

fn creation_failed(pass: &Pass, error: &ApiError, cx: &mut Context<'_>) -> SyncError {
    let error = error.to_string();
    let meta = &pass.vmi.metadata;
    let (event, message) = if error.contains("violates PodSecurity") {
        let message = arcstr::format!(
            "failed to create pod for vmi {}/{}, it needs a privileged namespace to run: {error}",
            meta.namespace,
            meta.name
        );
        (format!("failed to render launch manifest: {message}"), message)
    } else {
        let message = arcstr::format!("failed to create virtual machine pod: {error}");
        (format!("Error creating pod: {error}"), message)
    };
    cx.event(&*pass.vmi, EventType::Warning, "FailedCreate", &event);
    SyncError::new(arcstr::literal!("FailedCreate"), message)
}
