//! Suite kubelet/images: one call of the image manager after another.

use crate::pod_timeline::{at, difference, list, map, pull, same, seconds, since};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::environment::{Credential, Image, Registry};
use stuckvm_sim::kubelet::{
    Begun, CredentialVerification, Ensured, ImageEvent, ImageManager, ImagePuller, ImageRequest, Inspection,
    PullLimits, Running, Ticket, order_of_waking,
};
use stuckvm_sim::objects::Secret;
use stuckvm_sim::{Kind, KubernetesRelease, ObjectId};

const RELEASE: KubernetesRelease = KubernetesRelease::V1_36;

/// Plays a case; `Err` tells what differs first.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let mut node = Node::new(case);
    let calls = list(case, "calls");
    for (number, call) in calls.iter().enumerate() {
        let now = at(seconds(&call["at"]).expect("a time"));
        node.finish(now);
        node.call(number, call, now);
    }
    node.finish(Time::MAX);
    for (number, want) in list(case, "expect").iter().enumerate() {
        let got = &node.answers[&number];
        if !same(want, got) {
            return Err(format!("call {number}: {}", difference(want, got)));
        }
    }
    Ok(())
}

struct Node<'a> {
    case: &'a Value,
    manager: ImageManager,
    puller: ImagePuller,
    registry: Registry,
    /// Images that were pulled, with their sizes.
    stored: BTreeMap<String, u64>,
    /// Pulls that run, by end and call.
    running: BTreeSet<(Time, usize)>,
    open: BTreeMap<usize, ImageRequest>,
    answers: BTreeMap<usize, Value>,
}

impl<'a> Node<'a> {
    fn new(case: &'a Value) -> Self {
        Self {
            case,
            manager: ImageManager::new(verification(&case["config"])),
            puller: ImagePuller::new(pull_limits(&case["config"])),
            registry: registry(case),
            stored: BTreeMap::new(),
            running: BTreeSet::new(),
            open: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    fn inspect(&self, reference: &str, now: Time) -> Inspection {
        let entry = &self.case["images"][reference];
        let local = seconds(&entry["local"]).is_some_and(|from| at(from) <= now);
        match (entry["inspect_error"].as_str(), self.stored.get(reference)) {
            (Some(why), _) => Inspection::Error(why.into()),
            (None, Some(size)) => Inspection::Present { size_bytes: *size },
            (None, None) if local => Inspection::Present { size_bytes: 0 },
            (None, None) => Inspection::Absent,
        }
    }

    fn call(&mut self, number: usize, call: &Value, now: Time) {
        let request = self.request(call);
        let mut events = Vec::new();
        let mut manager = std::mem::take(&mut self.manager);
        let inspect = |reference: &str| self.inspect(reference, now);
        let ensured = manager.ensure(&request, (now, RELEASE), inspect, &mut events);
        self.manager = manager;
        let mut answer = json!({"done": null, "reason": null, "message": "", "events": [], "pulls": []});
        show(&mut answer, now, &events);
        match ensured {
            Ensured::Pull { reference, credentials } => {
                let ticket =
                    Ticket { pod: id(number), pod_name: "".into(), reference, credentials, since: now };
                self.puller.add(ticket);
                self.open.insert(number, request);
                self.answers.insert(number, answer);
                let refused = self.begin(now);
                self.wake(refused, now);
                return;
            }
            Ensured::Failed(error) => {
                answer["reason"] = json!(error.reason);
                answer["message"] = json!(error.message);
            }
            Ensured::Present => {
                answer["message"] = json!(events[0].message);
                let image = request.image.to_string();
                let tagged =
                    image.contains('@') || image.rsplit('/').next().is_some_and(|name| name.contains(':'));
                answer["ref"] = json!(format!("id:{image}{}", if tagged { "" } else { ":latest" }));
            }
        }
        self.answers.insert(number, answer);
        self.close(number, &request, now);
    }

    /// Pods of one UID are one to the image manager.
    fn request(&self, call: &Value) -> ImageRequest {
        let text = |key: &str| call[key].as_str().expect("a text");
        let pod = &self.case["pods"][text("pod")];
        let uids: BTreeSet<&str> =
            map(&self.case["pods"]).filter_map(|(_, pod)| pod["uid"].as_str()).collect();
        let place = uids.iter().position(|uid| pod["uid"] == **uid).expect("a known pod");
        ImageRequest {
            pod: u32::try_from(place).expect("few pods"),
            image: text("image").into(),
            policy: text("policy").into(),
            secrets: list(pod, "secrets").iter().map(secret).collect(),
        }
    }

    /// Begins what pulls may begin; returns the calls whose pulls were refused.
    fn begin(&mut self, now: Time) -> Vec<ObjectId> {
        let mut refused = Vec::new();
        while let Some(begun) = self.puller.begin(&self.registry, now) {
            match begun {
                Begun::Asked(running) => follow(running, now, &mut self.running, &mut self.answers),
                Begun::Refused(call) => refused.push(call),
            }
        }
        refused
    }

    /// Ends the pulls that end not later than an instant.
    fn finish(&mut self, until: Time) {
        while let Some((end, number)) = self.running.first().copied().filter(|(end, _)| *end <= until) {
            self.running.pop_first();
            if let Some(running) = self.puller.try_next_credential(id(number), &self.registry, end) {
                follow(running, end, &mut self.running, &mut self.answers);
                continue;
            }
            self.puller.end(id(number));
            let mut ended = vec![id(number)];
            ended.extend(self.begin(end));
            self.wake(ended, end);
        }
    }

    fn wake(&mut self, ended: Vec<ObjectId>, now: Time) {
        for call in order_of_waking(ended) {
            let running = self.puller.take(call).expect("the pull has ended");
            self.end(call.index as usize, running, now);
        }
    }

    fn end(&mut self, number: usize, running: Running, end: Time) {
        let reference = running.ticket.reference.to_string();
        if let Ok(image) = &running.pull.result {
            self.stored.insert(reference.clone(), image.size_bytes);
        }
        let pulled = running.outcome(end, self.inspect(&reference, end));
        let request = self.open.remove(&number).expect("the call is open");
        let mut events = Vec::new();
        let result = self.manager.pulled(&request, (end, RELEASE), &pulled, &mut events);
        let mut answer = self.answers.remove(&number).expect("the call is open");
        show(&mut answer, end, &events);
        match result {
            Ok(()) => answer["ref"] = json!(format!("id:{reference}")),
            Err(error) => {
                answer["reason"] = json!(error.reason);
                answer["message"] = json!(error.message);
            }
        }
        self.answers.insert(number, answer);
        self.close(number, &request, end);
    }

    fn close(&mut self, number: usize, request: &ImageRequest, now: Time) {
        let answer = self.answers.get_mut(&number).expect("the call is open");
        let answer = answer.as_object_mut().expect("a map");
        answer.insert("done".into(), json!(since(now)));
        let backoff: Duration = self.manager.backoff(request.pod, &request.image);
        answer.insert("back_off".into(), json!(backoff.as_secs_f64()));
        answer.remove("reference");
        if answer["pulls"].as_array().is_some_and(Vec::is_empty) {
            answer.remove("pulls");
        }
    }
}

fn pull_limits(config: &Value) -> PullLimits {
    let number = |key: &str| u32::try_from(config[key].as_u64().unwrap_or(0)).expect("a small number");
    let parallel = match config["max_parallel_pulls"].as_u64() {
        None => Some(1),
        Some(0) => None,
        Some(_) => Some(number("max_parallel_pulls")),
    };
    PullLimits { parallel, qps: number("qps"), burst: number("burst") }
}

fn verification(config: &Value) -> CredentialVerification {
    match config["verify"].as_str().expect("a policy") {
        "NeverVerify" => CredentialVerification::NeverVerify,
        "NeverVerifyPreloadedImages" => CredentialVerification::NeverVerifyPreloadedImages,
        "NeverVerifyAllowlistedImages" => {
            let allowed = list(config, "allowlist").iter().filter_map(Value::as_str);
            CredentialVerification::NeverVerifyAllowlistedImages(allowed.map(Into::into).collect())
        }
        "AlwaysVerify" => CredentialVerification::AlwaysVerify,
        other => panic!("no such policy: {other}"),
    }
}

fn registry(case: &Value) -> Registry {
    let mut registry = Registry::default();
    registry.answer = Duration::from_millis(100);
    let at_once = json!({"takes": 0.5});
    for (image, entry) in map(&case["images"]) {
        let size = entry["size"].as_u64();
        let with_size = |entry: &Value| {
            let mut pull = pull(entry);
            if let (Ok(image), Some(size_bytes)) = (&mut pull.pull.result, size) {
                *image = Image { size_bytes };
            }
            pull
        };
        let pulls = entry["pulls"].as_array().map_or(std::slice::from_ref(&at_once), Vec::as_slice);
        registry.script(image, pulls.iter().map(with_size).collect());
        if let Some((user, password)) = entry["private"].as_str().and_then(|only| only.split_once(':')) {
            registry.protect(image, Credential { user: user.into(), password: password.into() });
        }
    }
    registry
}

/// A pull secret as `kubectl create secret docker-registry` makes it.
fn secret(given: &Value) -> Arc<Secret> {
    let registry = given["registry"].as_str().expect("a host");
    let auths = json!({registry: {"username": given["user"], "password": given["password"]}});
    let manifest = json!({
        "metadata": {"name": given["name"], "uid": given["uid"], "namespace": "default"},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": json!({"auths": auths}).to_string()},
    });
    Arc::new(serde_json::from_value(manifest).expect("a Secret"))
}

/// The ticket of a call.
fn id(number: usize) -> ObjectId {
    ObjectId { kind: Kind::Pod, index: u32::try_from(number).expect("few calls") }
}

/// Waits for the runtime's answer and notes what it was asked.
fn follow(
    running: &Running,
    now: Time,
    ends: &mut BTreeSet<(Time, usize)>,
    answers: &mut BTreeMap<usize, Value>,
) {
    let number = running.ticket.pod.index as usize;
    ends.insert((running.end(), number));
    let mut pull = json!({"t": since(now), "image": running.ticket.reference});
    if let Some(shown) = running.credential() {
        pull["user"] = json!(shown.credential.user);
    }
    let answer = answers.get_mut(&number).expect("the call is open");
    answer["pulls"].as_array_mut().expect("a list").push(pull);
}

fn show(answer: &mut Value, now: Time, events: &[ImageEvent]) {
    let list = answer["events"].as_array_mut().expect("a list");
    list.extend(events.iter().map(|event| {
        json!({"t": since(now), "type": event.severity.as_str(), "reason": event.reason, "message": event.message})
    }));
}
