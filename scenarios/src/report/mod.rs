//! REPORT: outcomes for people and for machines.

mod coverage;
mod json;
mod summary;
mod text;
mod timeline;

pub use coverage::{json_coverage, text_coverage};
pub use json::{json_line, json_summary};
pub use summary::{Standing, Summary};
pub use text::{text_line, text_rules, text_summary};
pub use timeline::{MOMENTS_SHOWN, timeline};
