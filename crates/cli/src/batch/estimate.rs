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

/// What was measured at a size: seconds of an evaluation of loss and gradient.
#[derive(Debug, Clone, Copy)]
struct Speed {
    pixels: f64,
    evaluation: f64,
}

/// How long pictures take here, by a short measurement. Jobs of other layers, losses and methods are measured apart.
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
        let measured = kinds.into_iter().filter_map(|(work, jobs)| {
            let options = &jobs.first()?.job.options;
            let shared = material.network(&jobs.first()?.job, options).ok()?;
            Some((work, speeds(&jobs, (&shared, options), painters).ok()?))
        });
        Self(measured.collect())
    }

    /// The time that one takes.
    pub(super) fn of_job(&self, planned: &Planned) -> f64 {
        let work = work(planned);
        let known = self.0.iter().find(|(known, _)| *known == work).or(self.0.first());
        known.map_or(0.0, |(_, speeds)| seconds(speeds, planned))
    }
}

/// Evaluations of an iteration: now and then the line search needs a second one.
const EVALUATIONS: f64 = 1.02;

/// Those that come before the first iteration at a size: of where it begins, and about twice as much for what the photo and the painting give.
const BEFORE: f64 = 3.0;

/// The time of a job, by these speeds.
fn seconds(speeds: &[Speed], planned: &Planned) -> f64 {
    let scale = |&((height, width), iterations): &AtSize| {
        (EVALUATIONS * iterations as f64 + BEFORE) * evaluation(speeds, (height * width) as f64)
    };
    planned.scales.iter().map(scale).sum()
}

/// Seconds of an evaluation: linear in the pixels, as losses have a part that is the same at every size. Between two sizes that were measured it is
/// the line of these, beyond the largest that of the smallest and the largest, which chance tilts least.
fn evaluation(speeds: &[Speed], pixels: f64) -> f64 {
    let (Some(first), Some(last)) = (speeds.first(), speeds.last()) else { return 0.0 };
    if speeds.len() == 1 {
        return first.evaluation * pixels / first.pixels;
    }
    let above = speeds.partition_point(|speed| speed.pixels < pixels);
    let (small, large) = match above {
        0 => (first, &speeds[1]),
        _ if above == speeds.len() => (first, last),
        _ => (&speeds[above - 1], &speeds[above]),
    };
    let slope = (large.evaluation - small.evaluation).max(0.0) / (large.pixels - small.pixels);
    let from = if pixels > large.pixels { large } else { small };
    (from.evaluation + slope * (pixels - from.pixels)).max(0.0)
}

/// A measurement begins with this longest side, or with the smallest of the work if that is smaller.
const FIRST: usize = 128;

/// Seconds of a measurement: of a longer batch a fiftieth of what it takes, up to the second number.
const BUDGET: (f64, f64) = (3.0, 10.0);

/// Evaluations that a measurement takes, with what comes before them.
const MEASURED: f64 = 7.0;

/// Speeds at the sizes that the work is at, from the smallest on, as long as the next one does not take too long; and at a small one, for what
/// is the same at every size.
fn speeds(
    planned: &[&Planned],
    (shared, options): (&Shared, &TransferOptions),
    painters: usize,
) -> Result<Vec<Speed>, Failure> {
    let mut sides: Vec<usize> =
        planned.iter().flat_map(|job| job.scales.iter().map(|((h, w), _)| (*h).max(*w))).collect();
    sides.sort_unstable();
    sides.dedup();
    // Of many sizes some, the smallest and the largest among them.
    let every = sides.len().div_ceil(5).max(1);
    let first = sides.first().map_or(FIRST, |&side| side.min(FIRST));
    let more = sides.iter().rev().step_by(every).rev().copied().filter(|&side| side > first);
    let (mut measured, begun): (Vec<Speed>, _) = (Vec::new(), Instant::now());
    for side in [first / 4, first].into_iter().filter(|&side| side >= 8).chain(more) {
        let took = begun.elapsed().as_secs_f64();
        if side > first {
            // Two that are near each other say little of larger ones.
            if measured.last().is_some_and(|last| (side * side) as f64 <= 2.0 * last.pixels) {
                continue;
            }
            let all: f64 = planned.iter().map(|job| seconds(&measured, job)).sum();
            let allowed = (all / painters as f64 / 50.0).clamp(BUDGET.0, BUDGET.1);
            if took + MEASURED * evaluation(&measured, (side * side) as f64) > allowed {
                break;
            }
        }
        measured.push(speed(side, (shared, options), painters)?);
    }
    Ok(measured)
}

/// The speed at one size: noise is painted, by as many at once as there will be.
fn speed(
    side: usize,
    (shared, options): (&Shared, &TransferOptions),
    painters: usize,
) -> Result<Speed, Failure> {
    let mut options = options.clone();
    options.size = Size::Longest(side);
    options.scales = Scales::Count(1);
    options.iterations = Iterations::from(1000);
    options.init = Init::Content;
    options.blend = Vec::new();
    let threads = (rayon::current_num_threads() / painters).max(1);
    let targets = PaintingTargets::default();
    let one = || -> Result<f64, Failure> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::failed)?;
        let subject = Subject::new(white_noise(side, side, 1)?, white_noise(side, side, 2)?);
        let network = (&shared.network, &shared.input);
        let (mut first, mut last) = (None, (Duration::ZERO, 0));
        let begun = Instant::now();
        pool.install(|| {
            let measure = |scene: &Scene<'_>| targets.measure(scene, network, &options);
            let run = Run { measure: Some(Box::new(measure)), ..Run::default() };
            transfer_with(network.0, &subject, &options, run, |event| {
                let Event::Iteration(progress) = event else { return ControlFlow::Continue(()) };
                last = (begun.elapsed(), progress.evaluations);
                let first = first.get_or_insert(last);
                let is_enough = progress.iteration >= 4 && last.0.saturating_sub(first.0).as_secs_f64() > 0.2;
                if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        })?;
        let (time, evaluations) = first.unwrap_or(last);
        Ok(last.0.saturating_sub(time).as_secs_f64() / (last.1 - evaluations).max(1) as f64)
    };
    let all: Vec<Result<f64, Failure>> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..painters).map(|_| scope.spawn(one)).collect();
        let failed = || Err(Failure::failed("the measurement of time ended early"));
        all.into_iter().map(|one| one.join().unwrap_or_else(|_| failed())).collect()
    });
    let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Speed { pixels: (side * side) as f64, evaluation: all.iter().sum::<f64>() / all.len().max(1) as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part that is the same at every size is not taken to grow with the pixels.
    #[test]
    fn time_is_linear_between_and_beyond_the_sizes_that_were_measured() {
        let speed = |pixels: f64| Speed { pixels, evaluation: 0.2 + 1e-6 * pixels };
        let speeds = [speed(1024.0), speed(16384.0), speed(65536.0)];
        for count in 2..=3 {
            for pixels in [256.0, 1024.0, 4000.0, 16384.0, 40000.0, 1e6] {
                let right = speed(pixels).evaluation;
                assert!((evaluation(&speeds[..count], pixels) - right).abs() < 1e-12 * right, "{pixels}");
            }
        }
        assert_eq!(evaluation(&speeds[..1], 2048.0), 2.0 * speeds[0].evaluation);
        assert_eq!(evaluation(&[], 2048.0), 0.0);
        // Two measurements that differ the wrong way, by chance.
        let odd = [Speed { pixels: 1.0, evaluation: 2.0 }, Speed { pixels: 2.0, evaluation: 1.0 }];
        assert_eq!(evaluation(&odd, 9.0), 1.0);
    }

    /// A name that the table has not would count as nothing.
    #[test]
    fn what_decides_the_time_is_in_the_table_of_options() {
        for name in DECIDING {
            assert!(OPTIONS.iter().any(|row| row.name == name), "{name}");
        }
    }
}
