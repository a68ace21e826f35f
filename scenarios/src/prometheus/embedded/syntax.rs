//! The part of PromQL that the embedded engine reads: instant vectors, and what can be made of them at one instant.
//!
//! Prometheus 3.15, `promql/parser/generated_parser.y`. Everything else is refused by its name, so that no rule is judged by
//! something that only looks like PromQL.

use crate::prometheus::samples::Labels;
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
    /// `topk` and `bottomk`: so many elements of each group.
    Rank { first: Rank, count: Box<Expr>, grouping: Grouping, of: Box<Expr> },
    /// `absent(…)`: one element with these labels where there is none.
    Absent { labels: Labels, of: Box<Expr> },
    /// `label_replace(…)`
    LabelReplace { replace: LabelReplace, of: Box<Expr> },
}

/// Two expressions and an operator.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Binary {
    pub(super) operator: Operator,
    /// Whether a comparison gives 0 or 1 and drops nothing.
    pub(super) is_bool: bool,
    /// By which labels elements of two vectors belong together.
    pub(super) matching: Grouping,
    pub(super) partners: Partners,
    pub(super) left: Expr,
    pub(super) right: Expr,
}

/// How many elements of the two sides may belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Partners {
    OneToOne,
    /// `group_left`: many on the left; these labels are taken from the right.
    ManyToOne(Vec<String>),
    /// `group_right`: many on the right; these labels are taken from the left.
    OneToMany(Vec<String>),
}

/// Which elements of a group come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    Top,
    Bottom,
}

/// What `label_replace` does: where a pattern takes all of one label, another gets a new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LabelReplace {
    pub(super) to: String,
    pub(super) from: String,
    pub(super) pattern: Pattern,
    /// The new value; the old one of `from` where there is none.
    pub(super) text: Option<String>,
}

/// A regular expression that the engine knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// `.*`
    Anything,
    /// `.+`
    Something,
    /// Words with `|` between them.
    Words(Vec<String>),
}

/// `=`, `!=`, or one of several words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    pub(super) label: String,
    pub(super) is: bool,
    /// Written with `=`: `absent` gives its one element this label.
    pub(super) is_plain: bool,
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
    Average,
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
            Self::Rank { .. } | Self::Absent { .. } | Self::LabelReplace { .. } => false,
            Self::Binary(binary) => binary.left.is_scalar() && binary.right.is_scalar(),
        }
    }
}
