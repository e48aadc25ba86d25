//! Running a study into a folder: progress, signals, the sheet.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use impasto_files::keep_apart;
use impasto_study::study::{Material, Study, StudyEvent};
use impasto_style::Init;
use impasto_style::picture::Encoding;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::network::weights_file;
use crate::pictures::file_of_picture;
use crate::progress::Display;

/// The style layers of the paper, in order.
pub(crate) const STYLE_LAYERS: &str = "conv1_1,conv2_1,conv3_1,conv4_1,conv5_1";

/// Layer names from a list like `conv1_1,conv2_1`.
pub(crate) fn layer_names(list: &str) -> Result<Vec<String>, Failure> {
    let layers: impasto_style::LayerWeights = list.parse()?;
    Ok(layers.0.into_iter().map(|entry| entry.layer).collect())
}

/// Where a study goes.
#[derive(Debug, Args)]
pub(crate) struct StudyOutput {
    /// The folder for the pictures and sheet.png; made if it is not there
    #[arg(short, long, value_name = "FOLDER", help_heading = "Output")]
    output: PathBuf,

    /// Say nothing but errors
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
}

/// Computes what is missing of the study in its folder, and draws its sheet there.
pub(crate) fn run(
    study: &Study,
    material: Material<'_>,
    to: &StudyOutput,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let folder = &*to.output;
    for cell in &study.cells {
        cell.options.validate()?;
    }
    fs::create_dir_all(folder)
        .map_err(|error| Failure::failed(format!("cannot make the folder {}: {error}", folder.display())))?;
    refuse_inputs(study, material, folder)?;
    let display = Display::new(to.quiet);
    // The cell at work, and those that are done.
    let (mut number, mut done) = (0, 0);
    let pictures = study.run(material, folder, |event| {
        match event {
            StudyEvent::Kept(cell) => {
                number += 1;
                done = number;
                display.say(&format!("{number}/{}: {} is there already", study.cells.len(), cell.name));
            }
            StudyEvent::Cell(cell) => {
                done = number;
                number += 1;
                display.say(&format!("{number}/{}: {}", study.cells.len(), cell.name));
            }
            StudyEvent::Transfer(event) => {
                interrupt.heed(event);
                display.show(event);
            }
        }
        interrupt.flow()
    });
    display.finish();
    let pictures = pictures.map_err(|error| {
        let kept = "the finished pictures are in";
        let there = format!("after {done} of {}; {kept} {}", study.cells.len(), folder.display());
        interrupt.failure(error, format!("{there}, and the same command goes on from there"))
    })?;
    let sheet = Study::sheet_path(folder);
    study.sheet(&pictures)?.write_or_keep(&sheet, Encoding::Png)?;
    display.say(&format!("Wrote {} with {} pictures", sheet.display(), pictures.len()));
    Ok(())
}

/// Refuses a folder in which a file of the study would overwrite one that it reads.
fn refuse_inputs(study: &Study, material: Material<'_>, folder: &Path) -> Result<(), Failure> {
    let weights = material.paths.weights.and_then(weights_file);
    let starts = study.cells.iter().filter_map(|cell| match &cell.options.init {
        Init::File(path) => Some(&**path),
        _ => None,
    });
    let paths = material.paths;
    let pictures = paths.content.into_iter().chain(paths.style);
    let pictures = pictures.map(|path| ("the command", file_of_picture(path)));
    let inputs: Vec<(&str, &Path)> = pictures
        .chain(weights.iter().map(|path| ("--weights", &**path)))
        .chain(starts.map(|path| ("--init", path)))
        .collect();
    // Cells of the same options are one.
    let cells = study.cells.iter().flat_map(|cell| [cell.picture_path(folder), cell.record_path(folder)]);
    let outputs: BTreeSet<PathBuf> = cells.chain([Study::sheet_path(folder)]).collect();
    let outputs: Vec<(&str, &Path)> = outputs.iter().map(|path| ("-o", &**path)).collect();
    Ok(keep_apart(&outputs, &inputs)?)
}
