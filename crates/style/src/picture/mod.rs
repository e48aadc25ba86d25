//! Pictures: height x width x RGB, as the optimiser moves them, and their files.
//!
//! A value is what an 8-bit picture file holds, but as a real number: gamma-encoded sRGB from 0 (black) to 255 (white).
//! While it is optimised a picture may leave that range; it is clamped only when it is written.

mod alpha;
mod encode;
mod error;
mod mask;
mod read;
mod regions;
mod resize;

use std::fmt;
use std::io::{BufReader, Cursor, Read, Seek, Write};
use std::path::Path;

pub use encode::{
    Depth, Dither, Encoding, KeptProfile, NotKept, Whose, Writing, Written, WrittenError, WrittenProfile,
};
pub use error::PictureError;
use image::ImageReader;
use impasto_files::{write_atomically, write_or_keep};
use impasto_tensor::{Shape, Tensor};
pub use mask::{Mask, ReadMask};
pub(crate) use read::MOST_TEXT;
pub use read::{Profile, ReadOptions, ReadPicture, Transparency, Warning};
pub use regions::{ColourRegions, Labels, RegionsError, regions};
pub use resize::with_longest_side;
pub(crate) use resize::{cubic, is_worth_shrinking, means, room_for};

/// What a picture of standard input is called in messages.
pub const STANDARD_INPUT: &str = "standard input";

/// What a picture that has no name is called in messages.
const NAMELESS: &str = "the picture";

/// H x W x 3 numbers, channels fastest, R, G, B; 0 to 255, gamma-encoded sRGB. Where something of it is transparent, H x W
/// numbers of alpha beside them, by which the colours are not multiplied.
#[derive(Clone, PartialEq)]
pub struct Picture {
    height: usize,
    width: usize,
    data: Vec<f32>,
    /// Not 1 everywhere.
    alpha: Option<Mask>,
}

/// Without the numbers: they would be millions of lines.
impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture")
            .field("height", &self.height)
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

impl Picture {
    /// A picture from its numbers, H x W x 3.
    ///
    /// # Errors
    /// [`PictureError::Length`] if `data` does not have 3 H W numbers, or the picture has none.
    pub fn new(height: usize, width: usize, data: Vec<f32>) -> Result<Self, PictureError> {
        let expected = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(3));
        if expected != Some(data.len()) || data.is_empty() {
            return Err(PictureError::Length { height, width, length: data.len() });
        }
        Ok(Self { height, width, data, alpha: None })
    }

    /// Reads the first picture of a JPEG, PNG, WebP, TIFF, BMP or GIF file. The content of the file tells its format,
    /// not its name.
    ///
    /// The picture is turned as its EXIF orientation says, made RGB if it is grey, and converted to sRGB if it has a colour
    /// profile ([`Profile`] says what was done). Where it is transparent it is laid on white, or what the options say. 16-bit
    /// files keep their precision.
    ///
    /// A pipe, such as `/dev/stdin` or a FIFO, is first read to its end.
    ///
    /// # Errors
    /// [`PictureError`] if the file cannot be read, is not a picture, is damaged, or takes more memory than the options allow,
    /// which is checked before anything is decoded.
    pub fn read(path: &Path, options: &ReadOptions) -> Result<ReadPicture, PictureError> {
        read::picture_of_file(path, options)
    }

    /// [`Picture::read`] of a stream, such as standard input, which is first read to its end: the bytes of the file then
    /// count as memory taken. What is no picture by its first bytes is not read on. `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`Picture::read`].
    pub fn read_stream(
        stream: impl Read,
        name: &Path,
        options: &ReadOptions,
    ) -> Result<ReadPicture, PictureError> {
        read::picture_of_stream(stream, name, options)
    }

    /// [`Picture::read`] of the bytes of a file, which messages call "the picture". They count as memory taken.
    ///
    /// ```
    /// use impasto_style::picture::{Encoding, ReadOptions};
    /// use impasto_style::{Picture, white_noise};
    /// let file = white_noise(3, 4, 1)?.encode(Encoding::Png)?;
    /// let picture = Picture::from_bytes(&file, &ReadOptions::default())?.picture;
    /// assert_eq!((picture.height(), picture.width()), (3, 4));
    /// let error = Picture::from_bytes(&file[..40], &ReadOptions::default()).unwrap_err();
    /// assert!(error.to_string().starts_with("the picture is damaged or cut short"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Picture::read`].
    pub fn from_bytes(bytes: &[u8], options: &ReadOptions) -> Result<ReadPicture, PictureError> {
        read::picture_of_reader(Cursor::new(bytes), bytes.len() as u64, Path::new(NAMELESS), options)
    }

    /// [`Picture::read`] of anything that can be read anywhere, such as a file that is open: from its beginning, wherever it stands, and
    /// no more of it than is needed. `name` stands for it in messages; an empty one is "the picture".
    ///
    /// # Errors
    /// As [`Picture::read`].
    pub fn read_from(
        reader: impl Read + Seek,
        name: &Path,
        options: &ReadOptions,
    ) -> Result<ReadPicture, PictureError> {
        read::picture_of_reader(BufReader::new(reader), 0, named(name), options)
    }

    /// (H, W) of a picture file as it is stored, by its first bytes alone; none if they do not tell. A photo that a camera has turned may have them
    /// the other way round.
    pub fn stored_size(path: &Path) -> Option<(usize, usize)> {
        // A pipe would wait.
        std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        let (width, height) =
            ImageReader::open(path).ok()?.with_guessed_format().ok()?.into_dimensions().ok()?;
        Some((height as usize, width as usize))
    }

    /// The text that a file carries beside its pixels and that begins so, if there is one: of a PNG a chunk of text, of a JPEG,
    /// WebP or TIFF its `ImageDescription`. Nothing is decoded.
    pub(crate) fn text_of_file(path: &Path, begins: &str) -> Result<Option<String>, PictureError> {
        read::text_of_file(path, begins, &ReadOptions::default())
    }

    /// [`Self::text_of_file`] of a stream, which is first read to its end, within what `options` allow; `name` stands for it in
    /// messages.
    pub(crate) fn text_of_stream(
        stream: impl Read,
        name: &Path,
        begins: &str,
        options: &ReadOptions,
    ) -> Result<Option<String>, PictureError> {
        read::text_of_stream(stream, name, begins, options)
    }

    /// Writes the picture to a file, whole or not at all, as [`write_atomically`] does.
    ///
    /// How is said by a [`Writing`]; of an [`Encoding`] alone it is the plainest file. Values are clamped to 0..=255, and of 8 bits
    /// rounded to the nearest integer (ties away from zero) or dithered, of 16 rounded to the nearest 1/257. Alpha is written as a
    /// fourth channel at the same depth; a JPEG has none and is laid on white.
    ///
    /// # Errors
    /// [`PictureError::Encode`] if the format cannot hold the picture; [`PictureError::File`] if the file cannot be written.
    pub fn write(&self, path: &Path, writing: impl Into<Writing>) -> Result<(), PictureError> {
        let bytes = self.encode_for(path, &writing.into())?;
        Ok(write_atomically(path, |out| out.write_all(&bytes))?)
    }

    /// [`Picture::write`] for the result of a long run: if it fails, the picture is kept in the temporary folder, as
    /// [`write_or_keep`] does.
    ///
    /// # Errors
    /// As [`Picture::write`], with where the picture is kept.
    pub fn write_or_keep(&self, path: &Path, writing: impl Into<Writing>) -> Result<(), PictureError> {
        let bytes = self.encode_for(path, &writing.into())?;
        Ok(write_or_keep(path, |out| out.write_all(&bytes))?)
    }

    fn encode_for(&self, path: &Path, writing: &Writing) -> Result<Vec<u8>, PictureError> {
        encode::encode(self, writing).map_err(|source| PictureError::Encode { path: path.into(), source })
    }

    /// The bytes of a file of the picture, rounded as by [`Picture::write`].
    ///
    /// # Errors
    /// [`std::io::Error`] if the format cannot hold a picture of this size (JPEG: 65,535 pixels a side, WebP: 16,383), or has
    /// not that depth.
    pub fn encode(&self, writing: impl Into<Writing>) -> std::io::Result<Vec<u8>> {
        encode::encode(self, &writing.into())
    }

    /// Writes the bytes of a file of the picture to a stream, such as standard output.
    ///
    /// # Errors
    /// [`std::io::Error`] as [`Picture::encode`], or from the stream.
    pub fn write_to(&self, mut stream: impl Write, writing: impl Into<Writing>) -> std::io::Result<()> {
        stream.write_all(&self.encode(writing)?)?;
        stream.flush()
    }

    /// The picture at another size, by Lanczos resampling (a = 3, widened when shrinking so that nothing aliases).
    ///
    /// It is done in gamma light, on the values as they are. Linear light would average the photons of fine detail more
    /// truly, but VGG was trained on pictures that were shrunk in gamma light, neural-style and its relatives do so too,
    /// and Lanczos rings visibly at dark edges in linear light.
    ///
    /// A picture with alpha is resized as [masks](Mask::resized) are, its colours each counted by their alpha: c = sum w a c /
    /// sum w a, a = sum w a with the weights w of the triangle, and every colour lies between those that can be seen.
    ///
    /// # Errors
    /// [`PictureError::Length`] for a side of 0 or over 2^32.
    pub fn resized(&self, height: usize, width: usize) -> Result<Self, PictureError> {
        if (height, width) == (self.height, self.width) {
            return Ok(self.clone());
        }
        match &self.alpha {
            Some(alpha) => alpha::resized(self, alpha, (height, width)),
            None => resize::lanczos(self, height, width),
        }
    }

    /// How much of each pixel covers what is behind it; none where everything does. The colours are not multiplied by it, and
    /// where it is 0 they are the mean sum a c / sum a of all others, so that nothing of a picture has an edge against what
    /// cannot be seen.
    pub fn alpha(&self) -> Option<&Mask> {
        self.alpha.as_ref()
    }

    /// The same picture with another alpha; with none if that is 1 everywhere. Colours where it is 0 are forgotten: see
    /// [`Self::alpha`].
    ///
    /// # Errors
    /// [`PictureError::MaskSize`] if the mask has another size.
    pub fn with_alpha(self, alpha: Mask) -> Result<Self, PictureError> {
        let (height, width) = (alpha.height(), alpha.width());
        if (height, width) != (self.height, self.width) {
            return Err(PictureError::MaskSize { height, width, picture: (self.height, self.width) });
        }
        Ok(alpha::from_straight(self.data, alpha))
    }

    /// The same picture without alpha, laid on a colour b of R, G and B where it is transparent: a c + (1 - a) b.
    #[must_use]
    pub fn on(self, background: [u8; 3]) -> Self {
        alpha::on(self, background)
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The bytes of the numbers in memory, with those of alpha.
    pub fn bytes(&self) -> u64 {
        (self.data.len() * size_of::<f32>()) as u64 + self.alpha.as_ref().map_or(0, Mask::bytes)
    }

    /// The colours, H x W x 3.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The colours, to be changed.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// The colours, by value.
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }

    /// The colours as an H x W x 3 tensor in `f64`, for checking gradients.
    ///
    /// # Panics
    /// Never: a picture has 3 H W numbers.
    pub fn tensor(&self) -> Tensor<f64> {
        let numbers = self.data.iter().map(|&value| f64::from(value)).collect();
        Tensor::from_vec(Shape::new(self.height, self.width, 3), numbers).expect("3 H W numbers")
    }

    /// (H, W) with the same proportions and the given longest side. No side becomes 0.
    pub fn size_with_longest_side(&self, longest: usize) -> (usize, usize) {
        resize::with_longest_side((self.height, self.width), longest)
    }
}

/// What messages call what has that name, which may be empty.
fn named(name: &Path) -> &Path {
    if name.as_os_str().is_empty() { Path::new(NAMELESS) } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_proportions_and_never_vanish() {
        let picture = |height, width| Picture::new(height, width, vec![0.0; 3 * height * width]).unwrap();
        assert_eq!(picture(300, 451).size_with_longest_side(512), (341, 512));
        assert_eq!(picture(451, 300).size_with_longest_side(512), (512, 341));
        assert_eq!(picture(1, 1000).size_with_longest_side(100), (1, 100));
    }

    #[test]
    fn a_picture_needs_all_its_numbers() {
        assert!(Picture::new(2, 2, vec![0.0; 11]).is_err());
        assert!(Picture::new(0, 0, Vec::new()).is_err());
        assert!(Picture::new(usize::MAX, 3, vec![0.0; 9]).is_err());
    }
}
