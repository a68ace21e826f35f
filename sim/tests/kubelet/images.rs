//! Plays of images: policies, names, queues of pulls, and who may use what.
//!
//! A registry answers after 1 s and gives 100 MB/s. Ticks come at full seconds, relists half a second later.

use super::{IMAGE, START, bind_named, cluster, events, one_container, pod, reason, run};
use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::environment::{Credential, Image, RuntimeRequest};
use stuckvm_sim::kubelet::{CredentialVerification, PullLimits};
use stuckvm_sim::{Cluster, Object};

fn container(image: &str, policy: &str) -> Value {
    json!({"containers": [{"name": "main", "image": image, "imagePullPolicy": policy}]})
}

/// When which pod's pulls began, in seconds.
fn pulls(cluster: &mut Cluster) -> Vec<(u64, String)> {
    let requests = cluster.environment_mut().runtime_log.take();
    let pulls = requests.into_iter().filter_map(|request| match request {
        RuntimeRequest::Pull { at, pod, .. } => Some((at.saturating_since(START).as_secs(), pod.to_string())),
        _ => None,
    });
    pulls.collect()
}

/// A pod with a slow image and, 5 s later, one with a bad image, on a node that pulls so.
fn slow_and_bad(limits: PullLimits) -> Cluster {
    let mut cluster = cluster();
    let environment = cluster.environment_mut();
    environment.machines.limit_pulls(limits);
    environment.runtime_log.keep();
    environment.registry.push(IMAGE, Image { size_bytes: 2_900_000_000 });
    bind_named(&mut cluster, "slow", &one_container());
    run(&mut cluster, 5);
    bind_named(&mut cluster, "bad", &container("registry.example/bad:v1", "IfNotPresent"));
    cluster
}

#[test]
fn pulls_wait_for_each_other_unless_they_may_run_side_by_side() {
    let mut serial = slow_and_bad(PullLimits::default());
    run(&mut serial, 26);
    // 1 s and 2.9 GB at 100 MB/s.
    assert_eq!(pulls(&mut serial), [(0, "slow".to_owned()), (30, "bad".to_owned())]);

    let mut parallel = slow_and_bad(PullLimits { parallel: Some(2), ..PullLimits::default() });
    run(&mut parallel, 5);
    assert_eq!(pulls(&mut parallel), [(0, "slow".to_owned()), (5, "bad".to_owned())]);
}

#[test]
fn a_pod_that_never_pulls_waits_until_its_image_is_there() {
    let mut cluster = cluster();
    cluster.environment_mut().runtime_log.keep();
    let id = bind_named(&mut cluster, "p", &container(IMAGE, "Never"));
    run(&mut cluster, 1);
    assert_eq!(reason(&cluster, id), "ErrImageNeverPull");
    let now = cluster.now();
    cluster.environment_mut().machines.store_image(IMAGE, now);
    // The second sync was at 0.5 s; the third comes 10 s to 15 s after it, at a tick.
    run(&mut cluster, 15);
    assert_eq!(pod(&cluster, id).status.phase, "Running");
    assert!(pulls(&mut cluster).is_empty());
    assert_eq!(events(&mut cluster, "ErrImageNeverPull"), 2);
}

#[test]
fn a_pod_that_always_pulls_pulls_what_is_there() {
    let mut cluster = cluster();
    cluster.environment_mut().runtime_log.keep();
    cluster.environment_mut().machines.store_image(IMAGE, START);
    cluster.environment_mut().registry.push(IMAGE, Image { size_bytes: 1 });
    bind_named(&mut cluster, "always", &container(IMAGE, "Always"));
    run(&mut cluster, 2);
    bind_named(&mut cluster, "if-not-present", &container(IMAGE, "IfNotPresent"));
    run(&mut cluster, 2);
    assert_eq!(pulls(&mut cluster), [(0, "always".to_owned())]);
}

/// While a pull is under way, what came along counts as pulled by the kubelet, and nobody knows yet who may use it.
#[test]
fn a_pull_under_way_puts_what_is_there_in_doubt() {
    let mut cluster = cluster();
    cluster.environment_mut().runtime_log.keep();
    cluster.environment_mut().machines.store_image(IMAGE, START);
    cluster.environment_mut().registry.push(IMAGE, Image { size_bytes: 1 });
    bind_named(&mut cluster, "always", &container(IMAGE, "Always"));
    bind_named(&mut cluster, "if-not-present", &container(IMAGE, "IfNotPresent"));
    run(&mut cluster, 3);
    assert_eq!(pulls(&mut cluster), [(0, "always".to_owned()), (1, "if-not-present".to_owned())]);
}

#[test]
fn a_name_that_is_none_is_never_pulled() {
    let mut cluster = cluster();
    cluster.environment_mut().runtime_log.keep();
    let id = bind_named(&mut cluster, "p", &container("registry.example/Disk:v1", "Always"));
    run(&mut cluster, 60);
    assert_eq!(reason(&cluster, id), "InvalidImageName");
    assert!(pulls(&mut cluster).is_empty());
}

/// The Secret `s` with a credential for the registry.
fn secret(password: &str) -> Object {
    let auths = json!({"registry.example": {"username": "bob", "password": password}});
    let manifest = json!({
        "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}, "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": json!({"auths": auths}).to_string()},
    });
    Object::from_value(&manifest).expect("a Secret").expect("a kind that is modelled")
}

fn with_secret() -> Value {
    let mut spec = one_container();
    spec["imagePullSecrets"] = json!([{"name": "s"}]);
    spec
}

/// A cluster with a private image.
fn private(policy: CredentialVerification) -> Cluster {
    let mut cluster = cluster();
    let environment = cluster.environment_mut();
    environment.machines.verify_credentials(policy);
    environment.registry.push(IMAGE, Image { size_bytes: 1 });
    environment.registry.protect(IMAGE, Credential { user: "bob".into(), password: "pw".into() });
    cluster
}

#[test]
fn a_private_image_is_refused_until_the_pods_secret_is_there() {
    let mut cluster = private(CredentialVerification::default());
    let id = bind_named(&mut cluster, "p", &with_secret());
    // Refused after 2 s: the registry asks for a token, and there is none.
    run(&mut cluster, 3);
    assert_eq!(reason(&cluster, id), "ErrImagePull");
    let status = &pod(&cluster, id).status.container_statuses[0];
    assert!(status.waiting().expect("it waits").message.contains("insufficient_scope"));
    assert_eq!(events(&mut cluster, "FailedToRetrieveImagePullSecret"), 2);
    cluster.apply(&secret("pw")).expect("the Secret is new");
    // The back-off is over 10 s after the refusal; the look after the one at 2.5 s comes within 16 s and pulls.
    run(&mut cluster, 18);
    assert_eq!(pod(&cluster, id).status.phase, "Running");
}

#[test]
fn an_image_that_another_pod_pulled_must_be_pulled_again_without_its_secret() {
    for (policy, expected) in [
        (CredentialVerification::NeverVerifyPreloadedImages, "ErrImagePull"),
        (CredentialVerification::NeverVerify, ""),
    ] {
        let mut cluster = private(policy);
        cluster.apply(&secret("pw")).expect("the Secret is new");
        bind_named(&mut cluster, "first", &with_secret());
        run(&mut cluster, 2);
        let same = bind_named(&mut cluster, "same", &with_secret());
        let other = bind_named(&mut cluster, "other", &one_container());
        run(&mut cluster, 4);
        assert_eq!(pod(&cluster, same).status.phase, "Running");
        assert_eq!(reason(&cluster, other), expected);
    }
}

#[test]
fn a_wrong_secret_comes_to_nothing() {
    let mut cluster = private(CredentialVerification::default());
    cluster.apply(&secret("guess")).expect("the Secret is new");
    let id = bind_named(&mut cluster, "p", &with_secret());
    let until: Time = cluster.now() + Duration::from_secs(120);
    cluster.run_until(until).expect("it comes to rest");
    assert_eq!(pod(&cluster, id).status.phase, "Pending");
}
