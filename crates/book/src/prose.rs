//! A Markdown text as prose and fenced blocks.

/// A part of a text; put together again they are the text.
#[derive(Debug, PartialEq)]
pub(crate) enum Part<'a> {
    /// Lines outside fences.
    Prose(&'a str),
    /// A fenced block with its fences.
    Fenced {
        /// What stands before the opening fence, in a list for example.
        indent: &'a str,
        /// The word after the opening fence.
        language: &'a str,
        /// The lines between the fences.
        body: &'a str,
        /// All of it.
        whole: &'a str,
    },
}

/// The fence that a line opens or closes: its marks.
fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let marks = line.len() - line.trim_start_matches('`').len();
    (marks >= 3 && !line[marks..].contains('`')).then(|| &line[..marks])
}

/// Takes a text apart.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut prose_from = 0;
    let mut open: Option<(usize, usize, &str, &str)> = None; // where, where its body is, its marks, its line
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        match (open, fence(line)) {
            (None, Some(marks)) => {
                if prose_from < at {
                    parts.push(Part::Prose(&text[prose_from..at]));
                }
                open = Some((at, end, marks, line));
            }
            (Some((from, body_from, marks, opening)), Some(closing))
                if closing.len() >= marks.len() && line.trim() == closing =>
            {
                let indent = &opening[..opening.len() - opening.trim_start().len()];
                let language = opening.trim().trim_start_matches('`');
                parts.push(Part::Fenced {
                    indent,
                    language,
                    body: &text[body_from..at],
                    whole: &text[from..end],
                });
                (open, prose_from) = (None, end);
            }
            _ => {}
        }
        at = end;
    }
    let rest = open.map_or(prose_from, |(from, ..)| from);
    if rest < text.len() {
        parts.push(Part::Prose(&text[rest..]));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_are_told_from_prose() {
        let text = "One\n```math\nx\n```\ntwo ```a``` three\n* four\n  ````rust\n  ```\n  ````\nend";
        let parts = parts(text);
        assert_eq!(parts[0], Part::Prose("One\n"));
        let math = Part::Fenced { indent: "", language: "math", body: "x\n", whole: "```math\nx\n```\n" };
        assert_eq!(parts[1], math);
        assert_eq!(parts[2], Part::Prose("two ```a``` three\n* four\n"));
        let rust = Part::Fenced {
            indent: "  ",
            language: "rust",
            body: "  ```\n",
            whole: "  ````rust\n  ```\n  ````\n",
        };
        assert_eq!(parts[3], rust);
        assert_eq!(parts[4], Part::Prose("end"));
        assert_eq!(parts.len(), 5);
    }
}
