//! F(4, 3): points 0, 1, -1, 2, -2, infinity.

use super::{MAX_SIDE, Transform};
use crate::simd::Simd;

#[derive(Clone, Copy)]
pub(crate) struct F4;

impl Transform for F4 {
    const OUTPUT: usize = 4;
    const PATCH: usize = 6;
    const KERNEL: &'static [[f64; 3]] = &[
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];

    #[inline(always)]
    fn input<S: Simd>(simd: S, d: [S::V; MAX_SIDE]) -> [S::V; MAX_SIDE] {
        let (two, four, five) = (simd.splat(2.0), simd.splat(4.0), simd.splat(5.0));
        // Points x and -x share their even part and their odd part up to its sign.
        let even1 = simd.mul_sub_from(four, d[2], d[4]);
        let odd1 = simd.mul_sub_from(four, d[1], d[3]);
        let even2 = simd.sub(d[4], d[2]);
        let odd2 = simd.mul(two, simd.sub(d[3], d[1]));
        [
            simd.mul_add(four, d[0], simd.mul_sub_from(five, d[2], d[4])),
            simd.add(even1, odd1),
            simd.sub(even1, odd1),
            simd.add(even2, odd2),
            simd.sub(even2, odd2),
            simd.mul_add(four, d[1], simd.mul_sub_from(five, d[3], d[5])),
            d[6],
            d[7],
        ]
    }

    #[inline(always)]
    fn output<S: Simd>(simd: S, t: [S::V; MAX_SIDE]) -> [S::V; MAX_SIDE] {
        let (two, four, eight) = (simd.splat(2.0), simd.splat(4.0), simd.splat(8.0));
        let (sum1, difference1) = (simd.add(t[1], t[2]), simd.sub(t[1], t[2]));
        let (sum2, difference2) = (simd.add(t[3], t[4]), simd.sub(t[3], t[4]));
        [
            simd.add(simd.add(t[0], sum1), sum2),
            simd.mul_add(two, difference2, difference1),
            simd.mul_add(four, sum2, sum1),
            simd.add(simd.mul_add(eight, difference2, difference1), t[5]),
            t[4],
            t[5],
            t[6],
            t[7],
        ]
    }
}
