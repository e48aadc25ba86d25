//! Where weights are: a file, a name in the user's folder of weights, or the binary itself.

use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, choose_base_strategy};

use crate::{Arch, WeightsError};

/// Where weights were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// In this file.
    File(PathBuf),
    /// In this binary.
    Embedded,
}

/// The folder that names are looked up in: `IMPASTO_WEIGHTS`, or `impasto` in the user's cache folder (`~/.cache/impasto`).
pub fn weights_folder() -> Option<PathBuf> {
    match std::env::var_os("IMPASTO_WEIGHTS") {
        Some(folder) if !folder.is_empty() => Some(folder.into()),
        _ => choose_base_strategy().ok().map(|user| user.cache_dir().join("impasto")),
    }
}

/// Finds what `--weights` names: a path, of which `-` is standard input; or `vgg16` or `vgg19`, which is the file of that name with the ending
/// `.safetensors` in [`weights_folder`], or for `vgg16` what is built in.
///
/// # Errors
/// [`WeightsError::NotConverted`] if there is no file of that name, with the command that makes one.
pub fn resolve(weights: &Path) -> Result<Weights, WeightsError> {
    let arch = weights.to_str().and_then(Arch::from_name);
    let Some(arch) = arch.filter(|_| !weights.exists()) else { return Ok(Weights::File(weights.into())) };
    let folder = weights_folder().unwrap_or_default();
    let path = folder.join(format!("{}.safetensors", arch.name()));
    if path.exists() {
        return Ok(Weights::File(path));
    }
    if arch == Arch::Vgg16 && cfg!(feature = "embedded-weights") {
        return Ok(Weights::Embedded);
    }
    Err(WeightsError::NotConverted { arch, path })
}
