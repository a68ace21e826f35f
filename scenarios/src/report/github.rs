//! Annotations, as GitHub's runners read them out of what a job prints: workflow commands, one a line.

use super::entry::Entry;

/// The annotation of a scenario that did not pass; `None` where there is nothing to say.
pub fn annotation(entry: &Entry) -> Option<String> {
    if !entry.is_red() {
        return None;
    }
    let place = entry.place.as_ref().map(|place| {
        let file = property(&place.file.to_string_lossy());
        format!("file={file},line={},", place.line)
    });
    let title = property(&format!("{}: {}", entry.scenario, entry.named));
    let message = data(&entry.because.join("\n"));
    Some(format!("::error {}title={title}::{message}", place.unwrap_or_default()))
}

/// A message: a command is one line, and `%` begins an escape.
fn data(raw: &str) -> String {
    raw.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which a comma or a colon would end besides.
fn property(raw: &str) -> String {
    data(raw).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::annotation;
    use crate::report::{Entry, Place, ResultKind};

    #[test]
    fn what_would_end_a_value_or_the_line_is_escaped() {
        let entry = Entry {
            scenario: "a,b/100%".into(),
            result: ResultKind::Failed,
            named: "R1",
            because: vec!["one: 5%, two".into(), "three\r\n::error::forged".into()],
            place: Some(Place { file: "d:/a,b.yaml".into(), line: 7 }),
        };
        let line = "::error file=d%3A/a%2Cb.yaml,line=7,title=a%2Cb/100%25%3A R1::\
                    one: 5%25, two%0Athree%0D%0A::error::forged";
        assert_eq!(annotation(&entry).as_deref(), Some(line));
        assert_eq!(annotation(&Entry { result: ResultKind::Passed, ..entry }), None);
    }
}
