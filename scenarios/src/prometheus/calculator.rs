//! Rules over the samples of many runs: by servers started for it, or by the embedded engine.

use super::alerts::{Change, changes};
use super::embedded::{self, Refused};
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
    /// An expression that the embedded engine does not know; the rule's place, and what of it.
    #[error("{what}")]
    Refused {
        /// The field of the rule file.
        field: String,
        /// What it has.
        what: Refused,
    },
    /// The server.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Who evaluates expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evaluator {
    /// Prometheus itself.
    Prometheus(Engine),
    /// The engine that is part of the program, and knows a part of PromQL.
    Embedded,
}

impl Default for Evaluator {
    fn default() -> Self {
        Self::Prometheus(Engine::default())
    }
}

impl Evaluator {
    /// Whether it is there and knows what these rules have, as far as that can be said without samples.
    ///
    /// # Errors
    ///
    /// If there is no Prometheus, or an expression has something that the embedded engine does not know.
    pub fn check(&self, groups: &[Group]) -> Result<(), CalculatorError> {
        let known = |rule: &Rule| embedded::check(rule.expression.text()).map_err(|what| refused(rule, what));
        match self {
            Self::Prometheus(engine) => Ok(engine.check()?),
            Self::Embedded => groups.iter().flat_map(|group| &group.rules).try_for_each(known),
        }
    }

    /// The answers to questions, in their order.
    ///
    /// # Errors
    ///
    /// As [`Evaluator::check`], and if an expression is none to Prometheus.
    pub fn answers(&self, questions: &[Question<'_>]) -> Result<Vec<Answer>, CalculatorError> {
        let embedded = |question: &Question<'_>| answer(&mut Embedded(question.samples.clone()), question, 0);
        match self {
            Self::Prometheus(engine) => answers(engine, questions),
            Self::Embedded => questions.par_iter().map(embedded).collect(),
        }
    }
}

/// Where samples are, and expressions are evaluated.
trait Store {
    fn write(&mut self, samples: Samples) -> Result<(), CalculatorError>;

    /// What a rule's expression gives on a grid that is moved for the query, and back again.
    fn matrix(&self, rule: &Rule, grid: Grid, moved: Millis) -> Result<Matrix, CalculatorError>;
}

struct Embedded(Samples);

impl Store for Embedded {
    fn write(&mut self, samples: Samples) -> Result<(), CalculatorError> {
        for (labels, points) in samples.iter() {
            points.iter().for_each(|point| self.0.add(labels, *point));
        }
        Ok(())
    }

    fn matrix(&self, rule: &Rule, grid: Grid, moved: Millis) -> Result<Matrix, CalculatorError> {
        embedded::range(&self.0, rule.expression.text(), grid, -moved).map_err(|what| refused(rule, what))
    }
}

fn refused(rule: &Rule, what: Refused) -> CalculatorError {
    CalculatorError::Refused { field: rule.field().to_owned(), what }
}

/// The answers of Prometheus to questions, in their order.
///
/// # Errors
///
/// If there is no Prometheus, or an expression is none to it.
pub fn answers(engine: &Engine, questions: &[Question<'_>]) -> Result<Vec<Answer>, CalculatorError> {
    let servers = place(questions, rayon::current_num_threads());
    let found: Vec<Vec<(usize, Answer)>> = servers
        .par_iter()
        .map(|placed| {
            let mut server = Server::start(engine)?;
            let place_of = |placed: &Placed<'_>| {
                questions.iter().position(|question| std::ptr::eq(question, placed.question))
            };
            let mut answered = |placed: &Placed<'_>| {
                let Placed { question, shift } = *placed;
                Store::write(&mut server, question.samples.moved(shift))?;
                Ok((place_of(placed).expect("it is one of them"), answer(&mut server, question, shift)?))
            };
            placed.iter().map(&mut answered).collect()
        })
        .collect::<Result<_, CalculatorError>>()?;
    let mut found: Vec<(usize, Answer)> = found.into_iter().flatten().collect();
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, answer)| answer).collect())
}

/// What the rules of a question make of samples that are in a store already, moved by so much.
fn answer(store: &mut impl Store, question: &Question<'_>, shift: Millis) -> Result<Answer, CalculatorError> {
    let mut answer = Answer::new();
    for group in question.groups {
        let step = group.interval.unwrap_or(question.evaluate);
        let grid = Grid { first: question.first, step, last: question.last };
        for rule in &group.rules {
            let moved = shift - group.query_offset;
            let results = Results::new(rule, &store.matrix(rule, grid, moved)?);
            match &rule.kind {
                RuleKind::Alert(alert) => answer.push(changes(alert, group.limit, grid.ticks(), &results)),
                RuleKind::Record(metric) => {
                    let recorded: Samples = results.recorded(metric, grid.ticks()).into_iter().collect();
                    store.write(recorded.moved(moved))?;
                }
            }
        }
    }
    Ok(answer)
}

impl Store for Server {
    fn write(&mut self, samples: Samples) -> Result<(), CalculatorError> {
        Ok(Self::write(self, samples.iter())?)
    }

    fn matrix(&self, rule: &Rule, grid: Grid, moved: Millis) -> Result<Matrix, CalculatorError> {
        let there = Grid { first: grid.first + moved, last: grid.last + moved, ..grid };
        let matrix = self.range(rule.expression.text(), there).map_err(|error| match error {
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
}
