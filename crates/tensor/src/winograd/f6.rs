//! F(6, 3): points 0, 1, -1, 2, -2, 1/2, -1/2, infinity.

use super::{MAX_SIDE, Transform};
use crate::simd::Simd;

#[derive(Clone, Copy)]
pub(crate) struct F6;

impl Transform for F6 {
    const OUTPUT: usize = 6;
    const PATCH: usize = 8;
    const KERNEL: &'static [[f64; 3]] = &[
        [1.0, 0.0, 0.0],
        [-2.0 / 9.0, -2.0 / 9.0, -2.0 / 9.0],
        [-2.0 / 9.0, 2.0 / 9.0, -2.0 / 9.0],
        [1.0 / 90.0, 1.0 / 45.0, 2.0 / 45.0],
        [1.0 / 90.0, -1.0 / 45.0, 2.0 / 45.0],
        [32.0 / 45.0, 16.0 / 45.0, 8.0 / 45.0],
        [32.0 / 45.0, -16.0 / 45.0, 8.0 / 45.0],
        [0.0, 0.0, 1.0],
    ];

    #[inline(always)]
    fn input<S: Simd>(simd: S, d: [S::V; MAX_SIDE]) -> [S::V; MAX_SIDE] {
        let c = |value| simd.splat(value);
        let ends = c(5.25);
        // Points x and -x share their even part and their odd part up to its sign.
        let even1 = simd.mul_sub_from(c(4.25), d[4], simd.add(d[2], d[6]));
        let odd1 = simd.mul_sub_from(c(4.25), d[3], simd.add(d[1], d[5]));
        let even2 = simd.mul_add(c(0.25), d[2], simd.mul_sub_from(c(1.25), d[4], d[6]));
        let odd2 = simd.mul_add(c(2.0), d[5], simd.mul_sub_from(c(2.5), d[3], simd.mul(c(0.5), d[1])));
        let even3 = simd.mul_add(c(4.0), d[2], simd.mul_sub_from(c(5.0), d[4], d[6]));
        let odd3 = simd.mul_add(c(2.0), d[1], simd.mul_sub_from(c(2.5), d[3], simd.mul(c(0.5), d[5])));
        [
            simd.mul_add(ends, simd.sub(d[4], d[2]), simd.sub(d[0], d[6])),
            simd.add(even1, odd1),
            simd.sub(even1, odd1),
            simd.add(even2, odd2),
            simd.sub(even2, odd2),
            simd.add(even3, odd3),
            simd.sub(even3, odd3),
            simd.mul_add(ends, simd.sub(d[3], d[5]), simd.sub(d[7], d[1])),
        ]
    }

    #[inline(always)]
    fn output<S: Simd>(simd: S, t: [S::V; MAX_SIDE]) -> [S::V; MAX_SIDE] {
        let c = |value| simd.splat(value);
        let (sum1, difference1) = (simd.add(t[1], t[2]), simd.sub(t[1], t[2]));
        let (sum2, difference2) = (simd.add(t[3], t[4]), simd.sub(t[3], t[4]));
        let (sum3, difference3) = (simd.add(t[5], t[6]), simd.sub(t[5], t[6]));
        let combine =
            |first, a, second, b, third| simd.mul_add(c(a), second, simd.mul_add(c(b), third, first));
        [
            simd.add(simd.add(t[0], sum1), simd.add(sum2, sum3)),
            combine(difference1, 2.0, difference2, 0.5, difference3),
            combine(sum1, 4.0, sum2, 0.25, sum3),
            combine(difference1, 8.0, difference2, 0.125, difference3),
            combine(sum1, 16.0, sum2, 0.0625, sum3),
            simd.add(combine(difference1, 32.0, difference2, 0.031_25, difference3), t[7]),
            t[6],
            t[7],
        ]
    }
}
