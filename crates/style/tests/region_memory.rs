//! A transfer with many small regions, or many paintings, takes no more memory than it announces. Alone in its program, as the allocator is everybody's.
#![cfg(feature = "embedded-weights")]

use std::alloc::System;
use std::ops::ControlFlow;
use std::sync::Arc;

use cap::Cap;
use impasto_style::{
    AdamOptions, Event, Mask, Network, Optimiser, Photo, PreparedNetwork, Preset, Region, RegionMask, Scales,
    Size, StyleImage, Subject, TransferOptions, transfer, white_noise,
};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What is announced for the program itself.
const PROGRAM: u64 = 60 << 20;

/// Squares of a board of `side` x `side`, each a region. Of the first one only the corner's pixel is; the rest of it is the rest.
fn board(pixels: usize, side: usize) -> Vec<Region> {
    let square = |number: usize| {
        let value = |at: usize| {
            let (y, x) = (at / pixels * side / pixels, at % pixels * side / pixels);
            f32::from(y * side + x == number && (number > 0 || at == 0))
        };
        let mask = Mask::new(pixels, pixels, (0..pixels * pixels).map(value).collect()).unwrap();
        Region { name: format!("square {number}"), mask: RegionMask::Mask(mask) }
    };
    let rest = Region { name: "-".to_owned(), mask: RegionMask::Rest };
    (0..side * side).map(square).chain([rest]).collect()
}

#[test]
fn many_regions_and_many_paintings_take_no_more_than_is_announced() {
    const PIXELS: usize = 192;
    let regions = board(PIXELS, 5);
    let picture = Arc::new(white_noise(PIXELS, PIXELS, 2).unwrap());
    let part = |region| {
        let values = (0..PIXELS * PIXELS).map(|at| (at % (region + 2)) as f32).collect();
        StyleImage {
            picture: Arc::clone(&picture),
            part: Some(Mask::new(PIXELS, PIXELS, values).unwrap()),
            region,
        }
    };
    let paintings = (0..regions.len()).map(part).collect();
    let content_mask = Some(Mask::new(PIXELS, PIXELS, vec![0.5; PIXELS * PIXELS]).unwrap());
    let photo = Photo { picture: white_noise(PIXELS, PIXELS, 1).unwrap(), keep: None, content_mask };
    let subject = Subject::compose(photo, paintings, regions).unwrap();
    for (optimiser, size) in [
        (Optimiser::Adam(AdamOptions::default()), PIXELS),
        (Optimiser::Adam(AdamOptions::default()), 150),
        (Optimiser::Lbfgs { history: None }, 150),
    ] {
        let options = Preset::Default
            .options()
            .with_size(Size::Longest(size))
            .with_iterations(2)
            .with_scales(Scales::Count(1))
            .with_optimiser(optimiser)
            .with_content_layers("conv2_2".parse().unwrap())
            .with_style_layers("conv1_1,conv1_2,conv2_1,conv2_2".parse().unwrap());
        let network = PreparedNetwork::new(Network::embedded().unwrap(), &options).unwrap();
        let (taken, announced) = bytes(&network, &subject, &options);
        assert!(taken <= announced, "{optimiser:?}, {size}: {taken} of {announced}");
    }
    many_paintings_take_no_more_than_is_announced();
}

/// The Gram matrices of conv5_1 alone have a MiB each.
fn many_paintings_take_no_more_than_is_announced() {
    let options = Preset::Default
        .options()
        .with_size(Size::Longest(32))
        .with_iterations(1)
        .with_scales(Scales::Count(1))
        .with_optimiser(Optimiser::Adam(AdamOptions::default()));
    let paintings = (0..40).map(|seed| white_noise(32, 32, seed).unwrap()).collect();
    let subject = Subject::blend(white_noise(32, 32, 1).unwrap(), paintings).unwrap();
    let network = PreparedNetwork::new(Network::embedded().unwrap(), &options).unwrap();
    let (taken, announced) = bytes(&network, &subject, &options);
    assert!(taken <= announced, "{taken} of {announced}");
}

/// What a transfer takes, and what it announces beside the program.
fn bytes(network: &PreparedNetwork, subject: &Subject, options: &TransferOptions) -> (u64, u64) {
    let mut announced = 0;
    // Ballast, which is never touched, brings what is held up to the peak so far.
    let ballast = Vec::<u8>::with_capacity(ALLOCATOR.max_allocated() - ALLOCATOR.allocated());
    let before = ALLOCATOR.allocated();
    transfer(network, subject, options, |event| {
        if let Event::Started(summary) = event {
            announced = summary.bytes;
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    let taken = (ALLOCATOR.max_allocated() - before) as u64 + subject.bytes();
    drop(ballast);
    (taken, announced - PROGRAM)
}
