//! A line search for the strong Wolfe conditions, after Nocedal and Wright, Algorithms 3.5 and 3.6.
//!
//! Along a direction d with slope phi'(0) = g·d < 0 the loss is phi(t) = f(x + t d). A step t is accepted when
//!
//! ```text
//! phi(t) <= phi(0) + c1 t phi'(0)      sufficient decrease
//! |phi'(t)| <= c2 |phi'(0)|            curvature; it implies s·y > 0
//! ```
//!
//! The book's two algorithms, bracket and zoom, are one loop here. `low` is the best step so far that has sufficient
//! decrease. Until a step fails or the slope turns, the search goes outwards; from then on an acceptable step lies
//! between `low` and `other`, and each trial narrows that interval. Trials are at the minimiser of the cubic through
//! both ends (their losses and slopes), kept away from the ends.
//!
//! A step so close to `low` that x + t d rounds to the same point ends the search: all that could still be tried lie between
//! the two, and are that point as well.

/// What the search knows at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// t.
    pub(crate) step: f64,
    /// phi(t).
    pub(crate) loss: f64,
    /// phi'(t).
    pub(crate) slope: f64,
    /// |g(x + t d)|, carried along.
    pub(crate) gradient_norm: f64,
}

impl Point {
    pub(crate) fn is_finite(&self) -> bool {
        [self.step, self.loss, self.slope, self.gradient_norm].into_iter().all(f64::is_finite)
    }
}

/// The constants of the search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StrongWolfe {
    /// c1.
    pub(crate) sufficient_decrease: f64,
    /// c2.
    pub(crate) curvature: f64,
    /// Trials before the search settles for the best step that it has.
    pub(crate) max_trials: usize,
    /// It settles as well when the interval can lower the loss by no more than this part of it: rounding of x and g
    /// in their number type then hides what is left to gain.
    pub(crate) precision: f64,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found<R> {
    /// A step with strong Wolfe conditions or, where the search had to settle, at least with sufficient decrease; and the
    /// report of its evaluation.
    Step(Point, R),
    /// No trial had sufficient decrease.
    Nothing {
        /// Whether any trial had a finite loss and gradient.
        any_finite: bool,
    },
}

/// When an interval does not shrink to this part of itself, the next trial halves it.
const SHRINKAGE: f64 = 2.0 / 3.0;
/// A trial stays this part of the interval away from its ends.
const MARGIN: f64 = 0.1;
/// On the way outwards each step is this many times the last one.
const EXPANSION: (f64, f64) = (2.0, 10.0);
/// Where the way back from a loss or gradient that is not finite goes: this part of the interval.
const RETREAT: f64 = 0.2;

impl StrongWolfe {
    /// Searches from `start` (at step 0) with `first` as the first trial.
    ///
    /// `evaluate` moves to a step and returns what it finds there, or `None` when no evaluation is left (it must
    /// have moved all the same). After [`Found::Step`] the last move was to that step. `same` says whether two steps lead to
    /// one point.
    pub(crate) fn search<R, E>(
        &self,
        start: Point,
        first: f64,
        same: impl Fn(f64, f64) -> bool,
        mut evaluate: impl FnMut(f64) -> Result<Option<(Point, R)>, E>,
    ) -> Result<Found<R>, E> {
        let mut interval = Interval { low: start, other: start, bracketed: false };
        let mut report_of_low = None;
        let mut any_finite = false;
        let mut step = first;
        for _ in 0..self.max_trials {
            if same(step, interval.low.step) {
                any_finite = true; // `low` is
                break;
            }
            let Some((trial, report)) = evaluate(step)? else { break };
            let width = interval.width();
            any_finite |= trial.is_finite();
            let decreases = trial.is_finite()
                && trial.loss <= start.loss + self.sufficient_decrease * step * start.slope
                && trial.loss < interval.low.loss;
            if decreases && trial.slope.abs() <= self.curvature * start.slope.abs() {
                return Ok(Found::Step(trial, report));
            }
            if decreases {
                report_of_low = Some(report);
            }
            interval.narrow(trial, decreases);
            if interval.width() * interval.low.slope.abs() <= self.precision * interval.low.loss.abs() {
                break;
            }
            step = interval.next_step(width);
        }
        let Some(report) = report_of_low else { return Ok(Found::Nothing { any_finite }) };
        evaluate(interval.low.step)?; // back to the best step, and its gradient if evaluations are left
        Ok(Found::Step(interval.low, report))
    }
}

/// Where the search is.
#[derive(Debug)]
struct Interval {
    /// The step of lowest loss so far; step 0 until a trial has sufficient decrease.
    low: Point,
    /// The other end of the bracket; before there is one, the `low` before this `low`.
    other: Point,
    /// Whether an acceptable step is known to lie between `low` and `other`.
    bracketed: bool,
}

impl Interval {
    fn width(&self) -> f64 {
        if self.bracketed { (self.other.step - self.low.step).abs() } else { f64::INFINITY }
    }

    fn narrow(&mut self, trial: Point, decreases: bool) {
        if !decreases {
            self.other = trial;
            self.bracketed = true;
            return;
        }
        let outwards = if self.bracketed { self.other.step - self.low.step } else { 1.0 };
        let turned = trial.slope * outwards >= 0.0;
        if turned || !self.bracketed {
            self.other = self.low;
        }
        self.bracketed |= turned;
        self.low = trial;
    }

    /// The next trial; `last_width` is the width before the last one.
    fn next_step(&self, last_width: f64) -> f64 {
        let (low, other) = (self.low.step, self.other.step);
        let cubic = cubic_minimiser(&self.other, &self.low);
        if !self.bracketed {
            let (least, most) = (EXPANSION.0 * low, EXPANSION.1 * low);
            return cubic.filter(|t| *t > low).map_or(most, |t| t.clamp(least, most));
        }
        if !self.other.is_finite() {
            return low + RETREAT * (other - low);
        }
        let middle = 0.5 * (low + other);
        if self.width() > SHRINKAGE * last_width {
            return middle;
        }
        let (left, right) = (low.min(other), low.max(other));
        let margin = MARGIN * (right - left);
        cubic.map_or(middle, |t| t.clamp(left + margin, right - margin))
    }
}

/// The step where the cubic with the losses and slopes of `a` and `b` has its minimum (Nocedal and Wright, 3.59).
fn cubic_minimiser(a: &Point, b: &Point) -> Option<f64> {
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.step - b.step);
    let d2 = (b.step - a.step).signum() * (d1 * d1 - a.slope * b.slope).sqrt();
    let step = b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    step.is_finite().then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    const RULE: StrongWolfe =
        StrongWolfe { sufficient_decrease: 1e-4, curvature: 0.9, max_trials: 40, precision: f64::EPSILON };

    /// Steps that always lead to points of their own.
    fn never(_: f64, _: f64) -> bool {
        false
    }

    /// Searches along phi, given as t -> (phi(t), phi'(t)); returns what was found, the last move and the trials.
    fn search(
        rule: StrongWolfe,
        phi: impl Fn(f64) -> (f64, f64),
        first: f64,
        budget: usize,
    ) -> (Point, Found<f64>, f64, usize) {
        let at = |step: f64| {
            let (loss, slope) = phi(step);
            Point { step, loss, slope, gradient_norm: slope.abs() }
        };
        let (mut last, mut trials) = (0.0, 0);
        let found = rule.search(at(0.0), first, never, |step| {
            last = step;
            if trials == budget {
                return Ok::<_, Infallible>(None);
            }
            trials += 1;
            Ok(Some((at(step), step)))
        });
        let Ok(found) = found;
        (at(0.0), found, last, trials)
    }

    #[test]
    fn the_cubic_of_a_cubic_is_itself() {
        // phi = t^3 - 3 t has its minimum at 1.
        let at = |t: f64| Point {
            step: t,
            loss: t.powi(3) - 3.0 * t,
            slope: 3.0 * t * t - 3.0,
            gradient_norm: 0.0,
        };
        for (a, b) in [(0.0, 2.0), (2.0, 0.0), (0.2, 0.7), (-0.5, 4.0)] {
            assert!((cubic_minimiser(&at(a), &at(b)).unwrap() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_good_first_step_costs_one_evaluation() {
        let (_, found, last, trials) = search(RULE, |t| ((t - 1.0).powi(2), 2.0 * (t - 1.0)), 1.0, 40);
        assert!(matches!(found, Found::Step(point, _) if point.step == 1.0));
        assert_eq!((last, trials), (1.0, 1));
    }

    #[test]
    fn a_region_that_is_not_finite_is_backed_out_of() {
        let phi =
            |t: f64| if t > 0.01 { (f64::NAN, f64::NAN) } else { ((t - 0.02).powi(2), 2.0 * (t - 0.02)) };
        let (_, found, ..) = search(RULE, phi, 1.0, 40);
        assert!(matches!(found, Found::Step(point, _) if point.step > 0.0 && point.step <= 0.01));
        let nowhere = |t: f64| if t > 0.0 { (f64::INFINITY, 1.0) } else { (0.0, -1.0) };
        assert_eq!(search(RULE, nowhere, 1.0, 40).1, Found::Nothing { any_finite: false });
    }

    #[test]
    fn out_of_evaluations_the_best_step_is_moved_to() {
        // Both trials decrease too little slope: the search would go on outwards.
        let phi = |t: f64| ((t - 100.0).powi(2), 2.0 * (t - 100.0));
        let (_, found, last, trials) = search(RULE, phi, 0.1, 2);
        let Found::Step(point, report) = found else { panic!("{found:?}") };
        assert_eq!((last, trials, report), (point.step, 2, point.step));
        assert!(point.step > 0.1);
    }

    #[test]
    fn what_rounding_hides_is_not_searched_for() {
        // The slope promises 1e-9 of the loss; the loss never moves.
        let rule = StrongWolfe { precision: 1e-7, ..RULE };
        let (_, found, _, trials) = search(rule, |t| (1.0, -1e-9 * (1.0 - t)), 3.0, 40);
        assert_eq!((found, trials), (Found::Nothing { any_finite: true }, 1));
    }

    #[test]
    fn a_loss_that_only_rises_gives_nothing() {
        let (_, found, _, trials) = search(RULE, |t| (1e6 * t, -1.0), 1.0, 100);
        assert_eq!((found, trials), (Found::Nothing { any_finite: true }, RULE.max_trials));
    }

    /// The steps that are tried along phi from a first step of 1.
    fn trials(max_trials: usize, phi: impl Fn(f64) -> (f64, f64)) -> Vec<f64> {
        let mut tried = Vec::new();
        let at = |step: f64| {
            let (loss, slope) = phi(step);
            Point { step, loss, slope, gradient_norm: slope.abs() }
        };
        let rule = StrongWolfe { max_trials, ..RULE };
        let Ok(_) = rule.search(at(0.0), 1.0, never, |step| {
            tried.push(step);
            Ok::<_, Infallible>(Some((at(step), ())))
        });
        tried
    }

    #[test]
    fn the_way_back_starts_at_the_best_step() {
        // Still falling steeply at 1, and no number from 2 on. A straight line has no cubic minimiser: tenfold, then back.
        let phi = |t: f64| if t < 2.0 { (-t, -1.0) } else { (f64::NAN, f64::NAN) };
        let tried = trials(3, phi);
        assert_eq!(tried[..2], [1.0, 10.0]);
        assert!((tried[2] - (1.0 + RETREAT * 9.0)).abs() < 1e-15);
    }

    #[test]
    fn a_loss_that_falls_no_further_is_the_other_end() {
        // Down to -1 at the first step, flat from there on, while the slopes say that it falls.
        let tried = trials(3, |t| (-t.min(1.0), -1.0));
        assert_eq!(tried[..2], [1.0, 10.0]);
        assert!(1.0 < tried[2] && tried[2] < 10.0, "{tried:?}");
    }

    /// No trial knows where 0 is: moved along, the search tries the same steps.
    #[test]
    fn trials_stay_a_tenth_away_from_the_ends_of_their_interval() {
        for start in [0.0, 2.0, -7.0] {
            let parabola = |bottom: f64| {
                move |step: f64| {
                    let away = step - start - bottom;
                    Point { step, loss: away * away, slope: 2.0 * away, gradient_norm: 1.0 }
                }
            };
            for (bottom, expected) in [(0.01, 0.4), (1.0, 1.0), (3.99, 3.6)] {
                let [left, right] = [start, start + 4.0].map(parabola(bottom));
                for (low, other) in [(left, right), (right, left)] {
                    let interval = Interval { low, other, bracketed: true };
                    assert_eq!(interval.width(), 4.0);
                    let next = interval.next_step(100.0) - start;
                    assert!((next - expected).abs() < 1e-9, "{start} {bottom}: {next}");
                }
            }
        }
    }

    #[test]
    fn outwards_a_step_is_two_to_ten_times_the_last_one() {
        let low = |step: f64, loss: f64, slope: f64| Point { step, loss, slope, gradient_norm: 1.0 };
        for step in [0.25, 1.0, 3.0] {
            let next = |bottom: f64| {
                let at = |t: f64| low(t * step, (t - bottom).powi(2), 2.0 * (t - bottom) / step);
                Interval { low: at(1.0), other: at(0.0), bracketed: false }.next_step(f64::INFINITY) / step
            };
            for (bottom, expected) in [(1.5, 2.0), (5.0, 5.0), (50.0, 10.0)] {
                assert!((next(bottom) - expected).abs() < 1e-9, "{step} {bottom}: {}", next(bottom));
            }
        }
    }

    /// Settles where the interval promises `precision` of the loss, and not before.
    #[test]
    fn a_search_goes_on_while_more_than_rounding_is_promised() {
        let rule = StrongWolfe { precision: 0.25, ..RULE };
        // The first trial at 1 fails; the interval of width 1 promises 1 of a loss.
        let promised =
            |loss: f64| search(rule, |t| (loss + if t > 0.0 { 1.0 } else { 0.0 }, -1.0), 1.0, 40).3;
        assert_eq!(promised(4.0), 1); // as much as a quarter of 4
        assert!(promised(3.9) > 1);
    }

    #[test]
    fn outwards_a_cubic_is_believed_where_it_looks_ahead() {
        // (t - 4)^2 - 16: the cubic's minimiser, 4, lies between twice and ten times the first step.
        let curve = |t: f64| ((t - 4.0).powi(2) - 16.0, 2.0 * (t - 4.0));
        let rule = StrongWolfe { curvature: 0.5, ..RULE };
        let (_, found, _, trials) = search(rule, curve, 1.0, 40);
        assert!(matches!(found, Found::Step(point, _) if (point.step - 4.0).abs() < 1e-12));
        assert_eq!(trials, 2);
        // The cubic through these has its minimum at `low` itself, which says nothing of what lies ahead.
        let other = Point { step: 0.0, loss: 1.0, slope: -1.0, gradient_norm: 1.0 };
        let low = Point { step: 1.0, loss: 0.5, slope: 0.0, gradient_norm: 0.0 };
        assert_eq!(cubic_minimiser(&other, &low), Some(1.0));
        assert_eq!(Interval { low, other, bracketed: false }.next_step(f64::INFINITY), EXPANSION.1);
    }

    #[test]
    fn an_interval_that_shrinks_too_little_is_halved() {
        // The cubic through both ends has its minimum at 1/2 of 3.
        let at = |step: f64| Point {
            step,
            loss: (step - 0.5).powi(2),
            slope: 2.0 * (step - 0.5),
            gradient_norm: 1.0,
        };
        let interval = Interval { low: at(0.0), other: at(3.0), bracketed: true };
        // Two thirds of it are 3.
        let last_width = 4.5;
        assert_eq!(SHRINKAGE * last_width, 3.0);
        assert_eq!(interval.next_step(0.99 * last_width), 1.5);
        assert!((interval.next_step(last_width) - 0.5).abs() < 1e-12);
        assert!((interval.next_step(1.01 * last_width) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn an_infinite_step_is_backed_out_of() {
        let phi = |t: f64| (if t > 0.0 { 1.0 } else { 2.0 }, -1.0);
        assert_eq!(search(RULE, phi, f64::INFINITY, 40).1, Found::Nothing { any_finite: false });
    }

    proptest! {
        /// Moré and Thuente's second (from further on, where rounding spares it) and first test functions, and a quartic, from first steps of any size.
        #[test]
        fn strong_wolfe_holds_at_the_step_found(
            which in 0usize..3, exponent in -6.0..3.0, scale in 0.1..10.0, c2 in 0.1..0.9,
        ) {
            let (c, d): (f64, f64) = (0.05, scale);
            let phi = |t: f64| match which {
                0 => ((t + c).powi(5) - 2.0 * (t + c).powi(4), 5.0 * (t + c).powi(4) - 8.0 * (t + c).powi(3)),
                1 => ((t / d - 1.0).powi(4), 4.0 * (t / d - 1.0).powi(3) / d),
                _ => (-t / (t * t + d), (t * t - d) / (t * t + d).powi(2)),
            };
            let rule = StrongWolfe { curvature: c2, ..RULE };
            let (start, found, last, _) = search(rule, phi, 10f64.powf(exponent), 40);
            let Found::Step(point, report) = found else { panic!("{found:?}") };
            prop_assert_eq!((last, report), (point.step, point.step));
            prop_assert!(point.loss <= start.loss + 1e-4 * point.step * start.slope);
            prop_assert!(point.slope.abs() <= c2 * start.slope.abs());
        }

        /// Along x = 1 + t d, where f32 has only a few points between 1 and the minimum: the same is found, and the trials that are
        /// left out led to the best point again.
        #[test]
        fn ending_at_the_same_point_loses_nothing(
            gap in 0.0..40.0f32, d in 1e-3..1e3f32, c2 in 0.01..0.9, exponent in -12.0..3.0,
        ) {
            let best = 1.0 + gap * f32::EPSILON;
            let x = |step: f64| 1.0 + step as f32 * d;
            let at = |step: f64| {
                let away = f64::from(x(step)) - f64::from(best);
                let slope = 2.0 * away * f64::from(d);
                Point { step, loss: away * away, slope, gradient_norm: 2.0 * away.abs() }
            };
            let start = Point { slope: -1e-12, ..at(0.0) };
            let rule = StrongWolfe { curvature: c2, sufficient_decrease: 1e-3, ..RULE };
            let run = |same: &dyn Fn(f64, f64) -> bool| {
                let mut tried = Vec::new();
                let Ok(found) = rule.search(start, 10f64.powf(exponent), same, |step| {
                    tried.push(step);
                    Ok::<_, Infallible>(Some((at(step), ())))
                });
                let point = match found { Found::Step(point, ()) => Some(point), Found::Nothing { .. } => None };
                (point, tried)
            };
            let ((point, mut tried), (all_point, all_tried)) = (run(&|a, b| x(a) == x(b)), run(&never));
            prop_assert_eq!(point, all_point);
            if all_tried.len() > tried.len() && point.is_some() {
                tried.pop(); // back to the best step
            }
            prop_assert!(all_tried.starts_with(&tried));
            let best = point.map_or(0.0, |point| point.step);
            prop_assert!(all_tried[tried.len()..].iter().all(|&step| x(step) == x(best)));
        }
    }
}
