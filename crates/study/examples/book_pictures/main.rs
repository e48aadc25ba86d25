//! The pictures and plots of the book: `cargo run -p impasto-study --example book_pictures [FOLDER]`, by default into
//! docs/images/book. `make book-pictures` calls it.

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

    let plots = [
        ("pixel.svg", pixel::block(&photo, (88, 132))?),
        ("winograd-error.svg", plots::winograd_error()?),
        ("pooling.svg", plots::pooling()?),
        ("receptive-fields.svg", plots::receptive_fields()?),
        ("wolfe.svg", plots::wolfe()?),
        ("optimisers.svg", paintings::optimisers(&photo, &painting)?),
    ];
    for (name, svg) in plots {
        fs::write(folder.join(name), svg)?;
    }
    let pictures = [
        ("responses.jpg", responses::strongest(&photo)?),
        ("fields.jpg", responses::fields(&photo)?),
        ("gram.jpg", paintings::gram_matrices(&photo, &painting)?),
        ("scales.jpg", paintings::scales(&photo, &painting)?),
    ];
    for (name, picture) in pictures {
        picture.write(&folder.join(name), Encoding::Jpeg { quality: 88 })?;
    }
    Ok(())
}
