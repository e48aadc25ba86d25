//! The gradient of any function against central differences.
//!
//! Along each of some directions d, `<g, d>` is compared with (f(x + h d) - f(x - h d)) / 2h. A random direction sees every coordinate at
//! once, each times a factor of 0.5 to 1.5, so that two errors do not cancel; a single coordinate sees itself, and better. Where
//! a direction fails, the coordinate at fault is [looked for](crate::locate).

use impasto_autodiff::check::{self, Direction, Ladder, Probe, Quotient, Verdict};

use crate::failure::{Failure, Property};
use crate::locate::locate;
use crate::random::{SplitMix64, uneven};

/// How thoroughly a gradient is checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Checks {
    /// The error that is allowed, in parts of a typical slope `||g|| ||d|| / sqrt(n)`, or of the slope itself where that is larger.
    pub tolerance: f64,
    /// How many random directions are probed.
    pub directions: usize,
    /// How many single coordinates are probed: the first, the last, and others by the seed. All, if there are no more.
    pub coordinates: usize,
    /// What the directions, the coordinates, and the weights of an operation's outputs follow from.
    pub seed: u64,
    /// How large x is, for the steps of the differences; `None` for the largest |x|, or 0.01 if that is less.
    pub scale: Option<f64>,
}

/// 8 random directions and 8 coordinates, within 1e-7.
impl Default for Checks {
    fn default() -> Self {
        Self { tolerance: 1e-7, directions: 8, coordinates: 8, seed: 1, scale: None }
    }
}

impl Checks {
    /// The same within another error.
    #[must_use]
    pub fn within(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// The same with other directions, coordinates and weights.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The same with so many random directions and so many coordinates.
    #[must_use]
    pub fn probing(self, directions: usize, coordinates: usize) -> Self {
        Self { directions, coordinates, ..self }
    }

    /// The steps for a point: from a tenth of its largest coordinate down to a billionth of it, and to a billionth of 1.
    fn ladder(&self, x: &[f64]) -> Ladder {
        let largest = x.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let scale = self.scale.unwrap_or(largest).clamp(1e-2, 1e150);
        let more = (scale.max(1.0).log2() / 2.0).ceil() as usize;
        Ladder::new(scale / 10.0, 4.0, 14 + more.min(30))
    }

    /// The coordinates of `n` that are probed, each once, in order.
    fn coordinates_of(&self, n: usize) -> Vec<usize> {
        if n <= self.coordinates {
            return (0..n).collect();
        }
        let mut random = SplitMix64(self.seed ^ 0x00c0_0bd1_4a7e);
        let mut chosen: Vec<usize> = [0, n - 1].into_iter().take(self.coordinates).collect();
        while chosen.len() < self.coordinates {
            let next = random.below(n);
            if !chosen.contains(&next) {
                chosen.push(next);
            }
        }
        chosen.sort_unstable();
        chosen
    }
}

/// What the probes of a right gradient saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Probes that agree.
    pub passed: usize,
    /// Probes at a kink, where there is no derivative to compare with: the claim lies between the one-sided slopes.
    pub kinks: usize,
    /// Probes where the function's own rounding is larger than the difference.
    pub unclear: usize,
}

/// Checks the gradient of `function`, which returns the value at x and the gradient there, as long as x.
///
/// # Errors
/// [`Failure`] with the coordinate that is most wrong.
pub fn check_gradient(
    function: impl Fn(&[f64]) -> (f64, Vec<f64>),
    x: &[f64],
    checks: &Checks,
) -> Result<Seen, Failure> {
    check_claim(&|x| function(x).0, x, &function(x).1, checks)
}

/// [`check_gradient`] with the default [`Checks`].
///
/// # Panics
/// With the [`Failure`], if the gradient is wrong.
#[track_caller]
pub fn assert_gradient(function: impl Fn(&[f64]) -> (f64, Vec<f64>), x: &[f64]) {
    if let Err(failure) = check_gradient(function, x, &Checks::default()) {
        panic!("{failure}");
    }
}

/// Checks that `gradient` is that of `f` at `x`: what [`check_gradient`] does, for a value and a gradient that are computed apart.
///
/// # Errors
/// [`Failure`] with the coordinate that is most wrong.
pub fn check_claim(
    f: &dyn Fn(&[f64]) -> f64,
    x: &[f64],
    gradient: &[f64],
    checks: &Checks,
) -> Result<Seen, Failure> {
    let value = check_numbers(f, x, gradient)?;
    check_sum(f, x, gradient, value.abs(), checks)
}

/// [`check_claim`] of a sum whose terms are larger than itself: their magnitudes add up to `magnitude`.
pub(crate) fn check_sum(
    f: &dyn Fn(&[f64]) -> f64,
    x: &[f64],
    gradient: &[f64],
    magnitude: f64,
    checks: &Checks,
) -> Result<Seen, Failure> {
    check_numbers(f, x, gradient)?;
    let mut seen = Seen::default();
    if x.is_empty() {
        return Ok(seen);
    }
    let claim = Claim { f, x, gradient, magnitude, ladder: checks.ladder(x), tolerance: checks.tolerance };
    let coordinates = checks.coordinates_of(x.len()).into_iter().map(|at| claim.coordinate(at));
    let directions = (0..checks.directions as u64).map(|number| claim.direction(checks.seed, number));
    for look in coordinates.chain(directions) {
        match look.outcome {
            Outcome::Pass => seen.passed += 1,
            Outcome::Kink => seen.kinks += 1,
            Outcome::Unclear => seen.unclear += 1,
            Outcome::Fail => match locate(&claim, &look) {
                Some(failure) => return Err(failure.seeded(checks.seed)),
                None => seen.kinks += 1,
            },
        }
    }
    Ok(seen)
}

/// f(x), if there is a finite number wherever there should be one.
fn check_numbers(f: &dyn Fn(&[f64]) -> f64, x: &[f64], gradient: &[f64]) -> Result<f64, Failure> {
    let n = x.len();
    if gradient.len() != n {
        let lengths = [gradient.len() as f64, n as f64];
        return Err(
            Failure::of(Property::Length, n, lengths, 1.0, 0.0).note("the gradient is not as long as x")
        );
    }
    // The value first: where there is none, there is no gradient to blame.
    let value = f(x);
    if !value.is_finite() {
        let failure = Failure::of(Property::Finite, n, [value, f64::NAN], 1.0, 0.0);
        return Err(failure.note("the value at x itself is not finite"));
    }
    if let Some(at) = gradient.iter().position(|g| !g.is_finite()) {
        let failure = Failure::of(Property::Finite, n, [gradient[at], f64::NAN], 1.0, 0.0).at(at);
        return Err(failure.note("the gradient is not finite"));
    }
    Ok(value)
}

/// What was found along a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The slopes agree.
    Pass,
    /// The one-sided slopes differ, and the claim lies between.
    Kink,
    /// They do not agree, but the function's rounding explains it.
    Unclear,
    /// They do not agree.
    Fail,
}

/// One direction, compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) outcome: Outcome,
    /// `<g, d>`.
    pub(crate) claimed: f64,
    /// The central difference at the step that counts.
    pub(crate) measured: f64,
    /// What differences are in parts of.
    pub(crate) scale: f64,
}

impl Look {
    /// |claimed - measured|.
    pub(crate) fn difference(&self) -> f64 {
        (self.claimed - self.measured).abs()
    }
}

/// That `gradient` is the gradient of `f` at `x`.
pub(crate) struct Claim<'a> {
    pub(crate) f: &'a dyn Fn(&[f64]) -> f64,
    pub(crate) x: &'a [f64],
    pub(crate) gradient: &'a [f64],
    /// How large the numbers are that `f` adds up at x: their rounding is its own.
    pub(crate) magnitude: f64,
    pub(crate) ladder: Ladder,
    pub(crate) tolerance: f64,
}

impl Claim<'_> {
    /// Along one coordinate.
    pub(crate) fn coordinate(&self, at: usize) -> Look {
        self.look(&vec![1.0; self.x.len()], Direction::Coordinate(at))
    }

    /// Along the random direction of that number, all coordinates at once.
    pub(crate) fn direction(&self, seed: u64, number: u64) -> Look {
        let seed = SplitMix64(seed.wrapping_add(number)).bits();
        self.look(&uneven(self.x.len(), seed), Direction::Random(seed))
    }

    /// Along a direction each coordinate of which is multiplied with its length.
    pub(crate) fn look(&self, lengths: &[f64], direction: Direction) -> Look {
        let f = |u: &[f64]| {
            let moved: Vec<f64> = self.x.iter().zip(lengths).zip(u).map(|((x, l), u)| x + l * u).collect();
            (self.f)(&moved)
        };
        let gradient: Vec<f64> = self.gradient.iter().zip(lengths).map(|(g, l)| g * l).collect();
        let origin = vec![0.0; self.x.len()];
        let probe = check::check_gradient(&f, &origin, &gradient, &[direction], &self.ladder).remove(0);
        let (claimed, measured) = (probe.analytic, probe.quotients[probe.best].central());
        let outcome = match probe.verdict(self.tolerance) {
            Verdict::Pass => Outcome::Pass,
            Verdict::Kink => Outcome::Kink,
            Verdict::Fail if (claimed - measured).abs() <= self.unclear(&probe) => Outcome::Unclear,
            Verdict::Fail => Outcome::Fail,
        };
        Look { outcome, claimed, measured, scale: probe.scale }
    }

    /// The difference that noise explains. Eight times what was seen: of so few numbers the largest is not yet the largest that there is.
    fn unclear(&self, probe: &Probe) -> f64 {
        8.0 * noise(&probe.quotients, probe.best, self.magnitude) / probe.step()
    }
}

/// How much values of the function are off, by rounding and by what is left of truncation: from the best step on, central differences change
/// by noise / h from one step to the next. A value that is stored as 1e9 is off by 1e-7 at least, whatever the differences say.
fn noise(quotients: &[Quotient], best: usize, magnitude: f64) -> f64 {
    let change = |pair: &[Quotient]| (pair[0].central() - pair[1].central()).abs() * pair[1].step;
    quotients[best..].windows(2).map(change).fold(2.0 * f64::EPSILON * magnitude, f64::max)
}
