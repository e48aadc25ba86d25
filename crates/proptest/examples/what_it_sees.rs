//! What the checker can see: errors of every kind and size, put into the right gradients of a thousand random operations. Prints the table of
//! `docs/testing.md`.
//!
//! `cargo run --example what_it_sees -p impasto-proptest -- 1000` (100 operations without the number)

use std::error::Error;

use impasto_proptest::strategies::{chains, chains_off_kinks, numbers};
use impasto_proptest::{Cases, Chain, Checks, Operation, Step, check_claim, check_operation, uneven};
use proptest::prelude::*;
use rayon::prelude::*;

/// Relative sizes of the errors of a coordinate and of a block.
const SIZES: [f64; 8] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8];
/// Random directions and single coordinates that are probed; the last are the default.
const PROBES: [(usize, usize); 5] = [(1, 0), (2, 0), (4, 0), (8, 0), (8, 8)];
/// A structural error that changes the gradient by less than this, in parts of its norm, is none: its ReLU masks nothing, say.
const VISIBLE: f64 = 1e-6;
/// Columns of the table.
type Counts = [usize; PROBES.len()];

/// A chain at a point, its right gradient of `<w, y>`, and another point of the same length.
struct Operated {
    chain: Chain,
    x: Vec<f64>,
    w: Vec<f64>,
    gradient: Vec<f64>,
    other: Vec<f64>,
}

impl Operated {
    fn new(chain: Chain, x: Vec<f64>, other: Vec<f64>) -> Self {
        let w = uneven(chain.forward(&x).len(), 1);
        let gradient = chain.backward(&x, &w);
        Self { chain, x, w, gradient, other }
    }

    /// Whether the claim is refuted with so many probes.
    fn refutes(&self, claim: &[f64], (directions, coordinates): (usize, usize)) -> bool {
        let value = |x: &[f64]| self.chain.forward(x).iter().zip(&self.w).map(|(y, w)| y * w).sum();
        check_claim(&value, &self.x, claim, &Checks::default().probing(directions, coordinates)).is_err()
    }

    /// The coordinate of the `nth` largest derivative, in a circle: none that is next to nothing.
    fn coordinate(&self, nth: usize) -> usize {
        let mut order: Vec<usize> = (0..self.x.len()).collect();
        order.sort_by(|&a, &b| self.gradient[b].abs().total_cmp(&self.gradient[a].abs()));
        let least = 1e-2 * self.gradient[order[0]].abs();
        order.retain(|&at| self.gradient[at].abs() >= least);
        order[nth % order.len()]
    }

    /// The gradient with one coordinate times a factor.
    fn with_coordinate(&self, nth: usize, factor: f64) -> Vec<f64> {
        let mut claim = self.gradient.clone();
        claim[self.coordinate(nth)] *= factor;
        claim
    }

    /// The gradient whose second half has an error of such a relative size.
    fn with_block(&self, size: f64) -> Vec<f64> {
        let mut claim = self.gradient.clone();
        let half = claim.len() / 2;
        claim[half..].iter_mut().for_each(|g| *g *= 1.0 + size);
        claim
    }

    /// The gradient that forgets the mask of one ReLU.
    fn without_mask(&self, at: usize) -> Vec<f64> {
        let responses = self.chain.responses(&self.x);
        let back = self.chain.0.iter().zip(&responses).enumerate().rev();
        back.fold(
            self.w.clone(),
            |g, (number, (step, x))| if number == at { g } else { step.backward(x, &g) },
        )
    }

    /// The gradient in a buffer that still has the one of the other point.
    fn with_stale_buffer(&self) -> Vec<f64> {
        let stale = self.chain.backward(&self.other, &self.w);
        self.gradient.iter().zip(stale).map(|(g, s)| g + s).collect()
    }

    /// How large the change of a claim is, in parts of the gradient's norm.
    fn change(&self, claim: &[f64]) -> f64 {
        let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|n| n * n).sum::<f64>().sqrt();
        norm(&mut claim.iter().zip(&self.gradient).map(|(c, g)| c - g))
            / norm(&mut self.gradient.iter().copied())
    }

    /// Every structural error that changes something, under its name.
    fn structural(&self, number: usize) -> Vec<(&'static str, Vec<f64>)> {
        let twice = |factor: f64| self.gradient.iter().map(|g| factor * g).collect();
        let mut claims = vec![
            ("one sign", self.with_coordinate(number, -1.0)),
            ("a factor 2 too much", twice(2.0)),
            ("a factor 2 missing", twice(0.5)),
            ("every sign", twice(-1.0)),
            ("a stale buffer", self.with_stale_buffer()),
        ];
        let relus = (0..self.chain.0.len()).filter(|&at| self.chain.0[at] == Step::Relu);
        claims.extend(relus.map(|at| ("a mask missing", self.without_mask(at))));
        claims.retain(|(_, claim)| self.change(claim) > VISIBLE);
        claims
    }
}

/// A row of the table: how often each choice of probes found the error.
struct Row {
    name: String,
    tried: usize,
    found: Counts,
}

impl Row {
    fn of(name: impl Into<String>, claims: &[(&Operated, Vec<f64>)]) -> Self {
        let found = PROBES.map(|probes| {
            claims.par_iter().filter(|(operated, claim)| operated.refutes(claim, probes)).count()
        });
        Self { name: name.into(), tried: claims.len(), found }
    }

    fn print(&self) {
        let found = self.found.map(|found| format!("{found}")).join(" | ");
        println!("| {} | {} | {found} |", self.name, self.tried);
    }
}

fn draw<S: Strategy>(strategy: S, count: usize) -> Result<Vec<S::Value>, Box<dyn Error>>
where
    S::Value: Clone,
{
    let drawn = std::cell::RefCell::new(Vec::new());
    let keep = |value: &S::Value| {
        drawn.borrow_mut().push(value.clone());
        Ok(())
    };
    Cases::new(count as u32, 1).run(&strategy, keep)?;
    Ok(drawn.into_inner())
}

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(100), |count| count.parse::<usize>())?;
    let others = draw(numbers(24), 1)?.remove(0);
    // An operation whose output does not depend on x has no gradient to be wrong.
    let drawn = draw(chains_off_kinks(6, 24), 4 * count)?.into_iter();
    let operations: Vec<Operated> = drawn
        .map(|(chain, x)| {
            let other = others[..x.len()].to_vec();
            Operated::new(chain, x, other)
        })
        .filter(|operated| operated.gradient.iter().any(|g| g.abs() > 1e-6))
        .take(count)
        .collect();
    println!("{} operations, of {} steps on average\n", operations.len(), mean_steps(&operations));

    let columns = PROBES.map(|(directions, coordinates)| match coordinates {
        0 => format!("{directions}"),
        _ => format!("{directions} and {coordinates} coordinates"),
    });
    println!("| error | tried | {} |\n|---|---|{}", columns.join(" | "), "---|".repeat(PROBES.len()));
    let mut missed = 0;
    for name in [
        "one sign",
        "every sign",
        "a factor 2 too much",
        "a factor 2 missing",
        "a mask missing",
        "a stale buffer",
    ] {
        let all = operations.iter().enumerate().flat_map(|(number, operated)| {
            operated.structural(number).into_iter().map(move |(kind, claim)| (operated, kind, claim))
        });
        let claims: Vec<_> =
            all.filter(|(_, kind, _)| *kind == name).map(|(operated, _, claim)| (operated, claim)).collect();
        let row = Row::of(name, &claims);
        missed += row.tried - row.found[PROBES.len() - 1];
        row.print();
    }
    for size in SIZES {
        let claims = operations.iter().enumerate();
        let claims: Vec<_> =
            claims.map(|(number, one)| (one, one.with_coordinate(number, 1.0 + size))).collect();
        Row::of(format!("one coordinate, {size:e} of it"), &claims).print();
    }
    for size in SIZES {
        let claims: Vec<_> = operations.iter().map(|one| (one, one.with_block(size))).collect();
        let claims: Vec<_> =
            claims.into_iter().filter(|(one, claim)| one.change(claim) > 0.1 * size).collect();
        Row::of(format!("half of them, {size:e} of each"), &claims).print();
    }
    let right: Vec<_> = operations.iter().map(|one| (one, one.gradient.clone())).collect();
    let alarms = Row::of("none: false alarms", &right);
    alarms.print();

    // Everything that `check_operation` asks, also where kinks are anywhere near.
    let near = draw(chains(6, 24), count)?;
    let refused: Vec<_> =
        near.iter().filter(|(chain, x)| check_operation(chain, x, &Checks::default()).is_err()).collect();
    println!(
        "\nFalse alarms of all assertions at {} points where kinks may be near: {}",
        near.len(),
        refused.len()
    );
    if missed > 0 || alarms.found.iter().any(|found| *found > 0) || !refused.is_empty() {
        return Err(format!(
            "{missed} structural errors are missed, or a right gradient is refused: {refused:?}"
        )
        .into());
    }
    Ok(())
}

fn mean_steps(operations: &[Operated]) -> f64 {
    let steps: usize = operations.iter().map(|operated| operated.chain.0.len()).sum();
    (10.0 * steps as f64 / operations.len() as f64).round() / 10.0
}
