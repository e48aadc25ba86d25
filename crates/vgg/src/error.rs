//! What can be wrong with a weight file, each as one sentence that says what to do.

use std::io;
use std::path::PathBuf;

use impasto_autodiff::AutodiffError;
use impasto_files::FileError;

use crate::{Arch, Format, Precision};

/// Why weights cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be opened.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// A weight that the number type of the file cannot hold.
    #[error(
        "{tensor} has {value:e} at position {index}, which {precision} cannot hold{}",
        if *precision == Precision::F16 { " (its largest number is 65504): write f32" } else { "" }
    )]
    OutOfRange {
        /// The tensor, such as `conv1_1.weight`.
        tensor: String,
        /// The weight's position in it, from 0 on, in the order of the file.
        index: usize,
        /// The weight.
        value: f32,
        /// The number type.
        precision: Precision,
    },
    /// The file is not one that can be used.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A layer that the network does not have.
    #[error("{arch} has no layer {layer}{}; its layers are {}", if *.loaded < arch.convs().len() { " in this file" } else { "" }, layer_names(*arch, *loaded))]
    UnknownLayer {
        /// The name that was asked for.
        layer: String,
        /// The network.
        arch: Arch,
        /// How many of its layers there are.
        loaded: usize,
    },
    /// No file of that name in the folder of weights.
    #[error(
        "there are no {arch} weights at {}: convert any file of them that you have to that one, or give the file itself",
        path.display()
    )]
    NotConverted {
        /// The network that was named.
        arch: Arch,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A picture that the network cannot be applied to.
    #[error("the picture cannot be used: {0}")]
    Picture(AutodiffError),
    /// This build carries no weights.
    #[error("this build carries no weights: give a weight file, or build with the feature embedded-weights")]
    NotEmbedded,
}

impl WeightsError {
    pub(crate) fn picture(error: impl Into<AutodiffError>) -> Self {
        Self::Picture(error.into())
    }
}

fn layer_names(arch: Arch, loaded: usize) -> String {
    let names: Vec<String> = arch.convs()[..loaded].iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// What is wrong with the bytes of a weight file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Reading failed, or the file ends too early.
    #[error("{}", if .0.kind() == io::ErrorKind::UnexpectedEof { "the file ends too early: it is truncated".to_owned() } else { format!("cannot be read: {}", .0) })]
    Read(#[from] io::Error),
    /// No format recognised.
    #[error("not a weight file of any known format ({})", Format::list())]
    UnknownFormat,
    /// A format that this build was made without.
    #[error(
        "a {format} file, which this build does not read: one with the feature {feature} does, and can convert it"
    )]
    NoReader {
        /// The format.
        format: Format,
        /// The feature of impasto-vgg that it needs.
        feature: &'static str,
    },
    /// The bytes contradict their format.
    #[error("broken {format} file: {detail}")]
    Malformed {
        /// The format.
        format: Format,
        /// What contradicts it.
        detail: String,
    },
    /// The tensors are not those of VGG-16 or VGG-19.
    #[error("not a VGG-16 or VGG-19: {0}")]
    NotVgg(String),
    /// A layer is absent.
    #[error("{arch} without its layer {layer}: the file is incomplete")]
    MissingLayer {
        /// The network that the other layers belong to.
        arch: Arch,
        /// The layer, or the tensor of it.
        layer: String,
    },
    /// A tensor has another shape than the network's table says.
    #[error("{layer} has the shape {} where {arch} has {}", shape_text(found), shape_text(expected))]
    WrongShape {
        /// The network.
        arch: Arch,
        /// The layer.
        layer: String,
        /// As in the file, outputs x inputs x 3 x 3.
        found: Vec<usize>,
        /// As in the table.
        expected: Vec<usize>,
    },
    /// NaN or infinity.
    #[error("{layer} holds a number that is NaN or infinite: the file is damaged")]
    NotFinite {
        /// The layer.
        layer: String,
    },
    /// The hash is not the one that the name tells.
    #[error(
        "its sha256 is {found}, but its name says that it starts with {expected}: the download is damaged"
    )]
    WrongHash {
        /// The first digits, from the name.
        expected: String,
        /// The file's.
        found: String,
    },
    /// Nothing in the file tells its preprocessing.
    #[error(
        "the file does not tell what pictures its network expects: say `preprocess` torch (red first, 0 to 1, ImageNet's mean \
         and deviation: networks trained by torchvision), caffe-bgr (blue first, 0 to 255 minus the mean: Oxford's files and \
         most conversions of them) or caffe-rgb (the same, red first: MatConvNet); where the file was published says which, \
         and a wrong one gives paintings with false colours or little structure"
    )]
    AmbiguousPreprocessing,
}

/// A text with parts from a stranger's file, fit for a terminal: one line of moderate length.
pub(crate) fn printable(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() || c == char::REPLACEMENT_CHARACTER { '?' } else { c });
    if text.chars().count() <= 300 { line.collect() } else { line.take(300).chain("...".chars()).collect() }
}

/// "64 x 3 x 3 x 3".
pub(crate) fn shape_text(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(ToString::to_string).collect();
    sides.join(" x ")
}
