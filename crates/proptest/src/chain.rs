//! Chains of small operations over rows of numbers, to test checkers with: each is right, and every kind of trouble is among them.

use crate::operation::Operation;

/// One operation of a [`Chain`], over a row of n numbers.
///
/// ```text
/// Scale    y_i = s x_i + b                       dL/dx_i = s dL/dy_i
/// Dense    y   = W x                             dL/dx   = W' dL/dy
/// Relu     y_i = max(0, x_i)                     dL/dx_i = dL/dy_i where x_i > 0, else 0
/// Tanh     y_i = tanh x_i                        dL/dx_i = (1 - y_i^2) dL/dy_i
/// Square   y_i = x_i^2                           dL/dx_i = 2 x_i dL/dy_i
/// Softmax  y_i = e^x_i / sum_j e^x_j             dL/dx_i = y_i (dL/dy_i - sum_j y_j dL/dy_j)
/// Average  y_i = (x_2i + x_2i+1) / 2             dL/dx_2i = dL/dx_2i+1 = dL/dy_i / 2
/// Max      y_i = max(x_2i, x_2i+1)               dL/dy_i to the first of the largest, 0 to the other
/// ```
///
/// A pooling leaves out the last of an odd number of numbers; of a single one it is the number itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// s and b.
    Scale(f64, f64),
    /// W, row by row: as many numbers in a row as x has.
    Dense(Vec<Vec<f64>>),
    /// The rectifier.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// The square.
    Square,
    /// Shares that add up to 1.
    Softmax,
    /// The mean of each pair.
    Average,
    /// The larger of each pair.
    Max,
}

impl Step {
    /// Whether a derivative may be missing somewhere.
    pub fn has_kinks(&self) -> bool {
        matches!(self, Self::Relu | Self::Max)
    }
}

/// The pairs that a pooling sees; a single number is a pair by itself.
fn pairs(x: &[f64]) -> impl Iterator<Item = &[f64]> {
    let side = if x.len() == 1 { 1 } else { 2 };
    x.chunks_exact(side)
}

/// The index of the first of the largest.
fn largest(x: &[f64]) -> usize {
    (1..x.len()).fold(0, |best, at| if x[at] > x[best] { at } else { best })
}

impl Operation for Step {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        match self {
            Self::Scale(s, b) => x.iter().map(|x| s * x + b).collect(),
            Self::Dense(w) => w.iter().map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum()).collect(),
            Self::Relu => x.iter().map(|x| x.max(0.0)).collect(),
            Self::Tanh => x.iter().map(|x| x.tanh()).collect(),
            Self::Square => x.iter().map(|x| x * x).collect(),
            Self::Softmax => {
                let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let powers: Vec<f64> = x.iter().map(|x| (x - most).exp()).collect();
                let sum: f64 = powers.iter().sum();
                powers.iter().map(|power| power / sum).collect()
            }
            Self::Average => pairs(x).map(|pair| pair.iter().sum::<f64>() / pair.len() as f64).collect(),
            Self::Max => pairs(x).map(|pair| pair[largest(pair)]).collect(),
        }
    }

    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        let each = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(gradient).map(|(&x, &g)| f(x, g)).collect();
        match self {
            Self::Scale(s, _) => each(&|_, g| s * g),
            Self::Dense(w) => {
                let column = |at: usize| w.iter().zip(gradient).map(|(row, g)| row[at] * g).sum();
                (0..x.len()).map(column).collect()
            }
            Self::Relu => each(&|x, g| if x > 0.0 { g } else { 0.0 }),
            Self::Tanh => each(&|x, g| (1.0 - x.tanh().powi(2)) * g),
            Self::Square => each(&|x, g| 2.0 * x * g),
            Self::Softmax => {
                let y = self.forward(x);
                let mean: f64 = y.iter().zip(gradient).map(|(y, g)| y * g).sum();
                y.iter().zip(gradient).map(|(y, g)| y * (g - mean)).collect()
            }
            Self::Average => spread(x, gradient, |pair, _| 1.0 / pair.len() as f64),
            Self::Max => spread(x, gradient, |pair, at| f64::from(u8::from(at == largest(pair)))),
        }
    }

    fn is_linear(&self) -> bool {
        matches!(self, Self::Scale(..) | Self::Dense(_) | Self::Average)
    }
}

/// The gradient of each pair, to each of it by its share; 0 to a number that is left out.
fn spread(x: &[f64], gradient: &[f64], share: impl Fn(&[f64], usize) -> f64) -> Vec<f64> {
    let mut spread: Vec<f64> = pairs(x)
        .zip(gradient)
        .flat_map(|(pair, g)| (0..pair.len()).map(|at| share(pair, at) * g).collect::<Vec<_>>())
        .collect();
    spread.resize(x.len(), 0.0);
    spread
}

/// Steps one after the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chain(pub Vec<Step>);

impl Chain {
    /// x, and what each step makes of it.
    pub fn responses(&self, x: &[f64]) -> Vec<Vec<f64>> {
        let mut responses = vec![x.to_vec()];
        for step in &self.0 {
            responses.push(step.forward(&responses[responses.len() - 1]));
        }
        responses
    }
}

impl Operation for Chain {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        self.0.iter().fold(x.to_vec(), |x, step| step.forward(&x))
    }

    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        let responses = self.responses(x);
        let back = self.0.iter().zip(&responses).rev();
        back.fold(gradient.to_vec(), |gradient, (step, x)| step.backward(x, &gradient))
    }

    fn is_linear(&self) -> bool {
        self.0.iter().all(Step::is_linear)
    }
}
