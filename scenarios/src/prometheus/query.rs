//! Range queries: an expression at every tick of a grid.

use super::samples::{Labels, Millis, Point};
use super::server::{Server, ServerError};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The most points of one query; the server refuses more (`web/api/v1/api.go`).
const MAX_POINTS: Millis = 11_000;

/// The instants `first`, `first + step` … up to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The first tick.
    pub first: Millis,
    /// The time between two ticks, above zero.
    pub step: Millis,
    /// No tick is later.
    pub last: Millis,
}

impl Grid {
    /// Every tick.
    pub fn ticks(self) -> impl Iterator<Item = Millis> {
        assert!(self.step > 0, "ticks move forward");
        (0..self.len()).map(move |index| self.first + index * self.step)
    }

    /// How many ticks there are.
    fn len(self) -> Millis {
        if self.last < self.first { 0 } else { (self.last - self.first) / self.step + 1 }
    }

    /// The same ticks in pieces of at most so many.
    fn pieces(self, most: Millis) -> impl Iterator<Item = Self> {
        (0..self.len()).step_by(usize::try_from(most).expect("a small number")).map(move |from| {
            let first = self.first + from * self.step;
            Self { first, last: self.last.min(first + (most - 1) * self.step), ..self }
        })
    }
}

/// What an expression gave at every tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Each label set with the ticks at which it was in the result, and its values.
    pub series: BTreeMap<Labels, Vec<Point>>,
    /// Ticks at which the expression had no result but an error, in order.
    pub failed: Vec<Millis>,
}

/// Why an expression has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It is no PromQL, or not of a kind that an alert may have.
    #[error("{0}")]
    BadExpression(String),
    /// The server.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// An answer of the API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    data: Option<Data>,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    metric: Labels,
    /// Seconds, and the value as text.
    values: Vec<(f64, String)>,
}

impl Server {
    /// Evaluates an expression at every tick. A tick at which it fails (two series match where one may) is named in the answer:
    /// a whole query fails by one tick, so it is halved until the ticks are known.
    ///
    /// # Errors
    ///
    /// If it is no PromQL, or the server does not answer.
    pub fn range(&self, expression: &str, grid: Grid) -> Result<Matrix, QueryError> {
        let mut matrix = Matrix::default();
        for piece in grid.pieces(MAX_POINTS) {
            self.range_into(&mut matrix, expression, piece)?;
        }
        Ok(matrix)
    }

    fn range_into(&self, matrix: &mut Matrix, expression: &str, grid: Grid) -> Result<(), QueryError> {
        let (start, end) = (seconds(grid.first), seconds(grid.last));
        let step = format!("{}ms", grid.step);
        let form = [("query", expression), ("start", &start), ("end", &end), ("step", &step)];
        let (status, text) = self.ask("/api/v1/query_range", &form)?;
        let unread = |_| ServerError::Answer { status, text: text.chars().take(200).collect() };
        let answer: Answer = serde_json::from_str(&text).map_err(unread)?;
        match (answer.data, answer.error_type.as_str()) {
            (Some(data), "") => {
                data.result.into_iter().for_each(|found| matrix.add(found));
                Ok(())
            }
            (_, "bad_data") => Err(QueryError::BadExpression(answer.error)),
            (_, "execution") if grid.len() == 1 => {
                matrix.failed.push(grid.first);
                Ok(())
            }
            (_, "execution") => {
                let half = (grid.len() + 1) / 2;
                grid.pieces(half).try_for_each(|piece| self.range_into(matrix, expression, piece))
            }
            _ => Err(ServerError::Answer { status, text: answer.error }.into()),
        }
    }
}

impl Matrix {
    fn add(&mut self, Found { metric, values }: Found) {
        let points = values.into_iter().map(|(at, value)| Point { at: millis(at), value: number(&value) });
        self.series.entry(metric).or_default().extend(points);
    }
}

/// Milliseconds as the API takes an instant: seconds, with three decimals.
fn seconds(at: Millis) -> String {
    format!("{}.{:03}", at.div_euclid(1000), at.rem_euclid(1000))
}

fn millis(seconds: f64) -> Millis {
    // Exact: the API prints three decimals, and a double has more than enough of them for thousands of years.
    #[expect(clippy::cast_possible_truncation, reason = "instants of Prometheus are whole milliseconds")]
    let millis = (seconds * 1000.0).round() as Millis;
    millis
}

/// A number as Go prints it, `+Inf` and `NaN` included.
fn number(text: &str) -> f64 {
    text.parse().expect("the API gives numbers")
}

#[cfg(test)]
mod tests {
    use super::{Found, Grid, Matrix, millis, number, seconds};
    use crate::prometheus::samples::{Labels, Point};

    #[test]
    fn a_grid_falls_into_pieces_without_losing_a_tick() {
        for (last, most) in [(-1, 4), (0, 4), (99, 4), (100, 4), (101, 1), (1000, 4)] {
            let grid = Grid { first: 0, step: 10, last };
            let pieces: Vec<_> = grid.pieces(most).collect();
            let ticks = pieces.iter().flat_map(|piece| piece.ticks());
            assert!(ticks.eq(grid.ticks()), "{last} by {most}");
            assert!(pieces.iter().all(|piece| (1..=most).contains(&piece.len())));
        }
    }

    #[test]
    fn instants_and_numbers_come_back_as_they_went() {
        for at in [0, 1, 999, 1_664_795_467_750, 1_664_795_467_001, 9_999_999_999_999] {
            assert_eq!(millis(seconds(at).parse().expect("a number")), at);
        }
        assert_eq!(number("+Inf"), f64::INFINITY);
        assert_eq!(number("-1.5e+09"), -1.5e9);
        assert!(number("NaN").is_nan());
    }

    #[test]
    fn pieces_of_one_series_are_put_together() {
        let mut matrix = Matrix::default();
        let found = |at: f64| Found { metric: Labels::new(), values: vec![(at, "1".to_owned())] };
        matrix.add(found(1.0));
        matrix.add(found(2.5));
        let points = vec![Point { at: 1000, value: 1.0 }, Point { at: 2500, value: 1.0 }];
        assert_eq!(matrix.series.into_values().collect::<Vec<_>>(), [points]);
    }
}
