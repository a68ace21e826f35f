//! Elements by groups. Prometheus 3.15, `promql/engine.go`: `aggregation`, `aggregationK`.

use super::evaluate::{Failed, Vector};
use super::syntax::{Aggregation, Grouping, Rank};
use crate::prometheus::samples::{Labels, NAME};
use std::cmp::Ordering;
use std::collections::BTreeMap;

impl Grouping {
    /// The labels of an element that count; the metric's name only where it is asked for.
    pub(super) fn of(&self, labels: &Labels) -> Labels {
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

/// One element for each group.
pub(super) fn aggregate(by: Aggregation, grouping: &Grouping, vector: Vector) -> Vector {
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
            #[expect(clippy::cast_precision_loss, reason = "there are fewer series than 2^53")]
            Aggregation::Average => values.clone().sum::<f64>() / values.len() as f64,
            Aggregation::Min => values.reduce(beats(|value, best| value < best)).unwrap_or(f64::NAN),
            Aggregation::Max => values.reduce(beats(|value, best| value > best)).unwrap_or(f64::NAN),
            #[expect(clippy::cast_precision_loss, reason = "there are fewer series than 2^53")]
            Aggregation::Count => values.len() as f64,
            Aggregation::Group => 1.0,
        }
    };
    groups.into_iter().map(|(labels, values)| (labels, of_group(values))).collect()
}

/// So many elements of each group as they are, by their values; what is no number comes last.
pub(super) fn rank(first: Rank, count: f64, grouping: &Grouping, vector: Vector) -> Result<Vector, Failed> {
    #[expect(clippy::cast_possible_truncation, reason = "as `convertibleToInt64` looks first")]
    let count = match count {
        _ if count.is_nan() || count.abs() >= 9.2e18 => return Err(Failed::Error),
        count => usize::try_from(count as i64).unwrap_or(0),
    };
    let mut groups: BTreeMap<Labels, Vector> = BTreeMap::new();
    for element in vector {
        groups.entry(grouping.of(&element.0)).or_default().push(element);
    }
    let mut result = Vector::new();
    for mut group in groups.into_values().filter(|_| count > 0) {
        group.sort_by(|(_, one), (_, other)| order(first, *one, *other));
        if let Some([(_, last), (_, next)]) = group.get(count - 1..=count)
            && order(first, *last, *next) == Ordering::Equal
        {
            return Err(Failed::Tied);
        }
        group.truncate(count);
        result.append(&mut group);
    }
    Ok(result)
}

fn order(first: Rank, one: f64, other: f64) -> Ordering {
    let numbers = match first {
        Rank::Top => other.partial_cmp(&one),
        Rank::Bottom => one.partial_cmp(&other),
    };
    numbers.unwrap_or_else(|| one.is_nan().cmp(&other.is_nan()))
}
