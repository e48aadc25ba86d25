//! TeX to MathML, as repository hosts have it: `` $`x`$ `` within a line, a fenced block `math` for an equation of its own.

use pulldown_latex::config::DisplayMode;
use pulldown_latex::{Parser, RenderConfig, Storage, push_mathml};

use crate::BookError;
use crate::prose::{Part, parts};

/// A page with MathML in place of TeX.
///
/// # Errors
/// An equation that cannot be set.
pub fn set(page: &str, text: &str) -> Result<String, BookError> {
    let mut out = String::new();
    for part in parts(text) {
        match part {
            Part::Prose(prose) => set_inline(page, prose, &mut out)?,
            Part::Fenced { indent, language: "math", body, .. } => {
                let mathml = mathml(page, body.trim(), DisplayMode::Block)?;
                out.push_str(&format!("{indent}<div class=\"equation\">{mathml}</div>\n\n"));
            }
            Part::Fenced { whole, .. } => out.push_str(whole),
        }
    }
    Ok(out)
}

/// The equations within lines.
fn set_inline(page: &str, mut prose: &str, out: &mut String) -> Result<(), BookError> {
    while let Some((before, rest)) = prose.split_once("$`") {
        let Some((tex, after)) = rest.split_once("`$") else { break };
        out.push_str(before);
        let mathml = shielded(&mathml(page, tex, DisplayMode::Inline)?);
        // No line begins with the full stop behind an equation.
        let rest = after.trim_start_matches(['.', ',', ':', ';', ')']);
        let (marks, rest) = after.split_at(after.len() - rest.len());
        out.push_str(&format!("<span class=\"equation\">{mathml}{marks}</span>"));
        prose = rest;
    }
    out.push_str(prose);
    Ok(())
}

/// One equation as `<math>`, on one line.
fn mathml(page: &str, tex: &str, display_mode: DisplayMode) -> Result<String, BookError> {
    let storage = Storage::new();
    let config = RenderConfig { display_mode, ..RenderConfig::default() };
    let mut mathml = String::new();
    let result = push_mathml(&mut mathml, Parser::new(tex, &storage), config);
    let failed = |reason: String| BookError::Equation { page: page.into(), tex: tex.into(), reason };
    result.map_err(|error| failed(error.to_string()))?;
    if let Some(at) = mathml.find("<merror") {
        let words =
            mathml[at..].split('<').filter_map(|tag| tag.split_once('>')).map(|(_, text)| text.trim());
        return Err(failed(words.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")));
    }
    // The writer escapes a space twice, leaves one out before an attribute, and takes the sign of millionths for a mu.
    let mathml = mathml.replace("&amp;nbsp;", "&#160;").replace("\"minsize", "\" minsize");
    let mathml = mathml.replace('\u{b5}', "\u{3bc}");
    Ok(mathml.replace(['\n', '\r'], " "))
}

/// MathML whose text means nothing to Markdown: a bar would end the cell of a table, an asterisk begin emphasis.
fn shielded(mathml: &str) -> String {
    let mut out = String::with_capacity(mathml.len());
    let mut in_tag = false;
    for c in mathml.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ => {}
        }
        if !in_tag && "|*_`[]\\~$!".contains(c) {
            out.push_str(&format!("&#{};", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_become_mathml_and_code_stays() {
        let text =
            "A $`G = F^\\top F`$ and `$x`.\n```math\n\\frac12\n```\n```rust\nlet a = \"$`b`$\";\n```\n";
        let page = set("a.md", text).unwrap();
        assert!(
            page.starts_with(
                "A <span class=\"equation\"><math display=\"inline\"><mi>G</mi><mo>=</mo><msup>"
            ),
            "{page}"
        );
        assert!(page.contains("<div class=\"equation\"><math display=\"block\"><mfrac>"), "{page}");
        assert!(page.contains("and `$x`.") && page.contains("let a = \"$`b`$\";"), "{page}");
    }

    #[test]
    fn a_bar_does_not_end_a_cell() {
        let page = set("a.md", "| $`|x| * y_i`$ |").unwrap();
        assert_eq!(page.matches('|').count(), 2, "{page}");
        assert!(!page.contains('*'), "{page}");
    }

    #[test]
    fn an_equation_that_cannot_be_set_is_an_error() {
        for tex in ["\\frac{1}{", "\\nosuchcommand x", "x^{2"] {
            let error = set("a.md", &format!("$`{tex}`$")).unwrap_err();
            assert!(matches!(&error, BookError::Equation { .. }), "{error}");
        }
    }

    #[test]
    fn what_the_writer_gets_wrong_is_mended() {
        let page = set("a.md", "$`a,\\ \\dots \\big( b \\Big)_c \\mu`$").unwrap();
        assert!(!page.contains(['\u{b5}', '\u{a0}']) && page.contains('\u{3bc}'), "{page}");
        assert!(!page.contains("nbsp") && page.contains(" minsize="), "{page}");
        let inside_a_tag = page.split('<').filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag);
        for tag in inside_a_tag {
            let outside: String = tag.split('"').step_by(2).collect::<Vec<_>>().join("\"");
            assert!(
                outside.split('"').skip(1).all(|part| part.is_empty() || part.starts_with([' ', '/'])),
                "{tag}"
            );
        }
    }
}
