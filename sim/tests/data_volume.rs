//! Imports from the DataVolume to the bound claim. The test plays binder, scheduler and kubelet.

use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::environment::{Program, Source};
use stuckvm_sim::objects::{
    Conditions, Container, ContainerState, ContainerStatus, DataVolume, PersistentVolume,
    PersistentVolumeClaim, Pod, Running, Terminated, Truth, VolumeSnapshot, Waiting,
};
use stuckvm_sim::{Cluster, Config, Latency, Object, ObjectId};

const URL: &str = "http://images.example/disk.img";

/// A cluster with CDI's controllers and one DataVolume `default/disk`.
struct Play {
    cluster: Cluster,
}

impl Play {
    /// Creates class and DataVolume, and lets the controllers react.
    fn start(class: &str, provisioner: &str, source: &Value) -> Self {
        Self::start_with(Duration::ZERO, class, provisioner, source)
    }

    /// The same where writes reach the controllers only after a while.
    fn start_with(reaction: Duration, class: &str, provisioner: &str, source: &Value) -> Self {
        let config = Config { latency: Latency { reaction, ..Latency::default() }, ..Config::default() };
        let mut cluster = Cluster::with_some(config, |name| {
            matches!(
                name,
                "data-volume"
                    | "import"
                    | "upload"
                    | "import-populator"
                    | "upload-populator"
                    | "pvc-protection"
            )
        });
        apply_all(&mut cluster, &[storage_class(class, provisioner), data_volume(class, source)]);
        Self { cluster }
    }

    fn import(source: &Value) -> Self {
        Self::start("csi", "csi.example.com", source)
    }

    fn http() -> Self {
        Self::import(&json!({ "http": { "url": URL, "checksum": "sha256:0123" } }))
    }

    fn dv(&self) -> &DataVolume {
        self.cluster.view().named::<DataVolume>("default", "disk").expect("the DataVolume").1
    }

    fn phase(&self) -> &str {
        &self.dv().status.phase
    }

    /// Status and reason of a condition.
    fn condition(&self, kind: &str) -> (Truth, &str) {
        let condition = self.dv().status.conditions.condition(kind).expect("the condition");
        (condition.status, &condition.reason)
    }

    fn claim(&self, name: &str) -> (ObjectId, PersistentVolumeClaim) {
        let (id, claim) = self.cluster.view().named("default", name).expect("the claim");
        (id, PersistentVolumeClaim::clone(claim))
    }

    /// The claim that the importer fills.
    fn prime(&self) -> (ObjectId, PersistentVolumeClaim) {
        let uid = self.claim("disk").1.metadata.uid;
        self.claim(&format!("prime-{uid}"))
    }

    fn pod(&self) -> Option<(ObjectId, Pod)> {
        self.cluster.view().iter::<Pod>().map(|(id, pod)| (id, Pod::clone(pod))).next()
    }

    fn wait(&mut self, time: Duration) {
        let until = self.cluster.now().checked_add(time).expect("time goes on");
        self.cluster.run_until(until).expect("settled");
    }

    /// Binds a claim to a new volume.
    fn bind(&mut self, id: ObjectId) {
        let claim = self.cluster.view().get::<PersistentVolumeClaim>(id).expect("the claim");
        let volume = format!("pv-{}", claim.metadata.name);
        let volume = json!({
            "kind": "PersistentVolume",
            "metadata": { "name": volume },
            "spec": { "claimRef": {
                "namespace": "default", "name": claim.metadata.name.as_str(), "uid": claim.metadata.uid.as_str()
            } },
            "status": { "phase": "Bound" }
        });
        let volume = Object::from_value(&volume).expect("a manifest").expect("a known kind");
        self.cluster.apply(&volume).expect("created");
        self.cluster
            .patch::<PersistentVolumeClaim>(id, |claim| {
                claim.spec.volume_name = volume.metadata().name.clone();
                claim.status.phase = "Bound".into();
            })
            .expect("bound");
        self.cluster.settle().expect("settled");
    }

    /// Sets the state of the importer container.
    fn container(&mut self, phase: &str, restarts: u32, state: ContainerState) {
        let (id, _) = self.pod().expect("the importer pod");
        self.cluster
            .patch::<Pod>(id, |pod| {
                pod.status.phase = phase.into();
                pod.status.container_statuses = vec![ContainerStatus {
                    name: "importer".into(),
                    restart_count: restarts,
                    state: Some(state),
                    ..ContainerStatus::default()
                }]
                .into();
            })
            .expect("patched");
        self.cluster.settle().expect("settled");
    }

    /// Runs the importer once, as the world decides when it starts.
    fn run_importer(&mut self, restarts: u32) -> Program {
        let (_, pod) = self.pod().expect("the importer pod");
        let program = self.program(&pod, &pod.spec.containers[0]);
        let running = Running { started_at: Some(self.cluster.now()) };
        self.container("Running", restarts, ContainerState::Running(running));
        assert_eq!(self.phase(), "ImportInProgress");
        assert_eq!(self.condition("Running"), (Truth::True, "Pod is running"));
        self.wait(program.runs.expect("an importer ends"));
        let (phase, reason) = match program.exit_code {
            0 => ("Succeeded", "Completed"),
            _ => ("Running", "Error"),
        };
        let terminated = Terminated {
            exit_code: program.exit_code,
            reason: reason.into(),
            message: program.message.clone(),
            ..Terminated::default()
        };
        self.container(phase, restarts, ContainerState::Terminated(Box::new(terminated)));
        program
    }

    fn program(&mut self, pod: &Pod, container: &Container) -> Program {
        let latency = self.cluster.config().latency.clone();
        let environment = self.cluster.environment_mut();
        environment.sources.program(&environment.registry, &latency, pod, container)
    }

    /// The binder hands the volume over: the helper claim is lost, the target bound.
    fn finish_rebind(&mut self) {
        let (prime_id, prime) = self.prime();
        let volume = prime.spec.volume_name;
        let (_, bound) = self.cluster.view().named::<PersistentVolume>("", &volume).expect("the volume");
        assert_eq!(bound.spec.claim_ref.as_ref().expect("taken").name, "disk", "the volume was handed over");
        let (target, _) = self.claim("disk");
        self.cluster
            .patch::<PersistentVolumeClaim>(prime_id, |claim| claim.status.phase = "Lost".into())
            .expect("lost");
        self.cluster
            .patch::<PersistentVolumeClaim>(target, |claim| {
                claim.spec.volume_name = volume;
                claim.status.phase = "Bound".into();
            })
            .expect("bound");
        self.cluster.settle().expect("settled");
    }
}

fn put(play: &mut Play, source: Source) {
    play.cluster.environment_mut().sources.put(URL, source);
}

#[test]
fn a_restarted_importer_needs_no_second_pull() {
    let play = Play::http();
    let (_, pod) = play.pod().expect("the importer pod");
    let importer = &pod.spec.containers[0];
    assert_eq!((&*importer.name, &*importer.image_pull_policy), ("importer", "IfNotPresent"));
}

#[test]
fn an_import_fills_a_helper_claim_and_hands_its_volume_over() {
    let mut play = Play::http();
    put(&mut play, Source::Image { size_bytes: 500_000_000 });
    assert_eq!(play.phase(), "Pending");
    let (prime, _) = play.prime();
    assert!(play.pod().is_some(), "the importer pod does not wait for its claim");
    play.bind(prime);
    play.container(
        "Pending",
        0,
        ContainerState::Waiting(Waiting { reason: "ContainerCreating".into(), ..Waiting::default() }),
    );
    assert_eq!(play.phase(), "ImportScheduled");
    let program = play.run_importer(0);
    assert_eq!(program.runs, Some(Duration::from_secs(6)), "the first answer and 5 s of transfer");
    assert_eq!(play.phase(), "Succeeded");
    assert_eq!(play.dv().status.progress, "100.0%");
    assert!(play.pod().is_none(), "the pod is deleted");
    play.finish_rebind();
    assert_eq!(play.condition("Bound"), (Truth::True, "Bound"));
    assert_eq!(play.condition("Ready").0, Truth::True);
    assert_eq!(play.cluster.count::<PersistentVolumeClaim>(), 1, "the helper claim is deleted");
}

#[test]
fn progress_is_told_every_two_seconds() {
    let mut play = Play::http();
    put(&mut play, Source::Image { size_bytes: 800_000_000 });
    let (prime, _) = play.prime();
    play.bind(prime);
    let started_at = Some(play.cluster.now());
    play.container("Running", 0, ContainerState::Running(Running { started_at }));
    assert_eq!(play.dv().status.progress, "N/A");
    play.wait(Duration::from_millis(2_500));
    assert_eq!(play.dv().status.progress, "12.50%", "one second of eight");
    play.wait(Duration::from_secs(2));
    assert_eq!(play.dv().status.progress, "37.50%");
}

#[test]
fn a_404_alternates_until_the_source_answers() {
    let mut play = Play::http();
    let (prime, _) = play.prime();
    play.bind(prime);
    for restarts in 0..3 {
        let program = play.run_importer(restarts);
        assert!(program.message.starts_with("Unable to connect to http data source"), "{}", program.message);
        assert_eq!(play.phase(), "ImportInProgress", "the pod still runs");
        assert_eq!(play.condition("Running"), (Truth::False, "Error"));
        let waiting = Waiting { reason: "CrashLoopBackOff".into(), ..Waiting::default() };
        play.container("Running", restarts, ContainerState::Waiting(waiting));
        assert_eq!(play.condition("Running"), (Truth::False, "Error"), "the last failure stays");
    }
    assert_eq!(play.dv().status.restart_count, 2);
    put(&mut play, Source::Image { size_bytes: 1 });
    play.run_importer(3);
    assert_eq!(play.phase(), "Succeeded");
}

#[test]
fn a_checksum_mismatch_is_final() {
    let mut play = Play::http();
    put(&mut play, Source::ChecksumMismatch { size_bytes: 1 });
    let (prime, _) = play.prime();
    play.bind(prime);
    play.run_importer(0);
    assert_eq!(play.phase(), "Failed");
    assert_eq!(play.condition("Running"), (Truth::False, "ChecksumError"));
    play.wait(Duration::from_secs(600));
    assert!(play.pod().is_none(), "no pod is made again");
    assert_eq!(play.phase(), "Failed");
}

#[test]
fn a_blank_disk_needs_no_source() {
    let mut play = Play::import(&json!({ "blank": {} }));
    let (prime, _) = play.prime();
    play.bind(prime);
    play.run_importer(0);
    assert_eq!(play.phase(), "Succeeded");
}

#[test]
fn without_a_csi_driver_the_claim_is_filled_directly_once_it_is_bound() {
    let mut play = Play::start("local", "kubernetes.io/no-provisioner", &json!({ "http": { "url": URL } }));
    put(&mut play, Source::Image { size_bytes: 1 });
    assert!(play.pod().is_none(), "no pod before the claim is bound");
    let (claim, _) = play.claim("disk");
    play.bind(claim);
    play.run_importer(0);
    assert_eq!(play.phase(), "Succeeded");
    assert_eq!(play.cluster.count::<PersistentVolumeClaim>(), 1);
}

#[test]
fn an_image_that_is_too_large_says_so() {
    let mut play = Play::http();
    put(&mut play, Source::Image { size_bytes: 2_000_000_000 });
    let (prime, _) = play.prime();
    play.bind(prime);
    play.run_importer(0);
    let running = play.dv().status.conditions.condition("Running").expect("the condition").message.clone();
    assert_eq!(running, "DataVolume too small to contain image");
}

#[test]
fn an_import_works_where_everybody_lags_behind() {
    let source = json!({ "http": { "url": URL } });
    let mut play = Play::start_with(Duration::from_millis(50), "csi", "csi.example.com", &source);
    put(&mut play, Source::Image { size_bytes: 200_000_000 });
    play.wait(Duration::from_secs(1));
    let (prime, _) = play.prime();
    play.bind(prime);
    play.wait(Duration::from_secs(1));
    let (_, pod) = play.pod().expect("the importer pod");
    let program = play.program(&pod, &pod.spec.containers[0]);
    let started_at = Some(play.cluster.now());
    play.container("Running", 0, ContainerState::Running(Running { started_at }));
    play.wait(program.runs.expect("an importer ends"));
    let terminated =
        Terminated { message: program.message, reason: "Completed".into(), ..Terminated::default() };
    play.container("Succeeded", 0, ContainerState::Terminated(Box::new(terminated)));
    play.wait(Duration::from_secs(1));
    play.finish_rebind();
    play.wait(Duration::from_secs(1));
    assert_eq!(play.phase(), "Succeeded");
    assert_eq!(play.condition("Bound"), (Truth::True, "Bound"));
    assert_eq!(play.cluster.count::<PersistentVolumeClaim>(), 1);
    assert_eq!(play.cluster.count::<Pod>(), 0);
    assert_eq!(play.cluster.next_at(), None, "nothing is left to do");
}

/// CDI together with the binder and the driver, in virtual time.
fn with_a_driver(objects: &[Value]) -> Cluster {
    let wanted = [
        "data-volume",
        "import",
        "import-populator",
        "clone-populator",
        "pv-binder",
        "provisioner",
        "pvc-protection",
        "snapshotter",
    ];
    let config = Config { latency: Latency::none(), ..Config::default() };
    let mut cluster = Cluster::with_some(config, |name| wanted.contains(&name));
    apply_all(&mut cluster, &[storage_class("csi", "csi.example.com")]);
    apply_all(&mut cluster, objects);
    cluster
}

/// Creates objects, and lets the controllers react.
fn apply_all(cluster: &mut Cluster, objects: &[Value]) {
    for object in objects {
        let object = Object::from_value(object).expect("a manifest").expect("a known kind");
        cluster.apply(&object).expect("created");
    }
    cluster.settle().expect("settled");
}

fn storage_class(name: &str, provisioner: &str) -> Value {
    json!({ "kind": "StorageClass", "metadata": { "name": name }, "provisioner": provisioner })
}

fn data_volume(class: &str, source: &Value) -> Value {
    json!({
        "kind": "DataVolume",
        "metadata": { "name": "disk" },
        "spec": {
            "source": source,
            "pvc": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": class,
                "resources": { "requests": { "storage": "1Gi" } }
            }
        }
    })
}

/// The claims by name, each with its phase.
fn claims(cluster: &Cluster) -> Vec<(String, String)> {
    let claims = cluster.view().iter::<PersistentVolumeClaim>();
    claims.map(|(_, claim)| (claim.metadata.name.to_string(), claim.status.phase.to_string())).collect()
}

#[test]
fn the_driver_leaves_a_claim_alone_that_a_populator_fills() {
    let cluster = with_a_driver(&[data_volume("csi", &json!({ "http": { "url": URL } }))]);
    let claims = claims(&cluster);
    assert_eq!(claims[0], ("disk".into(), "Pending".into()), "its volume comes from the helper claim");
    assert_eq!(claims[1].1, "Bound", "the driver makes a volume for {}", claims[1].0);
}

#[test]
fn a_driver_with_snapshots_clones_by_one() {
    let golden = json!({
        "kind": "PersistentVolumeClaim",
        "metadata": { "name": "golden" },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "csi",
            "resources": { "requests": { "storage": "1Gi" } }
        }
    });
    let snapshots =
        json!({ "kind": "VolumeSnapshotClass", "metadata": { "name": "snap" }, "driver": "csi.example.com" });
    let mut cluster =
        with_a_driver(&[snapshots, data_volume("csi", &json!({ "pvc": { "name": "golden" } }))]);
    let dv = |cluster: &Cluster| {
        let (_, dv) = cluster.view().named::<DataVolume>("default", "disk").expect("the DataVolume");
        (
            dv.status.phase.to_string(),
            dv.status.conditions.condition("Bound").expect("Bound").reason.to_string(),
        )
    };
    assert_eq!(dv(&cluster), (String::new(), "CloneWithoutSource".into()));
    apply_all(&mut cluster, &[golden]);
    // A clone whose source is not bound yet has no size to compare, and tries again.
    let until = cluster.now().checked_add(Duration::from_secs(10)).expect("time goes on");
    cluster.run_until(until).expect("settled");
    assert_eq!(dv(&cluster), ("Succeeded".into(), "Bound".into()));
    let bound = |name: &str| (name.to_owned(), "Bound".to_owned());
    assert_eq!(
        claims(&cluster),
        [bound("golden"), bound("disk")],
        "nothing is left of what was made on the way"
    );
    assert_eq!(cluster.count::<VolumeSnapshot>(), 0);
}
