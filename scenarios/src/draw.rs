//! What is drawn for each object of `generate`.

use crate::fleet::replace;
use crate::format::Generate;
use serde_json::Value;
use stuckvm_sim::Random;

/// Values that stand for placeholders of a template, of which one set is drawn by weight.
#[derive(Debug)]
pub(crate) struct Choice {
    /// Where it stands in the file, from `generate[…]` on.
    pub(crate) field: String,
    /// The stream that the draws come from.
    stream: String,
    placeholders: Vec<String>,
    options: Vec<(Vec<Value>, u32)>,
}

impl Choice {
    /// Every choice of one template.
    pub(crate) fn all(generate: &Generate) -> Vec<Self> {
        let part = |path: [&str; 2]| {
            let found = generate.template.get(path[0]).and_then(|part| part.get(path[1]));
            found.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let kind = generate.template.get("kind").and_then(Value::as_str).unwrap_or_default();
        let name =
            format!("generate/{kind}/{}/{}", part(["metadata", "namespace"]), part(["metadata", "name"]));
        let choose = generate.choose.iter().map(|(key, values)| Self {
            field: format!("choose.{key}"),
            stream: format!("{name}/{key}"),
            placeholders: vec![format!("{{{key}}}")],
            options: values
                .iter()
                .map(|(value, weight)| (vec![Value::from(value.as_str())], *weight))
                .collect(),
        });
        let size = (!generate.sizes.is_empty()).then(|| Self {
            field: "sizes".to_owned(),
            stream: format!("{name}/sizes"),
            placeholders: ["{cores}", "{memory}"].map(str::to_owned).to_vec(),
            options: generate
                .sizes
                .iter()
                .map(|size| (vec![Value::from(size.cores), Value::from(size.memory.as_str())], size.share))
                .collect(),
        });
        choose.chain(size).collect()
    }

    /// How many sets of values there are.
    pub(crate) fn options(&self) -> usize {
        self.options.len()
    }

    /// The sum of the weights.
    pub(crate) fn weight(&self) -> u64 {
        self.options.iter().map(|(_, weight)| u64::from(*weight)).sum()
    }

    /// Draws one set of values.
    pub(crate) fn draw(&self, random: &mut Random) -> usize {
        let total = self.weight();
        assert!(total > 0, "the loader has checked the weights");
        let mut at = random.uniform(&self.stream, 0..=total - 1);
        for (option, (_, weight)) in self.options.iter().enumerate() {
            match at.checked_sub(u64::from(*weight)) {
                Some(rest) => at = rest,
                None => return option,
            }
        }
        unreachable!("a draw lies below the sum of the weights")
    }

    /// Puts a set of values into a template.
    pub(crate) fn fill_in(&self, option: usize, template: &mut Value) {
        let (values, _) = &self.options[option];
        self.placeholders
            .iter()
            .zip(values)
            .for_each(|(placeholder, value)| replace(template, placeholder, value));
    }
}
