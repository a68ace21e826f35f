//! REPORT: outcomes for people and for machines.

mod coverage;
mod entry;
pub mod explain;
mod github;
mod json;
mod junit;
mod markdown;
mod palette;
mod summary;
mod text;
mod timeline;

pub use coverage::{json_coverage, text_coverage};
pub use entry::{Entry, Place, ResultKind};
pub use github::annotation;
pub use json::{json_line, json_summary};
pub use junit::junit;
pub use markdown::markdown;
pub use palette::Palette;
pub use summary::{Standing, Summary};
pub use text::{text_line, text_rules, text_summary};
pub use timeline::{MOMENTS_SHOWN, timeline};
