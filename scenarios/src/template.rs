//! Scenarios to begin with, one for each cause of an error status: commented files that pass as they are.

use crate::input_error::InputError;
use include_dir::{Dir, include_dir};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// The line of a template that the scenario's name goes into.
const NAME_LINE: &str = "\nscenario: NAME\n";

/// A scenario to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// What it shows the cause of, such as `pvc-not-found`.
    pub cause: &'static str,
    text: &'static str,
}

/// Every template, in order of cause.
pub fn templates() -> Vec<Template> {
    let mut found: Vec<Template> = TEMPLATES
        .files()
        .map(|file| Template {
            cause: file.path().file_stem().and_then(|stem| stem.to_str()).expect("a template has a name"),
            text: file.contents_utf8().expect("a template is text"),
        })
        .collect();
    found.sort_by_key(|template| template.cause);
    found
}

impl Template {
    /// The template of a cause.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn of(cause: &str) -> Result<Self, InputError> {
        let all = templates();
        let known = || all.iter().map(|template| template.cause).collect::<Vec<_>>().join(", ");
        let found = all.iter().find(|template| template.cause == cause).copied();
        found.ok_or_else(|| InputError::UnknownCause { cause: cause.to_owned(), known: known() })
    }

    /// What it shows, in a sentence.
    pub fn about(&self) -> &'static str {
        let about = self.text.lines().find_map(|line| line.strip_prefix("about: "));
        about.expect("a template says what it shows")
    }

    /// A scenario file with that name.
    ///
    /// # Errors
    ///
    /// If the name could not stand in a catalog.
    pub fn named(&self, name: &str) -> Result<String, InputError> {
        if !is_name(name) {
            return Err(InputError::BadName { name: stuckvm_sim::manifest::quote(name) });
        }
        assert!(self.text.contains(NAME_LINE), "{} has a line for the name", self.cause);
        // In quotes where YAML would read something else than a text.
        let written = stuckvm_sim::manifest::to_yaml(&name.into());
        Ok(self.text.replacen(NAME_LINE, &format!("\nscenario: {}\n", written.trim()), 1))
    }
}

/// Parts of letters, digits, dots, dashes and underscores between slashes; none begins with a dot.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.chars().all(allowed)
    };
    name.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::{Template, is_name, templates};
    use stuckvm_detector::PrintableStatus;

    #[test]
    fn each_error_status_has_a_template() {
        let causes: Vec<&str> = templates().iter().map(|template| template.cause).collect();
        let errors = PrintableStatus::ALL.into_iter().filter(|status| status.is_error());
        for status in errors.map(PrintableStatus::runbook_str) {
            let alert = format!("as: {status}");
            assert!(
                templates().iter().any(|template| template.text.contains(&alert)),
                "{status} of {causes:?}"
            );
        }
    }

    #[test]
    fn a_name_is_a_path_within_a_catalog() {
        let names = ["a", "mine/stuck-1", "a_b/c.d/1"];
        assert!(names.iter().all(|name| is_name(name)));
        let others = ["", "/a", "a/", "a//b", "../a", "a/.b", "a b", "a\n", "a:", "-a", "ä"];
        others.iter().for_each(|name| assert!(!is_name(name), "{name}"));
        let template = Template::of("unknown").expect("it is there");
        assert!(template.named("mine/a").is_ok_and(|text| text.contains("\nscenario: mine/a\n")));
        assert!(template.named("1").is_ok_and(|text| text.contains("\nscenario: \"1\"\n")));
    }
}
