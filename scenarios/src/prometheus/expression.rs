//! What must be known of an expression before it is evaluated elsewhere. It is looked at word by word, not parsed: whether it is
//! right, and what it means, only Prometheus decides.

use super::duration;
use super::samples::Millis;
use std::collections::BTreeSet;

/// How far any expression looks back: the lookback of instant vectors.
const LOOKBACK: Millis = 300_000;

/// Functions that tell dates apart: a timeline cannot be moved to other weeks under them.
const OF_DATES: [&str; 5] = ["month", "year", "day_of_month", "day_of_year", "days_in_month"];

/// An expression of PromQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    text: String,
    /// All words: metrics, functions, labels and keywords, and what stands in quotes.
    words: BTreeSet<String>,
    reach: Millis,
}

/// A part of an expression that a range query would evaluate otherwise than a rule does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// `@`: `start()` and `end()` are those of the query there.
    #[error("the modifier @")]
    At,
    /// What is to come is known there.
    #[error("an offset into the future")]
    Future,
}

impl Expression {
    /// Looks at an expression.
    ///
    /// # Errors
    ///
    /// If it has parts that a range query evaluates otherwise than a rule does.
    pub fn new(text: &str) -> Result<Self, Refused> {
        let mut found = Self { text: text.to_owned(), words: BTreeSet::new(), reach: LOOKBACK };
        let mut brackets = 0_usize;
        let mut before = Token::Symbol(' ');
        for token in tokens(text) {
            match &token {
                Token::Word(word) | Token::Quoted(word) => {
                    found.words.insert(word.clone());
                }
                Token::Number(number) => {
                    let bare = brackets > 0 || before == Token::Word("offset".to_owned());
                    found.reach = found.reach.saturating_add(reach_of(number, bare));
                }
                Token::Symbol('@') => return Err(Refused::At),
                Token::Symbol('-') if before == Token::Word("offset".to_owned()) => {
                    return Err(Refused::Future);
                }
                Token::Symbol('[') => brackets += 1,
                Token::Symbol(']') => brackets = brackets.saturating_sub(1),
                Token::Symbol(_) => {}
            }
            before = token;
        }
        Ok(found)
    }

    /// The expression.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How far it looks back, at most: ranges, offsets and the lookback together.
    pub const fn reach(&self) -> Millis {
        self.reach
    }

    /// Whether it can read a metric of this name.
    pub fn may_read(&self, metric: &str) -> bool {
        self.words.contains(metric) || self.words.contains(super::samples::NAME)
    }

    /// Whether its result depends on the date, beyond the day of the week.
    pub fn tells_dates_apart(&self) -> bool {
        OF_DATES.iter().any(|function| self.words.contains(*function))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    /// A number or a duration.
    Number(String),
    Symbol(char),
}

/// A duration in milliseconds; a number without a unit is one (of seconds) only where a duration must stand.
fn reach_of(number: &str, bare: bool) -> Millis {
    let seconds = || number.parse::<f64>().ok().filter(|_| bare);
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates, and so does the reach")]
    let of_seconds = |seconds: f64| (seconds * 1000.0).ceil() as Millis;
    duration::parse(number).or_else(|| seconds().map(of_seconds)).unwrap_or(0)
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' | '`' => quoted(rest, first),
            '0'..='9' => rest.find(|c| !is_of_word(c) && c != '.').unwrap_or(rest.len()),
            _ if is_of_word(first) => rest.find(|c| !is_of_word(c) && c != ':').unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        tokens.extend(match first {
            '#' => None,
            _ if first.is_whitespace() => None,
            '"' | '\'' | '`' => Some(Token::Quoted(token.trim_matches(first).to_owned())),
            '0'..='9' => Some(Token::Number(token.to_owned())),
            _ if is_of_word(first) => Some(Token::Word(token.to_owned())),
            _ => Some(Token::Symbol(first)),
        });
        rest = after;
    }
    tokens
}

const fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The length of what stands in quotes, both included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{Expression, Refused};

    #[test]
    fn the_reach_is_that_of_every_range_and_offset_together() {
        let table = [
            ("up == 0", 300),
            ("up >= 300", 300),
            ("rate(m[10m])", 900),
            ("max_over_time((rate(m[5m]))[30m:1m] offset 1h)", 300 + 300 + 1800 + 60 + 3600),
            ("m[600]", 900),
            ("m offset 60", 360),
            (r#"m{a="5m", b='1h'} # [1d]"#, 300),
            (r#"m{a="\"[1h]"}"#, 300),
            ("m{a=`\\`}[1m]", 360),
        ];
        for (text, seconds) in table {
            let expression = Expression::new(text).expect("nothing is refused");
            assert_eq!(expression.reach(), seconds * 1000, "{text}");
        }
    }

    #[test]
    fn words_tell_which_metrics_may_be_read() {
        let expression =
            Expression::new(r#"sum by (name) (a_info{x="b"}) or {"c_info"} or ns:d:sum"#).expect("right");
        assert!(expression.may_read("a_info") && expression.may_read("c_info"));
        assert!(expression.may_read("ns:d:sum"));
        assert!(!expression.may_read("a"));
        let any = Expression::new(r#"{__name__=~"kubevirt_.*"}"#).expect("right");
        assert!(any.may_read("a_info"));
    }

    #[test]
    fn what_a_range_query_would_see_otherwise_is_refused() {
        assert_eq!(Expression::new("m @ end()"), Err(Refused::At));
        assert_eq!(Expression::new("m offset -5m"), Err(Refused::Future));
        assert!(Expression::new(r#"m{a="@"} - 5"#).is_ok());
    }

    #[test]
    fn dates_tie_an_expression_to_its_time() {
        assert!(Expression::new("m and on() month() == 12").expect("right").tells_dates_apart());
        assert!(!Expression::new("m and on() hour() > 6").expect("right").tells_dates_apart());
    }
}
