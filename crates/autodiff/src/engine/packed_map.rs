//! The gradient of losses of sums, a map of F, block of positions by block.

use impasto_tensor::{Isa, Matrix, PackedMatrix, TensorError};

use crate::losses::AffineMap;

/// Positions in one block.
pub(crate) const POSITIONS: usize = 96;

/// Numbers of scratch of one block: its products, and where a guide leaves positions out, the responses at the others.
pub(crate) const fn scratch_len(channels: usize, padded_channels: usize, guided: bool) -> usize {
    POSITIONS * (padded_channels + if guided { channels } else { 0 })
}

/// An [`AffineMap`] ready to multiply.
#[derive(Debug)]
pub(crate) struct PackedMap {
    matrix: PackedMatrix,
    vector: Option<Vec<f32>>,
}

impl PackedMap {
    /// The map to 0.
    pub(crate) fn zero(isa: Isa, channels: usize) -> Result<Self, TensorError> {
        let zeros = vec![0.0; channels * channels];
        Ok(Self { matrix: PackedMatrix::new(isa, Matrix::new(&zeros, channels, channels)?)?, vector: None })
    }

    /// Takes another map of the same size.
    pub(crate) fn set(&mut self, map: AffineMap) -> Result<(), TensorError> {
        self.matrix.repack(Matrix::new(&map.matrix, map.channels, map.channels)?);
        self.vector = map.vector;
        Ok(())
    }

    /// N rounded up to whole panels.
    pub(crate) fn padded_columns(&self) -> usize {
        self.matrix.padded_columns()
    }

    /// Adds F D + d to `gradient`, with [`scratch_len`] numbers of scratch. What is in `prefetch` is prefetched meanwhile.
    pub(crate) fn add(
        &self,
        f: &[f32],
        channels: usize,
        gradient: &mut [f32],
        products: &mut [f32],
        prefetch: [&[f32]; 2],
    ) {
        let stride = self.matrix.padded_columns();
        if stride == channels {
            self.matrix.multiply(f, channels, gradient, true, prefetch);
        } else {
            let products = &mut products[..f.len() / channels * stride];
            self.matrix.multiply(f, channels, products, false, prefetch);
            let rows = gradient.chunks_exact_mut(channels).zip(products.chunks_exact(stride));
            for (gradient, products) in rows {
                gradient.iter_mut().zip(products).for_each(|(g, &product)| *g += product);
            }
        }
        if let Some(vector) = &self.vector {
            for gradient in gradient.chunks_exact_mut(channels) {
                gradient.iter_mut().zip(vector).for_each(|(g, &d)| *g += d);
            }
        }
    }

    /// Adds t (F D + d) to `gradient` at the positions whose t is not 0, and says whether there are any. Each position's sum is made
    /// before it is added, so that its bits do not depend on which others are in the block.
    pub(crate) fn add_guided(
        &self,
        (f, t): (&[f32], &[f32]),
        gradient: &mut [f32],
        scratch: &mut [f32],
        prefetch: [&[f32]; 2],
    ) -> bool {
        let (channels, stride) = (f.len() / t.len(), self.matrix.padded_columns());
        let acts = |t: &f32| *t > 0.0;
        let (Some(first), Some(last)) = (t.iter().position(acts), t.iter().rposition(acts)) else {
            return false;
        };
        let (f, t) = (&f[first * channels..(last + 1) * channels], &t[first..=last]);
        let count = t.iter().filter(|t| acts(t)).count();
        let (products, gathered) = scratch.split_at_mut(POSITIONS * stride);
        let (products, gathered) = (&mut products[..count * stride], &mut gathered[..count * channels]);
        let rows = if count == t.len() {
            f
        } else {
            let rows = f.chunks_exact(channels).zip(t).filter(|(_, t)| acts(t));
            gathered
                .chunks_exact_mut(channels)
                .zip(rows)
                .for_each(|(place, (f, _))| place.copy_from_slice(f));
            gathered
        };
        self.matrix.multiply(rows, channels, products, false, prefetch);
        let rows = gradient[first * channels..].chunks_exact_mut(channels).zip(t).filter(|(_, t)| acts(t));
        for ((gradient, &t), products) in rows.zip(products.chunks_exact(stride)) {
            gradient.iter_mut().zip(products).for_each(|(g, &product)| *g += t * product);
            if let Some(vector) = &self.vector {
                gradient.iter_mut().zip(vector).for_each(|(g, &d)| *g += t * d);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_room_for_its_products() {
        assert_eq!([false, true].map(|guided| scratch_len(16, 32, guided)), [POSITIONS * 32, POSITIONS * 48]);
    }

    /// t (F D + d) with D = 2 and d = 1, where t is not 0; elsewhere F may be anything.
    #[test]
    fn what_a_guide_leaves_out_is_not_looked_at() {
        let channels = 16;
        let mut map = AffineMap::zero(channels);
        map.matrix.iter_mut().step_by(channels + 1).for_each(|d| *d = 2.0);
        map.vector = Some(vec![1.0; channels]);
        for isa in Isa::available() {
            let mut packed = PackedMap::zero(isa, channels).unwrap();
            packed.set(map.clone()).unwrap();
            let t = [0.0, 0.5, 0.0, 1.0, 0.0];
            let f: Vec<f32> = t.iter().flat_map(|&t| [if t > 0.0 { 3.0 } else { f32::NAN }; 16]).collect();
            let mut gradient = vec![10.0; f.len()];
            let mut scratch = vec![0.0; scratch_len(channels, packed.padded_columns(), true)];
            assert!(packed.add_guided((&f, &t), &mut gradient, &mut scratch, [&[]; 2]));
            let expected: Vec<f32> = t.iter().flat_map(|t| [10.0 + t * 7.0; 16]).collect();
            assert_eq!(gradient, expected);
        }
    }
}
