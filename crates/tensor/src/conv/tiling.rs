//! How a section of a layer's outputs is cut: into tiles, counted row by row from the section's first one, and into runs of
//! consecutive tiles, each the work of one task. The tiles lie on a grid of the whole layer.
//!
//! A run may begin and end anywhere in a row of tiles, so that the threads' shares of a picture of any size are equal.

use super::{Extent, Section};

/// The cut of a section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiling {
    /// Whole rows of tiles of a layer.
    pub(super) section: Section,
    /// Of a tile, both even. Tiles at the lower and the right edge may reach beyond the layer.
    pub(super) tile: Extent,
    /// Tiles in a run; the last run may have fewer.
    pub(super) run: usize,
}

impl Tiling {
    /// Runs of at most `most` tiles, as few of them as make equal shares for the threads. (No result depends on that.)
    pub(super) fn new(section: Section, tile: Extent, most: usize) -> Self {
        let mut tiling = Self { section, tile, run: 1 };
        let (tiles, threads) = (tiling.tiles(), rayon::current_num_threads());
        tiling.run = tiles.div_ceil(threads * tiles.div_ceil(threads * most));
        tiling
    }

    /// Tiles in a row.
    pub(super) const fn columns(&self) -> usize {
        self.section.extent.width.div_ceil(self.tile.width)
    }

    pub(super) const fn tiles(&self) -> usize {
        (self.section.end - self.section.start).div_ceil(self.tile.height) * self.columns()
    }

    pub(super) const fn runs(&self) -> usize {
        self.tiles().div_ceil(self.run)
    }

    /// Row and column of a tile's first output in the layer.
    #[inline(always)]
    pub(super) const fn corner(&self, tile: usize) -> (usize, usize) {
        let row = self.section.start + tile / self.columns() * self.tile.height;
        (row, tile % self.columns() * self.tile.width)
    }
}

/// What belongs to a run of tiles of an H x W x `depth` tensor: a piece of each row.
pub(super) struct Rows<'a, T> {
    /// The row of the first piece.
    first: usize,
    depth: usize,
    /// The column that a piece begins with, and its numbers.
    pieces: Vec<(usize, &'a mut [T])>,
}

impl<'a, T> Rows<'a, T> {
    /// Cuts the rows of the tiling's section of a tensor (with `level` 1: of one of half its sides, rounded down) into its runs.
    pub(super) fn cut(data: &'a mut [T], tiling: &Tiling, level: u32, depth: usize) -> Vec<Self> {
        let (width, columns) = (tiling.section.extent.width >> level, tiling.columns());
        let (tile_height, tile_width) = (tiling.tile.height >> level, tiling.tile.width >> level);
        let first = |run: usize| tiling.corner(run * tiling.run).0 >> level;
        let mut runs: Vec<Self> =
            (0..tiling.runs()).map(|run| Self { first: first(run), depth, pieces: Vec::new() }).collect();
        for (y, row) in data.chunks_exact_mut((width * depth).max(1)).enumerate() {
            let first_tile = y / tile_height * columns;
            let (mut column, mut rest) = (0, row);
            let across = first_tile / tiling.run..(first_tile + columns).div_ceil(tiling.run);
            for (run, rows) in across.clone().zip(&mut runs[across]) {
                let tiles = ((run + 1) * tiling.run - first_tile).min(columns);
                let end = (tiles * tile_width).min(width);
                let (piece, others) = rest.split_at_mut((end - column) * depth);
                rows.pieces.push((column, piece));
                (column, rest) = (end, others);
            }
        }
        runs
    }

    /// The numbers from row y, column x on, to the end of the run's piece of that row.
    ///
    /// Panics if they are another run's.
    #[inline(always)]
    pub(super) fn from(&mut self, (y, x): (usize, usize)) -> &mut [T] {
        let (column, piece) = &mut self.pieces[y - self.first];
        &mut piece[(x - *column) * self.depth..]
    }

    /// Where row y, column x is or would be.
    #[inline(always)]
    pub(super) fn address(&self, (y, x): (usize, usize)) -> *const T {
        let Some((column, piece)) = self.pieces.get(y - self.first) else { return std::ptr::null() };
        piece.as_ptr().wrapping_add(x.wrapping_sub(*column).wrapping_mul(self.depth))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Extent, Rows, Section, Tiling};

    proptest! {
        #[test]
        fn every_position_belongs_to_the_run_of_its_tile(
            (height, width) in (1_usize..30, 1_usize..30),
            (tile_height, tile_width) in (1_usize..4, 1_usize..4),
            (first, count) in (0_usize..15, 1_usize..15),
            run in 1_usize..40,
            level in 0_u32..2,
            depth in 1_usize..3,
        ) {
            let tile = Extent { height: 2 * tile_height, width: 2 * tile_width };
            let start = first.min((height - 1) / tile.height) * tile.height;
            let end = (start + count * tile.height).min(height);
            let tiling = Tiling { section: Section { extent: Extent { height, width }, start, end }, tile, run };
            let (rows, columns) = (start >> level..end >> level, width >> level);
            let mut owner = vec![usize::MAX; rows.len() * columns * depth];
            for (run, mut part) in Rows::cut(&mut owner, &tiling, level, depth).into_iter().enumerate() {
                for tile in run * tiling.run..((run + 1) * tiling.run).min(tiling.tiles()) {
                    let (top, left) = tiling.corner(tile);
                    for y in top >> level..((top + tiling.tile.height) >> level).min(rows.end) {
                        for x in left >> level..((left + tiling.tile.width) >> level).min(columns) {
                            prop_assert_eq!(part.address((y, x)), part.from((y, x)).as_ptr());
                            part.from((y, x))[..depth].fill(tile);
                        }
                    }
                }
            }
            for (at, &tile) in owner.iter().enumerate() {
                let (y, x) = (rows.start + at / depth / columns, at / depth % columns);
                prop_assert_eq!(tiling.corner(tile), ((y << level) / tiling.tile.height * tiling.tile.height,
                    (x << level) / tiling.tile.width * tiling.tile.width));
            }
        }

        #[test]
        fn runs_are_equal_shares(
            (height, width) in (1_usize..200, 1_usize..200),
            most in 1_usize..100,
        ) {
            let extent = Extent { height, width };
            let tiling = Tiling::new(extent.into(), Extent { height: 6, width: 6 }, most);
            let threads = rayon::current_num_threads();
            prop_assert!(tiling.run <= most);
            prop_assert!(tiling.runs() <= tiling.tiles().div_ceil(threads * most) * threads);
        }
    }
}
