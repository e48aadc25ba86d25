//! Properties of the preprocessing conventions.

use impasto_vgg::{Convention, Preprocessing};
use proptest::prelude::*;

fn conventions() -> impl Strategy<Value = Preprocessing> {
    prop_oneof![Just(Preprocessing::TORCH), Just(Preprocessing::CAFFE)]
}

proptest! {
    #[test]
    fn inverting_gives_the_picture_back(
        preprocessing in conventions(),
        rgb in prop::collection::vec(0.0_f32..255.0, 12),
    ) {
        let (mut input, mut back) = (vec![0.0; 12], vec![0.0; 12]);
        preprocessing.apply(&rgb, &mut input);
        preprocessing.invert(&input, &mut back);
        for (x, y) in rgb.iter().zip(&back) {
            prop_assert!((x - y).abs() < 1e-3, "{x} became {y}");
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_affine_map(
        preprocessing in conventions(),
        rgb in prop::collection::vec(0.0_f32..254.0, 6),
        weights in prop::collection::vec(-1.0_f32..1.0, 6),
    ) {
        // L(x) = sum w z(x) is linear, so L(x + 1 e_i) - L(x) is its derivative.
        let loss = |rgb: &[f32]| {
            let mut input = vec![0.0; 6];
            preprocessing.apply(rgb, &mut input);
            input.iter().zip(&weights).map(|(&z, &w)| f64::from(z) * f64::from(w)).sum::<f64>()
        };
        let mut gradient = weights.clone();
        preprocessing.gradient(&mut gradient);
        for i in 0..6 {
            let mut moved = rgb.clone();
            moved[i] += 1.0;
            let difference = loss(&moved) - loss(&rgb);
            prop_assert!((difference - f64::from(gradient[i])).abs() < 1e-4);
        }
    }
}

/// White and black, R, G, B, become what the conventions' owners publish: torchvision's (1 - mean) / std and -mean / std;
/// Oxford's 255 - mean and -mean.
#[test]
fn the_numbers_are_the_published_ones() {
    let white_and_black = |convention: Convention| {
        let mut input = [0.0_f64; 6];
        convention.preprocessing().apply(&[255.0, 255.0, 255.0, 0.0, 0.0, 0.0], &mut input);
        input
    };
    let torch = [2.248_908, 2.428_571, 2.64, -2.117_904, -2.035_714, -1.804_444];
    let caffe = [131.32, 138.221, 151.061, -123.68, -116.779, -103.939];
    for (convention, published) in
        [(Convention::Torch, torch), (Convention::CaffeBgr, caffe), (Convention::CaffeRgb, caffe)]
    {
        for (found, published) in white_and_black(convention).into_iter().zip(published) {
            assert!((found - published).abs() < 1e-5 * published.abs(), "{convention}: {found} {published}");
        }
    }
}

#[test]
fn only_oxfords_own_order_is_blue_first() {
    assert_eq!(Convention::ALL.map(Convention::is_bgr), [false, true, false]);
}

#[test]
fn conventions_are_known_by_their_names() {
    assert_eq!(Convention::ALL.map(|convention| convention.to_string()), ["torch", "caffe-bgr", "caffe-rgb"]);
    for convention in Convention::ALL {
        assert_eq!(Convention::from_name(convention.name()), Some(convention));
    }
    assert_eq!(Convention::from_name("caffe"), None);
}
