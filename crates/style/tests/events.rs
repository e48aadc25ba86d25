//! What a transfer tells before its first iteration: each picture that it is about to measure; and that it can be stopped there.
#![cfg(feature = "embedded-weights")]

use std::ops::ControlFlow;

use impasto_style::{
    Event, Init, Network, Painting, PreparedNetwork, Preset, Run, Scales, Size, Source, Subject,
    TransferError, TransferOptions, transfer_with, white_noise,
};

/// Two scales, 96 and 48 pixels, of early layers.
fn options() -> TransferOptions {
    Preset::V011
        .options()
        .with_size(Size::Longest(96))
        .with_scales(Scales::Count(2))
        .with_smallest_scale(16)
        .with_iterations(1)
        .with_content_layers("conv1_2".parse().unwrap())
        .with_style_layers("conv1_1".parse().unwrap())
}

/// What is told, until something is answered with a stop.
fn told(
    options: &TransferOptions,
    run: Run<'_>,
    stop: impl Fn(&str) -> bool,
) -> (Vec<String>, Result<Painting, TransferError>) {
    let noise = |seed| white_noise(64, 96, seed).unwrap();
    let subject = Subject::blend(noise(1), vec![noise(2), noise(3)]).unwrap();
    let network = PreparedNetwork::new(Network::embedded().unwrap(), options).unwrap();
    let mut told: Vec<String> = Vec::new();
    let painted = transfer_with(&network, &subject, options, run, |event| {
        let line = match event {
            Event::Started(_) => "started".to_owned(),
            Event::Measuring(measuring) => match measuring.source {
                Some(source) => format!("measuring {source:?} at {}", measuring.size.1),
                None => format!("measuring at {}", measuring.size.1),
            },
            Event::Measured((_, width), _) => format!("measured at {width}"),
            Event::Iteration(progress) => format!("iteration {}", progress.iteration),
            Event::Ended(_) => "ended".to_owned(),
            other => panic!("{other:?} is not expected"),
        };
        told.push(line);
        if stop(&told[told.len() - 1]) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (told, painted)
}

#[test]
fn each_picture_is_told_of_before_it_is_measured() {
    let (told, painted) = told(&options(), Run::default(), |_| false);
    let scale = |width: usize, iteration: usize| {
        [
            format!("measuring {:?} at {width}", Source::Painting(0)),
            format!("measuring {:?} at {width}", Source::Painting(1)),
            format!("measuring {:?} at {width}", Source::Photo),
            format!("measured at {width}"),
            format!("iteration {iteration}"),
        ]
    };
    let expected =
        [&["started".to_owned()][..], &scale(48, 1), &scale(96, 2), &["ended".to_owned()]].concat();
    assert_eq!(told, expected);
    assert_eq!(painted.unwrap().iterations, 2);
}

#[test]
fn what_no_loss_asks_for_is_not_measured() {
    let options = options().with_style_weight(0.0).with_init(Init::Noise).with_scales(Scales::Count(1));
    let (told, _) = told(&options, Run::default(), |_| false);
    assert_eq!(told, ["started", "measuring Photo at 96", "measured at 96", "iteration 1", "ended"]);
}

#[test]
fn a_caller_that_measures_is_told_once() {
    let options = options().with_scales(Scales::Count(1));
    let network = PreparedNetwork::new(Network::embedded().unwrap(), &options).unwrap();
    let run = Run { measure: Some(Box::new(|scene| scene.measure(&network, &options))), ..Run::default() };
    let (told, _) = told(&options, run, |_| false);
    assert_eq!(told, ["started", "measuring at 96", "measured at 96", "iteration 1", "ended"]);
}

#[test]
fn a_stop_while_measuring_ends_it_there() {
    let (heard, painted) = told(&options(), Run::default(), |line| line == "measuring Painting(1) at 48");
    assert_eq!(heard, ["started", "measuring Painting(0) at 48", "measuring Painting(1) at 48"]);
    assert!(matches!(painted, Err(TransferError::Cancelled)));
    // The second scale has no picture yet: that of the first one it is.
    let (heard, painted) = told(&options(), Run::default(), |line| line == "measuring Photo at 96");
    assert_eq!(
        heard[6..],
        ["measuring Painting(0) at 96", "measuring Painting(1) at 96", "measuring Photo at 96", "ended"]
    );
    let painted = painted.unwrap();
    assert_eq!((painted.iterations, painted.picture.width()), (1, 48));
}
