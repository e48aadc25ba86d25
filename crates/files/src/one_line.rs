//! Messages of one line, whatever names and texts of strangers are in them.

use std::fmt;

/// The text with its line feeds, control characters and marks of writing direction escaped: names of files and messages of
/// decoders are a stranger's, and would draw what they like on a terminal.
pub fn one_line(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let escaped = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if escaped(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_one_line_without_control_characters() {
        assert_eq!(
            one_line("cannot read a\nb\u{1b}[31m\r.png\u{85}"),
            "cannot read a\\nb\\u{1b}[31m\\r.png\\u{85}"
        );
        assert_eq!(one_line("gpj.\u{202e}exe\u{2028}"), "gpj.\\u{202e}exe\\u{2028}");
        assert_eq!(one_line("Überstürzte Größe \\n 絵.png 🎨"), "Überstürzte Größe \\n 絵.png 🎨");
    }

    proptest! {
        #[test]
        fn whatever_is_said_has_no_control_character(text in any::<String>()) {
            let line = one_line(&text);
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert_eq!(line.lines().count(), usize::from(!text.is_empty()));
            prop_assert!(line.len() >= text.len());
        }
    }
}
