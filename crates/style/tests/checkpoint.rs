//! Checkpoints: a run that was stopped, anywhere and however often, is to the bit the one that was not; and whatever else is
//! in a file is refused.
#![cfg(feature = "embedded-weights")]

#[path = "../../../tests/checkpoint_bytes/mod.rs"]
mod checkpoint_bytes;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use impasto_style::{
    AdamOptions, AutodiffError, Cancel, Checkpoint, CheckpointError, Checkpoints, Event, Init, Input,
    Network, Optimiser, Painting, PreparedNetwork, Preset, Record, Role, Run, Scales, Size, StopReason,
    Subject, TransferError, TransferOptions, transfer, transfer_with, white_noise,
};
use proptest::prelude::*;

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::embedded().unwrap());

/// Every checkpoint, with no pause but the nineteen-fold one.
const AT_ONCE: Duration = Duration::ZERO;

/// What is painted, small, at two sizes.
struct Sitting {
    folder: tempfile::TempDir,
    network: PreparedNetwork,
    subject: Subject,
    options: TransferOptions,
}

/// What an event told of an iteration: its number, evaluations and loss.
type Told = (usize, usize, f64);

impl Sitting {
    fn new(optimiser: Optimiser, iterations: usize) -> Self {
        let options = Preset::Default
            .options()
            .with_size(Size::Longest(192))
            .with_iterations(iterations)
            .with_scales(Scales::Count(2))
            .with_optimiser(optimiser)
            .with_content_layers("conv2_1".parse().unwrap())
            .with_style_layers("conv1_1,conv2_1".parse().unwrap());
        Self {
            folder: tempfile::tempdir().unwrap(),
            network: PreparedNetwork::new(NETWORK.clone(), &options).unwrap(),
            subject: Subject::new(white_noise(9, 192, 1).unwrap(), white_noise(30, 20, 2).unwrap()),
            options,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("run.checkpoint")
    }

    fn record(&self) -> Record {
        let mut inputs = vec![Input::picture(Role::Content, None, self.subject.photo())];
        inputs.extend(self.subject.paintings().map(|painting| Input::picture(Role::Style, None, painting)));
        Record::new(&self.options, inputs)
    }

    /// A run that is kept, and goes on from what was kept before.
    fn run(&self) -> Run<'static> {
        let path = self.path();
        let resume = path.exists().then(|| Checkpoint::open(&path).unwrap().fitting(&self.record()).unwrap());
        let checkpoints = Checkpoints { every: AT_ONCE, ..Checkpoints::new(&path, self.record()) };
        Run { resume, checkpoints: Some(checkpoints), ..Run::default() }
    }

    /// The least memory limit that there is a plan for: the picture is worked on in bands.
    fn least_memory(&self) -> u64 {
        let options = self.options.clone().with_memory_limit(Some(1));
        match transfer(&self.network, &self.subject, &options, |_| ControlFlow::Break(())) {
            Err(TransferError::Memory { needed, .. }) => needed,
            other => panic!("{other:?}"),
        }
    }

    /// Paints until iteration `stop`, and notes what is told.
    fn paint(&self, run: Run<'_>, stop: usize) -> (Result<Painting, TransferError>, Vec<Told>) {
        let mut told = Vec::new();
        let painting = transfer_with(&self.network, &self.subject, &self.options, run, |event| {
            if let Event::Iteration(progress) = event {
                told.push((progress.iteration, progress.evaluations, progress.losses.total));
                if progress.iteration == stop {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        (painting, told)
    }
}

/// Adam with a mean of its iterates, bounds, and moments that go on at the next size.
const AVERAGED: AdamOptions =
    AdamOptions { average_decay: 0.8, clamped: true, carried: true, ..AdamOptions::DEFAULT };

const METHODS: [Optimiser; 3] =
    [Optimiser::Lbfgs { history: Some(3) }, Optimiser::Adam(AdamOptions::DEFAULT), Optimiser::Adam(AVERAGED)];

/// The picture of such a run is the mean, and what the coarse size has learnt decides the fine one.
#[test]
fn each_of_what_adam_can_do_besides_makes_another_picture() {
    let whole =
        |options| Sitting::new(Optimiser::Adam(options), 6).paint(Run::default(), usize::MAX).0.unwrap();
    let pictures = [
        AVERAGED,
        AdamOptions { average_decay: 0.0, ..AVERAGED },
        AdamOptions { clamped: false, ..AVERAGED },
        AdamOptions { carried: false, ..AVERAGED },
        AdamOptions { beta2: 0.9, ..AVERAGED },
    ]
    .map(|options| whole(options).picture.into_data());
    for (index, picture) in pictures.iter().enumerate() {
        assert!(pictures[..index].iter().all(|other| other != picture), "{index}");
    }
}

/// What a run tells and returns that is not stopped, of each method, with six iterations at each size.
static WHOLE: LazyLock<[(Painting, Vec<Told>); 3]> = LazyLock::new(|| {
    METHODS.map(|method| {
        let (painting, told) = Sitting::new(method, 6).paint(Run::default(), usize::MAX);
        (painting.unwrap(), told)
    })
});

/// The same for the arithmetic of the machine, where the last bit of a loss is one.
fn same(a: &Painting, b: &Painting) -> bool {
    let bits = |painting: &Painting| {
        let numbers = painting.picture.data().iter().map(|number| number.to_bits());
        (numbers.collect::<Vec<_>>(), painting.loss.to_bits(), painting.initial_loss.to_bits())
    };
    bits(a) == bits(b) && (a.reason, a.iterations, a.evaluations) == (b.reason, b.iterations, b.evaluations)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// At any iteration of any scale, several times, each time on another number of threads, with and without a memory limit.
    #[test]
    fn a_run_that_is_stopped_and_resumed_is_the_one_that_is_not(
        method in 0usize..3, mut stops in prop::collection::btree_set(1usize..12, 1..4), threads in 1usize..5,
        limited in any::<bool>(),
    ) {
        let mut sitting = Sitting::new(METHODS[method], 6);
        let (whole, told) = &WHOLE[method];
        stops.insert(usize::MAX);
        let (mut all, mut last) = (Vec::new(), None);
        for (stop, threads) in stops.into_iter().zip(threads..) {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            // Threads have scratch of their own, so the least limit is that of the pool.
            let limit = (limited == threads.is_multiple_of(2)).then(|| pool.install(|| sitting.least_memory()));
            sitting.options.memory_limit = limit;
            let (painting, new) = pool.install(|| sitting.paint(sitting.run(), stop));
            let painting = painting.unwrap();
            prop_assert_eq!(painting.reason == StopReason::Cancelled, stop < 12);
            all.extend(new);
            last = Some(painting);
        }
        prop_assert_eq!(&all, told);
        prop_assert!(same(&last.unwrap(), whole));
    }
}

/// Flags that are set at some moment: between steps, within evaluations, while a scale is measured.
#[test]
fn a_run_that_is_cancelled_at_any_moment_goes_on_exactly() {
    for (method, (whole, _)) in METHODS.into_iter().zip(&*WHOLE) {
        let mut sitting = Sitting::new(method, 6);
        let network = sitting.network.clone();
        let mut cancelled = 0;
        let painting = (1u64..).find_map(|attempt| {
            let cancel = Cancel::default();
            sitting.network = network.with_cancel(cancel.clone());
            let (painting, _) = std::thread::scope(|scope| {
                scope.spawn(|| {
                    // Later and later, so that the run ends once.
                    std::thread::sleep(Duration::from_micros(300 * attempt));
                    cancel.cancel();
                });
                sitting.paint(sitting.run(), usize::MAX)
            });
            match painting {
                Ok(painting) if painting.reason != StopReason::Cancelled => Some(painting),
                Ok(painting) => {
                    cancelled += 1;
                    assert!(painting.iterations > 0);
                    None
                }
                Err(TransferError::Cancelled) => None,
                Err(error) => panic!("{error}"),
            }
        });
        assert!(same(&painting.unwrap(), whole), "cancelled {cancelled} times with a picture");
    }
}

/// A measurement that fails with `error` at the scale of that number.
fn failing_at(sitting: &Sitting, scale: usize, error: fn() -> TransferError) -> Run<'_> {
    let mut measured = 0;
    let measure = move |scene: &impasto_style::Scene<'_>| {
        measured += 1;
        if measured > scale {
            return Err(error());
        }
        scene.measure(&sitting.network, &sitting.options)
    };
    Run { measure: Some(Box::new(measure)), ..sitting.run() }
}

/// A measurement that is given up, as a flag does it.
fn given_up_at(sitting: &Sitting, scale: usize) -> Run<'_> {
    failing_at(sitting, scale, || AutodiffError::Cancelled.into())
}

/// The last iteration's picture is that of the whole run, whoever then asks for an end.
#[test]
fn a_run_that_is_stopped_after_its_last_iteration_is_whole() {
    for (method, (whole, told)) in METHODS.into_iter().zip(&*WHOLE) {
        let sitting = Sitting::new(method, 6);
        for run in [Run::default(), sitting.run()] {
            let (painting, all) = sitting.paint(run, 12);
            assert_eq!(&all, told);
            let painting = painting.unwrap();
            assert_eq!(painting.reason, StopReason::Iterations);
            assert!(same(&painting, whole));
        }
    }
}

#[test]
fn a_run_that_is_cancelled_before_a_scales_first_iteration_has_the_picture_of_the_scale_before() {
    for (method, (whole, told)) in METHODS.into_iter().zip(&*WHOLE) {
        let sitting = Sitting::new(method, 6);
        let (none, _) = sitting.paint(given_up_at(&sitting, 0), usize::MAX);
        assert!(matches!(none, Err(TransferError::Cancelled)));
        assert!(!sitting.path().exists());

        let mut ended = Vec::new();
        let run = given_up_at(&sitting, 1);
        let coarse = transfer_with(&sitting.network, &sitting.subject, &sitting.options, run, |event| {
            if let Event::Ended(painting) = event {
                ended.push(painting.clone());
            }
            ControlFlow::Continue(())
        });
        let coarse = coarse.unwrap();
        assert_eq!((coarse.picture.height(), coarse.picture.width(), coarse.iterations), (5, 96, 6));
        assert_eq!((coarse.reason, &ended), (StopReason::Cancelled, &vec![coarse]));
        let (painting, rest) = sitting.paint(sitting.run(), usize::MAX);
        assert_eq!(rest, told[6..]);
        assert!(same(&painting.unwrap(), whole));
    }
}

#[test]
fn an_error_at_a_later_scale_leaves_the_picture_of_the_scale_before() {
    for (method, (whole, told)) in METHODS.into_iter().zip(&*WHOLE) {
        let sitting = Sitting::new(method, 6);
        let mut ended = Vec::new();
        let run = failing_at(&sitting, 1, || TransferError::NotFinite);
        let error = transfer_with(&sitting.network, &sitting.subject, &sitting.options, run, |event| {
            if let Event::Ended(painting) = event {
                ended.push((painting.picture.height(), painting.picture.width(), painting.iterations));
            }
            ControlFlow::Continue(())
        });
        assert!(matches!(error, Err(TransferError::NotFinite)), "{error:?}");
        assert_eq!(ended, [(5, 96, 6)]);
        let (painting, rest) = sitting.paint(sitting.run(), usize::MAX);
        assert_eq!(rest, told[6..]);
        assert!(same(&painting.unwrap(), whole));
    }
}

/// The photo's own responses from the photo on: the loss is 0 at the start.
#[test]
fn a_run_without_an_iteration_is_not_kept() {
    let mut sitting = Sitting::new(METHODS[0], 3);
    sitting.options.init = Init::Content;
    sitting.options.style_weight = 0.0;
    sitting.options.tv_weight = 0.0;
    sitting.options.scales = Scales::Count(1);
    let painting = sitting.paint(sitting.run(), usize::MAX).0.unwrap();
    assert_eq!(painting.iterations, 0);
    assert!(!sitting.path().exists());
}

#[test]
fn any_number_of_iterations_can_be_asked_for() {
    let sitting = Sitting::new(METHODS[0], usize::MAX);
    let mut iterations = 0;
    let run = Run::default();
    let none = transfer_with(&sitting.network, &sitting.subject, &sitting.options, run, |event| {
        if let Event::Started(summary) = event {
            iterations = summary.iterations;
        }
        ControlFlow::Break(())
    });
    assert!(matches!(none, Err(TransferError::Cancelled)));
    assert_eq!(iterations, usize::MAX);
}

#[test]
fn a_run_can_be_asked_for_more_and_for_less_than_at_first() {
    for method in METHODS {
        let one_scale = |iterations| {
            let mut sitting = Sitting::new(method, iterations);
            sitting.options.scales = Scales::Count(1);
            sitting
        };
        let (whole, told) = one_scale(7).paint(Run::default(), usize::MAX);
        let mut sitting = one_scale(3);
        sitting.paint(sitting.run(), usize::MAX).0.unwrap();
        sitting.options.iterations = 7.into();
        let (more, rest) = sitting.paint(sitting.run(), usize::MAX);
        assert!(same(&more.unwrap(), &whole.unwrap()) && rest == told[3..]);
        // Less than it has: its picture, at once.
        sitting.options.iterations = 2.into();
        let (less, rest) = sitting.paint(sitting.run(), usize::MAX);
        let less = less.unwrap();
        assert_eq!((less.iterations, less.reason, rest.len()), (7, StopReason::Iterations, 0));
    }
}

/// The last scale's number alone is another one, wherever the run was stopped.
#[test]
fn scales_before_the_last_keep_the_iterations_that_were_first_asked_for() {
    let paintings = [2, 4, 6, 7].map(|stop| {
        let mut sitting = Sitting::new(METHODS[0], 4);
        sitting.paint(sitting.run(), stop).0.unwrap();
        sitting.options.iterations = 6.into();
        let mut summary = None;
        let painting =
            transfer_with(&sitting.network, &sitting.subject, &sitting.options, sitting.run(), |event| {
                if let Event::Started(started) = event {
                    summary = Some((started.done, started.iterations));
                }
                ControlFlow::Continue(())
            });
        assert_eq!(summary, Some((stop, 4 + 6)));
        painting.unwrap()
    });
    assert_eq!(paintings[0].iterations, 10);
    assert!(paintings[1..].iter().all(|painting| same(painting, &paintings[0])));
}

#[test]
fn a_run_goes_on_with_a_number_of_iterations_for_each_size() {
    for method in METHODS {
        let sitting = || {
            let mut sitting = Sitting::new(method, 4);
            sitting.options.iterations = "4,3".parse().unwrap();
            sitting
        };
        let (whole, told) = sitting().paint(Run::default(), usize::MAX);
        let whole = whole.unwrap();
        assert_eq!((whole.iterations, told.len()), (7, 7));
        for stop in [3, 5] {
            let mut sitting = sitting();
            sitting.paint(sitting.run(), stop).0.unwrap();
            // Of another list the last size's number alone counts.
            sitting.options.iterations = "9,3".parse().unwrap();
            let (more, rest) = sitting.paint(sitting.run(), usize::MAX);
            assert!(same(&more.unwrap(), &whole) && rest == told[stop..]);
        }
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_a_warning() {
    for (method, (whole, told)) in METHODS.into_iter().zip(&*WHOLE) {
        let sitting = Sitting::new(method, 6);
        let place = sitting.folder.path().join("none/run.checkpoint");
        let checkpoints = Checkpoints { every: AT_ONCE, ..Checkpoints::new(&place, sitting.record()) };
        let run = Run { checkpoints: Some(checkpoints), ..Run::default() };
        let (mut warnings, mut losses) = (Vec::new(), Vec::new());
        let painting = transfer_with(&sitting.network, &sitting.subject, &sitting.options, run, |event| {
            match event {
                Event::NoCheckpoint(error) => warnings.push(error.to_string()),
                Event::Iteration(progress) => losses.push(progress.losses.total),
                _ => {}
            }
            ControlFlow::Continue(())
        });
        assert!(warnings.len() >= 3 && warnings[0].contains("none/run.checkpoint"), "{warnings:?}");
        assert!(same(&painting.unwrap(), whole) && losses.len() == told.len());
    }
}

#[test]
fn the_size_of_a_checkpoint_is_said_before() {
    for (method, iterations) in METHODS.into_iter().zip([5, 2]) {
        let sitting = Sitting::new(method, iterations);
        let (mut most, mut saved, mut written) = (None, Vec::new(), 0);
        transfer_with(&sitting.network, &sitting.subject, &sitting.options, sitting.run(), |event| {
            match event {
                Event::Started(summary) => most = summary.checkpoint_bytes,
                Event::Checkpoint(checkpoint) => {
                    written = fs::metadata(sitting.path()).unwrap().len();
                    assert_eq!(checkpoint.bytes, written);
                    saved.push(checkpoint.iteration);
                }
                _ => {}
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!((saved[0], *saved.last().unwrap()), (1, 2 * iterations));
        assert!(saved.contains(&iterations), "the end of the first scale: {saved:?}");
        let most = most.unwrap();
        assert!(written <= most && most <= written + (1 << 16) + 2 * 9 * 192 * 3 * 4, "{written} of {most}");
    }
    let (_, told) = Sitting::new(METHODS[0], 1).paint(Run::default(), usize::MAX);
    assert_eq!(told.len(), 2);
}

/// The bytes of a run's checkpoint after two iterations.
fn checkpoint(sitting: &Sitting) -> Vec<u8> {
    sitting.paint(sitting.run(), 2).0.unwrap();
    fs::read(sitting.path()).unwrap()
}

/// Replaces the checkpoint by these bytes, with the right checksum.
fn summed(path: &Path, bytes: Vec<u8>) {
    fs::write(path, checkpoint_bytes::summed(bytes)).unwrap();
}

/// The checkpoint with another header, under the right checksum.
fn with_header(path: &Path, bytes: &[u8], change: impl FnOnce(&mut serde_json::Value)) {
    fs::write(path, checkpoint_bytes::with_header(bytes, change)).unwrap();
}

fn refused(path: &Path, record: &Record) -> String {
    let error = Checkpoint::open(path).and_then(|checkpoint| checkpoint.fitting(record)).unwrap_err();
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn what_does_not_fit_is_refused_with_what_differs() {
    let mut sitting = Sitting::new(METHODS[0], 3);
    let bytes = checkpoint(&sitting);
    let (path, record) = (sitting.path(), sitting.record());
    for (key, value, words) in [
        ("instruction_set", "mmx".into(), "mmx instructions"),
        ("scale", 2.into(), ""),
        ("scale", u64::MAX.into(), "out of range"),
        ("iterations", (1u64 << 50).into(), "out of range"),
        ("iterations", 0.into(), "no iteration"),
        ("iterations", 3.into(), ""),
        ("height", (-1).into(), "damaged"),
        ("author", "me".into(), "unknown field"),
        ("seconds", "long".into(), "damaged"),
    ] {
        with_header(&path, &bytes, |header| header[key] = value);
        if words.is_empty() {
            let resume = Checkpoint::open(&path).unwrap().fitting(&record).unwrap();
            let (painting, _) = sitting.paint(Run { resume: Some(resume), ..Run::default() }, usize::MAX);
            let error = painting.unwrap_err();
            assert!(matches!(error, TransferError::Checkpoint(CheckpointError::Damaged { .. })), "{error}");
        } else {
            let message = refused(&path, &record);
            assert!(message.contains(words), "{message}");
        }
    }
    with_header(&path, &bytes, |header| header["record"]["impasto"] = "0.0.1".into());
    assert!(refused(&path, &record).contains("impasto 0.0.1"));
    with_header(&path, &bytes, |header| header["record"]["version"] = 9.into());
    assert!(refused(&path, &record).contains("version 9"));
    with_header(&path, &bytes, |header| header["record"]["options"]["colour"] = "red".into());
    assert!(refused(&path, &record).contains("an option colour"));
    with_header(&path, &bytes, |header| header["record"]["options"]["size"] = "huge".into());
    assert!(refused(&path, &record).contains("is damaged: `size` must be"));

    fs::write(&path, &bytes).unwrap();
    sitting.options.seed = 7;
    assert!(refused(&path, &sitting.record()).contains("has `seed` 0, and this one 7"));
    sitting.options.seed = 0;
    sitting.options.iterations = 9.into();
    sitting.options.memory_limit = Some(1 << 40);
    assert!(Checkpoint::open(&path).unwrap().fitting(&sitting.record()).is_ok());
    sitting.subject = Subject::new(white_noise(9, 192, 3).unwrap(), white_noise(30, 20, 2).unwrap());
    assert!(refused(&path, &sitting.record()).contains("the content picture is not the one"));
    let shorter = Record::new(&sitting.options, record.inputs[..1].to_vec());
    assert!(refused(&path, &shorter).contains("with 1 style picture, and this one with 0"));
    let mut moved = record;
    moved.inputs[1] = Input::picture(Role::Style, Some(Path::new("s.png")), sitting.subject.photo());
    assert!(refused(&path, &moved).contains("the style picture, now read from s.png, is not"));
}

#[test]
fn other_files_are_no_checkpoints() {
    let sitting = Sitting::new(METHODS[0], 3);
    let (path, record) = (sitting.path(), sitting.record());
    assert!(refused(&path, &record).contains("cannot read"));
    assert!(refused(sitting.folder.path(), &record).contains("no checkpoint"));
    assert!(refused(Path::new("/dev/null"), &record).contains("no checkpoint"));
    for other in [&b""[..], b"impasto", b"{\"version\": 1}", &[0; 1000]] {
        fs::write(&path, other).unwrap();
        assert!(refused(&path, &record).contains("is no checkpoint of impasto"));
    }
    let mut bytes = checkpoint(&Sitting::new(METHODS[0], 3));
    bytes[8] = 9;
    fs::write(&path, bytes).unwrap();
    assert!(refused(&path, &record).contains("has version 9"));
}

/// Any byte that is missing or another one.
#[test]
fn a_damaged_checkpoint_is_refused() {
    for method in METHODS {
        let sitting = Sitting::new(method, 3);
        let bytes = checkpoint(&sitting);
        let (path, record) = (sitting.path(), sitting.record());
        let refuse = |bytes: &[u8], what: &str| {
            fs::write(&path, bytes).unwrap();
            assert!(Checkpoint::open(&path).is_err(), "{what}");
        };
        for length in (0..40).chain((40..bytes.len()).step_by(997)) {
            refuse(&bytes[..length], &format!("{length} of {} bytes", bytes.len()));
        }
        for at in (0..40).chain((40..bytes.len()).step_by(1009)) {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            refuse(&bytes, &format!("byte {at}"));
        }
        refuse(&[&bytes[..], &[0]].concat(), "one byte more");
        // Longer than its state, although its sum is right.
        summed(&path, [&bytes[..bytes.len() - 4], &[0; 8]].concat());
        let resume = Checkpoint::open(&path).unwrap().fitting(&record).unwrap();
        let (painting, _) = sitting.paint(Run { resume: Some(resume), ..Run::default() }, usize::MAX);
        assert!(painting.unwrap_err().to_string().contains("longer than the state"));
    }
}

static CHECKPOINTS: LazyLock<[Vec<u8>; 3]> =
    LazyLock::new(|| METHODS.map(|method| checkpoint(&Sitting::new(method, 3))));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Bytes that were changed by somebody who knows the checksum: an error or a painting, and no panic.
    #[test]
    fn hostile_checkpoints_are_refused_or_painted_on(
        method in 0usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        early in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let sitting = Sitting::new(METHODS[method], 3);
        let mut bytes = CHECKPOINTS[method].clone();
        // Lengths and counts are in the first part.
        let range = if early { 3000 } else { bytes.len() };
        for (at, value) in changes {
            bytes[at.index(range)] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(16 + cut.index(bytes.len() - 16));
        }
        summed(&sitting.path(), bytes);
        let fits = Checkpoint::open(&sitting.path()).and_then(|found| found.fitting(&sitting.record()));
        if let Ok(resume) = fits {
            let _ = sitting.paint(Run { resume: Some(resume), ..Run::default() }, usize::MAX);
        }
    }
}

/// A run without checkpoints is what it was.
#[test]
fn checkpoints_change_nothing() {
    for (method, (whole, _)) in METHODS.into_iter().zip(&*WHOLE) {
        let sitting = Sitting::new(method, 6);
        let go_on = |_: Event<'_>| ControlFlow::Continue(());
        let plain = transfer(&sitting.network, &sitting.subject, &sitting.options, go_on).unwrap();
        let (kept, _) = sitting.paint(sitting.run(), usize::MAX);
        assert!(same(&plain, whole) && same(&kept.unwrap(), whole));
    }
}
