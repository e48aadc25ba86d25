//! The pictures and plots of the book: `cargo run -p impasto-study --example book_pictures [FOLDER [WORD]]`, by default into
//! docs/images/book; with a word only those whose names have it. `make book-pictures` calls it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use impasto_style::Picture;
use impasto_style::picture::{Encoding, ReadOptions};

mod paintings;
mod pixel;
mod plots;
mod responses;

/// What can go wrong is told and ends the example.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::args_os().nth(1).map_or_else(|| root.join("docs/images/book"), PathBuf::from);
    fs::create_dir_all(&folder)?;
    let read = |name: &str| -> Result<Picture> {
        Ok(Picture::read(&root.join("examples").join(name), &ReadOptions::default())?.picture)
    };
    let (photo, painting) = (read("content/chelsea.png")?, read("style/cafe_terrace.webp")?);

    let word = std::env::args().nth(2).unwrap_or_default();
    let wanted = |name: &str| name.contains(&word);

    let plots: [(&str, &dyn Fn() -> Result<String>); 6] = [
        ("pixel.svg", &|| pixel::block(&photo, (88, 132))),
        ("winograd-error.svg", &plots::winograd_error),
        ("pooling.svg", &plots::pooling),
        ("receptive-fields.svg", &plots::receptive_fields),
        ("wolfe.svg", &plots::wolfe),
        ("optimisers.svg", &|| paintings::optimisers(&photo, &painting)),
    ];
    for (name, svg) in plots.into_iter().filter(|(name, _)| wanted(name)) {
        fs::write(folder.join(name), svg()?)?;
    }
    let pictures: [(&str, &dyn Fn() -> Result<Picture>); 4] = [
        ("responses.jpg", &|| responses::strongest(&photo)),
        ("fields.jpg", &|| Ok(responses::fields(&photo))),
        ("gram.jpg", &|| paintings::gram_matrices(&photo, &painting)),
        ("scales.jpg", &|| paintings::scales(&photo, &painting)),
    ];
    for (name, picture) in pictures.into_iter().filter(|(name, _)| wanted(name)) {
        picture()?.write(&folder.join(name), Encoding::Jpeg { quality: 88 })?;
    }
    Ok(())
}
