//! AVX2 and FMA: 8 lanes, 16 registers.

use std::arch::x86_64::{
    __m256, _CMP_GT_OQ, _mm256_add_ps, _mm256_and_ps, _mm256_and_si256, _mm256_castsi256_ps, _mm256_cmp_ps,
    _mm256_cmpeq_epi32, _mm256_fmadd_ps, _mm256_fnmadd_ps, _mm256_loadu_ps, _mm256_max_ps,
    _mm256_movemask_ps, _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32,
    _mm256_setzero_ps, _mm256_storeu_ps, _mm256_stream_ps, _mm256_sub_ps,
};

use super::x86::one_instruction_methods;
use super::{Access, Kernel, Simd};

/// Proof that this machine has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

pub(super) fn run<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
    #[target_feature(enable = "avx2,fma")]
    fn enabled<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
        kernel.run(simd)
    }
    // SAFETY: an `Avx2` exists only where `new` found both instruction sets.
    unsafe { enabled(simd, kernel) }
}

impl Simd for Avx2 {
    const LANES: usize = 8;
    const ROWS: usize = 6;
    const VECTORS: usize = 2;

    one_instruction_methods!(
        __m256, load _mm256_loadu_ps, store _mm256_storeu_ps, stream _mm256_stream_ps, splat _mm256_set1_ps,
        add _mm256_add_ps, sub _mm256_sub_ps, mul _mm256_mul_ps, mul_add _mm256_fmadd_ps,
        mul_sub_from _mm256_fnmadd_ps, max _mm256_max_ps
    );

    #[inline(always)]
    fn positive(self, v: __m256) -> u16 {
        // SAFETY: `self` proves the instruction set.
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(v, _mm256_setzero_ps())) as u16 }
    }

    #[inline(always)]
    fn keep(self, v: __m256, bits: u16) -> __m256 {
        // SAFETY: `self` proves the instruction set.
        unsafe {
            let lane_bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let set = _mm256_and_si256(_mm256_set1_epi32(i32::from(bits)), lane_bit);
            _mm256_and_ps(v, _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lane_bit)))
        }
    }
}
