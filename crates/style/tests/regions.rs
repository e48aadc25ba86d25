//! Regions, masks and blends with a network: where the style acts, what it weighs, and that nothing else changes.
#![cfg(feature = "embedded-weights")]

use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use impasto_style::{
    Checkpoint, Checkpoints, Each, Event, Input, LossKind, Mask, Masked, Network, Objective, Painting, Photo,
    Picture, PreparedNetwork, Preset, Reach, Record, Region, RegionMask, Role, Run, Scales, Size, StyleImage,
    StyleLoss, Subject, Summary, TransferError, TransferOptions, Vanished, transfer, transfer_with,
    white_noise,
};
use proptest::prelude::*;

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::embedded().unwrap());

fn network(options: &TransferOptions) -> PreparedNetwork {
    PreparedNetwork::new(NETWORK.clone(), options).unwrap()
}

fn noise(height: usize, width: usize, seed: u64) -> Picture {
    white_noise(height, width, seed).unwrap()
}

fn mask(height: usize, width: usize, value: impl Fn(usize, usize) -> f32) -> Mask {
    let values = (0..height * width).map(|at| value(at / width, at % width)).collect();
    Mask::new(height, width, values).unwrap()
}

fn region(name: &str, mask: RegionMask) -> Region {
    Region { name: name.to_owned(), mask }
}

fn style(picture: Picture, region: usize) -> StyleImage {
    StyleImage { picture: Arc::new(picture), part: None, region }
}

/// Style at shallow layers, content a little deeper.
fn shallow(longest: usize) -> TransferOptions {
    Preset::Default
        .options()
        .with_size(Size::Longest(longest))
        .with_iterations(3)
        .with_scales(Scales::Count(1))
        .with_content_layers("conv2_2".parse().unwrap())
        .with_style_layers("conv1_1,conv2_1".parse().unwrap())
        .with_style_loss(StyleLoss::Gram)
}

/// The left of the photo in the style of one painting, the rest in that of another, of which a part is taken.
fn halves(height: usize, width: usize, edge: impl Fn(usize) -> f32) -> Subject {
    let left = mask(height, width, |_, x| edge(x));
    let regions = vec![region("left", RegionMask::Mask(left)), region("right", RegionMask::Rest)];
    let part = Some(mask(20, 30, |y, _| if y < 9 { 1.0 } else { 0.0 }));
    let paintings = vec![style(noise(32, 24, 2), 0), StyleImage { part, ..style(noise(40, 60, 3), 1) }];
    Subject::compose(noise(height, width, 1).into(), paintings, regions).unwrap()
}

fn paint(subject: &Subject, options: &TransferOptions) -> (Painting, Summary) {
    let mut summary = None;
    let painting = transfer(&network(options), subject, options, |event| {
        if let Event::Started(started) = event {
            summary = Some(started.clone());
        }
        ControlFlow::Continue(())
    });
    (painting.unwrap(), summary.unwrap())
}

fn objective(subject: &Subject, options: &TransferOptions) -> Objective {
    let network = network(options);
    let scene = subject.at(subject.longest_side(options), options).unwrap();
    let size = (scene.photo().height(), scene.photo().width());
    Objective::new(&network, scene.measure(&network, options).unwrap(), size, options).unwrap()
}

fn gradient(subject: &Subject, options: &TransferOptions, x: &Picture) -> Vec<f32> {
    let mut gradient = vec![0.0; x.data().len()];
    objective(subject, options).evaluate(x.data(), &mut gradient).unwrap();
    gradient
}

#[test]
fn masks_of_all_1_are_no_masks_to_the_bit() {
    let options = shallow(192).with_scales(Scales::Count(2));
    let (photo, painting) = (noise(24, 192, 1), noise(32, 40, 2));
    let white = |height, width| mask(height, width, |_, _| 1.0);
    let photo_with_masks = Photo { picture: photo.clone(), keep: None, content_mask: Some(white(12, 96)) };
    let part = StyleImage { part: Some(white(64, 80)), ..style(painting.clone(), 0) };
    let all = vec![region("all", RegionMask::Mask(white(48, 384)))];
    let masked = Subject::compose(photo_with_masks, vec![part], all).unwrap();
    for reach in [Reach::Average, Reach::Inside] {
        let options = options.clone().with_mask_reach(reach);
        let (plain, _) = paint(&Subject::new(photo.clone(), painting.clone()), &options);
        let (mut masked, summary) = paint(&masked, &options);
        // All that is told apart is the region's name.
        masked.losses.terms.iter_mut().for_each(|term| term.region = None);
        assert_eq!(plain, masked, "{reach:?}");
        assert_eq!(summary.vanished, []);
    }
}

#[test]
fn a_painting_that_weighs_all_is_that_painting_alone_to_the_bit() {
    let (photo, a, b) = (noise(24, 40, 1), noise(32, 40, 2), noise(40, 32, 3));
    let blend = Subject::blend(photo.clone(), vec![a, b.clone()]).unwrap();
    let options = shallow(40).with_blend(vec![0.0, 2.0]);
    let alone = Subject::new(photo, b);
    assert_eq!(paint(&blend, &options).0, paint(&alone, &options.with_blend(Vec::new())).0);
}

/// sum_s b_s w_ls |G - A_s|^2 and W_l |G - sum_s (b_s w_ls / W_l) A_s|^2, with W_l = sum_s b_s w_ls, differ by what does not depend on G.
#[test]
fn a_blend_with_layers_of_each_painting_pulls_as_their_weighted_losses_do() {
    let options = shallow(40)
        .with_content_weight(0.0)
        .with_blend(vec![3.0, 1.0])
        .with_style_layers("conv1_1:2,conv2_1:1/conv2_1:5,conv3_1:1".parse().unwrap());
    let (photo, a, b) = (noise(24, 40, 1), noise(32, 40, 2), noise(40, 32, 3));
    let blend = Subject::blend(photo.clone(), vec![a.clone(), b.clone()]).unwrap();
    let alone = |painting: &Picture, layers: &str| {
        let style_layers = layers.parse().unwrap();
        let options = options.clone().with_blend(Vec::new()).with_style_layers(style_layers);
        gradient(&Subject::new(photo.clone(), painting.clone()), &options, &photo)
    };
    let of_a = alone(&a, "conv1_1:2,conv2_1:1,conv3_1:0");
    let of_b = alone(&b, "conv1_1:0,conv2_1:5,conv3_1:1");
    let blended = gradient(&blend, &options, &photo);
    let largest = blended.iter().fold(0.0_f32, |largest, g| largest.max(g.abs()));
    for ((blended, a), b) in blended.iter().zip(&of_a).zip(&of_b) {
        assert!((blended - (0.75 * a + 0.25 * b)).abs() < 1e-3 * largest);
    }
}

#[test]
fn terms_of_regions_have_their_names_and_weigh_their_share() {
    let subject = halves(24, 48, |x| f32::from(x < 12));
    let options = shallow(48);
    let (photo, mut gradient) = (noise(24, 48, 1), vec![0.0; 3 * 24 * 48]);
    let losses = objective(&subject, &options).evaluate(photo.data(), &mut gradient).unwrap();
    let named = |term: &impasto_style::TermLoss| (term.region.clone(), term.layer.clone().unwrap());
    let names: Vec<_> = losses.terms.iter().map(named).collect();
    let (left, right) = (Some("left".to_owned()), Some("right".to_owned()));
    let expected = [
        (None, "conv2_2"),
        (left.clone(), "conv1_1"),
        (left, "conv2_1"),
        (right.clone(), "conv1_1"),
        (right, "conv2_1"),
    ];
    assert_eq!(names, expected.map(|(region, layer)| (region, layer.to_owned())));
    let share = |term: usize| losses.terms[term].weight.share / 0.5;
    for layer in [1, 2] {
        assert!((share(layer) + share(layer + 2) - 1.0).abs() < 1e-6, "all of the photo is in one of them");
        assert!((share(layer) - 0.25).abs() < 0.01, "{}", share(layer));
    }
    assert_eq!(losses.layers_of("left").map(|(layer, _)| layer).collect::<Vec<_>>(), ["conv1_1", "conv2_1"]);
    assert_eq!(losses.layers(LossKind::Gram).count(), 0, "layers without a region");
}

#[test]
fn a_photo_in_regions_has_the_same_bits_under_any_limit_on_any_threads() {
    let options = shallow(160);
    let subject = halves(160, 40, |x| (x as f32 / 39.0 - 0.2).clamp(0.0, 1.0));
    let (whole, free) = paint(&subject, &options);
    assert_eq!(free.bands, 1);
    let under = |limit| options.clone().with_memory_limit(Some(limit));
    for (threads, least) in [(1, true), (3, true), (2, false)] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (cut, summary) = pool.install(|| {
            let refused = transfer(&network(&options), &subject, &under(1), |_| ControlFlow::Break(()));
            let Err(TransferError::Memory { needed, .. }) = refused else { panic!("{refused:?}") };
            paint(&subject, &under(if least { needed } else { u64::midpoint(needed, free.bytes) }))
        });
        assert!(!least || summary.bands > 1);
        assert_eq!(cut, whole, "{} bands on {threads} threads", summary.bands);
    }
}

#[test]
fn plans_count_guides_and_masks() {
    let options = shallow(48);
    let one = Subject::blend(noise(24, 48, 1), vec![noise(32, 24, 2), noise(40, 60, 3)]).unwrap();
    let (free, masked) = (paint(&one, &options).1, paint(&halves(24, 48, |x| f32::from(x < 12)), &options).1);
    // Of each of two regions at conv1_1 and conv2_1.
    let guides = 2 * 4 * (24 * 48 + 12 * 24);
    assert!(masked.bytes >= free.bytes + guides, "{} and {}", masked.bytes, free.bytes);
}

#[test]
fn a_region_in_a_corner_drops_out_where_nothing_sees_only_it() {
    let corner = mask(24, 48, |y, x| f32::from(y < 8 && x < 8));
    let regions = || vec![region("corner", RegionMask::Mask(corner.clone())), region("-", RegionMask::Rest)];
    let paintings = || vec![style(noise(32, 24, 2), 0), style(noise(40, 60, 3), 1)];
    let subject = Subject::compose(noise(24, 48, 1).into(), paintings(), regions()).unwrap();
    let options = |layers: &str, reach| {
        let style_layers = layers.parse().unwrap();
        shallow(48).with_style_layers(style_layers).with_mask_reach(reach).with_iterations(1)
    };
    assert_eq!(paint(&subject, &options("conv1_1,conv3_3", Reach::Average)).1.vanished, []);
    let (_, summary) = paint(&subject, &options("conv1_1,conv3_3", Reach::Inside));
    let what = Masked::Region("corner".to_owned());
    let expected = Vanished { what: what.clone(), layer: "conv3_3".to_owned(), size: (24, 48) };
    assert_eq!(summary.vanished, [expected]);
    assert_eq!(
        Vanished::sentences(&summary.vanished),
        ["corner drops out where it has no position: at conv3_3 of 48 x 24 pixels"]
    );
    let options = options("conv3_3", Reach::Inside);
    let refused = transfer(&network(&options), &subject, &options, |_| panic!("started"));
    let message = "corner has no position at any layer at 48 x 24 pixels";
    assert!(refused.as_ref().is_err_and(|error| error.to_string().starts_with(message)), "{refused:?}");
    assert!(
        matches!(refused, Err(TransferError::Vanished { what: told, size: (24, 48), .. }) if told == what)
    );
    let measured = subject.at(48, &options).unwrap().measure(&network(&options), &options);
    assert!(matches!(measured, Err(TransferError::Vanished { what: told, .. }) if told == what));
}

/// Whatever else there is: another painting of its region, or total variation beside the content.
#[test]
fn what_has_no_position_at_any_layer_is_told_by_what_its_mask_limits() {
    let corner = || mask(24, 48, |y, x| f32::from(y < 8 && x < 8));
    let options = shallow(48).with_style_layers("conv3_3".parse().unwrap());
    let refused = |photo: Photo, paintings, options: &TransferOptions| {
        let subject = Subject::compose(photo, paintings, vec![Region::everywhere()]).unwrap();
        let measured = subject.at(48, options).unwrap().measure(&network(options), options).map(drop);
        let transferred = transfer(&network(options), &subject, options, |_| panic!("started")).map(drop);
        let [measured, transferred] = [measured, transferred].map(|told| told.unwrap_err().to_string());
        assert_eq!(measured, transferred);
        measured
    };
    let inside = options.clone().with_mask_reach(Reach::Inside);
    let paintings =
        vec![StyleImage { part: Some(corner()), ..style(noise(24, 48, 2), 0) }, style(noise(40, 60, 3), 0)];
    assert_eq!(
        refused(noise(24, 48, 1).into(), paintings, &inside),
        "the part of painting 1 has no position at any layer at 48 x 24 pixels, so nothing would come of it: make more of its mask \
         white, and more of the painting opaque, or use a larger `size`, or earlier layers, or `mask-reach` average"
    );
    let faint = Some(mask(24, 48, |_, _| 1e-4));
    let photo = Photo { content_mask: faint, ..Photo::from(noise(24, 48, 1)) };
    let options = options.with_tv_weight(1.0);
    assert_eq!(
        refused(photo, vec![style(noise(40, 60, 3), 0)], &options),
        "the content has no position at any layer at 48 x 24 pixels, so nothing would come of it: make more of its mask white, and \
         more of the photo opaque, or use a larger `size`, or earlier layers"
    );
}

#[test]
fn a_rest_that_the_others_leave_nothing_of_is_told_so() {
    let regions =
        vec![region("all", RegionMask::Mask(mask(24, 48, |_, _| 1.0))), region("the rest", RegionMask::Rest)];
    let paintings = vec![style(noise(32, 24, 2), 0), style(noise(40, 60, 3), 1)];
    let subject = Subject::compose(noise(24, 48, 1).into(), paintings, regions).unwrap();
    let options = shallow(48);
    let refused = transfer(&network(&options), &subject, &options, |_| panic!("started")).unwrap_err();
    let message = "the rest has no position at any layer at 48 x 24 pixels, so nothing would come of it: give it more of the photo";
    assert!(refused.to_string().starts_with(message), "{refused}");
}

#[test]
fn a_painting_that_is_too_small_is_told_by_its_number() {
    let refused = |paintings: Vec<Picture>, style_scale: &str| {
        let options = shallow(48)
            .with_style_layers("conv3_3".parse().unwrap())
            .with_style_scale(style_scale.parse::<Each<f64>>().unwrap());
        let subject = Subject::blend(noise(24, 48, 1), paintings).unwrap();
        transfer(&network(&options), &subject, &options, |_| panic!("started")).unwrap_err().to_string()
    };
    let (large, small) = (noise(32, 24, 2), noise(3, 3, 3));
    for (message, paintings, style_scale) in [
        ("painting 2 of 3 x 3 pixels is too small", vec![large.clone(), small.clone()], "1"),
        ("the resized painting 1 of 24 x 3 pixels is too small", vec![noise(5, 40, 2), large], "0.5,1"),
        ("the style picture of 3 x 3 pixels is too small", vec![small], "1"),
    ] {
        let error = refused(paintings, style_scale);
        assert!(error.starts_with(message), "{error}");
    }
}

/// At a coarse scale a region may be too small; the next one has it.
#[test]
fn a_region_may_drop_out_of_a_coarse_scale_altogether() {
    let options = shallow(192)
        .with_scales(Scales::Count(2))
        .with_style_layers("conv2_1".parse().unwrap())
        .with_mask_reach(Reach::Inside);
    let spot = mask(24, 192, |y, x| f32::from((5..18).contains(&y) && (5..18).contains(&x)));
    let regions = vec![region("spot", RegionMask::Mask(spot)), region("-", RegionMask::Rest)];
    let paintings = vec![style(noise(32, 24, 2), 0), style(noise(40, 60, 3), 1)];
    let subject = Subject::compose(noise(24, 192, 1).into(), paintings, regions).unwrap();
    let (painting, summary) = paint(&subject, &options);
    assert_eq!(summary.vanished.iter().map(|vanished| vanished.size).collect::<Vec<_>>(), [(12, 96)]);
    assert_eq!(painting.picture.width(), 192);
}

/// Where the photo is transparent, nothing is asked of the result.
#[test]
fn where_the_photo_is_transparent_there_is_neither_content_nor_style() {
    let (options, painting) = (shallow(48), noise(32, 24, 2));
    let alpha = mask(24, 48, |_, x| f32::from(x < 16));
    let photo = noise(24, 48, 1).with_alpha(alpha).unwrap();
    let x = noise(24, 48, 7);
    let gradient = gradient(&Subject::new(photo, painting), &options, &x);
    // conv2_2 sees 8 pixels more on each side of its window of 2, and is reached from as far.
    let seen: Vec<bool> = gradient.chunks_exact(3).map(|pixel| pixel != [0.0; 3]).collect();
    assert!(seen.iter().enumerate().all(|(at, &seen)| !seen || at % 48 < 16 + 18), "beyond what is seen");
    assert!(seen.iter().enumerate().all(|(at, &seen)| seen || at % 48 >= 16), "all that is opaque is pulled");
}

#[test]
fn transparency_of_a_painting_is_a_mask_of_it() {
    let options = shallow(48).with_style_scale(1e3);
    let alpha = mask(32, 24, |y, _| if y < 20 { 1.0 } else { 0.0 });
    let (photo, painting) = (noise(24, 48, 1), noise(32, 24, 2));
    let transparent = painting.clone().with_alpha(alpha.clone()).unwrap();
    let hidden = Picture::new(32, 24, transparent.data().to_vec()).unwrap();
    let part = StyleImage { part: Some(alpha), ..style(hidden, 0) };
    let masked = Subject::compose(photo.clone().into(), vec![part], vec![Region::everywhere()]).unwrap();
    let transparent = Subject::new(photo.clone(), transparent);
    assert_eq!(gradient(&transparent, &options, &photo), gradient(&masked, &options, &photo));
    assert_ne!(
        gradient(&transparent, &options, &photo),
        gradient(&Subject::new(photo.clone(), painting), &options, &photo)
    );
}

/// Values of a blend, and of layers, for other paintings than there are.
#[test]
fn values_must_be_as_many_as_paintings() {
    let subject = Subject::new(noise(24, 40, 1), noise(32, 40, 2));
    let options = shallow(40).with_blend(vec![1.0, 2.0]);
    let refused = transfer(&network(&options), &subject, &options, |_| panic!("started"));
    let message = "`blend` has 2 values, but there is 1 painting";
    assert_eq!(refused.map(drop).map_err(|error| error.to_string()), Err(message.to_owned()));
}

#[test]
fn a_run_with_masks_goes_on_exactly() {
    let options = shallow(192).with_scales(Scales::Count(2)).with_iterations(4);
    let subject = halves(20, 192, |x| (x as f32 / 191.0).powi(2));
    let (network, folder) = (network(&options), tempfile::tempdir().unwrap());
    let path = folder.path().join("run");
    let record = || {
        let mut inputs = vec![Input::picture(Role::Content, None, subject.photo())];
        inputs.extend(subject.paintings().map(|painting| Input::picture(Role::Style, None, painting)));
        Record::new(&options, inputs)
    };
    let paint = |run: Run<'_>, stop: usize| {
        let painting = transfer_with(&network, &subject, &options, run, |event| match event {
            Event::Iteration(progress) if progress.iteration == stop => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        painting.unwrap()
    };
    let whole = paint(Run::default(), usize::MAX);
    for stop in [2, 6] {
        let keep = || Some(Checkpoints { every: Duration::ZERO, ..Checkpoints::new(&path, record()) });
        paint(Run { checkpoints: keep(), ..Run::default() }, stop);
        let resume = Some(Checkpoint::open(&path).unwrap().fitting(&record()).unwrap());
        let gone_on = paint(Run { resume, ..Run::default() }, usize::MAX);
        assert_eq!(gone_on, whole, "from iteration {stop}");
    }
}

/// A rectangle of the photo: rows and columns.
fn rectangles(height: usize, width: usize) -> impl Strategy<Value = [usize; 4]> {
    (0..height, 0..width).prop_flat_map(move |(top, left)| {
        (top + 1..=height, left + 1..=width).prop_map(move |(bottom, right)| [top, bottom, left, right])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A position of conv1_1 sees one pixel around it and is reached from as far; one of conv2_1 sees 6 more on each side.
    #[test]
    fn where_no_mask_is_no_style_is(
        size in (20_usize..32, 20_usize..40),
        [top, bottom, left, right] in rectangles(20, 20),
        strength in 0.1_f32..=1.0,
        reach in prop::sample::select(vec![Reach::Average, Reach::Inside]),
        deep in any::<bool>(),
    ) {
        let (height, width) = size;
        let inside = |y: usize, x: usize| (top..bottom).contains(&y) && (left..right).contains(&x);
        let masked = mask(height, width, |y, x| if inside(y, x) { strength } else { 0.0 });
        let style_layers = if deep { "conv1_1,conv2_1" } else { "conv1_1" }.parse().unwrap();
        let longest = height.max(width);
        let options = shallow(longest).with_style_layers(style_layers).with_content_weight(0.0).with_mask_reach(reach);
        let regions = vec![region("part", RegionMask::Mask(masked))];
        let photo = noise(height, width, 1);
        let subject = Subject::compose(photo.clone().into(), vec![style(noise(32, 24, 2), 0)], regions).unwrap();
        let measured = subject.at(longest, &options).unwrap().measure(&network(&options), &options);
        if let Err(TransferError::Vanished { .. }) = measured {
            prop_assert_eq!(reach, Reach::Inside, "too small for every layer");
            return Ok(());
        }
        let gradient = gradient(&subject, &options, &photo);
        let margin = if deep { 14 } else { 2 };
        let near = |y: usize, x: usize| {
            (top..bottom).any(|row| row.abs_diff(y) <= margin) && (left..right).any(|column| column.abs_diff(x) <= margin)
        };
        for (at, pixel) in gradient.chunks_exact(3).enumerate() {
            let (y, x) = (at / width, at % width);
            prop_assert!(near(y, x) || pixel == [0.0; 3], "{pixel:?} at {y}, {x}");
        }
        prop_assert!(reach == Reach::Inside || gradient.iter().any(|&g| g != 0.0));
    }

    /// Masks of one half everywhere pull half as much.
    #[test]
    fn a_faint_mask_pulls_faintly(grey in 1_u8..=255) {
        let (options, photo, value) =
            (shallow(24).with_content_weight(0.0), noise(20, 24, 1), f32::from(grey) / 255.0);
        let regions = vec![region("faint", RegionMask::Mask(mask(20, 24, |_, _| value)))];
        let paintings = || vec![style(noise(32, 24, 2), 0)];
        let faint = Subject::compose(photo.clone().into(), paintings(), regions).unwrap();
        let full = Subject::new(photo.clone(), noise(32, 24, 2));
        let (faint, full) = (gradient(&faint, &options, &photo), gradient(&full, &options, &photo));
        let largest = full.iter().fold(0.0_f32, |largest, g| largest.max(g.abs()));
        for (faint, full) in faint.iter().zip(&full) {
            prop_assert!((faint - value * full).abs() < 1e-3 * largest, "{faint} of {full}");
        }
    }
}
