//! Values of a rule's labels: a text, in which labels of the result may be named.

use super::samples::Labels;

/// A label's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelValue(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `{{ $labels.NAME }}`
    Label(String),
}

impl LabelValue {
    /// Reads a value.
    ///
    /// # Errors
    ///
    /// A template that is more than the name of a label; its text.
    ///
    /// ```
    /// use stuckvm_scenarios::prometheus::{samples::Labels, template::LabelValue};
    ///
    /// let labels = Labels::from([("name".to_owned(), "vm1".to_owned())]);
    /// let value = LabelValue::new("vm {{ $labels.name }}").unwrap();
    /// assert_eq!(value.expand(&labels), "vm vm1");
    /// assert_eq!(LabelValue::new("{{ $value }}").unwrap_err(), "{{ $value }}");
    /// ```
    pub fn new(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (template, after) = after.split_once("}}").unwrap_or((after, ""));
            let name = template.trim().strip_prefix("$labels.").filter(|name| is_name(name));
            let name = name.ok_or_else(|| format!("{{{{{template}}}}}"))?;
            parts.extend([Part::Text(before.to_owned()), Part::Label(name.to_owned())]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The value for a result with these labels; a label that it lacks is empty.
    pub fn expand(&self, labels: &Labels) -> String {
        let expand = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Label(name) => labels.get(name).cloned().unwrap_or_default(),
        };
        self.0.iter().map(expand).collect()
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::LabelValue;
    use crate::prometheus::samples::Labels;

    #[test]
    fn labels_are_filled_in_and_other_templates_refused() {
        let labels = Labels::from([("a".to_owned(), "x".to_owned())]);
        let table = [
            ("warning", Ok("warning")),
            ("", Ok("")),
            ("{{$labels.a}}-{{ $labels.b }}!", Ok("x-!")),
            ("{{ $value }}", Err("{{ $value }}")),
            ("{{ $labels.a | toUpper }}", Err("{{ $labels.a | toUpper }}")),
            ("{{ $labels.a", Ok("x")),
        ];
        for (text, expected) in table {
            let got = LabelValue::new(text).map(|value| value.expand(&labels));
            assert_eq!(got, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }
}
