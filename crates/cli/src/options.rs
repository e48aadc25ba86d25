//! The options that say what is optimised and how: those of every command that paints.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use impasto_style::picture::{PIXEL_LIMIT, Profile};
use impasto_style::{
    ConvMode, Init, LayerWeights, LossScale, Network, Optimiser, Picture, Pooling, Preset, Scales,
    TransferOptions,
};
use impasto_vgg::{Convention, LoadOptions, Weights, resolve};

use crate::failure::Failure;

/// Options of the transfer; whatever is not given is the preset's.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Look")]
pub(crate) struct OptionArguments {
    /// Where the values of options that are not given come from; the table below shows them
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = parse_preset)]
    pub(crate) preset: Preset,

    /// Longest side of the result, in pixels
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<usize>,

    /// alpha, the weight of the content loss: more keeps more of the photo
    #[arg(long, value_name = "A", allow_negative_numbers = true)]
    pub(crate) content_weight: Option<f64>,

    /// beta, the weight of the style loss: more takes more of the painting
    #[arg(long, value_name = "B", allow_negative_numbers = true)]
    pub(crate) style_weight: Option<f64>,

    /// Weight of the total variation: more makes a smoother picture
    #[arg(long, value_name = "W", allow_negative_numbers = true)]
    pub(crate) tv_weight: Option<f64>,

    /// Longest side of the painting, as a multiple of the result's: less makes smaller strokes. A painting is never enlarged
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) style_scale: Option<f64>,

    /// Layers that compare the content, such as conv4_2, with weights if you like: conv4_1:1,conv4_2:2
    #[arg(long, value_name = "LAYERS")]
    pub(crate) content_layers: Option<String>,

    /// Layers that compare the style, such as conv1_1,conv2_1; deep layers hold large forms, early ones colours and grain
    #[arg(long, value_name = "LAYERS")]
    pub(crate) style_layers: Option<String>,

    /// What the losses are measured in: paper (sums, as in the paper: the look changes with the size), balanced (the paper's at
    /// 512 x 512, the same look at every size) or neural-style (means, as that program has them)
    #[arg(long, value_name = "NAME", value_parser = parse_loss_scale)]
    pub(crate) loss_scale: Option<LossScale>,

    /// How the network shrinks its responses
    #[arg(long, value_name = "KIND")]
    pub(crate) pool: Option<Pool>,

    /// The start: content, noise, or a picture file
    #[arg(long, value_name = "content|noise|FILE", help_heading = "Optimisation")]
    pub(crate) init: Option<PathBuf>,

    /// Seed of the noise: the same seed, the same picture
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    pub(crate) seed: Option<u64>,

    /// Iterations at each size
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    pub(crate) iterations: Option<usize>,

    /// Sizes to paint at, coarse to fine, each twice the one before; auto is as many as fit down to about 128 pixels
    #[arg(long, value_name = "N|auto", help_heading = "Optimisation")]
    pub(crate) scales: Option<String>,

    /// The method of minimisation
    #[arg(long, value_name = "METHOD", help_heading = "Optimisation")]
    pub(crate) optimizer: Option<Method>,

    /// Steps that L-BFGS remembers; each takes the memory of one picture, and by default there are fewer the larger the
    /// picture
    #[arg(long, value_name = "M", help_heading = "Optimisation")]
    pub(crate) history: Option<usize>,

    /// Step of Adam, in grey levels of 0 to 255 [default: 2]
    #[arg(long, value_name = "R", allow_negative_numbers = true, help_heading = "Optimisation")]
    pub(crate) learning_rate: Option<f64>,

    /// Weights of VGG-16 or VGG-19 in place of the built-in VGG-16: any file of them, or vgg19 for the one that was converted
    #[arg(long, value_name = "FILE", help_heading = "Machine")]
    pub(crate) weights: Option<PathBuf>,

    /// What pictures the network of --weights expects, if its file does not tell: torch, caffe-bgr or caffe-rgb
    #[arg(long, value_name = "NAME", value_parser = parse_convention, help_heading = "Machine")]
    pub(crate) preprocess: Option<Convention>,

    /// Convolutions: fast, or exact for plain sums throughout
    #[arg(long, value_name = "MODE", help_heading = "Machine")]
    pub(crate) conv: Option<Conv>,

    /// The most memory to take, such as 800M or 4G [default: what is free]. Under a limit large pictures are worked on in
    /// bands
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, help_heading = "Machine")]
    pub(crate) memory_limit: Option<u64>,
}

/// `--pool`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pool {
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

/// `--optimizer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    Lbfgs,
    Adam,
}

/// `--conv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Conv {
    Fast,
    Exact,
}

/// Grey levels that Adam moves a value by, at most, in one iteration.
const LEARNING_RATE: f64 = 2.0;

impl OptionArguments {
    /// The preset with the given options put in, checked.
    pub(crate) fn options(&self) -> Result<TransferOptions, Failure> {
        fn replace<T: Clone>(value: &mut T, given: Option<&T>) {
            if let Some(given) = given {
                value.clone_from(given);
            }
        }
        let mut options = self.preset.options();
        replace(&mut options.size, self.size.as_ref());
        replace(&mut options.iterations, self.iterations.as_ref());
        let scales = self.scales.as_deref().map(str::parse::<Scales>).transpose()?;
        replace(&mut options.scales, scales.as_ref());
        replace(&mut options.content_weight, self.content_weight.as_ref());
        replace(&mut options.style_weight, self.style_weight.as_ref());
        replace(&mut options.tv_weight, self.tv_weight.as_ref());
        replace(&mut options.style_scale, self.style_scale.as_ref());
        replace(&mut options.loss_scale, self.loss_scale.as_ref());
        replace(&mut options.seed, self.seed.as_ref());
        let layers = |text: &Option<String>| text.as_deref().map(str::parse::<LayerWeights>).transpose();
        replace(&mut options.content_layers, layers(&self.content_layers)?.as_ref());
        replace(&mut options.style_layers, layers(&self.style_layers)?.as_ref());
        replace(&mut options.pooling, self.pool.map(Pooling::from).as_ref());
        let conv = self.conv.map(|conv| match conv {
            Conv::Fast => ConvMode::Fast,
            Conv::Exact => ConvMode::Exact,
        });
        replace(&mut options.conv, conv.as_ref());
        options.memory_limit = self.memory_limit.or_else(impasto_style::available_memory);
        options.optimiser = self.optimiser(options.optimiser)?;
        // Checked before the picture of --init is read: wrong numbers are told first.
        options.validate()?;
        if let Some(init) = &self.init {
            options.init = match init.to_str() {
                Some("content") => Init::Content,
                Some("noise") => Init::Noise,
                _ => Init::Picture(read_picture(init, true)?),
            };
        }
        Ok(options)
    }

    fn optimiser(&self, preset: Optimiser) -> Result<Optimiser, Failure> {
        let lbfgs = match self.optimizer {
            Some(method) => method == Method::Lbfgs,
            None => matches!(preset, Optimiser::Lbfgs { .. }),
        };
        if lbfgs && self.learning_rate.is_some() {
            return Err(Failure::wrong_use("--learning-rate is for --optimizer adam"));
        }
        if !lbfgs && self.history.is_some() {
            return Err(Failure::wrong_use("--history is for --optimizer lbfgs"));
        }
        Ok(match (lbfgs, preset) {
            (true, Optimiser::Lbfgs { history }) => Optimiser::Lbfgs { history: self.history.or(history) },
            (true, Optimiser::Adam { .. }) => Optimiser::Lbfgs { history: self.history },
            (false, Optimiser::Adam { learning_rate }) => {
                Optimiser::Adam { learning_rate: self.learning_rate.unwrap_or(learning_rate) }
            }
            (false, Optimiser::Lbfgs { .. }) => {
                Optimiser::Adam { learning_rate: self.learning_rate.unwrap_or(LEARNING_RATE) }
            }
        })
    }

    /// The network: that of `--weights`, or the built-in one.
    pub(crate) fn network(&self) -> Result<Network, Failure> {
        let found = self.weights.as_deref().map(resolve).transpose()?.unwrap_or(Weights::Embedded);
        let Weights::File(path) = found else {
            if self.preprocess.is_some() {
                let problem = "--preprocess is for a network from a file that --weights names; the built-in one says itself";
                return Err(Failure::wrong_use(problem));
            }
            return Ok(Network::embedded()?);
        };
        let options = LoadOptions { convention: self.preprocess, ..LoadOptions::default() };
        Ok(Network::load_with(&path, options)?)
    }
}

/// The two pictures of a command.
#[derive(Debug, Args)]
pub(crate) struct Pair {
    /// The photo
    content: PathBuf,

    /// The painting
    style: PathBuf,
}

impl Pair {
    /// The photo and the painting.
    pub(crate) fn read(&self, quiet: bool) -> Result<(Picture, Picture), Failure> {
        Ok((read_picture(&self.content, quiet)?, read_picture(&self.style, quiet)?))
    }
}

/// Reads a picture; says so if its colours may be off, unless it shall be quiet.
pub(crate) fn read_picture(path: &Path, quiet: bool) -> Result<Picture, Failure> {
    let (picture, profile) = Picture::read(path, PIXEL_LIMIT)?;
    if profile == Profile::Unusable && !quiet {
        eprintln!(
            "Warning: the colour profile of {} cannot be used, so its colours are taken as sRGB",
            path.display()
        );
    }
    Ok(picture)
}

fn parse_preset(name: &str) -> Result<Preset, String> {
    by_name(&Preset::ALL, name)
}

fn parse_loss_scale(name: &str) -> Result<LossScale, String> {
    by_name(&LossScale::ALL, name)
}

pub(crate) fn parse_convention(name: &str) -> Result<Convention, String> {
    by_name(&Convention::ALL.map(|convention| (convention, convention.name())), name)
}

fn by_name<T: Copy>(all: &[(T, &str)], name: &str) -> Result<T, String> {
    all.iter().find(|(_, known)| *known == name).map(|&(value, _)| value).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|&(_, name)| name).collect();
        format!("it is one of {}", names.join(", "))
    })
}

/// `800M`, `1.5G`, `1073741824`; K, M and G are powers of 1024, and may be followed by B or iB.
fn parse_bytes(text: &str) -> Result<u64, String> {
    let number_end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let factor =
        match unit.trim().trim_end_matches(['b', 'B']).trim_end_matches('i').to_ascii_uppercase().as_str() {
            "" => 1.0,
            "K" => 1024.0,
            "M" => 1024.0 * 1024.0,
            "G" => 1024.0 * 1024.0 * 1024.0,
            _ => return Err("write it like 800M or 4G".to_owned()),
        };
    let number: f64 = number.parse().map_err(|_| "write it like 800M or 4G".to_owned())?;
    Ok((number * factor) as u64)
}

/// The presets as a table, for `--help`.
pub(crate) fn preset_table() -> String {
    use std::fmt::Write;

    let options = Preset::ALL.map(|(preset, _)| preset.options());
    let mut table = String::from("Presets:\n");
    let mut row = |name: &str, cells: [String; 4]| {
        let [a, b, c, d] = cells;
        let _ = writeln!(table, "  {name:<17} {a:<22} {b:<22} {c:<22} {d}");
    };
    row("", Preset::ALL.map(|(_, name)| name.to_owned()));
    let mut show = |name: &str, cell: &dyn Fn(&TransferOptions) -> String| {
        row(name, options.each_ref().map(cell));
    };
    show("--size", &|o| o.size.to_string());
    show("--content-weight", &|o| o.content_weight.to_string());
    show("--style-weight", &|o| o.style_weight.to_string());
    show("--tv-weight", &|o| o.tv_weight.to_string());
    show("--style-scale", &|o| o.style_scale.to_string());
    show("--content-layers", &|o| o.content_layers.to_string());
    show("--style-layers", &|o| style_layers_text(&o.style_layers));
    show("--loss-scale", &|o| name_of(&LossScale::ALL, o.loss_scale));
    show("--pool", &|o| format!("{:?}", o.pooling).to_lowercase());
    show("--init", &|o| format!("{:?}", o.init).to_lowercase());
    show("--iterations", &|o| o.iterations.to_string());
    show("--scales", &|o| o.scales.to_string());
    show("--history", &|o| match o.optimiser {
        Optimiser::Lbfgs { history: Some(history) } => history.to_string(),
        Optimiser::Lbfgs { history: None } => "16 to 100, by size".to_owned(),
        Optimiser::Adam { .. } => "-".to_owned(),
    });
    table
}

/// `convN_1:0.2` for the five first layers of their blocks with one weight, which is too long for a table otherwise.
fn style_layers_text(layers: &LayerWeights) -> String {
    let weight = layers.0.first().map_or(0.0, |entry| entry.weight);
    let firsts = layers
        .0
        .iter()
        .enumerate()
        .all(|(index, entry)| entry.layer == format!("conv{}_1", index + 1) && entry.weight == weight);
    if firsts { format!("conv1_1 to {}_1 :{weight}", layers.0.len()) } else { layers.to_string() }
}

fn name_of<T: Copy + PartialEq>(all: &[(T, &str)], value: T) -> String {
    all.iter().find(|(known, _)| *known == value).map_or_else(String::new, |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_with_units() {
        assert_eq!(parse_bytes("800M"), Ok(800 << 20));
        assert_eq!(parse_bytes("1.5GiB"), Ok(3 << 29));
        assert_eq!(parse_bytes("1024"), Ok(1024));
        assert_eq!(parse_bytes("2kb"), Ok(2048));
        assert!(parse_bytes("-1").is_err() && parse_bytes("4 apples").is_err() && parse_bytes("").is_err());
    }
}
