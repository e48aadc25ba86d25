//! `manifest.json`: what a folder of numbers holds.

use std::path::Path;

use impasto_style::Record;
use serde::Serialize;

/// What a manifest says that it is, by which an earlier dump is known.
pub(super) const FORMAT: &str = "impasto-dump";
/// The version of the format.
pub(super) const VERSION: u64 = 1;
/// The file's name.
pub(super) const FILE: &str = "manifest.json";

/// What a folder of numbers holds, what each of them is, and what it was computed from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Manifest {
    /// `impasto-dump`.
    pub format: &'static str,
    /// The version of the format: 1.
    pub format_version: u64,
    /// The command line, word by word; empty where there was none.
    pub command: Vec<String>,
    /// What decided the picture: version, options, inputs with their SHA-256.
    pub record: Record,
    /// The network, such as `vgg16`.
    pub network: String,
    /// (H, W) of the picture.
    pub height: usize,
    /// (H, W) of the picture.
    pub width: usize,
    /// Iterations that led to the picture.
    pub iterations: usize,
    /// In which precision the numbers were computed before they were rounded to `f32`.
    pub precision: &'static str,
    /// L(x), in double precision.
    pub loss: f64,
    /// L(x) as the fast path has it, in single precision.
    pub loss_of_engine: f64,
    /// |dL/dx| of both paths' difference over |dL/dx|, 2-norms.
    pub gradient_difference_of_engine: f64,
    /// The terms of L.
    pub terms: Vec<TermEntry>,
    /// The files.
    pub arrays: Vec<ArrayEntry>,
}

/// A term of L = sum of weight times loss.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TermEntry {
    /// Its name, which the names of its arrays begin with, such as `conv4_2.content`.
    pub name: String,
    /// `content`, `gram`, `wasserstein`, `tv` or `tv9`.
    pub kind: &'static str,
    /// The layer; none for a loss of the picture itself.
    pub layer: Option<String>,
    /// The name of its region, if there are several.
    pub region: Option<String>,
    /// The loss, as math.md has it.
    pub equation: &'static str,
    /// Its value, unweighted, in double precision.
    pub loss: f64,
    /// The same as the fast path has it.
    pub loss_of_engine: f64,
    /// What the loss is multiplied with in L: alpha times `layer_weight`, `scale` and `region_share`.
    pub weight: f64,
    /// alpha, beta or gamma.
    pub alpha: f64,
    /// w_l.
    pub layer_weight: f64,
    /// The factor of the loss scale.
    pub scale: f64,
    /// lambda = S/M, the share of the layer's positions that the region has; 1 without regions.
    pub region_share: f64,
    /// N, the filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<usize>,
    /// M, the positions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positions: Option<usize>,
    /// The paintings whose statistics make the target, from 1, each with its share.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blend: Vec<Share>,
}

/// A painting's share of a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Share {
    /// Its number, from 1.
    pub painting: usize,
    /// b_s w_ls / W_l.
    pub share: f64,
}

/// A file with an array.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArrayEntry {
    /// Its name in the folder.
    pub file: String,
    /// The paper's letter, or ours: `F`, `P`, `G`, `A`, `dL_dF`, ...
    pub symbol: &'static str,
    /// The sides, slowest first.
    pub shape: Vec<usize>,
    /// As NumPy names it.
    pub dtype: &'static str,
    /// What 1 is.
    pub unit: &'static str,
    /// What the numbers are.
    pub equation: String,
    /// The layer; none for the picture itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The name of the term that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// The number of the painting that it is of, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub painting: Option<usize>,
}

/// The manifest of a folder whose arrays are being written.
pub(super) fn unfinished() -> String {
    format!("{{ \"format\": \"{FORMAT}\", \"format_version\": {VERSION}, \"unfinished\": true }}\n")
}

/// Whether a folder holds an earlier dump, finished or not.
pub(super) fn is_dump(folder: &Path) -> bool {
    /// More than a manifest ever has.
    const MOST: u64 = 16 << 20;
    let path = folder.join(FILE);
    let text = std::fs::metadata(&path).ok().filter(|metadata| metadata.len() <= MOST);
    let text = text.and_then(|_| std::fs::read_to_string(&path).ok()).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    json["format"] == FORMAT
}
