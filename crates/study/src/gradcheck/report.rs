//! The rows of a check for programs: one JSON object.
//!
//! ```json
//! { "seed": 0, "points": 1, "passed": true, "rows": [
//!   { "operation": "ReLU", "shapes": "9 x 7 x 5", "verdict": "pass", "error": 2.1e-12, "tolerance": 1e-7, "step": 6.1e-6,
//!     "probes": 6, "kinks": 0, "nearest_kink": null } ] }
//! ```

use serde::Serialize;

use super::{Row, Selection, Verdict};

/// What was checked, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The seed of the random numbers.
    pub seed: u64,
    /// Points at which each operation was checked.
    pub points: usize,
    /// Whether no gradient is wrong.
    pub passed: bool,
    /// A row an operation.
    pub rows: Vec<ReportRow>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportRow {
    /// What was differentiated.
    pub operation: String,
    /// On which shapes, H x W x C.
    pub shapes: String,
    /// `pass`, `kink` (there is no derivative at any probe) or `fail`.
    pub verdict: &'static str,
    /// The relative error of the probe that tells most.
    pub error: f64,
    /// The relative error allowed.
    pub tolerance: f64,
    /// The step of that probe.
    pub step: f64,
    /// Directions that were tried, at all points.
    pub probes: usize,
    /// How many of them sit on a kink.
    pub kinks: usize,
    /// The smallest step that met a kink which smaller ones do not reach.
    pub nearest_kink: Option<f64>,
}

impl From<&Row> for ReportRow {
    fn from(row: &Row) -> Self {
        let worst = row.worst();
        Self {
            operation: row.operation.clone(),
            shapes: row.shapes.clone(),
            verdict: match row.verdict() {
                Verdict::Pass => "pass",
                Verdict::Kink => "kink",
                Verdict::Fail => "fail",
            },
            error: worst.relative_error(),
            tolerance: row.tolerance,
            step: worst.step(),
            probes: row.probes.len(),
            kinks: row.kinks(),
            nearest_kink: row.nearest_kink(),
        }
    }
}

impl Report {
    /// The report of these rows.
    pub fn new(selection: &Selection, rows: &[Row]) -> Self {
        let passed = rows.iter().all(|row| row.verdict() != Verdict::Fail);
        let rows = rows.iter().map(ReportRow::from).collect();
        Self { seed: selection.seed, points: selection.points, passed, rows }
    }

    /// The report as JSON, on several lines. An error that is not finite is null.
    ///
    /// # Errors
    /// Never, for a report that was made by [`Self::new`].
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}
