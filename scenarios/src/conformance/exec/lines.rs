//! Lines out of bytes that come in pieces of any size; a line that is too long is noticed before it fills the memory.

/// No line of a detector may be longer: 1 MiB.
pub(super) const LINE_MAX: usize = 1 << 20;

/// The bytes that have come and are not handed over yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// Up to here they are handed over.
    start: usize,
    /// Up to here there is no end of a line.
    searched: usize,
}

/// A line is longer than [`LINE_MAX`], whether it has ended or not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Lines {
    /// Takes what has come. What was handed over is forgotten first.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.bytes.drain(..self.start);
        self.searched -= std::mem::take(&mut self.start);
        self.bytes.extend_from_slice(piece);
    }

    /// The next line without its end, if all of it is here.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, TooLong> {
        let end = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n');
        let end = end.map(|place| self.searched + place);
        self.searched = end.map_or(self.bytes.len(), |end| end + 1);
        if end.unwrap_or(self.bytes.len()) - self.start > LINE_MAX {
            return Err(TooLong);
        }
        Ok(end.map(|end| &self.bytes[std::mem::replace(&mut self.start, end + 1)..end]))
    }

    /// What has come behind the last line that was handed over.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE_MAX, Lines, TooLong};

    #[test]
    fn lines_come_whole_however_the_pieces_are_cut() {
        let text = b"one\n\ntwo\nhalf";
        for size in 1..=text.len() {
            let (mut lines, mut seen) = (Lines::default(), Vec::new());
            for piece in text.chunks(size) {
                lines.push(piece);
                while let Some(line) = lines.next().expect("they are short") {
                    seen.push(line.to_vec());
                }
            }
            assert_eq!(seen, [b"one".to_vec(), Vec::new(), b"two".to_vec()], "pieces of {size}");
            assert_eq!(lines.rest(), b"half");
        }
    }

    #[test]
    fn a_line_may_have_a_mebibyte_and_no_more() {
        let mut lines = Lines::default();
        lines.push(&vec![b'y'; LINE_MAX]);
        assert_eq!(lines.next(), Ok(None));
        lines.push(b"\n");
        assert_eq!(lines.next().map(|line| line.map(<[u8]>::len)), Ok(Some(LINE_MAX)));
        lines.push(&vec![b'y'; LINE_MAX + 1]);
        assert_eq!(lines.next(), Err(TooLong));
        let mut ended = Lines::default();
        ended.push(&[vec![b'y'; LINE_MAX + 1], b"\n".to_vec()].concat());
        assert_eq!(ended.next(), Err(TooLong));
    }
}
