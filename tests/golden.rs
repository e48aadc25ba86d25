//! Golden test: responses, losses and gradients of the embedded VGG-16, and a run of L-BFGS, against what PyTorch computed
//! in f64 (`tests/golden/cases.json`, made by `tests/golden/make.py`, which also says what a sketch is; `border.json`, by
//! `border.py`, with other pixels than zeros beyond the picture's edge; and `wasserstein.json`, by `wasserstein.py`, for distances of
//! Gaussians).

pub(crate) mod recorded;

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use impasto_autodiff::{
    Border, Cancel, Chain, ConvMode, Evaluator, EvaluatorOptions, Loss, LossKind, Losses, Pooling,
    PreparedChain, Tap, Term, Weight, reference,
};
use impasto_lbfgs::{Lbfgs, Optimiser, Real};
use impasto_tensor::{Shape, Tensor};
use impasto_vgg::{Network, Preprocessing};
use serde_json::Value;

use recorded::{Sketch, check, crop, number, root, size};

const CONTENT_LAYER: &str = "conv4_2";

/// What a comparison may show: relative differences, arrays in the 2-norm.
struct Tolerance {
    features: f64,
    losses: f64,
    gradient: f64,
}

const EXACT: Tolerance = Tolerance { features: 1e-5, losses: 1e-5, gradient: 1e-4 };
const FAST: Tolerance = Tolerance { features: 2e-5, losses: 2e-5, gradient: 1e-3 };
/// The plain path in f64 differs from PyTorch by the order of sums, and by the means' rounding to f32.
const REFERENCE: Tolerance = Tolerance { features: 1e-6, losses: 1e-6, gradient: 1e-6 };

#[test]
fn exact_mode_agrees_with_pytorch() {
    for case in cases() {
        compare_evaluator(&case, ConvMode::Exact, &EXACT);
    }
}

#[test]
fn fast_mode_agrees_with_pytorch() {
    for case in cases() {
        compare_evaluator(&case, ConvMode::Fast, &FAST);
    }
}

#[test]
fn reference_in_f64_agrees_with_pytorch() {
    for case in cases().into_iter().filter(|case| case.height * case.width < 10_000) {
        let objective = ReferenceObjective::new(&case);
        let image = case.image.preprocessed_f64();
        let responses =
            reference::responses(&objective.chain, &image, objective.chain.layers.len() - 1).unwrap();
        for (tap, expected) in case.features() {
            let response = &responses[objective.chain.position(&tap).unwrap()];
            expected.compare(response.data(), REFERENCE.features, &format!("{} {tap}", case.name));
        }
        let (losses, gradient) = objective.evaluate(&image);
        case.compare_losses(&losses, REFERENCE.losses);
        case.gradient().compare(gradient.data(), REFERENCE.gradient, &format!("{} gradient", case.name));
    }
}

/// Against roots by eigenvalues.
#[test]
fn distances_of_gaussians_agree_with_pytorch() {
    for case in gaussian_cases() {
        for (mode, tolerance) in [(ConvMode::Exact, &EXACT), (ConvMode::Fast, &FAST)] {
            // A difference of traces.
            compare_evaluator(&case, mode, &Tolerance { losses: 1e-4, ..*tolerance });
        }
    }
}

#[test]
fn distances_of_gaussians_in_f64_agree_with_pytorch() {
    let case = &gaussian_cases()[0];
    let (losses, gradient) = ReferenceObjective::new(case).evaluate(&case.image.preprocessed_f64());
    case.compare_losses(&losses, REFERENCE.losses);
    case.gradient().compare(gradient.data(), REFERENCE.gradient, &format!("{} gradient", case.name));
}

/// The steps stop before the smallest eigenvalues' roots are reached: by a twentieth of the loss at most.
#[test]
fn steps_of_roots_go_nearly_all_the_way() {
    for case in gaussian_cases() {
        for layer in case.style_layers() {
            let loss = number(&case.expected["losses"]["style"][&layer]);
            check(loss, number(&case.expected["roots"][&layer]), 0.05, &format!("{} {layer}", case.name));
        }
    }
}

#[test]
fn lbfgs_in_f64_takes_the_steps_of_its_twin() {
    let case = &cases()[0];
    let objective = ReferenceObjective::new(case);
    let mut x = case.content.preprocessed_f64().into_vec();
    let losses = lbfgs_losses(case, &mut x, |x, gradient| {
        let image = Tensor::from_vec(case.content.shape(), x.to_vec()).unwrap();
        let (losses, result) = objective.evaluate(&image);
        gradient.copy_from_slice(result.data());
        losses.total
    });
    case.compare_lbfgs(&losses, 1e-6);
}

#[test]
fn lbfgs_in_f32_follows_its_f64_twin() {
    let case = &cases()[0];
    // The pairs are rounded to bf16, and along the way a ReLU may switch: the runs part slowly.
    for mode in [ConvMode::Exact, ConvMode::Fast] {
        let mut evaluator = evaluator_with_terms(case, mode);
        let mut x = case.content.preprocessed();
        let losses = lbfgs_losses(case, &mut x, |x, gradient| evaluator.evaluate(x, gradient).unwrap().total);
        case.compare_lbfgs(&losses, 1e-2);
    }
}

/// The losses at the start and after each iteration. Caffe's preprocessing is a shift, so L-BFGS moves the network's
/// input as it would move the picture.
fn lbfgs_losses<T: Real>(
    case: &Case,
    x: &mut Vec<T>,
    mut objective: impl FnMut(&[T], &mut [T]) -> f64,
) -> Vec<f64> {
    let expected = &case.expected["lbfgs"];
    let lbfgs = Lbfgs {
        history: size(expected, "history"),
        max_iterations: size(expected, "iterations"),
        first_step: number(&expected["first_step"]),
        ..Lbfgs::default()
    };
    let mut losses = Vec::new();
    let evaluate = |x: &[T], gradient: &mut [T]| Ok::<_, Infallible>(objective(x, gradient));
    let outcome = lbfgs
        .minimise(x, evaluate, |iteration| {
            losses.push(iteration.loss);
            ControlFlow::Continue(())
        })
        .unwrap();
    losses.insert(0, outcome.initial_loss);
    losses
}

/// The objective of a case on the plain path in f64.
struct ReferenceObjective {
    chain: Chain<f64>,
    terms: Vec<Term<f64>>,
}

impl ReferenceObjective {
    fn new(case: &Case) -> Self {
        let chain = case.chain().cast::<f64>();
        let deepest = chain.layers.len() - 1;
        let photo = reference::responses(&chain, &case.content.preprocessed_f64(), deepest).unwrap();
        let painting = reference::responses(&chain, &case.style.preprocessed_f64(), deepest).unwrap();
        let term = |(tap, weight): (Tap, f64)| {
            let responses = if tap.kind == LossKind::Content { &photo } else { &painting };
            let loss = tap.kind.target_of(&responses[chain.position(&tap.layer).unwrap()]).unwrap();
            Term::at(tap.layer, Weight::alone(weight), loss)
        };
        let terms = case.taps().into_iter().map(term).collect();
        Self { chain, terms }
    }

    fn evaluate(&self, image: &Tensor<f64>) -> (Losses, Tensor<f64>) {
        reference::evaluate(&self.chain, image, &self.terms).unwrap()
    }
}

fn compare_evaluator(case: &Case, mode: ConvMode, tolerance: &Tolerance) {
    let mut evaluator = evaluator_with_terms(case, mode);
    let image = case.image.preprocessed();
    let (layers, expected): (Vec<String>, Vec<_>) = case.features().into_iter().unzip();
    let taps: Vec<Tap> = layers.iter().map(|layer| Tap::new(layer, LossKind::Content)).collect();
    let measured = measure(&case.network(mode), &case.image, &taps);
    for ((layer, expected), loss) in layers.iter().zip(expected).zip(&measured) {
        let Loss::Content(content) = loss else { panic!("{layer}: {loss:?}") };
        expected.compare(
            content.target.data(),
            tolerance.features,
            &format!("{} {mode:?} {layer}", case.name),
        );
    }
    let mut gradient = vec![0.0; image.len()];
    let losses = evaluator.evaluate(&image, &mut gradient).unwrap();
    Preprocessing::CAFFE.gradient(&mut gradient);
    case.compare_losses(&losses, tolerance.losses);
    let tolerance = tolerance.gradient.max(2.0 * case.f32_gradient_error());
    case.gradient().compare(&gradient, tolerance, &format!("{} {mode:?} gradient", case.name));
}

/// An evaluator of the case's size, with P and A/M measured from its photo and its painting.
fn evaluator_with_terms(case: &Case, mode: ConvMode) -> Evaluator {
    let network = case.network(mode);
    let (taps, weights): (Vec<Tap>, Vec<f64>) = case.taps().into_iter().unzip();
    let (content, style) = taps.split_at(1);
    let targets =
        measure(&network, &case.content, content).into_iter().chain(measure(&network, &case.style, style));
    let term = |((tap, weight), loss): ((&Tap, f64), Loss)| Term::at(&tap.layer, Weight::alone(weight), loss);
    let terms = taps.iter().zip(weights).zip(targets).map(term).collect();
    let size = (case.image.height, case.image.width);
    Evaluator::new(network, size, terms, EvaluatorOptions::default()).unwrap()
}

fn measure(network: &Arc<PreparedChain>, picture: &Picture, taps: &[Tap]) -> Vec<Loss> {
    let size = (picture.height, picture.width);
    network
        .measure(&picture.preprocessed(), size, (taps, &[]), EvaluatorOptions::default(), &Cancel::default())
        .unwrap()
}

/// A crop at exact pixels, H x W x 3, values 0 to 255.
struct Picture {
    height: usize,
    width: usize,
    rgb: Vec<f32>,
}

impl Picture {
    fn read(at: &Value, height: usize, width: usize) -> Self {
        Self { height, width, rgb: crop(at, height, width) }
    }

    const fn shape(&self) -> Shape {
        Shape::new(self.height, self.width, 3)
    }

    fn preprocessed_f64(&self) -> Tensor<f64> {
        let data = self.preprocessed().into_iter().map(f64::from).collect();
        Tensor::from_vec(self.shape(), data).unwrap()
    }

    fn preprocessed(&self) -> Vec<f32> {
        let mut input = vec![0.0; self.rgb.len()];
        Preprocessing::CAFFE.apply(&self.rgb, &mut input);
        input
    }
}

/// One entry of `cases.json` or `border.json`, with its pictures.
struct Case {
    name: String,
    height: usize,
    width: usize,
    alpha: f64,
    beta: f64,
    content: Picture,
    style: Picture,
    image: Picture,
    /// The loss of style.
    kind: LossKind,
    expected: Value,
}

impl Case {
    fn chain(&self) -> Chain<f32> {
        let pooling = match self.expected["pooling"].as_str().unwrap() {
            "max" => Pooling::Max,
            "scaled-average" => Pooling::ScaledAverage,
            _ => Pooling::Average,
        };
        let border = match self.expected["border"].as_str() {
            Some("reflect") => Border::Reflect,
            Some("replicate") => Border::Replicate,
            _ => Border::Zero,
        };
        // The cases are about the network's input, so that what moves is the same as in PyTorch.
        Chain { input: None, border, ..Network::embedded().unwrap().chain_to("conv5_1", pooling).unwrap() }
    }

    fn network(&self, mode: ConvMode) -> Arc<PreparedChain> {
        Arc::new(PreparedChain::new(self.chain(), mode).unwrap())
    }

    /// L_content, then E_l or W_l of each style layer, with their weights.
    fn taps(&self) -> Vec<(Tap, f64)> {
        let style = self.style_layers().into_iter();
        let style = style.map(|layer| (Tap::new(layer, self.kind), self.style_weight()));
        std::iter::once((Tap::new(CONTENT_LAYER, LossKind::Content), self.alpha)).chain(style).collect()
    }

    fn features(&self) -> Vec<(String, Sketch)> {
        let taps = self.expected["features"].as_object().unwrap();
        taps.iter().map(|(tap, sketch)| (tap.clone(), Sketch::parse(sketch))).collect()
    }

    fn gradient(&self) -> Sketch {
        Sketch::parse(&self.expected["gradient"])
    }

    /// How far PyTorch's own f32 gradient is from its f64 one: what ReLUs that switch by rounding cost.
    fn f32_gradient_error(&self) -> f64 {
        number(&self.expected["f32_gradient_error"])
    }

    fn style_layers(&self) -> Vec<String> {
        self.expected["losses"]["style"].as_object().unwrap().keys().cloned().collect()
    }

    /// beta w_l.
    fn style_weight(&self) -> f64 {
        self.beta / self.style_layers().len() as f64
    }

    fn compare_lbfgs(&self, losses: &[f64], tolerance: f64) {
        let expected = self.expected["lbfgs"]["losses"].as_array().unwrap();
        assert_eq!(losses.len(), expected.len());
        for (iteration, (&ours, theirs)) in losses.iter().zip(expected).enumerate() {
            check(ours, number(theirs), tolerance, &format!("loss after L-BFGS iteration {iteration}"));
        }
    }

    fn compare_losses(&self, losses: &Losses, tolerance: f64) {
        let expected = &self.expected["losses"];
        let check = |ours, theirs: &Value, what: &str| {
            check(ours, number(theirs), tolerance, &format!("{} {what}", self.name));
        };
        check(losses.total, &expected["total"], "total loss");
        check(losses.each[0], &expected["content"], "content loss");
        for (layer, &ours) in self.style_layers().iter().zip(&losses.each[1..]) {
            check(ours, &expected["style"][layer], layer);
        }
    }
}

fn cases() -> Vec<Case> {
    ["cases.json", "border.json"].into_iter().flat_map(|file| cases_of(file, LossKind::Gram)).collect()
}

fn gaussian_cases() -> Vec<Case> {
    cases_of("wasserstein.json", LossKind::Wasserstein)
}

fn cases_of(file: &str, kind: LossKind) -> Vec<Case> {
    let text = std::fs::read_to_string(root().join("tests/golden").join(file)).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    golden["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let (height, width) = (size(case, "height"), size(case, "width"));
            let picture = |at: &Value| Picture::read(at, height, width);
            let style = &golden["style"];
            Case {
                name: case["name"].as_str().unwrap().to_owned(),
                height,
                width,
                alpha: number(&case["alpha"]),
                beta: number(&case["beta"]),
                content: picture(&case["content"]),
                style: Picture::read(style, size(style, "height"), size(style, "width")),
                image: picture(&case["image"]),
                kind,
                expected: case.clone(),
            }
        })
        .collect()
}
