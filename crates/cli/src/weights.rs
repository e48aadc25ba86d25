//! `impasto weights`: what a weight file is, and turning any into the one format that loads fastest.

use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand, ValueEnum};
use impasto_files::keep_apart;
use impasto_style::picture::ReadOptions;
use impasto_style::{Network, Pooling};
use impasto_vgg::{Activations, Convention, Inspection, LoadOptions, Precision, Weights, resolve};

use crate::failure::Failure;
use crate::network::{parse_convention, weights_file};
use crate::pictures::read_picture;
use crate::place::{Kind, Place, is_standard, to_standard_output};
use crate::streams::{put, tell};

/// Look into weight files, and convert them
///
/// Any VGG-16 or VGG-19 file that people have is read: PyTorch (.pth, both forms), safetensors, caffemodel, Keras (.h5,
/// .weights.h5, .keras), MatConvNet (.mat), ONNX, NumPy (.npz, .npy). The format is told from the content.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show format, network, layers, statistics, preprocessing and how it was decided, and hash
    Inspect(Source),
    /// Write the convolutions as a safetensors file
    Convert {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        target: Target,
        /// Keep the layers up to this one only, such as conv5_1
        #[arg(long, value_name = "LAYER")]
        layers: Option<String>,
    },
    /// Read every weight and check it: complete, finite, and the hash that the name tells
    Verify(Source),
    /// Scale each filter to the mean activation 1 over some pictures, as the authors of the paper did
    Normalise {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        target: Target,
        /// Folder of pictures to measure the activations on
        #[arg(long, value_name = "DIR")]
        images: PathBuf,
        /// Longest side that pictures are reduced to first
        #[arg(short, long, value_name = "N", default_value = "512", value_parser = RangedU64ValueParser::<usize>::new().range(16..=10_000))]
        size: usize,
        /// How the network shrinks its responses
        #[arg(long, alias = "pooling", value_name = "KIND", default_value = "average")]
        pool: Pool,
    },
}

/// The file that is read.
#[derive(Debug, Args)]
struct Source {
    /// A weight file, - for standard input, or vgg16 or vgg19 for the one in the folder of weights; vgg16 is built in too
    file: PathBuf,
    /// What pictures the network expects, if its file does not tell: torch, caffe-bgr or caffe-rgb
    #[arg(long, value_name = "NAME", value_parser = parse_convention)]
    preprocess: Option<Convention>,
}

/// The file that is written.
#[derive(Debug, Args)]
struct Target {
    /// The safetensors file to write, or - for standard output
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Number type; f16 takes half the bytes, and each weight is rounded
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    dtype: Dtype,
}

/// `--pool`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pool {
    #[value(alias = "avg")]
    Average,
    Max,
}

impl From<Pool> for Pooling {
    fn from(pool: Pool) -> Self {
        match pool {
            Pool::Average => Self::Average,
            Pool::Max => Self::Max,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dtype {
    F32,
    F16,
}

impl Source {
    fn options(&self) -> LoadOptions {
        LoadOptions { convention: self.preprocess, ..LoadOptions::default() }
    }

    fn network(&self) -> Result<Network, Failure> {
        if self.preprocess.is_some() && matches!(resolve(&self.file)?, Weights::Embedded) {
            return Err(built_in_says_itself());
        }
        Ok(Network::load_with(&self.file, self.options())?)
    }

    /// What is found out about the weights, and what they are called.
    fn inspect(&self) -> Result<(String, Inspection), Failure> {
        match resolve(&self.file)? {
            Weights::File(path) => {
                let inspection = Inspection::read(&path, self.options())?;
                let name = if is_standard(&path) { Path::new("standard input") } else { &path };
                Ok((name.display().to_string(), inspection))
            }
            Weights::Embedded if self.preprocess.is_some() => Err(built_in_says_itself()),
            Weights::Embedded => Ok(("built in".to_owned(), Inspection::embedded()?)),
        }
    }
}

fn built_in_says_itself() -> Failure {
    Failure::wrong_use("--preprocess is for a file of weights; the built-in ones say themselves")
}

impl Target {
    /// The place, checked before any work is done: it may be none of the files that are read.
    fn place(&self, source: &Source, pictures: &[PathBuf]) -> Result<Place, Failure> {
        if !is_standard(&self.output) {
            let weights = weights_file(&source.file);
            let weights = weights.iter().map(|path| ("FILE", &**path));
            let inputs = weights.chain(pictures.iter().map(|path| ("--images", &**path)));
            keep_apart(&[("-o", &self.output)], &inputs.collect::<Vec<_>>())?;
        }
        Place::new(&self.output, Kind::Data("a file of weights"))
    }

    fn precision(&self) -> Precision {
        match self.dtype {
            Dtype::F32 => Precision::F32,
            Dtype::F16 => Precision::F16,
        }
    }

    fn save(&self, network: &Network, place: &Place) -> Result<(), Failure> {
        match place {
            Place::Stdout => {
                Ok(to_standard_output("the weights", |out| network.write(out, self.precision()))?)
            }
            Place::File(path) => {
                network.save(path, self.precision())?;
                put(&format!("wrote {}: {}, {} layers", path.display(), network.arch, network.convs.len()))
            }
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Inspect(source) => {
            let (name, inspection) = source.inspect()?;
            put(&report(&name, &inspection))
        }
        Command::Convert { source, target, layers } => {
            let place = target.place(source, &[])?;
            let mut network = source.network()?;
            if let Some(layer) = layers {
                network.cut_after(layer)?;
            }
            target.save(&network, &place)
        }
        Command::Verify(source) => {
            let (name, inspection) = source.inspect()?;
            inspection.verify_name(Path::new(&name))?;
            let known = inspection.known.map_or("no known file, but complete", |known| known.name);
            let network = &inspection.loaded.network;
            let (arch, layers) = (network.arch, network.convs.len());
            put(&format!("{name}: good: {arch}, {layers} layers, {known}"))
        }
        Command::Normalise { source, target, images, size, pool } => {
            let pictures = files_of(images)?;
            let place = target.place(source, &pictures)?;
            let mut network = source.network()?;
            place.reserve(network.largest_bytes(target.precision()))?;
            let means = mean_activations(&network, &pictures, *size, (*pool).into())?;
            network.normalise(&means);
            target.save(&network, &place)
        }
    }
}

/// The files of a folder of pictures.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |error: std::io::Error| Failure::failed(format!("{}: {error}", folder.display()));
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(cannot)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(cannot)?.into_iter().map(|entry| entry.path()).collect();
    // Sums of floating-point numbers depend on their order.
    paths.sort();
    paths.retain(|path| path.is_file());
    if paths.is_empty() {
        return Err(Failure::failed(format!("{} has no pictures in it", folder.display())));
    }
    Ok(paths)
}

/// The mean activation of every filter over the pictures.
fn mean_activations(
    network: &Network,
    paths: &[PathBuf],
    size: usize,
    pooling: Pooling,
) -> Result<Vec<Vec<f64>>, Failure> {
    let mut activations = Activations::new(network);
    for path in paths {
        let mut picture = read_picture(path, &ReadOptions::default(), true)?;
        if picture.height().max(picture.width()) > size {
            let (height, width) = picture.size_with_longest_side(size);
            picture = picture.resized(height, width)?;
        }
        let sides = (picture.height(), picture.width());
        activations
            .add(network, sides, picture.data(), pooling)
            .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        tell(&format!("measured {}", path.display()));
    }
    Ok(activations.means())
}

/// What `inspect` prints.
fn report(name: &str, inspection: &Inspection) -> String {
    let (loaded, network) = (&inspection.loaded, &inspection.loaded.network);
    let layers = &inspection.layers;
    let ends = match (layers.first(), layers.last()) {
        (Some(first), Some(last)) => format!("{} to {}", first.name, last.name),
        _ => String::new(),
    };
    let preprocessing = match inspection.decision {
        Some(decision) => format!("{} ({decision})", loaded.convention),
        None => {
            "unknown: nothing in the file tells; say --preprocess torch, caffe-bgr or caffe-rgb".to_owned()
        }
    };
    let mut lines = vec![
        format!("file           {name} ({} bytes)", inspection.bytes),
        format!("format         {}", loaded.format),
        format!("network        {}, {} layers, {ends}", network.arch, layers.len()),
        format!("preprocessing  {preprocessing}"),
        format!("sha256         {}", inspection.sha256),
        format!("known          {}", inspection.known.map_or("no", |known| known.name)),
    ];
    lines.extend(network.provenance.iter().map(|(key, value)| format!("{key:<14} {}", printable(value))));
    lines.push(String::new());
    lines.push("layer      in  out   kernel: mean      std      min      max     bias: mean      std      min      max".into());
    for layer in layers {
        let (k, b) = (layer.kernel, layer.bias);
        lines.push(format!(
            "{:<8} {:>4} {:>4} {:>14.6} {:>8.5} {:>8.4} {:>8.4} {:>14.6} {:>8.5} {:>8.4} {:>8.4}",
            layer.name, layer.inputs, layer.outputs, k.mean, k.std, k.min, k.max, b.mean, b.std, b.min, b.max
        ));
    }
    lines.push(String::new());
    lines.push("tensors in the file".to_owned());
    for tensor in &loaded.tensors {
        let sides: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
        lines.push(format!(
            "  {:<6} {:<22} {}",
            tensor.dtype.to_string(),
            sides.join(" x "),
            printable(&tensor.name)
        ));
    }
    lines.join("\n")
}

/// A text from a file of a stranger, fit for a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).take(200).collect()
}
