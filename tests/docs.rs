//! The documentation's links are alive: files exist, and a linked name in backticks is defined in the linked file.

use std::fs;
use std::path::{Path, PathBuf};

/// README.md and docs/*.md.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut documents: Vec<PathBuf> = fs::read_dir(root.join("docs"))
        .expect("docs/ exists")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    documents.extend(Some(root.join("README.md")).filter(|readme| readme.exists()));
    documents
}

/// The (text, target) of every Markdown link in a text.
fn links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("](").filter_map(|(at, _)| {
        let open = text[..at].rfind('[')?;
        let target = &text[at + 2..];
        Some((&text[open + 1..at], &target[..target.find(')')?]))
    })
}

/// Whether a Rust source defines the last part of a path such as `style::gram`.
fn defines(source: &str, name: &str) -> bool {
    let name = name.rsplit("::").next().unwrap_or(name);
    ["fn", "struct", "enum", "trait", "const", "type", "mod"].iter().any(|keyword| {
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

/// The Rust sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("a readable folder").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// The names of a source's tests on random inputs: `fn name(input in strategy)`.
fn property_tests(source: &str) -> Vec<&str> {
    let tests = source.split("#[test]").skip(1).filter_map(|test| {
        let (name, rest) = test.split_once("fn ")?.1.split_once('(')?;
        rest.split_once('{')?.0.contains(" in ").then_some(name)
    });
    tests.collect()
}

#[test]
fn every_property_test_of_the_mathematics_is_in_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let list = fs::read_to_string(root.join("docs/math.md")).expect("docs/math.md exists");
    let mut missing = Vec::new();
    for crate_name in ["tensor", "autodiff", "lbfgs"] {
        for path in sources(&root.join("crates").join(crate_name)) {
            let source = fs::read_to_string(&path).expect("a readable source");
            let unlisted =
                property_tests(&source).into_iter().filter(|name| !list.contains(&format!("[`{name}`]")));
            missing.extend(unlisted.map(|name| format!("{}: {name}", path.display())));
        }
    }
    assert!(missing.is_empty(), "not in docs/math.md:\n{}", missing.join("\n"));
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
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/math.md");
    let check = |label, target| problem(&document, "# A heading\n", label, target);
    assert_eq!(check("`style::gram`", "../crates/autodiff/src/ops/style.rs"), None);
    assert!(check("`style::gra`", "../crates/autodiff/src/ops/style.rs").is_some());
    assert!(check("a file", "../crates/nowhere.rs").is_some());
    assert_eq!(check("below", "#a-heading"), None);
    assert!(check("below", "#another").is_some());
}
