//! Random worlds. Words that decide an answer come often, others now and then.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{
    DataVolume, FUTURE, Instance, Migration, NOW, Owner, PAST, Request, Volume, VolumeKind, Wants, World,
};

/// The run strategies, and a word that is none.
const STRATEGIES: [&str; 7] =
    ["Always", "Halted", "Manual", "RerunOnFailure", "Once", "WaitAsReceiver", "Sometimes"];
const PHASES: [&str; 9] =
    ["", "Pending", "Scheduling", "Scheduled", "Running", "Succeeded", "Failed", "WaitingForSync", "Unknown"];
const TRUTHS: [&str; 3] = ["True", "False", "Unknown"];
const SYNCHRONIZED: [&str; 4] = ["FailedPvcNotFound", "ErrImagePull", "ImagePullBackOff", "FailedCreate"];
const SCHEDULED: [&str; 2] = ["Unschedulable", "SchedulerError"];
const DATA_VOLUME_PHASES: [&str; 7] =
    ["", "Pending", "PendingPopulation", "WaitForFirstConsumer", "ImportInProgress", "Succeeded", "Failed"];
const RUNNING: [&str; 4] = ["Error", "ImagePullFailed", "Completed", "Pod is running"];
const CLAIM_PHASES: [&str; 4] = ["Pending", "Bound", "Lost", ""];

const KINDS: [VolumeKind; 4] =
    [VolumeKind::DataVolume, VolumeKind::Claim, VolumeKind::Dump, VolumeKind::Image];
const REQUESTS: [Request; 5] =
    [Request::Start, Request::Stop, Request::StopOther, Request::StopAny, Request::StartThis];

/// Any world.
pub(crate) fn world() -> impl Strategy<Value = World> {
    let requests = vec(select(&REQUESTS), 0..3);
    let failures = option::of(select(&[0, 1, 4]));
    let wanted = select(&["", "Always", "Halted", "Manual", "RerunOnFailure", "Once"]);
    let parts = (wants(), rarely(), requests, failures, wanted, option::weighted(0.7, instance()), volumes());
    parts.prop_map(|(wants, deleting, requests, failures, wanted, instance, volumes)| World {
        wants,
        deleting,
        requests,
        failures,
        wanted,
        instance,
        volumes,
    })
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.05)
}

/// Mostly a strategy; else the old field, neither or both.
fn wants() -> impl Strategy<Value = Wants> {
    let strategy = option::of(select(&STRATEGIES));
    prop_oneof![
        6 => select(&STRATEGIES).prop_map(Wants::strategy),
        1 => (any::<Option<bool>>(), strategy).prop_map(|(running, strategy)| Wants { running, strategy }),
    ]
}

fn instance() -> impl Strategy<Value = Instance> {
    let owner = prop_oneof![8 => Just(Owner::Machine), 1 => Just(Owner::Nobody), 1 => Just(Owner::Another)];
    let of = |reasons: &'static [&'static str]| option::of((select(&TRUTHS), select(reasons)));
    let conditions = (option::weighted(0.3, select(&TRUTHS)), of(&SYNCHRONIZED), of(&SCHEDULED));
    let parts =
        (owner, rarely(), select(&PHASES), any::<bool>(), conditions, option::weighted(0.2, migration()));
    parts.prop_map(|(owner, deleting, phase, ran, (paused, synchronized, scheduled), migration)| Instance {
        owner,
        deleting,
        phase,
        ran,
        paused,
        synchronized,
        scheduled,
        migration,
    })
}

fn migration() -> impl Strategy<Value = Migration> {
    let instant = || option::of(select(&[PAST, NOW, FUTURE]));
    (instant(), instant()).prop_map(|(start, end)| Migration { start, end })
}

fn volumes() -> impl Strategy<Value = Vec<Volume>> {
    let running = option::of((select(&TRUTHS), select(&RUNNING)));
    let data_volume = (select(&DATA_VOLUME_PHASES), option::of(select(&TRUTHS)), running);
    let data_volume = data_volume.prop_map(|(phase, bound, running)| DataVolume { phase, bound, running });
    let parts =
        (select(&KINDS), rarely(), option::weighted(0.6, data_volume), option::of(select(&CLAIM_PHASES)));
    let volume = parts.prop_map(|(kind, templated, data_volume, claim)| Volume {
        kind,
        templated,
        data_volume,
        claim,
    });
    vec(volume, 0..3)
}
