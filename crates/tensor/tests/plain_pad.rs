//! A border around a picture against its definition, and its gradient as its adjoint.

use crate::common::{shapes, tensor, wavy};
use impasto_tensor::{Border, Shape, Tensor, TensorError, pad, pad_gradient, reduce::dot};
use proptest::prelude::*;

/// What is read at -1, 0, ..., n of n rows or columns, by definition.
fn read(border: Border, at: isize, n: isize) -> Option<isize> {
    if (0..n).contains(&at) {
        return Some(at);
    }
    match border {
        Border::Zero => None,
        Border::Reflect if n == 1 => Some(0),
        Border::Reflect => Some(if at < 0 { -at } else { 2 * (n - 1) - at }),
        Border::Replicate => Some(at.clamp(0, n - 1)),
    }
}

fn borders() -> impl Strategy<Value = Border> {
    prop::sample::select(&Border::ALL[..])
}

proptest! {
    #[test]
    fn a_border_is_its_definition((border, input) in (borders(), tensor(shapes(1, 7)))) {
        let Shape { height, width, channels } = input.shape();
        let output = pad(border, &input)?;
        prop_assert_eq!(output.shape(), Shape::new(height + 2, width + 2, channels));
        let mut numbers = output.data().iter();
        for y in -1..=height as isize {
            for x in -1..=width as isize {
                let at = read(border, y, height as isize).zip(read(border, x, width as isize));
                for c in 0..channels {
                    let expected = at.map_or(0.0, |(y, x)| input.data()[(y as usize * width + x as usize) * channels + c]);
                    prop_assert_eq!(*numbers.next().unwrap(), expected, "{:?} at {} {}", border, y, x);
                }
            }
        }
    }

    /// <P x, y> = <x, P' y>.
    #[test]
    fn the_gradient_of_a_border_is_its_adjoint((border, x) in (borders(), tensor(shapes(1, 7)))) {
        let forward = pad(border, &x)?;
        let y = wavy::<f64>(forward.shape());
        let (left, right) = (dot(forward.data(), y.data()), dot(x.data(), pad_gradient(border, &y)?.data()));
        prop_assert!((left - right).abs() <= 1e-12 * (1.0 + left.abs()), "{left} is not {right}");
    }
}

#[test]
fn a_gradient_without_an_inside_is_refused() {
    for (height, width) in [(2, 5), (5, 2), (1, 1)] {
        let gradient = Tensor::<f32>::zeros(Shape::new(height, width, 3)).unwrap();
        let refused = pad_gradient(Border::Reflect, &gradient);
        assert!(matches!(refused, Err(TensorError::Mismatch { .. })), "{height} x {width}");
    }
}
