//! The network as data: preprocessing, then a chain of convolutions (each followed by its ReLU) and poolings.

use impasto_tensor::{Border, Element};

use crate::AutodiffError;
use crate::ops::preprocessing::Preprocessing;

/// How a 2x2 window with stride 2 becomes one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Pooling {
    /// The mean: the paper's choice (section 2).
    #[default]
    Average,
    /// The maximum: what VGG was trained with.
    Max,
    /// The mean times 2. Averages are smaller than the maxima that VGG was trained with, so deeper layers respond less; of
    /// twice the means they have about the size that they have with maxima. The factor is that of style-transfer-pytorch.
    ScaledAverage,
}

/// A 3x3 convolution, stride 1, padding 1, followed by ReLU. What it reads beyond the edge is 0, but for the one that reads the
/// picture: see [`Chain::border`].
#[derive(Debug, Clone, PartialEq)]
pub struct ConvLayer<T> {
    /// The paper's name, such as `conv4_2`.
    pub name: String,
    /// Input channels.
    pub in_channels: usize,
    /// Output channels, N of the paper.
    pub out_channels: usize,
    /// The kernel, indexed (ky, kx, in, out), out fastest: 3 x 3 x `in_channels` x `out_channels`.
    pub kernel: Vec<T>,
    /// One value an output channel.
    pub bias: Vec<T>,
}

impl<T: Element> ConvLayer<T> {
    /// The same layer in another precision.
    pub fn cast<U: Element>(&self) -> ConvLayer<U> {
        let cast = |values: &[T]| values.iter().map(|value| U::from_f64(value.to_f64())).collect();
        ConvLayer {
            name: self.name.clone(),
            in_channels: self.in_channels,
            out_channels: self.out_channels,
            kernel: cast(&self.kernel),
            bias: cast(&self.bias),
        }
    }
}

/// One step of the chain.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer<T> {
    /// A convolution and its ReLU.
    Conv(ConvLayer<T>),
    /// A 2x2 pooling with stride 2.
    Pool,
}

/// The network: preprocessing, layers in order, the kind of its poolings, and what it sees beyond the picture's edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain<T> {
    /// What becomes of a picture before the first layer; none if the first layer reads the picture as it is.
    pub input: Option<Preprocessing>,
    /// The steps, first to last.
    pub layers: Vec<Layer<T>>,
    /// The kind of every [`Layer::Pool`].
    pub pooling: Pooling,
    /// What a convolution that is the first layer reads beyond the edge of z, the picture after preprocessing: so zeros are the mean
    /// colour, and a reflected z is that of a reflected picture. Responses have zeros beyond their edges in every layer.
    pub border: Border,
}

impl<T: Element> Chain<T> {
    /// The same chain in another precision.
    pub fn cast<U: Element>(&self) -> Chain<U> {
        let layers = self
            .layers
            .iter()
            .map(|layer| match layer {
                Layer::Conv(conv) => Layer::Conv(conv.cast()),
                Layer::Pool => Layer::Pool,
            })
            .collect();
        Chain { input: self.input, layers, pooling: self.pooling, border: self.border }
    }

    /// What a convolution at that index in `layers` reads beyond its input's edge.
    pub fn border_at(&self, index: usize) -> Border {
        if index == 0 { self.border } else { Border::Zero }
    }

    /// The convolutions, first to last.
    pub fn convs(&self) -> impl Iterator<Item = &ConvLayer<T>> {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::Conv(conv) => Some(conv),
            Layer::Pool => None,
        })
    }

    /// The index in `layers` of the convolution of that name.
    ///
    /// # Errors
    /// [`AutodiffError::UnknownLayer`], with the names that there are.
    pub fn position(&self, name: &str) -> Result<usize, AutodiffError> {
        self.layers
            .iter()
            .position(|layer| matches!(layer, Layer::Conv(conv) if conv.name == name))
            .ok_or_else(|| AutodiffError::UnknownLayer {
                layer: name.to_owned(),
                known: self.convs().map(|conv| conv.name.clone()).collect(),
            })
    }

    /// Checks that every convolution's numbers fit its channels, and its channels what it reads.
    ///
    /// # Errors
    /// [`AutodiffError::Layer`], naming the first layer that does not fit.
    pub fn validate(&self) -> Result<(), AutodiffError> {
        let mut channels = self.input.map(|_| Preprocessing::CHANNELS);
        for conv in self.convs() {
            let expected =
                conv.in_channels.checked_mul(conv.out_channels).and_then(|plane| plane.checked_mul(9));
            let problem = if expected != Some(conv.kernel.len()) || conv.kernel.is_empty() {
                format!(
                    "a kernel of {} numbers is not 3 x 3 x {} x {}",
                    conv.kernel.len(),
                    conv.in_channels,
                    conv.out_channels
                )
            } else if conv.bias.len() != conv.out_channels {
                format!("a bias of {} numbers for {} channels", conv.bias.len(), conv.out_channels)
            } else if channels.is_some_and(|channels| channels != conv.in_channels) {
                format!("reads {} channels, but the layer before it has {channels:?}", conv.in_channels)
            } else {
                channels = Some(conv.out_channels);
                continue;
            };
            return Err(AutodiffError::Layer { layer: conv.name.clone(), problem });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 9 C_in C_out numbers of a kernel, C_out of a bias, and as many channels as the layer before has.
    #[test]
    fn a_layer_that_does_not_fit_is_refused_by_name() {
        let conv = |name: &str, in_channels: usize, out_channels: usize, kernel: usize, bias: usize| {
            let name = name.to_owned();
            Layer::Conv(ConvLayer {
                name,
                in_channels,
                out_channels,
                kernel: vec![0.5_f64; kernel],
                bias: vec![0.0; bias],
            })
        };
        let first = || conv("first", 3, 2, 54, 2);
        for (second, fits) in [
            (conv("second", 2, 4, 72, 4), true),
            (conv("second", 2, 4, 71, 4), false),
            (conv("second", 2, 4, 73, 4), false),
            (conv("second", 2, 0, 0, 0), false),
            (conv("second", 2, 4, 72, 3), false),
            (conv("second", 3, 4, 108, 4), false),
        ] {
            let layers = vec![first(), second];
            let (pooling, border) = (Pooling::Average, Border::Zero);
            let found = Chain { input: Some(Preprocessing::TORCH), layers, pooling, border }.validate();
            let named = matches!(&found, Err(AutodiffError::Layer { layer, .. }) if layer == "second");
            assert_eq!((found.is_ok(), named), (fits, !fits), "{found:?}");
        }
    }
}
