//! JUnit XML, as Jenkins and GitLab read it.
//!
//! There is no one standard. This keeps to what the schema of Jenkins' xUnit plugin (`junit-10.xsd`) allows, which knows no
//! file or line of a test case, and gives what GitLab shows: the class as the suite, the name, which must be unique, and the
//! text of a failure. `tests/junit.xsd` states what is written here.

use super::entry::{Entry, ResultKind};
use super::summary::Summary;
use std::fmt::Write as _;

/// The report on these scenarios; a summary for each detector that they were put to.
pub fn junit(entries: &[Entry], summaries: &[Summary]) -> String {
    let count = |result| entries.iter().filter(|entry| entry.result == result).count();
    let (tests, failures) = (entries.len(), count(ResultKind::Failed));
    let (errors, skipped) = (count(ResultKind::Error), count(ResultKind::NotTested));
    let counts = format!(r#"tests="{tests}" failures="{failures}" errors="{errors}""#);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(xml, r#"<testsuites name="stuckvm" {counts}>"#);
    let _ = writeln!(xml, r#"  <testsuite name="stuckvm" {counts} skipped="{skipped}">"#);
    xml += "    <properties>\n";
    for summary in summaries {
        property(&mut xml, "detector", &summary.detector);
        property(&mut xml, "digest", &format!("{:016x}", summary.digest));
        if let Some(not_begun) = summary.not_begun {
            property(&mut xml, "not-begun", &not_begun.to_string());
        }
    }
    xml += "    </properties>\n";
    entries.iter().for_each(|entry| test_case(&mut xml, entry));
    xml + "  </testsuite>\n</testsuites>\n"
}

fn property(xml: &mut String, name: &str, value: &str) {
    let _ = writeln!(xml, r#"      <property name="{name}" value="{}"/>"#, attribute(value));
}

fn test_case(xml: &mut String, entry: &Entry) {
    // Readers make a tree of classes at their dots.
    let group = entry.scenario.rsplit_once('/').map_or("", |(group, _)| group);
    let class = format!("stuckvm/{group}").trim_end_matches('/').replace('.', "-").replace('/', ".");
    let (class, name) = (attribute(&class), attribute(&entry.scenario));
    let _ = write!(xml, r#"    <testcase classname="{class}" name="{name}""#);
    let element = match entry.result {
        ResultKind::Passed => {
            *xml += "/>\n";
            return;
        }
        ResultKind::Failed => "failure",
        ResultKind::Error => "error",
        ResultKind::NotTested => "skipped",
    };
    let kind = if entry.named.is_empty() { "not tested" } else { entry.named };
    let message = attribute(entry.because.first().map_or("", String::as_str));
    let place = entry.place.iter().map(|place| format!("{}:{}", place.file.display(), place.line));
    let lines: Vec<String> = entry.because.iter().cloned().chain(place).collect();
    let _ = write!(xml, ">\n      <{element} type=\"{}\" message=\"{message}\">", attribute(kind));
    let _ = writeln!(xml, "{}</{element}>\n    </testcase>", text(&lines.join("\n")));
}

/// A text between tags.
fn text(raw: &str) -> String {
    raw.chars().fold(String::with_capacity(raw.len()), |mut escaped, letter| {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            letter if is_allowed(letter) => escaped.push(letter),
            _ => escaped.push(char::REPLACEMENT_CHARACTER),
        }
        escaped
    })
}

/// A text between double quotes, where a reader would make blanks of line ends and tabs.
fn attribute(raw: &str) -> String {
    let escaped = text(raw).replace('"', "&quot;");
    escaped.replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;")
}

/// XML 1.0, production 2: other characters cannot stand in a document, not even escaped.
const fn is_allowed(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::{attribute, text};

    #[test]
    fn what_means_something_to_xml_is_escaped_and_what_it_cannot_hold_is_replaced() {
        assert_eq!(text("a < b && c ]]> \"d\"\n"), "a &lt; b &amp;&amp; c ]]&gt; \"d\"\n");
        assert_eq!(attribute("\"a\"\n\t'b'\r"), "&quot;a&quot;&#10;&#9;'b'&#13;");
        assert_eq!(text("\u{0}\u{1b}[31m\u{ffff}\u{1f600}"), "\u{fffd}\u{fffd}[31m\u{fffd}\u{1f600}");
    }
}
