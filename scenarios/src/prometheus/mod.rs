//! Rules of Prometheus as detectors: any rule file, judged on virtual time by the real engine.
//!
//! What virt-controller exports is sampled at the scrapes of a run ([`scraper`]) and given to a Prometheus server that was started
//! for it ([`server`], [`remote_write`]). Each expression is evaluated there at every tick ([`query`]); `for` and
//! `keep_firing_for` are applied here ([`alerts`]).

pub mod alerts;
pub mod calculator;
pub mod duration;
pub mod exporter;
pub mod expression;
mod layout;
pub mod query;
pub mod remote_write;
pub mod results;
pub mod rules;
pub mod samples;
pub mod scraper;
pub mod server;
pub mod template;
