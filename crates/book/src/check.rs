//! Every link of the finished book has a target in it, and nothing that a page loads is elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::{BookError, path};

/// Checks all pages of the book in `out`.
///
/// # Errors
/// [`BookError::DeadLinks`] with all that is wrong; a file that cannot be read.
pub fn check(out: &Path) -> Result<(), BookError> {
    let mut files = Vec::new();
    list(out, &mut files)?;
    let mut texts = BTreeMap::new();
    for file in files.iter().filter(|file| ends_with(file, &["html", "css"])) {
        let name = file.strip_prefix(out).unwrap_or(file).to_string_lossy().replace('\\', "/");
        texts.insert(name, fs::read_to_string(file).map_err(BookError::file(file))?);
    }
    let anchors: BTreeMap<&str, BTreeSet<&str>> =
        texts.iter().map(|(page, text)| (&**page, anchors(text))).collect();
    let mut problems = Vec::new();
    for (page, text) in &texts {
        let targets = if page.ends_with(".css") { of_style(text) } else { of_page(text) };
        for (target, loaded) in targets {
            if let Some(problem) = problem(out, page, target, loaded, &anchors) {
                problems.push(format!("{page}: {target}: {problem}"));
            }
        }
    }
    // mdBook's script asks a server about the code on such a page.
    let asking = texts.iter().filter(|(_, text)| text.contains("class=\"playground\""));
    problems.extend(asking.map(|(page, _)| format!("{page}: code to run, which asks a server")));
    if problems.is_empty() { Ok(()) } else { Err(BookError::DeadLinks(problems)) }
}

fn ends_with(file: &Path, extensions: &[&str]) -> bool {
    file.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known))
}

/// All files in a folder and in those in it.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), BookError> {
    for entry in fs::read_dir(folder).map_err(BookError::file(folder))? {
        let path = entry.map_err(BookError::file(folder))?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The values of an attribute, with the tags that have it.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let opening = format!(" {name}=\"");
    let found = html.match_indices(&opening).filter_map(|(at, _)| {
        let tag_from = html[..at].rfind('<')?;
        if html[tag_from..at].contains('>') {
            return None;
        }
        let tag = html[tag_from + 1..at].split_whitespace().next()?;
        let value = &html[at + opening.len()..];
        Some((tag, &value[..value.find('"')?]))
    });
    found.collect()
}

/// What a page links to, and whether it is loaded by looking at the page.
fn of_page(html: &str) -> Vec<(&str, bool)> {
    let links = attributes(html, "href").into_iter().map(|(tag, target)| (target, tag != "a"));
    let sources = attributes(html, "src").into_iter().map(|(_, target)| (target, true));
    links.chain(sources).collect()
}

/// What a style sheet loads.
fn of_style(css: &str) -> Vec<(&str, bool)> {
    let urls = css.split("url(").skip(1).filter_map(|rest| rest.split(')').next());
    let imports = css.split("@import").skip(1).filter_map(|rest| rest.split(';').next());
    urls.chain(imports).map(|target| (target.trim().trim_matches(['"', '\'']), true)).collect()
}

fn anchors(html: &str) -> BTreeSet<&str> {
    attributes(html, "id").into_iter().chain(attributes(html, "name")).map(|(_, id)| id).collect()
}

/// What is wrong with a link, if anything.
fn problem(
    out: &Path,
    page: &str,
    target: &str,
    loaded: bool,
    anchors: &BTreeMap<&str, BTreeSet<&str>>,
) -> Option<String> {
    if target.starts_with("data:") || target.starts_with("mailto:") {
        return None;
    }
    if target.contains("://") || target.starts_with("//") {
        return loaded.then(|| "it is loaded from elsewhere".into());
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = file.split('?').next().unwrap_or_default();
    let file = if file.is_empty() { Some(page.to_owned()) } else { path::resolve(page, file) };
    let Some(file) = file.filter(|file| out.join(file).is_file()) else {
        return Some("there is no such file".into());
    };
    let known = anchors.get(&*file).is_some_and(|anchors| anchors.contains(anchor));
    (!anchor.is_empty() && !known).then(|| format!("there is no heading #{anchor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problems of a book with a page a.html of this text, and a page b.html with a heading.
    fn problems(text: &str, css: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("css")).unwrap();
        fs::write(folder.path().join("a.html"), text).unwrap();
        fs::write(folder.path().join("b.html"), "<h1 class=\"x\" id=\"heading\">").unwrap();
        fs::write(folder.path().join("css/a.css"), css).unwrap();
        match check(folder.path()) {
            Err(BookError::DeadLinks(problems)) => problems,
            other => {
                other.unwrap();
                Vec::new()
            }
        }
    }

    #[test]
    fn a_sound_book_has_none() {
        let text = "<p id=\"here\"><a href=\"b.html#heading\"></a><a href=\"#here\"></a><a href=\"https://example.org\"></a>\
                    <link rel=\"stylesheet\" href=\"css/a.css\"><img src=\"data:image/png;base64,\">&lt;img src=\"no.png\"";
        assert_eq!(problems(text, "@font-face { src: url(\"../b.html\"); }"), [""; 0]);
    }

    #[test]
    fn dead_links_and_what_is_loaded_from_elsewhere_are_told() {
        for text in [
            "<a href=\"c.html\">",
            "<a href=\"b.html#other\">",
            "<a href=\"#other\">",
            "<img alt=\"x\" src=\"x.png\">",
            "<script async src=\"https://example.org/x.js\">",
            "<link href=\"//example.org/x.css\">",
            "<pre><pre class=\"playground\"><code>",
        ] {
            assert_eq!(problems(text, "").len(), 1, "{text}");
        }
        assert_eq!(problems("", "@import 'https://example.org/x.css';").len(), 1);
        assert_eq!(problems("", "a { background: url(x.png) }").len(), 1);
    }
}
