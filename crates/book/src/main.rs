//! `impasto-book [FOLDER]`: builds the book into target/book, or another folder.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().unwrap_or(root);
    let out = std::env::args_os().nth(1).map_or_else(|| root.join("target/book"), PathBuf::from);
    let out = std::path::absolute(&out).unwrap_or(out);
    match impasto_book::build(&root, &out) {
        Ok(()) => {
            println!("{}", out.join("index.html").display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the book is not built: {error}");
            ExitCode::FAILURE
        }
    }
}
