//! `impasto features`: what a network has to say of a picture, as arrays for NumPy.

use std::path::PathBuf;

use clap::Args;
use impasto_study::Origin;
use impasto_study::features::Features;
use impasto_style::{Input, Measurement, Record, Role};

use crate::failure::Failure;
use crate::inputs::Inputs;
use crate::interrupt::Interrupt;
use crate::options::{OptionArguments, with_only};
use crate::pictures::{at_size, read_picture};
use crate::place::{Kind, Place};
use crate::sources::counted;
use crate::streams::tell;
use crate::study::{STYLE_LAYERS, layer_names};

/// What it heeds of the options.
const HEEDED: [&str; 6] = ["size", "pool", "border", "conv", "background", "memory-limit"];

/// For the end of `--help`.
const EXAMPLES: &str = "\
Example:
  impasto features photo.jpg --layers conv1_1,conv4_2 -o out.npz
  python3 -c \"import numpy; print(numpy.load('out.npz')['conv4_2'].shape)\"";

/// Write a picture's responses and Gram matrices, for NumPy
///
/// The archive has, for each layer, its response F after the ReLU (H x W x N) under the layer's name, and its Gram matrix F^T F / M
/// (N x N) under that name with _gram; the picture as it was measured; and manifest.json, which says what each is.
#[derive(Debug, Args)]
#[command(mut_args(with_only(&HEEDED, "no picture is painted")), after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The picture, or - for standard input
    picture: PathBuf,

    /// The layers, such as conv1_1,conv4_2
    #[arg(long, value_name = "LAYERS", default_value = STYLE_LAYERS)]
    layers: String,

    /// The archive to write, .npz, or - for standard output
    #[arg(short, long, value_name = "NPZ", help_heading = "Output")]
    output: PathBuf,

    /// Say nothing but errors
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let layers = layer_names(&arguments.layers)?;
    let options = arguments.options.options_at(&arguments.layers)?;
    let output = Place::new(&arguments.output, Kind::Data("an archive"))?;
    if output.path().is_some_and(|path| path.extension().is_none_or(|extension| extension != "npz")) {
        let name = output.name();
        return Err(Failure::wrong_use(format!(
            "{name} is to be an archive for NumPy: give it the ending .npz"
        )));
    }
    let mut inputs =
        Inputs::new(&[("PICTURE", &arguments.picture)], &options.init, &arguments.options.network);
    if let Some(settings) = &arguments.options.settings {
        inputs.push("--config", settings);
    }
    inputs.keep_apart(&[("-o", &arguments.output)])?;
    let network = arguments.options.network.read()?;
    for layer in &layers {
        network.position(layer)?;
    }
    let read = read_picture(&arguments.picture, &options.reading(0), arguments.quiet)?;
    let picture = at_size(&read, &options)?;
    let measurement = Measurement::default()
        .with_pooling(options.pooling)
        .with_border(options.border)
        .with_conv(options.conv)
        .with_memory_limit(options.memory_limit)
        .with_cancel(interrupt.cancel().clone());
    let names: Vec<&str> = layers.iter().map(String::as_str).collect();
    let measured = measurement.measure(&network, &picture, &names)?;
    let inputs = vec![
        Input::picture(Role::Content, Some(&arguments.picture), &read),
        Input::network(arguments.options.network.path(), &network),
    ];
    let mut record = Record::new(&options, inputs.clone());
    record.options.retain(|name, _| HEEDED.contains(&&**name));
    let origin = Origin { command: command_line(), inputs, ..Origin::default() };
    let features = Features {
        picture: &picture,
        measured: &measured,
        network: network.arch.name(),
        record: &record,
        origin: &origin,
    };
    output.reserve(features.largest_bytes())?;
    output.write_or_keep(("the archive", ".npz"), |out| features.write(out))?;
    if !arguments.quiet {
        let (name, width, height) = (output.name(), picture.width(), picture.height());
        tell(&format!("Wrote {name} with {} of {width} x {height} pixels", counted(layers.len(), "layer")));
    }
    Ok(())
}

/// The words of the command line.
pub(crate) fn command_line() -> Vec<String> {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    words.next().map(|_| "impasto".to_owned()).into_iter().chain(words).collect()
}
