//! A transfer that its caller moves on is the one that runs by itself.
#![cfg(feature = "embedded-weights")]

use std::ops::ControlFlow;

use impasto_style::{
    Breakdown, Cancel, Choices, Event, LossKind, Network, Painter, PreparedNetwork, StopReason, Subject,
    TransferError, TransferOptions, transfer, white_noise,
};

fn subject() -> Subject {
    Subject::new(white_noise(48, 40, 1).unwrap(), white_noise(44, 50, 2).unwrap())
}

/// Two sizes, few iterations, few layers, and what else is said.
fn options(others: &[(&str, &str)]) -> TransferOptions {
    let few = [("size", "48"), ("scales", "2"), ("smallest-scale", "24"), ("iterations", "3")];
    let layers = [("content-layers", "conv2_2"), ("style-layers", "conv1_1,conv2_1")];
    let mut choices = Choices::default();
    for (name, value) in few.iter().chain(&layers).chain(others) {
        choices.set(name, value).unwrap();
    }
    choices.options().unwrap()
}

fn network(options: &TransferOptions) -> PreparedNetwork {
    PreparedNetwork::new(Network::embedded().unwrap(), options).unwrap()
}

fn painter(options: &TransferOptions) -> Painter {
    Painter::new(network(options), subject(), options.clone()).unwrap()
}

#[test]
fn a_painter_makes_the_pictures_of_a_transfer() {
    for others in [
        &[][..],
        &[("colors", "photo")],
        &[("optimizer", "adam"), ("moments", "carried"), ("average-decay", "0.5")],
        &[("optimizer", "adam"), ("learning-rate", "20")],
    ] {
        let options = options(others);
        let mut told = Vec::new();
        let whole = transfer(&network(&options), &subject(), &options, |event| {
            if let Event::Iteration(progress) = event {
                let picture = progress.picture().unwrap();
                told.push((progress.iteration, progress.scale, progress.losses.clone(), picture));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        let mut painter = painter(&options);
        assert_eq!(painter.summary().iterations, 6);
        let mut told = told.into_iter();
        while let Some(progress) = painter.step().unwrap() {
            let picture = progress.picture().unwrap();
            let own = (progress.iteration, progress.scale, progress.losses.clone(), picture);
            assert_eq!(Some(own), told.next(), "{others:?}");
        }
        assert!(told.next().is_none(), "{others:?}");
        assert_eq!(painter.painting().unwrap(), whole, "{others:?}");
        assert!(painter.step().unwrap().is_none());
    }
}

#[test]
fn whoever_stops_has_what_a_transfer_that_is_stopped_there_returns() {
    let options = options(&[]);
    for stop in 1..6 {
        let whole = transfer(&network(&options), &subject(), &options, |event| match event {
            Event::Iteration(progress) if progress.iteration == stop => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        let mut painter = painter(&options);
        assert!(matches!(painter.painting(), Err(TransferError::Cancelled)));
        for _ in 0..stop {
            painter.step().unwrap().unwrap();
        }
        let painting = painter.painting().unwrap();
        assert_eq!(painting.reason, StopReason::Cancelled);
        assert_eq!(painting, whole.unwrap(), "after {stop}");
    }
}

#[test]
fn a_painter_that_was_cancelled_keeps_its_picture() {
    let options = options(&[]);
    let cancel = Cancel::default();
    let network = network(&options).with_cancel(cancel.clone());
    let mut painter = Painter::new(network, subject(), options.clone()).unwrap();
    for _ in 0..4 {
        painter.step().unwrap();
    }
    let before = painter.painting().unwrap();
    cancel.cancel();
    assert!(painter.step().is_err());
    assert_eq!(painter.painting().unwrap(), before);
}

/// All that the next steps tell, with their numbers.
fn told(painter: &mut Painter, steps: usize) -> Vec<(usize, Breakdown)> {
    let step = |_| painter.step().unwrap().map(|told| (told.iteration, told.losses.clone()));
    (0..steps).map_while(step).collect()
}

fn losses(told: &[(usize, Breakdown)]) -> Vec<f64> {
    told.iter().map(|(_, losses)| losses.total).collect()
}

fn assert_falls(losses: &[f64]) {
    assert!(losses.windows(2).all(|pair| pair[1] < pair[0]), "{losses:?}");
}

#[test]
fn a_loss_that_is_switched_off_before_the_start_is_one_that_is_not_there() {
    let options = options(&[]);
    let mut off = painter(&options);
    off.weigh(LossKind::Content, Some("conv2_2"), 0.0).unwrap();
    let mut without = painter(&options_without_content());
    assert_eq!(losses(&told(&mut off, 9)), losses(&told(&mut without, 9)));
    assert_eq!(off.painting().unwrap().picture, without.painting().unwrap().picture);
}

fn options_without_content() -> TransferOptions {
    options(&[("content-weight", "0")])
}

#[test]
fn a_loss_can_be_switched_off_and_on_while_it_paints() {
    let methods = [&[][..], &[("optimizer", "adam"), ("learning-rate", "0.5")]];
    for method in methods {
        let options = options(&[&[("iterations", "9"), ("init", "noise")], method].concat());
        let (mut switched, mut left) = (painter(&options), painter(&options));
        assert_eq!(told(&mut switched, 2), told(&mut left, 2), "{method:?}");
        switched.weigh(LossKind::Content, Some("conv2_2"), 0.0).unwrap();
        let (off, on) = (told(&mut switched, 3), told(&mut left, 3));
        assert_eq!(off.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 4, 5], "{method:?}");
        assert_falls(&losses(&off));
        for ((_, off), (_, on)) in off.iter().zip(&on) {
            assert_eq!(off.terms[0].weight.product(), 0.0);
            assert_eq!(off.terms[1].weight, on.terms[1].weight);
            let sum: f64 = off.terms[1..].iter().map(|term| term.weight.product() * term.loss).sum();
            assert!((off.total / sum - 1.0).abs() < 1e-12, "{} is not {sum}", off.total);
        }
        assert_eq!(switched.weights()[0], on[0].1.terms[0].weight);
        // Nothing holds the scene: it is lost, and style is the better for it.
        assert!(off[2].1.terms[0].loss > on[2].1.terms[0].loss, "{method:?}");
        switched.weigh(LossKind::Content, Some("conv2_2"), 1.0).unwrap();
        let again = told(&mut switched, 4);
        assert_eq!(again[3].0, 9);
        assert!(again.iter().all(|(_, losses)| losses.terms[0].weight == on[0].1.terms[0].weight));
        assert!(again[3].1.terms[0].loss < off[2].1.terms[0].loss, "{method:?}");
        // The other scale has its own iterations, and all are made.
        assert_eq!(told(&mut switched, 20).last().unwrap().0, 18, "{method:?}");
        assert_eq!(switched.painting().unwrap().iterations, 18, "{method:?}");
    }
}

#[test]
fn a_loss_stays_switched_off_at_the_next_size() {
    let mut painter = painter(&options(&[]));
    told(&mut painter, 1);
    painter.weigh(LossKind::Wasserstein, Some("conv1_1"), 0.0).unwrap();
    painter.weigh(LossKind::Wasserstein, Some("conv2_1"), 3.0).unwrap();
    for (number, losses) in told(&mut painter, 9) {
        let weights: Vec<f64> = losses.terms.iter().map(|term| term.weight.product()).collect();
        let asked: Vec<f64> = painter.weights().iter().map(|weight| weight.product()).collect();
        assert_eq!((weights[1], losses.terms.len()), (0.0, 3), "iteration {number}");
        // Between two sizes, and behind the last, there are none.
        assert!(asked.is_empty() || (weights[2] / (3.0 * asked[2]) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn a_weight_that_stays_what_it_is_changes_nothing() {
    let options = options(&[]);
    let (mut same, mut left) = (painter(&options), painter(&options));
    same.weigh(LossKind::Content, Some("conv2_2"), 1.0).unwrap();
    for _ in 0..6 {
        assert_eq!(told(&mut same, 1), told(&mut left, 1));
        same.weigh(LossKind::Content, Some("conv2_2"), 1.0).unwrap();
    }
    assert_eq!(same.painting().unwrap(), left.painting().unwrap());
}

#[test]
fn only_losses_that_there_are_can_be_weighed() {
    let mut painter = painter(&options(&[]));
    assert_eq!(painter.terms().len(), 3);
    let refused = [
        ((LossKind::Content, Some("conv1_1"), 0.0), "this transfer has no content loss at conv1_1"),
        ((LossKind::TotalVariation, None, 0.0), "this transfer has no total variation"),
        (
            (LossKind::Content, Some("conv2_2"), -1.0),
            "a loss can be multiplied with a finite number that is not negative, not with -1",
        ),
    ];
    for ((kind, layer, factor), message) in refused {
        assert_eq!(painter.weigh(kind, layer, factor).unwrap_err().to_string(), message);
    }
    assert!(painter.weigh(LossKind::Content, Some("conv2_2"), f64::NAN).is_err());
}

#[test]
fn the_scene_is_that_of_the_size_that_is_painted() {
    let mut painter = painter(&options(&[]));
    let mut longest = Vec::new();
    for _ in 0..6 {
        painter.step().unwrap();
        let scene = painter.scene().unwrap();
        longest.push(scene.photo().height().max(scene.photo().width()));
    }
    assert_eq!(longest, [24, 24, 24, 48, 48, 48]);
}
