//! An engine for rules without a server: instant vectors, and what an instant makes of them.
//!
//! It knows selectors, arithmetic, comparisons, `and`, `or`, `unless` with `on` and `ignoring`, `group_left` and `group_right`, `sum`, `avg`,
//! `min`, `max`, `count`, `group`, `topk`, `bottomk`, `absent`, and `label_replace` with the simplest patterns; what else an expression has is
//! refused by its name, and so is a choice of `topk` among equals, which Prometheus leaves to its storage. What it knows it answers as Prometheus does: `tests/rules/engines.rs`
//! compares them. Sums and averages of what is no whole number may differ in the last bit, as they do between releases of Prometheus.

mod aggregate;
mod calls;
mod evaluate;
mod matching;
mod reader;
mod selectors;
mod syntax;
mod tokens;

pub use syntax::Refused;

use super::query::{Grid, Matrix};
use super::samples::{Millis, Point, Samples};
use evaluate::{Failed, evaluate};
use reader::parse;

/// Whether the engine knows all that an expression has.
///
/// # Errors
///
/// What it does not know, or cannot read.
///
/// ```
/// use stuckvm_scenarios::prometheus::embedded::check;
///
/// assert!(check(r#"max by (name) (kubevirt_vm_info{status_group="error"} == 1)"#).is_ok());
/// let refused = check("rate(up[5m]) > 0").unwrap_err().to_string();
/// assert_eq!(refused, "the function `rate`, which the embedded engine does not know");
/// ```
pub fn check(expression: &str) -> Result<(), Refused> {
    parse(expression).map(drop)
}

/// An expression at every tick; what it looks at is `offset` earlier.
///
/// # Errors
///
/// As [`check`].
pub fn range(samples: &Samples, expression: &str, grid: Grid, offset: Millis) -> Result<Matrix, Refused> {
    let expression = parse(expression)?;
    let mut matrix = Matrix::default();
    for at in grid.ticks() {
        match evaluate(&expression, samples, at - offset) {
            Ok(vector) => {
                for (labels, value) in vector {
                    matrix.series.entry(labels).or_default().push(Point { at, value });
                }
            }
            Err(Failed::Error) => matrix.failed.push(at),
            Err(Failed::Tied) => {
                let what = "a choice of `topk` or `bottomk` among equals";
                return Err(Refused::Beyond(what.to_owned()));
            }
        }
    }
    Ok(matrix)
}
