//! The files that a command reads, which nothing that it writes may overwrite.

use std::path::{Path, PathBuf};

use impasto_files::keep_apart;
use impasto_style::Init;

use crate::failure::Failure;
use crate::network::NetworkArguments;
use crate::pictures::file_of_picture;
use crate::place::is_standard;

/// Files that are read, each with what names it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inputs {
    files: Vec<(&'static str, PathBuf)>,
    /// The start, which the picture may take the place of.
    start: Option<PathBuf>,
}

impl Inputs {
    /// Those pictures, the start if it is a file, and the weights.
    pub(crate) fn new(pictures: &[(&'static str, &Path)], init: &Init, network: &NetworkArguments) -> Self {
        let pictures = pictures.iter().map(|&(name, path)| (name, file_of_picture(path).to_owned()));
        let weights = network.file().map(|path| ("--weights", file_of_picture(&path).to_owned()));
        let start = if let Init::File(path) = init { Some(file_of_picture(path).to_owned()) } else { None };
        Self { files: pictures.chain(weights).collect(), start }
    }

    /// One more.
    pub(crate) fn push(&mut self, name: &'static str, path: &Path) {
        self.files.push((name, file_of_picture(path).to_owned()));
    }

    /// Refuses outputs that are inputs, or one another. Each has the name of its option; `-o` may be the start. Standard input
    /// and output are one thing each.
    pub(crate) fn keep_apart(&self, outputs: &[(&str, &Path)]) -> Result<(), Failure> {
        let start = self.start.iter().map(|path| ("--init", path));
        let read = self.files.iter().map(|(name, path)| (*name, path)).chain(start);
        let mut read = read.filter(|(_, path)| *path == Path::new("/dev/stdin")).map(|(name, _)| name);
        if let (Some(one), Some(other)) = (read.next(), read.next()) {
            return Err(Failure::wrong_use(format!(
                "standard input can be read once: give - to {one} or to {other}, not to both"
            )));
        }
        let (standard, outputs): (Vec<_>, Vec<_>) = outputs.iter().partition(|(_, path)| is_standard(path));
        if let [(one, _), (other, _), ..] = standard[..] {
            return Err(Failure::wrong_use(format!(
                "standard output takes one thing: give - to {one} or to {other}, not to both"
            )));
        }
        let files: Vec<(&str, &Path)> = self.files.iter().map(|(name, path)| (*name, &**path)).collect();
        keep_apart(&outputs, &files)?;
        if let Some(start) = &self.start {
            // A picture may be painted further: `--init X -o X`.
            let others: Vec<_> = outputs.into_iter().filter(|(name, _)| *name != "-o").collect();
            keep_apart(&others, &[("--init", start)])?;
        }
        Ok(())
    }
}
