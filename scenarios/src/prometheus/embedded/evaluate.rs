//! What an expression is at an instant. Prometheus 3.15, `promql/engine.go`, and of `promql/functions.go` `funcAbsent`, `evalLabelReplace`.

use super::aggregate::{aggregate, rank};
use super::syntax::{Binary, Expr, LabelReplace, Matcher, Pattern};
use crate::prometheus::samples::{Labels, Millis, Point, Samples};
use std::collections::BTreeSet;

/// How far back a sample is seen; one that is exactly so old is not.
const LOOKBACK: Millis = 300_000;

/// The elements of an instant vector.
pub(super) type Vector = Vec<(Labels, f64)>;

/// Why an evaluation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// Elements that may not be alike are, or a number is not what it must be. So it is with Prometheus.
    Error,
    /// `topk` or `bottomk` would have to choose among equals. Prometheus takes those that its storage gives it first.
    Tied,
}

/// What an expression is.
enum Value {
    Scalar(f64),
    Vector(Vector),
}

/// The elements of an expression at an instant. A number is one element without labels, as a rule takes it.
pub(super) fn evaluate(expr: &Expr, samples: &Samples, at: Millis) -> Result<Vector, Failed> {
    match (Evaluator { samples, at }).value(expr)? {
        Value::Scalar(number) => Ok(vec![(Labels::new(), number)]),
        Value::Vector(vector) => Ok(vector),
    }
}

struct Evaluator<'a> {
    samples: &'a Samples,
    at: Millis,
}

impl Evaluator<'_> {
    fn value(&self, expr: &Expr) -> Result<Value, Failed> {
        Ok(match expr {
            Expr::Number(number) => Value::Scalar(*number),
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
            Expr::Time => Value::Scalar(self.at as f64 / 1000.0),
            Expr::Vector(inner) => match self.value(inner)? {
                Value::Scalar(number) => Value::Vector(vec![(Labels::new(), number)]),
                vector => vector,
            },
            Expr::Select(matchers) => Value::Vector(self.select(matchers)),
            Expr::Binary(binary) => self.binary(binary)?,
            Expr::Aggregate { by, grouping, of } => match self.value(of)? {
                Value::Vector(vector) => Value::Vector(aggregate(*by, grouping, vector)),
                scalar => scalar,
            },
            Expr::Rank { first, count, grouping, of } => {
                let Value::Scalar(count) = self.value(count)? else {
                    unreachable!("the reader wants a number")
                };
                Value::Vector(rank(*first, count, grouping, self.vector(of)?)?)
            }
            Expr::Absent { labels, of } => {
                let is_there = !self.vector(of)?.is_empty();
                Value::Vector(if is_there { Vector::new() } else { vec![(labels.clone(), 1.0)] })
            }
            Expr::LabelReplace { replace, of } => {
                let replaced =
                    self.vector(of)?.into_iter().map(|(labels, value)| (replace.of(labels), value));
                Value::Vector(all_different(replaced.collect())?)
            }
        })
    }

    fn vector(&self, expr: &Expr) -> Result<Vector, Failed> {
        match self.value(expr)? {
            Value::Vector(vector) => Ok(vector),
            Value::Scalar(_) => unreachable!("the reader wants a vector"),
        }
    }

    /// The newest sample of each series that has not ended.
    fn select(&self, matchers: &[Matcher]) -> Vector {
        let found =
            self.samples.iter().filter(|(labels, _)| matchers.iter().all(|matcher| matcher.takes(labels)));
        let newest = |points: &[Point]| {
            let upto = points.partition_point(|point| point.at <= self.at);
            let newest = *points[..upto].last()?;
            (newest.at > self.at - LOOKBACK && !newest.is_stale()).then_some(newest.value)
        };
        found.filter_map(|(labels, points)| Some((labels.clone(), newest(points)?))).collect()
    }

    fn binary(&self, binary: &Binary) -> Result<Value, Failed> {
        let (left, right) = (self.value(&binary.left)?, self.value(&binary.right)?);
        Ok(match (left, right) {
            (Value::Scalar(left), Value::Scalar(right)) => Value::Scalar(binary.operator.of(left, right)),
            (Value::Vector(left), Value::Scalar(right)) => {
                Value::Vector(binary.with_scalar(left, |value| (value, right))?)
            }
            (Value::Scalar(left), Value::Vector(right)) => {
                Value::Vector(binary.with_scalar(right, |value| (left, value))?)
            }
            (Value::Vector(left), Value::Vector(right)) if binary.operator.is_set() => {
                Value::Vector(binary.set(left, right))
            }
            (Value::Vector(left), Value::Vector(right)) => Value::Vector(binary.match_up(left, right)?),
        })
    }
}

impl Matcher {
    fn takes(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.label).map_or("", String::as_str);
        self.words.iter().any(|word| word == value) == self.is
    }
}

impl LabelReplace {
    /// The labels of an element, one of them replaced where the pattern takes another whole.
    fn of(&self, mut labels: Labels) -> Labels {
        let value = labels.get(&self.from).map_or("", String::as_str);
        let takes = match &self.pattern {
            Pattern::Anything => true,
            Pattern::Something => !value.is_empty(),
            Pattern::Words(words) => words.iter().any(|word| word == value),
        };
        if takes {
            match self.text.clone().unwrap_or_else(|| value.to_owned()) {
                text if text.is_empty() => drop(labels.remove(&self.to)),
                text => drop(labels.insert(self.to.clone(), text)),
            }
        }
        labels
    }
}

/// No two elements may have the same labels.
pub(super) fn all_different(vector: Vector) -> Result<Vector, Failed> {
    let different: BTreeSet<&Labels> = vector.iter().map(|(labels, _)| labels).collect();
    if different.len() == vector.len() { Ok(vector) } else { Err(Failed::Error) }
}
