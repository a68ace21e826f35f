//! Two values and an operator. Prometheus 3.15, `promql/engine.go`: `VectorBinop`, `VectorscalarBinop`, `VectorAnd` and its like, `resultMetric`.

use super::evaluate::{Failed, Vector, all_different};
use super::syntax::{Binary, Grouping, Operator, Partners};
use crate::prometheus::samples::{Labels, NAME};
use std::collections::{BTreeMap, BTreeSet};

impl Operator {
    /// The number that two numbers make; of a comparison 0 or 1.
    pub(super) fn of(self, left: f64, right: f64) -> f64 {
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

    pub(super) fn with_scalar(
        &self,
        vector: Vector,
        sides: impl Fn(f64) -> (f64, f64),
    ) -> Result<Vector, Failed> {
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

    pub(super) fn set(&self, mut left: Vector, right: Vector) -> Vector {
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

    /// Elements that belong together, in pairs: on the side of which there is one, none may be there twice.
    pub(super) fn match_up(&self, left: Vector, right: Vector) -> Result<Vector, Failed> {
        if left.is_empty() || right.is_empty() {
            return Ok(Vector::new());
        }
        let is_swapped = matches!(self.partners, Partners::OneToMany(_));
        let (many, one) = if is_swapped { (right, left) } else { (left, right) };
        let mut partners = BTreeMap::new();
        for (labels, value) in one {
            if partners.insert(self.matching.of(&labels), (labels, value)).is_some() {
                return Err(Failed::Error);
            }
        }
        let mut matched = BTreeSet::new();
        let mut result = Vector::new();
        for (labels, value) in many {
            let signature = self.matching.of(&labels);
            let Some((partner, other)) = partners.get(&signature) else { continue };
            let (left, right) = if is_swapped { (*other, value) } else { (value, *other) };
            let Some(kept) = self.kept(left, left, right) else { continue };
            if self.partners == Partners::OneToOne && !matched.insert(signature.clone()) {
                return Err(Failed::Error);
            }
            result.push((self.result_labels(labels, signature, partner), kept));
        }
        all_different(result)
    }

    /// Of pairs with `on` those labels only, else all but those that are ignored; of groups all labels of the side of many, and what is
    /// taken from the other.
    fn result_labels(&self, mut labels: Labels, signature: Labels, partner: &Labels) -> Labels {
        match (&self.partners, &self.matching) {
            (Partners::OneToOne, Grouping::Only(_)) => labels = signature,
            (Partners::OneToOne, Grouping::AllBut(but)) => labels.retain(|label, _| !but.contains(label)),
            (Partners::ManyToOne(_) | Partners::OneToMany(_), _) => {}
        }
        if !self.operator.compares() {
            labels.remove(NAME);
        }
        if let Partners::ManyToOne(included) | Partners::OneToMany(included) = &self.partners {
            for label in included {
                match partner.get(label) {
                    Some(value) => drop(labels.insert(label.clone(), value.clone())),
                    None => drop(labels.remove(label)),
                }
            }
        }
        if self.is_bool {
            labels.remove(NAME);
        }
        labels
    }
}
