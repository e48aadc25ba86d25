//! The font of the equations: Latin Modern Math, which pulldown-latex has in its package. Browsers need a font with a table of
//! mathematics to stretch brackets and roots, and few systems have one.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::BookError;

/// Copies the font to `to`. Cargo says where the package is.
pub(crate) fn copy(to: &Path) -> Result<(), BookError> {
    let from = package("pulldown-latex")?.join("font/latinmodern-math.woff2");
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(BookError::file(folder))?;
    }
    std::fs::copy(&from, to).map_err(BookError::file(&from))?;
    Ok(())
}

/// The folder of a package that this crate is built on.
fn package(name: &str) -> Result<PathBuf, BookError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version=1",
            "--offline",
            "--locked",
            "--filter-platform",
            env!("TARGET"),
        ])
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .map_err(|error| BookError::Font(format!("cargo does not start: {error}")))?;
    if !output.status.success() {
        return Err(BookError::Font(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| BookError::Font(error.to_string()))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut manifests = packages
        .filter(|package| package["name"] == name)
        .filter_map(|package| package["manifest_path"].as_str());
    let manifest = manifests.next().ok_or_else(|| BookError::Font(format!("there is no package {name}")))?;
    Ok(Path::new(manifest).parent().unwrap_or(Path::new("")).to_owned())
}
