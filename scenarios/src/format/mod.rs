//! SCENARIO FORMAT: one YAML document a scenario. Unknown keys are errors; `stuckvm schema` prints the JSON Schema.
//!
//! ```yaml
//! scenario: pvc-not-found/stuck
//! about: The claim is never created.
//! until: 10m
//! cluster:
//!   manifests: [cluster/two-nodes.yaml]
//! steps:
//!   - at: 0s
//!     apply: [vm.yaml]
//! expect:
//!   alerts:
//!     - {vm: default/vm1, fires: 5m0.15s, as: PvcNotFound}
//! ```

mod cluster;
mod expect;
mod expect_object;
mod generate;
mod scalars;
mod step;

pub use cluster::{
    ClusterSection, CredentialSpec, ImageSpec, KubeletLoops, KubeletSection, LatencySection, ReleaseSection,
    SourceSpec, VerificationPolicy,
};
pub use expect::{Counts, Expect, ExpectedAlert, ExpectedStatus, ExpectedVerdict, NotPass};
pub use expect_object::{ExpectedEvent, ExpectedObject};
pub use generate::{Generate, GenerateArrival, GeneratedFault, GeneratedSize};
pub use scalars::{KindName, Manifest, Span, Start, VmName};
pub use step::{
    ConflictTarget, CrashDetector, LauncherFault, LauncherTarget, Leader, ObjectPatch, ObjectTarget,
    PhaseTarget, QuotaTarget, ScrapeFault, SlowApiTarget, Step, Target, Upload, WatchTarget,
};

use schemars::JsonSchema;
use serde::Deserialize;

/// A scenario: a cluster, what happens to it, and what must come of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Scenario {
    /// Its path in the catalog, such as `pvc-not-found/stuck`; the test is named after it.
    pub scenario: String,
    /// What it shows, in a sentence or two.
    #[serde(default)]
    pub about: String,
    /// The instant 0s; 2022-10-03T11:11:07Z by default.
    #[serde(default)]
    pub start: Option<Start>,
    /// Every draw follows from it; 0 by default.
    #[serde(default)]
    pub seed: u64,
    /// End of the run, from the start: the detector is advanced to that instant.
    pub until: Span,
    /// How long a virtual machine must be in an error status; 5m by default.
    #[serde(default)]
    pub threshold: Option<Span>,
    /// How many pieces of work the controllers may do in the whole run; a billion by default. A run that takes more gets
    /// the verdict `error` with the kind `step-budget`. (`until` beyond ten years gets `time-limit`.)
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub step_budget: Option<u64>,
    /// The cluster before anything happens.
    #[serde(default)]
    pub cluster: ClusterSection,
    /// What happens, in order of time.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What must come of it. Whatever it pins, the whole contract is judged too.
    pub expect: Expect,
}
