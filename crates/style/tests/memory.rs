//! What a transfer takes of memory, how it keeps to a limit, and what is said where it cannot.
#![cfg(feature = "embedded-weights")]

use std::ops::ControlFlow;

use impasto_style::picture::Picture;
use impasto_style::{
    AdamOptions, ConvMode, Event, Network, Optimiser, Pooling, PreparedNetwork, Preset, Size, Subject,
    Summary, TransferError, TransferOptions, plan, transfer, white_noise,
};
use proptest::prelude::*;

/// A photo of that size and a painting, and the network for them.
struct Sitting {
    network: PreparedNetwork,
    subject: Subject,
}

impl Sitting {
    fn new((height, width): (usize, usize)) -> Self {
        Self::of((height, width), &Preset::Paper.options())
    }

    fn of((height, width): (usize, usize), options: &TransferOptions) -> Self {
        Self {
            network: PreparedNetwork::new(Network::embedded().unwrap(), options).unwrap(),
            subject: Subject::new(white_noise(height, width, 1).unwrap(), white_noise(32, 32, 2).unwrap()),
        }
    }

    /// What a transfer is going to do; it is stopped then.
    fn summary(&self, options: &TransferOptions) -> Result<Summary, TransferError> {
        let mut summary = None;
        let stopped = transfer(&self.network, &self.subject, options, |event| {
            if let Event::Started(started) = event {
                summary = Some(started.clone());
            }
            ControlFlow::Break(())
        });
        match stopped {
            Err(TransferError::Cancelled) => Ok(summary.expect("a transfer starts with its summary")),
            Err(error) => Err(error),
            Ok(painting) => panic!("not stopped: {painting:?}"),
        }
    }

    /// The bytes of the most frugal transfer at a size.
    fn needed(&self, size: usize) -> u64 {
        let options = Preset::Paper.options().with_size(Size::Longest(size)).with_iterations(20);
        self.refused(&options, 1).0
    }

    /// What is refused under that limit: bytes that would do, and the longest side that fits.
    fn refused(&self, options: &TransferOptions, limit: u64) -> (u64, Option<usize>) {
        let options = options.clone().with_memory_limit(Some(limit));
        match self.summary(&options) {
            Err(TransferError::Memory { size, needed, limit: told, largest }) => {
                assert_eq!((size, told), (self.subject.size(self.subject.longest_side(&options)), limit));
                (needed, largest)
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The plan, the method's vectors, four pictures and 60 MiB of program.
#[test]
fn bytes_are_those_of_the_plan_the_method_the_pictures_and_the_program() {
    let (sitting, numbers) = (Sitting::new((48, 64)), 3 * 48 * 64);
    // Pairs of two vectors in half precision, four more vectors; waves, x0, a gradient and a group for each number.
    let lbfgs = |pairs: u64| pairs * 2 * 2 + 4 * 4 + 3 * 4 + 1;
    for (optimiser, iterations, of_the_method) in [
        (Optimiser::Lbfgs { history: Some(7) }, 20, lbfgs(7)),
        (Optimiser::Lbfgs { history: Some(7) }, 3, lbfgs(3)),
        (Optimiser::Lbfgs { history: None }, 200, lbfgs(100)),
        (Optimiser::Adam(AdamOptions::default()), 20, 5 * 4),
    ] {
        let options = Preset::Paper
            .options()
            .with_size(Size::Longest(64))
            .with_iterations(iterations)
            .with_optimiser(optimiser);
        let plan = plan(&sitting.network, &sitting.subject, 64, &options).unwrap();
        let expected = plan.bytes().total() + numbers * (of_the_method + 4 * 4) + (60 << 20);
        let summary = sitting.summary(&options).unwrap();
        assert_eq!((summary.bytes, summary.bands), (expected, plan.bands()), "{optimiser:?}");
    }
}

#[test]
fn a_transfer_keeps_to_its_limit_and_says_what_it_needs() {
    let sitting = Sitting::new((64, 64));
    let options = Preset::Paper.options().with_size(Size::Longest(64)).with_iterations(20);
    let under = |limit| sitting.summary(&options.clone().with_memory_limit(Some(limit)));
    let free = sitting.summary(&options).unwrap();
    assert_eq!(under(free.bytes).unwrap(), free);
    assert!(under(free.bytes - 1).unwrap().bytes < free.bytes);
    let (needed, largest) = sitting.refused(&options, 1);
    assert_eq!(largest, None);
    assert_eq!(under(needed).unwrap().bytes, needed);
    assert_eq!(sitting.refused(&options, needed - 1).0, needed);
}

/// What an error advises does fit and the next step of 16 does not, and where a side fits it names one, whatever is too small
/// for the network beside what is too large for the limit.
#[test]
fn the_side_that_an_error_names_fits_and_the_next_does_not() {
    const WANTED: usize = 200;
    for (size, smallest) in [((200, 200), 16), ((40, 200), 80)] {
        let sitting = Sitting::new(size);
        let options = |size, limit| {
            let memory_limit = Some(limit);
            Preset::Paper
                .options()
                .with_size(Size::Longest(size))
                .with_iterations(20)
                .with_memory_limit(memory_limit)
        };
        let fits = |side: usize, limit| {
            plan(&sitting.network, &sitting.subject, side, &options(side, limit)).is_ok()
        };
        let enough = sitting.needed(WANTED);
        for side in (smallest..WANTED).step_by(16) {
            let needed = sitting.needed(side);
            for limit in [needed - 1, needed].into_iter().filter(|&limit| limit < enough) {
                let told = sitting.refused(&options(WANTED, limit), limit).1;
                let next = told.unwrap_or_default() + 16;
                assert!(told.is_none_or(|side| fits(side, limit)), "{size:?}, {limit}: {told:?}");
                assert!(next >= WANTED || !fits(next, limit), "{size:?}, {limit}: {told:?}, but {next} too");
                assert!(told.is_some() || !fits(smallest, limit), "{size:?}, {limit}: {smallest} fits");
            }
        }
    }
}

#[test]
fn no_side_below_a_step_is_named() {
    let at = |size, memory_limit| {
        let content_layers = "conv1_1".parse().unwrap();
        let shallow = Preset::Paper.options().with_style_weight(0.0).with_content_layers(content_layers);
        shallow.with_size(Size::Longest(size)).with_iterations(20).with_memory_limit(memory_limit)
    };
    let sitting = Sitting::of((64, 64), &at(64, None));
    let limit = sitting.refused(&at(16, None), 1).0 - 1;
    assert!(sitting.summary(&at(1, Some(limit))).is_ok());
    assert_eq!(sitting.refused(&at(64, None), limit).1, None);
}

/// What is painted, and in how many bands.
fn paint(sitting: &Sitting, options: &TransferOptions) -> (Picture, usize) {
    let mut bands = 0;
    let painting = transfer(&sitting.network, &sitting.subject, options, |event| {
        if let Event::Started(summary) = event {
            bands = summary.bands;
        }
        ControlFlow::Continue(())
    });
    (painting.unwrap().picture, bands)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// A limit decides what is kept and in how many bands the picture is worked on, never what is painted; nor do threads.
    #[test]
    fn a_painting_has_the_same_bits_under_any_limit_on_any_threads(
        size in (100_usize..200, 32_usize..64),
        pooling in prop_oneof![Just(Pooling::Average), Just(Pooling::Max)],
        conv in prop_oneof![1 => Just(ConvMode::Exact), 3 => Just(ConvMode::Fast)],
        deepest in prop_oneof![Just("conv3_1"), Just("conv4_1"), Just("conv5_1")],
        share in prop_oneof![Just(0.0), 0.0..1.0],
        threads in 1_usize..8,
    ) {
        let base = Preset::Paper.options().with_size(Size::Longest(size.0)).with_iterations(2).with_pooling(pooling).with_conv(conv).with_style_layers(format!("conv1_1,conv2_1,{deepest}").parse().unwrap()).with_content_layers("conv2_2".parse().unwrap());
        let sitting = Sitting::of(size, &base);
        let (whole, bands) = paint(&sitting, &base);
        prop_assert_eq!(bands, 1);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let (cut, bands) = pool.install(|| {
            let (least, most) = (sitting.refused(&base, 1).0, sitting.summary(&base).unwrap().bytes);
            let limit = least + ((most - least) as f64 * share) as u64;
            paint(&sitting, &base.with_memory_limit(Some(limit)))
        });
        prop_assert!(cut == whole, "other bits in {} bands on {} threads", bands, threads);
    }
}

#[test]
fn a_tall_picture_under_a_tight_limit_is_painted_in_bands() {
    let options = Preset::Paper
        .options()
        .with_size(Size::Longest(400))
        .with_iterations(2)
        .with_style_layers("conv1_1,conv1_2,conv2_1".parse().unwrap())
        .with_content_layers("conv2_2".parse().unwrap());
    let sitting = Sitting::of((400, 40), &options);
    let least = sitting.refused(&options, 1).0;
    let (cut, bands) = paint(&sitting, &options.clone().with_memory_limit(Some(least)));
    assert!(bands > 1);
    assert!(cut == paint(&sitting, &options).0);
}
