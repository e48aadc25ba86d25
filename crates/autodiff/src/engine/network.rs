//! The network as the engine holds it: stages of one convolution each, whose kernels are packed on demand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use impasto_tensor::conv::{Algorithm, Extent, GRANULE, PackedConv, PoolKind};
use impasto_tensor::{Border, Isa, Shape, rotate_kernel};

use super::cost::{self, Direction, Kernels};
use super::plain_kernel::PlainKernel;
use super::plan::LayerPlan;
use crate::ops::preprocessing::Preprocessing;
use crate::{AutodiffError, Chain, Layer, Pooling};

/// Which convolution algorithms may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ConvMode {
    /// im2col throughout: the rounding of plain sums.
    Exact,
    /// The fastest of im2col, Winograd F(4x4,3x3) and F(6x6,3x3), layer by layer.
    #[default]
    Fast,
}

/// A convolution with its ReLU, and whether a pooling follows.
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) in_channels: usize,
    pub(crate) out_channels: usize,
    /// The plain kernel, 3 x 3 x in x out.
    pub(crate) kernel: PlainKernel,
    pub(crate) bias: Vec<f32>,
    /// Whether a pooling follows.
    pub(crate) pool_after: bool,
    /// How many poolings come before.
    pub(crate) level: usize,
    packed: Mutex<HashMap<(Direction, Algorithm), Arc<PackedConv>>>,
}

/// A network whose weights are ready for evaluators of any size.
pub struct PreparedChain {
    pub(crate) isa: Isa,
    pub(crate) mode: ConvMode,
    pub(crate) pool_kind: PoolKind,
    pub(crate) border: Border,
    pub(crate) input: Option<Preprocessing>,
    pub(crate) stages: Vec<Stage>,
}

impl Stage {
    /// H x W x N of its response to a picture of H x W.
    pub(crate) fn response_shape(&self, (height, width): (usize, usize)) -> Shape {
        Shape::new(height >> self.level, width >> self.level, self.out_channels)
    }
}

impl PreparedChain {
    /// Takes the network over. Kernels are packed when an evaluator first needs them.
    ///
    /// # Errors
    /// [`AutodiffError::Layer`] if the chain is not consistent, does not start with a convolution, has two poolings in a
    /// row, or has channels that are no multiple of 16 (of which every VGG's are; [`crate::reference`] takes any).
    pub fn new(chain: Chain<f32>, mode: ConvMode) -> Result<Self, AutodiffError> {
        chain.validate()?;
        let pool_kind = match chain.pooling {
            // A scaled average's factor is in the kernels of the convolutions that read it.
            Pooling::Average | Pooling::ScaledAverage => PoolKind::Average,
            Pooling::Max => PoolKind::Max,
        };
        let border = chain.border;
        let stages = stages(chain.layers, chain.pooling)?;
        if stages.is_empty() {
            let problem = "a network needs at least one convolution".to_owned();
            return Err(AutodiffError::Layer { layer: "chain".to_owned(), problem });
        }
        Ok(Self { isa: Isa::current(), mode, pool_kind, border, input: chain.input, stages })
    }

    /// The index of the stage of that name.
    pub(crate) fn position(&self, name: &str) -> Result<usize, AutodiffError> {
        self.stages.iter().position(|stage| stage.name == name).ok_or_else(|| AutodiffError::UnknownLayer {
            layer: name.to_owned(),
            known: self.stages.iter().map(|stage| stage.name.clone()).collect(),
        })
    }

    /// H x W x N of a layer's response to a picture of (H, W).
    ///
    /// # Errors
    /// [`AutodiffError::UnknownLayer`].
    pub fn response_shape(&self, layer: &str, size: (usize, usize)) -> Result<Shape, AutodiffError> {
        Ok(self.stages[self.position(layer)?].response_shape(size))
    }

    /// The poolings before a layer: a position of its response covers 2^level pixels of a side.
    ///
    /// # Errors
    /// [`AutodiffError::UnknownLayer`].
    pub fn level(&self, layer: &str) -> Result<usize, AutodiffError> {
        Ok(self.stages[self.position(layer)?].level)
    }

    /// Checks that a picture of (H, W) has a position at a stage.
    pub(crate) fn check_size(&self, (height, width): (usize, usize), at: usize) -> Result<(), AutodiffError> {
        let minimum = 1 << self.stages[at].level;
        if height < minimum || width < minimum {
            let layer = self.stages[at].name.clone();
            return Err(AutodiffError::TooSmall { height, width, layer, minimum });
        }
        Ok(())
    }

    /// The channels of the network's input.
    pub(crate) fn input_channels(&self) -> usize {
        self.stages[0].in_channels
    }

    /// What of a pooled gradient each input gets whose mask bit is set.
    pub(crate) fn share(&self) -> f32 {
        match self.pool_kind {
            PoolKind::Average => 0.25,
            PoolKind::Max => 1.0,
        }
    }

    /// The algorithm of a stage at a size. Whether its kernel is kept transformed does not change its bits.
    pub(crate) fn algorithm(
        &self,
        stage: usize,
        direction: Direction,
        extent: Extent,
        kernels: Kernels,
    ) -> Algorithm {
        let Stage { in_channels, out_channels, .. } = self.stages[stage];
        if self.mode == ConvMode::Exact || !in_channels.is_multiple_of(GRANULE) {
            return Algorithm::Im2col;
        }
        let channels = match direction {
            Direction::Forward => (in_channels, out_channels),
            Direction::Backward => (out_channels, in_channels),
        };
        let algorithm = cost::choose(direction, extent, channels);
        if kernels.stream(in_channels, out_channels) { algorithm.streamed() } else { algorithm }
    }

    /// The packed kernel of a stage, made on first use.
    pub(crate) fn packed(
        &self,
        stage: usize,
        direction: Direction,
        algorithm: Algorithm,
    ) -> Result<Arc<PackedConv>, AutodiffError> {
        let stage = &self.stages[stage];
        let mut packed = stage.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(conv) = packed.get(&(direction, algorithm)) {
            return Ok(Arc::clone(conv));
        }
        let (inputs, outputs) = (stage.in_channels, stage.out_channels);
        let kernel = stage.kernel.numbers();
        let (kernel, inputs, outputs) = match direction {
            Direction::Forward => (kernel, inputs, outputs),
            Direction::Backward => (rotate_kernel(&kernel, inputs, outputs).into(), outputs, inputs),
        };
        let conv = Arc::new(PackedConv::new(self.isa, algorithm, &kernel, inputs, outputs)?);
        packed.insert((direction, algorithm), Arc::clone(&conv));
        Ok(conv)
    }

    /// Drops the packed kernels that no evaluator holds, but for those that a plan of these layers will ask for.
    pub(crate) fn drop_unused(&self, plan: &[LayerPlan]) {
        for (at, stage) in self.stages.iter().enumerate() {
            let layer = plan.get(at);
            let wanted = |&(direction, algorithm): &(Direction, Algorithm)| match direction {
                Direction::Forward => layer.is_some_and(|layer| layer.forward == algorithm),
                Direction::Backward => layer.is_some_and(|layer| layer.backward == Some(algorithm)),
            };
            let mut packed = stage.packed.lock().unwrap_or_else(PoisonError::into_inner);
            packed.retain(|key, conv| wanted(key) || Arc::strong_count(conv) > 1);
        }
    }
}

/// Checks the length of a picture's numbers.
pub(crate) fn check_length(shape: Shape, got: usize) -> Result<(), AutodiffError> {
    let Shape { height, width, channels } = shape;
    if got == shape.len() { Ok(()) } else { Err(AutodiffError::Pixels { height, width, channels, got }) }
}

/// The stages of a chain of layers. K * 2 P = 2 K * P: a scaled average P is pooled as a plain one, and the kernel that reads it
/// is twice as large. No rounding differs, as the factor is a power of two.
fn stages(layers: Vec<Layer<f32>>, pooling: Pooling) -> Result<Vec<Stage>, AutodiffError> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut level = 0;
    for layer in layers {
        match layer {
            Layer::Conv(mut conv) => {
                if !conv.out_channels.is_multiple_of(GRANULE) {
                    let problem = format!("has {} channels, not a multiple of {GRANULE}", conv.out_channels);
                    return Err(AutodiffError::Layer { layer: conv.name, problem });
                }
                let reads_pooled = stages.last().is_some_and(|stage| stage.pool_after);
                if reads_pooled && pooling == Pooling::ScaledAverage {
                    conv.kernel.iter_mut().for_each(|number| *number *= 2.0);
                }
                stages.push(Stage {
                    name: conv.name,
                    in_channels: conv.in_channels,
                    out_channels: conv.out_channels,
                    kernel: PlainKernel::new(conv.kernel),
                    bias: conv.bias,
                    pool_after: false,
                    level,
                    packed: Mutex::default(),
                });
            }
            Layer::Pool => match stages.last_mut() {
                Some(stage) if !stage.pool_after => {
                    stage.pool_after = true;
                    level += 1;
                }
                _ => {
                    let problem = "must follow a convolution".to_owned();
                    return Err(AutodiffError::Layer { layer: "pooling".to_owned(), problem });
                }
            },
        }
    }
    Ok(stages)
}

impl std::fmt::Debug for PreparedChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PreparedChain({} stages, {:?}, {:?})", self.stages.len(), self.mode, self.isa)
    }
}
