//! Studies: many transfers that differ in an option or two, laid out as a table.
//!
//! Every cell is a picture file in a folder, beside a [`Record`] of what made it. A cell whose record is there already is
//! not computed again, so an interrupted study goes on where it stopped. What cells have in common (packed weights, P, A)
//! is computed once.

mod figures;
mod shared;
mod sweep;

pub use figures::{
    FIGURE_DEFAULTS, GRID_DEFAULTS, content_reconstructions, grid, style_reconstructions, style_sets,
};
pub use sweep::{Vary, sweep};

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use impasto_files::{FileError, probe};
use impasto_style::picture::{Encoding, Writing};
use impasto_style::{
    Cancel, Each, Event, Init, Input, LayerWeight, LayerWeights, Network, Picture, PictureError,
    PreparedNetwork, Record, Role, Run, Scene, StopReason, Subject, TransferError, TransferOptions,
    transfer_with,
};

use crate::sheet::Sheet;
use shared::SharedTargets;

/// One transfer of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The stem of its file, such as `conv4_1-1e-3`.
    pub name: String,
    /// How it differs from the others.
    pub options: TransferOptions,
}

/// A table of transfers.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Row by row.
    pub cells: Vec<Cell>,
}

/// The pictures and the network that all cells of a study share.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The photo, whose proportions are the result's, and the painting.
    pub subject: &'a Subject,
    /// The network.
    pub network: &'a Network,
    /// What they are, for the records of the cells, each of which may have a start of its own beside.
    pub inputs: &'a [Input],
    /// Ends the study in the middle of whatever it evaluates or measures.
    pub cancel: &'a Cancel,
}

/// What a study tells while it runs.
#[derive(Debug, Clone, Copy)]
pub enum StudyEvent<'a> {
    /// A cell's picture is there already.
    Kept(&'a Cell),
    /// A cell is about to be computed.
    Cell(&'a Cell),
    /// Its transfer tells something.
    Transfer(Event<'a>),
}

impl Study {
    /// Computes what is missing in `folder`, then returns all pictures, row by row.
    ///
    /// Before the first one it is tried whether all of them can be written. `on_event` can stop the run; the finished cells
    /// stay, the one at work is lost. P and A that a later cell asks for too are kept for it, beside the memory that the cells'
    /// own limits allow.
    ///
    /// # Errors
    /// [`TransferError`]; [`TransferError::Cancelled`] if `on_event` stopped it.
    pub fn run(
        &self,
        material: Material<'_>,
        folder: &Path,
        mut on_event: impl FnMut(StudyEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Picture>, TransferError> {
        // Before anything is painted: a start that cannot be read would end the study halfway.
        let starts = self
            .cells
            .iter()
            .map(|cell| cell.options.init.clone().read(&cell.options.reading(0)))
            .collect::<Result<Vec<_>, _>>()?;
        for cell in &self.cells {
            cell.options.check_layers(material.network)?;
        }
        let jobs = self.cells.iter().zip(starts).map(|(cell, init)| {
            let options = cell.options.clone().with_init(init);
            let made_by = cell.record(&options, material.inputs.to_vec());
            let kept =
                Record::read(&cell.record_path(folder)).is_ok_and(|record| record.same_picture(&made_by));
            (cell, options, made_by, kept)
        });
        let jobs: Vec<_> = jobs.collect();
        let missing = jobs.iter().filter(|(.., kept)| !kept).map(|(cell, ..)| *cell);
        self.probe(missing, material.subject, folder).map_err(PictureError::from)?;
        let mut painter = Painter { study: self, material, prepared: None, shared: SharedTargets::default() };
        let mut pictures = Vec::new();
        for (index, (cell, options, made_by, kept)) in jobs.into_iter().enumerate() {
            let picture = cell.picture_path(folder);
            let reading = cell.options.reading(0);
            let kept = if kept { Picture::read(&picture, &reading).ok() } else { None };
            let event = if kept.is_some() { StudyEvent::Kept(cell) } else { StudyEvent::Cell(cell) };
            if on_event(event).is_break() {
                return Err(TransferError::Cancelled);
            }
            if let Some(kept) = kept {
                pictures.push(kept.picture);
                continue;
            }
            let painted = painter.paint(index, &options, &mut on_event)?;
            // A record is of the picture beside it, whatever happens between the two.
            fs::remove_file(cell.record_path(folder)).ok();
            painted.write_or_keep(&picture, Encoding::Png)?;
            made_by.write(&cell.record_path(folder)).map_err(PictureError::from)?;
            pictures.push(Picture::read(&picture, &reading)?.picture);
        }
        Ok(pictures)
    }

    /// Tries whether what is missing can be written, each file by itself, and the sheet.
    fn probe<'a>(
        &self,
        missing: impl Iterator<Item = &'a Cell>,
        subject: &Subject,
        folder: &Path,
    ) -> Result<(), FileError> {
        const RECORD: u64 = 64 << 10;
        const LABELS: u64 = 1 << 20;
        let largest = |cell: &Cell| {
            let (height, width) = subject.size(subject.longest_side(&cell.options));
            Writing::from(Encoding::Png).largest_bytes(height, width, subject.photo().alpha().is_some())
        };
        for cell in missing {
            probe(&cell.picture_path(folder), largest(cell))?;
            probe(&cell.record_path(folder), RECORD)?;
        }
        let cell = self.cells.iter().map(largest).max().unwrap_or(0);
        probe(&Self::sheet_path(folder), LABELS + self.cells.len() as u64 * cell)
    }

    /// The study's pictures as one.
    ///
    /// # Errors
    /// [`TransferError::Picture`] if the sheet is too large for memory.
    pub fn sheet(&self, pictures: &[Picture]) -> Result<Picture, TransferError> {
        Ok(Sheet { rows: &self.rows, columns: &self.columns, pictures }.draw()?)
    }

    /// Where the sheet goes.
    pub fn sheet_path(folder: &Path) -> PathBuf {
        folder.join("sheet.png")
    }

    /// Options that need every layer that some cell needs, and otherwise only what the network depends on.
    fn usage(&self, options: &TransferOptions) -> TransferOptions {
        let mut layers: Vec<LayerWeight> = Vec::new();
        for layer in self.cells.iter().flat_map(|cell| cell.options.layers()) {
            if !layers.iter().any(|known| known.layer == layer) {
                layers.push(LayerWeight { layer: layer.to_owned(), weight: 1.0 });
            }
        }
        TransferOptions::default()
            .with_content_weight(1.0)
            .with_content_layers(LayerWeights(layers))
            .with_style_weight(0.0)
            .with_style_layers(Each::default())
            .with_tv_weight(0.0)
            .with_pooling(options.pooling)
            .with_border(options.border)
            .with_conv(options.conv)
    }
}

impl Cell {
    /// Where its picture goes.
    pub fn picture_path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.png", self.name))
    }

    /// Where the record of what made it goes.
    pub fn record_path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.json", self.name))
    }

    /// What the picture depends on; `options` are the cell's own with the start read, whose pixels are among the inputs.
    fn record(&self, options: &TransferOptions, mut inputs: Vec<Input>) -> Record {
        if let Init::Picture(start) = &options.init {
            let path = if let Init::File(path) = &self.options.init { Some(&**path) } else { None };
            inputs.push(Input::picture(Role::Init, path, start));
        }
        Record::new(&self.options, inputs)
    }
}

/// What is carried from cell to cell.
struct Painter<'a> {
    study: &'a Study,
    material: Material<'a>,
    /// The network, cut and packed, and the options that it was prepared for.
    prepared: Option<(TransferOptions, PreparedNetwork)>,
    shared: SharedTargets,
}

impl Painter<'_> {
    /// The picture of a cell.
    fn paint(
        &mut self,
        index: usize,
        options: &TransferOptions,
        on_event: &mut impl FnMut(StudyEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Picture, TransferError> {
        let Material { subject, network, cancel, .. } = self.material;
        // The network is cut and packed once for all cells that use it in the same way.
        let usage = self.study.usage(options);
        let network = match &self.prepared {
            Some((known, network)) if *known == usage => network.clone(),
            _ => PreparedNetwork::new(network.clone(), &usage)?.with_cancel(cancel.clone()),
        };
        self.prepared = Some((usage, network.clone()));
        self.shared.keep_for(&self.study.cells[index + 1..], self.material);
        let measure = |scene: &Scene<'_>| self.shared.targets(&network, scene, options);
        let run = Run { measure: Some(Box::new(measure)), ..Run::default() };
        let painting =
            transfer_with(&network, subject, options, run, |event| on_event(StudyEvent::Transfer(event)))?;
        if painting.reason == StopReason::Cancelled {
            return Err(TransferError::Cancelled);
        }
        Ok(painting.picture)
    }
}
