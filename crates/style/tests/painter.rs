//! A transfer that its caller moves on is the one that runs by itself.
#![cfg(feature = "embedded-weights")]

use std::ops::ControlFlow;

use impasto_style::{
    Cancel, Choices, Event, Network, Painter, PreparedNetwork, StopReason, Subject, TransferError,
    TransferOptions, transfer, white_noise,
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
