//! The words and symbols of an expression.

use super::syntax::Refused;

/// A word, a text, a number or a symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    /// As it is written: it may be a duration.
    Number(String),
    Symbol(&'static str),
}

/// Symbols, longer ones before those that they begin with.
const SYMBOLS: [&str; 25] = [
    "==", "!=", ">=", "<=", "=~", "!~", ">", "<", "=", "+", "-", "*", "/", "%", "^", "(", ")", "{", "}", ",",
    "[", "]", "@", ":", "!",
];

impl Token {
    /// As a message quotes it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(text) | Self::Number(text) => format!("`{text}`"),
            Self::Text(text) => format!("`\"{text}\"`"),
            Self::Symbol(symbol) => format!("`{symbol}`"),
        }
    }

    /// Whether it is this keyword, which may be written in capitals, or this symbol.
    pub(super) fn is(&self, word: &str) -> bool {
        match self {
            Self::Word(text) => text.eq_ignore_ascii_case(word),
            Self::Symbol(symbol) => *symbol == word,
            Self::Text(_) | Self::Number(_) => false,
        }
    }
}

/// All of an expression, without comments.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refused> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' | '`' => {
                let (token, length) = quoted(rest, first)?;
                tokens.push(token);
                length
            }
            '0'..='9' | '.' => {
                let length =
                    rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
                tokens.push(Token::Number(rest[..length].to_owned()));
                length
            }
            _ if first.is_whitespace() => first.len_utf8(),
            _ if first.is_ascii_alphabetic() || first == '_' || first == ':' => {
                let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':';
                let length = rest.find(ends).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..length].to_owned()));
                length
            }
            _ => {
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                let symbol = symbol.ok_or_else(|| Refused::Unread(format!("`{first}`")))?;
                tokens.push(Token::Symbol(symbol));
                symbol.len()
            }
        };
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// A text in quotes, and its length with them.
fn quoted(rest: &str, quote: char) -> Result<(Token, usize), Refused> {
    let end = rest[1..].find(quote).ok_or_else(|| Refused::Unread("quotes that do not end".to_owned()))?;
    let text = &rest[1..=end];
    if text.contains('\\') && quote != '`' {
        return Err(Refused::Beyond("a text with a backslash".to_owned()));
    }
    Ok((Token::Text(text.to_owned()), end + 2))
}
