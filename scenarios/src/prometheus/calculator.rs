//! Rules over the samples of many runs, by servers started for it.

use super::alerts::{Change, changes};
use super::layout::{Placed, place};
use super::query::{Grid, Matrix, QueryError};
use super::results::Results;
use super::rules::{Group, Rule, RuleKind};
use super::samples::{Labels, Millis, Point, Samples};
use super::server::{Engine, Server, ServerError};
use rayon::prelude::*;

/// The samples of one run, and the rules to be put to them.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What was scraped.
    pub samples: &'a Samples,
    /// The rules.
    pub groups: &'a [Group],
    /// E, the time between two evaluations, for groups that have none of their own.
    pub evaluate: Millis,
    /// The first evaluation. Nothing is known before.
    pub first: Millis,
    /// No evaluation is later.
    pub last: Millis,
}

/// What each alerting rule of a question made of it, in the order of the file.
pub type Answer = Vec<Vec<Change>>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CalculatorError {
    /// An expression that Prometheus cannot read; the rule's place, for [`super::rules::RuleFile::error_at`], and its words.
    #[error("{problem}")]
    Expression {
        /// The field of the rule file.
        field: String,
        /// What Prometheus says.
        problem: String,
    },
    /// The server.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// The answers to questions, in their order.
///
/// # Errors
///
/// If there is no Prometheus, or an expression is none to it.
pub fn answers(engine: &Engine, questions: &[Question<'_>]) -> Result<Vec<Answer>, CalculatorError> {
    let servers = place(questions, rayon::current_num_threads());
    let found: Vec<Vec<(usize, Answer)>> = servers
        .par_iter()
        .map(|placed| {
            let server = Server::start(engine)?;
            let place_of = |placed: &Placed<'_>| {
                questions.iter().position(|question| std::ptr::eq(question, placed.question))
            };
            placed
                .iter()
                .map(|placed| Ok((place_of(placed).expect("it is one of them"), answer(&server, placed)?)))
                .collect()
        })
        .collect::<Result<_, CalculatorError>>()?;
    let mut found: Vec<(usize, Answer)> = found.into_iter().flatten().collect();
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, answer)| answer).collect())
}

fn answer(server: &Server, placed: &Placed<'_>) -> Result<Answer, CalculatorError> {
    let Placed { question, shift } = *placed;
    server.write(question.samples.moved(shift).iter())?;
    let mut answer = Answer::new();
    for group in question.groups {
        let step = group.interval.unwrap_or(question.evaluate);
        let grid = Grid { first: question.first, step, last: question.last };
        for rule in &group.rules {
            let moved = shift - group.query_offset;
            let results = Results::new(rule, &matrix(server, rule, grid, moved)?);
            match &rule.kind {
                RuleKind::Alert(alert) => answer.push(changes(alert, group.limit, grid.ticks(), &results)),
                RuleKind::Record(metric) => {
                    let recorded: Samples = results.recorded(metric, grid.ticks()).into_iter().collect();
                    server.write(recorded.moved(moved).iter())?;
                }
            }
        }
    }
    Ok(answer)
}

/// What a rule's expression gives on a grid that is moved for the query, and back again.
fn matrix(server: &Server, rule: &Rule, grid: Grid, moved: Millis) -> Result<Matrix, CalculatorError> {
    let there = Grid { first: grid.first + moved, last: grid.last + moved, ..grid };
    let matrix = server.range(rule.expression.text(), there).map_err(|error| match error {
        QueryError::BadExpression(problem) => {
            CalculatorError::Expression { field: rule.field().to_owned(), problem }
        }
        QueryError::Server(error) => error.into(),
    })?;
    let back = |(labels, points): (Labels, Vec<Point>)| {
        let points = points.into_iter().map(|point| Point { at: point.at - moved, ..point });
        (labels, points.collect())
    };
    Ok(Matrix {
        series: matrix.series.into_iter().map(back).collect(),
        failed: matrix.failed.into_iter().map(|at| at - moved).collect(),
    })
}
