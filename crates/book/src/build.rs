//! From docs/ to the book: what mdBook reads goes through the three steps of a page, what it writes is completed and checked.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use mdbook_preprocessor::book::{Book, BookItem, Chapter};
use mdbook_preprocessor::errors::{Error, Result};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::links::{DOCS, Links, place};
use crate::{BookError, check, code, equations, font, sources};

const CONFIG: &str = include_str!("../book.toml");

/// Builds the book of the repository at `root` into the folder `out`, whose contents it replaces.
///
/// # Errors
/// Whatever a page names and is not there; files that cannot be read or written.
pub fn build(root: &Path, out: &Path) -> std::result::Result<(), BookError> {
    if is_something_else(out) {
        return Err(BookError::NoBook(out.to_owned()));
    }
    let mut config: Config = CONFIG.parse().map_err(BookError::Mdbook)?;
    out.clone_into(&mut config.build.build_dir);
    let mut book = MDBook::load_with_config(root, config).map_err(BookError::Mdbook)?;
    let pages = book.iter().filter_map(|item| match item {
        BookItem::Chapter(chapter) => page(chapter),
        _ => None,
    });
    let links = Links::new(root.to_owned(), pages.collect());
    let links = Arc::new(Mutex::new(links));
    book.with_preprocessor(Pages { links: Arc::clone(&links) });
    book.build().map_err(|error| match error.downcast::<BookError>() {
        Ok(ours) => ours,
        Err(error) => BookError::Mdbook(error),
    })?;
    let links = links.lock().unwrap_or_else(PoisonError::into_inner);
    if !links.problems.is_empty() {
        return Err(BookError::DeadLinks(links.problems.clone()));
    }
    sources::write(root, out, &links.sources)?;
    let style = "crates/book/theme/source.css";
    std::fs::copy(root.join(style), out.join(style)).map_err(BookError::file(Path::new(style)))?;
    font::copy(&out.join("fonts/latinmodern-math.woff2"))?;
    check::check(out)
}

/// Whether a folder has contents that no build of the book wrote.
fn is_something_else(out: &Path) -> bool {
    let is_empty = std::fs::read_dir(out).map_or(!out.exists(), |mut entries| entries.next().is_none());
    !is_empty && !out.join("toc.html").is_file()
}

/// A chapter's file in the repository.
fn page(chapter: &Chapter) -> Option<String> {
    let path = chapter.source_path.as_ref()?;
    Some(format!("{DOCS}{}", path.to_string_lossy().replace('\\', "/")))
}

/// Code, links and equations, page by page.
struct Pages {
    links: Arc<Mutex<Links>>,
}

impl Preprocessor for Pages {
    fn name(&self) -> &'static str {
        "pages"
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let mut failed = None;
        book.for_each_chapter_mut(|chapter| {
            let Some(page) = page(chapter).filter(|_| failed.is_none()) else { return };
            match prepared(&context.root, &page, &chapter.content, &mut links) {
                Ok(content) => {
                    chapter.content = content;
                    chapter.path = Some(place(&page[DOCS.len()..]).into());
                }
                Err(error) => failed = Some(error),
            }
        });
        failed.map_or(Ok(book), |error| Err(Error::from(error)))
    }
}

/// A page as mdBook gets it.
fn prepared(
    root: &Path,
    page: &str,
    text: &str,
    links: &mut Links,
) -> std::result::Result<String, BookError> {
    let text = code::include(root, page, text)?;
    equations::set(page, &links.rewrite(page, &text))
}
