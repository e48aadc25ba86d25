//! Which network: the one built in, that of a file, or one in memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use impasto_style::{Arch, Input, Network, Record, Role};
use impasto_vgg::{Convention, LoadOptions, Weights, resolve};
use pyo3::prelude::*;

use crate::error::{Failure, Result};
use crate::network;
use crate::text::{path_of, text_of};

/// The network that was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct NetworkChoice {
    /// A file, or the name of an architecture.
    pub(crate) weights: Option<PathBuf>,
    /// One in memory.
    pub(crate) loaded: Option<Arc<Network>>,
    /// What pictures its network expects, where that was said.
    pub(crate) preprocess: Option<Convention>,
}

impl NetworkChoice {
    /// The names of its keywords.
    pub(crate) const NAMES: [&str; 2] = ["weights", "preprocess"];

    /// Puts in what a keyword of [`Self::NAMES`] says.
    pub(crate) fn set(&mut self, name: &str, value: &Bound<'_, PyAny>) -> Result<()> {
        if name == "preprocess" {
            self.preprocess = Some(convention(&text_of(name, value)?)?);
        } else if let Ok(network) = value.cast::<network::Network>() {
            *self = Self { preprocess: self.preprocess, ..network.get().choice().clone() };
        } else {
            self.weights = Some(path_of(name, value)?);
        }
        Ok(())
    }

    /// This, and what a record says where nothing was given.
    pub(crate) fn or(self, record: &Record) -> Result<Self> {
        let Some(input) = record.inputs_of(Role::Weights).next().filter(|_| self.is_default()) else {
            return Ok(self);
        };
        let preprocess = input.preprocess.as_deref().map(convention).transpose()?;
        let weights = input.path.as_ref().map(PathBuf::from);
        Ok(Self { weights, preprocess: self.preprocess.or(preprocess), ..self })
    }

    fn is_default(&self) -> bool {
        self.weights.is_none() && self.loaded.is_none()
    }

    /// The network itself.
    pub(crate) fn read(&self) -> Result<Arc<Network>> {
        if let Some(network) = &self.loaded {
            return Ok(Arc::clone(network));
        }
        let found = self.weights.as_deref().map(resolve).transpose()?.unwrap_or(Weights::Embedded);
        let Weights::File(path) = found else {
            if self.preprocess.is_some() {
                let problem = "`preprocess` is for a network from a file that `weights` names; the built-in one says itself";
                return Err(Failure::value(problem));
            }
            return Ok(Arc::new(Network::embedded()?));
        };
        let options = LoadOptions { convention: self.preprocess, ..LoadOptions::default() };
        Ok(Arc::new(Network::load_with(&path, options)?))
    }

    /// The file that it is read from, if there is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        file_of(self.weights.as_deref()?)
    }

    /// What a picture says of it: a file's name without its folders, or the name that stands for it; none of what is built in.
    pub(crate) fn said(&self) -> Option<String> {
        let file = self.file()?;
        let absolute = |path: &Path| std::path::absolute(path).ok();
        let stands_for_it =
            |name: &&str| file_of(Path::new(name)).is_some_and(|known| absolute(&known) == absolute(&file));
        let name = Arch::ALL.map(Arch::name).into_iter().find(stands_for_it).map(str::to_owned);
        name.or_else(|| Some(file.file_name()?.to_string_lossy().into_owned()))
    }

    /// The input of a record.
    pub(crate) fn input(&self, network: &Network, path: impl Fn(&Path) -> Option<PathBuf>) -> Input {
        Input::network(self.file().and_then(|file| path(&file)).as_deref(), network)
    }
}

/// The file that a name of weights stands for, if it is one and can be found.
fn file_of(name: &Path) -> Option<PathBuf> {
    match resolve(name) {
        Ok(Weights::File(path)) => Some(path),
        _ => None,
    }
}

/// The convention of a name.
pub(crate) fn convention(name: &str) -> Result<Convention> {
    Convention::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Convention::ALL.iter().map(|convention| convention.name()).collect();
        Failure::value(format!("`preprocess` must be one of {}, not {name}", names.join(", ")))
    })
}
