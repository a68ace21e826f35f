//! Plays of containers that end: restart policies, and what shows of a crash loop.
//!
//! Ticks come at full seconds, relists at x.502 s: one every 1.00002 s since 100 s before the start, and half a second.

use super::{IMAGE, START, bind, cluster, cluster_of, one_container, pod, run};
use serde_json::json;
use std::time::Duration;
use stuckvm_sim::environment::Program;
use stuckvm_sim::objects::ContainerStatus;
use stuckvm_sim::{Cluster, KubernetesRelease, ObjectId};

/// A pod whose container runs that long each time and ends so; no requeue is jittered.
fn ending(policy: &str, runs: u64, exit_code: i32) -> (Cluster, ObjectId) {
    let mut cluster = cluster();
    cluster.environment_mut().machines.store_image(IMAGE, START);
    let program = Program::ends(Duration::from_secs(runs), exit_code);
    cluster.environment_mut().programs.script("p", "main", vec![program]);
    cluster.random_mut().give_part("kubelet", "p", vec![0; 100]);
    let mut spec = one_container();
    spec["restartPolicy"] = json!(policy);
    let id = bind(&mut cluster, &spec);
    (cluster, id)
}

fn status(cluster: &Cluster, id: ObjectId) -> &ContainerStatus {
    &pod(cluster, id).status.container_statuses[0]
}

#[test]
fn restart_policies_decide_what_an_end_means() {
    for (policy, exit_code, phase, restarts) in [
        ("Never", 0, "Succeeded", false),
        ("Never", 1, "Failed", false),
        ("OnFailure", 0, "Succeeded", false),
        ("OnFailure", 1, "Running", true),
        ("Always", 0, "Running", true),
        ("Always", 1, "Running", true),
    ] {
        let (mut cluster, id) = ending(policy, 1, exit_code);
        run(&mut cluster, 20);
        let shown = (pod(&cluster, id).status.phase.as_str(), status(&cluster, id).restart_count > 0);
        assert_eq!(shown, (phase, restarts), "{policy} and {exit_code}");
    }
}

/// Runs of 5 s. Each end is seen at the next relist, where a sync puts the pod into the work queue until the back-off
/// ends, at most for 60 s; the tick after that syncs again:
///
/// | ends at | seen at | back-off until | syncs |
/// |---|---|---|---|
/// | 5 | 5.502 | - | restarts at once |
/// | 10.502 | 11.502 | 10 s: 20.502 | 21: restart 2 |
/// | 26 | 26.502 | 20 s: 46 | 47: restart 3 |
/// | 52 | 52.503 | 40 s: 92 | 93: restart 4 |
/// | 98 | 98.504 | 80 s: 178 | 159 (60 s later), 179: restart 5 |
///
/// What a sync finds out shows at the next one, so CrashLoopBackOff shows from 159 s on.
#[test]
fn a_crash_loop_shows_its_end_first_and_its_wait_from_80_s_on() {
    let (mut cluster, id) = ending("Always", 5, 1);
    let mut at = 0;
    let mut until = |cluster: &mut Cluster, second: u64| {
        run(cluster, second - at);
        at = second;
    };
    until(&mut cluster, 97);
    assert!(status(&cluster, id).running().is_some());
    assert_eq!(status(&cluster, id).restart_count, 4);
    for second in [99, 158] {
        until(&mut cluster, second);
        assert_eq!(status(&cluster, id).terminated().expect("it has ended").reason, "Error");
    }
    for second in [160, 178] {
        until(&mut cluster, second);
        let waiting = status(&cluster, id).waiting().expect("it waits");
        assert_eq!(waiting.reason, "CrashLoopBackOff");
        assert!(waiting.message.starts_with("back-off 1m20s restarting failed container=main pod=p_ns("));
    }
    until(&mut cluster, 180);
    assert!(status(&cluster, id).running().is_some());
    assert_eq!(status(&cluster, id).restart_count, 5);
    assert_eq!(pod(&cluster, id).status.phase, "Running");
}

/// `SyncPod` tells the status before it starts anything, so that waits for the next relist; 1.36 looks after each sync that
/// has done something.
#[test]
fn before_1_36_what_a_sync_starts_shows_after_the_next_relist() {
    for (release, phase) in [(KubernetesRelease::V1_34, "Pending"), (KubernetesRelease::V1_36, "Running")] {
        let mut cluster = cluster_of(release);
        cluster.environment_mut().machines.store_image(IMAGE, START);
        let id = bind(&mut cluster, &one_container());
        assert_eq!(pod(&cluster, id).status.phase, phase, "{release:?}");
        run(&mut cluster, 1);
        assert_eq!(pod(&cluster, id).status.phase, "Running", "{release:?}, after the relist");
    }
}
