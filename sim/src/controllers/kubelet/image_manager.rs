//! kubelet image manager, Kubernetes 1.36.2: `pkg/kubelet/images/image_manager.go` (`EnsureImageExists`), `helpers.go`.
//!
//! One for each node. Pulls end later: [`ImageManager::ensure`] either decides at once or asks for a pull, whose end
//! [`ImageManager::pulled`] judges.

use super::backoff::Backoff;
use super::go_duration::GoDuration;
use super::image_name::default_tag;
use crate::context::EventType;
use crate::environment::Image;
use crate::release::KubernetesRelease;
use arcstr::{ArcStr, literal};
use std::collections::BTreeMap;
use std::time::Duration;
use stuckvm_detector::Time;

/// Which container of which pod wants which image.
#[derive(Clone, Debug)]
pub struct ImageRequest {
    /// A number for the pod that no later pod of the node bears.
    pub pod: u32,
    /// The image as written.
    pub image: ArcStr,
    /// Always, IfNotPresent or Never.
    pub policy: ArcStr,
}

/// What the runtime says to an inquiry for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// It is on the node.
    Present,
    /// It is not.
    Absent,
    /// The inquiry failed with these words.
    Error(ArcStr),
}

/// An event that the image manager emits on the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageEvent {
    /// Its severity.
    pub severity: EventType,
    /// Its reason.
    pub reason: &'static str,
    /// Its text.
    pub message: String,
}

/// Why there is no image: reason and message of the waiting container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageError {
    /// In one word, such as ErrImagePull.
    pub reason: ArcStr,
    /// For people.
    pub message: ArcStr,
}

/// What [`ImageManager::ensure`] comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ensured {
    /// The image is there.
    Present,
    /// It is not to be had now.
    Failed(ImageError),
    /// It is to be pulled, by this reference.
    Pull(ArcStr),
}

/// How a pull went.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// How long the runtime took.
    pub took: Duration,
    /// How long that was including the wait for its turn.
    pub waited: Duration,
    /// The image, or the runtime's words.
    pub result: Result<Image, ArcStr>,
}

/// The image manager of one node: back-offs by pod and image.
#[derive(Clone, Debug, Default)]
pub struct ImageManager {
    failures: BTreeMap<(u32, ArcStr), Failure>,
}

/// The last failure of a pod's image.
#[derive(Clone, Debug)]
struct Failure {
    backoff: Backoff,
    /// The error of the pull, as the next back-off shows it.
    error: ArcStr,
}

impl ImageManager {
    /// Decides what is to be done for an image. `inspect` asks the runtime; events go to `events`.
    pub fn ensure(
        &self,
        request: &ImageRequest,
        (now, release): (Time, KubernetesRelease),
        inspect: impl FnOnce(&str) -> Inspection,
        events: &mut Vec<ImageEvent>,
    ) -> Ensured {
        let image = &request.image;
        let reference = match default_tag(image) {
            Ok(reference) => reference,
            Err(why) => {
                let message = arcstr::format!(
                    "Failed to apply default image tag {name:?}: couldn't parse image name {name:?}: {why}",
                    name = image.as_str()
                );
                return fail(literal!("InvalidImageName"), message, "InspectFailed", events);
            }
        };
        if request.policy != "Always" {
            match inspect(&reference) {
                Inspection::Present => {
                    events.push(normal("Pulled", present(image, release)));
                    return Ensured::Present;
                }
                Inspection::Error(why) => {
                    let message = arcstr::format!("Failed to inspect image \"\": {why}");
                    return fail(literal!("ImageInspectError"), message, "InspectFailed", events);
                }
                Inspection::Absent if request.policy == "Never" => {
                    let message = arcstr::format!(
                        "Container image \"{image}\" is not present with pull policy of Never"
                    );
                    return fail(literal!("ErrImageNeverPull"), message, "ErrImageNeverPull", events);
                }
                Inspection::Absent => {}
            }
        }
        if let Some(failure) = self.failures.get(&(request.pod, image.clone()))
            && failure.backoff.is_in_backoff_since_update(now)
        {
            let mut message = format!("Back-off pulling image \"{image}\"");
            events.push(normal("BackOff", message.clone()));
            if release >= KubernetesRelease::V1_34 {
                message = format!("{message}: {}", failure.error);
            }
            let reason = literal!("ImagePullBackOff");
            return Ensured::Failed(ImageError { reason, message: message.into() });
        }
        events.push(normal("Pulling", format!("Pulling image \"{image}\"")));
        Ensured::Pull(reference)
    }

    /// Judges the end of a pull.
    pub fn pulled(
        &mut self,
        request: &ImageRequest,
        (now, release): (Time, KubernetesRelease),
        pulled: &Pulled,
        events: &mut Vec<ImageEvent>,
    ) -> Result<(), ImageError> {
        let image = &request.image;
        match &pulled.result {
            Ok(found) => {
                events.push(normal("Pulled", success(image, pulled, *found, release)));
                self.failures.retain(|_, failure| !failure.backoff.has_expired(now));
                Ok(())
            }
            Err(why) => {
                events.push(warning("Failed", format!("Failed to pull image \"{image}\": {why}")));
                let error = eval_cri_pull_error(image, why);
                let key = (request.pod, image.clone());
                let before = self.failures.get(&key).map(|failure| failure.backoff);
                let shown = arcstr::format!("{}: {}", error.reason, error.message);
                let failure = Failure { backoff: Backoff::next(before, now, now), error: shown };
                self.failures.insert(key, failure);
                Err(error)
            }
        }
    }

    /// The back-off of a pod's image, zero if there is none.
    pub fn backoff(&self, pod: u32, image: &ArcStr) -> Duration {
        self.failures.get(&(pod, image.clone())).map_or(Duration::ZERO, |failure| failure.backoff.delay)
    }

    /// Drops what is known of a pod.
    pub(super) fn forget(&mut self, pod: u32) {
        if self.failures.is_empty() {
            return;
        }
        let keys: Vec<_> = self.failures.range((pod, ArcStr::new())..).map(|(key, _)| key.clone()).collect();
        for key in keys.into_iter().take_while(|(of, _)| *of == pod) {
            self.failures.remove(&key);
        }
    }
}

fn fail(reason: ArcStr, message: ArcStr, event: &'static str, events: &mut Vec<ImageEvent>) -> Ensured {
    events.push(warning(event, message.to_string()));
    Ensured::Failed(ImageError { reason, message })
}

/// Errors of their own kind are told by how the runtime's words begin.
fn eval_cri_pull_error(image: &str, why: &ArcStr) -> ImageError {
    let kinds = [
        ("RegistryUnavailable", "the registry is unavailable"),
        ("SignatureValidationFailed", "the signature validation failed"),
    ];
    for (reason, words) in kinds {
        if let Some(tail) = why.strip_prefix(reason) {
            let message = arcstr::format!("image pull failed for {image} because {words}{tail}");
            return ImageError { reason: reason.into(), message };
        }
    }
    ImageError { reason: literal!("ErrImagePull"), message: why.clone() }
}

fn present(image: &str, release: KubernetesRelease) -> String {
    let tail = if release >= KubernetesRelease::V1_36 { " and can be accessed by the pod" } else { "" };
    format!("Container image \"{image}\" already present on machine{tail}")
}

fn success(image: &str, pulled: &Pulled, found: Image, release: KubernetesRelease) -> String {
    if release < KubernetesRelease::V1_30 {
        return format!("Successfully pulled image \"{image}\" in {}", GoDuration(pulled.waited));
    }
    format!(
        "Successfully pulled image \"{image}\" in {} ({} including waiting). Image size: {} bytes.",
        GoDuration::millis(pulled.took),
        GoDuration::millis(pulled.waited),
        found.size_bytes
    )
}

fn normal(reason: &'static str, message: String) -> ImageEvent {
    ImageEvent { severity: EventType::Normal, reason, message }
}

fn warning(reason: &'static str, message: String) -> ImageEvent {
    ImageEvent { severity: EventType::Warning, reason, message }
}
