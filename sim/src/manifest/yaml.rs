//! The one module that knows the YAML parser: bytes to documents.

use saphyr_parser::{Event, Parser, ScanError};
use serde_json::Value;

use super::lists::untype;
use super::tree::{Builder, Scalar, Scalars, place, too_deep};
use super::{ManifestError, Place, Positions, quote};

/// The largest manifest that is read, in bytes.
pub const MAX_BYTES: usize = 256 << 20;

/// One document of a manifest.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its content, as Kubernetes gets to see it.
    pub value: Value,
    /// The line its content begins in, from 1.
    pub line: usize,
    /// Where each field stands.
    pub positions: Positions,
}

impl Document {
    /// An error of the field with that path, placed at its value, or at what is around it if it is missing.
    #[must_use]
    pub fn error(&self, field: &str, expected: &str, found: &str, advice: &str) -> ManifestError {
        ManifestError::at(self.place(field), expected, &quote(found), advice).of_field(field.to_owned())
    }

    /// Where the value at a path stands, or what is around it if it is missing.
    #[must_use]
    pub fn place(&self, field: &str) -> Place {
        let start = Place { line: self.line, column: 1 };
        self.positions.nearest(field).map_or(start, |position| position.value)
    }

    /// The value at a path such as `steps[0].apply[1]`; null where nothing stands.
    #[must_use]
    pub fn at(&self, path: &str) -> &Value {
        let parts =
            path.split(['.', '[']).map(|part| part.trim_end_matches(']')).filter(|part| !part.is_empty());
        parts.fold(&self.value, |value, part| match part.parse::<usize>() {
            Ok(index) if value.is_array() => &value[index],
            _ => &value[part],
        })
    }
}

/// Reads all documents of a manifest, YAML or JSON; empty ones are left out. A list of one kind (`PodList`) comes as a `List`.
///
/// # Errors
/// Text that is no YAML, too large, too deep, or without any document; a key given twice. The error names `file`.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Vec<Document>, ManifestError> {
    parse_with(file, bytes, Scalars::Resolved)
}

/// As [`parse`], with scalars as the reader wants them.
///
/// # Errors
/// As [`parse`].
///
/// ```
/// use stuckvm_sim::manifest::{Scalars, parse, parse_with};
///
/// let text = b"alert: N";
/// assert_eq!(parse("r.yaml", text).unwrap()[0].value["alert"], false);
/// assert_eq!(parse_with("r.yaml", text, Scalars::AsWritten).unwrap()[0].value["alert"], "N");
/// ```
pub fn parse_with(file: &str, bytes: &[u8], scalars: Scalars) -> Result<Vec<Document>, ManifestError> {
    let documents = |text| documents(text, scalars);
    let mut documents = checked_text(bytes).and_then(documents).map_err(|error| error.in_file(file))?;
    documents.iter_mut().for_each(|document| untype(&mut document.value));
    Ok(documents)
}

/// The bytes as text that the parser reads to its end.
fn checked_text(bytes: &[u8]) -> Result<&str, ManifestError> {
    let start = Place { line: 1, column: 1 };
    if bytes.len() > MAX_BYTES {
        let expected = format!("at most {} MiB", MAX_BYTES >> 20);
        let found = format!("{} MiB", bytes.len() >> 20);
        return Err(ManifestError::at(start, &expected, &found, "split the file; -f may be repeated"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("valid up to there");
        let found = format!("byte 0x{:02X}", bytes[error.valid_up_to()]);
        ManifestError::at(end_of(before), "UTF-8 text", &found, "save the file as UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The parser takes a NUL for the end of the text and would drop what follows.
    let control = |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || c == '\u{7f}';
    if let Some(at) = text.find(control) {
        let found = format!("the control character 0x{:02X}", text.as_bytes()[at]);
        return Err(ManifestError::at(
            end_of(&text[..at]),
            "text",
            &found,
            "remove it, or escape it in a quoted text",
        ));
    }
    Ok(text)
}

fn end_of(text: &str) -> Place {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Place { line: text.matches('\n').count() + 1, column: last.chars().count() + 1 }
}

fn documents(text: &str, scalars: Scalars) -> Result<Vec<Document>, ManifestError> {
    let mut documents = Vec::new();
    for piece in pieces(text) {
        documents.extend(read_piece(piece, scalars)?);
    }
    if documents.is_empty() {
        let start = Place { line: 1, column: 1 };
        return Err(ManifestError::at(
            start,
            "a YAML or JSON document",
            "nothing",
            "check that this is the right file",
        ));
    }
    Ok(documents)
}

/// A part of a text that is a whole stream to the parser.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    /// Where it begins in the whole.
    start: Place,
}

/// JSON texts one after the other, as the lines of a stream are, each by itself: to YAML a second one is an error.
/// Everything else is one piece.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let start = Place { line: 1, column: 1 };
    let whole = vec![Piece { text, start }];
    if !text.trim_start().starts_with('{') {
        return whole;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let (mut pieces, mut from, mut start) = (Vec::new(), 0, start);
    while let Some(item) = stream.next() {
        if item.is_err() {
            return whole;
        }
        let piece = &text[from..stream.byte_offset()];
        pieces.push(Piece { text: piece, start });
        (from, start) = (stream.byte_offset(), shift(end_of(piece), start));
    }
    pieces
}

/// A place in a piece as a place in the whole.
fn shift(place: Place, start: Place) -> Place {
    match place.line {
        1 => Place { line: start.line, column: start.column + place.column - 1 },
        line => Place { line: start.line + line - 1, ..place },
    }
}

fn read_piece(piece: Piece<'_>, scalars: Scalars) -> Result<Vec<Document>, ManifestError> {
    let (mut documents, mut builder) = (Vec::new(), Builder::new(scalars));
    let mut parser = Parser::new_from_str(piece.text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| syntax_error(piece, &error))?;
        if event == Event::DocumentEnd {
            documents.extend(document(std::mem::replace(&mut builder, Builder::new(scalars))));
        } else {
            feed(&mut builder, &event, shift(place(span.start), piece.start))?;
        }
    }
    Ok(documents)
}

fn document(builder: Builder) -> Option<Document> {
    let value = builder.root.filter(|value| !value.is_null())?;
    let line = builder.positions.find("").expect("a document has a place").value.line;
    Some(Document { value, line, positions: builder.positions })
}

fn feed(builder: &mut Builder, event: &Event<'_>, place: Place) -> Result<(), ManifestError> {
    match event {
        Event::Alias(anchor) => builder.alias(place, *anchor),
        Event::Scalar(text, style, anchor, tag) => {
            builder.scalar(place, &Scalar { text, style: *style, tag: tag.as_deref(), anchor: *anchor })
        }
        Event::SequenceStart(anchor, _) => builder.sequence_start(place, *anchor),
        Event::MappingStart(anchor, _) => builder.mapping_start(place, *anchor),
        Event::SequenceEnd | Event::MappingEnd => builder.end(place),
        _ => Ok(()),
    }
}

fn syntax_error(piece: Piece<'_>, error: &ScanError) -> ManifestError {
    let place = place(*error.marker());
    if error.info() == "recursion limit exceeded" {
        return too_deep(shift(place, piece.start));
    }
    let line = piece.text.lines().nth(place.line - 1).unwrap_or_default();
    let found = if line.trim().is_empty() {
        error.info().to_owned()
    } else {
        format!("{}: {}", error.info(), quote(line))
    };
    let indent = &line[..line.len() - line.trim_start().len()];
    let advice = if indent.contains('\t') {
        "indent with spaces: YAML has no tabs there"
    } else {
        "check indentation, quotes and brackets here and in the lines above"
    };
    ManifestError::at(shift(place, piece.start), "YAML or JSON", &found, advice)
}
