//! The objective on real pictures and weights: its parts, its gradient with respect to pixels, and neural-style's losses.
#![cfg(feature = "embedded-weights")]

use std::path::Path;

use impasto_autodiff::{Loss, LossKind};
use impasto_style::picture::ReadOptions;
use impasto_style::{
    Network, Objective, Picture, PreparedNetwork, Preset, Size, StyleLoss, Subject, Targets, TransferError,
    TransferOptions, plan, transfer, white_noise,
};

fn example(name: &str, longest: usize) -> Picture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let picture = Picture::read(&path, &ReadOptions::default()).unwrap().picture;
    let (height, width) = picture.size_with_longest_side(longest);
    picture.resized(height, width).unwrap()
}

/// A cat in the style of a church, small, and the network for it.
struct Sitting {
    network: PreparedNetwork,
    photo: Picture,
    painting: Picture,
}

impl Sitting {
    fn new(options: &TransferOptions) -> Self {
        Self {
            network: PreparedNetwork::new(Network::embedded().unwrap(), options).unwrap(),
            photo: example("content/chelsea.png", 48),
            painting: example("style/church_at_auvers.webp", 40),
        }
    }

    /// What two pictures, as they are, have at the layers that count.
    fn measure(&self, photo: &Picture, painting: &Picture, options: &TransferOptions) -> Targets {
        let subject = Subject::new(photo.clone(), painting.clone());
        let longest = photo.height().max(photo.width());
        let options = options.clone().with_style_scale(1e3);
        subject.at(longest, &options).unwrap().measure(&self.network, &options).unwrap()
    }

    fn objective(&self, options: &TransferOptions) -> Objective {
        let targets = self.measure(&self.photo, &self.painting, options);
        let size = (self.photo.height(), self.photo.width());
        Objective::new(&self.network, targets, size, options).unwrap()
    }
}

#[test]
fn pixel_gradient_matches_finite_differences() {
    let options = Preset::Default.options().with_tv_weight(1.0);
    let sitting = Sitting::new(&options);
    let mut objective = sitting.objective(&options);
    let (height, width) = (sitting.photo.height(), sitting.photo.width());
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
    let sitting = Sitting::new(&options);
    let noise = white_noise(sitting.photo.height(), sitting.photo.width(), 1).unwrap();
    let targets = sitting.measure(&sitting.photo, &sitting.painting, &options);
    // The noise measured as if it were both photo and painting: F and G/M.
    let of_noise = sitting.measure(&noise, &noise, &options);

    let mean_square = |a: &[f32], b: &[f32], scale: f64| {
        let sum: f64 = a.iter().zip(b).map(|(&a, &b)| ((f64::from(a) - f64::from(b)) * scale).powi(2)).sum();
        sum / a.len() as f64
    };
    let (mut content, mut style) = (0.0, 0.0);
    for (own, target) in of_noise.losses().zip(targets.losses()) {
        match (own, target) {
            (Loss::Content(f), Loss::Content(p)) => {
                content += mean_square(f.target.data(), p.target.data(), 1.0);
            }
            // G/(C H W) is G' = G/(H W) over C.
            (Loss::Gram(g), Loss::Gram(a)) => {
                style += mean_square(&g.target.data, &a.target.data, 1.0 / g.target.channels as f64);
            }
            _ => {}
        }
    }
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
    let losses = sitting.objective(&options).evaluate(noise.data(), &mut gradient).unwrap();
    assert!((losses.total / expected - 1.0).abs() < 1e-4, "{} against {expected}", losses.total);
    assert!((losses.sum(LossKind::TotalVariation) / tv - 1.0).abs() < 1e-6);
}

#[test]
fn a_photo_is_its_own_content_and_a_painting_its_own_style() {
    let options = Preset::Paper.options();
    let mut sitting = Sitting::new(&options);
    sitting.painting = sitting.photo.clone();
    let mut gradient = vec![0.0; sitting.photo.data().len()];
    let losses = sitting.objective(&options).evaluate(sitting.photo.data(), &mut gradient).unwrap();
    let noise = white_noise(sitting.photo.height(), sitting.photo.width(), 1).unwrap();
    let of_noise = sitting.objective(&options).evaluate(noise.data(), &mut gradient).unwrap();
    assert!(
        [LossKind::Content, LossKind::Gram].iter().all(|&kind| losses.sum(kind) <= 1e-9 * of_noise.sum(kind)),
        "{losses:?}"
    );
}

#[test]
fn a_weight_of_zero_takes_its_layers_out() {
    let options = Preset::Paper.options().with_style_weight(0.0);
    let sitting = Sitting::new(&options);
    let mut gradient = vec![0.0; sitting.photo.data().len()];
    let losses = sitting.objective(&options).evaluate(sitting.photo.data(), &mut gradient).unwrap();
    assert!(losses.layers(LossKind::Gram).count() == 0 && losses.layers(LossKind::Content).count() == 1);
}

#[test]
fn a_terms_weight_holds_the_factor_of_the_loss_scale() {
    let options = Preset::Default.options().with_tv_weight(0.5).with_style_loss(StyleLoss::Gram);
    let sitting = Sitting::new(&options);
    let (height, width) = (sitting.photo.height(), sitting.photo.width());
    let mut gradient = vec![0.0; sitting.photo.data().len()];
    let losses = sitting.objective(&options).evaluate(sitting.photo.data(), &mut gradient).unwrap();
    let shares: Vec<f64> = losses.terms.iter().map(|term| term.weight.share).collect();
    let balanced = 512.0 * 512.0 / (height * width) as f64;
    assert_eq!(shares, [balanced, 0.2, 0.2, 0.2, 0.2, 0.2, 1.0]);
    let sums: Vec<f64> = losses.terms.iter().map(|term| term.weight.sum).collect();
    assert_eq!(sums, [8e-4, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5]);
}

#[test]
fn a_slice_of_another_length_is_refused() {
    let options = Preset::Paper.options();
    let sitting = Sitting::new(&options);
    assert!(sitting.objective(&options).evaluate(&[0.0; 3], &mut [0.0; 3]).is_err());
}

/// A loss that does not count has no say in how large a picture must be, how deep the network goes and what is planned.
#[test]
fn what_is_no_number_is_none_in_the_loss_and_the_gradient() {
    let options = Preset::Default.options();
    let sitting = Sitting::new(&options);
    let mut objective = sitting.objective(&options);
    let mut x = sitting.photo.data().to_vec();
    x[100] = f32::NAN;
    let mut gradient = vec![0.0; x.len()];
    let losses = objective.evaluate(&x, &mut gradient).unwrap();
    assert!(losses.total.is_nan() && losses.terms.iter().all(|term| term.loss.is_nan()));
    assert!(gradient.iter().all(|g| g.is_nan()));
}

#[test]
fn layers_that_do_not_count_cost_nothing() {
    let all = Preset::Paper.options();
    let content = Preset::Paper.options().with_style_weight(0.0);
    let shallow = content.clone().with_content_layers("conv1_1".parse().unwrap());
    let network =
        |options: &TransferOptions| PreparedNetwork::new(Network::embedded().unwrap(), options).unwrap();
    let small = white_noise(12, 12, 1).unwrap();
    let subject = || Subject::new(small.clone(), small.clone());
    let run = |options: &TransferOptions| {
        let options = options.clone().with_size(Size::Longest(12)).with_iterations(2);
        transfer(&network(&options), &subject(), &options, |_| std::ops::ControlFlow::Continue(()))
    };
    assert!(matches!(run(&all), Err(TransferError::TooSmall { layer, .. }) if layer == "conv5_1"));
    assert!(run(&shallow).is_ok(), "conv5_1 would be too deep, but does not count");
    let bytes =
        |options: &TransferOptions| plan(&network(options), &subject(), 64, options).unwrap().bytes().total();
    assert!(bytes(&shallow) < bytes(&content) && bytes(&content) < bytes(&all));
    let content_layers = "conv2_2".parse().unwrap();
    let content_deepest =
        all.with_content_layers(content_layers).with_style_layers("conv1_1".parse().unwrap());
    assert!(
        network(&content_deepest).response_shape("conv2_2", (16, 16)).is_ok(),
        "the last term need not be the deepest"
    );
    let mut unknown = shallow;
    unknown.style_layers = "conv9_9".parse().unwrap();
    assert!(
        PreparedNetwork::new(Network::embedded().unwrap(), &unknown).is_err(),
        "a misspelt layer is told all the same"
    );
}

/// A = sum b_s A_s: the blend of a painting with itself is the painting, and a blend's gradient is the weighted sum of the
/// paintings' own, because sum_s b_s |G - A_s|^2 and |G - sum_s b_s A_s|^2 differ by what does not depend on G.
#[test]
fn a_blend_pulls_as_its_paintings_do_together() {
    let options = Preset::Paper.options().with_content_weight(0.0).with_style_scale(1e3);
    let sitting = Sitting::new(&options);
    let (a, b) = (sitting.painting.clone(), example("style/night_cafe.webp", 44));
    let gradient = |paintings: &[&Picture], blend: &[f64]| {
        let paintings = paintings.iter().map(|&painting| painting.clone()).collect();
        let subject = Subject::blend(sitting.photo.clone(), paintings).unwrap();
        let options = options.clone().with_blend(blend.to_vec());
        let scene = subject.at(48, &options).unwrap();
        let targets = scene.measure(&sitting.network, &options).unwrap();
        let size = (scene.photo().height(), scene.photo().width());
        let mut objective = Objective::new(&sitting.network, targets, size, &options).unwrap();
        let mut gradient = vec![0.0; scene.photo().data().len()];
        objective.evaluate(scene.photo().data(), &mut gradient).unwrap();
        gradient
    };
    let blended = gradient(&[&a, &b], &[3.0, 1.0]);
    let (of_a, of_b) = (gradient(&[&a], &[]), gradient(&[&b], &[]));
    let largest = blended.iter().fold(0.0_f32, |largest, g| largest.max(g.abs()));
    for ((blended, a), b) in blended.iter().zip(&of_a).zip(&of_b) {
        assert!((blended - (0.75 * a + 0.25 * b)).abs() < 1e-3 * largest);
    }
}

#[test]
fn a_picture_need_only_be_large_enough_for_the_layers_that_look_at_it() {
    let options = Preset::Paper
        .options()
        .with_size(Size::Longest(32))
        .with_iterations(1)
        .with_style_layers("conv1_1".parse().unwrap());
    let network = PreparedNetwork::new(Network::embedded().unwrap(), &options).unwrap();
    let run = |photo: usize, painting: usize| {
        let noise = |side| white_noise(side, side, 1).unwrap();
        let options = options.clone().with_size(Size::Longest(photo));
        let subject = Subject::new(noise(photo), noise(painting));
        transfer(&network, &subject, &options, |_| std::ops::ControlFlow::Continue(()))
    };
    assert!(run(32, 2).is_ok(), "conv1_1 sees a painting of 2 x 2");
    assert!(matches!(run(7, 32), Err(TransferError::TooSmall { layer, .. }) if layer == "conv4_2"));
}

/// Targets say themselves which terms they are of.
#[test]
fn an_objective_is_of_the_terms_that_were_measured() {
    let options = Preset::Paper.options();
    let sitting = Sitting::new(&options);
    let fewer = options.clone().with_content_weight(0.0);
    let targets = sitting.measure(&sitting.photo, &sitting.painting, &fewer);
    let size = (sitting.photo.height(), sitting.photo.width());
    let mut objective = Objective::new(&sitting.network, targets, size, &options).unwrap();
    let mut gradient = vec![0.0; sitting.photo.data().len()];
    let losses = objective.evaluate(sitting.photo.data(), &mut gradient).unwrap();
    assert_eq!(losses.layers(LossKind::Content).count(), 0);
    assert_eq!(losses.layers(LossKind::Gram).count(), 5);
}
