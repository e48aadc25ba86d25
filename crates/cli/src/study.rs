//! Running a study into a folder: progress, Ctrl-C, the sheet.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use impasto_style::picture::Encoding;
use impasto_style::study::{Material, Study, StudyEvent};
use impasto_style::{Event, TransferError};

use crate::failure::Failure;
use crate::interrupt;
use crate::progress::Display;

/// The style layers of the paper, in order.
pub(crate) const STYLE_LAYERS: &str = "conv1_1,conv2_1,conv3_1,conv4_1,conv5_1";

/// Layer names from a list like `conv1_1,conv2_1`.
pub(crate) fn layer_names(list: &str) -> Result<Vec<String>, Failure> {
    let layers: impasto_style::LayerWeights = list.parse()?;
    Ok(layers.0.into_iter().map(|entry| entry.layer).collect())
}

/// Computes what is missing of the study in `folder`, and draws its sheet there.
pub(crate) fn run(study: &Study, material: Material<'_>, folder: &Path, quiet: bool) -> Result<(), Failure> {
    for cell in &study.cells {
        cell.options.validate()?;
    }
    fs::create_dir_all(folder)
        .map_err(|error| Failure::failed(format!("cannot make the folder {}: {error}", folder.display())))?;
    interrupt::listen()?;
    let display = Display::new(quiet);
    let (mut done, mut iterations) = (0, 0);
    let pictures = study.run(material, folder, |event| {
        match event {
            StudyEvent::Kept(cell) => {
                done += 1;
                display.say(&format!("{done}/{}: {} is there already", study.cells.len(), cell.name));
            }
            StudyEvent::Cell(cell) => {
                done += 1;
                display.say(&format!("{done}/{}: {}", study.cells.len(), cell.name));
            }
            StudyEvent::Transfer(Event::Started(summary)) => {
                iterations = summary.iterations;
                display.start(summary);
            }
            StudyEvent::Transfer(Event::Iteration(progress)) => display.step(progress, iterations),
        }
        if interrupt::interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    display.finish();
    let pictures = pictures.map_err(|error| match error {
        TransferError::Cancelled => Failure::interrupted(format!(
            "stopped; the finished pictures are in {}, and the same command goes on from there",
            folder.display()
        )),
        other => other.into(),
    })?;
    let sheet = Study::sheet_path(folder);
    study.sheet(&pictures)?.write(&sheet, Encoding::Png)?;
    display.say(&format!("Wrote {} with {} pictures", sheet.display(), pictures.len()));
    Ok(())
}
