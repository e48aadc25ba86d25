//! A convolution's plain kernel at rest, from which packed ones are made: in 16 bits where that loses nothing, as with
//! weights that come from a file of f16.

use std::borrow::Cow;

use half::f16;
use half::slice::HalfFloatSliceExt;
use half::vec::HalfFloatVecExt;

/// So many numbers are compared at a time.
const PIECE: usize = 1024;

/// 3 x 3 x in x out numbers.
pub(crate) enum PlainKernel {
    Half(Vec<f16>),
    Single(Vec<f32>),
}

impl PlainKernel {
    pub(crate) fn new(kernel: Vec<f32>) -> Self {
        let half = Vec::from_f32_slice(&kernel);
        let mut back = [0.0; PIECE];
        let fits = kernel.chunks(PIECE).zip(half.chunks(PIECE)).all(|(kernel, half)| {
            let back = &mut back[..half.len()];
            half.convert_to_f32_slice(back);
            kernel.iter().zip(back).all(|(number, back)| number.to_bits() == back.to_bits())
        });
        if fits { Self::Half(half) } else { Self::Single(kernel) }
    }

    /// The numbers.
    pub(crate) fn numbers(&self) -> Cow<'_, [f32]> {
        match self {
            Self::Half(kernel) => Cow::Owned(kernel.to_f32_vec()),
            Self::Single(kernel) => Cow::Borrowed(kernel),
        }
    }

    /// The bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Half(kernel) => size_of_val(&**kernel),
            Self::Single(kernel) => size_of_val(&**kernel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PlainKernel;

    #[test]
    fn a_kernel_comes_back_bit_by_bit_and_takes_half_the_bytes_where_it_can() {
        let exact = vec![0.5, -0.0, 1.0 / 1024.0, 65504.0, 2.0_f32.powi(-24)];
        let kernel = PlainKernel::new(exact.clone());
        assert_eq!(kernel.bytes(), 2 * exact.len());
        let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&kernel.numbers()), bits(&exact));

        let inexact = vec![0.5, 0.1];
        let kernel = PlainKernel::new(inexact.clone());
        assert_eq!(kernel.bytes(), 4 * inexact.len());
        assert_eq!(*kernel.numbers(), *inexact);
    }
}
