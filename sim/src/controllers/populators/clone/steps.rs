//! The steps of a clone.
//!
//! CDI main 2026-08: `pkg/controller/clone/{planner,csi-clone,snap-clone,snapshot,prep-claim,rebind}.go`.

use super::claims::{self, Temporary};
use super::strategy::class_of;
use super::{CloneOf, Told, host, snapshot};
use crate::cdi_config::CloneStrategy;
use crate::context::Context;
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::claims::{Claim, is_bound, is_populated};
use crate::controllers::cdi::errors::CdiError;
use crate::controllers::cdi::events;
use crate::controllers::cdi::users::{Use, report_users};
use crate::controllers::populators::import::rebind;
use crate::objects::{PersistentVolumeClaim, Pod, VolumeSnapshot};
use crate::quantity::Quantity;
use arcstr::{ArcStr, literal};
use std::sync::Arc;
use std::time::Duration;

/// How often a clone looks whether its source is ready.
const SOURCE_PERIOD: Duration = Duration::from_secs(2);

/// A step of a clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The source is snapshotted.
    Snapshot { class: ArcStr },
    /// The driver makes a volume of a snapshot.
    SnapshotClone { snapshot: ArcStr, into: Temporary },
    /// The driver copies a volume.
    CsiClone,
    /// A pod reads the source, another one writes the copy.
    HostClone { from: ArcStr },
    /// The copy is bound and as large as it is to be.
    PrepClaim(Temporary),
    /// The copy's volume becomes the target's.
    Rebind,
}

/// A step is not at its end, and looks again after a while or when something changes.
pub(super) struct Wait(pub(super) Option<Duration>);

/// `Plan`. It is made anew at each look, so that what it starts from has to be there to the end.
pub(super) fn plan(
    cx: &mut Context<'_>,
    clone: &CloneOf,
    strategy: CloneStrategy,
) -> Result<Vec<Step>, CdiError> {
    use Temporary::{Copy, Source};
    let name = clone.source.name.clone();
    if clone.source.is_snapshot && strategy != CloneStrategy::CsiClone {
        let snapshot = source_snapshot(cx, clone).ok_or_else(no_source)?;
        if strategy == CloneStrategy::HostAssisted {
            claims::temporary_source(cx, clone, &snapshot)?;
        }
    }
    let steps = match (clone.source.is_snapshot, strategy) {
        (false, CloneStrategy::HostAssisted) => vec![Step::HostClone { from: name }],
        (false, CloneStrategy::CsiClone) => vec![Step::CsiClone, Step::PrepClaim(Copy)],
        (false, CloneStrategy::Snapshot) => {
            source_claim(cx, clone).ok_or_else(no_source)?;
            let (class, snapshot) = (snapshot::class_for(cx, clone)?, snapshot::name_of(clone));
            vec![
                Step::Snapshot { class },
                Step::SnapshotClone { snapshot, into: Copy },
                Step::PrepClaim(Copy),
            ]
        }
        (true, CloneStrategy::Snapshot) => {
            vec![Step::SnapshotClone { snapshot: name, into: Copy }, Step::PrepClaim(Copy)]
        }
        (true, CloneStrategy::HostAssisted) => vec![
            Step::SnapshotClone { snapshot: name, into: Source },
            Step::PrepClaim(Source),
            Step::HostClone { from: Source.name(clone) },
        ],
        (true, CloneStrategy::CsiClone) => {
            let text = arcstr::format!("unknown strategy/source {}", strategy.as_str());
            return Err(CdiError::Resource(text));
        }
    };
    Ok(steps.into_iter().chain([Step::Rebind]).collect())
}

impl Step {
    /// As the annotation `clonePhase` names it.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Snapshot { .. } => "Snapshot",
            Self::SnapshotClone { .. } => "SnapshotClone",
            Self::CsiClone => "CSIClone",
            Self::HostClone { .. } => "HostClone",
            Self::PrepClaim(_) => "PrepClaim",
            Self::Rebind => "Rebind",
        }
    }

    /// Goes on with it; none if it is at its end.
    pub(super) fn reconcile(&self, cx: &mut Context<'_>, clone: &CloneOf) -> Result<Option<Wait>, CdiError> {
        match self {
            Self::Snapshot { class } => take_snapshot(cx, clone, class),
            Self::SnapshotClone { snapshot, into } => restore(cx, clone, snapshot, *into),
            Self::CsiClone => copy_by_driver(cx, clone),
            Self::HostClone { from } => host::reconcile(cx, clone, from),
            Self::PrepClaim(claim) => prepare(cx, clone, *claim),
            Self::Rebind => hand_over(cx, clone),
        }
    }

    /// What it tells of itself.
    pub(super) fn tell(&self, cx: &Context<'_>, clone: &CloneOf, told: &mut Told) {
        if matches!(self, Self::HostClone { .. }) {
            host::tell(cx, clone, told);
        }
    }
}

fn find(cx: &Context<'_>, clone: &CloneOf, claim: Temporary) -> Option<Claim> {
    Claim::named(cx, clone.namespace(), &claim.name(clone))
}

fn no_source() -> CdiError {
    CdiError::Resource(literal!("source claim does not exist"))
}

fn source_snapshot(cx: &Context<'_>, clone: &CloneOf) -> Option<Arc<VolumeSnapshot>> {
    let found = cx.view().named::<VolumeSnapshot>(clone.namespace(), &clone.source.name);
    found.map(|(_, snapshot)| Arc::clone(snapshot))
}

fn source_claim(cx: &Context<'_>, clone: &CloneOf) -> Option<Claim> {
    Claim::named(cx, clone.namespace(), &clone.source.name)
}

/// `IsSourceClaimReady`: bound, filled and used by nobody.
fn is_source_ready(cx: &mut Context<'_>, clone: &CloneOf) -> Result<bool, CdiError> {
    let Some(source) = source_claim(cx, clone).filter(|source| is_bound(&source.object)) else {
        return Ok(false);
    };
    let in_use = report_users(cx, &source.object, &clone.target, Use::Clone);
    Ok(!in_use && is_populated(cx.view(), &source.object)?)
}

/// What befalls a claim on the way is told on the target.
pub(super) fn copy_events(cx: &mut Context<'_>, clone: &CloneOf, claim: &Claim) {
    let meta = &clone.target.metadata;
    if claim.annotation(&ann::EVENT_SOURCE).is_some()
        && let Some(target) = Claim::named(cx, &meta.namespace, &meta.name)
    {
        events::copy(cx, claim, &target);
    }
}

/// `isClaimBoundOrWFFC`.
fn wait_until_bound(cx: &Context<'_>, claim: &PersistentVolumeClaim) -> Result<Option<Wait>, CdiError> {
    if is_bound(claim) {
        return Ok(None);
    }
    match class_of(cx, claim) {
        Some(class) => Ok((!class.waits_for_first_consumer()).then_some(Wait(None))),
        None => Err(CdiError::Resource(literal!("no storageclass for pvc"))),
    }
}

/// `SnapshotPhase`.
fn take_snapshot(cx: &mut Context<'_>, clone: &CloneOf, class: &ArcStr) -> Result<Option<Wait>, CdiError> {
    let found = cx.view().named::<VolumeSnapshot>(clone.namespace(), &snapshot::name_of(clone));
    let Some((_, snapshot)) = found else {
        if !is_source_ready(cx, clone)? {
            return Ok(Some(Wait(Some(SOURCE_PERIOD))));
        }
        snapshot::create(cx, clone, class)?;
        return Ok(Some(Wait(None)));
    };
    let is_taken = snapshot.status.as_ref().is_some_and(|status| status.creation_time.is_some());
    Ok((!is_taken).then_some(Wait(None)))
}

/// `SnapshotClonePhase`.
fn restore(
    cx: &mut Context<'_>,
    clone: &CloneOf,
    snapshot: &ArcStr,
    into: Temporary,
) -> Result<Option<Wait>, CdiError> {
    if let Some(claim) = find(cx, clone, into) {
        copy_events(cx, clone, &claim);
        return wait_until_bound(cx, &claim.object);
    }
    let found = cx.view().named::<VolumeSnapshot>(clone.namespace(), snapshot);
    let Some((_, found)) = found.map(|(id, found)| (id, Arc::clone(found))) else {
        return Err(CdiError::Resource(literal!("source snapshot does not exist")));
    };
    if !found.is_ready() {
        return Ok(Some(Wait(None)));
    }
    let claim = claims::from_snapshot(cx, clone, &found, into)?;
    claims::create(cx, clone, claim.clone())?;
    wait_until_bound(cx, &claim)
}

/// `CSIClonePhase`.
fn copy_by_driver(cx: &mut Context<'_>, clone: &CloneOf) -> Result<Option<Wait>, CdiError> {
    if let Some(claim) = find(cx, clone, Temporary::Copy) {
        copy_events(cx, clone, &claim);
        return wait_until_bound(cx, &claim.object);
    }
    if !is_source_ready(cx, clone)? {
        return Ok(Some(Wait(Some(SOURCE_PERIOD))));
    }
    let source = source_claim(cx, clone).expect("a source that is ready is there");
    let claim = claims::from_claim(clone, &source.object);
    claims::create(cx, clone, claim.clone())?;
    wait_until_bound(cx, &claim)
}

/// `PrepClaimPhase`: a pod binds a claim that waits for its first consumer, and has it expanded.
fn prepare(cx: &mut Context<'_>, clone: &CloneOf, which: Temporary) -> Result<Option<Wait>, CdiError> {
    let Some(mut claim) = find(cx, clone, which) else {
        let (namespace, name) = (clone.namespace(), which.name(clone));
        return Err(CdiError::Resource(arcstr::format!("claim {namespace}/{name} does not exist")));
    };
    let wanted = match which {
        Temporary::Copy => clone.target.spec.resources.requests.get("storage").cloned(),
        Temporary::Source => {
            source_snapshot(cx, clone).and_then(|snapshot| claims::restored_size(clone, &snapshot))
        }
    };
    let current = claim.object.spec.resources.requests.get("storage").map(Quantity::value);
    let (Some(wanted), Some(current)) = (wanted, current) else {
        return Err(CdiError::Resource(literal!("requested PVC sizes missing")));
    };
    let actual = claim.object.status.capacity.get("storage").map(Quantity::value);
    let needs_pod = match actual {
        None if is_bound(&claim.object) => {
            return Err(CdiError::Resource(literal!("actual PVC size missing")));
        }
        None => true,
        Some(_) if current < wanted.value() => {
            claim.object.spec.resources.requests.insert("storage", wanted);
            claim.update(cx)?;
            return Ok(Some(Wait(None)));
        }
        Some(actual) => actual < wanted.value(),
    };
    let name = claims::prep_pod_name(&clone.target);
    let pod = cx.view().named::<Pod>(clone.namespace(), &name);
    match pod.map(|(id, pod)| (id, pod.status.phase == "Succeeded")) {
        None if !needs_pod => return Ok(None),
        None => {
            let pod = claims::prep_pod(cx, clone, &claim.object);
            cx.create(pod)?;
        }
        Some((id, true)) => cx.delete::<Pod>(id)?,
        Some((_, false)) => {}
    }
    Ok(Some(Wait(None)))
}

/// `RebindPhase`.
fn hand_over(cx: &mut Context<'_>, clone: &CloneOf) -> Result<Option<Wait>, CdiError> {
    let meta = &clone.target.metadata;
    let Some(target) = Claim::named(cx, &meta.namespace, &meta.name) else {
        return Err(CdiError::Resource(literal!("target claim does not exist")));
    };
    if !target.object.spec.volume_name.is_empty() {
        return Ok(None);
    }
    let Some(copy) = find(cx, clone, Temporary::Copy) else {
        return Err(no_source());
    };
    rebind(cx, &copy, &target)?;
    Ok(Some(Wait(None)))
}
