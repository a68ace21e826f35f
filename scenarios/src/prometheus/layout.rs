//! Where runs lie in a server's storage: one behind the other, whole weeks apart, so that none sees another's samples and every
//! rule sees the hours and weekdays that it would.

use super::calculator::Question;
use super::rules::Rule;
use super::samples::{Labels, Millis, NAME, Point, Samples};

const WEEK: Millis = 7 * 86_400_000;

/// What a metric is called whose value is an instant, in seconds since 1970.
const INSTANT: &str = "_timestamp_seconds";

/// A question and how far it is moved into the future.
pub(super) struct Placed<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) shift: Millis,
}

/// The questions by server. The answers do not depend on it: a question that another time could change has a server of its own.
pub(super) fn place<'a>(questions: &'a [Question<'a>], servers: usize) -> Vec<Vec<Placed<'a>>> {
    let (alone, shared): (Vec<_>, Vec<_>) = questions.iter().partition(|question| is_tied(question));
    let shares = shared.chunks(shared.len().div_ceil(servers.max(1)).max(1)).map(one_behind_the_other);
    shares.chain(alone.iter().map(|question| vec![Placed { question, shift: 0 }])).collect()
}

fn one_behind_the_other<'a>(questions: &[&'a Question<'a>]) -> Vec<Placed<'a>> {
    let mut free = Millis::MIN;
    let mut placed = Vec::new();
    for question in questions {
        let first = question.first.min(question.samples.first_at().unwrap_or(question.first));
        let needed = free.saturating_add(reach(question));
        let weeks = needed.saturating_sub(first).max(0).unsigned_abs().div_ceil(WEEK.unsigned_abs());
        let shift = i64::try_from(weeks).expect("a few centuries at most") * WEEK;
        free = question.last.max(question.samples.last_at().unwrap_or(question.last)) + shift;
        placed.push(Placed { question, shift });
    }
    placed
}

fn rules<'a>(question: &Question<'a>) -> impl Iterator<Item = &'a Rule> {
    question.groups.iter().flat_map(|group| &group.rules)
}

/// How far before its first tick a question looks.
fn reach(question: &Question<'_>) -> Millis {
    let offset = question.groups.iter().map(|group| group.query_offset).max().unwrap_or(0);
    let reach = rules(question).map(|rule| rule.expression.reach()).max().unwrap_or(0);
    reach.saturating_add(offset)
}

/// Whether the answer could be another one at another time: by dates, or by an instant "-1" shortly after 1970, whose age is
/// then no more than any other.
fn is_tied(question: &Question<'_>) -> bool {
    const YEAR: Millis = 365 * 86_400_000;
    let before_1970 = |(labels, points): (&Labels, &[Point])| {
        is_instant(labels) && points.iter().any(|point| point.value < 0.0)
    };
    rules(question).any(|rule| rule.expression.tells_dates_apart())
        || (question.first < YEAR && question.samples.iter().any(before_1970))
}

fn is_instant(labels: &Labels) -> bool {
    labels.get(NAME).is_some_and(|name| name.ends_with(INSTANT))
}

impl Samples {
    /// The same samples so much later. Values that are instants move along; 0 and -1 say that there is none, and stay.
    pub(super) fn moved(&self, shift: Millis) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "whole weeks, in seconds")]
        let seconds = (shift / 1000) as f64;
        let later = |(labels, points): (&Labels, &[Point])| {
            let by = if is_instant(labels) { seconds } else { 0.0 };
            let later = |point: &Point| {
                let value = if point.value > 0.0 { point.value + by } else { point.value };
                Point { at: point.at + shift, value }
            };
            (labels.clone(), points.iter().map(later).collect())
        };
        self.iter().map(later).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{WEEK, place};
    use crate::prometheus::calculator::Question;
    use crate::prometheus::rules::RuleFile;
    use crate::prometheus::samples::{Labels, NAME, Point, Samples};

    fn samples(metric: &str, values: &[(i64, f64)]) -> Samples {
        let labels = Labels::from([(NAME.to_owned(), metric.to_owned())]);
        let points = values.iter().map(|(at, value)| Point { at: *at, value: *value }).collect();
        [(labels, points)].into_iter().collect()
    }

    /// For each server the shifts, in weeks.
    fn shifts(expression: &str, starts: &[i64], value: f64) -> Vec<Vec<i64>> {
        let text = format!("groups: [{{name: g, rules: [{{alert: A, expr: '{expression}'}}]}}]");
        let file = RuleFile::read("r.yaml", text.as_bytes()).expect("right");
        let samples: Vec<Samples> =
            starts.iter().map(|start| samples("a_timestamp_seconds", &[(*start, value)])).collect();
        let question = |(start, samples): (&i64, _)| Question {
            samples,
            groups: &file.groups,
            evaluate: 30_000,
            first: *start,
            last: start + 600_000,
        };
        let questions: Vec<_> = starts.iter().zip(&samples).map(question).collect();
        let weeks =
            |server: Vec<super::Placed<'_>>| server.iter().map(|placed| placed.shift / WEEK).collect();
        place(&questions, 1).into_iter().map(weeks).collect()
    }

    #[test]
    fn runs_of_one_time_lie_weeks_apart_and_others_where_they_are() {
        assert_eq!(shifts("m", &[0, 0, 0], 1.0), [[0, 1, 2]]);
        assert_eq!(shifts("m", &[0, 10 * WEEK, 0], 1.0), [[0, 0, 11]]);
        assert_eq!(shifts("m offset 2w", &[0, 0], 1.0), [[0, 3]]);
    }

    #[test]
    fn what_depends_on_its_time_has_a_server_of_its_own() {
        assert_eq!(shifts("m and on() month() == 10", &[0, 0], 1.0), [[0], [0]]);
        assert_eq!(shifts("m", &[0, 0], -1.0), [[0], [0]]);
        assert_eq!(shifts("m", &[60 * WEEK, 60 * WEEK], -1.0), [[0, 1]]);
    }

    #[test]
    fn instants_move_along_and_other_values_stay() {
        let week = 604_800.0;
        for (metric, value, moved) in [
            ("a_timestamp_seconds", 5.0, week + 5.0),
            ("a_timestamp_seconds", 0.0, 0.0),
            ("a_timestamp_seconds", -1.0, -1.0),
            ("a_info", 1.0, 1.0),
        ] {
            let expected = samples(metric, &[(WEEK + 7, moved)]);
            assert_eq!(samples(metric, &[(7, value)]).moved(WEEK), expected, "{metric} {value}");
        }
        let stale: Samples = samples("a_timestamp_seconds", &[(7, Point::stale(0).value)]).moved(WEEK);
        assert!(stale.iter().all(|(_, points)| points[0].is_stale()));
    }
}
