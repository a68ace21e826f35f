//! What the container runtimes of all machines were asked, kept only when asked for.

use arcstr::ArcStr;
use stuckvm_detector::Time;

/// One request to a container runtime, or what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuntimeRequest {
    /// An image was pulled.
    Pull {
        /// When the runtime was asked.
        at: Time,
        /// For which pod.
        pod: ArcStr,
        /// The image, with its default tag.
        image: ArcStr,
        /// When it answers.
        end: Time,
        /// The runtime's words, if it fails.
        error: Option<ArcStr>,
    },
    /// A container was started.
    Start {
        /// When.
        at: Time,
        /// Of which pod.
        pod: ArcStr,
        /// Which.
        container: ArcStr,
        /// How often it had been started before.
        attempt: u32,
    },
    /// A container has ended.
    End {
        /// When.
        at: Time,
        /// Of which pod.
        pod: ArcStr,
        /// Which.
        container: ArcStr,
        /// How often it had been started before.
        attempt: u32,
        /// Its exit code.
        exit_code: i32,
    },
}

/// Requests in order.
#[derive(Debug, Default)]
pub struct RuntimeLog(Option<Vec<RuntimeRequest>>);

impl RuntimeLog {
    /// Keeps requests from now on.
    pub fn keep(&mut self) {
        self.0.get_or_insert_default();
    }

    /// Takes the requests so far.
    pub fn take(&mut self) -> Vec<RuntimeRequest> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn push(&mut self, request: impl FnOnce() -> RuntimeRequest) {
        if let Some(requests) = &mut self.0 {
            requests.push(request());
        }
    }
}
