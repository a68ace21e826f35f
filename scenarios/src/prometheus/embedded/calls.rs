//! Reads what begins with a word: numbers, selectors, functions and aggregations. Prometheus 3.15, `promql/parser/generated_parser.y`,
//! `promql/parser/functions.go`.

use super::reader::{OTHER_WORDS, Reader, refused};
use super::selectors::alternatives;
use super::syntax::{Aggregation, Expr, Grouping, LabelReplace, Matcher, Pattern, Rank, Refused};
use super::tokens::Token;
use crate::prometheus::samples::{Labels, NAME};

const AGGREGATIONS: [(&str, Aggregation); 6] = [
    ("sum", Aggregation::Sum),
    ("avg", Aggregation::Average),
    ("min", Aggregation::Min),
    ("max", Aggregation::Max),
    ("count", Aggregation::Count),
    ("group", Aggregation::Group),
];

const RANKS: [(&str, Rank); 2] = [("topk", Rank::Top), ("bottomk", Rank::Bottom)];

impl Reader {
    pub(super) fn word(&mut self, word: String) -> Result<Expr, Refused> {
        let lower = word.to_lowercase();
        if let Some((_, by)) = AGGREGATIONS.iter().find(|(name, _)| *name == lower) {
            return self.aggregate(*by);
        }
        if let Some((_, first)) = RANKS.iter().find(|(name, _)| *name == lower) {
            return self.rank(*first);
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
            "absent" => self.absent()?,
            "label_replace" => self.label_replace()?,
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

    fn vector(&mut self) -> Result<Box<Expr>, Refused> {
        let expr = self.binary(0)?;
        let found = "a number where a vector is expected".to_owned();
        if expr.is_scalar() { Err(Refused::Unread(found)) } else { Ok(Box::new(expr)) }
    }

    fn text(&mut self) -> Result<String, Refused> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(text),
            Some(token) => Err(refused(&token)),
            None => Err(Refused::Unread("an end where a text in quotes is missing".to_owned())),
        }
    }

    /// Labels stand before what is aggregated, or behind it.
    fn aggregate(&mut self, by: Aggregation) -> Result<Expr, Refused> {
        let before = self.grouping()?;
        self.expect("(")?;
        let of = self.vector()?;
        self.expect(")")?;
        Ok(Expr::Aggregate { by, grouping: self.grouping_behind(before)?, of })
    }

    fn rank(&mut self, first: Rank) -> Result<Expr, Refused> {
        let before = self.grouping()?;
        self.expect("(")?;
        let count = Box::new(self.scalar()?);
        self.expect(",")?;
        let of = self.vector()?;
        self.expect(")")?;
        Ok(Expr::Rank { first, count, grouping: self.grouping_behind(before)?, of })
    }

    fn grouping_behind(&mut self, before: Option<Grouping>) -> Result<Grouping, Refused> {
        match before {
            Some(grouping) => Ok(grouping),
            None => Ok(self.grouping()?.unwrap_or(Grouping::Only(Vec::new()))),
        }
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, Refused> {
        Ok(match () {
            () if self.take("by") => Some(Grouping::Only(self.labels()?)),
            () if self.take("without") => Some(Grouping::AllBut(self.labels()?)),
            () => None,
        })
    }

    fn absent(&mut self) -> Result<Expr, Refused> {
        let of = self.vector()?;
        let labels = match &*of {
            Expr::Select(matchers) => labels_of_absent(matchers),
            _ => Labels::new(),
        };
        Ok(Expr::Absent { labels, of })
    }

    /// `label_replace(VECTOR, "to", "text", "from", "pattern")`
    fn label_replace(&mut self) -> Result<Expr, Refused> {
        let of = self.vector()?;
        let mut texts = [const { String::new() }; 4];
        for text in &mut texts {
            self.expect(",")?;
            *text = self.text()?;
        }
        let [to, text, from, expression] = texts;
        let is_label = |label: &str| {
            let plain = label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            plain && !label.starts_with(|first: char| first.is_ascii_digit()) && !label.is_empty()
        };
        if let Some(label) = [&to, &from].into_iter().find(|label| !is_label(label)) {
            return Err(Refused::Beyond(format!("the label `{label}`")));
        }
        let (pattern, is_group) = match expression.as_str() {
            "(.*)" => (Pattern::Anything, true),
            "(.+)" => (Pattern::Something, true),
            ".*" => (Pattern::Anything, false),
            ".+" => (Pattern::Something, false),
            words => (Pattern::Words(alternatives(words)?), false),
        };
        let text = match text.as_str() {
            "$1" | "${1}" if is_group => None,
            words if words.contains('$') => {
                return Err(Refused::Beyond(format!("the replacement `{words}`")));
            }
            _ => Some(text),
        };
        Ok(Expr::LabelReplace { replace: LabelReplace { to, from, pattern, text }, of })
    }
}

/// The labels that matchers with `=` determine, as long as no second matcher is about one of them (`createLabelsForAbsentFunction`).
fn labels_of_absent(matchers: &[Matcher]) -> Labels {
    let mut labels = Labels::new();
    let mut seen = Vec::new();
    for matcher in matchers.iter().filter(|matcher| matcher.label != NAME) {
        let is_first = !seen.contains(&&matcher.label);
        match &matcher.words[..] {
            [word] if matcher.is_plain && is_first => {
                seen.push(&matcher.label);
                labels.insert(matcher.label.clone(), word.clone());
            }
            _ => drop(labels.remove(&matcher.label)),
        }
    }
    labels.retain(|_, word| !word.is_empty());
    labels
}
