//! Is the gradient of the style loss E_l right? Compares it with central differences in f64.
//!
//! `cargo run --example gradient_check -p impasto-autodiff`

use impasto_autodiff::check::{Direction, Ladder, Verdict, check_gradient};
use impasto_autodiff::losses::gram;
use impasto_tensor::{Shape, Tensor, TensorError};

fn main() -> Result<(), TensorError> {
    // F of a layer with 4 filters on 5 x 6 positions, and the Gram matrix A of another response.
    let shape = Shape::new(5, 6, 4);
    let response = |frequency: f64| -> Result<Tensor<f64>, TensorError> {
        Tensor::from_vec(shape, (0..shape.len()).map(|i| (i as f64 * frequency).sin()).collect())
    };
    let f = response(0.7)?;
    let a = gram::gram(&response(1.3)?)?;

    let mut gradient = vec![0.0; shape.len()];
    gram::add_gradient(&f, &gram::gram(&f)?, &a, 1.0, &mut gradient)?;

    let loss = |x: &[f64]| {
        let gram = Tensor::from_vec(shape, x.to_vec()).and_then(|f| gram::gram(&f));
        gram.map_or(f64::NAN, |gram| gram::loss(&gram, &a))
    };
    let directions = [Direction::Random(1), Direction::Coordinate(17)];
    for probe in check_gradient(&loss, f.data(), &gradient, &directions, &Ladder::for_scale(1.0)) {
        println!("{:?}", probe.direction);
        for (rung, quotient) in probe.quotients.iter().enumerate() {
            let mark = if rung == probe.best { "  <- the step that counts" } else { "" };
            println!("  step {:8.1e}   relative error {:8.1e}{mark}", quotient.step, probe.error_at(rung));
        }
        assert_eq!(probe.verdict(1e-7), Verdict::Pass);
    }
    Ok(())
}
