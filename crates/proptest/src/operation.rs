//! An operation, forward and backward, and all that can be asserted of it.

use std::fmt::Debug;

use proptest::strategy::Strategy;

use crate::accumulates::check_accumulates;
use crate::adjoint::check_adjoint;
use crate::cases::Cases;
use crate::failure::{Failure, Property};
use crate::gradient::{Checks, Seen, check_sum};
use crate::random::uneven;
use crate::repeats::check_repeats;
use crate::threads::check_same_bits_on_threads;
use crate::twin::check_twin;

/// y = f(x), and dL/dx from dL/dy. Two functions are enough; each of the others, if it is there, is held to the first two.
pub trait Operation {
    /// y of x.
    fn forward(&self, x: &[f64]) -> Vec<f64>;

    /// dL/dx, as long as x, from x and dL/dy, which is as long as y.
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64>;

    /// What messages call it: the type's name, without its path.
    fn name(&self) -> String {
        let name = std::any::type_name::<Self>();
        let short = name.split('<').next().unwrap_or(name);
        short.rsplit("::").next().unwrap_or(short).to_owned()
    }

    /// The sides of x as an array, for messages; the last one varies fastest. Empty if it is a row of numbers.
    fn shape(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Whether y = A x + b: then backward must be the adjoint A', whatever x is.
    fn is_linear(&self) -> bool {
        false
    }

    /// y by the plain version, if this is a fast one.
    fn plain_forward(&self, _x: &[f64]) -> Option<Vec<f64>> {
        None
    }

    /// dL/dx by the plain version, if this is a fast one.
    fn plain_backward(&self, _x: &[f64], _gradient: &[f64]) -> Option<Vec<f64>> {
        None
    }

    /// How much fast and plain may differ, in parts of the largest number.
    fn twin_tolerance(&self) -> f64 {
        1e-12
    }

    /// Adds dL/dx to `sum` and returns true; returns false if there is no such function.
    fn add_backward(&self, _x: &[f64], _gradient: &[f64], _sum: &mut [f64]) -> bool {
        false
    }

    /// `Some(self)` if it uses rayon's threads, and promises the same bits on any number of them.
    fn threaded(&self) -> Option<&(dyn Operation + Sync)> {
        None
    }
}

/// What was asserted of an operation that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The properties that apply, in the order in which they were checked.
    pub held: Vec<Property>,
    /// What the probes of its gradient saw.
    pub seen: Seen,
}

/// Checks at x all that applies: lengths; the same bits after a call at another point; the gradient of `<w, forward(x)>` for
/// [uneven](crate::uneven) weights w; and, where the operation has what they need, adjoint, plain twin, adding, threads.
///
/// The other point is x backwards and halved: within whatever interval around 0, or above it, the operation is defined on.
///
/// # Errors
/// [`Failure`], with the operation's name.
pub fn check_operation<O: Operation + ?Sized>(
    operation: &O,
    x: &[f64],
    checks: &Checks,
) -> Result<Report, Failure> {
    let w = uneven(operation.forward(x).len(), checks.seed);
    let gradient = operation.backward(x, &w);
    let point = Point { operation, x, w, gradient, checks };
    point.length().map_err(|failure| point.named(failure))?;
    point.repeats().map_err(|failure| point.named(failure))?;
    let mut held = vec![Property::Length, Property::Repeats, Property::Gradient];
    let seen = point.gradient().map_err(|failure| point.shaped(failure))?;
    for (property, held_there) in [
        (Property::Adjoint, point.adjoint().map_err(|failure| point.shaped(failure))?),
        (Property::TwinForward, point.twin_forward().map_err(|failure| point.named(failure))?),
        (Property::TwinBackward, point.twin_backward().map_err(|failure| point.shaped(failure))?),
        (Property::Accumulates, point.accumulates().map_err(|failure| point.shaped(failure))?),
        (Property::SameBits, point.same_bits().map_err(|failure| point.named(failure))?),
    ] {
        if held_there {
            held.push(property);
        }
    }
    Ok(Report { held, seen })
}

/// An operation at a point, the weights of its outputs, and its gradient.
struct Point<'a, O: ?Sized> {
    operation: &'a O,
    x: &'a [f64],
    w: Vec<f64>,
    gradient: Vec<f64>,
    checks: &'a Checks,
}

/// Each returns whether it applies.
impl<O: Operation + ?Sized> Point<'_, O> {
    /// A failure whose coordinate is one of many things.
    fn named(&self, failure: Failure) -> Failure {
        failure.of_operation(&self.operation.name(), &[])
    }

    /// A failure at a coordinate of x.
    fn shaped(&self, failure: Failure) -> Failure {
        failure.of_operation(&self.operation.name(), &self.operation.shape()).seeded(self.checks.seed)
    }

    fn length(&self) -> Result<(), Failure> {
        let (got, expected) = (self.gradient.len(), self.x.len());
        if got == expected {
            return Ok(());
        }
        let failure = Failure::of(Property::Length, expected, [got as f64, expected as f64], 1.0, 0.0);
        Err(failure.note("backward does not return a number for every coordinate of x"))
    }

    fn repeats(&self) -> Result<(), Failure> {
        let &Self { operation, x, .. } = self;
        let other: Vec<f64> = x.iter().rev().map(|x| 0.5 * x).collect();
        let elsewhere = || {
            let len = operation.forward(&other).len();
            operation.backward(&other, &uneven(len, self.checks.seed + 1));
        };
        check_repeats(|| (operation.forward(x), operation.backward(x, &self.w)), elsewhere)
    }

    fn gradient(&self) -> Result<Seen, Failure> {
        let terms = |x: &[f64]| {
            self.operation.forward(x).into_iter().zip(&self.w).map(|(y, w)| y * w).collect::<Vec<_>>()
        };
        let magnitude = terms(self.x).iter().map(|term| term.abs()).sum();
        check_sum(&|x| terms(x).iter().sum(), self.x, &self.gradient, magnitude, self.checks)
    }

    fn adjoint(&self) -> Result<bool, Failure> {
        let &Self { operation, x, .. } = self;
        if operation.is_linear() {
            check_adjoint(|x| operation.forward(x), |y| operation.backward(x, y), x, &self.w, 1e-12)?;
        }
        Ok(operation.is_linear())
    }

    fn twin_forward(&self) -> Result<bool, Failure> {
        let Some(plain) = self.operation.plain_forward(self.x) else { return Ok(false) };
        let twin = check_twin(&self.operation.forward(self.x), &plain, self.operation.twin_tolerance());
        twin.map(|()| true).map_err(|failure| of_twin(failure, Property::TwinForward))
    }

    fn twin_backward(&self) -> Result<bool, Failure> {
        let Some(plain) = self.operation.plain_backward(self.x, &self.w) else { return Ok(false) };
        let twin = check_twin(&self.gradient, &plain, self.operation.twin_tolerance());
        twin.map(|()| true).map_err(|failure| of_twin(failure, Property::TwinBackward))
    }

    fn accumulates(&self) -> Result<bool, Failure> {
        let mut sum = vec![0.0; self.x.len()];
        if !self.operation.add_backward(self.x, &self.w, &mut sum) {
            return Ok(false);
        }
        check_twin(&sum, &self.gradient, 1e-12).map_err(|failure| {
            of_twin(failure, Property::Accumulates).note("what is added to 0 is not the gradient")
        })?;
        let add = |sum: &mut [f64]| {
            self.operation.add_backward(self.x, &self.w, sum);
        };
        check_accumulates(add, self.x.len()).map(|()| true)
    }

    fn same_bits(&self) -> Result<bool, Failure> {
        let Some(operation) = self.operation.threaded() else { return Ok(false) };
        let (x, w) = (self.x, &self.w[..]);
        check_same_bits_on_threads(|| (operation.forward(x), operation.backward(x, w))).map(|()| true)
    }
}

/// The same failure under the name of what was compared.
fn of_twin(failure: Failure, property: Property) -> Failure {
    let is_length = failure.property == Property::Length;
    Failure { property: if is_length { Property::Length } else { property }, ..failure }
}

/// Checks an operation at points that a strategy draws, with the default [`Cases`] and [`Checks`].
///
/// # Panics
/// With the [`Failure`] at the smallest point that fails, and the seed that finds it again.
#[track_caller]
pub fn assert_operation<O: Operation + ?Sized>(operation: &O, points: impl Strategy<Value = Vec<f64>>) {
    let check = |x: &Vec<f64>| check_operation(operation, x, &Checks::default()).map(|_| ());
    if let Err(refuted) = Cases::default().run(&points, check) {
        panic!("{refuted}");
    }
}

/// The same for a strategy that draws the operation too: its kernel, its shape.
///
/// # Panics
/// With the [`Failure`] of the smallest operation and point that fail, and the seed that finds them again.
#[track_caller]
pub fn assert_operations<O: Operation + Debug>(cases: impl Strategy<Value = (O, Vec<f64>)>) {
    let check =
        |(operation, x): &(O, Vec<f64>)| check_operation(operation, x, &Checks::default()).map(|_| ());
    if let Err(refuted) = Cases::default().run(&cases, check) {
        panic!("{refuted}");
    }
}
