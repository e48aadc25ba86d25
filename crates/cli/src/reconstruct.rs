//! `impasto reconstruct content|style`: the paper's Figure 1.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use impasto_study::study::{
    FIGURE_DEFAULTS, Material, Paths, content_reconstructions, style_reconstructions,
};
use impasto_style::{Picture, Size, Subject, TransferOptions};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::options::{OptionArguments, with_defaults};
use crate::pictures::read_picture;
use crate::study::{STYLE_LAYERS, StudyOutput, layer_names, run as run_study};

/// Show what a layer knows: rebuild a picture from its content or its style, from white noise (the paper's Figure 1)
///
/// content: for each layer, the picture that has the same response there. Early layers give the photo back; late ones
/// keep what is where, and lose the exact pixels.
///
/// style: for a growing set of layers, a picture with the same Gram matrices: a texture of the painting, at any size.
///
/// Pictures and a labelled sheet go to the folder of -o. What is finished is kept: the same command goes on from there.
///
/// Examples:
///
///   impasto reconstruct content photo.jpg -o content
///
///   impasto reconstruct style painting.jpg --layers conv1_1,conv2_1,conv3_1 --canvas 640x384 -o texture
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
#[command(mut_args(with_defaults(&FIGURE_DEFAULTS)))]
pub(crate) struct Arguments {
    /// What to rebuild from
    what: What,

    /// The picture, or - for standard input
    picture: PathBuf,

    /// The layers, from the first to the last
    #[arg(long, value_name = "LAYERS", default_value = STYLE_LAYERS)]
    layers: String,

    #[command(flatten)]
    pub(crate) to: StudyOutput,

    /// style only: width and height of the texture, such as 640x384, in place of the picture's own proportions
    #[arg(long, value_name = "WxH", value_parser = parse_canvas, conflicts_with = "size", help_heading = "Output")]
    canvas: Option<(usize, usize)>,

    #[command(flatten)]
    options: OptionArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Content,
    Style,
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let layers = layer_names(&arguments.layers)?;
    let given = &arguments.options;
    let own = ["content-layers", "style-layers", "content-weight", "style-weight"];
    if own.iter().any(|name| given.choices.has(name)) {
        return Err(Failure::wrong_use(
            "a reconstruction has one loss of weight 1: name its layers with --layers",
        ));
    }
    let mut base = given.options()?;
    let picture = read_picture(&arguments.picture, &base.reading(0), arguments.to.volume.quiet)?;
    let network = given.network.read()?;
    let (mut study, content) = match arguments.what {
        What::Content => {
            if arguments.canvas.is_some() {
                return Err(Failure::wrong_use("--canvas is for textures: impasto reconstruct style"));
            }
            (content_reconstructions(&base, &layers), picture.clone())
        }
        What::Style => {
            let content = canvas(arguments.canvas, &picture, &mut base)?;
            (style_reconstructions(&base, &layers), content)
        }
    };
    let from = Some(&*arguments.picture);
    let paths = Paths {
        content: from.filter(|_| arguments.what == What::Content),
        style: from,
        weights: given.network.path(),
    };
    let subject = Subject::new(content, picture);
    study.cells.iter_mut().for_each(|cell| cell.options.make_room_for(&subject));
    let material = Material { subject: &subject, network: &network, paths, cancel: interrupt.cancel() };
    run_study(&study, material, &arguments.to, interrupt)
}

/// A blank picture of the size of the texture.
fn canvas(
    size: Option<(usize, usize)>,
    picture: &Picture,
    base: &mut TransferOptions,
) -> Result<Picture, Failure> {
    let (height, width) = size.unwrap_or_else(|| {
        let own = (picture.height(), picture.width());
        picture.size_with_longest_side(base.size.longest_side_for(own))
    });
    base.size = Size::Longest(height.max(width));
    base.validate()?;
    Ok(Picture::new(height, width, vec![0.0; 3 * height * width])?)
}

/// `640x384` as (H, W).
fn parse_canvas(text: &str) -> Result<(usize, usize), String> {
    let sides = text.split_once('x').and_then(|(w, h)| Some((h.parse().ok()?, w.parse().ok()?)));
    let usable =
        sides.filter(|&(h, w): &(usize, usize)| (1..=10_000).contains(&h) && (1..=10_000).contains(&w));
    usable.ok_or_else(|| "write it like 640x384, each side from 1 to 10000".to_owned())
}
