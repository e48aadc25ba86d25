//! `--dry-run`: the jobs, and what they will take.

use impasto_batch::{Outcome, Queue, State};
use impasto_style::{Picture, Subject, plan};

use super::Arguments;
use super::display::in_seconds;
use super::estimate::{Estimate, memory_limit, painters};
use super::jobs::{Jobs, Planned};
use super::material::Material;
use crate::failure::Failure;
use crate::sources::counted;
use crate::streams::{put, tell};

pub(super) fn show(jobs: &Jobs, arguments: &Arguments) -> Result<(), Failure> {
    let material = Material::default();
    let there = there(jobs, &material);
    let pending: Vec<usize> = (0..jobs.planned.len()).filter(|&job| !there[job]).collect();
    let painters = painters(arguments, &jobs.planned, &pending);
    let left: Vec<&Planned> = pending.iter().map(|&job| &jobs.planned[job]).collect();
    let estimate = Estimate::new(&left, &material, painters);
    put(&format!(
        "{:>11}  {:>10}  {:>8}  {:>7}  {:<7}  picture",
        "pixels", "iterations", "memory", "time", ""
    ))?;
    let limit = memory_limit(arguments)?;
    for (planned, there) in jobs.planned.iter().zip(&there) {
        put(&line(planned, *there, &estimate, &material, limit))?;
    }
    for line in &jobs.bad {
        tell(&format!("Error: {line}"));
    }
    let seconds: f64 = left.iter().map(|job| estimate.of_job(job)).sum();
    let time = in_seconds(seconds / painters as f64);
    let done = jobs.planned.len() - pending.len();
    let bad = if jobs.bad.is_empty() {
        String::new()
    } else {
        format!(", {} that make no sense", counted(jobs.bad.len(), "row"))
    };
    let pending = counted(pending.len(), "picture");
    put(&format!("{pending} to paint, {done} there already{bad}: about {time}, {painters} at once"))
}

/// Which jobs are done, without making a folder of state.
fn there(jobs: &Jobs, material: &Material) -> Vec<bool> {
    let none = vec![false; jobs.planned.len()];
    if !jobs.state.is_dir() {
        return none;
    }
    // One that is not ours to write has nothing to say of what this call would do.
    let Ok(state) = State::open(&jobs.state) else { return none };
    let asked = jobs.planned.iter().map(|planned| planned.asked.clone()).collect();
    let outcomes = Queue::new(&state, &material.stamps, asked, 0).outcomes();
    outcomes.into_iter().map(|outcome| outcome == Some(Outcome::Kept)).collect()
}

fn line(
    planned: &Planned,
    there: bool,
    estimate: &Estimate,
    material: &Material,
    limit: Option<u64>,
) -> String {
    let (height, width) = planned.size();
    let pixels = format!("{width} x {height}");
    let iterations: usize = planned.scales.iter().map(|(_, iterations)| iterations).sum();
    let time = if there { "-".to_owned() } else { in_seconds(estimate.of_job(planned)) };
    let memory = memory(planned, material, limit)
        .map_or_else(|| "?".to_owned(), |bytes| format!("{} MiB", bytes.div_ceil(1 << 20)));
    let done = if there { "there" } else { "" };
    format!("{pixels:>11}  {iterations:>10}  {memory:>8}  {time:>7}  {done:<7}  {}", planned.name)
}

/// The bytes that a job takes alone, by its plan for pictures of its size.
fn memory(planned: &Planned, material: &Material, limit: Option<u64>) -> Option<u64> {
    let (height, width) = planned.size();
    let mut options = planned.job.options.clone();
    options.memory_limit = limit;
    let shared = material.network(&planned.job, &options).ok()?;
    let blank = || Picture::new(height, width, vec![0.0; height * width * 3]).ok();
    let subject = Subject::new(blank()?, blank()?);
    let plan = plan(&shared.network, &subject, height.max(width), &options).ok()?;
    Some(options.peak(&subject, &plan))
}
