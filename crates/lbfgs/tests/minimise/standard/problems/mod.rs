//! The 35 problems of Moré, Garbow and Hillstrom, "Testing unconstrained optimization software", ACM Transactions on Mathematical
//! Software 7, 1981, 17-41: what optimisers are tried on since.
//!
//! Each is a sum of squares from a standard start. A problem gives its residuals r_i(x) and their derivatives, row after row:
//!
//! ```text
//! f(x) = sum_i r_i(x)^2        df/dx_j = sum_i 2 r_i dr_i/dx_j
//! ```
//!
//! Numbers, names, starts and values at the minima are the paper's. Indices i and j are from 1 in its equations and from 0 here.

mod few;
mod list;
mod many;
pub(crate) mod run;

pub(crate) use list::problems;

use impasto_lbfgs::Real;

/// One problem with one number of variables.
pub(crate) struct Problem {
    /// The paper's number, 1 to 35.
    pub(crate) number: u8,
    /// The paper's name.
    pub(crate) name: &'static str,
    /// The standard start.
    pub(crate) start: Vec<f64>,
    /// r and its derivatives.
    pub(crate) residuals: Residuals,
    /// f at the minima that are known, lowest first. A value that f only approaches on the way to infinity is not among them.
    pub(crate) minima: Vec<f64>,
}

/// Hands r_i and its derivatives to `rows`, for each i in turn.
pub(crate) type Residuals = fn(x: &[f64], rows: &mut Rows<'_>);

/// Where residuals go.
pub(crate) struct Rows<'a>(pub(crate) &'a mut dyn FnMut(f64, Derivatives<'_>));

/// dr_i/dx_j of one i.
pub(crate) enum Derivatives<'a> {
    /// For each j.
    All(&'a [f64]),
    /// For these j; the others are 0.
    At(&'a [(usize, f64)]),
}

impl Rows<'_> {
    /// A residual and its derivatives by all x_j.
    fn all(&mut self, r: f64, derivatives: &[f64]) {
        (self.0)(r, Derivatives::All(derivatives));
    }

    /// A residual and those of its derivatives that are not 0.
    fn at(&mut self, r: f64, derivatives: &[(usize, f64)]) {
        (self.0)(r, Derivatives::At(derivatives));
    }
}

impl Problem {
    /// f(x), and df/dx in `gradient`.
    pub(crate) fn evaluate<T: Real>(&self, x: &[T], gradient: &mut [T]) -> f64 {
        let x: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
        let (mut f, mut df) = (0.0, vec![0.0; x.len()]);
        let mut add = |r: f64, derivatives: Derivatives<'_>| {
            f += r * r;
            match derivatives {
                Derivatives::All(all) => df.iter_mut().zip(all).for_each(|(df, dr)| *df += 2.0 * r * dr),
                Derivatives::At(some) => some.iter().for_each(|&(j, dr)| df[j] += 2.0 * r * dr),
            }
        };
        (self.residuals)(&x, &mut Rows(&mut add));
        for (g, df) in gradient.iter_mut().zip(df) {
            *g = T::from_f64(df);
        }
        f
    }
}
