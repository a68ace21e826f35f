//! The sync of a pod, Kubernetes 1.36.2: `pkg/kubelet/kubelet.go` (`SyncPod`) and
//! `pkg/kubelet/kuberuntime/kuberuntime_manager.go` (`SyncPod`, `doBackOff`).

use super::backoff::{Backoff, FORGET};
use super::go_duration::GoDuration;
use super::kill::AfterKill;
use super::pod_actions;
use super::pod_worker::{Outcome, Stage, Step, Turn};
use super::runtime::{PodRuntime, Sandbox, Slots};
use super::status::Reason;
use super::task::Task;
use crate::context::EventType;
use crate::objects::{Conditions, Secret, Truth};
use arcstr::literal;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use stuckvm_detector::Time;

/// What is left of a sync, and what it came to so far.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What the runtime held when the sync began.
    pub(super) snapshot: Option<Arc<PodRuntime>>,
    /// The pod's pull secrets that exist.
    pub(super) pull_secrets: Vec<Arc<Secret>>,
    create_sandbox: bool,
    /// Slots of containers to start, in order.
    todo: VecDeque<usize>,
    /// Starts that were tried, and why they failed.
    results: Vec<(usize, Option<Reason>)>,
    /// When the first crash back-off ends.
    until: Option<Time>,
    /// Something was started or killed.
    pub(super) acted: bool,
}

impl Turn<'_, '_> {
    /// Begins a sync of a pod that is to run.
    pub(super) fn sync_pod(&mut self) {
        let cache = Arc::clone(&self.worker.cache);
        let status = self.generate(&cache, false);
        if self.set_status(status, true).is_some_and(super::phase::Phase::is_terminal) {
            self.complete(Outcome::Transition);
        } else {
            self.await_volumes();
        }
    }

    pub(super) fn sync_runtime(&mut self) {
        let pull_secrets = self.pull_secrets();
        self.add_probes();
        let snapshot = Arc::clone(&self.worker.cache);
        let actions = pod_actions::compute(&self.worker.pod, &snapshot, &self.verdicts());
        let todo = actions.init.into_iter().chain(actions.regular).collect();
        self.worker.plan = Plan {
            snapshot: Some(snapshot),
            pull_secrets,
            create_sandbox: actions.create_sandbox,
            todo,
            ..Plan::default()
        };
        if actions.kill_pod {
            self.kill_pod(None, AfterKill::StopSandbox);
        } else if actions.kill.is_empty() {
            self.proceed();
        } else {
            self.kill_containers(actions.kill);
        }
    }

    /// The Secrets that the pod names for its images (`getPullSecretsForPod`).
    fn pull_secrets(&mut self) -> Vec<Arc<Secret>> {
        let pod = Arc::clone(&self.worker.pod);
        let (mut secrets, mut missing) = (Vec::new(), Vec::new());
        for named in pod.spec.image_pull_secrets.iter().filter(|named| !named.name.is_empty()) {
            match self.cx.view().named::<Secret>(&pod.metadata.namespace, &named.name) {
                Some((_, secret)) => secrets.push(Arc::clone(secret)),
                None => missing.push(named.name.as_str()),
            }
        }
        if !missing.is_empty() {
            let message = format!(
                "Unable to retrieve some image pull secrets ({}); attempting to pull the image may not succeed.",
                missing.join(", ")
            );
            let reason = "FailedToRetrieveImagePullSecret";
            self.cx.event_on(&*pod, "", EventType::Warning, (reason, &message));
        }
        secrets
    }

    /// Goes on after what had to be killed.
    pub(super) fn proceed(&mut self) {
        if !self.worker.plan.create_sandbox {
            self.start_next();
            return;
        }
        self.worker.step = Step::CreateSandbox;
        let latency = self.cx.config.latency.sandbox;
        if latency == Duration::ZERO {
            self.sandbox_ready();
        } else {
            self.cx.complete_after(latency, Task::Sandbox.of(self.id, 0));
        }
    }

    /// The sandbox is there.
    pub(super) fn sandbox_ready(&mut self) {
        assert_eq!(self.worker.step, Step::CreateSandbox, "a sandbox was being made");
        Arc::make_mut(&mut self.worker.runtime).sandbox = Sandbox::Ready;
        self.worker.plan.acted = true;
        self.changed();
        if self.profile().reports_sandbox_at_once {
            self.on_pod_sandbox_ready();
        }
        self.start_next();
    }

    /// The condition is set at once, the rest of the status stays as it is.
    fn on_pod_sandbox_ready(&mut self) {
        let Some(mut status) = self.kept_status() else { return };
        let kind = super::conditions::POD_READY_TO_START;
        assert!(status.conditions.condition(&kind).is_some(), "a sync begins with a status");
        for condition in status.conditions.iter_mut().filter(|found| found.kind == kind) {
            condition.status = Truth::True;
        }
        self.set_status(status, true);
    }

    /// Starts what is left, one container after the other.
    pub(super) fn start_next(&mut self) {
        while let Some(slot) = self.worker.plan.todo.pop_front() {
            let result = match self.do_back_off(slot) {
                Some(reason) => Err(reason),
                None => match self.ensure_image(slot) {
                    Some(result) => result,
                    None => return,
                },
            };
            match result {
                Ok(()) if self.create_container(slot) => {}
                Ok(()) => return,
                Err(reason) => self.start_failed(slot, reason),
            }
        }
        self.finish_sync();
    }

    /// Keeps the result of a start that failed; without an init container nothing later starts.
    pub(super) fn start_failed(&mut self, slot: usize, reason: Reason) {
        self.worker.plan.results.push((slot, Some(reason)));
        if self.worker.pod.is_init(slot) && !self.worker.pod.is_sidecar(slot) {
            self.worker.plan.todo.clear();
        }
    }

    /// Keeps the result of a start that went well.
    pub(super) fn start_succeeded(&mut self, slot: usize) {
        self.worker.plan.acted = true;
        self.worker.plan.results.push((slot, None));
    }

    fn finish_sync(&mut self) {
        assert_eq!(self.worker.stage, Stage::Syncing, "only a pod that is to run is synced");
        let plan = std::mem::take(&mut self.worker.plan);
        let failed = plan.results.iter().any(|(_, reason)| reason.is_some());
        for (slot, reason) in plan.results {
            self.worker.reasons[slot] = reason;
        }
        let outcome =
            if failed { Outcome::Error { until: plan.until } } else { Outcome::Ok { acted: plan.acted } };
        self.complete(outcome);
    }

    /// Whether a container that has ended must wait, and the words for it.
    fn do_back_off(&mut self, slot: usize) -> Option<Reason> {
        let snapshot = self.worker.plan.snapshot.as_ref().expect("a sync has a snapshot");
        let ended = snapshot.newest_exit(slot)?.finished.expect("the end of a container has a time");
        let now = self.cx.now;
        let clock = self.node.clock;
        let entry = self.worker.backoffs.get(slot).copied().flatten();
        let entry = entry.filter(|entry| !clock.cleaned_since(entry.updated, FORGET, now));
        let Some(entry) = entry.filter(|entry| entry.is_in_backoff_since(ended, now)) else {
            self.worker.backoffs.resize(self.worker.pod.slots(), None);
            self.worker.backoffs[slot] = Some(Backoff::next(entry, ended, now));
            return None;
        };
        let until = ended.checked_add(entry.delay).unwrap_or(Time::MAX);
        self.worker.plan.until = Some(self.worker.plan.until.map_or(until, |first| first.min(until)));
        let pod = Arc::clone(&self.worker.pod);
        let name = &pod.container(slot).name;
        let meta = &pod.metadata;
        let full_name = format!("{}_{}({})", meta.name, meta.namespace, meta.uid);
        let event = format!("Back-off restarting failed container {name} in pod {full_name}");
        self.container_event(slot, EventType::Warning, "BackOff", &event);
        let delay = GoDuration(entry.delay);
        let message = arcstr::format!("back-off {delay} restarting failed container={name} pod={full_name}");
        Some(Reason { reason: literal!("CrashLoopBackOff"), message })
    }
}
