//! Suite kubelet/images: one call of the image manager after another.

use crate::pod_timeline::{at, difference, list, map, pull, same, seconds, since};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::environment::{Image, Registry};
use stuckvm_sim::kubelet::{
    Ensured, ImageEvent, ImageManager, ImagePuller, ImageRequest, Inspection, PullLimits, Pulled, Ticket,
};
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
    stored: BTreeSet<String>,
    /// Pulls that run, by end and call.
    running: BTreeSet<(Time, usize)>,
    open: BTreeMap<usize, ImageRequest>,
    answers: BTreeMap<usize, Value>,
}

impl<'a> Node<'a> {
    fn new(case: &'a Value) -> Self {
        let config = &case["config"];
        let number = |value: &Value| u32::try_from(value.as_u64().unwrap_or(0)).expect("a small number");
        let parallel = match config["max_parallel_pulls"].as_u64() {
            None => Some(1),
            Some(0) => None,
            Some(_) => Some(number(&config["max_parallel_pulls"])),
        };
        let limits = PullLimits { parallel, qps: number(&config["qps"]), burst: number(&config["burst"]) };
        let mut registry = Registry::default();
        registry.answer = Duration::from_millis(100);
        for (image, entry) in map(&case["images"]) {
            let size = entry["size"].as_u64();
            let with_size = |entry: &Value| {
                let mut pull = pull(entry);
                if let (Ok(image), Some(size_bytes)) = (&mut pull.pull.result, size) {
                    *image = Image { size_bytes };
                }
                pull
            };
            let at_once = json!({"takes": 0.5});
            let pulls = entry["pulls"].as_array().map_or(std::slice::from_ref(&at_once), Vec::as_slice);
            registry.script(image, pulls.iter().map(with_size).collect());
        }
        Self {
            case,
            manager: ImageManager::default(),
            puller: ImagePuller::new(limits),
            registry,
            stored: BTreeSet::new(),
            running: BTreeSet::new(),
            open: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    fn call(&mut self, number: usize, call: &Value, now: Time) {
        let text = |key: &str| call[key].as_str().expect("a text");
        let pods: Vec<&str> = map(&self.case["pods"]).map(|(pod, _)| pod).collect();
        let pod = pods.iter().position(|pod| *pod == text("pod")).expect("a known pod");
        let pod = u32::try_from(pod).expect("few pods");
        let request = ImageRequest { pod, image: text("image").into(), policy: text("policy").into() };
        let mut events = Vec::new();
        let images = &self.case["images"];
        let stored = &self.stored;
        let inspect = |reference: &str| {
            let entry = &images[reference];
            let local = seconds(&entry["local"]).is_some_and(|from| at(from) <= now);
            match entry["inspect_error"].as_str() {
                Some(why) => Inspection::Error(why.into()),
                None if local || stored.contains(reference) => Inspection::Present,
                None => Inspection::Absent,
            }
        };
        let ensured = self.manager.ensure(&request, (now, RELEASE), inspect, &mut events);
        let mut answer = json!({"done": null, "reason": null, "message": "", "events": [], "pulls": []});
        show(&mut answer, now, &events);
        match ensured {
            Ensured::Pull(reference) => {
                answer["reference"] = json!(reference);
                let id = ObjectId { kind: Kind::Pod, index: u32::try_from(number).expect("few calls") };
                self.puller.add(Ticket { pod: id, pod_name: "".into(), reference, since: now });
                self.open.insert(number, request);
                self.answers.insert(number, answer);
                self.begin(now);
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

    fn begin(&mut self, now: Time) {
        while let Some(running) = self.puller.begin(&self.registry, now) {
            let number = running.ticket.pod.index as usize;
            self.running.insert((running.end(), number));
            if running.asked {
                let answer = self.answers.get_mut(&number).expect("the call is open");
                answer["pulls"] = json!([{"t": since(now), "image": running.ticket.reference}]);
            }
        }
    }

    /// Ends the pulls that end not later than an instant.
    fn finish(&mut self, until: Time) {
        while let Some((end, number)) = self.running.first().copied().filter(|(end, _)| *end <= until) {
            self.running.pop_first();
            let id = ObjectId { kind: Kind::Pod, index: u32::try_from(number).expect("few calls") };
            let running = self.puller.end(id);
            self.begin(end);
            let pulled = Pulled {
                took: end.saturating_since(running.started),
                waited: end.saturating_since(running.ticket.since),
                result: running.pull.result,
            };
            let request = self.open.remove(&number).expect("the call is open");
            let mut events = Vec::new();
            let result = self.manager.pulled(&request, (end, RELEASE), &pulled, &mut events);
            let mut answer = self.answers.remove(&number).expect("the call is open");
            show(&mut answer, end, &events);
            match result {
                Ok(()) => {
                    let reference = running.ticket.reference.to_string();
                    answer["ref"] = json!(format!("id:{reference}"));
                    self.stored.insert(reference);
                }
                Err(error) => {
                    answer["reason"] = json!(error.reason);
                    answer["message"] = json!(error.message);
                }
            }
            self.answers.insert(number, answer);
            self.close(number, &request, end);
        }
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

fn show(answer: &mut Value, now: Time, events: &[ImageEvent]) {
    let list = answer["events"].as_array_mut().expect("a list");
    list.extend(events.iter().map(|event| {
        json!({"t": since(now), "type": event.severity.as_str(), "reason": event.reason, "message": event.message})
    }));
}
