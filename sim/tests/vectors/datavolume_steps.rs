//! The steps of a worker pod's life in `dv-history`.

use stuckvm_detector::Time;
use stuckvm_sim::objects::{
    Condition, ContainerState, ContainerStatus, Pod, PodStatus, Running, Terminated, Truth, Waiting,
};

/// What a step makes of the pod's status.
pub(crate) fn after(pod: &Pod, words: &[&str], message: &str, now: Time) -> PodStatus {
    let mut status = pod.status.clone();
    match *words {
        ["unschedulable"] => status.conditions = [scheduled(Truth::False, "Unschedulable")].into(),
        ["schedule"] => {
            status.conditions = [scheduled(Truth::True, "")].into();
            let is_ready = pod.spec.init_containers.is_empty();
            reset(&mut status, pod, waiting(if is_ready { "ContainerCreating" } else { "PodInitializing" }));
        }
        ["run"] => {
            reset(&mut status, pod, None);
            status.container_statuses.iter_mut().for_each(|container| run(container, now));
            status.phase = "Running".into();
        }
        ["restart"] => {
            let first = &mut status.container_statuses[0];
            first.last_state = first.state.take().filter(is_terminated).or(first.last_state.take());
            first.restart_count += 1;
            run(first, now);
        }
        ["exit", code] => {
            let code = code.parse().expect("a code");
            end(&mut status.container_statuses[0], ended(code, "Error", message));
        }
        ["oom"] => end(&mut status.container_statuses[0], ended(137, "OOMKilled", message)),
        ["crashloop"] => back_off(&mut status.container_statuses[0]),
        ["miss"] => {
            status.container_statuses[0].state = ended(1, "Error", message);
            back_off(&mut status.container_statuses[0]);
        }
        ["pull", reason] => pull(&mut status, pod, reason, now),
        ["pulled"] => {
            run(&mut status.container_statuses[pulled(pod)], now);
            status.phase = "Running".into();
        }
        ["ready"] => status.container_statuses[0].ready = true,
        ["done"] => {
            for container in &mut status.container_statuses {
                let message = if container.name == "server" { "" } else { message };
                end(container, ended(0, "Completed", message));
            }
            status.phase = "Succeeded".into();
        }
        ["evict"] => {
            status
                .container_statuses
                .iter_mut()
                .for_each(|container| end(container, ended(137, "Error", "")));
            status.phase = "Failed".into();
        }
        _ => panic!("unknown step {words:?}"),
    }
    status
}

/// The container whose image is pulled: the server, where there is one.
fn pulled(pod: &Pod) -> usize {
    pod.spec.containers.iter().position(|container| container.name == "server").unwrap_or(0)
}

/// The importer runs while the node pulls the server's image.
fn pull(status: &mut PodStatus, pod: &Pod, reason: &str, now: Time) {
    let at = pulled(pod);
    if at > 0 && status.container_statuses[0].waiting().is_some() {
        run(&mut status.container_statuses[0], now);
    }
    status.container_statuses[at].state = waiting(reason);
    status.container_statuses[at].started = Some(false);
}

/// Every container from the beginning.
fn reset(status: &mut PodStatus, pod: &Pod, state: Option<ContainerState>) {
    let containers = pod.spec.containers.iter().map(|container| ContainerStatus {
        name: container.name.clone(),
        image: if container.name == "server" { container.image.clone() } else { "".into() },
        started: Some(false),
        state: state.clone(),
        ..ContainerStatus::default()
    });
    status.container_statuses = containers.collect();
}

fn run(container: &mut ContainerStatus, now: Time) {
    container.state = Some(ContainerState::Running(Running { started_at: Some(now) }));
    container.started = Some(true);
}

fn end(container: &mut ContainerStatus, state: Option<ContainerState>) {
    container.state = state;
    container.started = Some(false);
    container.ready = false;
}

fn back_off(container: &mut ContainerStatus) {
    container.last_state = container.state.take();
    container.state = waiting("CrashLoopBackOff");
    container.started = Some(false);
}

fn scheduled(status: Truth, reason: &str) -> Condition {
    Condition { kind: "PodScheduled".into(), status, reason: reason.into(), ..Condition::default() }
}

fn waiting(reason: &str) -> Option<ContainerState> {
    Some(ContainerState::Waiting(Waiting { reason: reason.into(), ..Waiting::default() }))
}

fn ended(exit_code: i32, reason: &str, message: &str) -> Option<ContainerState> {
    let terminated =
        Terminated { exit_code, reason: reason.into(), message: message.into(), ..Terminated::default() };
    Some(ContainerState::Terminated(Box::new(terminated)))
}

fn is_terminated(state: &ContainerState) -> bool {
    matches!(state, ContainerState::Terminated(_))
}
