//! A fake Kubernetes and KubeVirt cluster on virtual time.
//!
//! It knows nothing of alerts: it plays the control plane, the nodes and the world around them, and tells when a
//! virtual machine's printable status was written.

mod admission;
mod causes;
mod cdi_config;
mod cdi_profile;
mod claim_events;
mod cluster;
mod config;
mod context;
pub mod control_plane;
mod controller;
mod controllers;
mod drain;
pub mod duration;
pub mod environment;
mod event_correlator;
pub mod event_queue;
pub mod exposition;
mod flags;
mod guest_faults;
mod held_event;
mod instance_types;
pub mod journal;
mod kind;
pub mod kubevirt;
mod kubevirt_profile;
mod latency;
mod launcher_pod;
pub mod manifest;

pub mod metrics;
pub mod objects;
pub mod quantity;
pub mod random;
mod release;
mod seat;
mod store;
pub mod trace;
mod uploads;
mod user;
pub mod validation;
mod vm_status;
mod work_queue;

pub use cdi_config::{CdiConfig, ClaimPropertySet, CloneStrategy};
pub use claim_events::ClaimEvent;
pub use controllers::scheduler::{NodeByNode, OneShotOptions, Placement, RejectedNode, schedule};
/// The rules of kubelet that stand for themselves, without a cluster.
pub mod kubelet {
    pub use crate::controllers::kubelet::*;
}

pub use cluster::{Cluster, Reach, StepBudget};
pub use config::Config;
pub use context::{EventType, StatusWrite};
pub use controller::Action;
pub use controllers::virtual_machine::start_failure::{
    MAX_START_BACK_OFF_SECONDS, START_BACK_OFF_STREAM, start_back_off, start_back_off_left,
};
pub use event_correlator::EventCorrelator;
pub use flags::ControllerManagerFlags;
pub use kind::{Kind, Object, ObjectId, Resource};
pub use kubevirt_profile::{ConsoleLog, KubeVirtProfile};
pub use latency::Latency;
pub use random::{Random, WHOLE};
pub use release::{CdiRelease, KubeVirtRelease, KubernetesRelease};
pub use store::{ApiError, Change, Store, Table, Tables, View};
pub use uploads::UploadError;
pub use user::{UserError, split_name};
pub use vm_status::{VmStatus, statuses};
pub use work_queue::{Work, WorkQueue};
