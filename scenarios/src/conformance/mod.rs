//! CONFORMANCE: any detector, put to every case there is, and judged by the contract alone.
//!
//! | to find | look at |
//! | --- | --- |
//! | one delivered stream with the thresholds that hold for it | [`Case`] |
//! | who is judged, and how it is started for a case | [`Candidate`], [`Session`] |
//! | a detector in Rust as such | [`Detector`], [`InProcess`] |
//! | a program in any language | [`Exec`] |
//! | one on tokio's timers, with the feature `tokio` | `paused_clock.rs` |
//! | what the harness makes of the answers | [`examine()`] |
//! | a whole check in one line of a test | [`check`] |
//! | all that there is to be put to | [`subjects`], [`check_all`] |
//!
//! The cluster does not hear what a detector says, so what a catalog scenario delivers is the same for all of them: a scenario
//! is played once and becomes a case, as the streams of the contract are from the start.

mod call;
mod candidate;
mod case;
mod check;
mod examine;
mod exec;
mod in_a_test;
mod in_process;
mod patience;
#[cfg(feature = "tokio")]
mod paused_clock;

pub use candidate::{Answer, Candidate, Capabilities, Session, Start};
pub use case::Case;
pub use check::{Subject, check_all, check_one, subjects};
pub use examine::{Examined, examine};
pub use exec::Exec;
pub use in_a_test::{check, check_candidate};
pub use in_process::{BuiltIn, Detector, InProcess, Rejected};
#[cfg(feature = "tokio")]
pub use paused_clock::{PausedClock, Said, TICK};
