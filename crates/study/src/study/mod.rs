//! Studies: many transfers that differ in an option or two, laid out as a table.
//!
//! Every cell is a picture file in a folder, beside a text file that says what made it. A cell whose text is there
//! already is not computed again, so an interrupted study goes on where it stopped. What cells have in common (packed
//! weights, P, A) is computed once.

mod figures;
mod shared;

pub use figures::{content_reconstructions, grid, style_reconstructions, style_sets};

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::sheet::Sheet;
use impasto_style::picture::{Encoding, PIXEL_LIMIT, write_atomically};
use impasto_style::{
    Event, Init, LayerWeight, LayerWeights, Network, Picture, PreparedNetwork, Preset, StopReason,
    TransferError, TransferOptions, transfer_with,
};
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
    /// The photo; its proportions are the result's.
    pub content: &'a Picture,
    /// The painting.
    pub style: &'a Picture,
    /// The network.
    pub network: &'a Network,
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
    /// `on_event` can stop the run; the finished cells stay, the one at work is lost. P and A that a later cell asks for too
    /// are kept for it, beside the memory that the cells' own limits allow.
    ///
    /// # Errors
    /// [`TransferError`]; [`TransferError::Cancelled`] if `on_event` stopped it.
    pub fn run(
        &self,
        material: Material<'_>,
        folder: &Path,
        mut on_event: impl FnMut(StudyEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Picture>, TransferError> {
        let mut pictures = Vec::new();
        let mut prepared: Option<(TransferOptions, PreparedNetwork)> = None;
        let mut shared = SharedTargets::default();
        let common = fingerprint(material);
        for (index, cell) in self.cells.iter().enumerate() {
            let picture = folder.join(format!("{}.png", cell.name));
            let record = folder.join(format!("{}.txt", cell.name));
            let made_by = format!("{common}\n{}", cell.record());
            if fs::read_to_string(&record).is_ok_and(|text| text == made_by)
                && let Ok((picture, _)) = Picture::read(&picture, PIXEL_LIMIT)
            {
                if on_event(StudyEvent::Kept(cell)).is_break() {
                    return Err(TransferError::Cancelled);
                }
                pictures.push(picture);
                continue;
            }
            if on_event(StudyEvent::Cell(cell)).is_break() {
                return Err(TransferError::Cancelled);
            }
            // The network is cut and packed once for all cells that use it in the same way.
            let usage = self.usage(&cell.options);
            let network = match &prepared {
                Some((known, network)) if *known == usage => network.clone(),
                _ => PreparedNetwork::new(material.network.clone(), &usage)?,
            };
            prepared = Some((usage, network.clone()));
            let Material { content, style, .. } = material;
            shared.keep_for(&self.cells[index + 1..], material);
            let targets =
                |content: &Picture, style: &Picture| shared.targets(&network, content, style, &cell.options);
            let painting = transfer_with(&network, content, style, &cell.options, targets, |event| {
                on_event(StudyEvent::Transfer(event))
            })?;
            if painting.reason == StopReason::Cancelled {
                return Err(TransferError::Cancelled);
            }
            painting.picture.write(&picture, Encoding::Png)?;
            write_atomically(&record, made_by.as_bytes())?;
            pictures.push(Picture::read(&picture, PIXEL_LIMIT)?.0);
        }
        Ok(pictures)
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
        for cell in &self.cells {
            let cells_own = cell.options.content_layers.0.iter().chain(&cell.options.style_layers.0);
            for entry in cells_own.filter(|entry| entry.weight > 0.0) {
                if !layers.iter().any(|known| known.layer == entry.layer) {
                    layers.push(LayerWeight { layer: entry.layer.clone(), weight: 1.0 });
                }
            }
        }
        let mut usage = Preset::Paper.options();
        usage.content_layers = LayerWeights(layers);
        usage.style_layers = LayerWeights::default();
        (usage.pooling, usage.conv) = (options.pooling, options.conv);
        usage
    }
}

impl Cell {
    /// What the picture depends on, beside the pictures and the network.
    ///
    /// The memory limit is not in it: by default it is what happens to be free, which differs from run to run.
    fn record(&self) -> String {
        let options = TransferOptions { memory_limit: None, ..self.options.clone() };
        let mut hasher = DefaultHasher::new();
        if let Init::Picture(start) = &options.init {
            hash_picture(start, &mut hasher);
        }
        format!("start {:016x}\n{options:#?}\n", hasher.finish())
    }
}

/// A line that changes when a picture or the network does.
fn fingerprint(material: Material<'_>) -> String {
    let mut hasher = DefaultHasher::new();
    for picture in [material.content, material.style] {
        hash_picture(picture, &mut hasher);
    }
    for conv in &material.network.convs {
        conv.kernel.iter().step_by(97).for_each(|value| value.to_bits().hash(&mut hasher));
    }
    format!("impasto {}, pictures and network {:016x}", env!("CARGO_PKG_VERSION"), hasher.finish())
}

fn hash_picture(picture: &Picture, hasher: &mut DefaultHasher) {
    (picture.height(), picture.width()).hash(hasher);
    picture.data().iter().for_each(|value| value.to_bits().hash(hasher));
}
