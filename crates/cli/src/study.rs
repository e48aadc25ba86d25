//! Running a study into a folder: progress, signals, the sheet.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use impasto_study::study::{Cell, Material, Study, StudyEvent};
use impasto_style::picture::Encoding;
use impasto_style::{Event, Init, Network, Subject};

use crate::failure::Failure;
use crate::inputs::Inputs;
use crate::interrupt::Interrupt;
use crate::log::Logged;
use crate::pace::Work;
use crate::place::is_standard;
use crate::progress::{Display, Volume};
use crate::scene::Asked;

/// The style layers of the paper, in order.
pub(crate) const STYLE_LAYERS: &str = "conv1_1,conv2_1,conv3_1,conv4_1,conv5_1";

/// Layer names from a list like `conv1_1,conv2_1`.
pub(crate) fn layer_names(list: &str) -> Result<Vec<String>, Failure> {
    let layers: impasto_style::LayerWeights = list.parse()?;
    if let Some(entry) = list.split(',').find(|entry| entry.contains(':')) {
        let entry = entry.trim();
        return Err(Failure::wrong_use(format!(
            "--layers has {entry}, and here nothing is weighed: give the name alone"
        )));
    }
    Ok(layers.0.into_iter().map(|entry| entry.layer).collect())
}

/// Where a study goes.
#[derive(Debug, Args)]
pub(crate) struct StudyOutput {
    /// The folder for the pictures and sheet.png; made if it is not there
    #[arg(short, long, value_name = "FOLDER", help_heading = "Output")]
    output: PathBuf,

    /// Write the losses of every iteration to a file, as JSON lines that say of which picture they are
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    log: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) volume: Volume,
}

/// What a study is made of.
#[derive(Clone, Copy)]
pub(crate) struct Made<'a> {
    pub(crate) asked: &'a Asked,
    /// The file that a part of it was read from.
    pub(crate) scene: Option<&'a Path>,
    pub(crate) subject: &'a Subject,
    pub(crate) network: &'a Network,
}

/// Computes what is missing of the study in its folder, and draws its sheet there. Once all is checked the lines of `said` are
/// shown.
pub(crate) fn run(
    study: &Study,
    Made { asked, scene, subject, network }: Made<'_>,
    to: &StudyOutput,
    said: &[String],
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let folder = &*to.output;
    if is_standard(folder) {
        return Err(Failure::wrong_use("the pictures and their sheet go to a folder: give -o a name, not -"));
    }
    for cell in &study.cells {
        cell.options.validate()?;
        cell.options.check_smallest()?;
        if matches!(&cell.options.init, Init::File(path) if is_standard(path)) {
            return Err(Failure::wrong_use(
                "the pictures of a study share their start: give --init a file, not -",
            ));
        }
    }
    fs::create_dir_all(folder)
        .map_err(|error| Failure::failed(format!("cannot make the folder {}: {error}", folder.display())))?;
    let files = asked.files(scene);
    refuse_inputs(study, Inputs::new(&files, &Init::Content, &asked.options.network), to)?;
    let mut log = Logged::new(to.log.as_deref())?;
    let inputs = asked.inputs(subject, network);
    let material = Material { subject, network, inputs: &inputs, cancel: interrupt.cancel() };
    let mut display = Display::new(to.volume, &folder.display().to_string());
    for line in said {
        display.say(line);
    }
    display.expect(study.cells.iter().map(|cell| work(cell, material)).collect());
    // The cell at work, and those that are done.
    let (mut number, mut done) = (0, 0);
    let pictures = study.run(material, folder, |event| {
        match event {
            StudyEvent::Kept(cell) => {
                number += 1;
                done = number;
                display.next(&cell.name, true);
            }
            StudyEvent::Cell(cell) => {
                done = number;
                number += 1;
                display.next(&cell.name, false);
            }
            StudyEvent::Transfer(event) => {
                interrupt.heed(event);
                display.show(event);
                if let Event::Iteration(progress) = event {
                    log.write(progress, Some(&study.cells[number - 1].name), &mut display);
                }
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
    if let Some(failure) = log.failure {
        return Err(Failure::failed(format!(
            "{failure}; the pictures are in {} all the same",
            folder.display()
        )));
    }
    display.conclude(&format!("Wrote {} with {} pictures", sheet.display(), pictures.len()));
    Ok(())
}

/// What a cell will have to do.
fn work(cell: &Cell, material: Material<'_>) -> Work {
    let schedule = cell.options.schedule(material.subject.longest_side(&cell.options));
    Work::of_scales(schedule.iter().map(|scale| (material.subject.size(scale.size), scale.iterations)))
}

/// Refuses a folder in which a file of the study would overwrite one that it reads.
fn refuse_inputs(study: &Study, mut inputs: Inputs, to: &StudyOutput) -> Result<(), Failure> {
    let folder = &*to.output;
    for cell in &study.cells {
        if let Init::File(path) = &cell.options.init {
            inputs.push("--init", path);
        }
    }
    // Cells of the same options are one.
    let cells = study.cells.iter().flat_map(|cell| [cell.picture_path(folder), cell.record_path(folder)]);
    let outputs: BTreeSet<PathBuf> = cells.chain([Study::sheet_path(folder)]).collect();
    let log = to.log.as_deref().map(|path| ("--log", path));
    let outputs: Vec<(&str, &Path)> = outputs.iter().map(|path| ("-o", &**path)).chain(log).collect();
    inputs.keep_apart(&outputs)
}
