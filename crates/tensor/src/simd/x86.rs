//! What AVX2 and AVX-512F have in common: every method of [`super::Simd`] that is one instruction of either.

/// The methods of [`super::Simd`] that are one x86 instruction, in an `impl` for a type that proves the instruction set.
macro_rules! one_instruction_methods {
    (
        $vector:ty, load $load:ident, store $store:ident, stream $stream:ident, splat $splat:ident, add $add:ident,
        sub $sub:ident, mul $mul:ident, mul_add $mul_add:ident, mul_sub_from $mul_sub_from:ident, max $max:ident
    ) => {
        type V = $vector;

        const STREAMS: bool = true;

        #[inline(always)]
        unsafe fn load(self, from: *const f32) -> $vector {
            // SAFETY: the caller promises `LANES` readable numbers; `self` proves the instruction set.
            unsafe { $load(from) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32, v: $vector) {
            // SAFETY: the caller promises `LANES` writable numbers; `self` proves the instruction set.
            unsafe { $store(to, v) }
        }

        #[inline(always)]
        unsafe fn stream(self, to: *mut f32, v: $vector) {
            // SAFETY: the caller promises `LANES` writable, aligned numbers; `self` proves the instruction set.
            unsafe { $stream(to, v) }
        }

        #[inline(always)]
        fn fence(self) {
            // SAFETY: it only orders writes.
            unsafe { std::arch::x86_64::_mm_sfence() }
        }

        #[inline(always)]
        fn prefetch(self, access: Access, address: *const f32) {
            use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T1, _mm_prefetch};
            // SAFETY: a prefetch has no effect but on caches, whatever the address.
            unsafe {
                match access {
                    Access::Read => _mm_prefetch::<_MM_HINT_T1>(address.cast()),
                    Access::Write => _mm_prefetch::<_MM_HINT_ET0>(address.cast()),
                }
            }
        }

        #[inline(always)]
        fn splat(self, value: f32) -> $vector {
            // SAFETY: `self` proves the instruction set.
            unsafe { $splat(value) }
        }

        #[inline(always)]
        fn add(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: `self` proves the instruction set.
            unsafe { $add(a, b) }
        }

        #[inline(always)]
        fn sub(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: `self` proves the instruction set.
            unsafe { $sub(a, b) }
        }

        #[inline(always)]
        fn mul(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: `self` proves the instruction set.
            unsafe { $mul(a, b) }
        }

        #[inline(always)]
        fn mul_add(self, a: $vector, b: $vector, c: $vector) -> $vector {
            // SAFETY: `self` proves the instruction set.
            unsafe { $mul_add(a, b, c) }
        }

        #[inline(always)]
        fn mul_sub_from(self, a: $vector, b: $vector, c: $vector) -> $vector {
            // SAFETY: `self` proves the instruction set.
            unsafe { $mul_sub_from(a, b, c) }
        }

        #[inline(always)]
        fn max(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: `self` proves the instruction set.
            unsafe { $max(a, b) }
        }
    };
}
pub(super) use one_instruction_methods;
