//! Which rows of a layer a convolution computes.

use std::ops::Range;

use super::Extent;

/// Rows of a layer: what one call of a convolution computes. They begin at a row of the layer's tiles and end at one or at the
/// layer's last row: at multiples of [`super::Algorithm::tile_rows`], or where the layer ends.
///
/// Where a layer is computed as a whole, its extent is its section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// H x W of the whole layer.
    pub extent: Extent,
    /// The first row that is computed.
    pub start: usize,
    /// The row behind the last one.
    pub end: usize,
}

impl From<Extent> for Section {
    fn from(extent: Extent) -> Self {
        Self { extent, start: 0, end: extent.height }
    }
}

impl Section {
    /// Some rows of a layer.
    pub const fn new(extent: Extent, rows: &Range<usize>) -> Self {
        Self { extent, start: rows.start, end: rows.end }
    }

    /// The rows that are computed, as an extent.
    pub const fn outputs(self) -> Extent {
        Extent { height: self.end - self.start, width: self.extent.width }
    }

    /// The rows of the input that its outputs see: one more on either side, if there is one.
    pub fn input_rows(self) -> Range<usize> {
        self.start.saturating_sub(1)..(self.end + 1).min(self.extent.height)
    }

    /// The rows of a 2x2 pooling of the layer that its outputs become.
    pub const fn pooled_rows(self) -> Range<usize> {
        self.start / 2..self.end / 2
    }

    /// The rows of a gradient behind a 2x2 pooling of the input that [`Self::input_rows`] are made of.
    pub fn pooled_input_rows(self) -> Range<usize> {
        let rows = self.input_rows();
        rows.start / 2..rows.end.div_ceil(2).min(self.extent.height / 2)
    }

    /// Panics unless the section begins and ends with tiles of `rows` rows.
    pub(super) fn check(self, rows: usize) {
        let Self { extent: Extent { height, .. }, start, end } = self;
        assert!(start < end && end <= height, "rows of the layer");
        assert!(start.is_multiple_of(rows), "a section begins with a tile");
        assert!(end.is_multiple_of(rows) || end == height, "a section ends with a tile");
    }
}
