//! Winograd's F(2,3) by hand: one way to write it.

use crate::counted::Counted;

/// z_0 and z_1 from d and g, with four multiplications.
pub fn winograd(d: [Counted; 4], g: [Counted; 3]) -> [Counted; 2] {
    let [d0, d1, d2, d3] = d;
    let [g0, g1, g2] = g;
    let m1 = (d0 - d2) * g0;
    let m2 = (d1 + d2) * (g0 + g1 + g2).half();
    let m3 = (d2 - d1) * (g0 - g1 + g2).half();
    let m4 = (d1 - d3) * g2;
    [m1 + m2 + m3, m2 - m3 - m4]
}
