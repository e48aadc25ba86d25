//! Vectors of `f32`, written once for every instruction set and chosen at run time.
//!
//! A value of a type that implements [`Simd`] proves that this machine has the instruction set, so its arithmetic is
//! safe to call; only loads and stores through pointers are not. A kernel is a struct that implements [`Kernel`]: its
//! `run` is written for any `S: Simd` and is compiled once per instruction set, inside a function that has that set
//! enabled ([`Isa::dispatch`]).

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::fmt;
use std::sync::OnceLock;

/// An instruction set that this machine has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Isa {
    /// Every instruction set that this machine has, the best first. The last one is always the portable one.
    pub fn available() -> Vec<Self> {
        let mut available = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if avx512::Avx512::new().is_some() {
                available.push(Self(Kind::Avx512));
            }
            if avx2::Avx2::new().is_some() {
                available.push(Self(Kind::Avx2));
            }
        }
        available.push(Self(Kind::Portable));
        available
    }

    /// The instruction set in use: the best one, or the one that the environment variable `IMPASTO_ISA` names
    /// (`avx512`, `avx2` or `portable`) if the machine has it; a name that it has not, or that there is not, is passed over.
    pub fn current() -> Self {
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let available = Self::available();
            let wanted = std::env::var("IMPASTO_ISA").unwrap_or_default();
            available.iter().copied().find(|isa| isa.name() == wanted).unwrap_or(available[0])
        })
    }

    /// `avx512`, `avx2` or `portable`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            Kind::Portable => "portable",
        }
    }

    /// Runs a kernel compiled for this instruction set.
    pub(crate) fn dispatch<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => {
                avx512::run(avx512::Avx512::new().expect("an Isa is only made where available"), kernel)
            }
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => avx2::run(avx2::Avx2::new().expect("an Isa is only made where available"), kernel),
            Kind::Portable => kernel.run(portable::Portable),
        }
    }

    /// Columns of a packed panel on this instruction set: what packed matrices round their columns up to.
    pub fn panel(self) -> usize {
        struct Panel;
        impl Kernel for Panel {
            type Output = usize;
            #[inline(always)]
            fn run<S: Simd>(self, _: S) -> usize {
                S::PANEL
            }
        }
        self.dispatch(Panel)
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A computation that is compiled for every instruction set.
pub(crate) trait Kernel {
    /// What it returns.
    type Output;
    /// The computation; implementations are `#[inline(always)]`, so that they are compiled with `S`'s instructions.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// What a prefetched cache line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Arithmetic on vectors of [`Simd::LANES`] numbers.
pub(crate) trait Simd: Copy + Send + Sync {
    /// Numbers in a vector: 8 or 16.
    const LANES: usize;
    /// Rows of C that the GEMM micro-kernel holds in registers.
    const ROWS: usize;
    /// Vectors of a row of C that the micro-kernel holds in registers: 1 or 2.
    const VECTORS: usize;
    /// Columns of the micro-kernel and of a packed panel.
    const PANEL: usize = Self::LANES * Self::VECTORS;

    /// A vector.
    type V: Copy;

    /// Reads a vector.
    ///
    /// # Safety
    /// `from` must be valid for reads of `LANES` numbers.
    unsafe fn load(self, from: *const f32) -> Self::V;
    /// Writes a vector.
    ///
    /// # Safety
    /// `to` must be valid for writes of `LANES` numbers.
    unsafe fn store(self, to: *mut f32, v: Self::V);
    /// The same number in every lane.
    fn splat(self, value: f32) -> Self::V;
    /// a + b.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a - b.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// a b.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// a b + c, in one rounding where the instruction set can.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger, lane by lane.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// Bit i is set where lane i is above 0.
    fn positive(self, v: Self::V) -> u16;
    /// Lane i where bit i is set, 0 elsewhere.
    fn keep(self, v: Self::V, bits: u16) -> Self::V;

    /// Prefetches the cache line at an address, which need not be valid, into the second-level cache.
    #[inline(always)]
    fn prefetch(self, _access: Access, _address: *const f32) {}

    /// Whether [`Self::stream`] is more than [`Self::store`].
    const STREAMS: bool = false;

    /// Writes a vector past the caches, so that its cache line need not be read before: to be followed at once by the rest
    /// of the line, and by [`Self::fence`] before another thread reads it.
    ///
    /// # Safety
    /// `to` must be valid for writes of `LANES` numbers, and aligned to them.
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32, v: Self::V) {
        // SAFETY: the caller vouches for more than this.
        unsafe { self.store(to, v) }
    }

    /// Makes what was streamed before visible to other threads before what is written after.
    #[inline(always)]
    fn fence(self) {}

    /// c - a b.
    #[inline(always)]
    fn mul_sub_from(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        self.mul_add(self.sub(self.splat(0.0), a), b, c)
    }

    /// Reads a vector from the front of a slice.
    #[inline(always)]
    fn read(self, from: &[f32]) -> Self::V {
        assert!(from.len() >= Self::LANES, "a whole vector");
        // SAFETY: the slice holds `LANES` numbers.
        unsafe { self.load(from.as_ptr()) }
    }

    /// Writes a vector to the front of a slice.
    #[inline(always)]
    fn write(self, to: &mut [f32], v: Self::V) {
        assert!(to.len() >= Self::LANES, "a whole vector");
        // SAFETY: the slice holds `LANES` numbers.
        unsafe { self.store(to.as_mut_ptr(), v) }
    }

    /// The mask bits of `LANES` channels from the front of a bit mask, lowest bit first.
    #[inline(always)]
    fn read_bits(self, from: &[u8]) -> u16 {
        if Self::LANES == 16 { u16::from_le_bytes([from[0], from[1]]) } else { u16::from(from[0]) }
    }

    /// Writes the mask bits of `LANES` channels to the front of a bit mask.
    #[inline(always)]
    fn write_bits(self, to: &mut [u8], bits: u16) {
        let bytes = bits.to_le_bytes();
        to[0] = bytes[0];
        if Self::LANES == 16 {
            to[1] = bytes[1];
        }
    }
}
