//! What containers do once they run.

use super::{Environment, transfers};
use crate::latency::Latency;
use crate::objects::{Container, Pod};
use arcstr::{ArcStr, literal};
use std::collections::BTreeMap;
use std::time::Duration;

/// What one run of a container comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// How long it runs; for ever when absent.
    pub runs: Option<Duration>,
    /// The exit code at the end.
    pub exit_code: i32,
    /// The runtime's word for the end; empty: Completed for exit code 0, else Error.
    pub reason: ArcStr,
    /// The termination message at the end.
    pub message: ArcStr,
    /// What it does when it is asked to stop.
    pub stop: Stop,
    /// Its start fails with these words.
    pub start_error: Option<ArcStr>,
    /// Its probes succeed once it has run so long.
    pub ready_after: Duration,
}

/// What a container does on SIGTERM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// How long it takes to end; beyond the grace it is killed with exit code 137.
    pub after: Duration,
    /// The exit code.
    pub exit_code: i32,
}

impl Default for Stop {
    /// The default reaction to SIGTERM: exit code 143 at once.
    fn default() -> Self {
        Self { after: Duration::ZERO, exit_code: 143 }
    }
}

impl Default for Program {
    fn default() -> Self {
        Self {
            runs: None,
            exit_code: 0,
            reason: ArcStr::new(),
            message: ArcStr::new(),
            stop: Stop::default(),
            start_error: None,
            ready_after: Duration::ZERO,
        }
    }
}

impl Program {
    /// Runs until it is stopped.
    pub fn forever() -> Self {
        Self::default()
    }

    /// Ends with this exit code.
    pub fn ends(runs: Duration, exit_code: i32) -> Self {
        Self { runs: Some(runs), exit_code, ..Self::default() }
    }

    /// The runtime's word for an end with this exit code.
    pub fn reason_of(exit_code: i32) -> ArcStr {
        if exit_code == 0 { literal!("Completed") } else { literal!("Error") }
    }
}

/// Programs by pod and container, one a start; the last goes for all later starts.
#[derive(Debug, Default)]
pub struct Programs(BTreeMap<(ArcStr, ArcStr), Vec<Program>>);

impl Programs {
    /// Determines what a pod's container does, start by start. The pod is named without its namespace.
    pub fn script(&mut self, pod: impl Into<ArcStr>, container: impl Into<ArcStr>, starts: Vec<Program>) {
        assert!(!starts.is_empty(), "a script has a start");
        self.0.insert((pod.into(), container.into()), starts);
    }

    /// What the start of this number (from 0) does, if it was determined.
    fn get(&self, pod: &ArcStr, container: &ArcStr, start: u32) -> Option<&Program> {
        if self.0.is_empty() {
            return None;
        }
        let starts = self.0.get(&(pod.clone(), container.clone()))?;
        starts.get(start as usize).or(starts.last())
    }
}

impl Environment {
    /// What a container does that is started now, after so many restarts.
    pub fn program(&self, latency: &Latency, pod: &Pod, container: &Container, restarts: u32) -> Program {
        if let Some(program) = self.programs.get(&pod.metadata.name, &container.name, restarts) {
            return program.clone();
        }
        let label = |key: &str| pod.metadata.labels.get(key).map(ArcStr::as_str);
        if is_launcher(pod) {
            self.launchers.program(latency, pod, container)
        } else if label("cdi.kubevirt.io") == Some("importer") {
            self.sources.program(&self.registry, latency, pod, container)
        } else if label("cdi.kubevirt.io") == Some("cdi-populator-prep") {
            // It says hello.
            Program::ends(Duration::ZERO, 0)
        } else if transfers::is_sender(pod) {
            transfers::cloner(&self.sources, latency, container)
        } else if label("cdi.kubevirt.io") == Some("cdi-upload-server") {
            transfers::server(pod)
        } else {
            Program::forever()
        }
    }

    /// How a container ends that runs this program and is told to stop now. virt-launcher outlives its guest: it ends when
    /// the guest has shut down, if there still is one.
    pub(crate) fn stop(
        &self,
        latency: &Latency,
        pod: &Pod,
        container: &Container,
        program: &Program,
    ) -> Stop {
        let scripted = self.programs.get(&pod.metadata.name, &container.name, 0).is_some();
        if scripted || !is_launcher(pod) {
            return program.stop;
        }
        Stop { after: self.launchers.stops_after(latency, pod, container), exit_code: 0 }
    }
}

fn is_launcher(pod: &Pod) -> bool {
    pod.metadata.labels.has("kubevirt.io", "virt-launcher")
}
