//! The documentation's links are alive: files and pictures exist, and a linked name in backticks is defined in the linked
//! file. Every promise of docs/reliability.md names tests, which exist.

use std::fs;
use std::path::{Path, PathBuf};

/// README.md, docs/*.md and docs/book/*.md.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut documents: Vec<PathBuf> = ["docs", "docs/book"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect("the folder exists"))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    documents.extend(Some(root.join("README.md")).filter(|readme| readme.exists()));
    documents
}

/// The (text, target) of every Markdown link in a text, and of every picture in HTML, which has no text.
fn links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let markdown = text.match_indices("](").filter_map(|(at, _)| {
        let open = text[..at].rfind('[')?;
        let target = &text[at + 2..];
        Some((&text[open + 1..at], &target[..target.find(')')?]))
    });
    let pictures = text.split("<img src=\"").skip(1).filter_map(|rest| Some(("", rest.split_once('"')?.0)));
    markdown.chain(pictures)
}

/// Whether a Rust source defines the last part of a path such as `style::gram`.
fn defines(source: &str, name: &str) -> bool {
    let name = name.rsplit("::").next().unwrap_or(name);
    ["fn", "struct", "enum", "trait", "const", "static", "type", "mod"].iter().any(|keyword| {
        source.match_indices(&format!("{keyword} {name}")).any(|(at, found)| {
            let next = source[at + found.len()..].chars().next();
            !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    })
}

/// Headings as the anchors that repository hosts make of them.
fn anchors(text: &str) -> Vec<String> {
    let slug = |heading: &str| {
        let kept = heading.trim().to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    text.lines().filter(|line| line.starts_with('#')).map(|line| slug(line.trim_start_matches('#'))).collect()
}

/// What is wrong with a link, if anything.
fn problem(document: &Path, text: &str, label: &str, target: &str) -> Option<String> {
    if target.starts_with("http") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = document.parent().expect("a document is in a folder").join(file);
    let linked =
        if file.is_empty() { text.to_owned() } else { fs::read_to_string(&path).unwrap_or_default() };
    if !file.is_empty() && !path.exists() {
        return Some(format!("there is no {file}"));
    }
    if !anchor.is_empty() && !anchors(&linked).iter().any(|known| known == anchor) {
        return Some(format!("there is no heading #{anchor}"));
    }
    let name = label.strip_prefix('`')?.strip_suffix('`')?;
    let is_code = path.extension().is_some_and(|extension| extension == "rs");
    (is_code && !name.contains(['/', '.', ' ']) && !defines(&linked, name))
        .then(|| format!("{file} does not define {name}"))
}

#[test]
fn every_link_in_the_docs_is_alive() {
    let mut dead = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a readable document");
        for (label, target) in links(&text) {
            if let Some(problem) = problem(&document, &text, label, target) {
                dead.push(format!("{}: [{label}]({target}): {problem}", document.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn a_dead_link_is_noticed() {
    let text = "[a](b.md) <img src=\"c.png\" alt=\"d\"> ![e](f.jpg)";
    assert_eq!(links(text).collect::<Vec<_>>(), [("a", "b.md"), ("e", "f.jpg"), ("", "c.png")]);
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/math.md");
    let check = |label, target| problem(&document, "# A heading\n", label, target);
    assert_eq!(check("`gram::gram`", "../crates/autodiff/src/losses/gram.rs"), None);
    assert!(check("`gram::gra`", "../crates/autodiff/src/losses/gram.rs").is_some());
    assert!(check("a file", "../crates/nowhere.rs").is_some());
    assert_eq!(check("below", "#a-heading"), None);
    assert!(check("below", "#another").is_some());
}

/// Whether a source has a test of that name: a function with `#[test]` among its attributes and comments.
fn has_test(source: &str, name: &str) -> bool {
    let function = format!("fn {name}(");
    source.match_indices(&function).any(|(at, _)| {
        let above = source[..at].rsplit('\n').skip(1).map(str::trim);
        let mut attributes = above.take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        attributes.any(|line| line == "#[test]")
    })
}

/// The rows of all tables below a heading, without the heads of the tables.
fn table_rows<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let section = text.split("\n## ").find(|section| section.starts_with(heading));
    let lines: Vec<_> = section.expect("the heading is there").lines().collect();
    let is_head = |at: usize| lines.get(at + 1).is_some_and(|next| next.starts_with("|---"));
    let rows = lines.iter().enumerate().filter(|(at, line)| line.starts_with('|') && !is_head(*at));
    rows.map(|(_, line)| *line).filter(|line| !line.starts_with("|---")).collect()
}

/// A promise without a test is not one.
#[test]
fn every_promise_names_tests_that_exist() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = fs::read_to_string(docs.join("reliability.md")).expect("a readable document");
    let promises = table_rows(&text, "Promises");
    assert!(promises.len() > 20, "{}", promises.len());
    let mut broken = Vec::new();
    for promise in promises {
        let tests: Vec<_> = links(promise).filter(|(label, _)| label.starts_with('`')).collect();
        if tests.is_empty() {
            broken.push(format!("no test: {promise}"));
        }
        for (label, target) in tests {
            let source = fs::read_to_string(docs.join(target)).unwrap_or_default();
            if !has_test(&source, label.trim_matches('`')) {
                broken.push(format!("{target} has no test {label}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_missing_test_is_noticed() {
    let source = "/// What.\n#[test]\n#[ignore = \"so\"]\nfn a_test() {\n}\n\nfn a_function() {}\n";
    assert!(has_test(source, "a_test"));
    assert!(!has_test(source, "a_function"));
    assert!(!has_test(source, "a_tes"));
    let text = "# A\n\n## One\n| a |\n|---|\n| b |\n\n### Inner\n| a |\n|---|\n| c |\n\n## Two\n| d |\n|---|\n| e |\n";
    assert_eq!(table_rows(text, "One"), ["| b |", "| c |"]);
    assert_eq!(table_rows(text, "Two"), ["| e |"]);
}
