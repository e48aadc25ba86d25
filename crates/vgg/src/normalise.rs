//! The normalisation that Gatys, Ecker and Bethge applied to VGG-19: every filter scaled so that its mean activation over
//! pictures and positions is 1.
//!
//! ReLU, average pooling and max pooling commute with positive factors. So if filter i of layer l is divided by its mean
//! activation m_i (kernel and bias), and the weights of the next layer on channel i are multiplied by m_i, every response is
//! what it was, divided by its own filter's m: the network computes the same function up to those scales.

use impasto_autodiff::{Border, Pooling, ops};
use impasto_tensor::{Element, Shape, Tensor};

use crate::{Network, WeightsError};

/// Mean activations m of every filter of every layer, gathered over pictures.
#[derive(Debug, Clone)]
pub struct Activations {
    /// Sums over positions and pictures, one list a layer.
    sums: Vec<Vec<f64>>,
    /// Positions that were summed over, one number a layer.
    positions: Vec<u64>,
}

impl Activations {
    /// Without any picture.
    pub fn new(network: &Network) -> Self {
        let sums = network.convs.iter().map(|conv| vec![0.0; conv.out_channels]).collect();
        Self { sums, positions: vec![0; network.convs.len()] }
    }

    /// Adds the responses to a picture of `height` x `width` (`rgb`: H x W x 3; R, G, B from 0 to 255).
    ///
    /// # Errors
    /// [`WeightsError::Picture`] if it is too small for the network's poolings.
    ///
    /// # Panics
    /// If `network` is another than [`Activations::new`] was called with.
    pub fn add(
        &mut self,
        network: &Network,
        (height, width): (usize, usize),
        rgb: &[f32],
        pooling: Pooling,
    ) -> Result<(), WeightsError> {
        let mut input = vec![0.0; rgb.len()];
        network.preprocessing.apply(rgb, &mut input);
        let shape = Shape::new(height, width, 3);
        let mut features = Tensor::from_vec(shape, input).map_err(WeightsError::picture)?;
        let table = network.arch.convs();
        for (position, conv) in network.convs.iter().enumerate() {
            if position > 0 && table[position].index == 1 {
                features = ops::pool::forward(pooling, &features).map_err(WeightsError::picture)?;
            }
            features = ops::conv::forward(conv, Border::Zero, &features).map_err(WeightsError::picture)?;
            ops::relu::forward(features.data_mut());
            let sums = &mut self.sums[position];
            for row in features.data().chunks_exact(conv.out_channels) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value.to_f64());
            }
            self.positions[position] += features.shape().positions() as u64;
        }
        Ok(())
    }

    /// m of every filter: the mean over positions and pictures; 1 for a filter that never answered, which stays as it is.
    pub fn means(&self) -> Vec<Vec<f64>> {
        let mean = |(sums, &positions): (&Vec<f64>, &u64)| {
            sums.iter().map(|sum| if *sum > 0.0 { sum / positions as f64 } else { 1.0 }).collect()
        };
        self.sums.iter().zip(&self.positions).map(mean).collect()
    }
}

impl Network {
    /// Divides every filter by its mean and multiplies the weights behind it: W'_oi = W_oi m_i / m_o, b'_o = b_o / m_o, where
    /// i is a filter of the layer before (its m is 1 for the picture's channels).
    ///
    /// # Panics
    /// If `means` does not have one number for each filter.
    pub fn normalise(&mut self, means: &[Vec<f64>]) {
        assert_eq!(means.len(), self.convs.len(), "one list of means a layer");
        let mut before = vec![1.0; 3];
        for (conv, means) in self.convs.iter_mut().zip(means) {
            assert_eq!(means.len(), conv.out_channels, "one mean a filter");
            for (row, weights) in conv.kernel.chunks_exact_mut(conv.out_channels).enumerate() {
                let input = before[row % conv.in_channels];
                for (weight, mean) in weights.iter_mut().zip(means) {
                    *weight = (f64::from(*weight) * input / mean) as f32;
                }
            }
            for (bias, mean) in conv.bias.iter_mut().zip(means) {
                *bias = (f64::from(*bias) / mean) as f32;
            }
            before.clone_from(means);
        }
    }
}
