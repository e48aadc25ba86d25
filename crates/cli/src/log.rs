//! `--log`: one JSON object a line, one line an iteration, each written out at once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use impasto_style::picture::check_folder;
use impasto_style::{LayerLoss, Progress};
use serde::Serialize;

use crate::failure::Failure;

/// The open log.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
}

/// One line.
#[derive(Debug, Serialize)]
struct Line<'a> {
    iteration: usize,
    evaluations: usize,
    seconds: f64,
    scale: usize,
    width: usize,
    height: usize,
    loss: f64,
    content: f64,
    style: f64,
    tv: f64,
    content_layers: BTreeMap<&'a str, f64>,
    style_layers: BTreeMap<&'a str, f64>,
    gradient_norm: f64,
    step: f64,
}

impl Log {
    /// Starts an empty log.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        check_folder(path)?;
        let file = File::create(path).map_err(|error| cannot_write(path, &error))?;
        Ok(Self { path: path.into(), file })
    }

    /// Adds the line of an iteration.
    pub(crate) fn write(&mut self, progress: &Progress<'_>) -> Result<(), Failure> {
        fn by_layer(layers: &[LayerLoss]) -> BTreeMap<&str, f64> {
            layers.iter().map(|entry| (entry.layer.as_str(), entry.loss)).collect()
        }
        let losses = progress.losses;
        let line = Line {
            iteration: progress.iteration,
            evaluations: progress.evaluations,
            seconds: progress.elapsed.as_secs_f64(),
            scale: progress.scale + 1,
            width: progress.size.1,
            height: progress.size.0,
            loss: losses.total,
            content: losses.content,
            style: losses.style,
            tv: losses.tv,
            content_layers: by_layer(&losses.content_layers),
            style_layers: by_layer(&losses.style_layers),
            gradient_norm: progress.gradient_norm,
            step: progress.step,
        };
        let mut bytes = serde_json::to_vec(&line).map_err(Failure::failed)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes).map_err(|error| cannot_write(&self.path, &error))
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot write {}: {error}", path.display()))
}
