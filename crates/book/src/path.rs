//! Paths within the repository, with slashes, relative to its root.

/// `target` as seen from the folder of `page`: `docs/a.md` and `../crates/x.rs` are `crates/x.rs`. `None` if it leaves the repository.
pub(crate) fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// How `target` is reached from the folder of `page`, both relative to the same root.
pub(crate) fn relative(page: &str, target: &str) -> String {
    let from: Vec<&str> = page.split('/').collect();
    let from = &from[..from.len() - 1];
    let to: Vec<&str> = target.split('/').collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count().min(to.len() - 1);
    let mut parts = vec![".."; from.len() - shared];
    parts.extend(&to[shared..]);
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_pages() {
        assert_eq!(resolve("docs/a.md", "../crates/x.rs").as_deref(), Some("crates/x.rs"));
        assert_eq!(resolve("docs/book/a.md", "../math.md").as_deref(), Some("docs/math.md"));
        assert_eq!(resolve("docs/a.md", "../../x"), None);
        assert_eq!(relative("a.html", "source/x.html"), "source/x.html");
        assert_eq!(relative("book/a.html", "source/x.html"), "../source/x.html");
        assert_eq!(relative("source/a/b.html", "source/a/c.html"), "c.html");
        assert_eq!(relative("source/a/b.html", "index.html"), "../../index.html");
    }
}
