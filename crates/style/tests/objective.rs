//! The objective on real pictures and weights: its parts, its gradient with respect to pixels, and neural-style's losses.
#![cfg(feature = "embedded-weights")]

use std::path::Path;

use impasto_style::picture::PIXEL_LIMIT;
use impasto_style::{
    Network, Objective, Picture, PreparedNetwork, Preset, Targets, TransferOptions, white_noise,
};

fn example(name: &str, longest: usize) -> Picture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let (picture, _) = Picture::read(&path, PIXEL_LIMIT).unwrap();
    let (height, width) = picture.size_with_longest_side(longest);
    picture.resized(height, width).unwrap()
}

struct Scene {
    network: PreparedNetwork,
    content: Picture,
    style: Picture,
}

impl Scene {
    fn new(options: &TransferOptions) -> Self {
        Self {
            network: PreparedNetwork::new(Network::embedded().unwrap(), options).unwrap(),
            content: example("content/chelsea.png", 48),
            style: example("style/church_at_auvers.webp", 40),
        }
    }

    fn objective(&self, options: &TransferOptions) -> Objective {
        let targets = Targets::measure(&self.network, &self.content, &self.style, options).unwrap();
        let size = (self.content.height(), self.content.width());
        Objective::new(&self.network, targets, size, options).unwrap()
    }
}

#[test]
fn pixel_gradient_matches_finite_differences() {
    let options = TransferOptions { tv_weight: 1.0, ..Preset::Default.options() };
    let scene = Scene::new(&options);
    let mut objective = scene.objective(&options);
    let (height, width) = (scene.content.height(), scene.content.width());
    let x = white_noise(height, width, 3).unwrap().into_data();
    let mut gradient = vec![0.0; x.len()];
    objective.evaluate(&x, &mut gradient).unwrap();
    // Along the gradient the difference is large beside the rounding of f32.
    let norm = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
    let step = 2.0;
    let mut shifted = |sign: f64| {
        let moved = |(&x, &g): (&f32, &f32)| (f64::from(x) + sign * step * f64::from(g) / norm) as f32;
        let point: Vec<f32> = x.iter().zip(&gradient).map(moved).collect();
        objective.evaluate(&point, &mut vec![0.0; x.len()]).unwrap().total
    };
    let difference = (shifted(1.0) - shifted(-1.0)) / (2.0 * step);
    assert!((difference / norm - 1.0).abs() < 1e-2, "{difference} against {norm}");
}

#[test]
fn neural_style_preset_has_the_losses_of_neural_style() {
    let options = Preset::NeuralStyle.options();
    let scene = Scene::new(&options);
    let noise = white_noise(scene.content.height(), scene.content.width(), 1).unwrap();
    let targets = Targets::measure(&scene.network, &scene.content, &scene.style, &options).unwrap();
    // The noise measured as if it were both photo and painting: F and G/M.
    let of_noise = Targets::measure(&scene.network, &noise, &noise, &options).unwrap();

    let mean_square = |a: &[f32], b: &[f32], scale: f64| {
        let sum: f64 = a.iter().zip(b).map(|(&a, &b)| ((f64::from(a) - f64::from(b)) * scale).powi(2)).sum();
        sum / a.len() as f64
    };
    let content = mean_square(of_noise.content[0].data(), targets.content[0].data(), 1.0);
    // G/(C H W) is G' = G/(H W) over C.
    let style: f64 = of_noise
        .style
        .iter()
        .zip(&targets.style)
        .map(|(g, a)| mean_square(&g.data, &a.data, 1.0 / g.channels as f64))
        .sum();
    let (height, width) = (noise.height(), noise.width());
    let at = |y: usize, x: usize, c: usize| f64::from(noise.data()[(y * width + x) * 3 + c]);
    let mut tv = 0.0;
    for y in 0..height {
        for x in 0..width {
            for c in 0..3 {
                tv += if x + 1 < width { (at(y, x + 1, c) - at(y, x, c)).powi(2) / 2.0 } else { 0.0 };
                tv += if y + 1 < height { (at(y + 1, x, c) - at(y, x, c)).powi(2) / 2.0 } else { 0.0 };
            }
        }
    }
    let expected = 5.0 * content + 100.0 * style + 1e-3 * tv;
    let mut gradient = vec![0.0; noise.data().len()];
    let losses = scene.objective(&options).evaluate(noise.data(), &mut gradient).unwrap();
    assert!((losses.total / expected - 1.0).abs() < 1e-4, "{} against {expected}", losses.total);
    assert!((losses.tv / tv - 1.0).abs() < 1e-6);
}

#[test]
fn a_photo_is_its_own_content_and_a_painting_its_own_style() {
    let options = Preset::Paper.options();
    let mut scene = Scene::new(&options);
    scene.style = scene.content.clone();
    let mut gradient = vec![0.0; scene.content.data().len()];
    let losses = scene.objective(&options).evaluate(scene.content.data(), &mut gradient).unwrap();
    let noise = white_noise(scene.content.height(), scene.content.width(), 1).unwrap();
    let of_noise = scene.objective(&options).evaluate(noise.data(), &mut gradient).unwrap();
    assert!(losses.content <= 1e-9 * of_noise.content && losses.style <= 1e-9 * of_noise.style, "{losses:?}");
}

#[test]
fn a_weight_of_zero_takes_its_layers_out() {
    let options = TransferOptions { style_weight: 0.0, ..Preset::Paper.options() };
    let scene = Scene::new(&options);
    let mut gradient = vec![0.0; scene.content.data().len()];
    let losses = scene.objective(&options).evaluate(scene.content.data(), &mut gradient).unwrap();
    assert!(losses.style_layers.is_empty() && losses.content_layers.len() == 1);
}

#[test]
fn a_slice_of_another_length_is_refused() {
    let options = Preset::Paper.options();
    let scene = Scene::new(&options);
    assert!(scene.objective(&options).evaluate(&[0.0; 3], &mut [0.0; 3]).is_err());
}
