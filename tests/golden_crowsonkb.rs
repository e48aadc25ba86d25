//! The losses of the preset `crowsonkb` against those of style-transfer-pytorch itself, on the same weights and pictures
//! (`tests/golden/crowsonkb.json`, made by `tests/golden/crowsonkb.py`).

use impasto_style::{
    ConvMode, Network, Objective, Picture, PreparedNetwork, Preset, Size, Subject, TermLoss,
};
use serde_json::Value;

use crate::golden::recorded::{Sketch, check, crop, number, root, size};

/// What a comparison may show: the program computes in f32 too. Of gradients in the 2-norm.
const LOSSES: f64 = 1e-4;
const GRADIENT: f64 = 1e-3;

#[test]
fn fast_mode_agrees_with_the_program() {
    compare(ConvMode::Fast);
}

#[test]
fn exact_mode_agrees_with_the_program() {
    compare(ConvMode::Exact);
}

fn compare(conv: ConvMode) {
    let text = std::fs::read_to_string(root().join("tests/golden/crowsonkb.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let style = &golden["style"];
    let style = read(style, size(style, "height"), size(style, "width"));
    for case in golden["cases"].as_array().unwrap() {
        let (height, width) = (size(case, "height"), size(case, "width"));
        let [content, image] = ["content", "image"].map(|of| read(&case[of], height, width));
        let options = Preset::Crowsonkb
            .options()
            .with_size(Size::Longest(height.max(width)))
            // The painting as it is: it is never enlarged.
            .with_style_scale(10.0)
            .with_conv(conv);
        let network = PreparedNetwork::new(Network::embedded().unwrap(), &options).unwrap();
        let subject = Subject::new(content, style.clone());
        let targets = subject.at(height.max(width), &options).unwrap().measure(&network, &options).unwrap();
        let mut objective = Objective::new(&network, targets, (height, width), &options).unwrap();
        let mut gradient = vec![0.0; image.data().len()];
        let losses = objective.evaluate(image.data(), &mut gradient).unwrap();
        let expected = case["terms"].as_array().unwrap();
        assert_eq!(losses.terms.len(), expected.len());
        let name = case["name"].as_str().unwrap();
        for (TermLoss { kind, layer, weight, loss, .. }, expected) in losses.terms.iter().zip(expected) {
            let what = format!("{name} {conv:?} {} {layer:?}", kind.name());
            check(weight.sum * weight.share * loss, number(expected), LOSSES, &what);
        }
        check(losses.total, number(&case["total"]), LOSSES, &format!("{name} {conv:?} total"));
        let tolerance = GRADIENT.max(2.0 * number(&case["f64_gradient_error"]));
        Sketch::parse(&case["gradient"]).compare(&gradient, tolerance, &format!("{name} {conv:?} gradient"));
    }
}

fn read(at: &Value, height: usize, width: usize) -> Picture {
    Picture::new(height, width, crop(at, height, width)).unwrap()
}
