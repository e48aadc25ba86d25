//! The network as data: a chain of convolutions (each followed by its ReLU) and poolings.

use impasto_tensor::Element;

/// How a 2x2 window with stride 2 becomes one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pooling {
    /// The mean: the paper's choice (section 2).
    #[default]
    Average,
    /// The maximum: what VGG was trained with.
    Max,
}

/// A 3x3 convolution, stride 1, zero padding 1, followed by ReLU.
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

/// The network: layers in order, and the kind of its poolings.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain<T> {
    /// The steps, first to last.
    pub layers: Vec<Layer<T>>,
    /// The kind of every [`Layer::Pool`].
    pub pooling: Pooling,
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
        Chain { layers, pooling: self.pooling }
    }
}
