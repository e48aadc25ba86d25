//! Each operation and each loss by itself.
//!
//! An operation with many outputs becomes one number by fixed weights w: f(x) = <w, op(x)>, whose gradient is the
//! operation's backward pass of w.

use impasto_autodiff::check::Ladder;
use impasto_autodiff::ops::{conv, pool, relu};
use impasto_autodiff::{AutodiffError, Border, ConvLayer, Coverage, Guide, LossKind, Pooling, Preprocessing};
use impasto_tensor::{Shape, Tensor};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{Claim, OBJECTIVE_TOLERANCE, OPERATION_TOLERANCE, Row};

/// The sizes are odd on purpose: every edge rule takes part.
const SHAPE: Shape = Shape::new(9, 7, 5);
const FILTERS: usize = 6;

/// A row for every operation and every [`LossKind`], those of layers also with a guide, convolutions with every border, on random numbers of that seed; the last one is
/// a ReLU at 0, a kink on purpose.
///
/// # Errors
/// [`AutodiffError`] if an operation refuses its shapes, which would be a bug.
pub fn operations(seed: u64) -> Result<Vec<Row>, AutodiffError> {
    let mut random = Random(Pcg64Mcg::seed_from_u64(seed));
    let mut rows = vec![
        conv_row("convolution 3x3", Border::Zero, &mut random)?,
        relu_row(&mut random),
        pool_row("average pooling", Pooling::Average, &random.tensor(SHAPE)?)?,
        pool_row("scaled average pooling", Pooling::ScaledAverage, &random.tensor(SHAPE)?)?,
        pool_row("max pooling", Pooling::Max, &random.tensor(SHAPE)?)?,
    ];
    for kind in LossKind::ALL {
        rows.push(loss_row(kind, None, &mut random)?);
    }
    rows.push(preprocessing_row(&mut random));
    for kind in LossKind::ALL.into_iter().filter(|kind| kind.is_of_a_layer()) {
        let guide = random.guide();
        rows.push(loss_row(kind, guide, &mut random)?);
    }
    rows.push(conv_row("convolution 3x3, reflected border", Border::Reflect, &mut random)?);
    rows.push(conv_row("convolution 3x3, replicated border", Border::Replicate, &mut random)?);
    rows.push(relu_at_zero_row());
    Ok(rows)
}

/// Numbers in (-1, 1).
struct Random(Pcg64Mcg);

impl Random {
    fn numbers(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| f64::from(self.0.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0).collect()
    }

    fn tensor(&mut self, shape: Shape) -> Result<Tensor<f64>, AutodiffError> {
        Ok(Tensor::from_vec(shape, self.numbers(shape.len()))?)
    }

    /// How much each position of [`SHAPE`] counts: about half of them nothing.
    fn guide(&mut self) -> Option<Guide> {
        let t = self.numbers(SHAPE.positions()).into_iter().map(|t| t as f32).collect();
        Coverage::of(t).guide().cloned()
    }
}

fn row(operation: &str, shapes: String, f: &dyn Fn(&[f64]) -> f64, x: &[f64], gradient: &[f64]) -> Row {
    Row::new(operation, shapes, OPERATION_TOLERANCE, &Ladder::for_scale(1.0), &Claim { f, x, gradient })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `values` in the given shape, which has their length.
fn shaped(shape: Shape, values: &[f64]) -> Tensor<f64> {
    Tensor::from_vec(shape, values.to_vec()).expect("as many values as the shape says")
}

fn conv_row(name: &str, border: Border, random: &mut Random) -> Result<Row, AutodiffError> {
    let layer = ConvLayer {
        name: "conv".to_owned(),
        in_channels: SHAPE.channels,
        out_channels: FILTERS,
        kernel: random.numbers(9 * SHAPE.channels * FILTERS),
        bias: random.numbers(FILTERS),
    };
    let x = random.tensor(SHAPE)?;
    let w = random.tensor(Shape { channels: FILTERS, ..SHAPE })?;
    let gradient = conv::backward(&layer, border, &w)?;
    let f = |x: &[f64]| {
        let z = conv::forward(&layer, border, &shaped(SHAPE, x)).expect("the shape that was accepted before");
        dot(w.data(), z.data())
    };
    Ok(row(name, format!("{SHAPE} -> {FILTERS}"), &f, x.data(), gradient.data()))
}

fn relu_row(random: &mut Random) -> Row {
    let (z, w) = (random.numbers(SHAPE.len()), random.numbers(SHAPE.len()));
    let mut gradient = w.clone();
    relu::backward(&rectified(&z), &mut gradient);
    row("ReLU", SHAPE.to_string(), &|z| dot(&w, &rectified(z)), &z, &gradient)
}

/// At Z = 0 the two one-sided slopes are 0 and 1, and the code's derivative is 0: the checker must see the kink.
fn relu_at_zero_row() -> Row {
    let mut gradient = [1.0; 3];
    relu::backward(&rectified(&[0.0; 3]), &mut gradient);
    let f = |z: &[f64]| rectified(z).iter().sum();
    row("ReLU at 0 (a kink on purpose)", "1 x 1 x 3".to_owned(), &f, &[0.0; 3], &gradient)
}

fn rectified(z: &[f64]) -> Vec<f64> {
    let mut f = z.to_vec();
    relu::forward(&mut f);
    f
}

fn pool_row(name: &str, pooling: Pooling, x: &Tensor<f64>) -> Result<Row, AutodiffError> {
    let shape = x.shape();
    let pooled = pool::forward(pooling, x)?.shape();
    let w: Vec<f64> = (0..pooled.len()).map(|i| (i as f64 * 1.3).sin()).collect();
    let gradient = pool::backward(pooling, x, &shaped(pooled, &w))?;
    let f = |x: &[f64]| {
        let o = pool::forward(pooling, &shaped(shape, x)).expect("the shape that was accepted before");
        dot(&w, o.data())
    };
    Ok(row(name, format!("{shape} -> {pooled}"), &f, x.data(), gradient.data()))
}

/// A loss of a response F of random numbers, or of a picture of them; where a guide says, if there is one.
fn loss_row(kind: LossKind, guide: Option<Guide>, random: &mut Random) -> Result<Row, AutodiffError> {
    let (x, target, shapes) = if kind.is_of_sums() {
        // The painting has another size than the picture.
        let painting = random.tensor(Shape::new(6, 11, SHAPE.channels))?;
        let shapes = format!("{SHAPE}, painting {}", painting.shape());
        (random.tensor(SHAPE)?, painting, shapes)
    } else if kind.is_of_a_layer() {
        (random.tensor(SHAPE)?, random.tensor(SHAPE)?, SHAPE.to_string())
    } else {
        let x = random.tensor(Shape { channels: 3, ..SHAPE })?;
        (x.clone(), x, Shape { channels: 3, ..SHAPE }.to_string())
    };
    let title = if guide.is_some() { format!("{}, guided", kind.title()) } else { kind.title().to_owned() };
    let loss = kind.target_of(&target)?.guided(guide);
    let mut gradient = vec![0.0; x.data().len()];
    loss.add_gradient(&x, 1.0, &mut gradient)?;
    let shape = x.shape();
    let f = |x: &[f64]| loss.value(&shaped(shape, x)).expect("the shape that was accepted before");
    // A value that is a sum of square roots has fewer digits for differences.
    let tolerance = if kind.is_of_means() { OBJECTIVE_TOLERANCE } else { OPERATION_TOLERANCE };
    let claim = Claim { f: &f, x: x.data(), gradient: &gradient };
    Ok(Row::new(&title, shapes, tolerance, &Ladder::for_scale(1.0), &claim))
}

fn preprocessing_row(random: &mut Random) -> Row {
    let shape = Shape { channels: 3, ..SHAPE };
    let (x, w) = (random.numbers(shape.len()), random.numbers(shape.len()));
    let preprocessing = Preprocessing::TORCH;
    let mut gradient = w.clone();
    preprocessing.gradient(&mut gradient);
    let f = |x: &[f64]| {
        let mut z = vec![0.0; x.len()];
        preprocessing.apply(x, &mut z);
        dot(&w, &z)
    };
    row("preprocessing", shape.to_string(), &f, &x, &gradient)
}

#[cfg(test)]
mod tests {
    use impasto_autodiff::check::Verdict;

    use super::*;

    #[test]
    fn every_operation_passes_and_the_kink_is_seen() {
        for seed in 0..20 {
            let mut rows = operations(seed).unwrap();
            let kink = rows.pop().unwrap();
            assert_eq!((kink.verdict(), kink.kinks()), (Verdict::Kink, kink.probes.len()));
            for row in rows {
                assert_eq!(
                    row.verdict(),
                    Verdict::Pass,
                    "{}: {:e}",
                    row.operation,
                    row.worst().relative_error()
                );
            }
        }
    }
}
