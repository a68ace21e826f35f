//! What a detector said to a stream, input by input.

use crate::conformance::Answer;
use crate::stream::Alert;

/// What a detector said to a stream. Inputs are given by their place, from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Its alerts in its order, each behind the input that it came with.
    pub alerts: Vec<(usize, Alert)>,
    /// The inputs that it rejected, and why.
    pub rejected: Vec<(usize, String)>,
    /// The words that it said it does not know; `None` from one that reports none.
    pub unknown: Option<Vec<(usize, String)>>,
}

impl Heard {
    /// What the answers to the inputs of a stream come to, one an input.
    pub fn of(answers: &[Answer]) -> Self {
        let mut heard = Self::default();
        for (input, answer) in answers.iter().enumerate() {
            heard.alerts.extend(answer.alerts.iter().map(|alert| (input, alert.clone())));
            heard.rejected.extend(answer.rejected.iter().map(|why| (input, why.clone())));
            if let Some(words) = &answer.unknown {
                let words = words.iter().map(|word| (input, word.clone()));
                heard.unknown.get_or_insert_default().extend(words);
            }
        }
        heard
    }
}
