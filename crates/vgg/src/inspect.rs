//! What a weight file is: for `impasto weights inspect` and `verify`.

use std::path::Path;

use crate::formats::Input;
use crate::known::sha256;
use crate::network::{EMBEDDED_NAME, called, embedded, open};
use crate::{Convention, Decision, KnownFile, LoadOptions, Loaded, Problem, WeightsError};

/// Everything that is found out about a file.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The network and what the file told. Where [`Inspection::decision`] is none, its preprocessing is an assumption.
    pub loaded: Loaded,
    /// How the preprocessing is known; none if nothing tells it and the owner must say it.
    pub decision: Option<Decision>,
    /// The file's length.
    pub bytes: u64,
    /// Its sha256 in hexadecimal.
    pub sha256: String,
    /// Which known file it is.
    pub known: Option<&'static KnownFile>,
    /// Numbers about each layer.
    pub layers: Vec<LayerStatistics>,
}

/// Numbers about the weights of a convolution.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerStatistics {
    /// The layer, such as `conv4_2`.
    pub name: String,
    /// Channels in.
    pub inputs: usize,
    /// Filters.
    pub outputs: usize,
    /// The kernel's numbers.
    pub kernel: Statistics,
    /// The bias's numbers.
    pub bias: Statistics,
}

/// The distribution of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// The smallest.
    pub min: f32,
    /// The largest.
    pub max: f32,
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub std: f64,
}

impl Statistics {
    fn of(numbers: &[f32]) -> Self {
        let count = numbers.len() as f64;
        let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let variance = numbers.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        Self {
            min: numbers.iter().copied().fold(f32::INFINITY, f32::min),
            max: numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            mean,
            std: variance.sqrt(),
        }
    }
}

impl Inspection {
    /// Reads a file whole.
    ///
    /// # Errors
    /// As [`crate::Network::load`], but a file that does not tell its preprocessing is no error.
    pub fn read(path: &Path, options: LoadOptions) -> Result<Self, WeightsError> {
        Self::of(&open(path)?, &called(path), options)
    }

    /// Reads the weights that are built in.
    ///
    /// # Errors
    /// [`WeightsError::NotEmbedded`] in a build without the feature `embedded-weights`.
    pub fn embedded() -> Result<Self, WeightsError> {
        Self::of(&embedded()?, Path::new(EMBEDDED_NAME), LoadOptions::default())
    }

    fn of(input: &Input, path: &Path, options: LoadOptions) -> Result<Self, WeightsError> {
        let read = |options| Loaded::from_input(input, options);
        let problem = |problem| WeightsError::File { path: path.into(), problem };
        let (loaded, decision) = match read(options) {
            Ok(loaded) => {
                let decision = loaded.decision;
                (loaded, Some(decision))
            }
            Err(Problem::AmbiguousPreprocessing) => {
                let assumed = LoadOptions { convention: Some(Convention::Torch), ..options };
                (read(assumed).map_err(problem)?, None)
            }
            Err(error) => return Err(problem(error)),
        };
        let sha256 = sha256(input).map_err(|source| WeightsError::Io { path: path.into(), source })?;
        let layers = loaded
            .network
            .convs
            .iter()
            .map(|conv| LayerStatistics {
                name: conv.name.clone(),
                inputs: conv.in_channels,
                outputs: conv.out_channels,
                kernel: Statistics::of(&conv.kernel),
                bias: Statistics::of(&conv.bias),
            })
            .collect();
        let known = KnownFile::find(&sha256);
        Ok(Self { loaded, decision, bytes: input.len(), sha256, known, layers })
    }

    /// Checks the hash against the eight digits that PyTorch's downloads have in their names (`vgg19-dcbb9e9d.pth`).
    ///
    /// # Errors
    /// [`WeightsError::File`] with [`Problem::WrongHash`] if the name tells another hash.
    pub fn verify_name(&self, path: &Path) -> Result<(), WeightsError> {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let Some((_, digits)) = stem.rsplit_once('-') else { return Ok(()) };
        let is_hash = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash || self.sha256.starts_with(&digits.to_ascii_lowercase()) {
            return Ok(());
        }
        let problem = Problem::WrongHash { expected: digits.to_owned(), found: self.sha256.clone() };
        Err(WeightsError::File { path: path.into(), problem })
    }
}
