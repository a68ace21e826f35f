//! Rules of Prometheus as detectors: any rule file, judged on virtual time by the real engine.
//!
//! What virt-controller exports is sampled at the scrapes of a run ([`scraper`]) and given to a Prometheus server that was started
//! for it ([`server`], [`remote_write`]). Each expression is evaluated there at every tick ([`query`]), or where there is none by
//! an engine that knows instant vectors only ([`embedded`]); `for` and `keep_firing_for` are applied here ([`alerts`]). What comes of it is judged by the contract's sampled profile ([`judge`]) and
//! measured against the exact one ([`table`]). [`check_rules`] does all of it.

pub mod alerts;
pub mod calculator;
mod check;
pub mod duration;
pub mod embedded;
pub mod exporter;
pub mod expression;
pub mod firings;
pub mod judge;
mod layout;
pub mod query;
pub mod remote_write;
pub mod report;
pub mod results;
pub mod rules;
pub mod samples;
mod scraped_run;
pub mod scraper;
pub mod server;
pub mod table;
pub mod template;

pub use calculator::Evaluator;
pub use check::{AlertReport, CaseReport, CheckError, Checked, Options, check_rules};
pub use scraped_run::ScrapedRun;
