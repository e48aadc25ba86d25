//! AVX-512F: 16 lanes, 32 registers.

use std::arch::x86_64::{
    __m512, _CMP_GT_OQ, _mm512_add_ps, _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_fnmadd_ps,
    _mm512_loadu_ps, _mm512_maskz_mov_ps, _mm512_max_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_storeu_ps, _mm512_stream_ps, _mm512_sub_ps,
};

use super::x86::one_instruction_methods;
use super::{Access, Kernel, Simd};

/// Proof that this machine has AVX-512F.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    pub(super) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }
}

pub(super) fn run<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
    #[target_feature(enable = "avx512f")]
    fn enabled<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
        kernel.run(simd)
    }
    // SAFETY: an `Avx512` exists only where `new` found AVX-512F.
    unsafe { enabled(simd, kernel) }
}

impl Simd for Avx512 {
    const LANES: usize = 16;
    const ROWS: usize = 12;
    const VECTORS: usize = 2;

    one_instruction_methods!(
        __m512, load _mm512_loadu_ps, store _mm512_storeu_ps, stream _mm512_stream_ps, splat _mm512_set1_ps,
        add _mm512_add_ps, sub _mm512_sub_ps, mul _mm512_mul_ps, mul_add _mm512_fmadd_ps,
        mul_sub_from _mm512_fnmadd_ps, max _mm512_max_ps
    );

    #[inline(always)]
    fn positive(self, v: __m512) -> u16 {
        // SAFETY: `self` proves the instruction set.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(v, _mm512_setzero_ps()) }
    }

    #[inline(always)]
    fn keep(self, v: __m512, bits: u16) -> __m512 {
        // SAFETY: `self` proves the instruction set.
        unsafe { _mm512_maskz_mov_ps(bits, v) }
    }
}
