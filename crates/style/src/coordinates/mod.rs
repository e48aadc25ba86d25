//! Coordinates: the variables u that an optimiser moves, and the picture x(u) that they stand for.
//!
//! ```text
//! L as a function of u:   L(x(u))        dL/du = J' dL/dx,   J the derivative of x(u)
//! ```
//!
//! [`Pixels`] are the picture's own numbers, or the light of its pixels alone, with a photo that stays in a part of it;
//! [`Spectrum`] are waves of opponent colours, or of light. Coordinates may have fewer variables than the picture has numbers, and
//! [`Composed`] puts one behind another: a transfer by L-BFGS moves a [`Spectrum`] of [`Pixels`]. With any method of `impasto-lbfgs`:
//!
//! ```
//! use impasto_lbfgs::{Lbfgs, Optimiser};
//! use impasto_style::coordinates::{Coordinates, Spectrum};
//! use impasto_style::white_noise;
//! use std::{convert::Infallible, ops::ControlFlow};
//!
//! // How far a picture is from middle grey.
//! let grey = |x: &[f32], gradient: &mut [f32]| {
//!     gradient.iter_mut().zip(x).for_each(|(g, x)| *g = x - 127.5);
//!     Ok::<_, Infallible>(x.iter().map(|x| 0.5 * f64::from(x - 127.5).powi(2)).sum::<f64>())
//! };
//! let mut waves = Spectrum::around(white_noise(16, 24, 1)?);
//! let mut u = waves.start();
//! let lbfgs = Lbfgs { max_iterations: 20, ..Lbfgs::default() };
//! let groups = waves.groups();
//! let of_waves = |u: &[f32], gradient: &mut [f32]| waves.evaluate(u, gradient, grey);
//! lbfgs.minimise_in_groups(&mut u, groups, of_waves, |_| ControlFlow::Continue(()))?;
//! assert!(waves.into_pixels(u).iter().all(|x| (x - 127.5).abs() < 1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Step by step, with the run's state as bytes on the way. The bytes hold u and all that the method knows, but not what x(u)
//! starts from: whoever goes on makes the same coordinates around the same picture ([`Coordinates::around`]).
//!
//! ```
//! use impasto_lbfgs::{Lbfgs, Optimiser, State, Step, StopReason};
//! use impasto_style::coordinates::{Coordinates, Spectrum};
//! use impasto_style::white_noise;
//! use std::convert::Infallible;
//!
//! # let grey = |x: &[f32], gradient: &mut [f32]| {
//! #     gradient.iter_mut().zip(x).for_each(|(g, x)| *g = x - 127.5);
//! #     Ok::<_, Infallible>(x.iter().map(|x| 0.5 * f64::from(x - 127.5).powi(2)).sum::<f64>())
//! # };
//! let lbfgs = Lbfgs { max_iterations: 3, ..Lbfgs::default() };
//! let mut waves = Spectrum::around(white_noise(16, 24, 1)?);
//! let (mut u, groups) = (waves.start(), waves.groups());
//! let mut state = lbfgs.start(&mut u, groups, |u, gradient| waves.evaluate(u, gradient, grey))?;
//! lbfgs.step(&mut state, |u, gradient| waves.evaluate(u, gradient, grey))?;
//! let mut bytes = Vec::new();
//! state.write(&mut bytes, |(), _| Ok(()))?;
//!
//! let mut waves = Spectrum::around(white_noise(16, 24, 1)?);
//! let mut state = <Lbfgs as Optimiser>::State::<f32, ()>::read(&mut &bytes[..], |_| Ok(()))?;
//! while let Step::Accepted = lbfgs.step(&mut state, |u, gradient| waves.evaluate(u, gradient, grey))? {}
//! let (u, outcome) = state.finish(StopReason::Iterations);
//! assert_eq!((outcome.iterations, waves.into_pixels(u).len()), (3, 16 * 24 * 3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cosine;
mod pixels;
mod spectrum;

use impasto_lbfgs::Groups;

pub use pixels::Pixels;
pub use spectrum::Spectrum;

/// The variables u of a picture x(u).
pub trait Coordinates: Sized {
    /// u of the start; to be called once, as coordinates may hand over what they hold.
    fn start(&mut self) -> Vec<f32>;

    /// Kinds of variables that differ in how the loss answers to them; by default all are of one.
    fn groups(&self) -> Groups {
        Groups::default()
    }

    /// What x(u) is made around beside u, as pictures of H x W x 3: whoever wants to make the same coordinates again keeps them
    /// with u. By default nothing.
    fn around(&self) -> Vec<&[f32]> {
        Vec::new()
    }

    /// Hands x(u) to `objective`, and writes dL/du into `gradient` from the dL/dx that it leaves behind.
    ///
    /// # Errors
    /// Those of `objective`; `gradient` then holds anything.
    fn evaluate<V, E>(
        &mut self,
        u: &[f32],
        gradient: &mut [f32],
        objective: impl FnOnce(&[f32], &mut [f32]) -> Result<V, E>,
    ) -> Result<V, E>;

    /// x(u). `evaluated_last` says that u was the last point to be evaluated, whose x may be at hand still.
    fn pixels<'a>(&'a mut self, u: &'a [f32], evaluated_last: bool) -> &'a [f32];

    /// x(u), by value.
    fn into_pixels(self, u: Vec<f32>) -> Vec<f32>;
}

/// x(v(u)): the optimiser moves the variables u of `outer`, and what they stand for are the variables v of `inner`.
#[derive(Debug, Clone)]
pub struct Composed<A, B> {
    /// v(u), started around the start of `inner`.
    pub outer: A,
    /// x(v).
    pub inner: B,
}

impl<A: Coordinates, B: Coordinates> Coordinates for Composed<A, B> {
    fn start(&mut self) -> Vec<f32> {
        self.outer.start()
    }

    fn groups(&self) -> Groups {
        self.outer.groups()
    }

    fn around(&self) -> Vec<&[f32]> {
        [self.outer.around(), self.inner.around()].concat()
    }

    fn evaluate<V, E>(
        &mut self,
        u: &[f32],
        gradient: &mut [f32],
        objective: impl FnOnce(&[f32], &mut [f32]) -> Result<V, E>,
    ) -> Result<V, E> {
        let inner = &mut self.inner;
        self.outer.evaluate(u, gradient, |v, gradient| inner.evaluate(v, gradient, objective))
    }

    fn pixels<'a>(&'a mut self, u: &'a [f32], evaluated_last: bool) -> &'a [f32] {
        self.inner.pixels(self.outer.pixels(u, evaluated_last), evaluated_last)
    }

    fn into_pixels(self, u: Vec<f32>) -> Vec<f32> {
        self.inner.into_pixels(self.outer.into_pixels(u))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::{Mask, white_noise};

    /// The light of a picture of noise, H x W.
    fn light(height: usize, width: usize, seed: u64) -> Vec<f32> {
        crate::colour::lights(white_noise(height, width, seed).unwrap().data())
    }

    /// A mask with 0, 1 and what is between.
    fn mask(height: usize, width: usize) -> Mask {
        let values = (0..height * width).map(|i| (i % 5) as f32 / 4.0).collect();
        Mask::new(height, width, values).unwrap()
    }

    fn kept(pixels: Pixels) -> Pixels {
        pixels.keeping(&white_noise(6, 8, 5).unwrap(), mask(6, 8)).unwrap()
    }

    /// Every kind of pixels, with the number of its variables.
    fn all_pixels() -> [(Pixels, usize); 4] {
        let all = || Pixels::of(white_noise(6, 8, 2).unwrap().into_data());
        let light = || Pixels::of_light(light(6, 8, 2));
        [(all(), 144), (light(), 48), (kept(all()), 144), (kept(light()), 48)]
    }

    /// Waves around each of them.
    fn all_waves() -> [(Composed<Spectrum, Pixels>, usize); 4] {
        all_pixels().map(|(mut inner, variables)| {
            (Composed { outer: Spectrum::of((6, 8), inner.start()), inner }, variables)
        })
    }

    /// f(x) = sum_i sin(x_i / 50 + i), and its gradient.
    fn waves(x: &[f32], gradient: &mut [f32]) -> f64 {
        let angle = |(i, x): (usize, &f32)| f64::from(*x) / 50.0 + i as f64;
        for (g, angle) in gradient.iter_mut().zip(x.iter().enumerate().map(angle)) {
            *g = (angle.cos() / 50.0) as f32;
        }
        x.iter().enumerate().map(angle).map(f64::sin).sum()
    }

    fn loss(coordinates: &mut impl Coordinates, u: &[f32], gradient: &mut [f32]) -> f64 {
        let Ok(loss) =
            coordinates.evaluate(u, gradient, |x, gradient| Ok::<_, Infallible>(waves(x, gradient)));
        loss
    }

    /// Along the gradient the difference is large beside the rounding of f32.
    fn assert_gradient(mut coordinates: impl Coordinates, variables: usize) {
        let u: Vec<f32> = coordinates.start().iter().zip(0..).map(|(u, i)| u + (i % 7) as f32).collect();
        assert_eq!(u.len(), variables);
        let mut gradient = vec![f32::NAN; variables];
        loss(&mut coordinates, &u, &mut gradient);
        let norm = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        let mut unused = vec![0.0; variables];
        let mut at = |step: f64| {
            let moved = |(&u, &g): (&f32, &f32)| (f64::from(u) + step * f64::from(g) / norm) as f32;
            let point: Vec<f32> = u.iter().zip(&gradient).map(moved).collect();
            loss(&mut coordinates, &point, &mut unused)
        };
        let difference = (at(2.0) - at(-2.0)) / 4.0;
        assert!((difference / norm - 1.0).abs() < 1e-2, "{difference} against {norm}");
    }

    #[test]
    fn gradients_are_those_of_the_loss_as_a_function_of_the_variables() {
        assert_gradient(Spectrum::around(white_noise(6, 8, 2).unwrap()), 144);
        for (pixels, variables) in all_pixels() {
            assert_gradient(pixels, variables);
        }
        for (waves, variables) in all_waves() {
            assert_gradient(waves, variables);
        }
    }

    /// The derivative J of each is the same everywhere: <J v, w> = <v, J' w>, w the gradient that the objective leaves.
    #[test]
    fn gradients_come_back_by_the_adjoint() {
        fn assert_adjoint(mut coordinates: impl Coordinates, variables: usize) {
            let numbers =
                |seed, n: usize| light(12, 12, seed).iter().map(|v| v - 127.0).take(n).collect::<Vec<f32>>();
            let (v, w) = (numbers(7, variables), numbers(8, 144));
            let mut back = vec![f32::NAN; variables];
            let Ok(()) = coordinates.evaluate(&v, &mut back, |_, gradient| {
                gradient.copy_from_slice(&w);
                Ok::<_, Infallible>(())
            });
            let from = coordinates.pixels(&vec![0.0; variables], false).to_vec();
            let moved = coordinates.pixels(&v, false).to_vec();
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let (there, back) = (dot(&moved, &w) - dot(&from, &w), dot(&v, &back));
            let scale = (dot(&moved, &moved) * dot(&w, &w)).sqrt();
            assert!((there - back).abs() < 1e-6 * scale, "{there} against {back}");
        }
        for (pixels, variables) in all_pixels() {
            assert_adjoint(pixels, variables);
        }
        for (waves, variables) in all_waves() {
            assert_adjoint(waves, variables);
        }
    }

    #[test]
    fn what_is_kept_is_the_photo_to_the_bit_whatever_moves() {
        let photo = white_noise(6, 8, 5).unwrap();
        let of_light = crate::colour::lights(photo.data());
        for (index, (mut waves, variables)) in all_waves().into_iter().enumerate().skip(2) {
            let u = vec![11.3; variables];
            let pixels = waves.pixels(&u, false).as_chunks::<3>().0.to_vec();
            let photo = photo.data().as_chunks::<3>().0.iter().zip(&of_light);
            let mut moved = 0;
            for ((pixel, (rgb, light)), m) in pixels.iter().zip(photo).zip(mask(6, 8).values()) {
                let kept = if index == 3 { [*light; 3] } else { *rgb };
                assert!(*m < 1.0 || *pixel == kept, "{pixel:?} against {kept:?}");
                moved += usize::from(*pixel != kept);
            }
            assert!(moved > 30);
        }
    }

    #[test]
    fn pixels_that_all_move_are_the_variables_themselves() {
        let numbers = white_noise(6, 8, 2).unwrap().into_data();
        let mut pixels = Pixels::of(numbers.clone());
        let u = pixels.start();
        let Ok(seen) = pixels.evaluate(&u, &mut [0.0; 144], |x, _| Ok::<_, Infallible>(x.as_ptr()));
        assert_eq!(seen, u.as_ptr(), "nothing is copied");
        assert_eq!(pixels.into_pixels(u), numbers);
        assert!(Pixels::of(numbers).keeping(&white_noise(6, 8, 1).unwrap(), mask(8, 6)).is_err());
    }

    #[test]
    fn composed_coordinates_have_the_groups_of_the_variables_that_move() {
        let noise = white_noise(6, 8, 2).unwrap();
        let groups = Spectrum::around(noise.clone()).groups();
        let inner = Pixels::of(noise.data().to_vec());
        assert!(Composed { outer: Spectrum::around(noise), inner }.groups() == groups);
        assert_eq!(groups.of.len(), 144);
    }

    #[test]
    fn coordinates_say_what_they_are_around() {
        let noise = white_noise(6, 8, 2).unwrap();
        let numbers = noise.data().to_vec();
        assert!(Pixels::of(numbers.clone()).around().is_empty());
        let composed = Composed {
            outer: Spectrum::around_light(12, 12, vec![1.0; 144]).unwrap(),
            inner: Spectrum::around(noise),
        };
        assert_eq!(composed.around(), [&[1.0; 144][..], &numbers]);
    }

    #[test]
    fn the_picture_of_a_point_does_not_depend_on_what_was_evaluated_last() {
        for (mut coordinates, variables) in all_waves() {
            let (u, other) = (vec![3.0; variables], vec![-5.0; variables]);
            let mut gradient = vec![0.0; variables];
            loss(&mut coordinates, &u, &mut gradient);
            let at_hand = coordinates.pixels(&u, true).to_vec();
            loss(&mut coordinates, &other, &mut gradient);
            assert_eq!(coordinates.pixels(&u, false), at_hand);
            assert_eq!(coordinates.into_pixels(u), at_hand);
        }
    }
}
