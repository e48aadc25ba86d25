//! What came of a job, in a file that people can read.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Holder;
use crate::Stamp;

/// How a job stands that nobody works at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its picture is there.
    Done,
    /// It could not be painted.
    Failed,
    /// Its process was gone before it was done.
    Interrupted,
}

/// A job that was at work: what it was asked for, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobFile {
    /// How it stands.
    pub status: Status,
    /// Where its picture goes.
    pub output: String,
    /// Of a failed one: why, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How often it has failed.
    #[serde(default)]
    pub failures: u32,
    /// How often its process was gone while it was painted.
    #[serde(default)]
    pub deaths: u32,
    /// What was asked for: the program, options, how pictures are written.
    pub asked: Value,
    /// The files that it was made of, as they were.
    #[serde(default)]
    pub inputs: Vec<Stamp>,
    /// The picture, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Stamp>,
    /// What is known of the painting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
    /// Who has written this.
    pub by: Holder,
    /// When, as RFC 3339.
    pub at: String,
}

/// Numbers of a painting.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// W, in pixels.
    pub width: usize,
    /// H, in pixels.
    pub height: usize,
    /// Accepted iterations.
    pub iterations: usize,
    /// Time that was spent on it, without what was between a stop and going on.
    pub seconds: f64,
    /// L of the picture.
    pub loss: f64,
    /// What each kind of loss is in it, before weights.
    #[serde(default)]
    pub losses: BTreeMap<String, f64>,
}

/// Now, as RFC 3339 in seconds.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
