//! How long it still takes: what was done since the first iteration, against what is left.

use std::collections::VecDeque;
use std::time::Duration;

use impasto_style::Summary;

/// The iterations of a transfer, a scale at a time: what one of them costs, in pixels, and how many there are at most.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Work(Vec<(f64, usize)>);

impl Work {
    /// That of a transfer that is about to start.
    pub(crate) fn of(summary: &Summary) -> Self {
        Self::of_scales(summary.scales.iter().copied().zip(summary.scale_iterations.iter().copied()))
    }

    /// That of a transfer of some scales, each with its size (H, W) and its iterations.
    pub(crate) fn of_scales(scales: impl IntoIterator<Item = ((usize, usize), usize)>) -> Self {
        let pixels = |(height, width): (usize, usize)| height as f64 * width as f64;
        Self(scales.into_iter().map(|(size, iterations)| (pixels(size), iterations)).collect())
    }

    /// Iterations of all scales.
    pub(crate) fn iterations(&self) -> usize {
        self.0.iter().fold(0, |sum, &(_, iterations)| sum.saturating_add(iterations))
    }

    /// What is left after `done` iterations of a scale.
    fn left(&self, scale: usize, done: usize) -> f64 {
        let rest = self.0.iter().enumerate().skip(scale);
        rest.map(|(at, &(pixels, iterations))| {
            let done = if at == scale { done } else { 0 };
            pixels * iterations.saturating_sub(done) as f64
        })
        .sum()
    }

    /// Iterations of the scales before one.
    fn before(&self, scale: usize) -> usize {
        self.0.iter().take(scale).fold(0, |sum, &(_, iterations)| sum.saturating_add(iterations))
    }
}

/// Where a command is: the transfer at work, those behind it, and how fast it goes.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    now: Work,
    later: VecDeque<Work>,
    /// Iterations of the transfers before, whether they took all of theirs or not.
    before: usize,
    /// The scale at work, and its accepted iterations.
    at: Option<(usize, usize)>,
    /// When the first iteration was accepted, and what was done since then.
    since: Option<(Duration, f64)>,
    left: Option<Duration>,
}

impl Pace {
    /// One for several transfers.
    pub(crate) fn of_all(works: impl IntoIterator<Item = Work>) -> Self {
        Self { later: works.into_iter().collect(), ..Self::default() }
    }

    /// The next transfer comes to work, and will have what was foreseen of it.
    pub(crate) fn next(&mut self) {
        let next = self.later.pop_front().unwrap_or_default();
        let over = std::mem::replace(&mut self.now, next);
        self.before = self.before.saturating_add(over.iterations());
        self.at = None;
    }

    /// The transfer at work has that.
    pub(crate) fn start(&mut self, work: Work) {
        self.now = work;
    }

    /// An iteration of a scale (its number, and its size) was accepted, at that time since the command began.
    pub(crate) fn step(&mut self, iteration: usize, scale: (usize, (usize, usize)), now: Duration) {
        let (scale, (height, width)) = scale;
        let done = match self.at {
            Some((at, done)) if at == scale => done + 1,
            Some(_) => 1,
            // A run that goes on from a checkpoint may be in the middle of a scale.
            None => iteration.saturating_sub(self.now.before(scale)).max(1),
        };
        self.at = Some((scale, done));
        let pixels = (height * width) as f64;
        let (first, work) = self.since.map_or((now, 0.0), |(first, work)| (first, work + pixels));
        self.since = Some((first, work));
        let later: f64 = self.later.iter().map(|work| work.left(0, 0)).sum();
        let seconds = now.saturating_sub(first).as_secs_f64() * (self.now.left(scale, done) + later) / work;
        self.left = Duration::try_from_secs_f64(seconds).ok();
    }

    /// How long it will still take, by what the iterations since the first one took; none before the second one.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.left
    }

    /// Iterations of all transfers before `iteration` of the one at work, and that one.
    pub(crate) fn done(&self, iteration: usize) -> usize {
        self.before.saturating_add(iteration)
    }

    /// Iterations of all transfers.
    pub(crate) fn iterations(&self) -> usize {
        let known = self.before.saturating_add(self.now.iterations());
        self.later.iter().fold(known, |sum, work| sum.saturating_add(work.iterations()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Iteration `iteration`, at a scale of so many rows of one pixel, after so many seconds.
    fn step(pace: &mut Pace, iteration: usize, (scale, pixels): (usize, usize), seconds: u64) {
        pace.step(iteration, (scale, (pixels, 1)), Duration::from_secs(seconds));
    }

    fn left(pace: &Pace) -> Option<u64> {
        pace.left().map(|left| left.as_secs())
    }

    #[test]
    fn nothing_is_known_before_the_second_iteration() {
        let mut pace = Pace::default();
        pace.start(Work(vec![(10.0, 5)]));
        assert_eq!((left(&pace), pace.iterations()), (None, 5));
        step(&mut pace, 1, (0, 10), 100);
        assert_eq!(left(&pace), None, "reading and measuring are no iterations");
        step(&mut pace, 2, (0, 10), 102);
        assert_eq!(left(&pace), Some(6));
        step(&mut pace, 5, (0, 10), 108);
    }

    #[test]
    fn finer_scales_take_longer_and_may_come_early() {
        let mut pace = Pace::default();
        pace.start(Work(vec![(10.0, 10), (40.0, 10)]));
        step(&mut pace, 1, (0, 10), 0);
        step(&mut pace, 2, (0, 10), 1);
        assert_eq!(left(&pace), Some(8 + 40));
        // The coarse one ended after two of its ten iterations.
        step(&mut pace, 3, (1, 40), 5);
        assert_eq!(left(&pace), Some(36));
    }

    #[test]
    fn a_run_goes_on_in_the_middle_of_a_scale() {
        let mut pace = Pace::default();
        pace.start(Work(vec![(10.0, 10), (40.0, 10)]));
        step(&mut pace, 16, (1, 40), 0);
        step(&mut pace, 17, (1, 40), 2);
        assert_eq!(left(&pace), Some(6));
    }

    #[test]
    fn transfers_behind_the_one_at_work_count() {
        let work = || Work(vec![(10.0, 4)]);
        let mut pace = Pace::of_all([work(), work(), work()]);
        assert_eq!(pace.iterations(), 12);
        // One that is there already.
        pace.next();
        pace.next();
        pace.start(Work(vec![(10.0, 3)]));
        assert_eq!((pace.done(1), pace.iterations()), (5, 11));
        step(&mut pace, 1, (0, 10), 10);
        step(&mut pace, 2, (0, 10), 11);
        assert_eq!(left(&pace), Some(1 + 4));
        pace.next();
        assert_eq!(pace.done(1), 8);
    }

    #[test]
    fn any_number_of_iterations_has_an_end_or_none() {
        let mut pace = Pace::default();
        pace.start(Work(vec![(1e8, usize::MAX), (1e8, usize::MAX)]));
        assert_eq!(pace.iterations(), usize::MAX);
        step(&mut pace, 1, (0, 1), 0);
        step(&mut pace, 2, (0, 1), u64::MAX / 2);
        assert_eq!(left(&pace), None);
    }
}
