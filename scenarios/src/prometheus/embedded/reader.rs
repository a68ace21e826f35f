//! Reads expressions. Prometheus 3.15, `promql/parser/generated_parser.y`.

use super::syntax::{Binary, Expr, Grouping, Operator, Partners, Refused};
use super::tokens::{Token, tokens};
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

/// Aggregations, operators and modifiers that are words, and not functions, to PromQL.
pub(super) const OTHER_WORDS: [&str; 11] = [
    "stddev",
    "stdvar",
    "count_values",
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
pub(super) fn refused(token: &Token) -> Refused {
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

pub(super) struct Reader {
    pub(super) tokens: Peekable<IntoIter<Token>>,
    /// How many brackets and signs are open.
    level: usize,
    /// How many operators have been read.
    operators: usize,
}

impl Reader {
    pub(super) fn take(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| token.is(word)).is_some()
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), Refused> {
        match self.tokens.next() {
            Some(token) if token.is(symbol) => Ok(()),
            Some(token) => Err(refused(&token)),
            None => Err(Refused::Unread(format!("an end where `{symbol}` is missing"))),
        }
    }

    /// Operators of one level go from left to right.
    pub(super) fn binary(&mut self, least: u8) -> Result<Expr, Refused> {
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
            let matching = self.matching(*operator)?;
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
            let (matching, partners) = matching.unwrap_or((Grouping::AllBut(Vec::new()), Partners::OneToOne));
            let operator = *operator;
            left = Expr::Binary(Box::new(Binary { operator, is_bool, matching, partners, left, right }));
        }
        Ok(left)
    }

    /// The labels by which elements belong together, and how many do.
    fn matching(&mut self, operator: Operator) -> Result<Option<(Grouping, Partners)>, Refused> {
        let matching = match () {
            () if self.take("on") => Grouping::Only(self.labels()?),
            () if self.take("ignoring") => Grouping::AllBut(self.labels()?),
            () => return Ok(None),
        };
        let partners = match () {
            () if self.take("group_left") => Partners::ManyToOne(self.optional_labels()?),
            () if self.take("group_right") => Partners::OneToMany(self.optional_labels()?),
            () => return Ok(Some((matching, Partners::OneToOne))),
        };
        let (Partners::ManyToOne(included) | Partners::OneToMany(included)) = &partners else {
            unreachable!("it was one of the two")
        };
        if operator.is_set() {
            return Err(Refused::Unread("a group beside a set operator".to_owned()));
        }
        if let Grouping::Only(on) = &matching
            && let Some(twice) = included.iter().find(|label| on.contains(label))
        {
            return Err(Refused::Unread(format!("the label `{twice}` in `on` and in the group")));
        }
        Ok(Some((matching, partners)))
    }

    fn optional_labels(&mut self) -> Result<Vec<String>, Refused> {
        let has_labels = self.tokens.peek().is_some_and(|token| token.is("("));
        if has_labels { self.labels() } else { Ok(Vec::new()) }
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
                partners: Partners::OneToOne,
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

    pub(super) fn labels(&mut self) -> Result<Vec<String>, Refused> {
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
}
