//! Every gradient of the method against central differences in `f64`: each operation and loss alone, then the whole
//! objective from the pixels of a picture to the total loss; last the objective with masks, several paintings, a part that is kept,
//! and light alone.
//!
//! The comparison itself, with its choice of step and its detection of kinks, is [`impasto_autodiff::check`].

mod control;
mod objective;
mod operations;
mod step_plot;

pub use control::{ControlError, control};
pub use impasto_autodiff::check::Verdict;
pub use objective::{Objective, objective};
pub use operations::operations;
pub use step_plot::step_plot;

use impasto_autodiff::check::{Direction, Ladder, Probe, check_gradient};

/// The relative error that each operation and each loss must reach.
pub const OPERATION_TOLERANCE: f64 = 1e-7;

/// The relative error that the whole objective must reach, through some hundred thousand ReLUs.
pub const OBJECTIVE_TOLERANCE: f64 = 1e-6;

/// That `gradient` is the gradient of `f` at `x`.
struct Claim<'a> {
    f: &'a dyn Fn(&[f64]) -> f64,
    x: &'a [f64],
    gradient: &'a [f64],
}

/// One line of the table: an operation and its probes.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was differentiated.
    pub operation: String,
    /// On which shapes, H x W x C.
    pub shapes: String,
    /// The relative error allowed.
    pub tolerance: f64,
    /// The directions that were tried.
    pub probes: Vec<Probe>,
}

impl Row {
    /// Compares a gradient along random directions and single coordinates.
    fn new(operation: &str, shapes: String, tolerance: f64, ladder: &Ladder, claim: &Claim<'_>) -> Self {
        let &Claim { f, x, gradient } = claim;
        let directions = [
            Direction::Random(1),
            Direction::Random(2),
            Direction::Random(3),
            Direction::Coordinate(0),
            Direction::Coordinate(x.len() / 2),
            Direction::Coordinate(x.len() - 1),
        ];
        let probes = check_gradient(f, x, gradient, &directions, ladder);
        Self { operation: operation.to_owned(), shapes, tolerance, probes }
    }

    /// The probe that tells most: a failed one before all others, then the largest error away from kinks.
    ///
    /// # Panics
    /// If there are no probes.
    pub fn worst(&self) -> &Probe {
        let rank = |probe: &Probe| match probe.verdict(self.tolerance) {
            Verdict::Fail => 2,
            Verdict::Pass => 1,
            Verdict::Kink => 0,
        };
        let order = |a: &&Probe, b: &&Probe| {
            rank(a).cmp(&rank(b)).then(a.relative_error().total_cmp(&b.relative_error()))
        };
        self.probes.iter().max_by(order).expect("a row has probes")
    }

    /// How many probes sit on a kink, where there is no derivative to compare with.
    pub fn kinks(&self) -> usize {
        self.probes.iter().filter(|probe| probe.verdict(self.tolerance) == Verdict::Kink).count()
    }

    /// The smallest step at which a probe met a kink that its smaller steps do not reach; none if no probe met one.
    pub fn nearest_kink(&self) -> Option<f64> {
        self.probes.iter().filter_map(|probe| probe.nearest_kink).min_by(f64::total_cmp)
    }

    /// [`Verdict::Fail`] if one probe failed, [`Verdict::Kink`] if all sit on kinks, else [`Verdict::Pass`].
    pub fn verdict(&self) -> Verdict {
        self.worst().verdict(self.tolerance)
    }
}
