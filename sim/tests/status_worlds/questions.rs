//! The questions that the rows ask, each as a change that gives its answer and touches nothing else. A question is
//! reached in a world in which the row's status comes or goes with the answer.

use stuckvm_detector::PrintableStatus::{self, *};

use crate::world::{DataVolume, FUTURE, Instance, NOW, Owner, PAST, Request, VolumeKind, Wants, World};

/// What is asked, by which row, and where the answer stands.
pub(crate) struct Question {
    pub(crate) row: PrintableStatus,
    pub(crate) asks: &'static str,
    pub(crate) answer: Answer,
}

#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// In the objects: the change makes it so or not so.
    Objects(fn(&mut World, bool)),
    /// The creation of the instance was asked for, and is not seen yet.
    Creation,
    /// Its deletion was.
    Deletion,
}

const fn world(row: PrintableStatus, asks: &'static str, change: fn(&mut World, bool)) -> Question {
    Question { row, asks, answer: Answer::Objects(change) }
}

/// Row by row.
pub(crate) const QUESTIONS: &[Question] = &[
    world(Terminating, "deletion of the machine", |w, is| w.deleting = is),
    world(Stopping, "deletion of the instance", |w, is| instance(w, |i| i.deleting = is)),
    Question { row: Stopping, asks: "deletion asked for", answer: Answer::Deletion },
    world(Stopping, "not Failed", |w, is| phase(w, is, "Failed", "Scheduled")),
    world(Stopping, "not Succeeded", |w, is| phase(w, is, "Succeeded", "Unknown")),
    world(Migrating, "begun", |w, is| start(w, is, Some(PAST), None)),
    world(Migrating, "begun by now", |w, is| start(w, is, Some(NOW), Some(FUTURE))),
    world(Migrating, "not ended", |w, is| end(w, is, None, Some(PAST))),
    world(Migrating, "not ended by now", |w, is| end(w, is, Some(FUTURE), Some(NOW))),
    world(Paused, "phase Running", |w, is| phase(w, is, "Running", "Scheduled")),
    world(Paused, "condition True", |w, is| {
        instance(w, |i| set(is, &mut i.paused, Some("True"), Some("False")))
    }),
    world(Paused, "condition there", |w, is| instance(w, |i| set(is, &mut i.paused, Some("True"), None))),
    world(Running, "phase Running", |w, is| phase(w, is, "Running", "Scheduled")),
    world(Running, "not Paused", |w, is| instance(w, |i| set(is, &mut i.paused, Some("True"), None))),
    world(PvcNotFound, "condition False", |w, is| synchronized(w, is, "FailedPvcNotFound", None)),
    world(PvcNotFound, "reason", |w, is| synchronized(w, is, "FailedPvcNotFound", Some("FailedCreate"))),
    world(DataVolumeError, "phase Failed", |w, is| {
        dv(w, |dv| set(is, &mut dv.phase, "Failed", "ImportInProgress"))
    }),
    world(DataVolumeError, "Running False", |w, is| dv(w, |dv| running(dv, is, "Error", None))),
    world(DataVolumeError, "reason Error", |w, is| dv(w, |dv| running(dv, is, "Error", Some("Completed")))),
    world(DataVolumeError, "reason ImagePullFailed", |w, is| {
        dv(w, |dv| running(dv, is, "ImagePullFailed", Some("Completed")))
    }),
    world(DataVolumeError, "volume of kind dataVolume", |w, is| {
        kind(w, is, VolumeKind::DataVolume, VolumeKind::Claim)
    }),
    world(Unschedulable, "condition False", |w, is| {
        instance(w, |i| {
            set(is, &mut i.scheduled, Some(("False", "Unschedulable")), Some(("True", "Unschedulable")));
        })
    }),
    world(Unschedulable, "reason", |w, is| {
        instance(w, |i| {
            set(is, &mut i.scheduled, Some(("False", "Unschedulable")), Some(("False", "SchedulerError")));
        })
    }),
    world(Provisioning, "not Succeeded", |w, is| {
        dv(w, |dv| set(is, &mut dv.phase, "ImportInProgress", "Succeeded"))
    }),
    world(Provisioning, "not PendingPopulation", |w, is| {
        dv(w, |dv| set(is, &mut dv.phase, "Pending", "PendingPopulation"))
    }),
    world(Provisioning, "not WaitForFirstConsumer", |w, is| {
        dv(w, |dv| set(is, &mut dv.phase, "", "WaitForFirstConsumer"))
    }),
    world(Provisioning, "Bound True", |w, is| {
        dv(w, |dv| set(is, &mut dv.bound, Some("True"), Some("False")))
    }),
    world(Provisioning, "Bound there", |w, is| dv(w, |dv| set(is, &mut dv.bound, Some("True"), None))),
    world(Provisioning, "volume of kind dataVolume", |w, is| {
        kind(w, is, VolumeKind::DataVolume, VolumeKind::Claim)
    }),
    world(WaitingForVolumeBinding, "claim not Bound", |w, is| claim(w, is, Some("Pending"), Some("Bound"))),
    world(WaitingForVolumeBinding, "claim not Bound, but Lost", |w, is| {
        claim(w, is, Some("Lost"), Some("Bound"))
    }),
    world(WaitingForVolumeBinding, "claim there", |w, is| claim(w, is, Some("Pending"), None)),
    world(WaitingForVolumeBinding, "dataVolume counts", |w, is| {
        kind(w, is, VolumeKind::DataVolume, VolumeKind::Image)
    }),
    world(WaitingForVolumeBinding, "persistentVolumeClaim counts", |w, is| {
        kind(w, is, VolumeKind::Claim, VolumeKind::Image)
    }),
    world(WaitingForVolumeBinding, "memoryDump counts", |w, is| {
        kind(w, is, VolumeKind::Dump, VolumeKind::Image)
    }),
    world(WaitingForVolumeBinding, "Always", |w, is| strategy(w, is, "Always", "Halted")),
    world(WaitingForVolumeBinding, "running true", |w, is| {
        w.wants = Wants { running: Some(is), strategy: None }
    }),
    world(WaitingForVolumeBinding, "not WaitAsReceiver", |w, is| strategy(w, is, "Always", "WaitAsReceiver")),
    world(WaitingForVolumeBinding, "not a word unknown", |w, is| strategy(w, is, "Always", "Sometimes")),
    world(WaitingForVolumeBinding, "Manual with a start request", |w, is| {
        request(w, is, "Manual", (&[Request::Start], &[]))
    }),
    world(WaitingForVolumeBinding, "Manual, the first request", |w, is| {
        request(w, is, "Manual", (&[Request::Start, Request::Stop], &[Request::Stop, Request::Start]));
    }),
    world(WaitingForVolumeBinding, "Manual, no stop request", |w, is| {
        request(w, is, "Manual", (&[], &[Request::Stop]))
    }),
    world(WaitingForVolumeBinding, "Manual, a stop of this", |w, is| {
        request(w, is, "Manual", (&[Request::StopOther], &[Request::Stop]));
    }),
    world(WaitingForVolumeBinding, "Manual, a stop of one", |w, is| {
        request(w, is, "Manual", (&[Request::StopAny], &[Request::Stop]))
    }),
    world(WaitingForVolumeBinding, "Manual, a stop and no start", |w, is| {
        // Without an instance of its own, what counts is that there is a request to start.
        w.instance.get_or_insert_with(Instance::new).owner = Owner::Machine;
        request(w, is, "Manual", (&[Request::StartThis], &[Request::Stop]));
    }),
    world(WaitingForVolumeBinding, "RerunOnFailure, not Succeeded", |w, is| {
        w.wants = Wants::strategy("RerunOnFailure");
        phase(w, is, "Failed", "Succeeded");
    }),
    world(WaitingForVolumeBinding, "RerunOnFailure with a start request", |w, is| {
        request(w, is, "RerunOnFailure", (&[Request::Start], &[]));
    }),
    world(WaitingForVolumeBinding, "RerunOnFailure, new", |w, is| {
        w.wants = Wants::strategy("RerunOnFailure");
        set(is, &mut w.wanted, "", "RerunOnFailure");
    }),
    world(WaitingForVolumeBinding, "Once without an instance", |w, is| {
        w.wants = Wants::strategy("Once");
        absent(w, is, "Failed");
    }),
    world(ErrImagePull, "condition False", |w, is| synchronized(w, is, "ErrImagePull", None)),
    world(ErrImagePull, "reason", |w, is| synchronized(w, is, "ErrImagePull", Some("FailedCreate"))),
    world(ImagePullBackOff, "condition False", |w, is| synchronized(w, is, "ImagePullBackOff", None)),
    world(ImagePullBackOff, "reason", |w, is| synchronized(w, is, "ImagePullBackOff", Some("FailedCreate"))),
    Question { row: Starting, asks: "creation asked for", answer: Answer::Creation },
    world(Starting, "phase not yet given", |w, is| phase(w, is, "", "Unknown")),
    world(Starting, "phase Pending", |w, is| phase(w, is, "Pending", "Unknown")),
    world(Starting, "phase Scheduling", |w, is| phase(w, is, "Scheduling", "Unknown")),
    world(Starting, "phase Scheduled", |w, is| phase(w, is, "Scheduled", "Unknown")),
    world(Starting, "the machine's own", |w, is| {
        instance(w, |i| set(is, &mut i.owner, Owner::Machine, Owner::Another))
    }),
    world(Starting, "or an orphan's", |w, is| {
        instance(w, |i| set(is, &mut i.owner, Owner::Nobody, Owner::Another))
    }),
    world(CrashLoopBackOff, "a failure", |w, is| set(is, &mut w.failures, Some(1), None)),
    world(CrashLoopBackOff, "more than no failure", |w, is| set(is, &mut w.failures, Some(1), Some(0))),
    world(CrashLoopBackOff, "Always", |w, is| strategy(w, is, "Always", "Manual")),
    world(CrashLoopBackOff, "RerunOnFailure", |w, is| strategy(w, is, "RerunOnFailure", "Manual")),
    world(CrashLoopBackOff, "Once", |w, is| strategy(w, is, "Once", "Manual")),
    world(CrashLoopBackOff, "no instance", |w, is| absent(w, is, "Unknown")),
    world(CrashLoopBackOff, "or one that Failed", |w, is| phase(w, is, "Failed", "Unknown")),
    world(CrashLoopBackOff, "or one that Succeeded", |w, is| phase(w, is, "Succeeded", "Unknown")),
    Question { row: CrashLoopBackOff, asks: "no creation asked for", answer: Answer::Creation },
    world(Stopped, "no instance", |w, is| absent(w, is, "Unknown")),
    world(Stopped, "or one that Failed", |w, is| phase(w, is, "Failed", "Unknown")),
    world(Stopped, "or one that Succeeded", |w, is| phase(w, is, "Succeeded", "Unknown")),
    world(Stopped, "not somebody else's", |w, is| {
        instance(w, |i| set(is, &mut i.owner, Owner::Machine, Owner::Another))
    }),
    world(WaitingForReceiver, "strategy", |w, is| strategy(w, is, "WaitAsReceiver", "Halted")),
    world(WaitingForReceiver, "phase WaitingForSync", |w, is| phase(w, is, "WaitingForSync", "Unknown")),
    world(Unknown, "a phase of no row", |w, is| phase(w, is, "Unknown", "Scheduled")),
];

/// Puts the first of two values in place if it is so, else the other.
fn set<T>(is: bool, place: &mut T, yes: T, no: T) {
    *place = if is { yes } else { no };
}

fn instance(world: &mut World, change: impl FnMut(&mut Instance)) {
    world.instance.as_mut().into_iter().for_each(change);
}

fn phase(world: &mut World, is: bool, yes: &'static str, no: &'static str) {
    instance(world, |instance| set(is, &mut instance.phase, yes, no));
}

/// No instance, or one in this phase.
fn absent(world: &mut World, is: bool, phase: &'static str) {
    world.instance = (!is).then_some(Instance { phase, ..Instance::new() });
}

fn start(world: &mut World, is: bool, yes: Option<&'static str>, no: Option<&'static str>) {
    let migration = |instance: &mut Instance| {
        instance.migration.iter_mut().for_each(|it| set(is, &mut it.start, yes, no))
    };
    instance(world, migration);
}

fn end(world: &mut World, is: bool, yes: Option<&'static str>, no: Option<&'static str>) {
    let migration =
        |instance: &mut Instance| instance.migration.iter_mut().for_each(|it| set(is, &mut it.end, yes, no));
    instance(world, migration);
}

/// False for this reason; else False for the other one, or True.
fn synchronized(world: &mut World, is: bool, reason: &'static str, other: Option<&'static str>) {
    let no = other.map_or(("True", reason), |other| ("False", other));
    instance(world, |instance| set(is, &mut instance.synchronized, Some(("False", reason)), Some(no)));
}

/// The same of a DataVolume's `Running`.
fn running(dv: &mut DataVolume, is: bool, reason: &'static str, other: Option<&'static str>) {
    let no = other.map_or(("True", reason), |other| ("False", other));
    set(is, &mut dv.running, Some(("False", reason)), Some(no));
}

/// Changes the DataVolume of the first volume that has one.
fn dv(world: &mut World, change: impl FnMut(&mut DataVolume)) {
    world.volumes.iter_mut().find_map(|volume| volume.data_volume.as_mut()).into_iter().for_each(change);
}

fn kind(world: &mut World, is: bool, yes: VolumeKind, no: VolumeKind) {
    world.volumes.first_mut().into_iter().for_each(|volume| set(is, &mut volume.kind, yes, no));
}

fn claim(world: &mut World, is: bool, yes: Option<&'static str>, no: Option<&'static str>) {
    world.volumes.first_mut().into_iter().for_each(|volume| set(is, &mut volume.claim, yes, no));
}

fn strategy(world: &mut World, is: bool, yes: &'static str, no: &'static str) {
    world.wants = Wants::strategy(if is { yes } else { no });
}

/// A machine of this strategy with these requests, or those.
fn request(world: &mut World, is: bool, strategy: &'static str, (yes, no): (&[Request], &[Request])) {
    world.wants = Wants::strategy(strategy);
    world.requests = if is { yes } else { no }.to_vec();
}
