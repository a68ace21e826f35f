//! Reads expressions. Prometheus 3.15, `promql/parser/generated_parser.y`.

use super::syntax::{Aggregation, Binary, Expr, Grouping, Matcher, Operator, Refused};
use super::tokens::{Token, tokens};
use crate::prometheus::samples::NAME;
use std::iter::Peekable;
use std::vec::IntoIter;

/// Operators by what they are called, and how tightly they bind.
const OPERATORS: [(&str, Operator, u8); 14] = [
    ("or", Operator::Or, 1),
    ("and", Operator::And, 2),
    ("unless", Operator::Unless, 2),
    ("==", Operator::Equal, 3),
    ("!=", Operator::Unequal, 3),
    (">=", Operator::GreaterOrEqual, 3),
    ("<=", Operator::LessOrEqual, 3),
    (">", Operator::Greater, 3),
    ("<", Operator::Less, 3),
    ("+", Operator::Add, 4),
    ("-", Operator::Subtract, 4),
    ("*", Operator::Multiply, 5),
    ("/", Operator::Divide, 5),
    ("%", Operator::Modulo, 5),
];

const AGGREGATIONS: [(&str, Aggregation); 5] = [
    ("sum", Aggregation::Sum),
    ("min", Aggregation::Min),
    ("max", Aggregation::Max),
    ("count", Aggregation::Count),
    ("group", Aggregation::Group),
];

/// Aggregations, operators and modifiers that are words, and not functions, to PromQL.
const OTHER_WORDS: [&str; 14] = [
    "avg",
    "stddev",
    "stdvar",
    "count_values",
    "bottomk",
    "topk",
    "quantile",
    "limitk",
    "limit_ratio",
    "offset",
    "group_left",
    "group_right",
    "atan2",
    "smoothed",
];

/// How deep brackets and signs may stand in each other; what reads and evaluates them goes down by itself.
const LEVELS: usize = 64;

/// How many operators an expression may have: as they stand in a row, so deep is the tree.
const OPERATORS_MAX: usize = 256;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, Refused> {
    let mut reader = Reader { tokens: tokens(text)?.into_iter().peekable(), level: 0, operators: 0 };
    let expr = reader.binary(0)?;
    match reader.tokens.next() {
        None => Ok(expr),
        Some(token) => Err(refused(&token)),
    }
}

/// A token that nothing here begins or goes on with.
fn refused(token: &Token) -> Refused {
    match token {
        Token::Symbol(symbol @ ("[" | "^" | "@")) => {
            let what = match *symbol {
                "[" => "a range `[…]`",
                "^" => "the operator `^`",
                _ => "the modifier `@`",
            };
            Refused::Beyond(what.to_owned())
        }
        Token::Word(word) if OTHER_WORDS.contains(&word.to_lowercase().as_str()) => {
            Refused::Beyond(format!("`{word}`"))
        }
        token => Refused::Unread(format!("{} where it does not belong", token.shown())),
    }
}

struct Reader {
    tokens: Peekable<IntoIter<Token>>,
    /// How many brackets and signs are open.
    level: usize,
    /// How many operators have been read.
    operators: usize,
}

impl Reader {
    fn take(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| token.is(word)).is_some()
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Refused> {
        match self.tokens.next() {
            Some(token) if token.is(symbol) => Ok(()),
            Some(token) => Err(refused(&token)),
            None => Err(Refused::Unread(format!("an end where `{symbol}` is missing"))),
        }
    }

    /// Operators of one level go from left to right.
    fn binary(&mut self, least: u8) -> Result<Expr, Refused> {
        let mut left = self.unary()?;
        while let Some(token) = self.tokens.peek() {
            let found = OPERATORS.iter().find(|(word, _, level)| token.is(word) && *level > least);
            let Some((_, operator, level)) = found else { break };
            self.tokens.next();
            self.operators += 1;
            if self.operators > OPERATORS_MAX {
                return Err(Refused::Beyond(format!("more than {OPERATORS_MAX} operators")));
            }
            let is_bool = self.take("bool");
            if is_bool && !operator.compares() {
                return Err(Refused::Unread("`bool` behind an operator that does not compare".to_owned()));
            }
            let matching = self.matching()?;
            let right = self.binary(*level)?;
            let vectors = [&left, &right].iter().filter(|side| !side.is_scalar()).count();
            let wrong = match vectors {
                0 | 1 if operator.is_set() => Some("a set operator between what is not two vectors"),
                0 | 1 if matching.is_some() => Some("labels to match between what is not two vectors"),
                0 if operator.compares() && !is_bool => Some("a comparison of two numbers without `bool`"),
                _ => None,
            };
            if let Some(wrong) = wrong {
                return Err(Refused::Unread(wrong.to_owned()));
            }
            let matching = matching.unwrap_or(Grouping::AllBut(Vec::new()));
            left = Expr::Binary(Box::new(Binary { operator: *operator, is_bool, matching, left, right }));
        }
        Ok(left)
    }

    fn matching(&mut self) -> Result<Option<Grouping>, Refused> {
        let matching = match () {
            () if self.take("on") => Grouping::Only(self.labels()?),
            () if self.take("ignoring") => Grouping::AllBut(self.labels()?),
            () => return Ok(None),
        };
        let beyond = self.tokens.next_if(|token| token.is("group_left") || token.is("group_right"));
        beyond.map_or(Ok(Some(matching)), |token| Err(refused(&token)))
    }

    fn unary(&mut self) -> Result<Expr, Refused> {
        self.level += 1;
        if self.level > LEVELS {
            return Err(Refused::Beyond(format!("more than {LEVELS} brackets and signs in each other")));
        }
        let expr = self.signed();
        self.level -= 1;
        expr
    }

    fn signed(&mut self) -> Result<Expr, Refused> {
        if self.take("+") {
            return self.unary();
        }
        if !self.take("-") {
            return self.atom();
        }
        Ok(match self.unary()? {
            Expr::Number(number) => Expr::Number(-number),
            right => Expr::Binary(Box::new(Binary {
                operator: Operator::Multiply,
                is_bool: false,
                matching: Grouping::AllBut(Vec::new()),
                left: Expr::Number(-1.0),
                right,
            })),
        })
    }

    fn atom(&mut self) -> Result<Expr, Refused> {
        match self.tokens.next() {
            None => Err(Refused::Unread("an end where an expression is missing".to_owned())),
            Some(Token::Number(text)) => {
                let beyond = |_| Refused::Beyond(format!("the number `{text}`"));
                text.parse().map(Expr::Number).map_err(beyond)
            }
            Some(Token::Symbol("(")) => {
                let inner = self.binary(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(Token::Symbol("{")) => self.selector(None),
            Some(Token::Word(word)) => self.word(word),
            Some(token) => Err(refused(&token)),
        }
    }

    fn word(&mut self, word: String) -> Result<Expr, Refused> {
        let lower = word.to_lowercase();
        if let Some((_, by)) = AGGREGATIONS.iter().find(|(name, _)| *name == lower) {
            return self.aggregate(*by);
        }
        let reserved = ["by", "without", "on", "ignoring", "bool", "or", "and", "unless"];
        if OTHER_WORDS.contains(&lower.as_str()) || reserved.contains(&lower.as_str()) {
            return Err(refused(&Token::Word(word)));
        }
        match lower.as_str() {
            "inf" => return Ok(Expr::Number(f64::INFINITY)),
            "nan" => return Ok(Expr::Number(f64::NAN)),
            _ => {}
        }
        if !self.tokens.peek().is_some_and(|token| token.is("(")) {
            return self.selector(Some(word));
        }
        self.tokens.next();
        let expr = match word.as_str() {
            "time" => Expr::Time,
            "vector" => Expr::Vector(Box::new(self.scalar()?)),
            _ => return Err(Refused::Beyond(format!("the function `{word}`"))),
        };
        self.expect(")")?;
        Ok(expr)
    }

    fn scalar(&mut self) -> Result<Expr, Refused> {
        let expr = self.binary(0)?;
        let found = "a vector where a number is expected".to_owned();
        if expr.is_scalar() { Ok(expr) } else { Err(Refused::Unread(found)) }
    }

    /// Labels stand before what is aggregated, or behind it.
    fn aggregate(&mut self, by: Aggregation) -> Result<Expr, Refused> {
        let before = self.grouping()?;
        self.expect("(")?;
        let of = Box::new(self.binary(0)?);
        self.expect(")")?;
        if of.is_scalar() {
            return Err(Refused::Unread("an aggregation of a number".to_owned()));
        }
        let grouping = match before {
            Some(grouping) => grouping,
            None => self.grouping()?.unwrap_or(Grouping::Only(Vec::new())),
        };
        Ok(Expr::Aggregate { by, grouping, of })
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, Refused> {
        Ok(match () {
            () if self.take("by") => Some(Grouping::Only(self.labels()?)),
            () if self.take("without") => Some(Grouping::AllBut(self.labels()?)),
            () => None,
        })
    }

    fn labels(&mut self) -> Result<Vec<String>, Refused> {
        self.expect("(")?;
        let mut labels = Vec::new();
        while !self.take(")") {
            match self.tokens.next() {
                Some(Token::Word(label)) if !label.contains(':') => labels.push(label),
                Some(token) => return Err(refused(&token)),
                None => return Err(Refused::Unread("an end within labels".to_owned())),
            }
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(labels)
    }

    /// The metric has been read, or the brace of a selector without one.
    fn selector(&mut self, metric: Option<String>) -> Result<Expr, Refused> {
        let braces = metric.is_none() || self.take("{");
        let name = |metric| Matcher { label: NAME.to_owned(), is: true, words: vec![metric] };
        let mut matchers: Vec<Matcher> = metric.map(name).into_iter().collect();
        while braces && !self.take("}") {
            matchers.push(self.matcher()?);
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        let is_empty = |matcher: &Matcher| matcher.is == matcher.words.iter().any(String::is_empty);
        if matchers.iter().all(is_empty) {
            return Err(Refused::Unread("a selector of every series there is".to_owned()));
        }
        let beyond = self.tokens.next_if(|token| ["offset", "@", "["].iter().any(|word| token.is(word)));
        beyond.map_or(Ok(Expr::Select(matchers)), |token| Err(refused(&token)))
    }

    fn matcher(&mut self) -> Result<Matcher, Refused> {
        let label = match self.tokens.next() {
            Some(Token::Word(label)) if !label.contains(':') => label,
            Some(Token::Text(_)) => return Err(Refused::Beyond("a quoted name".to_owned())),
            Some(token) => return Err(refused(&token)),
            None => return Err(Refused::Unread("an end within braces".to_owned())),
        };
        let operator = self.tokens.next();
        let Some(Token::Text(text)) = self.tokens.next() else {
            return Err(Refused::Unread(format!("a matcher of `{label}` without a text in quotes")));
        };
        match operator {
            Some(Token::Symbol("=")) => Ok(Matcher { label, is: true, words: vec![text] }),
            Some(Token::Symbol("!=")) => Ok(Matcher { label, is: false, words: vec![text] }),
            Some(Token::Symbol(symbol @ ("=~" | "!~"))) => {
                Ok(Matcher { label, is: symbol == "=~", words: alternatives(&text)? })
            }
            _ => Err(Refused::Unread(format!("a matcher of `{label}` without `=` or its like"))),
        }
    }
}

/// A regular expression that is words with `|` between them, as most are in alerts.
fn alternatives(expression: &str) -> Result<Vec<String>, Refused> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-/ ,:|".contains(letter);
    if !expression.chars().all(is_plain) {
        return Err(Refused::Beyond(format!("the regular expression `{expression}`")));
    }
    Ok(expression.split('|').map(str::to_owned).collect())
}
