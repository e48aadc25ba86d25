//! What a batch takes: memory, room on the disk, time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use impasto_batch::State;
use impasto_style::{
    Event, Init, Iterations, OPTIONS, Run, Scales, Scene, Size, Subject, TransferOptions, transfer_with,
    white_noise,
};
use rayon::ThreadPoolBuilder;
use rustix::fs::statvfs;

use super::Arguments;
use super::jobs::{AtSize, Planned};
use super::material::{Material, Shared};
use super::targets::PaintingTargets;
use crate::failure::Failure;

/// The limit of memory of the whole batch.
pub(super) fn memory_limit(arguments: &Arguments) -> Result<Option<u64>, Failure> {
    Ok(arguments.options.options()?.memory_limit)
}

/// Pictures whose longest side is up to this are painted one a thread: that gives more pictures an hour, as measured on two processors
/// (docs/batch.md). Larger ones take much memory each.
const SMALL: usize = 1024;

/// How many paint: as many as was said, and no more than there are pictures to paint.
pub(super) fn painters(arguments: &Arguments, planned: &[Planned], pending: &[usize]) -> usize {
    let threads = rayon::current_num_threads();
    let painters = arguments.jobs.map_or_else(|| default_painters(planned, pending, threads), usize::from);
    painters.min(pending.len()).max(1)
}

/// How many paint if nothing else is said: one for each thread if most of the work is on pictures that are not large, whose layers leave threads
/// waiting for one another; otherwise one.
fn default_painters(planned: &[Planned], pending: &[usize], threads: usize) -> usize {
    let cost = |is: fn(usize) -> bool| {
        let jobs = pending.iter().map(|&job| &planned[job]);
        jobs.filter(|job| is(job.size().0.max(job.size().1))).map(Planned::cost).sum::<f64>()
    };
    if cost(|side| side <= SMALL) > cost(|side| side > SMALL) { threads } else { 1 }
}

/// Checks that there is room for all pictures that are still to be painted, as large as they can be, on their file systems.
pub(super) fn check_disk(planned: &[Planned], pending: &[usize], state: &State) -> Result<(), Failure> {
    let mut systems: BTreeMap<u64, (u64, u64, PathBuf)> = BTreeMap::new();
    for &job in pending {
        let planned = &planned[job];
        let (height, width) = planned.size();
        let Ok(encoding) = crate::output::encoding(&planned.job.output, &planned.job.written) else {
            continue;
        };
        let Ok(writing) = planned.job.written.writing(encoding, &planned.name) else { continue };
        let folder = existing(&planned.asked.output);
        let Ok(system) = statvfs(&folder) else { continue };
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        let entry = systems.entry(system.f_fsid).or_insert((0, free, folder));
        entry.0 += writing.largest_bytes(height, width, false);
    }
    match systems.values().find(|(needed, free, _)| needed > free) {
        Some((needed, free, folder)) => {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            Err(Failure::failed(format!(
                "the pictures may take {} MiB, and {} has {} MiB left: make room, or write to another disk (the state is in {})",
                mib(*needed),
                folder.display(),
                free >> 20,
                state.folder().display()
            )))
        }
        None => Ok(()),
    }
}

/// The nearest folder above a path that is there.
fn existing(path: &Path) -> PathBuf {
    path.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("/")).into()
}

/// What was measured at a longest side, in a square: seconds of an iteration, and of what comes before the first one at a scale.
#[derive(Debug, Clone, Copy)]
struct Speed {
    side: usize,
    iteration: f64,
    before: f64,
}

/// How long pictures take here, by a measurement of about a second. Jobs of other layers, losses and methods are measured apart.
#[derive(Debug)]
pub(super) struct Estimate(Vec<(Work, Vec<Speed>)>);

/// What decides how long an iteration takes, beside the pixels: the network, and values of options.
type Work = (Option<PathBuf>, Vec<Option<String>>);

/// Those options.
const DECIDING: [&str; 11] = [
    "content-layers",
    "style-layers",
    "style-loss",
    "style-weight",
    "tv-weight",
    "pool",
    "conv",
    "border",
    "optimizer",
    "history",
    "colours",
];

/// As many kinds of work are measured; the rest is taken for the first one.
const MOST_KINDS: usize = 6;

fn work(planned: &Planned) -> Work {
    let options = &planned.job.options;
    let value = |name: &&str| OPTIONS.iter().find(|row| row.name == *name).and_then(|row| row.get(options));
    (planned.job.network.path().map(Into::into), DECIDING.iter().map(value).collect())
}

impl Estimate {
    /// Measures what these jobs are made of, as many at once as there will be. What cannot be measured, because its network is not there, has no
    /// time.
    pub(super) fn new(planned: &[&Planned], material: &Material, painters: usize) -> Self {
        let mut kinds: Vec<(Work, Vec<&Planned>)> = Vec::new();
        for job in planned {
            let work = work(job);
            match kinds.iter_mut().find(|(known, _)| *known == work) {
                Some((_, jobs)) => jobs.push(job),
                None => kinds.push((work, vec![job])),
            }
        }
        kinds.truncate(MOST_KINDS);
        let each = BUDGET / kinds.len().max(1) as f64;
        let measured = kinds.into_iter().filter_map(|(work, jobs)| {
            let options = &jobs.first()?.job.options;
            let shared = material.network(&jobs.first()?.job, options).ok()?;
            Some((work, speeds(&jobs, (&shared, options), painters, each).ok()?))
        });
        Self(measured.collect())
    }

    /// The time that one takes.
    pub(super) fn of_job(&self, planned: &Planned) -> f64 {
        let work = work(planned);
        let known = self.0.iter().find(|(known, _)| *known == work).or(self.0.first());
        let speeds = known.map_or(&[][..], |(_, speeds)| speeds);
        let scale = |&((height, width), iterations): &AtSize| {
            let side = height.max(width);
            let Some(near) = speeds.iter().min_by_key(|speed| speed.side.abs_diff(side)) else {
                return 0.0;
            };
            let pixels = (height * width) as f64 / (near.side * near.side) as f64;
            (near.iteration * iterations as f64 + near.before) * pixels
        };
        planned.scales.iter().map(scale).sum()
    }
}

/// Speeds at the sizes that the work is at, from the smallest on, as long as the next one would not take too long.
fn speeds(
    planned: &[&Planned],
    (shared, options): (&Shared, &TransferOptions),
    painters: usize,
    budget: f64,
) -> Result<Vec<Speed>, Failure> {
    let mut sides: Vec<usize> =
        planned.iter().flat_map(|job| job.scales.iter().map(|((h, w), _)| (*h).max(*w))).collect();
    sides.sort_unstable();
    sides.dedup();
    // Of many sizes some, the smallest and the largest among them.
    let every = sides.len().div_ceil(5).max(1);
    let sides: Vec<usize> = sides.iter().rev().step_by(every).rev().copied().collect();
    let (mut measured, begun) = (Vec::new(), Instant::now());
    for (at, &side) in sides.iter().enumerate() {
        let foreseen = measured.last().map_or(0.0, |last: &Speed| {
            (last.before + 4.0 * last.iteration) * (side as f64 / last.side as f64).powi(2)
        });
        let left = budget - begun.elapsed().as_secs_f64();
        if at > 0 && foreseen > left.max(0.2) {
            break;
        }
        let time = (left / (sides.len() - at) as f64).max(0.1);
        measured.push(speed(side, (shared, options), painters, time)?);
    }
    Ok(measured)
}

/// Evaluations of an iteration, as runs have it in the end: the first iterations, which are measured, take more.
const EVALUATIONS: f64 = 1.05;

/// Seconds of measurement.
const BUDGET: f64 = 1.0;

/// The speed at one size: noise is painted for that time, by as many at once as there will be. What all jobs share is there before the clock runs.
fn speed(
    side: usize,
    (shared, options): (&Shared, &TransferOptions),
    painters: usize,
    seconds: f64,
) -> Result<Speed, Failure> {
    let mut options = options.clone();
    options.size = Size::Longest(side);
    options.scales = Scales::Count(1);
    options.iterations = Iterations::from(1000);
    options.init = Init::Content;
    options.blend = Vec::new();
    let threads = (rayon::current_num_threads() / painters).max(1);
    let targets = PaintingTargets::default();
    let one = || -> Result<Speed, Failure> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::failed)?;
        let subject = Subject::new(white_noise(side, side, 1)?, white_noise(side, side, 2)?);
        let paint = |seconds: f64, least: usize| -> Result<Speed, Failure> {
            let (begun, mut first, mut evaluations) = (Instant::now(), Duration::ZERO, (0, 0));
            let network = (&shared.network, &shared.input);
            let measure = |scene: &Scene<'_>| targets.measure(scene, network, &options);
            let run = Run { measure: Some(Box::new(measure)), ..Run::default() };
            transfer_with(network.0, &subject, &options, run, |event| {
                if let Event::Iteration(progress) = event {
                    evaluations.1 = progress.evaluations;
                    if progress.iteration == 1 {
                        (first, evaluations.0) = (begun.elapsed(), progress.evaluations);
                    }
                    if progress.iteration >= least && begun.elapsed().as_secs_f64() > seconds {
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            })?;
            let rest = begun.elapsed().saturating_sub(first).as_secs_f64();
            let evaluation = rest / (evaluations.1 - evaluations.0).max(1) as f64;
            let before = first.as_secs_f64() - evaluation * evaluations.0 as f64;
            Ok(Speed { side, iteration: EVALUATIONS * evaluation, before: before.max(0.0) })
        };
        // Kernels are packed, and the painting is measured, once for all jobs.
        pool.install(|| paint(0.0, 1).and_then(|_| paint(seconds, 4)))
    };
    let speeds: Vec<Result<Speed, Failure>> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..painters).map(|_| scope.spawn(one)).collect();
        let failed = || Err(Failure::failed("the measurement of time ended early"));
        all.into_iter().map(|one| one.join().unwrap_or_else(|_| failed())).collect()
    });
    let speeds = speeds.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mean = |of: fn(&Speed) -> f64| speeds.iter().map(of).sum::<f64>() / speeds.len().max(1) as f64;
    Ok(Speed { side, iteration: mean(|speed| speed.iteration), before: mean(|speed| speed.before) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the table has not would count as nothing.
    #[test]
    fn what_decides_the_time_is_in_the_table_of_options() {
        for name in DECIDING {
            assert!(OPTIONS.iter().any(|row| row.name == name), "{name}");
        }
    }
}
