//! What a message shows of a line that somebody else wrote.

/// So many characters of it are shown.
const CHARS_MAX: usize = 200;

/// At most 200 characters of a line, such that a terminal shows them and does not obey them.
pub(crate) fn quote(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line.trim_ascii());
    let mut shown = String::new();
    for (place, character) in text.chars().enumerate() {
        if place == CHARS_MAX - 1 && text.chars().nth(CHARS_MAX).is_some() {
            return shown + "…";
        }
        match character.is_control() {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn a_line_is_cut_at_200_characters_and_shown_as_text() {
        let table = [
            (" a line \n".to_owned(), "a line".to_owned()),
            ("ä".repeat(200), "ä".repeat(200)),
            ("ä".repeat(201), "ä".repeat(199) + "…"),
            ("\u{1b}[31mred".to_owned(), "\\u{1b}[31mred".to_owned()),
        ];
        for (line, shown) in table {
            assert_eq!(quote(line.as_bytes()), shown);
        }
        assert_eq!(quote(b"\xff"), "\u{fffd}");
    }
}
