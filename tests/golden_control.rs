//! Several paintings, masks, kept parts and light alone: losses, weights and gradients against what PyTorch computed in f64
//! (`tests/golden/control.json`, made by `tests/golden/control.py`, which says what the cases are).

use impasto_autodiff::{Chain, Losses, Term, reference};
use impasto_style::coordinates::{Coordinates, Pixels};
use impasto_style::{
    Colours, ConvMode, Each, Guide, LayerWeight, LayerWeights, Loss, LossKind, Mask, Network, Objective,
    Photo, Picture, Pooling, PreparedNetwork, Preset, Reach, Region, RegionMask, Scene, StyleImage, Subject,
    TransferError, TransferOptions, View, Weight,
};
use impasto_tensor::{Shape, Tensor};
use serde_json::Value;

use crate::golden::recorded::{self, Sketch, check, crop, number, root, size};

/// What a comparison may show: relative differences, of gradients in the 2-norm.
struct Tolerance {
    losses: f64,
    gradient: f64,
}

const EXACT: Tolerance = Tolerance { losses: 1e-5, gradient: 1e-4 };
const FAST: Tolerance = Tolerance { losses: 2e-5, gradient: 1e-3 };
/// Targets, guides and pictures are rounded to f32.
const PLAIN: Tolerance = Tolerance { losses: 2e-6, gradient: 2e-6 };

#[test]
fn exact_mode_agrees_with_pytorch() {
    for_each_case(ConvMode::Exact, |case, network| case.compare_evaluator(network, ConvMode::Exact, &EXACT));
}

#[test]
fn fast_mode_agrees_with_pytorch() {
    for_each_case(ConvMode::Fast, |case, network| case.compare_evaluator(network, ConvMode::Fast, &FAST));
}

#[test]
fn reference_in_f64_agrees_with_pytorch() {
    for_each_case(ConvMode::Exact, Case::compare_reference);
}

/// One entry of `control.json`.
struct Case(Value);

/// Goes through the cases; each has a network of its pooling, which is packed once.
fn for_each_case(mode: ConvMode, compare: impl Fn(&Case, &PreparedNetwork)) {
    let text = std::fs::read_to_string(root().join("tests/golden/control.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let cases: Vec<Case> = golden["cases"].as_array().unwrap().iter().cloned().map(Case).collect();
    for pooling in [Pooling::Average, Pooling::Max] {
        let own: Vec<&Case> = cases.iter().filter(|case| case.options(mode).pooling == pooling).collect();
        let options = own[0].options(mode);
        let network = PreparedNetwork::new(Network::embedded().unwrap(), &options).unwrap();
        for case in own {
            compare(case, &network);
        }
    }
}

/// The losses of the terms, in their order, each with its layer, its region and its weight w_l times lambda.
struct Found {
    total: f64,
    each: Vec<(LossKind, String, usize, f64, f64)>,
    gradient: Vec<f32>,
}

impl Case {
    fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    fn size(&self) -> (usize, usize) {
        (size(&self.0, "height"), size(&self.0, "width"))
    }

    fn is_light(&self) -> bool {
        self.0["light"].as_bool().unwrap()
    }

    fn picture(&self, key: &str) -> Picture {
        let (height, width) = self.size();
        Picture::new(height, width, crop(&self.0[key], height, width)).unwrap()
    }

    fn mask(&self, key: &str) -> Option<Mask> {
        mask(&self.0[key], self.size())
    }

    fn subject(&self) -> Subject {
        let mut picture = self.picture("photo");
        if let Some(alpha) = self.mask("photo_alpha") {
            picture = picture.with_alpha(alpha).unwrap();
        }
        let photo = Photo { picture, keep: self.mask("keep"), content_mask: self.mask("content_mask") };
        let painting = |entry: &Value| {
            let size = (size(entry, "height"), size(entry, "width"));
            let mut picture = Picture::new(size.0, size.1, crop(entry, size.0, size.1)).unwrap();
            if let Some(alpha) = mask(&entry["alpha"], size) {
                picture = picture.with_alpha(alpha).unwrap();
            }
            let region = recorded::size(entry, "region");
            StyleImage { picture: picture.into(), part: mask(&entry["part"], size), region }
        };
        let region = |entry: &Value| Region {
            name: entry["name"].as_str().unwrap().to_owned(),
            mask: match entry["mask"].as_str() {
                Some("everywhere") => RegionMask::Everywhere,
                Some(_) => RegionMask::Rest,
                None => RegionMask::Mask(mask(&entry["mask"], self.size()).unwrap()),
            },
        };
        let (paintings, regions) = (self.list("paintings").map(painting), self.list("regions").map(region));
        Subject::compose(photo, paintings.collect(), regions.collect()).unwrap()
    }

    fn list(&self, key: &str) -> impl Iterator<Item = &Value> {
        self.0[key].as_array().unwrap().iter()
    }

    /// The paintings have the photo's longest side, so nothing is resized.
    fn options(&self, conv: ConvMode) -> TransferOptions {
        let layers = |painting: &Value| {
            let entries = painting["layers"].as_object().unwrap().iter();
            LayerWeights(
                entries
                    .map(|(layer, weight)| LayerWeight { layer: layer.clone(), weight: number(weight) })
                    .collect(),
            )
        };
        Preset::Paper
            .options()
            .with_content_weight(number(&self.0["alpha"]))
            .with_style_weight(number(&self.0["beta"]))
            .with_pooling(if self.0["pooling"] == "max" { Pooling::Max } else { Pooling::Average })
            .with_blend(self.list("paintings").map(|painting| number(&painting["blend"])).collect())
            .with_style_layers(Each::new(self.list("paintings").map(layers)).unwrap())
            .with_mask_reach(if self.0["reach"] == "inside" { Reach::Inside } else { Reach::Average })
            .with_colours(if self.is_light() { Colours::Photo } else { Colours::Painting })
            .with_conv(conv)
    }

    /// The variables where the picture that is evaluated is painted, and the coordinates that they are of.
    fn coordinates(&self, scene: &Scene<'_>) -> (Pixels, Vec<f32>) {
        let image = self.picture("image").into_data();
        let light = |pixel: &[f32]| {
            let [r, g, b] = [0, 1, 2].map(|channel| f64::from(pixel[channel]));
            (0.299 * r + 0.587 * g + 0.114 * b) as f32
        };
        let pixels = if self.is_light() {
            Pixels::of_light(image.chunks_exact(3).map(light).collect())
        } else {
            Pixels::of(image)
        };
        let mut pixels = match self.mask("keep") {
            Some(keep) => pixels.keeping(scene.photo(), keep).unwrap(),
            None => pixels,
        };
        let start = pixels.start();
        (pixels, start)
    }

    fn compare_evaluator(&self, network: &PreparedNetwork, mode: ConvMode, tolerance: &Tolerance) {
        let (subject, options) = (self.subject(), self.options(mode));
        let scene = subject.at(self.longest(), &options).unwrap();
        let targets = scene.measure(network, &options).unwrap();
        let mut objective = Objective::new(network, targets.clone(), self.size(), &options).unwrap();
        let (mut coordinates, variables) = self.coordinates(&scene);
        let mut gradient = vec![0.0; variables.len()];
        let evaluate = |x: &[f32], gradient: &mut [f32]| objective.evaluate(x, gradient);
        let losses = coordinates.evaluate(&variables, &mut gradient, evaluate).unwrap();
        let each = losses.terms.iter().zip(&targets.terms).map(|(term, target)| {
            let layer = term.layer.clone().unwrap_or_default();
            (term.kind, layer, target.spec.region.unwrap_or(0), term.weight.share, term.loss)
        });
        let found = Found { total: losses.total, each: each.collect(), gradient };
        self.compare(&found, tolerance, &format!("{mode:?}"));
    }

    /// The plain path, from the targets on.
    fn compare_reference(&self, network: &PreparedNetwork) {
        let (subject, options) = (self.subject(), self.options(ConvMode::Exact));
        let chain = Network::embedded().unwrap().chain_to("conv5_1", options.pooling).unwrap().cast::<f64>();
        let scene = subject.at(self.longest(), &options).unwrap();
        let targets = scene.measure_with(network, &options, |view| Ok(measure(&chain, view))).unwrap();
        let (mut each, mut terms) = (Vec::new(), Vec::new());
        for target in targets.terms {
            let (spec, loss) = (target.spec, target.loss.cast::<f64>());
            let guide = loss.guide().filter(|_| spec.kind == LossKind::Gram);
            let lambda = guide.map_or(1.0, Guide::share);
            let weight = Weight { share: spec.weight.share * lambda, ..spec.weight };
            let layer = spec.layer.unwrap_or_default();
            terms.push(Term::at(layer.clone(), weight, loss));
            each.push((spec.kind, layer, spec.region.unwrap_or(0), weight.share, 0.0));
        }
        let (mut coordinates, variables) = self.coordinates(&scene);
        let mut gradient = vec![0.0; variables.len()];
        let (height, width) = self.size();
        let evaluate = |x: &[f32], gradient: &mut [f32]| {
            let (losses, of_pixels) = reference::evaluate(&chain, &tensor(height, width, x), &terms)?;
            gradient.iter_mut().zip(of_pixels.data()).for_each(|(to, from)| *to = *from as f32);
            Ok::<Losses, TransferError>(losses)
        };
        let losses = coordinates.evaluate(&variables, &mut gradient, evaluate).unwrap();
        each.iter_mut().zip(losses.each).for_each(|(term, loss)| term.4 = loss);
        self.compare(&Found { total: losses.total, each, gradient }, &PLAIN, "plain");
    }

    fn longest(&self) -> usize {
        self.size().0.max(self.size().1)
    }

    fn compare(&self, found: &Found, tolerance: &Tolerance, path: &str) {
        let (name, expected) = (format!("{} {path}", self.name()), &self.0["losses"]);
        check(found.total, number(&expected["total"]), tolerance.losses, &format!("{name}, total"));
        let style = expected["style"].as_array().unwrap();
        assert_eq!(found.each.len(), style.len() + 1, "{name}: {:?}", found.each);
        for (kind, layer, region, share, loss) in &found.each {
            if *kind == LossKind::Content {
                check(*loss, number(&expected["content"]), tolerance.losses, &format!("{name}, content"));
                continue;
            }
            let is_it = |entry: &&Value| entry["layer"] == layer.as_str() && entry["region"] == *region;
            let entry =
                style.iter().find(is_it).unwrap_or_else(|| panic!("{name}: {layer} of region {region}"));
            let name = format!("{name}, {layer} of region {region}");
            check(*loss, number(&entry["loss"]), tolerance.losses, &name);
            let weight = number(&entry["weight"]) * number(&entry["share"]);
            check(*share, weight, 1e-6, &format!("{name}, weight"));
        }
        let gradient = tolerance.gradient.max(2.0 * number(&self.0["f32_gradient_error"]));
        let expected = Sketch::parse(&self.0["gradient"]);
        expected.compare(&found.gradient, gradient, &format!("{name}, gradient"));
    }
}

/// What a picture has at the taps of a view on the plain path.
fn measure(chain: &Chain<f64>, view: View<'_>) -> Vec<Loss> {
    let picture = tensor(view.picture.height(), view.picture.width(), view.picture.data());
    let responses = reference::responses(chain, &picture, chain.layers.len() - 1).unwrap();
    let loss = |(number, tap): (usize, &impasto_style::Tap)| {
        let f = &responses[chain.position(&tap.layer).unwrap()];
        let guide = view.guides.get(number).and_then(Option::as_ref);
        tap.kind.target_of_part(f, guide).unwrap().cast()
    };
    view.taps.iter().enumerate().map(loss).collect()
}

fn tensor(height: usize, width: usize, numbers: &[f32]) -> Tensor<f64> {
    let numbers = numbers.iter().map(|&number| f64::from(number)).collect();
    Tensor::from_vec(Shape::new(height, width, 3), numbers).unwrap()
}

/// The mask of a formula [a, b, q, c, d]: clamp(floor(256 (a x + b y + q (x^2 + y^2) + c) / d), 0, 256) / 256.
fn mask(formula: &Value, (height, width): (usize, usize)) -> Option<Mask> {
    let formula: Vec<i64> = formula.as_array()?.iter().map(|number| number.as_i64().unwrap()).collect();
    let [a, b, q, c, d] = formula[..] else { panic!("{formula:?}") };
    let value = |at: usize| {
        let (x, y) = ((at % width) as i64, (at / width) as i64);
        let value = (256 * (a * x + b * y + q * (x * x + y * y) + c)).div_euclid(d);
        value.clamp(0, 256) as f32 / 256.0
    };
    Some(Mask::new(height, width, (0..height * width).map(value).collect()).unwrap())
}
