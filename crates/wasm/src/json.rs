//! What goes between Rust and JavaScript as JSON: options there, progress back.

use std::collections::BTreeMap;

use impasto_style::{
    Choices, OptionsError, Progress, Summary, TermLoss, TermSpec, TransferOptions, Value, Weight,
};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::MEMORY_LIMIT;

/// The options of a JSON object: names of the command line without dashes, values as numbers, texts or lists of numbers. What it
/// does not name is the preset's.
pub(crate) fn options(json: &str) -> Result<TransferOptions, JsError> {
    let named: BTreeMap<String, Value> = serde_json::from_str(json).map_err(|error| {
        JsError::new(&format!("the options are no JSON object of texts and numbers: {error}"))
    })?;
    Ok(chosen(&named)?)
}

fn chosen(named: &BTreeMap<String, Value>) -> Result<TransferOptions, OptionsError> {
    let mut choices = Choices::default();
    for (name, value) in named {
        choices.set(name, &value.to_string())?;
    }
    let mut options = choices.options()?;
    if !choices.has("memory-limit") {
        options.memory_limit = Some(MEMORY_LIMIT);
    }
    Ok(options)
}

/// What is going to be done.
#[derive(Serialize)]
struct Plan {
    width: usize,
    height: usize,
    /// Of all scales.
    iterations: usize,
    /// The most iterations at each scale, coarse to fine.
    scales: Vec<ScaleOfPlan>,
    /// What the largest scale holds.
    bytes: u64,
}

#[derive(Serialize)]
struct ScaleOfPlan {
    width: usize,
    height: usize,
    iterations: usize,
}

/// An accepted iteration.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    iteration: usize,
    scale: usize,
    width: usize,
    height: usize,
    evaluations: usize,
    seconds: f64,
    loss: f64,
    gradient_norm: f64,
    step: f64,
    terms: Vec<LossOfTerm>,
}

/// The loss of one term as its equation has it, and what it is multiplied with in the total.
#[derive(Serialize)]
struct LossOfTerm {
    kind: &'static str,
    layer: Option<String>,
    loss: f64,
    weight: f64,
    /// What the options would have it weigh.
    full: f64,
}

impl From<&TermLoss> for LossOfTerm {
    fn from(term: &TermLoss) -> Self {
        let weight = term.weight.product();
        Self { kind: term.kind.name(), layer: term.layer.clone(), loss: term.loss, weight, full: weight }
    }
}

/// A term that can be weighed.
#[derive(Serialize)]
struct Named {
    kind: &'static str,
    layer: Option<String>,
}

/// A summary as an object of JavaScript.
pub(crate) fn plan(summary: &Summary) -> Result<JsValue, JsError> {
    let scales = summary.scales.iter().zip(&summary.scale_iterations);
    object(&Plan {
        width: summary.size.1,
        height: summary.size.0,
        iterations: summary.iterations,
        scales: scales
            .map(|(&(height, width), &iterations)| ScaleOfPlan { width, height, iterations })
            .collect(),
        bytes: summary.bytes,
    })
}

impl From<Progress<'_>> for Told {
    fn from(progress: Progress<'_>) -> Self {
        Self {
            iteration: progress.iteration,
            scale: progress.scale,
            width: progress.size.1,
            height: progress.size.0,
            evaluations: progress.evaluations,
            seconds: progress.elapsed.as_secs_f64(),
            loss: progress.losses.total,
            gradient_norm: progress.gradient_norm,
            step: progress.step,
            terms: progress.losses.terms.iter().map(Into::into).collect(),
        }
    }
}

impl Told {
    /// As an object of JavaScript, with what the options would have the terms weigh.
    pub(crate) fn object(mut self, weights: &[Weight]) -> Result<JsValue, JsError> {
        for (term, weight) in self.terms.iter_mut().zip(weights) {
            term.full = weight.product();
        }
        object(&self)
    }
}

/// Terms as a list of JavaScript.
pub(crate) fn terms(specs: &[TermSpec]) -> Result<JsValue, JsError> {
    let named = |spec: &TermSpec| Named { kind: spec.kind.name(), layer: spec.layer.clone() };
    object(&specs.iter().map(named).collect::<Vec<_>>())
}

fn object(value: &impl Serialize) -> Result<JsValue, JsError> {
    let text = serde_json::to_string(value)?;
    js_sys::JSON::parse(&text).map_err(|_| JsError::new("JavaScript does not read this JSON"))
}
