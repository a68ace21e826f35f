//! Reads selectors. Prometheus 3.15, `promql/parser/generated_parser.y`, `vector_selector`.

use super::reader::{Reader, refused};
use super::syntax::{Expr, Matcher, Refused};
use super::tokens::Token;
use crate::prometheus::samples::NAME;

impl Reader {
    /// The metric has been read, or the brace of a selector without one.
    pub(super) fn selector(&mut self, metric: Option<String>) -> Result<Expr, Refused> {
        let braces = metric.is_none() || self.take("{");
        let name = |metric| Matcher { label: NAME.to_owned(), is: true, is_plain: true, words: vec![metric] };
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
            Some(Token::Symbol("=")) => Ok(Matcher { label, is: true, is_plain: true, words: vec![text] }),
            Some(Token::Symbol("!=")) => Ok(Matcher { label, is: false, is_plain: false, words: vec![text] }),
            Some(Token::Symbol(symbol @ ("=~" | "!~"))) => {
                Ok(Matcher { label, is: symbol == "=~", is_plain: false, words: alternatives(&text)? })
            }
            _ => Err(Refused::Unread(format!("a matcher of `{label}` without `=` or its like"))),
        }
    }
}

/// A regular expression that is words with `|` between them, as most are in alerts.
pub(super) fn alternatives(expression: &str) -> Result<Vec<String>, Refused> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-/ ,:|".contains(letter);
    if !expression.chars().all(is_plain) {
        return Err(Refused::Beyond(format!("the regular expression `{expression}`")));
    }
    Ok(expression.split('|').map(str::to_owned).collect())
}
