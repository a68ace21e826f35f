//! kubelet image manager, Kubernetes 1.36.2: `pkg/kubelet/images/image_manager.go` (`EnsureImageExists`).
//!
//! One for each node. Pulls end later: [`ImageManager::ensure`] either decides at once or asks for a pull, whose end
//! [`ImageManager::pulled`] judges.

use super::backoff::Backoff;
use super::go_duration::GoDuration;
use super::image_name::{default_tag, repository};
use super::keyring::{self, TrackedAuthConfig};
use super::profile::Profile;
use super::pull_records::{CredentialVerification, PullRecords};
use crate::context::EventType;
use crate::objects::Secret;
use crate::release::KubernetesRelease;
use arcstr::{ArcStr, literal};
use std::collections::BTreeMap;
use std::sync::Arc;
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
    /// The pod's pull secrets that exist.
    pub secrets: Vec<Arc<Secret>>,
}

/// What the runtime says to an inquiry for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// It is on the node.
    Present {
        /// Its size.
        size_bytes: u64,
    },
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
    /// It is to be pulled.
    Pull {
        /// The image with its tag.
        reference: ArcStr,
        /// What to show to the registry, in order.
        credentials: Vec<TrackedAuthConfig>,
    },
}

/// How a pull went.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The image with its tag.
    pub reference: ArcStr,
    /// How long the runtime took.
    pub took: Duration,
    /// How long that was including the wait for its turn.
    pub waited: Duration,
    /// The credential that was good, if one was shown; or the runtime's words.
    pub result: Result<Option<TrackedAuthConfig>, ArcStr>,
    /// What the runtime says to the inquiry for the size that follows.
    pub inspection: Inspection,
}

/// The image manager of one node: back-offs by pod and image.
#[derive(Clone, Debug, Default)]
pub struct ImageManager {
    records: PullRecords,
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
    /// The image manager of a node that verifies credentials so.
    pub fn new(policy: CredentialVerification) -> Self {
        Self { records: PullRecords::new(policy), failures: BTreeMap::new() }
    }

    /// Decides what is to be done for an image. `inspect` asks the runtime; events go to `events`.
    pub fn ensure(
        &mut self,
        request: &ImageRequest,
        (now, release): (Time, KubernetesRelease),
        inspect: impl FnOnce(&str) -> Inspection,
        events: &mut Vec<ImageEvent>,
    ) -> Ensured {
        let image = &request.image;
        let profile = Profile::of(release);
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
        let inspection = if request.policy == "Always" { Inspection::Absent } else { inspect(&reference) };
        match inspection {
            Inspection::Error(why) => {
                let message = arcstr::format!("Failed to inspect image \"\": {why}");
                return fail(literal!("ImageInspectError"), message, "InspectFailed", events);
            }
            Inspection::Present { .. } => match self.must_attempt_pull(request, &reference, profile) {
                Err(why) => return Ensured::Failed(broken_secret(why)),
                Ok(false) => {
                    events.push(normal("Pulled", present(image, profile)));
                    return Ensured::Present;
                }
                Ok(true) => {}
            },
            Inspection::Absent => {}
        }
        if request.policy == "Never" {
            let message =
                arcstr::format!("Container image \"{image}\" is not present with pull policy of Never");
            return fail(literal!("ErrImageNeverPull"), message, "ErrImageNeverPull", events);
        }
        match look_up(request) {
            Err(why) => Ensured::Failed(broken_secret(why)),
            Ok(credentials) => match self.back_off(request, (now, profile), events) {
                Some(error) => Ensured::Failed(error),
                None => {
                    self.records.record_intent(image);
                    events.push(normal("Pulling", format!("Pulling image \"{image}\"")));
                    Ensured::Pull { reference, credentials }
                }
            },
        }
    }

    /// Whether a pod must pull an image that is on the node, to show that it may use it.
    fn must_attempt_pull(
        &mut self,
        request: &ImageRequest,
        reference: &ArcStr,
        profile: &Profile,
    ) -> Result<bool, String> {
        if !profile.ensures_secret_pulled_images {
            return Ok(false);
        }
        self.records.must_attempt_pull(&request.image, reference, || look_up(request))
    }

    /// Why a pull must wait, if it must.
    fn back_off(
        &self,
        request: &ImageRequest,
        (now, profile): (Time, &Profile),
        events: &mut Vec<ImageEvent>,
    ) -> Option<ImageError> {
        let failure = self.failures.get(&(request.pod, request.image.clone()))?;
        if !failure.backoff.is_in_backoff_since_update(now) {
            return None;
        }
        let mut message = format!("Back-off pulling image \"{}\"", request.image);
        events.push(normal("BackOff", message.clone()));
        if profile.shows_pull_error {
            message = format!("{message}: {}", failure.error);
        }
        Some(ImageError { reason: literal!("ImagePullBackOff"), message: message.into() })
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
            Ok(used) => {
                events.push(normal("Pulled", success(image, pulled, Profile::of(release))));
                self.failures.retain(|_, failure| !failure.backoff.has_expired(now));
                self.records.record_pulled(image, &pulled.reference, used.as_ref());
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
                self.records.record_failed(image);
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

/// The pod's credentials for an image.
fn look_up(request: &ImageRequest) -> Result<Vec<TrackedAuthConfig>, String> {
    if request.secrets.is_empty() {
        return Ok(Vec::new());
    }
    keyring::look_up(&request.secrets, &repository(&request.image)?)
}

/// An error without a name of its own is its own reason.
fn broken_secret(why: String) -> ImageError {
    let why = ArcStr::from(why);
    ImageError { reason: why.clone(), message: why }
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

fn present(image: &str, profile: &Profile) -> String {
    let tail = if profile.ensures_secret_pulled_images { " and can be accessed by the pod" } else { "" };
    format!("Container image \"{image}\" already present on machine{tail}")
}

/// The size is asked for after the pull; without an answer it is 0.
fn success(image: &str, pulled: &Pulled, profile: &Profile) -> String {
    if !profile.says_image_size {
        return format!("Successfully pulled image \"{image}\" in {}", GoDuration(pulled.waited));
    }
    let size = match pulled.inspection {
        Inspection::Present { size_bytes } => size_bytes,
        Inspection::Absent | Inspection::Error(_) => 0,
    };
    format!(
        "Successfully pulled image \"{image}\" in {} ({} including waiting). Image size: {size} bytes.",
        GoDuration::millis(pulled.took),
        GoDuration::millis(pulled.waited),
    )
}

fn normal(reason: &'static str, message: String) -> ImageEvent {
    ImageEvent { severity: EventType::Normal, reason, message }
}

fn warning(reason: &'static str, message: String) -> ImageEvent {
    ImageEvent { severity: EventType::Warning, reason, message }
}
