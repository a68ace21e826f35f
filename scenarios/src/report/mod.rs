//! REPORT: outcomes for people and for machines.

mod json;
mod summary;
mod text;
mod timeline;

pub use json::{json_line, json_summary};
pub use summary::{Standing, Summary};
pub use text::{text_line, text_rules, text_summary};
pub use timeline::{MOMENTS_SHOWN, timeline};
