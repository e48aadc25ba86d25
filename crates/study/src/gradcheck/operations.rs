//! Each operation and each loss by itself.
//!
//! An operation with many outputs becomes one number by fixed weights w: f(x) = <w, op(x)>, whose gradient is the
//! operation's backward pass of w.

use impasto_autodiff::check::Ladder;
use impasto_autodiff::ops::{conv, pool, relu};
use impasto_autodiff::{
    AutodiffError, Border, ConvLayer, Coverage, Guide, Loss, LossKind, Pooling, Preprocessing,
};
use impasto_tensor::{Shape, Tensor, root_trace};

use super::registry::{Case, Operation, Random};
use super::{OBJECTIVE_TOLERANCE, OPERATION_TOLERANCE, coordinates};

/// The sizes are odd on purpose: every edge rule takes part.
const SHAPE: Shape = Shape::new(9, 7, 5);
const FILTERS: usize = 6;

/// Every operation and every [`LossKind`], those of layers also with a guide, those of sums also blended, convolutions with every border,
/// square roots of matrices, and the ways from variables to pictures; the last one is a ReLU at 0, a kink on purpose.
///
/// Each draws its random numbers after those before it: a new one goes before the last.
pub(super) fn all() -> Vec<Operation> {
    let mut all = vec![
        conv("convolution 3x3", Border::Zero),
        relu(),
        pool("average pooling", Pooling::Average),
        pool("scaled average pooling", Pooling::ScaledAverage),
        pool("max pooling", Pooling::Max),
    ];
    all.extend(LossKind::ALL.map(|kind| loss(kind, kind.title(), plain)));
    all.push(preprocessing());
    let of_layers = LossKind::ALL.into_iter().filter(|kind| kind.is_of_a_layer());
    all.extend(of_layers.map(|kind| loss(kind, &format!("{}, guided", kind.title()), guided)));
    all.push(conv("convolution 3x3, reflected border", Border::Reflect));
    all.push(conv("convolution 3x3, replicated border", Border::Replicate));
    let of_sums = LossKind::ALL.into_iter().filter(|kind| kind.is_of_sums());
    all.extend(of_sums.map(|kind| loss(kind, &format!("{}, blended", kind.title()), blended)));
    all.push(root());
    all.extend(coordinates::all());
    all.push(relu_at_zero());
    all
}

fn tensor(random: &mut Random, shape: Shape) -> Result<Tensor<f64>, AutodiffError> {
    Ok(Tensor::from_vec(shape, random.numbers(shape.len()))?)
}

/// How much each position of [`SHAPE`] counts: about half of them nothing.
fn guide(random: &mut Random) -> Option<Guide> {
    let t = random.numbers(SHAPE.positions()).into_iter().map(|t| t as f32).collect();
    Coverage::of(t).guide().cloned()
}

/// A case of numbers of about 1.
fn case(shapes: String, x: Vec<f64>, gradient: Vec<f64>, f: impl Fn(&[f64]) -> f64 + 'static) -> Case {
    Case { shapes, f: Box::new(f), x, gradient, ladder: Ladder::for_scale(1.0) }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `values` in the given shape, which has their length.
fn shaped(shape: Shape, values: &[f64]) -> Tensor<f64> {
    Tensor::from_vec(shape, values.to_vec()).expect("as many values as the shape says")
}

fn conv(name: &str, border: Border) -> Operation {
    Operation::new(name, move |random| {
        let layer = ConvLayer {
            name: "conv".to_owned(),
            in_channels: SHAPE.channels,
            out_channels: FILTERS,
            kernel: random.numbers(9 * SHAPE.channels * FILTERS),
            bias: random.numbers(FILTERS),
        };
        let x = tensor(random, SHAPE)?;
        let w = tensor(random, Shape { channels: FILTERS, ..SHAPE })?;
        let gradient = conv::backward(&layer, border, &w)?.into_vec();
        Ok(case(format!("{SHAPE} -> {FILTERS}"), x.into_vec(), gradient, move |x| {
            let z =
                conv::forward(&layer, border, &shaped(SHAPE, x)).expect("the shape that was accepted before");
            dot(w.data(), z.data())
        }))
    })
}

fn relu() -> Operation {
    Operation::new("ReLU", |random| {
        let (z, w) = (random.numbers(SHAPE.len()), random.numbers(SHAPE.len()));
        let mut gradient = w.clone();
        relu::backward(&rectified(&z), &mut gradient);
        Ok(case(SHAPE.to_string(), z, gradient, move |z| dot(&w, &rectified(z))))
    })
}

/// At Z = 0 the two one-sided slopes are 0 and 1, and the code's derivative is 0: the checker must see the kink.
fn relu_at_zero() -> Operation {
    let operation = Operation::new("ReLU at 0 (a kink on purpose)", |_| {
        let mut gradient = vec![1.0; 3];
        relu::backward(&rectified(&[0.0; 3]), &mut gradient);
        Ok(case("1 x 1 x 3".to_owned(), vec![0.0; 3], gradient, |z| rectified(z).iter().sum()))
    });
    operation.on_a_kink()
}

fn rectified(z: &[f64]) -> Vec<f64> {
    let mut f = z.to_vec();
    relu::forward(&mut f);
    f
}

fn pool(name: &str, pooling: Pooling) -> Operation {
    Operation::new(name, move |random| {
        let x = tensor(random, SHAPE)?;
        let pooled = pool::forward(pooling, &x)?.shape();
        let w: Vec<f64> = (0..pooled.len()).map(|i| (i as f64 * 1.3).sin()).collect();
        let gradient = pool::backward(pooling, &x, &shaped(pooled, &w))?.into_vec();
        Ok(case(format!("{SHAPE} -> {pooled}"), x.into_vec(), gradient, move |x| {
            let o = pool::forward(pooling, &shaped(SHAPE, x)).expect("the shape that was accepted before");
            dot(&w, o.data())
        }))
    })
}

/// What a loss looks at, and the loss itself.
type Looked = (Tensor<f64>, Loss<f64>, String);

/// A loss of a response F of random numbers, or of a picture of them.
fn plain(kind: LossKind, random: &mut Random) -> Result<Looked, AutodiffError> {
    if kind.is_of_sums() {
        // The painting has another size than the picture.
        let painting = tensor(random, Shape::new(6, 11, SHAPE.channels))?;
        let shapes = format!("{SHAPE}, painting {}", painting.shape());
        return Ok((tensor(random, SHAPE)?, kind.target_of(&painting)?, shapes));
    }
    if kind.is_of_a_layer() {
        let x = tensor(random, SHAPE)?;
        return Ok((x, kind.target_of(&tensor(random, SHAPE)?)?, SHAPE.to_string()));
    }
    let x = tensor(random, Shape { channels: 3, ..SHAPE })?;
    let loss = kind.target_of(&x)?;
    let shapes = x.shape().to_string();
    Ok((x, loss, shapes))
}

/// The same where a guide says.
fn guided(kind: LossKind, random: &mut Random) -> Result<Looked, AutodiffError> {
    let guide = guide(random);
    let (x, loss, shapes) = plain(kind, random)?;
    Ok((x, loss.guided(guide), shapes))
}

/// The same of two paintings.
fn blended(kind: LossKind, random: &mut Random) -> Result<Looked, AutodiffError> {
    let (x, one, shapes) = plain(kind, random)?;
    let other = kind.target_of(&tensor(random, Shape::new(4, 8, SHAPE.channels))?)?;
    let blend = Loss::blend([(0.25, &one), (0.75, &other)]);
    Ok((x, blend.unwrap_or(one), format!("{shapes} and another")))
}

fn loss(
    kind: LossKind,
    name: &str,
    looked: fn(LossKind, &mut Random) -> Result<Looked, AutodiffError>,
) -> Operation {
    let operation = Operation::new(name, move |random| {
        let (x, loss, shapes) = looked(kind, random)?;
        let mut gradient = vec![0.0; x.data().len()];
        loss.add_gradient(&x, 1.0, &mut gradient)?;
        let shape = x.shape();
        Ok(case(shapes, x.into_vec(), gradient, move |x| {
            loss.value(&shaped(shape, x)).expect("the shape that was accepted before")
        }))
    });
    // A value that is a sum of square roots has fewer digits for differences.
    operation.within(if kind.is_of_means() { OBJECTIVE_TOLERANCE } else { OPERATION_TOLERANCE })
}

fn preprocessing() -> Operation {
    Operation::new("preprocessing", |random| {
        let shape = Shape { channels: 3, ..SHAPE };
        let (x, w) = (random.numbers(shape.len()), random.numbers(shape.len()));
        let mut gradient = w.clone();
        Preprocessing::TORCH.gradient(&mut gradient);
        Ok(case(shape.to_string(), x, gradient, move |x| {
            let mut z = vec![0.0; x.len()];
            Preprocessing::TORCH.apply(x, &mut z);
            dot(&w, &z)
        }))
    })
}

/// tr R(S A S) of symmetric matrices that are above 0, by A.
fn root() -> Operation {
    const N: usize = FILTERS;
    let operation = Operation::new("trace of a square root", |random| {
        let mut positive = || {
            let b = random.numbers(N * N);
            let product = |i: usize, j: usize| (0..N).map(|k| b[i * N + k] * b[j * N + k]).sum::<f64>();
            let diagonal = |i: usize, j: usize| if i == j { 1.0 } else { 0.0 };
            (0..N * N).map(|at| product(at / N, at % N) + diagonal(at / N, at % N)).collect::<Vec<f64>>()
        };
        let (s, a) = (positive(), positive());
        let gradient = root_trace(&s, &a, N).map_err(AutodiffError::from)?.gradient;
        // By the symmetric part of a direction: A stays symmetric.
        Ok(case(format!("{N} x {N}"), a, gradient, move |a| {
            let symmetric: Vec<f64> = (0..N * N).map(|at| 0.5 * (a[at] + a[at % N * N + at / N])).collect();
            root_trace(&s, &symmetric, N).map_or(f64::NAN, |root| root.trace)
        }))
    });
    operation.within(OBJECTIVE_TOLERANCE)
}

#[cfg(test)]
mod tests {
    use impasto_autodiff::check::Verdict;

    use super::super::{ControlError, Registry, Report, Selection};
    use super::*;

    #[test]
    fn every_operation_passes_and_the_kink_is_seen() {
        let registry = Registry::default();
        let kinks: Vec<String> = all().into_iter().filter(|it| it.kink).map(|it| it.name).collect();
        assert_eq!(kinks.len(), 1);
        let selection = Selection { points: 20, ..Selection::new(0) };
        let mut rows = 0;
        let checked = registry.check(&selection, |row| {
            rows += 1;
            assert_eq!(row.probes.len(), 20 * 6);
            if kinks.contains(&row.operation) {
                assert_eq!((row.verdict(), row.kinks()), (Verdict::Kink, row.probes.len()));
            } else {
                let error = row.worst().relative_error();
                assert_eq!(row.verdict(), Verdict::Pass, "{}: {error:e}", row.operation);
            }
            Ok::<_, ControlError>(())
        });
        checked.unwrap();
        assert_eq!(rows + 2, registry.names().len(), "all but the whole objectives");
    }

    /// f(x) = sum x^2 with a gradient that lacks the factor 2.
    fn wrong() -> Operation {
        Operation::new("squares of Mine", |random| {
            let x = random.numbers(4);
            Ok(case("4".to_owned(), x.clone(), x, |x| x.iter().map(|x| x * x).sum()))
        })
    }

    #[test]
    fn an_operation_that_is_added_is_listed_checked_and_reported() {
        let mut registry = Registry::default();
        assert!(!registry.names().contains(&"squares of Mine"));
        registry.push(wrong());
        assert!(registry.names().contains(&"squares of Mine"), "in the list");
        for filter in ["", "mine"] {
            let selection = Selection { filter: filter.to_owned(), ..Selection::new(3) };
            let mut rows = Vec::new();
            registry
                .check(&selection, |row| {
                    rows.push(row);
                    Ok::<_, ControlError>(())
                })
                .unwrap();
            let row = rows.iter().find(|row| row.operation == "squares of Mine").expect("in the run");
            assert_eq!(row.verdict(), Verdict::Fail);
            assert_eq!(rows.len(), if filter.is_empty() { all().len() + 1 } else { 1 });
            let report = Report::new(&selection, &rows);
            let json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
            assert_eq!(json["passed"], false);
            let last = json["rows"].as_array().unwrap().last().unwrap();
            assert_eq!((&last["operation"], &last["verdict"]), (&"squares of Mine".into(), &"fail".into()));
        }
    }

    #[test]
    fn the_numbers_of_an_operation_do_not_depend_on_the_filter() {
        let rows = |filter: &str| {
            let selection = Selection { filter: filter.to_owned(), points: 2, ..Selection::new(5) };
            let mut rows = Vec::new();
            let add = |row| {
                rows.push(row);
                Ok::<_, ControlError>(())
            };
            Registry::default().check(&selection, add).unwrap();
            rows
        };
        let all = rows("");
        let guided = rows("GUIDED");
        assert_eq!(guided.len(), 3);
        assert!(guided.iter().all(|row| all.contains(row)));
    }
}
