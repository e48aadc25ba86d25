//! Whose colours a result has, what of the photo is kept, and the starts that depend on colours: whole transfers.
#![cfg(feature = "embedded-weights")]

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use impasto_style::{
    AdamOptions, Checkpoint, Checkpoints, Colours, Event, Init, Input, Mask, Network, Optimiser, Painting,
    Photo, Picture, PreparedNetwork, Preset, Record, Region, Role, Run, Scales, Size, StyleImage, Subject,
    TransferError, TransferOptions, Transport, first_picture, transfer, transfer_with, white_noise,
};

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::embedded().unwrap());

const METHODS: [Optimiser; 2] =
    [Optimiser::Lbfgs { history: Some(5) }, Optimiser::Adam(AdamOptions::DEFAULT)];

const SIZE: (usize, usize) = (12, 96);

/// A photo of soft colours.
fn photo() -> Picture {
    let mut photo = white_noise(SIZE.0, SIZE.1, 1).unwrap();
    for (index, value) in photo.data_mut().iter_mut().enumerate() {
        *value = 90.0 + 0.2 * *value + 40.0 * (index as f32 / 100.0).sin();
    }
    photo
}

fn painting() -> Picture {
    let mut painting = white_noise(40, 30, 2).unwrap();
    painting.data_mut().as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel[2] *= 0.3);
    painting
}

/// The left third is kept, with a soft edge.
fn keep() -> Mask {
    let value = |x: usize| ((48.0 - x as f32) / 16.0).clamp(0.0, 1.0);
    Mask::new(SIZE.0, SIZE.1, (0..SIZE.0 * SIZE.1).map(|i| value(i % SIZE.1)).collect()).unwrap()
}

/// What is painted, small, at two sizes.
struct Sitting {
    folder: tempfile::TempDir,
    network: PreparedNetwork,
    subject: Subject,
    options: TransferOptions,
}

impl Sitting {
    fn new(colours: Colours, kept: bool, optimiser: Optimiser) -> Self {
        let options = Preset::Default
            .options()
            .with_size(Size::Longest(SIZE.1))
            .with_iterations(6)
            .with_scales(Scales::Count(2))
            .with_colours(colours)
            .with_optimiser(optimiser)
            .with_content_layers("conv2_1".parse().unwrap())
            .with_style_layers("conv1_1,conv2_1".parse().unwrap());
        let photo = Photo { keep: kept.then(keep), ..Photo::from(photo()) };
        let image = StyleImage { picture: painting().into(), part: None, region: 0 };
        Self {
            folder: tempfile::tempdir().unwrap(),
            network: PreparedNetwork::new(NETWORK.clone(), &options).unwrap(),
            subject: Subject::compose(photo, vec![image], vec![Region::everywhere()]).unwrap(),
            options,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("run.checkpoint")
    }

    /// A run that is kept, and goes on from what was kept before.
    fn run(&self) -> Run<'static> {
        let path = self.path();
        let input = Input::picture(Role::Content, None, self.subject.photo());
        let record = Record::new(&self.options, vec![input]);
        let resume = path.exists().then(|| Checkpoint::open(&path).unwrap().fitting(&record).unwrap());
        let checkpoints = Checkpoints { every: Duration::ZERO, ..Checkpoints::new(&path, record) };
        Run { resume, checkpoints: Some(checkpoints), ..Run::default() }
    }

    /// Paints until iteration `stop`.
    fn paint(&self, run: Run<'_>, stop: usize) -> Painting {
        let painting = transfer_with(&self.network, &self.subject, &self.options, run, |event| match event {
            Event::Iteration(progress) if progress.iteration == stop => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        painting.unwrap()
    }

    fn whole(&self) -> Painting {
        self.paint(Run::default(), usize::MAX)
    }
}

fn light([r, g, b]: [f32; 3]) -> f64 {
    0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b)
}

fn pixels(picture: &Picture) -> &[[f32; 3]] {
    picture.data().as_chunks::<3>().0
}

/// Light and kept or not, by each method.
fn sittings() -> impl Iterator<Item = Sitting> {
    let kinds = [(Colours::Photo, false), (Colours::Painting, true), (Colours::Photo, true)];
    METHODS
        .into_iter()
        .flat_map(move |method| kinds.map(|(colours, kept)| Sitting::new(colours, kept, method)))
}

#[test]
fn only_light_is_painted_and_the_chroma_is_the_photos() {
    let photo = photo();
    for method in METHODS {
        let sitting = Sitting::new(Colours::Photo, false, method);
        let painting = sitting.whole();
        assert!(painting.loss < 0.9 * painting.initial_loss, "{painting:?}");
        let (mut moved, mut in_gamut) = (0.0, 0);
        for (painted, photo) in pixels(&painting.picture).iter().zip(pixels(&photo)) {
            moved += (light(*painted) - light(*photo)).abs();
            if painted.iter().all(|value| (0.01..254.99).contains(value)) {
                in_gamut += 1;
                for (i, j) in [(0, 1), (1, 2)] {
                    let gap = (painted[i] - painted[j]) - (photo[i] - photo[j]);
                    assert!(gap.abs() < 1e-4, "{painted:?} of {photo:?}");
                }
            }
        }
        let pixels = (SIZE.0 * SIZE.1) as f64;
        assert!(moved / pixels > 2.0, "light moved by {} on the average", moved / pixels);
        assert!(f64::from(in_gamut) >= (1.0 - painting.chroma_shrunk) * pixels * 0.95);
    }
}

/// What is told of an iteration is the picture as it would be written.
#[test]
fn the_picture_of_an_iteration_is_finished_too() {
    let sitting = Sitting::new(Colours::Photo, false, METHODS[0]);
    let mut told = None;
    let painting = transfer(&sitting.network, &sitting.subject, &sitting.options, |event| {
        if let Event::Iteration(progress) = event {
            assert!(progress.pixels.as_chunks::<3>().0.iter().all(|[r, g, b]| r == g && g == b));
            told = Some((progress.losses.total, progress.picture().unwrap()));
        }
        ControlFlow::Continue(())
    });
    let (painting, (loss, picture)) = (painting.unwrap(), told.unwrap());
    assert_eq!((painting.loss, painting.picture), (loss, picture));
}

#[test]
fn what_is_kept_is_the_photo_to_the_bit() {
    let (photo, keep) = (photo(), keep());
    for sitting in sittings().filter(|sitting| sitting.subject.keep().is_some()) {
        let painting = sitting.whole();
        let (mut kept, mut moved) = (0, 0);
        for ((painted, photo), m) in pixels(&painting.picture).iter().zip(pixels(&photo)).zip(keep.values()) {
            kept += usize::from(*m >= 1.0);
            moved += usize::from(painted != photo);
            assert!(*m < 1.0 || painted == photo, "{painted:?} for {photo:?}");
        }
        assert!(kept > 300 && moved > 500, "{kept} kept, {moved} moved");
    }
}

#[test]
fn runs_of_light_and_of_what_is_not_kept_resume_to_the_same_bits() {
    for sitting in sittings() {
        let whole = sitting.whole();
        for stop in [2, 8, usize::MAX] {
            let painting = sitting.paint(sitting.run(), stop);
            if stop == usize::MAX {
                assert_eq!(painting, whole, "{:?}", sitting.options);
            }
        }
    }
}

#[test]
fn threads_and_bands_do_not_change_a_bit() {
    for mut sitting in sittings() {
        let whole = sitting.whole();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            sitting.options.memory_limit = None;
            assert_eq!(pool.install(|| sitting.whole()), whole);
            sitting.options.memory_limit = Some(1);
            let refused = pool.install(|| {
                transfer(&sitting.network, &sitting.subject, &sitting.options, |_| ControlFlow::Break(()))
            });
            let Err(TransferError::Memory { needed, .. }) = refused else { panic!("{refused:?}") };
            sitting.options.memory_limit = Some(needed);
            assert_eq!(pool.install(|| sitting.whole()), whole);
        }
    }
}

#[test]
fn light_takes_a_third_of_the_variables() {
    let bytes = |colours| {
        let sitting = Sitting::new(colours, false, METHODS[0]);
        sitting.whole();
        sitting.paint(sitting.run(), usize::MAX);
        std::fs::metadata(sitting.path()).unwrap().len() as f64
    };
    let (light, all) = (bytes(Colours::Photo), bytes(Colours::Painting));
    assert!((2.7..3.0).contains(&(all / light)), "{all} and {light}");
}

/// Mean and covariance of all pixels.
fn moments(picture: &Picture) -> ([f64; 3], [[f64; 3]; 3]) {
    let pixels = pixels(picture);
    let n = pixels.len() as f64;
    let mean = [0, 1, 2].map(|c| pixels.iter().map(|pixel| f64::from(pixel[c])).sum::<f64>() / n);
    let covariance = [0, 1, 2].map(|i| {
        [0, 1, 2].map(|j| {
            let gap = |pixel: &[f32; 3], c: usize| f64::from(pixel[c]) - mean[c];
            pixels.iter().map(|pixel| gap(pixel, i) * gap(pixel, j)).sum::<f64>() / n
        })
    });
    (mean, covariance)
}

fn assert_close(a: &Picture, b: &Picture) {
    let ((mean_a, covariance_a), (mean_b, covariance_b)) = (moments(a), moments(b));
    for (a, b) in mean_a.iter().zip(mean_b) {
        assert!((a - b).abs() < 0.01, "{a} against {b}");
    }
    for (a, b) in covariance_a.concat().iter().zip(covariance_b.concat()) {
        assert!((a - b).abs() < 0.5, "{a} against {b}");
    }
}

#[test]
fn paintings_are_measured_in_the_colours_that_are_asked_for() {
    let scene = |colours| {
        let sitting = Sitting::new(colours, false, METHODS[0]);
        let scene = sitting.subject.at(SIZE.1, &sitting.options).unwrap();
        (scene.photo().clone(), scene.paintings().next().unwrap().clone())
    };
    assert_eq!(scene(Colours::Painting), (photo(), painting()));
    for form in [Transport::MongeKantorovich, Transport::Cholesky] {
        let (own, recoloured) = scene(Colours::Transfer(form));
        assert_eq!(own, photo());
        assert_close(&recoloured, &photo());
    }
    let (own, recoloured) = scene(Colours::Histogram);
    assert_eq!(own, photo());
    let (mean, _) = moments(&recoloured);
    assert!(mean.iter().zip(moments(&photo()).0).all(|(a, b)| (a - b).abs() < 0.5));
    let (grey, recoloured) = scene(Colours::Photo);
    assert!(pixels(&grey).iter().zip(pixels(&photo())).all(|(grey, photo)| {
        grey[0] == grey[1] && grey[1] == grey[2] && (f64::from(grey[0]) - light(*photo)).abs() < 1e-4
    }));
    assert_close(&recoloured, &grey);
}

/// Each region has its own photo and painting: the left half's painting gets the left half's colours.
#[test]
fn regions_are_recoloured_each_by_itself() {
    let half = |left: bool| {
        let value = |i: usize| f32::from(u8::from((i % SIZE.1 < SIZE.1 / 2) == left));
        Mask::new(SIZE.0, SIZE.1, (0..SIZE.0 * SIZE.1).map(value).collect()).unwrap()
    };
    let options = Preset::Default
        .options()
        .with_size(Size::Longest(SIZE.1))
        .with_colours(Colours::Transfer(Transport::MongeKantorovich))
        .with_init(Init::Matched);
    let region = |left| Region { name: String::new(), mask: impasto_style::RegionMask::Mask(half(left)) };
    let picture = std::sync::Arc::new(painting());
    let image = |region| StyleImage { picture: picture.clone(), part: None, region };
    let images = vec![image(0), image(1)];
    let subject = Subject::compose(photo().into(), images, vec![region(true), region(false)]).unwrap();
    let side = |picture: &Picture, left: bool| {
        let all = pixels(picture).iter().zip(half(left).values().to_vec());
        let data: Vec<f32> = all.filter(|(_, m)| *m > 0.0).flat_map(|(pixel, _)| *pixel).collect();
        Picture::new(SIZE.0, SIZE.1 / 2, data).unwrap()
    };
    let scene = subject.at(SIZE.1, &options).unwrap();
    for (recoloured, left) in scene.paintings().zip([true, false]) {
        assert_close(recoloured, &side(&photo(), left));
    }
    assert_eq!(subject.paintings().next().unwrap(), &painting(), "the subject stays what it is");
    // The other way round, each half of the start has the painting's colours.
    let options = options.with_colours(Colours::Painting);
    let network = PreparedNetwork::new(NETWORK.clone(), &options).unwrap();
    let start = first_picture(&subject.at(SIZE.1, &options).unwrap(), &network, &options).unwrap();
    for left in [true, false] {
        assert_close(&side(&start, left), &painting());
    }
}

#[test]
fn a_matched_start_has_the_blend_of_the_paintings_colours() {
    let options = Preset::Default
        .options()
        .with_size(Size::Longest(SIZE.1))
        .with_init(Init::Matched)
        .with_blend(vec![3.0, 1.0]);
    let mut other = painting();
    other.data_mut().iter_mut().for_each(|value| *value = 255.0 - *value);
    let subject = Subject::blend(photo(), vec![painting(), other.clone()]).unwrap();
    let network = PreparedNetwork::new(NETWORK.clone(), &options).unwrap();
    let start = first_picture(&subject.at(SIZE.1, &options).unwrap(), &network, &options).unwrap();
    // Three pixels of the one for each of the other.
    let own = painting();
    let data = [own.data(), own.data(), own.data(), other.data()].concat();
    assert_close(&start, &Picture::new(160, 30, data).unwrap());
}

#[test]
fn the_start_of_neural_style_is_noise_around_the_networks_mean() {
    let options = Preset::NeuralStyle.options().with_size(Size::Longest(64));
    let network = PreparedNetwork::new(NETWORK.clone(), &options).unwrap();
    let subject = Subject::new(photo(), painting());
    let start = first_picture(&subject.at(64, &options).unwrap(), &network, &options).unwrap();
    let (mean, covariance) = moments(&start);
    for (c, expected) in network.mean_colour().into_iter().enumerate() {
        assert!((mean[c] - f64::from(expected)).abs() < 1e-3);
        assert!((covariance[c][c].sqrt() - 1e-3).abs() < 2e-4);
    }
    assert!((mean[0] - 123.68).abs() < 0.1, "{mean:?}");
}

/// What a run is going to take is said with what it holds beside the method's own: (Y, Y, Y) and its gradient where only light moves, the
/// photo, the mixture and the mask where a part of it is kept; and what matching of histograms takes before.
#[test]
fn the_bytes_of_light_and_of_what_is_kept_are_counted() {
    let bytes = |colours, kept| {
        let sitting = Sitting::new(colours, kept, METHODS[1]);
        let mut bytes = 0;
        let stopped = transfer(&sitting.network, &sitting.subject, &sitting.options, |event| {
            if let Event::Started(summary) = event {
                bytes = summary.bytes;
            }
            ControlFlow::Break(())
        });
        assert!(matches!(stopped, Err(TransferError::Cancelled)));
        bytes
    };
    let pixels = (4 * SIZE.0 * SIZE.1) as u64;
    let plain = bytes(Colours::Painting, false);
    // Adam has five vectors.
    assert_eq!(bytes(Colours::Photo, false) + 3 * 5 * pixels, plain + 5 * pixels + 6 * pixels);
    // The painting and the matching of histograms, while the vectors are not there yet.
    let matching = 3 * 4 * 40 * 30 + 38 * (pixels / 4 + 40 * 30);
    assert_eq!(bytes(Colours::Histogram, false), plain + matching - 3 * 5 * pixels);
    let mask = pixels;
    assert_eq!(bytes(Colours::Painting, true), plain + mask + (3 + 3 + 1) * pixels);
    assert_eq!(bytes(Colours::Photo, true), bytes(Colours::Photo, false) + mask + (1 + 1 + 1) * pixels);
}
