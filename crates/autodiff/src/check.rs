//! Is a gradient right? Compares it with central differences in `f64`, along random directions or coordinates.
//!
//! For a function f, a point x, a direction d and a step h:
//!
//! ```text
//! analytic   <grad f(x), d>
//! right      R(h) = (f(x + h d) - f(x)) / h
//! left       L(h) = (f(x) - f(x - h d)) / h
//! central    C(h) = (R(h) + L(h)) / 2  =  analytic + O(h^2) + O(eps |f| / h)
//! ```
//!
//! Truncation falls with h, rounding grows with 1/h: over the steps of a [`Ladder`] the error draws a V. The step that
//! counts is chosen **without looking at the analytic value**: the one where neighbouring steps agree best.
//!
//! Where f is smooth the two halves differ by its curvature, R(h) - L(h) = h f'' + O(h^3), which shrinks with h. A kink
//! (a ReLU at 0, equal values in a max-pooling window) keeps them apart. There is then no derivative to compare
//! with, only the interval of the one-sided slopes. Such a probe is reported as [`Verdict::Kink`], with that interval;
//! an analytic value outside the interval stays a [`Verdict::Fail`].

/// The least disagreement of the two halves, relative to [`Probe::scale`], that is called a kink.
const KINK: f64 = 1e-6;

/// The step lengths that are tried, largest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    steps: Vec<f64>,
}

impl Ladder {
    /// `rungs` steps, the largest `first`, each `1/ratio` of the one before.
    ///
    /// # Panics
    /// If there are fewer than two rungs, `first` is not positive, or `ratio` is not above 1.
    pub fn new(first: f64, ratio: f64, rungs: usize) -> Self {
        assert!(rungs >= 2 && first > 0.0 && ratio > 1.0, "two or more steps that fall");
        Self { steps: (0..rungs).map(|rung| first / ratio.powi(rung as i32)).collect() }
    }

    /// The default for a point whose coordinates are about `scale`: from `scale`/10 down to 1e-9 `scale`, each step a
    /// quarter of the one before.
    ///
    /// # Panics
    /// If `scale` is not positive.
    pub fn for_scale(scale: f64) -> Self {
        Self::new(scale / 10.0, 4.0, 14)
    }
}

/// Where a probe looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Every coordinate moves by +h or -h, the signs drawn from this seed.
    Random(u64),
    /// Only this coordinate moves.
    Coordinate(usize),
}

impl Direction {
    /// The direction as a vector of `n` numbers, each -1, 0 or 1.
    ///
    /// # Panics
    /// If a coordinate is not below `n`.
    pub fn vector(self, n: usize) -> Vec<f64> {
        match self {
            Self::Random(seed) => signs(seed).take(n).collect(),
            Self::Coordinate(index) => {
                let mut vector = vec![0.0; n];
                vector[index] = 1.0;
                vector
            }
        }
    }
}

/// An endless row of +1 and -1: the top bits of SplitMix64 (Steele, Lea and Flood 2014), which its last step leaves as they are.
fn signs(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        if z >> 63 == 0 { 1.0 } else { -1.0 }
    })
}

/// The difference quotients at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quotient {
    /// h.
    pub step: f64,
    /// L(h).
    pub left: f64,
    /// R(h).
    pub right: f64,
}

impl Quotient {
    /// C(h), the mean of the two halves.
    pub fn central(&self) -> f64 {
        0.5 * (self.left + self.right)
    }

    /// R(h) - L(h).
    fn gap(&self) -> f64 {
        self.right - self.left
    }
}

/// What a probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The relative error is within the tolerance.
    Pass,
    /// The two halves disagree at every usable step, and the analytic value lies between them.
    Kink,
    /// Neither.
    Fail,
}

/// One direction, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Where it looked.
    pub direction: Direction,
    /// <grad f(x), d>.
    pub analytic: f64,
    /// The quotients at every step of the ladder, largest first: the points of the V.
    pub quotients: Vec<Quotient>,
    /// What differences are divided by: the largest of |analytic|, |central| and the slope that a typical direction
    /// of this length has, `||grad f|| ||d|| / sqrt(n)`. So a direction that happens to be flat is not judged by its own 0.
    pub scale: f64,
    /// The index in `quotients` of the step that counts.
    pub best: usize,
    /// The halves of the difference quotient disagree even at the best step.
    pub kink: bool,
    /// The smallest step above the best one that met a kink: how near the next one is. It did no harm.
    pub nearest_kink: Option<f64>,
}

impl Probe {
    /// The step that counts.
    pub fn step(&self) -> f64 {
        self.quotients[self.best].step
    }

    /// |C(h) - analytic| / scale at the best step.
    pub fn relative_error(&self) -> f64 {
        self.error_at(self.best)
    }

    /// The same at another step of the ladder.
    ///
    /// # Panics
    /// If there is no such step.
    pub fn error_at(&self, rung: usize) -> f64 {
        relative(self.quotients[rung].central() - self.analytic, self.scale)
    }

    /// Right, wrong, or at a kink.
    pub fn verdict(&self, tolerance: f64) -> Verdict {
        let Quotient { left, right, .. } = self.quotients[self.best];
        let slack = tolerance * self.scale;
        let between = (left.min(right) - slack..=left.max(right) + slack).contains(&self.analytic);
        if self.relative_error() <= tolerance {
            Verdict::Pass
        } else if self.kink && between {
            Verdict::Kink
        } else {
            Verdict::Fail
        }
    }
}

fn relative(difference: f64, scale: f64) -> f64 {
    if difference == 0.0 { 0.0 } else { difference.abs() / scale }
}

/// Compares `gradient`, claimed to be that of `f` at `x`, with central differences along each direction.
///
/// `f` is called 2 times a step of the ladder and direction, and once at `x`.
///
/// # Panics
/// If `gradient` is not as long as `x`, or a coordinate is out of range.
pub fn check_gradient(
    f: &dyn Fn(&[f64]) -> f64,
    x: &[f64],
    gradient: &[f64],
    directions: &[Direction],
    ladder: &Ladder,
) -> Vec<Probe> {
    assert_eq!(x.len(), gradient.len(), "a gradient for every coordinate");
    let at_x = f(x);
    let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let gradient_norm = norm(gradient);
    directions
        .iter()
        .map(|&direction| {
            let d = direction.vector(x.len());
            let along = |h: f64| f(&x.iter().zip(&d).map(|(x, d)| x + h * d).collect::<Vec<_>>());
            let quotients: Vec<Quotient> = ladder
                .steps
                .iter()
                .map(|&h| Quotient { step: h, left: (at_x - along(-h)) / h, right: (along(h) - at_x) / h })
                .collect();
            let analytic: f64 = gradient.iter().zip(&d).map(|(g, d)| g * d).sum();
            let best = best_rung(&quotients, at_x);
            let scale = analytic
                .abs()
                .max(quotients[best].central().abs())
                .max(gradient_norm * norm(&d) / (x.len() as f64).sqrt());
            let least = KINK * scale;
            let kink = is_kink(&quotients, best, at_x, least);
            let nearest_kink = nearest_kink(&quotients, best, at_x, least);
            Probe { direction, analytic, quotients, scale, best, kink, nearest_kink }
        })
        .collect()
}

/// The step where C changes least to the next smaller one, its rounding error eps |f| / h counted in.
fn best_rung(quotients: &[Quotient], at_x: f64) -> usize {
    let estimate = |rung: usize| {
        let (here, next) = (&quotients[rung], &quotients[rung + 1]);
        (here.central() - next.central()).abs() + f64::EPSILON * at_x.abs() / here.step
    };
    let best = (0..quotients.len() - 1).min_by(|&a, &b| estimate(a).total_cmp(&estimate(b)));
    best.expect("a ladder has two steps")
}

/// How far R - L is from shrinking in proportion to h between a step and the next smaller one, beyond what rounding
/// (16 eps |f| / h) explains.
fn disagreement(quotients: &[Quotient], rung: usize, at_x: f64) -> f64 {
    let (here, next) = (&quotients[rung], &quotients[rung + 1]);
    let ratio = here.step / next.step;
    let rounding = 16.0 * f64::EPSILON * at_x.abs() * ratio / next.step;
    ((here.gap() - ratio * next.gap()).abs() - rounding).max(0.0)
}

/// Whether the halves disagree by more than `least` at the best step, and at the next smaller one about as much: where f is smooth
/// that shrinks like h^3. It can be large even so at the best step of a function that is even around x, whose C(h) is right at every h.
fn is_kink(quotients: &[Quotient], best: usize, at_x: f64, least: f64) -> bool {
    let here = disagreement(quotients, best, at_x);
    let ratio = quotients[best].step / quotients[best + 1].step;
    let stays = best + 2 == quotients.len() || disagreement(quotients, best + 1, at_x) * ratio > here;
    here > least && stays
}

/// The smallest step above the best one where the halves come to disagree by more than `least`, and abruptly: where f is
/// smooth the disagreement grows like h^3, or h^5 at most, from one step to the next.
fn nearest_kink(quotients: &[Quotient], best: usize, at_x: f64, least: f64) -> Option<f64> {
    (0..best).rev().map(|rung| (rung, disagreement(quotients, rung, at_x))).find_map(|(rung, here)| {
        let ratio = quotients[rung].step / quotients[rung + 1].step;
        let smooth = disagreement(quotients, rung + 1, at_x) * ratio.powi(5);
        (here > least.max(smooth)).then_some(quotients[rung].step)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default ladder is the one of the points' scale: a tenth of it first, quarters down to about 1e-9 of it.
    #[test]
    fn the_steps_of_a_scale_are_in_proportion_to_it() {
        for scale in [1e-6, 0.3, 1.0, 10.0, 37.5, 1e9] {
            let steps = Ladder::for_scale(scale).steps;
            assert_eq!(steps[0], scale / 10.0);
            assert!(steps.windows(2).all(|pair| (pair[0] / pair[1] - 4.0).abs() < 1e-12));
            assert!((1e-9..3e-9).contains(&(steps[steps.len() - 1] / scale)), "{steps:?}");
        }
    }

    /// The first numbers of SplitMix64 from 0 on are e220..., 6e78..., 06c4..., f88b..., 1b39... in base 16.
    #[test]
    fn signs_are_the_top_bits_of_splitmix() {
        assert_eq!(Direction::Random(0).vector(5), [-1.0, 1.0, 1.0, -1.0, 1.0]);
    }

    /// Quotients at these steps, whose halves differ by these gaps.
    fn gaps<const N: usize>(steps: [f64; N], gaps: [f64; N]) -> [Quotient; N] {
        std::array::from_fn(|rung| Quotient { step: steps[rung], left: -gaps[rung], right: 0.0 })
    }

    /// 16 eps |f| / h is that of R - L at the next smaller step, as often as that step is in this one.
    #[test]
    fn what_rounding_explains_is_no_disagreement() {
        let allowed = 16.0 * f64::EPSILON * 3.0 / 0.125 * 4.0;
        for (gap, expected) in [(0.5, 0.0), (1.0, 0.0), (2.0, 1.0)] {
            let quotients = gaps([0.5, 0.125], [gap * allowed, 0.0]);
            assert_eq!(disagreement(&quotients, 0, -3.0), expected * allowed);
        }
    }

    /// What shrinks in proportion to h, and no more slowly, is no kink.
    #[test]
    fn a_disagreement_that_shrinks_with_the_step_is_no_kink() {
        for (next, expected) in [(0.5, false), (0.51, true)] {
            let quotients = gaps([4.0, 2.0, 1.0], [1.0 + 2.0 * next, next, 0.0]);
            assert!((disagreement(&quotients, 0, 0.0) - 1.0).abs() < 1e-15);
            assert_eq!(is_kink(&quotients, 0, 0.0, 0.9), expected);
        }
    }

    /// Across the gradient, an error is relative to what the gradient is along a direction like this one: |g| |d| / sqrt(n).
    #[test]
    fn the_scale_of_a_flat_direction_is_the_gradients() {
        let (x, seed) = ([1.0, 2.0, 3.0, 4.0], 7);
        let (d, ladder) = (Direction::Random(seed).vector(4), Ladder::for_scale(1.0));
        for (direction, gradient, scale) in [
            (Direction::Random(seed), [3.0 * d[0], -3.0 * d[1], 4.0 * d[2], -4.0 * d[3]], 50.0_f64.sqrt()),
            (Direction::Coordinate(1), [3.0, 0.0, 4.0, 0.0], 2.5),
        ] {
            let f = |x: &[f64]| x.iter().zip(&gradient).map(|(x, g)| x * g).sum();
            let probes = check_gradient(&f, &x, &gradient, &[direction], &ladder);
            assert!((probes[0].scale - scale).abs() < 1e-12, "{}", probes[0].scale);
            assert_eq!(probes[0].step(), ladder.steps[probes[0].best]);
        }
    }

    /// Of f(h) = |h| + h^3 halves disagree by as much as is allowed, and by less, at a step whose next one disagrees as well.
    #[test]
    fn a_kink_disagrees_by_more_than_is_allowed() {
        let f = |h: f64| h.abs() + h.powi(3);
        let steps = Ladder::new(0.5, 2.0, 3).steps;
        let halves = |&step: &f64| Quotient { step, left: -f(-step) / step, right: f(step) / step };
        let quotients: Vec<_> = steps.iter().map(halves).collect();
        let here = disagreement(&quotients, 0, 0.0);
        assert!(here > 1.0);
        assert!(is_kink(&quotients, 0, 0.0, here * (1.0 - f64::EPSILON)));
        assert!(!is_kink(&quotients, 0, 0.0, here));
    }
}
