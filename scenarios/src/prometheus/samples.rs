//! Series as Prometheus stores them: what a scrape leaves behind.

use std::collections::BTreeMap;

/// Milliseconds since 1970: the clock of Prometheus' storage, which knows nothing finer.
pub type Millis = i64;

/// Names and values of labels, the metric's own under [`NAME`].
pub type Labels = BTreeMap<String, String>;

/// The label that holds the metric's name.
pub const NAME: &str = "__name__";

/// The one NaN that says "this series has ended" (Prometheus, `model/value/value.go`, `StaleNaN`).
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// One sample of a series.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// When.
    pub at: Millis,
    /// The value; [`Point::stale`] makes a stale marker.
    pub value: f64,
}

/// Two stale markers are the same, as two values of the same bits are.
impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.value.to_bits()) == (other.at, other.value.to_bits())
    }
}

impl Point {
    /// A stale marker: the series has no value from here on.
    pub const fn stale(at: Millis) -> Self {
        Self { at, value: f64::from_bits(STALE_BITS) }
    }

    /// Whether it is a stale marker.
    pub const fn is_stale(self) -> bool {
        self.value.to_bits() == STALE_BITS
    }
}

/// Every series of one cluster, each in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(BTreeMap<Labels, Vec<Point>>);

impl Samples {
    /// Adds a sample.
    ///
    /// # Panics
    ///
    /// If the series has a later sample: storage would refuse it.
    pub fn add(&mut self, labels: &Labels, point: Point) {
        // Almost always the series is there: its labels are copied once.
        let points = match self.0.get_mut(labels) {
            Some(points) => points,
            None => self.0.entry(labels.clone()).or_default(),
        };
        assert!(points.last().is_none_or(|last| last.at < point.at), "samples of {labels:?} come in order");
        points.push(point);
    }

    /// Every series, by its labels.
    pub fn iter(&self) -> impl Iterator<Item = (&Labels, &[Point])> {
        self.0.iter().map(|(labels, points)| (labels, points.as_slice()))
    }

    /// The first instant of all; none without a sample.
    pub fn first_at(&self) -> Option<Millis> {
        self.0.values().filter_map(|points| points.first()).map(|point| point.at).min()
    }

    /// The last instant of all; none without a sample.
    pub fn last_at(&self) -> Option<Millis> {
        self.0.values().filter_map(|points| points.last()).map(|point| point.at).max()
    }
}

impl FromIterator<(Labels, Vec<Point>)> for Samples {
    fn from_iter<I: IntoIterator<Item = (Labels, Vec<Point>)>>(series: I) -> Self {
        Self(series.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Labels, Point, Samples};

    #[test]
    fn a_stale_marker_has_its_own_bits_and_is_no_other_nan() {
        assert_eq!(Point::stale(1).value.to_bits(), 0x7ff0_0000_0000_0002);
        assert!(Point::stale(1).is_stale());
        assert!(!Point { at: 1, value: f64::NAN }.is_stale());
        assert_ne!(Point::stale(1), Point { at: 1, value: f64::NAN });
    }

    #[test]
    #[should_panic(expected = "come in order")]
    fn a_sample_before_the_newest_of_its_series_is_a_bug() {
        let mut samples = Samples::default();
        samples.add(&Labels::new(), Point { at: 2, value: 0.0 });
        samples.add(&Labels::new(), Point { at: 2, value: 1.0 });
    }
}
