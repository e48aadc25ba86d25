//! What the project is built on: licences and sources of all crates, and where there may be `unsafe`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Licences that ask for no more than their text.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "IJG",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
/// Those of data that is put into the program.
const LICENCES_OF_DATA: [&str; 3] = ["CC-BY-4.0", "OFL-1.1", "Ubuntu-font-1.0"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every package that the program or a test is built on, with all features.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--all-features"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Whether a licence expression lets one choose, or add up, nothing but these licences.
fn allows(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    expression.split(" AND ").all(|all| all.split(" OR ").any(|one| allowed.contains(&one.trim())))
}

#[test]
fn licences_are_read_as_they_are_written() {
    assert!(allows("MIT OR Apache-2.0", &["MIT"]));
    assert!(allows("MIT/Apache-2.0", &["MIT"]));
    assert!(allows("(MIT OR GPL-3.0) AND Unicode-3.0", &["MIT", "Unicode-3.0"]));
    assert!(!allows("MIT AND GPL-3.0", &["MIT"]));
    assert!(!allows("GPL-3.0-only", &["MIT"]));
}

#[test]
fn every_crate_has_a_licence_that_everybody_may_use() {
    let allowed = [&LICENCES[..], &LICENCES_OF_DATA].concat();
    let others: Vec<_> = packages()
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(|licence| allows(licence, &allowed)))
        .map(|package| format!("{}: {}", package["name"], package["license"]))
        .collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// No fork, no folder of somebody, no other registry.
#[test]
fn every_crate_is_of_this_project_or_of_the_public_registry() {
    let packages = packages();
    let sources: BTreeSet<_> = packages.iter().filter_map(|package| package["source"].as_str()).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources.iter().all(|source| source.starts_with("registry+")), "{sources:?}");
    for package in packages.iter().filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().expect("a name");
        assert!(name.starts_with("impasto-"), "{name}");
    }
}

/// The packages for Python, for pages and for the book have lock files of their own, and so have examples.
#[test]
fn every_lock_file_names_the_public_registry_alone() {
    let mut sources = BTreeSet::new();
    let examples =
        ["own_operation", "exercises", "in_the_wild"].map(|name| format!("examples/{name}/Cargo.lock"));
    let crates = ["book", "python", "wasm"].map(|name| format!("crates/{name}/Cargo.lock"));
    for file in ["Cargo.lock".to_owned()].iter().chain(&crates).chain(&examples) {
        let lock = fs::read_to_string(root().join(file)).expect("a lock file");
        sources.extend(lock.lines().filter(|line| line.starts_with("source = ")).map(str::to_owned));
    }
    assert_eq!(sources.len(), 1, "{sources:?}");
}

/// What is published says what it is.
#[test]
fn every_published_crate_is_described() {
    let ours =
        packages().into_iter().filter(|package| package["source"].is_null() && package["publish"].is_null());
    let mut count = 0;
    for package in ours {
        count += 1;
        for key in
            ["description", "license", "repository", "documentation", "readme", "keywords", "categories"]
        {
            assert!(
                !package[key].is_null() && package[key] != Value::Array(vec![]),
                "{}: {key}",
                package["name"]
            );
        }
        // A tarball leaves out what its tests alone need and names no version of.
        let stripped = |dependency: &&Value| dependency["kind"] == "dev" && !dependency["path"].is_null();
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        for dependency in dependencies.iter().filter(|dependency| !stripped(dependency)) {
            assert_ne!(dependency["req"], "*", "{}: {} has no version", package["name"], dependency["name"]);
        }
    }
    assert_eq!(count, 10 + 3, "crates/ and the parts of the weights");
}

/// Rust sources of a folder and of those in it.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether a line of code has the keyword: not in a comment, not as a part of another word.
fn has_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices("unsafe").any(|(at, word)| {
        !code[..at].ends_with(is_word)
            && !code[at + word.len()..].starts_with(is_word)
            && !code[..at].contains('"')
    })
}

#[test]
fn the_keyword_is_told_from_the_lint() {
    assert!(has_unsafe("    unsafe { kernel(x) }"));
    assert!(has_unsafe("#[unsafe(no_mangle)]"));
    assert!(!has_unsafe("#![forbid(unsafe_code)]"));
    assert!(!has_unsafe("// no unsafe here"));
    assert!(!has_unsafe("let text = \"unsafe\";"));
}

#[test]
fn no_crate_but_tensor_has_unsafe_code() {
    let mut found = Vec::new();
    for folder in ["crates", "tests", "weights", "benches", "examples"] {
        sources(&root().join(folder), &mut found);
    }
    assert!(found.len() > 200, "{}", found.len());
    let tensor = root().join("crates/tensor");
    let unsafe_ones: Vec<_> = found
        .iter()
        .filter(|path| !path.starts_with(&tensor))
        .filter(|path| fs::read_to_string(path).expect("a readable source").lines().any(has_unsafe))
        .collect();
    assert!(unsafe_ones.is_empty(), "{unsafe_ones:?}");
}

/// So that the compiler says it too.
#[test]
fn every_crate_but_tensor_forbids_unsafe_code() {
    let mut roots = Vec::new();
    for entry in fs::read_dir(root().join("crates"))
        .expect("crates/")
        .map(|entry| entry.expect("a readable folder").path())
    {
        roots.extend(
            ["src/lib.rs", "src/main.rs"]
                .map(|file| entry.join(file))
                .into_iter()
                .filter(|path| path.exists()),
        );
    }
    assert!(roots.len() >= 8, "{roots:?}");
    for path in roots.iter().filter(|path| !path.starts_with(root().join("crates/tensor"))) {
        let text = fs::read_to_string(path).expect("a readable source");
        assert!(text.contains("#![forbid(unsafe_code)]"), "{}", path.display());
    }
}
