//! Prefetching: cache lines are read from memory before they are needed, while something is computed.

use crate::GRANULE;
use crate::simd::{Access, Simd};

/// Steps of k between two prefetches of a tile.
pub(crate) const UNROLL: usize = 8;

/// Prefetches the lines at `count` addresses, `stride` numbers apart. None of them need be valid.
#[inline(always)]
pub(crate) fn prefetch_row<S: Simd>(simd: S, access: Access, from: *const f32, count: usize, stride: usize) {
    for index in 0..count {
        simd.prefetch(access, from.wrapping_add(index * stride));
    }
}

/// Numbers to prefetch while the tiles of a product are computed, an equal part with each tile.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    next: *const f32,
    len: usize,
    lines: usize,
}

impl Parts {
    /// Parts of `len` numbers from an address on, which need not be valid, for tiles of `depth` steps of k.
    #[inline(always)]
    pub(crate) fn new(from: *const f32, len: usize, depth: usize) -> Self {
        Self { next: from, len, lines: 0 }.with_depth(depth)
    }

    /// The same parts from another address on.
    #[inline(always)]
    pub(crate) fn starting_at(self, from: *const f32) -> Self {
        Self { next: from, ..self }
    }

    /// The same parts for tiles of another depth.
    #[inline(always)]
    pub(crate) fn with_depth(self, depth: usize) -> Self {
        Self { lines: self.len.div_ceil(GRANULE).div_ceil((depth / UNROLL).max(1)), ..self }
    }

    /// The next tile's part.
    #[inline(always)]
    pub(crate) fn next_part(&mut self) -> Lines {
        let from = self.next;
        self.next = from.wrapping_add(self.len);
        Lines { from, count: self.lines }
    }
}

/// Cache lines to prefetch during one tile, from an address on, which need not be valid: `count` with every [`UNROLL`]
/// steps of k.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    from: *const f32,
    count: usize,
}

impl Lines {
    /// None.
    pub(crate) const NONE: Self = Self { from: std::ptr::null(), count: 0 };

    /// Prefetches the next `count`.
    #[inline(always)]
    pub(crate) fn prefetch_next<S: Simd>(&mut self, simd: S) {
        for _ in 0..self.count {
            simd.prefetch(Access::Read, self.from);
            self.from = self.from.wrapping_add(GRANULE);
        }
    }
}
