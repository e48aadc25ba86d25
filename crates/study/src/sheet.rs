//! Contact sheets: pictures in a table, with the names of rows and columns.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};

use impasto_style::{Picture, PictureError};

/// White around the pictures, in pixels.
const MARGIN: usize = 8;
/// The value of white.
const WHITE: f32 = 255.0;

/// A table of pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet<'a> {
    /// Names of the rows, from the top; empty ones take no space.
    pub rows: &'a [String],
    /// Names of the columns, from the left.
    pub columns: &'a [String],
    /// Row by row; a row that is not full stays white at its end.
    pub pictures: &'a [Picture],
}

impl Sheet<'_> {
    /// The sheet as one picture: every cell is as large as the largest picture, which it shows unscaled in its upper left.
    ///
    /// # Errors
    /// [`PictureError::Length`] if there are no rows or columns, or more than memory can hold.
    pub fn draw(&self) -> Result<Picture, PictureError> {
        let largest = |side: fn(&Picture) -> usize| self.pictures.iter().map(side).max().unwrap_or(1);
        let (cell_height, cell_width) = (largest(Picture::height), largest(Picture::width));
        let lettering = Lettering::new((cell_width / 12).clamp(11, 28));
        let row_names = self.rows.iter().map(|row| lettering.width(row)).max().unwrap_or(0);
        let left = if row_names == 0 { MARGIN } else { row_names + 2 * MARGIN };
        let top = lettering.height() + 2 * MARGIN;
        let height = top + self.rows.len() * (cell_height + MARGIN);
        let width = left + self.columns.len() * (cell_width + MARGIN);
        let mut sheet = Picture::new(height, width, vec![WHITE; 3 * height * width])?;
        for (index, column) in self.columns.iter().enumerate() {
            let x = left + index * (cell_width + MARGIN);
            lettering.write(
                &mut sheet,
                (MARGIN, x + cell_width.saturating_sub(lettering.width(column)) / 2),
                column,
            );
        }
        for (index, row) in self.rows.iter().enumerate() {
            let y = top + index * (cell_height + MARGIN);
            lettering.write(
                &mut sheet,
                (y + cell_height.saturating_sub(lettering.height()) / 2, MARGIN),
                row,
            );
        }
        for (index, picture) in self.pictures.iter().enumerate() {
            let (row, column) = (index / self.columns.len(), index % self.columns.len());
            lay(
                &mut sheet,
                (top + row * (cell_height + MARGIN), left + column * (cell_width + MARGIN)),
                picture,
            );
        }
        Ok(sheet)
    }
}

/// Copies a picture onto the sheet, its upper left corner at (y, x).
fn lay(sheet: &mut Picture, (y, x): (usize, usize), picture: &Picture) {
    let (sheet_row, row) = (3 * sheet.width(), 3 * picture.width());
    for (index, from) in picture.data().chunks_exact(row).enumerate() {
        let start = (y + index) * sheet_row + 3 * x;
        if let Some(to) = sheet.data_mut().get_mut(start..start + row) {
            to.copy_from_slice(from);
        }
    }
}

/// The font at one size.
struct Lettering {
    font: Option<FontRef<'static>>,
    scale: PxScale,
}

impl Lettering {
    /// Ubuntu Light, that many pixels high.
    fn new(pixels: usize) -> Self {
        let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT).ok();
        Self { font, scale: PxScale::from(pixels as f32) }
    }

    fn height(&self) -> usize {
        self.scale.y.ceil() as usize
    }

    fn width(&self, text: &str) -> usize {
        let Some(font) = &self.font else { return 0 };
        let font = font.as_scaled(self.scale);
        text.chars().map(|c| font.h_advance(font.glyph_id(c))).sum::<f32>().ceil() as usize
    }

    /// Writes black text, its upper left corner at (y, x); what leaves the picture is cut off.
    fn write(&self, picture: &mut Picture, (y, x): (usize, usize), text: &str) {
        let Some(font) = &self.font else { return };
        let scaled = font.as_scaled(self.scale);
        let mut pen = x as f32;
        for character in text.chars() {
            let id = scaled.glyph_id(character);
            let glyph =
                id.with_scale_and_position(self.scale, ab_glyph::point(pen, y as f32 + scaled.ascent()));
            pen += scaled.h_advance(id);
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, coverage| {
                let (y, x) = (corner.y as i64 + i64::from(dy), corner.x as i64 + i64::from(dx));
                darken(picture, y, x, coverage);
            });
        }
    }
}

fn darken(picture: &mut Picture, y: i64, x: i64, coverage: f32) {
    let (height, width) = (picture.height() as i64, picture.width() as i64);
    if (0..height).contains(&y) && (0..width).contains(&x) {
        let start = 3 * (y * width + x) as usize;
        for value in &mut picture.data_mut()[start..start + 3] {
            *value *= 1.0 - coverage.clamp(0.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(height: usize, width: usize, value: f32) -> Picture {
        Picture::new(height, width, vec![value; 3 * height * width]).unwrap()
    }

    #[test]
    fn every_picture_is_on_the_sheet_and_names_are_written() {
        let pictures = [grey(40, 60, 10.0), grey(40, 60, 20.0), grey(30, 50, 30.0)];
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let (rows, columns) = (names(&["first", "second"]), names(&["left", "right"]));
        let sheet = Sheet { rows: &rows, columns: &columns, pictures: &pictures }.draw().unwrap();
        for picture in &pictures {
            let value = picture.data()[0];
            let count = sheet.data().iter().filter(|&&v| v == value).count();
            assert!(count >= picture.data().len(), "{value}: {count}");
        }
        let corner = &sheet.data()[..3 * MARGIN];
        assert!(corner.iter().all(|&value| value == WHITE));
        let letters =
            sheet.data().iter().filter(|&&v| v != WHITE && !pictures.iter().any(|p| p.data()[0] == v));
        assert!(letters.copied().fold(WHITE, f32::min) < 128.0, "dark letters");
    }
}
