//! Which network: the built-in one, or that of a file.

use std::path::{Path, PathBuf};

use clap::Args;
use impasto_style::{Arch, Network};
use impasto_vgg::{Convention, LoadOptions, Weights, resolve};

use crate::failure::Failure;

/// The options of the network.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct NetworkArguments {
    /// Weights of VGG-16 or VGG-19 in place of the built-in VGG-16: any file of them, or vgg19 for the one that was converted
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    /// What pictures the network of --weights expects, if its file does not tell: torch, caffe-bgr or caffe-rgb
    #[arg(long, value_name = "NAME", value_parser = parse_convention)]
    preprocess: Option<Convention>,
}

impl NetworkArguments {
    /// The network: that of `--weights`, or the built-in one.
    pub(crate) fn read(&self) -> Result<Network, Failure> {
        let found = self.weights.as_deref().map(resolve).transpose()?.unwrap_or(Weights::Embedded);
        let Weights::File(path) = found else {
            if self.preprocess.is_some() {
                let problem = "--preprocess is for a network from a file that --weights names; the built-in one says itself";
                return Err(Failure::wrong_use(problem));
            }
            return Ok(Network::embedded()?);
        };
        let options = LoadOptions { convention: self.preprocess, ..LoadOptions::default() };
        Ok(Network::load_with(&path, options)?)
    }

    /// The file that the weights are read from, if there is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        weights_file(self.weights.as_deref()?)
    }

    /// What `--preprocess` names.
    pub(crate) fn preprocess(&self) -> Option<Convention> {
        self.preprocess
    }

    /// The same with these where nothing was given.
    pub(crate) fn or(self, weights: Option<PathBuf>, preprocess: Option<Convention>) -> Self {
        Self { weights: self.weights.or(weights), preprocess: self.preprocess.or(preprocess) }
    }

    /// What a picture says of `--weights`: a file's name without its folders, or the name that stands for it; none of what is
    /// built in.
    pub(crate) fn said(&self) -> Option<String> {
        let file = self.file()?;
        let names = Arch::ALL.map(Arch::name);
        let stands_for_it =
            |name: &&str| weights_file(Path::new(name)).is_some_and(|known| is_same(&known, &file));
        let name = names.into_iter().find(stands_for_it).map(str::to_owned);
        name.or_else(|| Some(file.file_name()?.to_string_lossy().into_owned()))
    }

    /// What `--weights` names.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.weights.as_deref()
    }
}

/// The file that a name of weights stands for, if it is one and can be found.
pub(crate) fn weights_file(name: &Path) -> Option<PathBuf> {
    match resolve(name) {
        Ok(Weights::File(path)) => Some(path),
        _ => None,
    }
}

/// Whether both are paths of one file.
fn is_same(one: &Path, other: &Path) -> bool {
    std::path::absolute(one).ok() == std::path::absolute(other).ok()
}

/// The convention of a name.
pub(crate) fn parse_convention(name: &str) -> Result<Convention, String> {
    Convention::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Convention::ALL.iter().map(|convention| convention.name()).collect();
        format!("it is one of {}", names.join(", "))
    })
}
