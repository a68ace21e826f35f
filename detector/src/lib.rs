//! Detects virtual machines that are stuck in an error state.
//!
//! A machine whose `status.printableStatus` stays in the seven error statuses
//! for 300 s raises a `firing` alert at exactly that instant, and a `resolved`
//! one when it leaves them. This crate turns observations of statuses into
//! such alerts. It has no clock, no I/O, no randomness and no threads: time is
//! an argument, alerts are return values, and the same inputs give the same
//! alerts everywhere.
//!
//! Begin with [`NamedDetector`], which takes names and words as a cluster has
//! them. [`Detector`] is the core behind it, for those who number their
//! machines themselves.
//!
//! ```
//! use stuckvm_detector::{AlertKind, NamedDetector, PrintableStatus, Rule, Time, VmRef};
//!
//! let mut detector = NamedDetector::new(Rule::default());
//! let vm = VmRef::new("default", "vm1", "7a3f");
//!
//! // The machine gets stuck. Nothing to tell yet, but a deadline.
//! let stuck: Time = "2022-10-03T11:11:07Z".parse()?;
//! assert!(detector.observe(stuck, vm, "ErrorUnschedulable")?.alerts.is_empty());
//! assert_eq!(detector.next_deadline(), Some("2022-10-03T11:16:07Z".parse()?));
//!
//! // It recovers a minute after the deadline: first it fired, then it resolved.
//! let healed: Time = "2022-10-03T11:17:07Z".parse()?;
//! let alerts = &detector.observe(healed, vm, "Running")?.alerts;
//! assert_eq!(alerts[0].kind, AlertKind::Firing);
//! assert_eq!(alerts[0].at, stuck + Rule::THRESHOLD);
//! assert_eq!(alerts[0].status, PrintableStatus::Unschedulable);
//! assert_eq!((alerts[1].kind, alerts[1].at), (AlertKind::Resolved, healed));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to find | look at |
//! | --- | --- |
//! | instants, and their text | [`Time`] |
//! | the words of `status.printableStatus`, the seven among them | [`PrintableStatus`] |
//! | thresholds | [`Rule`] |
//! | what comes out | [`Alert`], [`Output`] |
//! | stop and go on | [`NamedDetector::snapshot`], [`NamedDetector::restore`] |
//! | what can go wrong | [`TimeError`], [`RuleError`], [`RestoreError`] |

mod detector;
mod named;
mod printable_status;
mod rule;
mod time;

mod alert;
mod clock;
mod counters;
mod deadlines;
mod error;
mod registry;
mod snapshot;

pub use alert::{Alert, AlertKind};
pub use clock::Clock;
pub use counters::Counters;
pub use detector::{Detector, VmId};
pub use error::{RestoreError, RuleError, TimeError};
pub use named::{NamedDetector, Output};
pub use printable_status::PrintableStatus;
pub use registry::{VmName, VmRef};
pub use rule::Rule;
pub use snapshot::{NamedSnapshot, Snapshot};
pub use time::{ParseTimeError, Time};
