//! An engine for rules without a server: instant vectors, and what an instant makes of them.
//!
//! It knows selectors, arithmetic, comparisons, `and`, `or`, `unless` with `on` and `ignoring`, and `sum`, `min`, `max`, `count`,
//! `group`; what else an expression has is refused by its name. What it knows it answers as Prometheus does: `tests/rules/engines.rs`
//! compares them. Sums of what is no whole number may differ in the last bit, as they do between releases of Prometheus.

mod evaluate;
mod reader;
mod syntax;
mod tokens;

pub use syntax::Refused;

use super::query::{Grid, Matrix};
use super::samples::{Millis, Point, Samples};
use evaluate::evaluate;
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
            Err(evaluate::Failed) => matrix.failed.push(at),
        }
    }
    Ok(matrix)
}
