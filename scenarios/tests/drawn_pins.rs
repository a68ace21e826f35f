//! Instants of the catalog that contain draws, derived from the public generator and the loops' phases, without any
//! controller: what the files' comments leave to the seed is added up here.

use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::catalog::{Tree, load_all, select};
use stuckvm_scenarios::format::Span;
use stuckvm_sim::environment::{KubeletStart, Machines};
use stuckvm_sim::{Config, Random, WHOLE};

/// One controller's answer to one change.
const REACTION: Duration = Duration::from_millis(50);
/// A kubelet's tick comes every second.
const TICK: Duration = Duration::from_secs(1);
/// A kubelet's relist comes a second after the end of the one before, which takes 20 µs.
const RELIST: Duration = Duration::from_nanos(1_000_020_000);

/// The seed of these scenarios.
const SEED: u64 = 0;

/// Where 0s is, and the loops of the kubelet of `node-a`; the cluster is a minute older.
fn node_a() -> (Time, KubeletStart) {
    let start = Config::default().start;
    let begin = Time::from_nanos(start.as_nanos() - 60_000_000_000);
    (start, Machines::default().kubelet_start("node-a", begin, SEED))
}

/// The first round of a loop that is later than an instant, as a span from 0s.
fn round_after(first: Time, period: Duration, instant: Duration) -> Duration {
    let (start, _) = node_a();
    let mut round = first;
    while round <= start + instant {
        round = round + period;
    }
    round.saturating_since(start)
}

/// The instant at which the scenario pins that a status is entered.
fn pinned_status(scenario: &str, status: &str) -> Duration {
    let catalog = load_all(&Tree::Embedded).expect("the catalog reads");
    let loaded = &select(catalog, &[scenario.to_owned()]).expect("it is there")[0];
    let pins = loaded.scenario.expect.status.as_ref().expect("it pins statuses");
    let Span(at) = pins.iter().find(|pin| pin.is == status).expect("it pins this one").at;
    at
}

/// The instant at which the scenario pins that its alert fires.
fn pinned_alert(scenario: &str) -> Duration {
    let catalog = load_all(&Tree::Embedded).expect("the catalog reads");
    let loaded = &select(catalog, &[scenario.to_owned()]).expect("it is there")[0];
    let Span(fires) = loaded.scenario.expect.alerts.as_ref().expect("it pins alerts")[0].fires;
    fires
}

#[test]
fn data_volume_error_comes_at_a_relist() {
    // The importer runs at 6.6 s, reads for 1 s and 1 GiB at 100 MB/s, and ends; the next relist sees it. Then importer pod, prime
    // claim, claim and DataVolume, and the VM: four reactions.
    let (_, kubelet) = node_a();
    let read = Duration::from_nanos(10_737_418_240);
    let ends = Duration::from_millis(6_600) + Duration::from_secs(1) + read;
    let derived = round_after(kubelet.relist, RELIST, ends) + 4 * REACTION;
    assert_eq!(pinned_status("data-volume-error/stuck", "DataVolumeError"), derived);
}

#[test]
fn crash_loop_back_off_comes_when_the_loss_is_noticed() {
    // The launcher dies at 3.9 s; the next relist sees it, virt-handler one reaction later. It gives the launcher up to 40 s, which
    // is the first draw of its stream, and fails the instance; the VM follows.
    let (_, kubelet) = node_a();
    let seen = round_after(kubelet.relist, RELIST, Duration::from_millis(3_900)) + REACTION;
    let unnoticed = Random::new(SEED).uniform("virt-handler", 0..=40_000_000_000);
    let derived = seen + Duration::from_nanos(unnoticed) + REACTION;
    assert_eq!(pinned_status("crash-loop-back-off/stuck", "CrashLoopBackOff"), derived);
}

#[test]
fn a_failed_pull_shows_at_a_tick() {
    // The kubelet's first sync ends with the start of the sidecar; when the next would come is the first draw of its stream, but
    // the sidecar's start brings one at once. That pulls the disk, which fails at 4.35 s, or with a registry that takes 30 s at
    // 62.35 s, and ends 1 ms later. The next is put off by 10 s and up to a half of that, by the second draw, and comes with
    // the tick after that. It shows the failure; two reactions later (VMI, VM) the dwell of 300 s begins.
    let (_, kubelet) = node_a();
    for (scenario, fails) in [("image-pull-back-off/stuck", 4_350), ("err-image-pull/stuck", 62_350)] {
        let mut random = Random::new(SEED);
        let [_, stretch] = [(); 2].map(|()| u64::from(random.fraction("kubelet")));
        let stretch = Duration::from_nanos(5_000_000_000 * stretch / u64::from(WHOLE));
        let put_off = Duration::from_millis(fails + 1 + 10_000) + stretch;
        let begins = round_after(kubelet.tick, TICK, put_off) + 2 * REACTION;
        assert_eq!(pinned_alert(scenario), begins + Duration::from_secs(300), "{scenario}");
    }
}
