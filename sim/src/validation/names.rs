//! The rules for names, apimachinery 0.36: `pkg/util/validation/validation.go`. Each gives one message for each part that does not
//! hold.

use super::field::Field;
use super::field_error::Errors;

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE: &str = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";

/// The most bytes of a label, of its key's last part and of its value.
const MAX_LABEL: usize = 63;

/// The most bytes of a DNS subdomain.
const MAX_SUBDOMAIN: usize = 253;

/// `IsDNS1123Label`.
pub(super) fn dns1123_label(value: &str) -> Vec<String> {
    let mut messages = too_long(value, MAX_LABEL);
    if is_label(value) {
        return messages;
    }
    messages.push(if is_subdomain(value) {
        "must not contain dots".to_owned()
    } else {
        let rule = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
                    and end with an alphanumeric character";
        regex(rule, LABEL, &["my-name", "123-abc"])
    });
    messages
}

/// `IsDNS1123Subdomain`, the rule of most objects' names.
pub(super) fn dns1123_subdomain(value: &str) -> Vec<String> {
    let mut messages = too_long(value, MAX_SUBDOMAIN);
    if !is_subdomain(value) {
        let rule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
                    must start and end with an alphanumeric character";
        messages.push(regex(rule, SUBDOMAIN, &["example.com"]));
    }
    messages
}

/// `IsQualifiedName`: the keys of labels, taints and resources.
pub(super) fn qualified_name(value: &str) -> Vec<String> {
    let rule = || {
        let rule = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                    alphanumeric character";
        regex(rule, QUALIFIED, &["MyName", "my.name", "123-abc"])
    };
    let mut messages = Vec::new();
    let name = match value.split('/').collect::<Vec<_>>()[..] {
        [name] => name,
        ["", name] => {
            messages.push("prefix part must be non-empty".to_owned());
            name
        }
        [prefix, name] => {
            messages.extend(
                dns1123_subdomain(prefix).into_iter().map(|message| format!("prefix part {message}")),
            );
            name
        }
        _ => {
            let prefixed = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a qualified name {} {prefixed}", rule())];
        }
    };
    let length =
        if name.is_empty() { vec!["must be non-empty".to_owned()] } else { too_long(name, MAX_LABEL) };
    messages.extend(length.into_iter().map(|message| format!("name part {message}")));
    if !is_word(name) {
        messages.push(format!("name part {}", rule()));
    }
    messages
}

/// `IsValidLabelValue`.
pub(super) fn label_value(value: &str) -> Vec<String> {
    let mut messages = too_long(value, MAX_LABEL);
    if !value.is_empty() && !is_word(value) {
        let rule = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
                    must start and end with an alphanumeric character";
        messages.push(regex(rule, LABEL_VALUE, &["MyValue", "my_value", "12345"]));
    }
    messages
}

/// `InclusiveRangeError`.
pub(super) fn range(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

/// The rule for a name that may be left out.
pub(super) fn optional_subdomain(at: &Field<'_>, errors: &mut Errors) {
    if !at.is_empty() {
        errors.invalid_each(at, at.text(), dns1123_subdomain(at.text()));
    }
}

/// The rule for a label that may be left out.
pub(super) fn optional_label(at: &Field<'_>, errors: &mut Errors) {
    if !at.is_empty() {
        errors.invalid_each(at, at.text(), dns1123_label(at.text()));
    }
}

fn too_long(value: &str, most: usize) -> Vec<String> {
    if value.len() > most { vec![format!("must be no more than {most} bytes")] } else { Vec::new() }
}

/// `RegexError`.
fn regex(rule: &str, regex: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{regex}')", examples.join(" or "))
}

fn is_label(value: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inner = |c: char| c == '-' || c.is_ascii_lowercase() || c.is_ascii_digit();
    edge(value.chars().next()) && edge(value.chars().last()) && value.chars().all(inner)
}

fn is_subdomain(value: &str) -> bool {
    value.split('.').all(is_label)
}

fn is_word(value: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| matches!(c, '-' | '_' | '.') || c.is_ascii_alphanumeric();
    edge(value.chars().next()) && edge(value.chars().last()) && value.chars().all(inner)
}
