//! The arguments that name pictures and masks.

use std::path::PathBuf;

use clap::Args;

use crate::sources::Sources;

/// The photo, the paintings, and where in the photo each of them acts.
#[derive(Debug, Args)]
pub(crate) struct SubjectArguments {
    /// The picture whose scene is kept, or - for standard input
    content: Option<PathBuf>,

    /// The pictures whose strokes and colours are taken, or - for standard input; several are blended (--blend), unless masks
    /// keep them apart (--mask)
    style: Vec<PathBuf>,

    #[command(flatten)]
    masks: MaskArguments,

    /// Where CONTENT stays what it is: a grey picture, white for here
    #[arg(long, value_name = "MASK", help_heading = "Masks")]
    keep: Option<PathBuf>,

    /// What the content loss weighs where: a grey picture, white for in full and black for not at all
    #[arg(long, value_name = "MASK", help_heading = "Masks")]
    content_mask: Option<PathBuf>,

    /// Segmentations of CONTENT and of the one STYLE: where both have the same colour, that part of STYLE acts
    #[arg(long, value_names = ["CONTENT_SEG", "STYLE_SEG"], num_args = 2, help_heading = "Masks")]
    regions: Option<Vec<PathBuf>>,

    /// A saved scene: pictures, masks and options that are not given here are its (transfer --print-scene writes one)
    #[arg(long, value_name = "FILE", help_heading = "Scene")]
    pub(crate) scene: Option<PathBuf>,
}

/// Where several paintings act, and what of them is taken.
#[derive(Debug, Args)]
#[command(next_help_heading = "Masks")]
pub(crate) struct MaskArguments {
    /// Where in the picture each STYLE acts: a grey picture for each, white for here, or - for the rest, like sky.png,-. Those
    /// with the same mask are blended there
    #[arg(long, value_name = "MASKS", value_delimiter = ',')]
    mask: Vec<PathBuf>,

    /// Which part of each STYLE is taken: a grey picture for each, white for this, or - for all of it
    #[arg(long, value_name = "MASKS", value_delimiter = ',')]
    style_mask: Vec<PathBuf>,
}

impl MaskArguments {
    /// The files that were given, with those paintings.
    pub(crate) fn sources(&self, paintings: &[PathBuf]) -> Sources {
        Sources {
            styles: paintings.to_vec(),
            masks: self.mask.clone(),
            style_masks: self.style_mask.clone(),
            ..Sources::default()
        }
    }
}

impl SubjectArguments {
    /// The files that were given.
    pub(crate) fn sources(&self) -> Sources {
        Sources {
            content: self.content.clone(),
            keep: self.keep.clone(),
            content_mask: self.content_mask.clone(),
            regions: self.regions.clone().and_then(|pair| pair.try_into().ok()),
            ..self.masks.sources(&self.style)
        }
    }
}
