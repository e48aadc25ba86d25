//! The cosine transform (DCT-II) of real lines, two at once by one complex Fourier transform of their length.
//!
//! ```text
//! c_k = s_k sum_n p_n cos(pi/N (n + 1/2) k)                      s_0 = N^-1/2, else s_k = (2/N)^1/2
//!     = s_k Re( e^(-i pi k / 2N) V_k )                           V: the Fourier transform of v = p_0 p_2 p_4 .. p_5 p_3 p_1
//! V_k = e^(i pi k / 2N) ( c_k / s_k - i c_(N-k) / s_(N-k) )      c_N = 0
//! ```
//!
//! (Makhoul, "A fast cosine transform in one and two dimensions", 1980.) Of two lines a and b the transform of
//! v(a) + i v(b) is Z = V(a) + i V(b). V_(N-k) of a real line is the conjugate of V_k, so both can be had back:
//! 2 V_k(a) = Z_k + Z*_(N-k), 2i V_k(b) = Z_k - Z*_(N-k).

use std::sync::Arc;

use impasto_tensor::Isa;
use pulp::Arch;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner, FftPlannerScalar};

/// The orthonormal DCT-II of lines of one length, and its inverse, which is its transpose.
pub(crate) struct CosineTransform {
    length: usize,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    /// (2N)^-1/2 e^(-i pi k / 2N).
    turns: Vec<Complex32>,
    /// s_0.
    flat: f32,
}

impl CosineTransform {
    /// The transform of lines of `length` numbers, at least 1.
    pub(crate) fn new(length: usize) -> Self {
        let scale = (0.5 / length as f64).sqrt();
        let turn = |k: usize| {
            let angle = -std::f64::consts::PI * k as f64 / (2 * length) as f64;
            Complex32::new((scale * angle.cos()) as f32, (scale * angle.sin()) as f32)
        };
        // rustfft knows nothing of IMPASTO_ISA, and rounds differently with and without AVX.
        let [forward, inverse] = if cfg!(target_arch = "x86_64") && Isa::current().name() == "portable" {
            let mut planner = FftPlannerScalar::new();
            [planner.plan_fft_forward(length), planner.plan_fft_inverse(length)]
        } else {
            let mut planner = FftPlanner::new();
            [planner.plan_fft_forward(length), planner.plan_fft_inverse(length)]
        };
        Self {
            length,
            forward,
            inverse,
            turns: (0..length).map(turn).collect(),
            flat: (1.0 / length as f64).sqrt() as f32,
        }
    }

    /// Scratch for the transforms of one thread.
    pub(crate) fn scratch(&self) -> Scratch {
        let fft = self.forward.get_inplace_scratch_len().max(self.inverse.get_inplace_scratch_len());
        Scratch {
            v: vec![Complex32::ZERO; self.length],
            fft: vec![Complex32::ZERO; fft],
            spare: vec![0.0; self.length],
        }
    }

    /// c of each line in the place of its points. `lines` are one after the other.
    pub(crate) fn analyse(&self, lines: &mut [f32], scratch: &mut Scratch) {
        let Scratch { v, fft, spare } = scratch;
        let arch = Arch::new();
        for two in lines.chunks_mut(2 * self.length) {
            let (a, b) = with_spare(two, spare, self.length);
            arch.dispatch(|| fold(a, b, v));
            self.forward.process_with_scratch(v, fft);
            (a[0], b[0]) = (self.flat * v[0].re, self.flat * v[0].im);
            arch.dispatch(|| coefficients(&self.turns[1..], &v[1..], &mut a[1..], &mut b[1..]));
        }
    }

    /// The points of each line in the place of its c.
    pub(crate) fn synthesise(&self, lines: &mut [f32], scratch: &mut Scratch) {
        let Scratch { v, fft, spare } = scratch;
        let arch = Arch::new();
        for two in lines.chunks_mut(2 * self.length) {
            let (a, b) = with_spare(two, spare, self.length);
            v[0] = Complex32::new(self.flat * a[0], self.flat * b[0]);
            arch.dispatch(|| transform(&self.turns[1..], &a[1..], &b[1..], &mut v[1..]));
            self.inverse.process_with_scratch(v, fft);
            arch.dispatch(|| unfold(v, a, b));
        }
    }
}

/// v(a) + i v(b): the even points, and after them the odd ones from last to first.
#[inline(always)]
fn fold(a: &[f32], b: &[f32], v: &mut [Complex32]) {
    let (even, odd) = v.split_at_mut(a.len().div_ceil(2));
    let ((a, a_last), (b, b_last)) = (a.as_chunks::<2>(), b.as_chunks::<2>());
    for ((even, odd), (a, b)) in even.iter_mut().zip(odd.iter_mut().rev()).zip(a.iter().zip(b)) {
        (*even, *odd) = (Complex32::new(a[0], b[0]), Complex32::new(a[1], b[1]));
    }
    if let ([a], [b]) = (a_last, b_last) {
        even[odd.len()] = Complex32::new(*a, *b);
    }
}

/// The lines a and b of v(a) + i v(b).
#[inline(always)]
fn unfold(v: &[Complex32], a: &mut [f32], b: &mut [f32]) {
    let (even, odd) = v.split_at(a.len().div_ceil(2));
    let ((a, a_last), (b, b_last)) = (a.as_chunks_mut::<2>(), b.as_chunks_mut::<2>());
    if let ([a], [b]) = (a_last, b_last) {
        (*a, *b) = (even[odd.len()].re, even[odd.len()].im);
    }
    for ((even, odd), (a, b)) in even.iter().zip(odd.iter().rev()).zip(a.iter_mut().zip(b)) {
        (*a, *b) = ([even.re, odd.re], [even.im, odd.im]);
    }
}

/// c_k of both lines from Z_k, for k of 1 and more.
#[inline(always)]
fn coefficients(turns: &[Complex32], z: &[Complex32], a: &mut [f32], b: &mut [f32]) {
    let waves = z.iter().zip(z.iter().rev()).zip(turns);
    for ((a, b), ((z, mirrored), turn)) in a.iter_mut().zip(b).zip(waves) {
        let (sum, gap) = (z + mirrored, z - mirrored);
        *a = turn.re * sum.re - turn.im * gap.im;
        *b = turn.re * sum.im + turn.im * gap.re;
    }
}

/// Z_k from c_k of both lines, for k of 1 and more.
#[inline(always)]
fn transform(turns: &[Complex32], a: &[f32], b: &[f32], z: &mut [Complex32]) {
    let waves = a.iter().zip(b);
    let waves = waves.clone().zip(waves.rev()).zip(turns);
    for (z, (((a, b), (mirrored_a, mirrored_b)), turn)) in z.iter_mut().zip(waves) {
        *z = turn.conj() * Complex32::new(a + mirrored_b, b - mirrored_a);
    }
}

/// Working memory of a [`CosineTransform`].
pub(crate) struct Scratch {
    /// Two lines as one of complex numbers, in the order of v.
    v: Vec<Complex32>,
    fft: Vec<Complex32>,
    /// The line beside an odd last one.
    spare: Vec<f32>,
}

/// Two lines; a last one has a line of zeros beside it.
fn with_spare<'a>(two: &'a mut [f32], spare: &'a mut [f32], length: usize) -> (&'a mut [f32], &'a mut [f32]) {
    let (a, b) = two.split_at_mut(length);
    if b.is_empty() {
        spare.fill(0.0);
        return (a, spare);
    }
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sum above.
    fn reference(p: &[f32], k: usize) -> f64 {
        let length = p.len() as f64;
        let scale = (if k == 0 { 1.0 } else { 2.0 } / length).sqrt();
        let wave = |n: usize| (std::f64::consts::PI / length * (n as f64 + 0.5) * k as f64).cos();
        p.iter().enumerate().map(|(n, p)| scale * f64::from(*p) * wave(n)).sum()
    }

    proptest! {
        #[test]
        fn it_is_the_cosine_sum_and_its_inverse_gives_the_points_back(
            lines in (1usize..50).prop_flat_map(|length| {
                prop::collection::vec(prop::collection::vec(-9.0f32..9.0, length), 1..6)
            }),
        ) {
            let length = lines[0].len();
            let transform = CosineTransform::new(length);
            let mut scratch = transform.scratch();
            let mut c = lines.concat();
            transform.analyse(&mut c, &mut scratch);
            for (line, c) in lines.iter().zip(c.chunks_exact(length)) {
                for (k, c) in c.iter().enumerate() {
                    prop_assert!((f64::from(*c) - reference(line, k)).abs() < 2e-5, "{}", k);
                }
            }
            transform.synthesise(&mut c, &mut scratch);
            for (p, again) in lines.concat().iter().zip(&c) {
                prop_assert!((p - again).abs() < 2e-5);
            }
        }
    }
}
