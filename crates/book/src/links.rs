//! Links of a page. Those to other pages, to headings and to files below docs/ stay; those to other files of the repository lead to
//! the pages that [`crate::sources`] makes of them, at the line of the item that the link names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::{item, path};

/// The folder of the book's text.
pub(crate) const DOCS: &str = "docs/";
/// The folder of the book with the repository's files.
pub(crate) const SOURCE: &str = "source/";

/// Where the book has a page of docs/: mdBook keeps one name for itself.
pub(crate) fn place(page: &str) -> &str {
    if page == "print.md" { "for-print.md" } else { page }
}

/// The repository as links see it, and which of its files they lead to.
#[derive(Debug, Default)]
pub struct Links {
    root: PathBuf,
    pages: BTreeSet<String>,
    /// Files and folders outside docs/ that a link leads to.
    pub sources: BTreeSet<String>,
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
    texts: BTreeMap<String, String>,
}

impl Links {
    /// Links in the repository at `root`, whose book has these pages: `docs/page.md`.
    pub fn new(root: PathBuf, pages: BTreeSet<String>) -> Self {
        Self { root, pages, ..Self::default() }
    }

    /// A page with its links as the book needs them.
    pub fn rewrite(&mut self, page: &str, text: &str) -> String {
        let mut out = text.to_owned();
        // From the end, so that places stay where they are.
        for link in links(text).into_iter().rev() {
            match self.target(page, &link) {
                Ok(Some(target)) => {
                    let place = out[link.from..link.to].rfind(&format!("]({}", link.target));
                    if let Some(at) = place {
                        let from = link.from + at + "](".len();
                        out.replace_range(from..from + link.target.len(), &target);
                    } else {
                        self.problems.push(format!("{page}: {}: write it as [text](target)", link.target));
                    }
                }
                Ok(None) => {}
                Err(reason) => self.problems.push(format!("{page}: {}: {reason}", link.target)),
            }
        }
        out
    }

    /// Where a link leads in the book, if that is somewhere else than it says.
    fn target(&mut self, page: &str, link: &Link) -> Result<Option<String>, String> {
        if link.target.contains("://") || link.target.starts_with("mailto:") || link.target.starts_with('#') {
            return Ok(None);
        }
        let file = link.target.split('#').next().unwrap_or_default();
        let file = path::resolve(page, file).ok_or("it leaves the repository")?;
        let on_disk = self.root.join(&file);
        if !on_disk.exists() {
            return Err(format!("there is no {file}"));
        }
        if let Some(in_docs) = file.strip_prefix(DOCS) {
            if !file.ends_with(".md") {
                return Ok(None);
            }
            if !self.pages.contains(&file) {
                return Err("it is no page of docs/SUMMARY.md".into());
            }
            let from = page.strip_prefix(DOCS).unwrap_or(page);
            let place = place(in_docs);
            let anchor = link.target.find('#').map_or("", |at| &link.target[at..]);
            return Ok(Some(format!("{}{anchor}", path::relative(from, place))));
        }
        let line = self.line(&file, &link.label)?;
        self.sources.insert(file.clone());
        let from = page.strip_prefix(DOCS).unwrap_or(page);
        let page_of_file = crate::sources::page(&file, on_disk.is_dir());
        Ok(Some(format!("{}{line}", path::relative(from, &page_of_file))))
    }

    /// `#L12` if the link names an item of a Rust source in backticks.
    fn line(&mut self, file: &str, label: &str) -> Result<String, String> {
        let name = label.strip_prefix('`').and_then(|label| label.strip_suffix('`'));
        let Some(name) = name.filter(|name| file.ends_with(".rs") && !name.contains(['/', '.', ' '])) else {
            return Ok(String::new());
        };
        if !self.texts.contains_key(file) {
            let text = fs::read_to_string(self.root.join(file)).map_err(|error| error.to_string())?;
            self.texts.insert(file.to_owned(), text);
        }
        let source = &self.texts[file];
        let found = item::find(source, name);
        let first = found.first().ok_or_else(|| format!("it does not define {name}"))?;
        Ok(format!("#L{}", item::first_line(source, first) + 1))
    }
}

/// A link or a picture.
#[derive(Debug, PartialEq)]
struct Link {
    from: usize,
    to: usize,
    target: String,
    /// Its text; what is in backticks has them.
    label: String,
}

fn links(text: &str) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    let mut open: Option<Link> = None;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Image { dest_url, .. }) => {
                let label = String::new();
                links.push(Link { from: range.start, to: range.end, target: dest_url.into_string(), label });
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                let label = String::new();
                open = Some(Link { from: range.start, to: range.end, target: dest_url.into_string(), label });
            }
            Event::End(TagEnd::Link) => links.extend(open.take()),
            Event::Code(code) => {
                if let Some(link) = &mut open {
                    link.label.push_str(&format!("`{code}`"));
                }
            }
            Event::Text(text) => {
                if let Some(link) = &mut open {
                    link.label.push_str(&text);
                }
            }
            _ => {}
        }
    }
    links.sort_by_key(|link| link.from);
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> (tempfile::TempDir, Links) {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("docs/a.md", "# A"),
            ("docs/b/c.md", "# C"),
            ("docs/d.md", "# D"),
            ("docs/picture.png", ""),
            ("src/x.rs", "\n/// One.\nfn one() {}\n"),
            ("src/y.py", "1"),
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let pages = ["docs/a.md", "docs/b/c.md"].map(String::from).into();
        let links = Links::new(folder.path().to_owned(), pages);
        (folder, links)
    }

    #[test]
    fn links_lead_to_pages_of_the_book() {
        let (_folder, mut links) = links();
        let text = "[a](b/c.md#c) ![p](picture.png) [`m::one`](../src/x.rs) | [`two words`](../src/x.rs) [y](../src/y.py) [s](../src)";
        let page = links.rewrite("docs/a.md", text);
        assert_eq!(links.problems, [""; 0]);
        assert_eq!(
            page,
            "[a](b/c.md#c) ![p](picture.png) [`m::one`](source/src/x.rs.html#L3) | \
             [`two words`](source/src/x.rs.html) [y](source/src/y.py.html) [s](source/src/index.html)"
        );
        assert_eq!(links.rewrite("docs/b/c.md", "[y](../../src/y.py)"), "[y](../source/src/y.py.html)");
        assert_eq!(links.sources.iter().collect::<Vec<_>>(), ["src", "src/x.rs", "src/y.py"]);
    }

    #[test]
    fn the_page_that_mdbook_would_write_itself_has_another_name() {
        let (folder, mut links) = links();
        fs::write(folder.path().join("docs/print.md"), "# P").unwrap();
        links.pages.insert("docs/print.md".into());
        assert_eq!(links.rewrite("docs/b/c.md", "[p](../print.md#p)"), "[p](../for-print.md#p)");
    }

    #[test]
    fn dead_links_are_problems() {
        let (_folder, mut links) = links();
        for text in ["[a](e.md)", "[`two`](../src/x.rs)", "![z](z.png)", "[d](d.md)", "[o](../../../../etc)"]
        {
            let before = links.problems.len();
            links.rewrite("docs/a.md", text);
            assert_eq!(links.problems.len(), before + 1, "{text}");
        }
    }

    #[test]
    fn code_is_no_link() {
        let (_folder, mut links) = links();
        let text = "`[a](nowhere.md)`\n\n```text\n[a](nowhere.md)\n```\n";
        assert_eq!(links.rewrite("docs/a.md", text), text);
        assert!(links.problems.is_empty());
    }
}
