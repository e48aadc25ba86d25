//! The micro-kernel: a block of C in registers.

use crate::prefetch::{Lines, UNROLL};
use crate::simd::Simd;

/// One block of C of up to ROWS x PANEL numbers, and where its factors are.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    /// Steps of k.
    pub(crate) depth: usize,
    /// A's first row at the first k.
    pub(crate) a: *const f32,
    /// From one row of A to the next.
    pub(crate) a_row: usize,
    /// From one k of A to the next.
    pub(crate) a_step: usize,
    /// The packed panel: `depth` rows of PANEL numbers.
    pub(crate) b: *const f32,
    /// C's first element.
    pub(crate) c: *mut f32,
    /// From one row of C to the next.
    pub(crate) c_stride: usize,
    /// Whether C is added to.
    pub(crate) accumulate: bool,
    /// What to prefetch meanwhile.
    pub(crate) prefetch: [Lines; 2],
}

impl Tile {
    /// Computes `rows` rows, at most ROWS.
    ///
    /// # Safety
    /// `a` must be valid for reads at `row * a_row + k * a_step` for all its rows and `k < depth`, `b` for
    /// `depth * PANEL` reads, `c` for reads and writes of `rows` rows of PANEL numbers.
    #[inline(always)]
    pub(crate) unsafe fn run_rows<S: Simd>(self, simd: S, rows: usize) {
        // SAFETY: every arm computes exactly `rows` rows, which the caller vouches for.
        unsafe {
            match rows {
                1 => self.run::<S, 1>(simd),
                2 => self.run::<S, 2>(simd),
                3 => self.run::<S, 3>(simd),
                4 => self.run::<S, 4>(simd),
                5 if S::ROWS > 4 => self.run::<S, 5>(simd),
                6 if S::ROWS > 4 => self.run::<S, 6>(simd),
                7 if S::ROWS > 6 => self.run::<S, 7>(simd),
                8 if S::ROWS > 6 => self.run::<S, 8>(simd),
                9 if S::ROWS > 6 => self.run::<S, 9>(simd),
                10 if S::ROWS > 6 => self.run::<S, 10>(simd),
                11 if S::ROWS > 6 => self.run::<S, 11>(simd),
                12 if S::ROWS > 6 => self.run::<S, 12>(simd),
                _ => unreachable!("at most {} rows", S::ROWS),
            }
        }
    }

    /// The micro-kernel: R x PANEL sums in registers, one rank-1 update a step of k.
    #[inline(always)]
    unsafe fn run<S: Simd, const R: usize>(self, simd: S) {
        // Not every instruction set has two vectors a row; the second column of sums is then dead code.
        let mut sums = [[simd.splat(0.0); 2]; R];
        let (mut a, mut b) = (self.a, self.b);
        let mut prefetch = self.prefetch;
        // SAFETY: `step` gets the pointers of a k below `depth`, which the caller of `run_rows` vouches for. After the last
        // step they may lie beyond what is there (`a_step` may be more than what follows A's last number), and are not
        // read: `wrapping_add` allows that. The rows and columns of C are those that the caller vouches for.
        unsafe {
            for _ in 0..self.depth / UNROLL {
                prefetch[0].prefetch_next(simd);
                prefetch[1].prefetch_next(simd);
                for _ in 0..UNROLL {
                    self.step(simd, a, b, &mut sums);
                    (a, b) = (a.wrapping_add(self.a_step), b.wrapping_add(S::PANEL));
                }
            }
            for _ in 0..self.depth % UNROLL {
                self.step(simd, a, b, &mut sums);
                (a, b) = (a.wrapping_add(self.a_step), b.wrapping_add(S::PANEL));
            }
            for (row, sum) in sums.iter().enumerate() {
                for (vector, &sum) in sum.iter().enumerate().take(S::VECTORS) {
                    let c = self.c.add(row * self.c_stride + vector * S::LANES);
                    let value = if self.accumulate { simd.add(simd.load(c), sum) } else { sum };
                    simd.store(c, value);
                }
            }
        }
    }

    /// One step of k: the sums of R x PANEL products.
    #[inline(always)]
    unsafe fn step<S: Simd, const R: usize>(
        self,
        simd: S,
        a: *const f32,
        b: *const f32,
        sums: &mut [[S::V; 2]; R],
    ) {
        // SAFETY: `a` and `b` are at a step of k below the depth, which the caller of `run_rows` vouches for.
        unsafe {
            let b0 = simd.load(b);
            let b1 = if S::VECTORS > 1 { simd.load(b.add(S::LANES)) } else { b0 };
            for (row, sum) in sums.iter_mut().enumerate() {
                let value = simd.splat(*a.add(row * self.a_row));
                sum[0] = simd.mul_add(value, b0, sum[0]);
                if S::VECTORS > 1 {
                    sum[1] = simd.mul_add(value, b1, sum[1]);
                }
            }
        }
    }
}
