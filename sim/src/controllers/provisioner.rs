//! The external provisioners of CSI drivers, one for every driver that a claim names: sig-storage-lib-external-provisioner
//! v13 (`controller/controller.go`) as external-provisioner 6.x runs it.
//!
//! Whether a driver works is a matter of [`crate::environment::Provisioners`].

mod data_source;

use crate::context::{Context, EventType};
use crate::controller::{Action, Controller};
use crate::controllers::pvc_binder::{
    BETA_STORAGE_PROVISIONER, DYNAMICALLY_PROVISIONED, SELECTED_NODE, STORAGE_PROVISIONER, claim_class,
    reference,
};
use crate::environment::ProvisionerState;
use crate::kind::{Kind, ObjectId};
use crate::objects::{
    ObjectMeta, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec, Rest, StorageClass,
};
use crate::store::{ApiError, Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::{ArcStr, literal};
use data_source::Content;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Keeps a volume until its backend is deleted.
const FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";
/// The first delay after a failure (`--retry-interval-start`); it doubles.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest delay after a failure (`--retry-interval-max`).
const LONGEST_RETRY: Duration = Duration::from_secs(300);
/// How often a provisioner that was down tries to become leader again (`--leader-election-retry-period`).
const LEADER_RETRY: Duration = Duration::from_secs(5);
/// The work of looking whether a provisioner has become leader again, on no object.
const LEADER: Work =
    Work { id: ObjectId { kind: Kind::PersistentVolumeClaim, index: u32::MAX }, what: 1, number: 0 };

/// The external provisioners.
#[derive(Default)]
pub(crate) struct Provisioner {
    /// Claims whose volume is being made.
    busy: BTreeSet<ObjectId>,
    /// Failures in a row by claim.
    failures: BTreeMap<ObjectId, u32>,
    /// What a provisioner that is down has left undone.
    stalled: BTreeSet<ObjectId>,
}

impl Controller for Provisioner {
    fn name(&self) -> &'static str {
        "provisioner"
    }

    fn on_change(&mut self, change: &Change, _view: View<'_>, queue: &mut WorkQueue) {
        let wanted =
            change.new_as::<PersistentVolumeClaim>().is_some_and(|claim| wanted_from(claim).is_some());
        let released = change.new_as::<PersistentVolume>().is_some_and(|volume| is_to_be_deleted(volume));
        if wanted || released {
            queue.add(change.id);
        }
        if change.new.is_none() {
            self.failures.remove(&change.id);
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        match work.id.kind {
            _ if work == LEADER => self.retry_stalled(cx),
            Kind::PersistentVolumeClaim => self.start_provisioning(work.id, cx),
            _ => return self.delete_volume(work.id, cx),
        }
        Action::Done
    }

    fn complete(&mut self, work: Work, cx: &mut Context<'_>) {
        self.busy.remove(&work.id);
        let Some((claim, class)) = to_provision(work.id, cx) else { return };
        match cx.environment.provisioners.state(&class.provisioner).clone() {
            ProvisionerState::Works => self.provisioned(work.id, (&claim, &class), cx),
            ProvisionerState::Down => self.stall(work.id, cx),
            ProvisionerState::Fails(why) => self.failed(work.id, (&claim, &class, &why), cx),
        }
    }
}

impl Provisioner {
    fn start_provisioning(&mut self, id: ObjectId, cx: &mut Context<'_>) {
        if self.busy.contains(&id) {
            return;
        }
        let Some((claim, class)) = to_provision(id, cx) else { return };
        if *cx.environment.provisioners.state(&class.provisioner) == ProvisionerState::Down {
            self.stall(id, cx);
            return;
        }
        let meta = &claim.metadata;
        let message = format!(
            "External provisioner is provisioning volume for claim \"{}/{}\"",
            meta.namespace, meta.name
        );
        cx.event(&claim, EventType::Normal, "Provisioning", &message);
        if matches!(Content::of(&claim), Content::Populator) {
            let message = "Assuming an external populator will provision the volume";
            cx.event(&claim, EventType::Normal, "Provisioning", message);
            return;
        }
        self.busy.insert(id);
        cx.complete_after(cx.config.latency.provision, id);
    }

    fn provisioned(
        &mut self,
        id: ObjectId,
        (claim, class): (&PersistentVolumeClaim, &StorageClass),
        cx: &mut Context<'_>,
    ) {
        if let Some(why) = Content::of(claim).obstacle(cx, &claim.metadata.namespace) {
            return self.failed(id, (claim, class, &why), cx);
        }
        let volume = volume_for(claim, class);
        let name = volume.metadata.name.clone();
        match cx.create(volume) {
            Ok(_) | Err(ApiError::AlreadyExists { .. }) => {
                self.failures.remove(&id);
                let message = format!("Successfully provisioned volume {name}");
                cx.event(claim, EventType::Normal, "ProvisioningSucceeded", &message);
            }
            Err(error) => self.failed(id, (claim, class, &error.to_string()), cx),
        }
    }

    fn failed(
        &mut self,
        id: ObjectId,
        (claim, class, why): (&PersistentVolumeClaim, &StorageClass, &str),
        cx: &mut Context<'_>,
    ) {
        let name = &class.metadata.name;
        let message = format!("failed to provision volume with StorageClass \"{name}\": {why}");
        cx.event(claim, EventType::Warning, "ProvisioningFailed", &message);
        let failures = self.failures.entry(id).or_insert(0);
        let delay = FIRST_RETRY.saturating_mul(1 << (*failures).min(16)).min(LONGEST_RETRY);
        *failures += 1;
        cx.requeue_after(delay, id);
    }

    fn stall(&mut self, id: ObjectId, cx: &mut Context<'_>) {
        if self.stalled.is_empty() {
            cx.requeue_after(LEADER_RETRY, LEADER);
        }
        self.stalled.insert(id);
    }

    fn retry_stalled(&mut self, cx: &mut Context<'_>) {
        for id in std::mem::take(&mut self.stalled) {
            let down = driver_of(id, cx)
                .is_some_and(|driver| *cx.environment.provisioners.state(&driver) == ProvisionerState::Down);
            match down {
                true => self.stall(id, cx),
                false => cx.requeue_at(cx.now, id),
            }
        }
    }

    /// Deletes the backend, which takes no time here, then the object, then its finalizer.
    fn delete_volume(&mut self, id: ObjectId, cx: &mut Context<'_>) -> Action {
        let volume = cx.view().get::<PersistentVolume>(id).filter(|volume| is_to_be_deleted(volume)).cloned();
        let Some(volume) = volume else { return Action::Done };
        let driver = volume.metadata.annotations.get(DYNAMICALLY_PROVISIONED);
        let driver = driver.expect("a volume to be deleted names its driver");
        match cx.environment.provisioners.state(driver).clone() {
            ProvisionerState::Works => {}
            ProvisionerState::Down => {
                self.stall(id, cx);
                return Action::Done;
            }
            ProvisionerState::Fails(why) => {
                cx.event(&*volume, EventType::Warning, "VolumeFailedDelete", &why);
                return Action::Fail(why);
            }
        }
        let deleted = cx.delete::<PersistentVolume>(id);
        let result = deleted.and_then(|()| match cx.newest().get::<PersistentVolume>(id) {
            Some(_) => cx.patch(id, |volume: &mut PersistentVolume| {
                volume.metadata.remove_finalizer(FINALIZER);
            }),
            None => Ok(true),
        });
        match result {
            Ok(_) | Err(ApiError::Gone { .. }) => Action::Done,
            Err(error) => Action::Fail(error.to_string().into()),
        }
    }
}

/// The provisioner that a claim waits for, if it waits for one (`shouldProvision`).
fn wanted_from(claim: &PersistentVolumeClaim) -> Option<&ArcStr> {
    let annotations = &claim.metadata.annotations;
    let named = annotations.get(STORAGE_PROVISIONER).or(annotations.get(BETA_STORAGE_PROVISIONER));
    named.filter(|_| claim.spec.volume_name.is_empty() && !claim.metadata.is_deleting())
}

/// A claim that still wants a volume, and its class. A delayed one must have a node.
fn to_provision(id: ObjectId, cx: &Context<'_>) -> Option<(PersistentVolumeClaim, StorageClass)> {
    let claim = cx.view().get::<PersistentVolumeClaim>(id)?;
    wanted_from(claim)?;
    let (_, class) = cx.view().named::<StorageClass>("", &claim_class(claim))?;
    let node = claim.metadata.annotations.get(SELECTED_NODE).filter(|node| !node.is_empty());
    if class.waits_for_first_consumer() && node.is_none() {
        return None;
    }
    Some((PersistentVolumeClaim::clone(claim), StorageClass::clone(class)))
}

fn driver_of(id: ObjectId, cx: &Context<'_>) -> Option<ArcStr> {
    match id.kind {
        Kind::PersistentVolume => {
            let volume = cx.view().get::<PersistentVolume>(id)?;
            volume.metadata.annotations.get(DYNAMICALLY_PROVISIONED).cloned()
        }
        _ => to_provision(id, cx).map(|(_, class)| class.provisioner),
    }
}

/// `shouldDelete`: a released volume of an external driver whose policy is Delete.
fn is_to_be_deleted(volume: &PersistentVolume) -> bool {
    let meta = &volume.metadata;
    let driver = meta.annotations.get(DYNAMICALLY_PROVISIONED);
    volume.status.phase == "Released"
        && volume.spec.reclaim_policy.as_deref() == Some("Delete")
        && driver.is_some_and(|driver| !driver.starts_with("kubernetes.io/"))
        && (!meta.is_deleting() || meta.has_finalizer(FINALIZER))
}

/// The volume that a driver makes. From which nodes it can be reached is left out: from all.
fn volume_for(claim: &PersistentVolumeClaim, class: &StorageClass) -> PersistentVolume {
    let name = arcstr::format!("pvc-{}", claim.metadata.uid);
    let mut metadata = ObjectMeta { name: name.clone(), ..ObjectMeta::default() };
    metadata.annotations.insert(literal!(DYNAMICALLY_PROVISIONED), class.provisioner.clone());
    let reclaim_policy = class.reclaim_policy.clone().unwrap_or(literal!("Delete"));
    if reclaim_policy == "Delete" {
        metadata.finalizers.push(literal!(FINALIZER));
    }
    let mut rest = Rest::default();
    rest.insert(
        "csi",
        serde_json::json!({"driver": class.provisioner.as_str(), "volumeHandle": name.as_str()}),
    );
    let spec = PersistentVolumeSpec {
        capacity: claim.spec.resources.requests.clone(),
        access_modes: claim.spec.access_modes.clone(),
        claim_ref: Some(reference(claim)),
        reclaim_policy: Some(reclaim_policy),
        storage_class_name: class.metadata.name.clone(),
        volume_mode: claim.spec.volume_mode.clone(),
        rest,
        ..PersistentVolumeSpec::default()
    };
    PersistentVolume { metadata, spec, ..PersistentVolume::default() }
}
