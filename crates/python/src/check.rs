//! Is the gradient of a function of the caller's right? The comparison is [`impasto_autodiff::check`].

use std::cell::RefCell;
use std::ops::Range;

use impasto_autodiff::check::{Direction, Ladder, Probe, Verdict, check_gradient as compare};
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::function::{Function, numbers, required};

/// The coordinate (none: a random direction), analytic, central, left, right, step, scale, relative error, verdict, whether there is
/// a kink, the nearest other one.
type Row = (Option<usize>, f64, f64, f64, f64, f64, f64, f64, &'static str, bool, Option<f64>);

/// Probes along random directions of these seeds and along these coordinates, and how often the function was called. Where
/// directions fail and no coordinate does, one that is wrong is looked for, and is the last probe.
#[pyfunction]
pub(crate) fn check_gradient(
    function: Bound<'_, PyAny>,
    x: &Bound<'_, PyAny>,
    seeds: Vec<u64>,
    coordinates: Vec<usize>,
    scale: f64,
    tolerance: f64,
) -> PyResult<(Vec<Row>, usize)> {
    let py = function.py();
    let x: PyReadonlyArrayDyn<'_, f64> = required(x)?.extract()?;
    let function = Function::new(function, x.shape())?;
    let x = numbers(&x);
    let mut gradient = vec![0.0; x.len()];
    let loss = function.evaluate(py, &x, &mut gradient)?;
    if !loss.is_finite() {
        return Err(PyValueError::new_err(format!("the loss at x must be finite, not {loss}")));
    }
    if !gradient.iter().all(|g| g.is_finite()) {
        return Err(PyValueError::new_err("the gradient at x has numbers that are NaN or infinite"));
    }
    let claim =
        Claim { py, function, x, gradient, ladder: Ladder::for_scale(scale), called: RefCell::new(Ok(1)) };
    let everywhere = 0..claim.x.len();
    let mut rows = Vec::new();
    for seed in &seeds {
        rows.push((None, claim.probe(everywhere.clone(), Direction::Random(*seed))?));
    }
    for &coordinate in &coordinates {
        rows.push((Some(coordinate), claim.probe(everywhere.clone(), Direction::Coordinate(coordinate))?));
    }
    let wrong = |probe: &Probe| probe.verdict(tolerance) == Verdict::Fail;
    let (of_directions, of_coordinates) = rows.split_at(seeds.len());
    if of_directions.iter().any(|(_, probe)| wrong(probe))
        && !of_coordinates.iter().any(|(_, probe)| wrong(probe))
    {
        rows.extend(claim.wrong_coordinate(seeds[0], wrong)?);
    }
    let rows = rows.into_iter().map(|(coordinate, probe)| row(coordinate, &probe, tolerance)).collect();
    Ok((rows, claim.called.into_inner()?))
}

/// That the gradient at x is what the function said.
struct Claim<'py> {
    py: Python<'py>,
    function: Function,
    x: Vec<f64>,
    gradient: Vec<f64>,
    ladder: Ladder,
    /// How often the function was called; or what it raised, after which it is not called again.
    called: RefCell<PyResult<usize>>,
}

impl Claim<'_> {
    /// Compares along a direction of the coordinates in `part`; the others stay.
    fn probe(&self, part: Range<usize>, direction: Direction) -> PyResult<Probe> {
        let f = |moved: &[f64]| self.loss(&part, moved);
        let (x, gradient) = (&self.x[part.clone()], &self.gradient[part.clone()]);
        let probe = compare(&f, x, gradient, &[direction], &self.ladder).pop();
        if let Err(raised) = &*self.called.borrow() {
            return Err(raised.clone_ref(self.py));
        }
        probe.ok_or_else(|| PyValueError::new_err("a direction has no probe"))
    }

    /// The loss where the coordinates in `part` have moved; NaN once the function has raised something.
    fn loss(&self, part: &Range<usize>, moved: &[f64]) -> f64 {
        let mut called = self.called.borrow_mut();
        let Ok(times) = &mut *called else { return f64::NAN };
        let mut x = self.x.clone();
        x[part.clone()].copy_from_slice(moved);
        *times += 1;
        match self.function.evaluate(self.py, &x, &mut vec![0.0; x.len()]) {
            Ok(loss) => loss,
            Err(raised) => {
                *called = Err(raised);
                f64::NAN
            }
        }
    }

    /// A coordinate whose derivative is wrong: of two halves the one where a random direction fails, and so on down to one. None
    /// where both halves of a part pass, as when each coordinate is wrong by less than the tolerance.
    fn wrong_coordinate(
        &self,
        seed: u64,
        wrong: impl Fn(&Probe) -> bool,
    ) -> PyResult<Option<(Option<usize>, Probe)>> {
        let mut part = 0..self.x.len();
        while part.len() > 1 {
            let middle = part.start + part.len() / 2;
            let (left, right) = (part.start..middle, middle..part.end);
            part = if wrong(&self.probe(left.clone(), Direction::Random(seed))?) {
                left
            } else if wrong(&self.probe(right.clone(), Direction::Random(seed))?) {
                right
            } else {
                return Ok(None);
            };
        }
        let probe = self.probe(0..self.x.len(), Direction::Coordinate(part.start))?;
        Ok(wrong(&probe).then_some((Some(part.start), probe)))
    }
}

fn row(coordinate: Option<usize>, probe: &Probe, tolerance: f64) -> Row {
    let quotient = &probe.quotients[probe.best];
    let verdict = match probe.verdict(tolerance) {
        Verdict::Pass => "pass",
        Verdict::Kink => "kink",
        Verdict::Fail => "fail",
    };
    let (central, step, error) = (quotient.central(), probe.step(), probe.relative_error());
    let (left, right) = (quotient.left, quotient.right);
    (
        coordinate,
        probe.analytic,
        central,
        left,
        right,
        step,
        probe.scale,
        error,
        verdict,
        probe.kink,
        probe.nearest_kink,
    )
}
