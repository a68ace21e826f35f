//! The part of PromQL that the embedded engine reads: instant vectors, and what can be made of them at one instant.
//!
//! Prometheus 3.15, `promql/parser/generated_parser.y`. Everything else is refused by its name, so that no rule is judged by
//! something that only looks like PromQL.

use std::fmt;

/// Why an expression is not evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It has this, which is PromQL and beyond the engine.
    Beyond(String),
    /// It is no PromQL, as far as this goes: what was found in place of what.
    Unread(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beyond(what) => write!(f, "{what}, which the embedded engine does not know"),
            Self::Unread(what) => write!(f, "{what}"),
        }
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// A number.
    Number(f64),
    /// `time()`
    Time,
    /// `vector(…)`
    Vector(Box<Expr>),
    /// An instant vector.
    Select(Vec<Matcher>),
    /// Two expressions and an operator.
    Binary(Box<Binary>),
    /// An aggregation.
    Aggregate { by: Aggregation, grouping: Grouping, of: Box<Expr> },
}

/// Two expressions and an operator.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Binary {
    pub(super) operator: Operator,
    /// Whether a comparison gives 0 or 1 and drops nothing.
    pub(super) is_bool: bool,
    /// By which labels elements of two vectors belong together.
    pub(super) matching: Grouping,
    pub(super) left: Expr,
    pub(super) right: Expr,
}

/// `=`, `!=`, or one of several words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    pub(super) label: String,
    pub(super) is: bool,
    /// Any of these.
    pub(super) words: Vec<String>,
}

/// The labels that count: these, or all but these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    Only(Vec<String>),
    AllBut(Vec<String>),
}

/// What an aggregation makes of the values of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregation {
    Sum,
    Min,
    Max,
    Count,
    Group,
}

/// Operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Unless,
    Equal,
    Unequal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

impl Operator {
    /// Whether it compares.
    pub(super) const fn compares(self) -> bool {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Unequal};
        matches!(self, Equal | Unequal | Greater | GreaterOrEqual | Less | LessOrEqual)
    }

    /// Whether it is about which elements there are, not about values.
    pub(super) const fn is_set(self) -> bool {
        matches!(self, Self::Or | Self::And | Self::Unless)
    }
}

impl Expr {
    /// Whether it is a number, not a vector.
    pub(super) fn is_scalar(&self) -> bool {
        match self {
            Self::Number(_) | Self::Time => true,
            Self::Vector(_) | Self::Select(_) | Self::Aggregate { .. } => false,
            Self::Binary(binary) => binary.left.is_scalar() && binary.right.is_scalar(),
        }
    }
}
