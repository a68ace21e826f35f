//! What an expression is at an instant. Prometheus 3.15, `promql/engine.go`: `VectorBinop`, `VectorscalarBinop`, `aggregation`.

use super::syntax::{Aggregation, Binary, Expr, Grouping, Matcher, Operator};
use crate::prometheus::samples::{Labels, Millis, NAME, Point, Samples};
use std::collections::{BTreeMap, BTreeSet};

/// How far back a sample is seen; one that is exactly so old is not.
const LOOKBACK: Millis = 300_000;

/// The elements of an instant vector.
pub(super) type Vector = Vec<(Labels, f64)>;

/// An evaluation that has no result: elements that may not be alike are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed;

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
        })
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
            (Value::Vector(left), Value::Vector(right)) => Value::Vector(binary.one_to_one(left, right)?),
        })
    }
}

impl Matcher {
    fn takes(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.label).map_or("", String::as_str);
        self.words.iter().any(|word| word == value) == self.is
    }
}

impl Grouping {
    /// The labels of an element that count; the metric's name only where it is asked for.
    fn of(&self, labels: &Labels) -> Labels {
        let counts = |label: &String| match self {
            Self::Only(only) => only.contains(label),
            Self::AllBut(but) => label != NAME && !but.contains(label),
        };
        labels
            .iter()
            .filter(|(label, _)| counts(label))
            .map(|(label, value)| (label.clone(), value.clone()))
            .collect()
    }
}

impl Operator {
    /// The number that two numbers make; of a comparison 0 or 1.
    fn of(self, left: f64, right: f64) -> f64 {
        #[expect(clippy::float_cmp, reason = "so PromQL compares")]
        let holds = match self {
            Self::Add => return left + right,
            Self::Subtract => return left - right,
            Self::Multiply => return left * right,
            Self::Divide => return left / right,
            Self::Modulo => return left % right,
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Or | Self::And | Self::Unless => {
                unreachable!("the reader lets no numbers stand beside them")
            }
        };
        f64::from(u8::from(holds))
    }
}

impl Binary {
    /// What becomes of an element with this value: none where a comparison drops it.
    fn kept(&self, value: f64, left: f64, right: f64) -> Option<f64> {
        let result = self.operator.of(left, right);
        match self.operator.compares() && !self.is_bool {
            true => (result > 0.0).then_some(value),
            false => Some(result),
        }
    }

    /// Whether the result is no longer a value of the metric.
    fn renames(&self) -> bool {
        self.is_bool || !self.operator.compares()
    }

    fn with_scalar(&self, vector: Vector, sides: impl Fn(f64) -> (f64, f64)) -> Result<Vector, Failed> {
        let of_element = |(mut labels, value): (Labels, f64)| {
            let (left, right) = sides(value);
            let kept = self.kept(value, left, right)?;
            if self.renames() {
                labels.remove(NAME);
            }
            Some((labels, kept))
        };
        all_different(vector.into_iter().filter_map(of_element).collect())
    }

    fn set(&self, mut left: Vector, right: Vector) -> Vector {
        let signature = |(labels, _): &(Labels, f64)| self.matching.of(labels);
        if self.operator == Operator::Or {
            let there: BTreeSet<Labels> = left.iter().map(signature).collect();
            left.extend(right.into_iter().filter(|element| !there.contains(&signature(element))));
            return left;
        }
        let there: BTreeSet<Labels> = right.iter().map(signature).collect();
        left.retain(|element| there.contains(&signature(element)) == (self.operator == Operator::And));
        left
    }

    fn one_to_one(&self, left: Vector, right: Vector) -> Result<Vector, Failed> {
        if left.is_empty() || right.is_empty() {
            return Ok(Vector::new());
        }
        let mut partners = BTreeMap::new();
        for (labels, value) in right {
            if partners.insert(self.matching.of(&labels), value).is_some() {
                return Err(Failed);
            }
        }
        let mut matched = BTreeSet::new();
        let mut result = Vector::new();
        for (labels, value) in left {
            let signature = self.matching.of(&labels);
            let Some(kept) = partners.get(&signature).and_then(|right| self.kept(value, value, *right))
            else {
                continue;
            };
            if !matched.insert(signature.clone()) {
                return Err(Failed);
            }
            result.push((self.result_labels(labels, signature), kept));
        }
        all_different(result)
    }

    /// With `on` those labels only, else all but those that are ignored.
    fn result_labels(&self, mut labels: Labels, signature: Labels) -> Labels {
        match &self.matching {
            Grouping::Only(_) => labels = signature,
            Grouping::AllBut(but) => labels.retain(|label, _| !but.contains(label)),
        }
        if self.renames() {
            labels.remove(NAME);
        }
        labels
    }
}

fn all_different(vector: Vector) -> Result<Vector, Failed> {
    let different: BTreeSet<&Labels> = vector.iter().map(|(labels, _)| labels).collect();
    if different.len() == vector.len() { Ok(vector) } else { Err(Failed) }
}

fn aggregate(by: Aggregation, grouping: &Grouping, vector: Vector) -> Vector {
    let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for (labels, value) in vector {
        groups.entry(grouping.of(&labels)).or_default().push(value);
    }
    let beats = |better: fn(f64, f64) -> bool| {
        move |best: f64, value: f64| if best.is_nan() || better(value, best) { value } else { best }
    };
    let of_group = |values: Vec<f64>| {
        let values = values.into_iter();
        match by {
            Aggregation::Sum => values.sum(),
            Aggregation::Min => values.reduce(beats(|value, best| value < best)).unwrap_or(f64::NAN),
            Aggregation::Max => values.reduce(beats(|value, best| value > best)).unwrap_or(f64::NAN),
            #[expect(clippy::cast_precision_loss, reason = "there are fewer series than 2^53")]
            Aggregation::Count => values.len() as f64,
            Aggregation::Group => 1.0,
        }
    };
    groups.into_iter().map(|(labels, values)| (labels, of_group(values))).collect()
}
