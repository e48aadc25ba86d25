//! `impasto reconstruct content|style`: the paper's Figure 1.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use impasto_study::study::{FIGURE_DEFAULTS, content_reconstructions, style_reconstructions};
use impasto_style::{Picture, Size, TransferOptions};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::options::{OptionArguments, with_defaults, without};
use crate::pictures::{Keep, MaskArguments, Reader};
use crate::scene::Asked;
use crate::sources::Sources;
use crate::study::{Made, STYLE_LAYERS, StudyOutput, layer_names, run as run_study};

/// For the end of `--help`.
const EXAMPLES: &str = "\
Examples:
  impasto reconstruct content photo.jpg -o content
  impasto reconstruct style painting.jpg --canvas 640x384 -o texture";

/// Why a reconstruction has no weights.
const ONE_LOSS: &str = "there is one loss, of weight 1";

/// What a reconstruction does not ask for.
const LEFT_OUT: [(&str, &str); 5] = [
    ("colours", "the colours are those of what it is rebuilt from"),
    ("content-layers", "name the layers with --layers"),
    ("style-layers", "name the layers with --layers"),
    ("content-weight", ONE_LOSS),
    ("style-weight", ONE_LOSS),
];

/// Rebuild a picture from what a layer knows (the paper's Figure 1)
///
/// content: for each layer, the picture that has the same response there. Early layers give the photo back; late ones
/// keep what is where, and lose the exact pixels.
///
/// style: for a growing set of layers, a picture with the same Gram matrices: a texture of the painting, at any size.
///
/// Each starts from white noise. Pictures and a labelled sheet go to the folder of -o. What is finished is kept: the same
/// command goes on from there.
#[derive(Debug, Args)]
#[command(mut_args(with_defaults(&FIGURE_DEFAULTS)), mut_args(without(&LEFT_OUT)), after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What to rebuild from
    what: What,

    /// The picture, or - for standard input. Of several paintings (style only) the texture is a blend (--blend), unless masks
    /// keep them apart (--mask)
    #[arg(required = true)]
    picture: Vec<PathBuf>,

    #[command(flatten)]
    masks: MaskArguments,

    /// The layers, from the first to the last
    #[arg(long, value_name = "LAYERS", default_value = STYLE_LAYERS)]
    layers: String,

    #[command(flatten)]
    pub(crate) to: StudyOutput,

    /// style only: width and height of the texture, such as 640x384, in place of the picture's own proportions
    #[arg(long, value_name = "WxH", value_parser = parse_canvas, conflicts_with = "size", help_heading = "Output")]
    canvas: Option<(usize, usize)>,

    #[command(flatten)]
    pub(crate) options: OptionArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Content,
    Style,
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let layers = layer_names(&arguments.layers)?;
    let given = &arguments.options;
    let mut base = given.options()?;
    let sources = arguments.masks.sources(&arguments.picture);
    sources.check_paintings(&base)?;
    let reading = base.clone();
    let mut reader = Reader::new(&reading, Keep::Whole, arguments.to.volume.quiet);
    let sources = match arguments.what {
        What::Content => of_one_picture(arguments, sources)?,
        What::Style => sources,
    };
    let pictures = reader.paintings(&sources.styles)?;
    let (mut study, content) = match arguments.what {
        What::Content => (content_reconstructions(&base, &layers), Picture::clone(&pictures[0])),
        What::Style => {
            let content = canvas(arguments.canvas, &pictures[0], &mut base)?;
            (style_reconstructions(&base, &layers), content)
        }
    };
    let subject = reader.compose(&sources, content, &pictures)?;
    let network = given.network.read()?;
    study.cells.iter_mut().for_each(|cell| cell.options.make_room_for(&subject));
    let asked = Asked { sources, options: given.clone() };
    let made = Made { asked: &asked, scene: None, subject: &subject, network: &network };
    run_study(&study, made, &arguments.to, &[], interrupt)
}

/// What `reconstruct content` rebuilds from: one picture, as it is.
fn of_one_picture(arguments: &Arguments, sources: Sources) -> Result<Sources, Failure> {
    if arguments.canvas.is_some() {
        return Err(Failure::wrong_use("--canvas is for textures: impasto reconstruct style"));
    }
    if sources.styles.len() != 1 || !sources.masks.is_empty() || !sources.style_masks.is_empty() {
        let problem = "several paintings and masks are for textures: impasto reconstruct style";
        return Err(Failure::wrong_use(problem));
    }
    Ok(Sources { content: sources.styles.first().cloned(), ..sources })
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
