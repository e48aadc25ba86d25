//! The one list of all that has a gradient here: what is checked, listed, filtered and reported comes from it.

use impasto_autodiff::check::Ladder;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{ControlError, OPERATION_TOLERANCE, Row, operations, wholes};

/// A function of many numbers.
pub type Function = Box<dyn Fn(&[f64]) -> f64>;

/// f, a point x, and what is claimed to be the gradient of f there.
pub struct Case {
    /// On which shapes, H x W x C.
    pub shapes: String,
    /// f(x), a number.
    pub f: Function,
    /// x.
    pub x: Vec<f64>,
    /// The gradient, as long as x.
    pub gradient: Vec<f64>,
    /// The steps of the differences.
    pub ladder: Ladder,
}

/// An operation, a loss or a whole objective whose gradient can be checked.
pub struct Operation {
    /// What is differentiated.
    pub name: String,
    /// The relative error that its gradient must reach.
    pub tolerance: f64,
    /// Whether it is on a kink on purpose, which a check has to see.
    pub kink: bool,
    case: Make,
}

/// What makes a case of random numbers.
type Make = Box<dyn Fn(&mut Random) -> Result<Case, ControlError>>;

impl Operation {
    /// An operation of that name; `case` makes a point of random numbers.
    pub fn new(
        name: impl Into<String>,
        case: impl Fn(&mut Random) -> Result<Case, ControlError> + 'static,
    ) -> Self {
        Self { name: name.into(), tolerance: OPERATION_TOLERANCE, kink: false, case: Box::new(case) }
    }

    /// The same with another relative error allowed.
    #[must_use]
    pub fn within(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// The same, known to be on a kink.
    #[must_use]
    pub fn on_a_kink(self) -> Self {
        Self { kink: true, ..self }
    }
}

/// Random numbers of a seed.
#[derive(Debug)]
pub struct Random {
    /// The seed, which pictures of the whole objectives are made of.
    pub seed: u64,
    numbers: Pcg64Mcg,
}

impl Random {
    /// Those of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, numbers: Pcg64Mcg::seed_from_u64(seed) }
    }

    /// That many numbers in (-1, 1).
    pub fn numbers(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| f64::from(self.numbers.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0).collect()
    }
}

/// All operations, in the order in which they are checked.
pub struct Registry {
    operations: Vec<Operation>,
    /// What [`Self::objectives`] has added, which are slow.
    wholes: Vec<Operation>,
}

impl Default for Registry {
    fn default() -> Self {
        Self { operations: operations::all(), wholes: Vec::new() }
    }
}

/// What to check of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The seed of the random numbers; each further point has the next one.
    pub seed: u64,
    /// Points x at which each operation is checked, at least 1.
    pub points: usize,
    /// A part of the names of those to check, in any case of letters; all if it is empty.
    pub filter: String,
}

impl Selection {
    /// All operations at one point.
    pub fn new(seed: u64) -> Self {
        Self { seed, points: 1, filter: String::new() }
    }

    /// Whether an operation of that name is checked.
    pub fn has(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.filter.to_lowercase())
    }
}

impl Registry {
    /// Adds an operation at the end: from there it is listed, checked and reported as those that were there.
    pub fn push(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    /// Adds the whole objectives of these pictures.
    #[must_use]
    pub fn with_objectives(mut self, material: wholes::Material) -> Self {
        self.wholes = wholes::all(material);
        self
    }

    /// The names of all that can be checked, those of whole objectives last.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.operations.iter().map(|operation| &*operation.name).collect();
        names.extend(wholes::NAMES);
        names
    }

    /// The names of the whole objectives among them.
    pub fn objectives(&self) -> &'static [&'static str] {
        &wholes::NAMES
    }

    /// Checks what is selected, and hands over each row as it is done.
    ///
    /// # Errors
    /// [`ControlError`] if an operation refuses its shapes, which would be a bug, or a picture is too small; and those of `on_row`.
    pub fn check<E: From<ControlError>>(
        &self,
        selection: &Selection,
        mut on_row: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut points: Vec<Random> = (0..selection.points.max(1) as u64)
            .map(|point| Random::new(selection.seed.wrapping_add(point)))
            .collect();
        for operation in self.operations.iter().chain(&self.wholes) {
            let is_chosen = selection.has(&operation.name);
            let is_whole = self.wholes.iter().any(|whole| std::ptr::eq(whole, operation));
            if is_whole && !is_chosen {
                continue;
            }
            let mut row: Option<Row> = None;
            for random in &mut points {
                // The numbers of an operation are the same, whatever else is checked.
                let case = (operation.case)(random)?;
                if is_chosen {
                    let checked = Row::of(operation, &case);
                    match &mut row {
                        Some(row) => row.probes.extend(checked.probes),
                        None => row = Some(checked),
                    }
                }
            }
            row.map_or(Ok(()), &mut on_row)?;
        }
        Ok(())
    }
}
