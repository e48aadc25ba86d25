//! Files of the repository as pages of the book, so that links to code work where only the book is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::links::SOURCE;
use crate::{BookError, path};

/// Files that are shown as text are no longer than this, 256 KiB; others are copied.
const LONGEST: usize = 1 << 18;
/// What a browser shows by itself.
const PICTURES: [&str; 5] = [".png", ".jpg", ".webp", ".svg", ".gif"];

/// Where the book has a file of the repository.
pub(crate) fn page(file: &str, is_folder: bool) -> String {
    match (is_folder, PICTURES.iter().any(|ending| file.ends_with(ending))) {
        (true, _) => format!("{SOURCE}{file}/index.html"),
        (false, true) => format!("{SOURCE}{file}"),
        // mdBook takes whatever has .md in it for one of its pages.
        (false, false) => format!("{SOURCE}{}.html", file.replace(".md", "_md")),
    }
}

/// Writes the pages of these files and folders, and of all files that are in the folders, to the book in `out`.
///
/// # Errors
/// A file that cannot be read or written.
pub fn write(root: &Path, out: &Path, files: &BTreeSet<String>) -> Result<(), BookError> {
    for file in files {
        let from = root.join(file);
        let to = out.join(page(file, from.is_dir()));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(BookError::file(folder))?;
        }
        if from.is_dir() {
            let inner = in_folder(root, file)?;
            fs::write(&to, listing(file, &inner)).map_err(BookError::file(&to))?;
            write(root, out, &inner)?;
        } else if to.extension().is_some_and(|extension| extension == "html") {
            let bytes = fs::read(&from).map_err(BookError::file(&from))?;
            fs::write(&to, shown(file, &bytes)).map_err(BookError::file(&to))?;
            if bytes.len() > LONGEST {
                let copy = out.join(SOURCE).join(file);
                fs::write(&copy, &bytes).map_err(BookError::file(&copy))?;
            }
        } else {
            fs::copy(&from, &to).map_err(BookError::file(&from))?;
        }
    }
    Ok(())
}

/// The files of a folder, without those that are hidden, and not those in folders of it.
fn in_folder(root: &Path, folder: &str) -> Result<BTreeSet<String>, BookError> {
    let path = root.join(folder);
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(&path).map_err(BookError::file(&path))? {
        let entry = entry.map_err(BookError::file(&path))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_file() {
            files.insert(format!("{folder}/{name}"));
        }
    }
    Ok(files)
}

fn listing(folder: &str, files: &BTreeSet<String>) -> String {
    let here = page(folder, true);
    let items: String = files
        .iter()
        .map(|file| {
            format!(
                "<li><a href=\"{}\">{}</a></li>\n",
                path::relative(&here, &page(file, false)),
                escaped(file)
            )
        })
        .collect();
    html(folder, &here, &format!("<ul>\n{items}</ul>"))
}

/// A text with its lines' numbers, which are anchors: `#L12`.
fn shown(file: &str, bytes: &[u8]) -> String {
    let here = page(file, false);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return html(file, &here, "<p>It is not a text.</p>");
    };
    if bytes.len() > LONGEST {
        let copy = path::relative(&here, &format!("{SOURCE}{file}"));
        return html(file, &here, &format!("<p>It is long: <a href=\"{copy}\">the file itself</a>.</p>"));
    }
    let numbers: String =
        (1..=text.lines().count()).map(|n| format!("<a id=\"L{n}\" href=\"#L{n}\">{n}</a>\n")).collect();
    let language = match file.rsplit('.').next() {
        Some("rs") => "rust",
        Some("py") => "python",
        Some("toml") => "ini",
        Some("sh") => "bash",
        Some("md") => "markdown",
        _ => "plaintext",
    };
    let code = format!("<pre><code class=\"language-{language}\">{}</code></pre>", escaped(text));
    html(file, &here, &format!("<div class=\"lines\"><pre class=\"numbers\">{numbers}</pre>{code}</div>"))
}

/// The page around it: plain, with the book's own highlighter.
fn html(title: &str, here: &str, body: &str) -> String {
    let to = |target: &str| path::relative(here, target);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"{}\">\n<link rel=\"stylesheet\" href=\"{}\">\n</head>\n<body>\n\
         <p><a href=\"{}\">The book</a></p>\n<h1>{title}</h1>\n{body}\n\
         <script src=\"{}\"></script>\n<script>document.querySelectorAll(\"pre code\").forEach(code => hljs.highlightBlock(code));</script>\n\
         </body>\n</html>\n",
        to("highlight.css"),
        to("crates/book/theme/source.css"),
        to("index.html"),
        to("highlight.js"),
        title = escaped(title),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shown_and_folders_listed() {
        let folder = tempfile::tempdir().unwrap();
        let (root, out) = (folder.path().join("in"), folder.path().join("out"));
        fs::create_dir_all(root.join("a")).unwrap();
        fs::write(root.join("a/x.rs"), "let b = a < 1 && \"c\";\nlast").unwrap();
        fs::write(root.join("a/y.png"), [0, 1, 2]).unwrap();
        fs::write(root.join("a/long.txt"), vec![b'a'; LONGEST + 1]).unwrap();
        write(&root, &out, &["a".to_owned()].into()).unwrap();
        let list = fs::read_to_string(out.join("source/a/index.html")).unwrap();
        assert!(
            list.contains("<a href=\"x.rs.html\">a/x.rs</a>") && list.contains("href=\"y.png\""),
            "{list}"
        );
        let source = fs::read_to_string(out.join("source/a/x.rs.html")).unwrap();
        assert!(source.contains("a &lt; 1 &amp;&amp; &quot;c&quot;;"), "{source}");
        assert!(source.contains("id=\"L2\"") && !source.contains("id=\"L3\""), "{source}");
        assert!(source.contains("href=\"../../index.html\""), "{source}");
        assert_eq!(fs::read(out.join("source/a/y.png")).unwrap(), [0, 1, 2]);
        assert_eq!(fs::read(out.join("source/a/long.txt")).unwrap().len(), LONGEST + 1);
    }
}
