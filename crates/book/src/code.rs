//! `{{#code path item}}`, on a line of its own: the item as it stands in the repository, under a link to its place there. So that who reads the
//! Markdown itself gets there too, the line may be a link to that file: `[{{#code src/a.rs fn one}}](../../src/a.rs)`.

use std::fs;
use std::path::Path;

use crate::prose::{Part, parts};
use crate::{BookError, item, path};

const OPEN: &str = "{{#code ";

/// A page with code in place of its directives. `page` is its path in the repository, from whose `root` the paths of the code start.
///
/// # Errors
/// A directive that cannot be read; a source that is not there; an item that is not in it, or more than once.
pub fn include(root: &Path, page: &str, text: &str) -> Result<String, BookError> {
    let mut out = String::new();
    for part in parts(text) {
        let Part::Prose(prose) = part else {
            if let Part::Fenced { whole, .. } = part {
                out.push_str(whole);
            }
            continue;
        };
        for line in prose.split_inclusive('\n') {
            if line.trim_start_matches('[').starts_with(OPEN) {
                out.push_str(&included(root, page, line.trim_end())?);
            } else {
                out.push_str(line);
            }
        }
    }
    Ok(out)
}

/// A directive's code.
fn included(root: &Path, page: &str, directive: &str) -> Result<String, BookError> {
    let linked = directive.strip_prefix('[').and_then(|rest| rest.strip_suffix(')')?.split_once("]("));
    let (plain, target) = linked.map_or((directive, None), |(plain, target)| (plain, Some(target)));
    let inner = plain.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix("}}"));
    let parts = inner.and_then(|inner| inner.trim().split_once(' '));
    let leads_there = |file| target.is_none_or(|target| target == path::relative(page, file));
    let Some((file, name)) = parts.filter(|(file, _)| leads_there(file)) else {
        return Err(BookError::Directive { page: page.into(), directive: directive.into() });
    };
    let from = root.join(file);
    let source = fs::read_to_string(&from).map_err(BookError::file(&from))?;
    let found = item::find(&source, name);
    let [lines] = &found[..] else {
        let count = found.len();
        return Err(BookError::Item { page: page.into(), path: file.into(), item: name.into(), count });
    };
    let code: Vec<&str> = source.lines().skip(lines.start).take(lines.len()).collect();
    let column = code.iter().filter(|line| !line.is_empty()).map(|line| line.len() - line.trim_start().len());
    let column = column.min().unwrap_or(0);
    let code: Vec<&str> = code.into_iter().map(|line| line.get(column..).unwrap_or_default()).collect();
    let link = path::relative(page, file);
    let label = name.rsplit(' ').next().unwrap_or(name);
    let code = code.join("\n");
    Ok(format!("<div class=\"source\">\n\n[`{label}`]({link}) in {file}\n\n</div>\n\n```rust\n{code}\n```\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Result<String, BookError> {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("src")).unwrap();
        let source = "fn one() {}\n\nmod inner {\n    /// Two.\n    fn two() {\n        one();\n    }\n}\n\nfn one() {}\n";
        fs::write(root.path().join("src/a.rs"), source).unwrap();
        include(root.path(), "docs/page.md", text)
    }

    #[test]
    fn an_item_stands_in_place_of_its_directive() {
        let page = page("Before\n\n{{#code src/a.rs fn two}}\n\nafter\n").unwrap();
        assert!(page.contains("```rust\n/// Two.\nfn two() {\n    one();\n}\n```\n"), "{page}");
        assert!(page.contains("[`two`](../src/a.rs) in src/a.rs"), "{page}");
    }

    #[test]
    fn a_directive_may_be_a_link_to_its_file() {
        let linked = page("[{{#code src/a.rs fn two}}](../src/a.rs)\n").unwrap();
        assert_eq!(linked, page("{{#code src/a.rs fn two}}\n").unwrap());
    }

    #[test]
    fn what_cannot_be_included_is_an_error() {
        assert!(matches!(page("{{#code src/a.rs fn three}}"), Err(BookError::Item { count: 0, .. })));
        assert!(matches!(page("{{#code src/a.rs fn one}}"), Err(BookError::Item { count: 2, .. })));
        assert!(matches!(page("{{#code src/b.rs fn one}}"), Err(BookError::File { .. })));
        assert!(matches!(page("{{#code src/a.rs}}"), Err(BookError::Directive { .. })));
        assert!(matches!(page("[{{#code src/a.rs fn two}}](a.rs)"), Err(BookError::Directive { .. })));
        assert!(matches!(page("[{{#code src/a.rs fn two}}]"), Err(BookError::Directive { .. })));
    }

    #[test]
    fn a_directive_in_a_fence_is_shown() {
        let text = "```text\n{{#code src/a.rs fn three}}\n```\n";
        assert_eq!(page(text).unwrap(), text);
    }
}
