//! Plain Rust that compilers turn into whatever vectors the target has (SSE2, NEON).

use super::Simd;

/// Arrays of 8 numbers.
#[derive(Clone, Copy)]
pub(super) struct Portable;

#[derive(Clone, Copy)]
#[repr(align(32))]
pub(super) struct Lanes([f32; 8]);

impl Lanes {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut result = self;
        for (a, b) in result.0.iter_mut().zip(other.0) {
            *a = f(*a, b);
        }
        result
    }
}

impl Simd for Portable {
    const LANES: usize = 8;
    const ROWS: usize = 4;
    const VECTORS: usize = 1;

    type V = Lanes;

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Lanes {
        // SAFETY: the caller promises 8 readable numbers; the read does not need alignment.
        Lanes(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, v: Lanes) {
        // SAFETY: the caller promises 8 writable numbers; the write does not need alignment.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(v.0) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Lanes {
        Lanes([value; 8])
    }

    #[inline(always)]
    fn add(self, a: Lanes, b: Lanes) -> Lanes {
        a.zip(b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: Lanes, b: Lanes) -> Lanes {
        a.zip(b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: Lanes, b: Lanes) -> Lanes {
        a.zip(b, |a, b| a * b)
    }

    #[inline(always)]
    fn mul_add(self, a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        // One rounding where the target always has the instruction; a library call elsewhere would be slow.
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            let mut result = c;
            for ((c, a), b) in result.0.iter_mut().zip(a.0).zip(b.0) {
                *c = a.mul_add(b, *c);
            }
            result
        } else {
            self.add(self.mul(a, b), c)
        }
    }

    #[inline(always)]
    fn max(self, a: Lanes, b: Lanes) -> Lanes {
        a.zip(b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn positive(self, v: Lanes) -> u16 {
        v.0.iter().enumerate().fold(0, |bits, (lane, &value)| bits | (u16::from(value > 0.0) << lane))
    }

    #[inline(always)]
    fn keep(self, v: Lanes, bits: u16) -> Lanes {
        let mut result = v;
        for (lane, value) in result.0.iter_mut().enumerate() {
            if bits >> lane & 1 == 0 {
                *value = 0.0;
            }
        }
        result
    }
}
