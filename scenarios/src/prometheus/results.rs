//! The results of one rule, tick by tick.

use super::query::Matrix;
use super::rules::Rule;
use super::samples::{Labels, Millis, Point};
use std::collections::{BTreeMap, BTreeSet};

/// What a rule's expression gave at each tick, with the rule's labels on top.
pub struct Results {
    labels: Vec<Labels>,
    /// The series that are in the result at a tick, and their values.
    by_tick: BTreeMap<Millis, Vec<(usize, f64)>>,
    failed: BTreeSet<Millis>,
}

/// A rule's result at one tick.
pub type Vector<'a> = BTreeMap<&'a Labels, f64>;

impl Results {
    /// The results of a rule.
    pub fn new(rule: &Rule, matrix: &Matrix) -> Self {
        let mut by_tick: BTreeMap<Millis, Vec<(usize, f64)>> = BTreeMap::new();
        for (index, points) in matrix.series.values().enumerate() {
            for point in points {
                by_tick.entry(point.at).or_default().push((index, point.value));
            }
        }
        let labels = matrix.series.keys().map(|labels| rule.labels_of(labels)).collect();
        Self { labels, by_tick, failed: matrix.failed.iter().copied().collect() }
    }

    /// The result at a tick; none if the evaluation fails: by itself, or since two results have the same labels.
    pub fn at(&self, at: Millis) -> Option<Vector<'_>> {
        let series = self.by_tick.get(&at).map_or(&[][..], Vec::as_slice);
        let vector: Vector<'_> = series.iter().map(|(index, value)| (&self.labels[*index], *value)).collect();
        (vector.len() == series.len() && !self.failed.contains(&at)).then_some(vector)
    }

    /// What a recording rule stores: the values, and a stale marker where a series is no longer in the result.
    pub fn recorded(&self, metric: &str, ticks: impl Iterator<Item = Millis>) -> Vec<(Labels, Vec<Point>)> {
        let mut stored: BTreeMap<&Labels, Vec<Point>> = BTreeMap::new();
        let mut before = Vector::new();
        for at in ticks {
            let Some(vector) = self.at(at) else { continue };
            for (labels, value) in &vector {
                stored.entry(*labels).or_default().push(Point { at, value: *value });
            }
            for gone in before.keys().filter(|labels| !vector.contains_key(*labels)) {
                stored.entry(*gone).or_default().push(Point::stale(at));
            }
            before = vector;
        }
        let named = |labels: &Labels| {
            let mut labels = labels.clone();
            labels.insert(super::samples::NAME.to_owned(), metric.to_owned());
            labels
        };
        stored.into_iter().map(|(labels, points)| (named(labels), points)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Results;
    use crate::prometheus::query::{Grid, Matrix};
    use crate::prometheus::rules::RuleFile;
    use crate::prometheus::samples::{Labels, NAME, Point};

    #[test]
    fn a_recorded_series_ends_with_a_marker_at_the_first_tick_without_it() {
        let text = b"groups: [{name: g, rules: [{record: r, expr: up, labels: {a: b}}]}]";
        let file = RuleFile::read("r.yaml", text).expect("right");
        let points = [0, 10, 40].map(|at| Point { at, value: 2.0 }).to_vec();
        // The evaluation at 20 fails: it does not say that the series has ended.
        let matrix = Matrix { series: [(Labels::new(), points.clone())].into(), failed: vec![20] };
        let ticks = Grid { first: 0, step: 10, last: 50 }.ticks();
        let stored = Results::new(&file.groups[0].rules[0], &matrix).recorded("r", ticks);
        let labels = [(NAME, "r"), ("a", "b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let expected = [points[0], points[1], Point::stale(30), points[2], Point::stale(50)];
        assert_eq!(stored, [(Labels::from(labels), expected.to_vec())]);
    }
}
