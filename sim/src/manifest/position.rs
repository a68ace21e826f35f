//! Where the fields of a document stand in its text.

/// A place in a text, line and column from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// How a value hangs in its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Root,
    Key(Box<str>),
    Index(usize),
}

/// One value: its parent is an earlier entry, or itself at the root.
#[derive(Clone, Debug)]
struct Entry {
    parent: usize,
    step: Step,
    key: Option<Place>,
    value: Place,
}

/// The places of all keys and values of one document, in the order of the text. What an alias brings in stands where
/// the alias stands.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    entries: Vec<Entry>,
}

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The key; none for list items and the document itself.
    pub key: Option<Place>,
    /// The beginning of the value.
    pub value: Place,
}

impl Positions {
    /// The place of the field with that path, as `spec.volumes[0].name`; a key with dots stands as it is or in
    /// brackets, `metadata.labels[kubevirt.io/domain]`. The empty path is the document.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Position> {
        let (entry, rest) = self.walk(path);
        rest.is_empty().then(|| self.position(entry?)).flatten()
    }

    /// As [`Positions::find`]; for a field that is not there, the innermost one around it that is.
    #[must_use]
    pub fn nearest(&self, path: &str) -> Option<Position> {
        self.position(self.walk(path).0?)
    }

    /// Path of an entry, a key with dots in brackets.
    pub(super) fn path(&self, mut entry: usize) -> String {
        let mut steps = Vec::new();
        while self.entries[entry].step != Step::Root {
            steps.push(&self.entries[entry].step);
            entry = self.entries[entry].parent;
        }
        steps.into_iter().rev().fold(String::new(), append)
    }

    /// Enters a value below `parent`, which counts for nothing at the root.
    pub(super) fn push(&mut self, parent: usize, step: Step, key: Option<Place>, value: Place) -> usize {
        debug_assert!(step == Step::Root || parent < self.entries.len(), "a parent comes first");
        self.entries.push(Entry { parent, step, key, value });
        self.entries.len() - 1
    }

    /// The child under that key.
    pub(super) fn child(&self, parent: usize, key: &str) -> Option<Position> {
        let found = self.children(parent).find(|(_, step)| matches!(step, Step::Key(name) if **name == *key));
        self.position(found?.0)
    }

    fn position(&self, entry: usize) -> Option<Position> {
        self.entries.get(entry).map(|entry| Position { key: entry.key, value: entry.value })
    }

    /// Looked through from the front: only errors ask.
    fn children(&self, parent: usize) -> impl Iterator<Item = (usize, &Step)> {
        let entries = self.entries.iter().enumerate().skip(parent + 1);
        entries.filter(move |(_, entry)| entry.parent == parent).map(|(at, entry)| (at, &entry.step))
    }

    /// Goes down as far as the path leads: the last entry reached and the rest of the path.
    fn walk<'a>(&self, path: &'a str) -> (Option<usize>, &'a str) {
        let (mut at, mut rest) = (0, path);
        while !rest.is_empty() {
            let steps = self.children(at).filter_map(|(child, step)| Some((strip(rest, step)?, child)));
            // Of the keys `a` and `a.b`, the longer one that fits is meant.
            let Some((shorter, child)) = steps.min_by_key(|(rest, _)| rest.len()) else { break };
            (at, rest) = (child, shorter);
        }
        ((!self.entries.is_empty()).then_some(at), rest)
    }
}

/// The path without its first step, if that is `step`.
fn strip<'a>(path: &'a str, step: &Step) -> Option<&'a str> {
    let rest = match step {
        Step::Root => return None,
        Step::Index(index) => path.strip_prefix(&format!("[{index}]"))?,
        Step::Key(name) => match path.strip_prefix('[') {
            Some(inner) => inner.strip_prefix(&**name)?.strip_prefix(']')?,
            None => path.strip_prefix('.').unwrap_or(path).strip_prefix(&**name)?,
        },
    };
    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
}

/// The path of a child.
pub(super) fn append(path: String, step: &Step) -> String {
    match step {
        Step::Root => path,
        Step::Index(index) => format!("{path}[{index}]"),
        Step::Key(name) if name.contains(['.', '[', '/']) => format!("{path}[{name}]"),
        Step::Key(name) if path.is_empty() => name.to_string(),
        Step::Key(name) => format!("{path}.{name}"),
    }
}
