//! The start of one container, Kubernetes 1.36.2: `pkg/kubelet/kuberuntime/kuberuntime_container.go`
//! (`startContainer`), with its image from the image manager.

use super::image_manager::{Ensured, ImageError, ImageEvent, ImageRequest};
use super::image_puller::{Begun, Running, Ticket, order_of_waking};
use super::pod_worker::{Step, Turn};
use super::profile::ContainerName;
use super::runtime::{ContainerRecord, Exit, RunState, Slots};
use super::status::Reason;
use super::task::{Task, run_number};
use crate::context::{Context, EventType};
use crate::environment::{Program, RuntimeRequest};
use crate::kind::ObjectId;
use arcstr::{ArcStr, literal};
use std::sync::Arc;
use std::time::Duration;
use stuckvm_detector::Time;

use super::node::NodeState;

impl Turn<'_, '_> {
    /// Sees to the image of a container; `None`: it is being pulled, and the sync goes on after that.
    pub(super) fn ensure_image(&mut self, slot: usize) -> Option<Result<(), Reason>> {
        let request = self.image_request(slot);
        let mut events = Vec::new();
        let context = (self.cx.now, self.cx.config.kubernetes);
        let mut images = std::mem::take(&mut self.node.images);
        let inspect = |reference: &str| self.node.inspect(reference, self.cx);
        let ensured = images.ensure(&request, context, inspect, &mut events);
        self.node.images = images;
        self.image_events(slot, &events);
        match ensured {
            Ensured::Present => Some(Ok(())),
            Ensured::Failed(error) => Some(Err(self.image_failed(slot, error))),
            Ensured::Pull { reference, credentials } => {
                self.worker.step = Step::Pull(slot);
                let pod_name = self.worker.pod.metadata.name.clone();
                let ticket = Ticket { pod: self.id, pod_name, reference, credentials, since: self.cx.now };
                self.node.puller.add(ticket);
                let refused = begin_pulls(self.node, self.cx);
                wake(refused, self.cx);
                None
            }
        }
    }

    /// The runtime has answered a pull.
    pub(super) fn answered(&mut self) {
        let now = self.cx.now;
        let registry = &self.cx.environment.registry;
        if let Some(running) = self.node.puller.take(self.id) {
            self.pulled(running);
        } else if let Some(running) = self.node.puller.try_next_credential(self.id, registry, now) {
            follow(running, self.cx);
        } else {
            self.node.puller.end(self.id);
            let mut ended = vec![self.id];
            ended.extend(begin_pulls(self.node, self.cx));
            match ended[..] {
                [_] => self.answered(),
                _ => wake(ended, self.cx),
            }
        }
    }

    fn pulled(&mut self, running: Running) {
        let Step::Pull(slot) = self.worker.step else { unreachable!("an image was being pulled") };
        let now = self.cx.now;
        let reference = running.ticket.reference.clone();
        if let Ok(image) = &running.pull.result {
            self.node.stored.insert(reference.clone(), image.size_bytes);
        }
        let pulled = running.outcome(now, self.node.inspect(&reference, self.cx));
        let request = self.image_request(slot);
        let mut events = Vec::new();
        let context = (now, self.cx.config.kubernetes);
        let result = self.node.images.pulled(&request, context, &pulled, &mut events);
        self.image_events(slot, &events);
        match result {
            Ok(()) if !self.create_container(slot) => return,
            Ok(()) => {}
            Err(error) => {
                let reason = self.image_failed(slot, error);
                self.start_failed(slot, reason);
            }
        }
        self.start_next();
    }

    /// Makes and starts a container; returns whether that is done, well or not.
    pub(super) fn create_container(&mut self, slot: usize) -> bool {
        let message = self.container_name().created(&self.worker.pod.container(slot).name);
        self.container_event(slot, EventType::Normal, "Created", &message);
        let latency = self.cx.config.latency.container_start;
        if latency == Duration::ZERO {
            self.start_container(slot);
            return true;
        }
        self.worker.step = Step::Start(slot);
        let number = u32::try_from(slot).expect("a pod has few containers");
        self.cx.complete_after(latency, Task::Started.of(self.id, number));
        false
    }

    fn container_name(&self) -> ContainerName {
        self.profile().container_name
    }

    /// The runtime has started a container, or failed to.
    pub(super) fn started(&mut self, slot: usize) {
        assert_eq!(self.worker.step, Step::Start(slot), "this container was being started");
        self.start_container(slot);
        self.start_next();
    }

    fn start_container(&mut self, slot: usize) {
        let pod = Arc::clone(&self.worker.pod);
        let container = pod.container(slot);
        let snapshot = self.worker.plan.snapshot.as_ref().expect("a sync has a snapshot");
        let restarts = snapshot.newest(slot).map_or(0, |before| before.restarts + 1);
        let program = self.cx.environment.program(&self.cx.config.latency, &pod, container, restarts);
        if let Some(error) = program.start_error {
            self.start_error(slot, restarts, error);
            return;
        }
        let now = self.cx.now;
        self.cx.environment.runtime_log.push(|| RuntimeRequest::Start {
            at: now,
            pod: pod.metadata.name.clone(),
            container: container.name.clone(),
            attempt: restarts,
        });
        let record = ContainerRecord { restarts, state: RunState::Running { started: now } };
        Arc::make_mut(&mut self.worker.runtime).add(slot, record);
        self.changed();
        let message = self.container_name().started(&container.name);
        self.container_event(slot, EventType::Normal, "Started", &message);
        if let Some(runs) = program.runs {
            self.cx.complete_after(runs, Task::Exited.of(self.id, run_number(slot, restarts)));
        }
        if program != Program::forever() {
            self.worker.programs.push((slot, Box::new(program)));
        }
        self.start_succeeded(slot);
    }

    /// The runtime keeps a container that could not be started as one that has exited.
    fn start_error(&mut self, slot: usize, restarts: u32, error: ArcStr) {
        let exit = Exit {
            code: 128,
            reason: literal!("StartError"),
            message: error.clone(),
            // containerd leaves the time unset, which the API shows as 1970.
            started: Some(Time::ZERO),
            finished: Some(self.cx.now),
        };
        let record = ContainerRecord { restarts, state: RunState::Exited(Box::new(exit)) };
        Arc::make_mut(&mut self.worker.runtime).add(slot, record);
        self.changed();
        self.container_event(slot, EventType::Warning, "Failed", &format!("Error: {error}"));
        self.start_failed(slot, Reason { reason: literal!("RunContainerError"), message: error });
    }

    fn image_request(&self, slot: usize) -> ImageRequest {
        let container = self.worker.pod.container(slot);
        let policy = if container.image_pull_policy.is_empty() {
            default_policy(&container.image)
        } else {
            container.image_pull_policy.clone()
        };
        let secrets = self.worker.plan.pull_secrets.clone();
        ImageRequest { pod: self.id.index, image: container.image.clone(), policy, secrets }
    }

    fn image_failed(&mut self, slot: usize, ImageError { reason, message }: ImageError) -> Reason {
        self.container_event(slot, EventType::Warning, "Failed", &format!("Error: {reason}"));
        Reason { reason, message }
    }

    fn image_events(&mut self, slot: usize, events: &[ImageEvent]) {
        for event in events {
            self.container_event(slot, event.severity, event.reason, &event.message);
        }
    }
}

/// Begins what pulls may begin on a node; returns the pods whose pulls were refused.
fn begin_pulls(node: &mut NodeState, cx: &mut Context<'_>) -> Vec<ObjectId> {
    let mut refused = Vec::new();
    while let Some(begun) = node.puller.begin(&cx.environment.registry, cx.now) {
        match begun {
            Begun::Asked(running) => follow(running, cx),
            Begun::Refused(pod) => refused.push(pod),
        }
    }
    refused
}

/// Lets pods hear of pulls that have ended.
fn wake(ended: Vec<ObjectId>, cx: &mut Context<'_>) {
    for pod in order_of_waking(ended) {
        cx.complete_at(cx.now, Task::Pulled.of(pod, 0));
    }
}

/// Waits for the runtime's answer to a request.
fn follow(running: &Running, cx: &mut Context<'_>) {
    let (at, end) = (cx.now, running.end());
    cx.environment.runtime_log.push(|| RuntimeRequest::Pull {
        at,
        pod: running.ticket.pod_name.clone(),
        image: running.ticket.reference.clone(),
        end,
        error: running.pull.result.as_ref().err().cloned(),
    });
    cx.complete_at(end, Task::Pulled.of(running.ticket.pod, 0));
}

/// The pull policy where none is written, `pkg/apis/core/v1/defaults.go`.
fn default_policy(image: &str) -> ArcStr {
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest = !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if latest { literal!("Always") } else { literal!("IfNotPresent") }
}
