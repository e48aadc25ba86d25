//! What is wrong with a book.

use std::path::{Path, PathBuf};

/// Why a book is not built.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// TeX that cannot be set.
    #[error("{page}: the equation {tex:?} cannot be set: {reason}")]
    Equation {
        /// The page.
        page: String,
        /// The equation.
        tex: String,
        /// What the parser says.
        reason: String,
    },
    /// A directive that is not `{{#code path name}}`.
    #[error("{page}: {directive:?} is not {{{{#code path item}}}}")]
    Directive {
        /// The page.
        page: String,
        /// What stands there.
        directive: String,
    },
    /// An item that is not in its file, or is there more than once.
    #[error("{page}: {path} defines `{item}` {count} times, not once")]
    Item {
        /// The page.
        page: String,
        /// The source.
        path: String,
        /// The item.
        item: String,
        /// How often it is there.
        count: usize,
    },
    /// Links without a target, all of them.
    #[error("dead links:\n{}", .0.join("\n"))]
    DeadLinks(Vec<String>),
    /// The font of the equations is not found.
    #[error("the font of the equations: {0}")]
    Font(String),
    /// A folder whose contents would be lost.
    #[error("{} has other things in it than a book", .0.display())]
    NoBook(PathBuf),
    /// What mdBook says.
    #[error("{0:#}")]
    Mdbook(mdbook_preprocessor::errors::Error),
}

impl BookError {
    /// Names the file that an error of the system is about.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }
}
