//! What follows from an immutable spec, worked out at most once.

use std::fmt;
use std::sync::OnceLock;

/// A value that follows from the fields beside it and is kept with them, so that all objects that share the spec share
/// the value too.
///
/// It is no part of the spec: two memos are always equal, it is neither read nor written, and a copy of the spec, which
/// is made to be changed, starts without it.
pub struct Memo<T>(OnceLock<T>);

impl<T> Memo<T> {
    /// The value; `make` works it out the first time.
    pub fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(make)
    }
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> PartialEq for Memo<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> fmt::Debug for Memo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.get().is_some() { "known" } else { "unknown" })
    }
}

#[cfg(test)]
mod tests {
    use super::Memo;

    #[test]
    fn it_is_made_once_and_not_copied() {
        let memo = Memo::default();
        assert_eq!(*memo.get_or_make(|| 1), 1);
        assert_eq!(*memo.get_or_make(|| 2), 1);
        assert_eq!(*memo.clone().get_or_make(|| 3), 3);
    }
}
