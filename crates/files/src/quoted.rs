//! Paths within commands that a message proposes.

use std::path::Path;

use crate::one_line;

/// The path as a shell of POSIX takes it: between single quotes unless all its characters are plain, on one line, and with
/// `./` before a name that would be taken for an option.
pub fn quoted(path: &Path) -> String {
    let mut name = one_line(path.display());
    if name.starts_with('-') {
        name.insert_str(0, "./");
    }
    quoted_word(&name, "/._-+,@%")
}

/// A word as a shell of POSIX takes it: between single quotes unless all its characters are letters, digits or among `plain`.
pub fn quoted_word(word: &str, plain: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || plain.contains(c)) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_a_quoted_path_for_one_word() {
        for (path, expected) in [
            ("a/b-1.run", "a/b-1.run"),
            ("größe.png", "größe.png"),
            ("my run", "'my run'"),
            ("it's;$(rm)", r"'it'\''s;$(rm)'"),
            ("-o.run", "./-o.run"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
