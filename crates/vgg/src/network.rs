//! A VGG network with its weights, as the rest of the project uses it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use impasto_autodiff::{Border, Chain, ConvLayer, Layer, Pooling};

use crate::assemble::{assemble, swap_red_and_blue};
use crate::formats::{self, Input};
use crate::known::{KnownFile, sha256};
use crate::{
    Arch, Convention, Decision, Dtype, Format, Preprocessing, Problem, Weights, WeightsError, decide, resolve,
};

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

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name in the file.
    pub name: String,
    /// Its shape in the file.
    pub shape: Vec<usize>,
    /// Its number type.
    pub dtype: Dtype,
}

/// A network, and what was found about the file that it is from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The network.
    pub network: Network,
    /// The format, told from the content.
    pub format: Format,
    /// What the file's network expects of pictures, with the channel order of the file.
    pub convention: Convention,
    /// How that is known.
    pub decision: Decision,
    /// Every tensor of the file, those that a style transfer does not need too.
    pub tensors: Vec<TensorInfo>,
}

impl Loaded {
    /// Reads a weight file.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn read(path: &Path, options: LoadOptions) -> Result<Self, WeightsError> {
        Self::from_input(&open(path)?, options)
            .map_err(|problem| WeightsError::File { path: called(path), problem })
    }

    /// Reads the bytes of a weight file.
    ///
    /// # Errors
    /// [`Problem`] if they are not a complete VGG-16 or VGG-19.
    pub fn from_bytes(bytes: Vec<u8>, options: LoadOptions) -> Result<Self, Problem> {
        Self::from_input(&Input::memory(bytes), options)
    }

    pub(crate) fn from_input(input: &Input, options: LoadOptions) -> Result<Self, Problem> {
        let file = formats::read(input)?;
        let format = file.format;
        let from_metadata = decide::from_metadata(&file)?;
        let from_names = decide::from_names(&file);
        let describe = |tensor: &formats::RawTensor| TensorInfo {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            dtype: tensor.dtype,
        };
        let tensors = file.tensors.iter().map(describe).collect();
        let mut provenance = file.metadata.clone();
        provenance.retain(|key, _| ["source", "licence"].contains(&key.as_str()));
        let (arch, mut convs) = assemble(file, options.any_width)?;
        let from_first_filter = convs.first().and_then(|first| decide::from_first_filter(arch, first));
        let decided = options
            .convention
            .map(|convention| (convention, Decision::Asked))
            .or(from_metadata)
            .or(from_first_filter)
            .or(from_names);
        let (convention, decision) = match decided {
            Some(decided) => decided,
            None => match KnownFile::find(&sha256(input)?) {
                Some(known) => (known.convention, Decision::KnownFile),
                None => return Err(Problem::AmbiguousPreprocessing),
            },
        };
        if from_first_filter.is_some() && provenance.is_empty() {
            provenance = decide::oxford_provenance(arch);
        }
        if convention.is_bgr() {
            convs.first_mut().into_iter().for_each(swap_red_and_blue);
        }
        let network = Network { arch, convs, preprocessing: convention.preprocessing(), provenance };
        Ok(Self { network, format, convention, decision, tensors })
    }
}

/// The most bytes of a weight file that comes from a pipe, which are then in memory: VGG-19 in double precision has half as many.
const MOST_FROM_PIPE: u64 = 2 << 30;

/// The bytes of a file, or of standard input, which is `-`.
pub(crate) fn open(path: &Path) -> Result<Input, WeightsError> {
    let io = |source| WeightsError::Io { path: called(path), source };
    if path == Path::new("-") {
        return Input::all_of(std::io::stdin().lock(), MOST_FROM_PIPE).map_err(io);
    }
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(io(std::io::ErrorKind::IsADirectory.into()));
    }
    if metadata.is_file() { Input::file(file) } else { Input::all_of(file, MOST_FROM_PIPE) }.map_err(io)
}

/// What messages call a file.
pub(crate) fn called(path: &Path) -> PathBuf {
    if path == Path::new("-") { "standard input".into() } else { path.into() }
}

/// What messages call the weights that are built in.
pub(crate) const EMBEDDED_NAME: &str = "embedded weights";

/// The bytes of the weights that are built in.
#[allow(clippy::unnecessary_wraps, reason = "a build without them has none")]
pub(crate) fn embedded() -> Result<Input, WeightsError> {
    #[cfg(feature = "embedded-weights")]
    return Ok(Input::memory(EMBEDDED));
    #[cfg(not(feature = "embedded-weights"))]
    Err(WeightsError::NotEmbedded)
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
        Loaded::from_input(&embedded()?, LoadOptions::default())
            .map(|loaded| loaded.network)
            .map_err(|problem| WeightsError::File { path: EMBEDDED_NAME.into(), problem })
    }

    /// Reads a weight file; its format is told from its content.
    ///
    /// # Errors
    /// [`WeightsError::Io`] if it cannot be opened, [`WeightsError::File`] if it is not a complete VGG-16 or VGG-19.
    pub fn load(path: &Path) -> Result<Self, WeightsError> {
        Loaded::read(path, LoadOptions::default()).map(|loaded| loaded.network)
    }

    /// Reads what `--weights` names: a file, or `vgg16` or `vgg19` ([`resolve`] says where those are looked for).
    ///
    /// # Errors
    /// As [`resolve`] and [`Network::load`].
    pub fn load_with(weights: &Path, options: LoadOptions) -> Result<Self, WeightsError> {
        match resolve(weights)? {
            Weights::File(path) => Loaded::read(&path, options).map(|loaded| loaded.network),
            Weights::Embedded => Self::embedded(),
        }
    }

    /// A copy of the network that ends after the convolution `deepest` (also by its alias: `relu4_2`).
    ///
    /// # Errors
    /// [`WeightsError::UnknownLayer`] if there is no such layer.
    pub fn up_to(&self, deepest: &str) -> Result<Self, WeightsError> {
        let convs = self.convs[..=self.position(deepest)?].to_vec();
        Ok(Self {
            arch: self.arch,
            convs,
            preprocessing: self.preprocessing,
            provenance: self.provenance.clone(),
        })
    }

    /// The preprocessing, and the layers up to and including the convolution `deepest` (also by its alias: `relu4_2`) with the
    /// poolings between them: what reads pictures in R, G, B from 0 to 255.
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
        Ok(Chain { input: Some(self.preprocessing), layers, pooling, border: Border::Zero })
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
