//! `--dry-run`: the jobs, and what they will take.

use std::time::Duration;

use impasto_batch::{Outcome, Queue, State};
use impasto_style::{Picture, Subject, plan};

use super::Arguments;
use super::estimate::{Measured, default_painters, memory_limit};
use super::jobs::{Jobs, Planned};
use super::material::Material;
use crate::duration::spoken;
use crate::failure::Failure;
use crate::sources::counted;
use crate::streams::{put, tell};

pub(super) fn show(jobs: &Jobs, arguments: &Arguments) -> Result<(), Failure> {
    let material = Material::default();
    let there = there(jobs, &material)?;
    let pending: Vec<usize> = (0..jobs.planned.len()).filter(|&job| !there[job]).collect();
    let threads = rayon::current_num_threads();
    let painters =
        arguments.jobs.map_or_else(|| default_painters(&jobs.planned, &pending, threads), usize::from);
    let painters = painters.min(pending.len()).max(1);
    let measured =
        pending.first().map(|&first| measure(jobs, &jobs.planned[first], &material, painters)).transpose()?;
    put(&format!(
        "{:>11}  {:>10}  {:>8}  {:>7}  {:<7}  picture",
        "pixels", "iterations", "memory", "time", ""
    ))?;
    let limit = memory_limit(arguments)?;
    for (planned, there) in jobs.planned.iter().zip(&there) {
        put(&line(planned, *there, measured.as_ref(), &material, limit))?;
    }
    jobs.bad.iter().for_each(|line| tell(&format!("Error: {line}")));
    let left: Vec<&Planned> = pending.iter().map(|&job| &jobs.planned[job]).collect();
    let seconds: f64 =
        measured.as_ref().map_or(0.0, |measured| left.iter().map(|job| measured.of_job(job)).sum());
    let time = spoken(Duration::from_secs_f64(seconds / painters as f64));
    let done = jobs.planned.len() - pending.len();
    let bad = if jobs.bad.is_empty() {
        String::new()
    } else {
        format!(", {} that make no sense", counted(jobs.bad.len(), "row"))
    };
    put(&format!(
        "{} to paint, {done} there already{bad}: about {time}, {painters} at once",
        counted(pending.len(), "picture")
    ))
}

/// Which jobs are done, without making a folder of state.
fn there(jobs: &Jobs, material: &Material) -> Result<Vec<bool>, Failure> {
    if !jobs.state.is_dir() {
        return Ok(vec![false; jobs.planned.len()]);
    }
    let state = State::open(&jobs.state).map_err(Failure::failed)?;
    let asked = jobs.planned.iter().map(|planned| planned.asked.clone()).collect();
    let outcomes = Queue::new(&state, &material.stamps, asked, 0).outcomes();
    Ok(outcomes.into_iter().map(|outcome| outcome == Some(Outcome::Kept)).collect())
}

fn measure(jobs: &Jobs, first: &Planned, material: &Material, painters: usize) -> Result<Measured, Failure> {
    let options = &first.job.options;
    let shared = material.network(&first.job, options)?;
    Measured::new(&jobs.planned, (&shared.network, options), painters)
}

fn line(
    planned: &Planned,
    there: bool,
    measured: Option<&Measured>,
    material: &Material,
    limit: Option<u64>,
) -> String {
    let (height, width) = planned.size();
    let pixels = format!("{width} x {height}");
    let iterations: usize = planned.scales.iter().map(|(_, iterations)| iterations).sum();
    let time = measured.map_or(0.0, |measured| measured.of_job(planned));
    let time = if there { "-".to_owned() } else { spoken(Duration::from_secs_f64(time)) };
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
    Some(options.peak_of(&subject, &plan))
}
