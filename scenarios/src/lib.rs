//! The conformance harness: scenarios, the runner that plays them, the oracle that judges a detector by the alert
//! contract, and the reports.
//!
//! | to find | look at |
//! | --- | --- |
//! | the scenario format | [`mod@format`] |
//! | the catalog, and how files are read | [`catalog`], [`load`] |
//! | how a scenario is played | [`play`], [`run`] |
//! | what a detector must say | [`oracle`] |
//! | which rule it broke | [`judge`] |
//! | what every detector is put to, rule by rule | [`contract`] |
//! | any detector, judged by every case | [`conformance`] |
//! | reports | [`report`] |
//! | scenarios to begin with | [`template`] |
//! | what is said of a bug | [`internal_error`] |
//! | the streams that detectors read and write | [`stream`], [`detect`] |
//! | files that are written whole or not at all | [`output_file`] |

pub mod catalog;
mod check;
pub mod conformance;
pub mod contract;
mod control_plane;
pub mod detect;
mod draw;
mod fault_injector;
pub mod feed;
pub mod files;
mod fleet;
pub mod format;
pub mod input_error;
pub mod internal_error;
pub mod judge;
pub mod load;
mod mapping;
pub mod oracle;
pub mod output_file;
mod pins;
pub mod play;
pub mod prometheus;
mod quote;
pub mod report;
pub mod run;
mod set_up;
mod steps;
pub mod stream;
pub mod template;
pub mod verdict;

pub use conformance::check;
