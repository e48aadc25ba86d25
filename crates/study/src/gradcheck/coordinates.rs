//! From the variables that a method moves to the picture, in `f32` as a transfer computes it: x(u) is linear, so that long steps are as
//! good as short ones, and rounding is all that differs.

use std::cell::RefCell;

use impasto_autodiff::check::Ladder;
use impasto_style::coordinates::{Composed, Coordinates, Pixels, Spectrum};
use impasto_style::{Mask, Picture, white_noise};

use super::registry::{Case, Operation, Random};
use super::{ControlError, SINGLE_TOLERANCE};

/// (H, W): odd on purpose.
const SIZE: (usize, usize) = (9, 7);

/// A row each: what is kept, light alone, waves of colours and of light, and waves of what is kept and light alone.
pub(super) fn all() -> Vec<Operation> {
    vec![
        of("pixels, a part kept", |random| keeping(Pixels::of(start(random)?.into_data()), random)),
        of("light alone", |random| Ok(Pixels::of_light(light(random)))),
        of("light alone, a part kept", |random| keeping(Pixels::of_light(light(random)), random)),
        of("waves of colours", |random| Ok(Spectrum::around(start(random)?))),
        of("waves of light", |random| Ok(Spectrum::around_light(SIZE.0, SIZE.1, light(random))?)),
        of("waves of light, a part kept", |random| {
            let outer = Spectrum::around_light(SIZE.0, SIZE.1, light(random))?;
            Ok(Composed { outer, inner: keeping(Pixels::of_light(light(random)), random)? })
        }),
    ]
}

/// A picture of noise.
fn start(random: &mut Random) -> Result<Picture, ControlError> {
    Ok(white_noise(SIZE.0, SIZE.1, random.seed)?)
}

/// The light of each pixel.
fn light(random: &mut Random) -> Vec<f32> {
    random.numbers(SIZE.0 * SIZE.1).into_iter().map(|number| (127.5 + 127.5 * number) as f32).collect()
}

/// Pixels of which a part stays as a photo has it, some by half.
fn keeping(pixels: Pixels, random: &mut Random) -> Result<Pixels, ControlError> {
    let mask = random.numbers(SIZE.0 * SIZE.1).into_iter().map(|number| number.max(0.0) as f32);
    let mask = Mask::new(SIZE.0, SIZE.1, mask.collect())?;
    Ok(pixels.keeping(&white_noise(SIZE.0, SIZE.1, random.seed.wrapping_add(1))?, mask)?)
}

/// f(u) = <w, x(u)>, whose gradient is J' w.
fn of<C: Coordinates + 'static>(
    name: &str,
    coordinates: impl Fn(&mut Random) -> Result<C, ControlError> + 'static,
) -> Operation {
    let operation = Operation::new(name, move |random| {
        let mut made = coordinates(random)?;
        let u = made.start();
        let weights = random.numbers(3 * SIZE.0 * SIZE.1);
        let mut gradient = vec![0.0; u.len()];
        let x = made.evaluate(&u, &mut gradient, |x, gradient| {
            gradient.iter_mut().zip(&weights).for_each(|(gradient, &w)| *gradient = w as f32);
            Ok::<_, std::convert::Infallible>(x.to_vec())
        });
        let Ok(x) = x;
        let as_f64 = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<f64>>();
        let (at, shapes) = (as_f64(&x), format!("{} -> {} numbers", u.len(), x.len()));
        // What they compute with is theirs, and changes.
        let made = RefCell::new(made);
        let value = move |u: &[f64]| {
            let u: Vec<f32> = u.iter().map(|&u| u as f32).collect();
            let mut made = made.borrow_mut();
            // Around x(u), where less of the sum is lost.
            made.pixels(&u, false)
                .iter()
                .zip(&at)
                .zip(&weights)
                .map(|((x, at), w)| (f64::from(*x) - at) * w)
                .sum()
        };
        Ok(Case {
            shapes,
            f: Box::new(value),
            x: as_f64(&u),
            gradient: as_f64(&gradient),
            ladder: Ladder::new(1024.0, 2.0, 6),
        })
    });
    operation.within(SINGLE_TOLERANCE)
}
