//! Builds docs/ as one book, with mdBook and what it does not do:
//!
//! * [`equations`]: TeX, as repository hosts have it, becomes MathML: nothing is drawn by a script when the book is read;
//! * [`code`]: `{{#code path fn name}}` becomes that item of the repository, as it stands there;
//! * [`links`]: links to files of the repository lead to pages of the book that show them ([`sources`]);
//! * [`check`]: every link of the finished pages has a target, and nothing is loaded from elsewhere.
//!
//! Whatever is missing (an item, a file, a heading) is an error, so that the book cannot say what is not there.
#![forbid(unsafe_code)]

mod build;
pub mod check;
pub mod code;
pub mod equations;
mod error;
mod font;
pub mod item;
pub mod links;
mod path;
mod prose;
pub mod sources;

pub use build::build;
pub use error::BookError;
