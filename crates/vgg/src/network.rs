//! A VGG network with its weights, as the rest of the project uses it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use impasto_autodiff::{Chain, ConvLayer, Layer, Pooling};

use crate::assemble::{assemble, swap_red_and_blue};
use crate::formats::{Input, Source, read_any};
use crate::{Arch, Convention, Preprocessing, Problem, WeightsError, decide};

/// A VGG network: convolutions with their weights, and what it expects of a picture.
///
/// Whatever file it came from: kernels are (ky, kx, in, out), and conv1_1 takes R, G, B.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Which VGG.
    pub arch: Arch,
    /// The convolutions, conv1_1 first; fewer than the table has if the file was cut after a layer.
    pub convs: Vec<ConvLayer<f32>>,
    /// From a picture to the network's input.
    pub preprocessing: Preprocessing,
    /// Where the weights come from and under which licence (`source`, `licence`), as far as it is known.
    pub provenance: BTreeMap<String, String>,
}

/// What the caller knows that a file may not tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions {
    /// Overrides what the file tells of its preprocessing.
    pub convention: Option<Convention>,
    /// Accepts any number of filters, as long as the layers fit each other: for small networks in tests and studies.
    pub any_width: bool,
}

/// The weights that are built in.
#[cfg(feature = "embedded-weights")]
static EMBEDDED: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../weights/vgg16.safetensors"));

impl Network {
    /// Oxford's VGG-16 in half precision, from this binary (`weights/README.md` says where it comes from).
    ///
    /// # Errors
    /// [`WeightsError::NotEmbedded`] in a build without the feature `embedded-weights`.
    pub fn embedded() -> Result<Self, WeightsError> {
        #[cfg(feature = "embedded-weights")]
        return Self::from_source(&mut std::io::Cursor::new(EMBEDDED), LoadOptions::default())
            .map_err(|problem| WeightsError::File { path: "embedded weights".into(), problem });
        #[cfg(not(feature = "embedded-weights"))]
        Err(WeightsError::NotEmbedded)
    }

    /// Reads a weight file; its format is told from its content.
    ///
    /// # Errors
    /// [`WeightsError::Io`] if it cannot be opened, [`WeightsError::File`] if it is not a complete VGG-16 or VGG-19.
    pub fn load(path: &Path) -> Result<Self, WeightsError> {
        Self::load_with(path, LoadOptions::default())
    }

    /// [`Network::load`] with options.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn load_with(path: &Path, options: LoadOptions) -> Result<Self, WeightsError> {
        let io = |source| WeightsError::Io { path: path.into(), source };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            return Err(io(std::io::ErrorKind::IsADirectory.into()));
        }
        Self::from_source(&mut BufReader::new(file), options)
            .map_err(|problem| WeightsError::File { path: path.into(), problem })
    }

    pub(crate) fn from_source(source: &mut dyn Source, options: LoadOptions) -> Result<Self, Problem> {
        let file = read_any(&mut Input::new(source)?)?;
        let convention = options.convention.map_or_else(|| decide::convention(&file), Ok)?;
        let mut provenance = file.metadata.clone();
        provenance.retain(|key, _| ["source", "licence"].contains(&key.as_str()));
        let (arch, mut convs) = assemble(file, options.any_width)?;
        if convention.is_bgr() {
            convs.first_mut().into_iter().for_each(swap_red_and_blue);
        }
        Ok(Self { arch, convs, preprocessing: convention.preprocessing(), provenance })
    }

    /// The layers up to and including the convolution `deepest` (also by its alias: `relu4_2`), with the poolings between
    /// them.
    ///
    /// # Errors
    /// [`WeightsError::UnknownLayer`] if there is no such layer.
    pub fn chain_to(self, deepest: &str, pooling: Pooling) -> Result<Chain<f32>, WeightsError> {
        let last = self.position(deepest)?;
        let table = self.arch.convs();
        let mut layers = Vec::new();
        for (position, conv) in self.convs.into_iter().take(last + 1).enumerate() {
            if position > 0 && table[position].index == 1 {
                layers.push(Layer::Pool);
            }
            layers.push(Layer::Conv(conv));
        }
        Ok(Chain { layers, pooling })
    }

    /// The position in [`Network::convs`] of a layer, under either name.
    ///
    /// # Errors
    /// [`WeightsError::UnknownLayer`] if there is no such layer.
    pub fn position(&self, layer: &str) -> Result<usize, WeightsError> {
        self.arch.position(layer).filter(|&position| position < self.convs.len()).ok_or_else(|| {
            WeightsError::UnknownLayer { layer: layer.to_owned(), arch: self.arch, loaded: self.convs.len() }
        })
    }
}
