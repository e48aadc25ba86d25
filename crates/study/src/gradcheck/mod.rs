//! Every gradient of the method against central differences in `f64`: each operation and loss alone, then the whole
//! objective from the pixels of a picture to the total loss; last the objective with masks, several paintings, a part that is kept,
//! and light alone.
//!
//! The comparison itself, with its choice of step and its detection of kinks, is [`impasto_autodiff::check`]. What is checked is a
//! [`Registry`]; an operation of one's own is added to it by [`Registry::push`]:
//!
//! ```
//! use impasto_study::gradcheck::{Case, ControlError, Operation, Registry, Selection, Verdict};
//! use impasto_autodiff::check::Ladder;
//!
//! let mut registry = Registry::default();
//! registry.push(Operation::new("sum of cubes", |random| {
//!     let x = random.numbers(5);
//!     Ok(Case {
//!         shapes: "5".to_owned(),
//!         gradient: x.iter().map(|x| 3.0 * x * x).collect(),
//!         f: Box::new(|x| x.iter().map(|x| x.powi(3)).sum()),
//!         x,
//!         ladder: Ladder::for_scale(1.0),
//!     })
//! }));
//! let cubes = Selection { filter: "cubes".to_owned(), points: 3, ..Selection::new(7) };
//! registry.check(&cubes, |row| {
//!     assert_eq!((row.verdict(), row.probes.len()), (Verdict::Pass, 3 * 6));
//!     Ok::<_, ControlError>(())
//! })?;
//! # Ok::<(), ControlError>(())
//! ```

mod control;
mod coordinates;
mod objective;
mod operations;
mod registry;
mod report;
mod step_plot;
mod wholes;

pub use control::ControlError;
pub use impasto_autodiff::check::Verdict;
pub use objective::Objective;
pub use registry::{Case, Function, Operation, Random, Registry, Selection};
pub use report::{Report, ReportRow};
pub use step_plot::step_plot;
pub use wholes::Material;

use impasto_autodiff::check::{Direction, Probe, check_gradient};

/// The relative error that each operation and each loss must reach.
pub const OPERATION_TOLERANCE: f64 = 1e-7;

/// The relative error that the whole objective must reach, through some hundred thousand ReLUs.
pub const OBJECTIVE_TOLERANCE: f64 = 1e-6;

/// The relative error that a map in single precision must reach.
pub const SINGLE_TOLERANCE: f64 = 1e-5;

/// One line of the table: an operation and its probes.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was differentiated.
    pub operation: String,
    /// On which shapes, H x W x C.
    pub shapes: String,
    /// The relative error allowed.
    pub tolerance: f64,
    /// The directions that were tried, at all points.
    pub probes: Vec<Probe>,
}

impl Row {
    /// Compares the gradient of an operation along random directions and single coordinates.
    fn of(operation: &Operation, case: &Case) -> Self {
        let Case { shapes, f, x, gradient, ladder } = case;
        let directions = [
            Direction::Random(1),
            Direction::Random(2),
            Direction::Random(3),
            Direction::Coordinate(0),
            Direction::Coordinate(x.len() / 2),
            Direction::Coordinate(x.len() - 1),
        ];
        let probes = check_gradient(f, x, gradient, &directions, ladder);
        let Operation { name, tolerance, .. } = operation;
        Self { operation: name.clone(), shapes: shapes.clone(), tolerance: *tolerance, probes }
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
