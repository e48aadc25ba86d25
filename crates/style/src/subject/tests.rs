//! Subjects and scenes without a network.

use std::borrow::Cow;
use std::convert::Infallible;

use impasto_autodiff::losses::{Content, GramMatrix, Style};
use impasto_autodiff::{Coverage, Loss, LossKind, Tap};
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

use super::*;
use crate::{OptionsError, Preset, white_noise};

fn noise(height: usize, width: usize) -> Picture {
    white_noise(height, width, 1).unwrap()
}

fn mask(height: usize, width: usize, value: impl Fn(usize, usize) -> f32) -> Mask {
    let values = (0..height * width).map(|at| value(at / width, at % width)).collect();
    Mask::new(height, width, values).unwrap()
}

fn region(name: &str, mask: RegionMask) -> Region {
    Region { name: name.to_owned(), mask }
}

fn in_region(region: usize) -> StyleImage {
    StyleImage { picture: Arc::new(noise(8, 8)), part: None, region }
}

#[test]
fn a_scene_has_the_sizes_of_the_options_and_copies_nothing_that_has_them() {
    let subject = Subject::new(noise(30, 60), noise(80, 40));
    let options = TransferOptions { style_scale: 0.5.into(), ..Preset::Paper.options() };
    let scene = subject.at(60, &options).unwrap();
    assert!(matches!(scene.photo, Cow::Borrowed(_)));
    assert_eq!(scene.paintings().map(sides).collect::<Vec<_>>(), [(30, 15)]);
    assert_eq!(subject.painting_sizes(60, &options), [(30, 15)]);
    assert!(scene.regions().all(|region| region.is_none()) && scene.parts().all(|part| part.is_none()));
    let scene = subject.at(30, &TransferOptions { style_scale: 80.0.into(), ..options }).unwrap();
    assert_eq!(sides(scene.photo()), (15, 30));
    assert!(Arc::ptr_eq(&scene.paintings[0], &subject.paintings[0].picture));
}

#[test]
fn only_much_larger_pictures_are_shrunk_beforehand() {
    let options = TransferOptions { size: 100.into(), ..Preset::Paper.options() };
    let shrunk = |photo, painting| {
        let subject = Subject::new(photo, painting).shrunk(&options).unwrap();
        (subject.photo().width(), subject.paintings[0].picture.width())
    };
    assert_eq!(
        shrunk(noise(100, 200), noise(200, 200)),
        (200, 100),
        "50 pixels are too narrow to be shrunk to"
    );
    assert_eq!(shrunk(noise(150, 200), noise(110, 110)), (100, 110), "110 is not much larger than 100");
}

#[test]
fn each_painting_has_a_size_of_its_own() {
    let subject = Subject::blend(noise(30, 60), vec![noise(90, 90), noise(90, 90)]).unwrap();
    let options = TransferOptions { style_scale: "1,0.5".parse().unwrap(), ..Preset::Paper.options() };
    assert_eq!(subject.painting_sizes(60, &options), [(60, 60), (30, 30)]);
}

#[test]
fn a_painting_of_several_regions_is_in_memory_once_at_any_size() {
    let picture = Arc::new(noise(200, 200));
    let part = |region| StyleImage { picture: Arc::clone(&picture), part: None, region };
    let halves = vec![
        region("left", RegionMask::Mask(mask(9, 9, |_, x| f32::from(x < 4)))),
        region("rest", RegionMask::Rest),
    ];
    let subject = Subject::compose(noise(90, 90).into(), vec![part(0), part(1)], halves).unwrap();
    assert_eq!(subject.bytes(), noise(90, 90).bytes() + picture.bytes() + 4 * 81);
    let options = TransferOptions { size: 90.into(), ..Preset::Paper.options() };
    let scene = subject.at(90, &options).unwrap();
    assert!(Arc::ptr_eq(&scene.paintings[0], &scene.paintings[1]) && scene.paintings[0].width() == 90);
    let shrunk = subject.clone().shrunk(&options).unwrap();
    assert!(Arc::ptr_eq(&shrunk.paintings[0].picture, &shrunk.paintings[1].picture));
    assert_eq!(shrunk.paintings[0].picture.width(), 90);
}

#[test]
fn weights_of_a_blend_become_shares() {
    let two = Subject::blend(noise(9, 9), vec![noise(9, 9), noise(9, 9)]).unwrap();
    let shares = |blend: &[f64]| {
        let options = TransferOptions { blend: blend.to_vec(), ..Preset::Paper.options() };
        two.check(&options).map(|()| two.shares(0, &options))
    };
    assert_eq!(shares(&[3.0, 1.0]), Ok(vec![(0, 0.75), (1, 0.25)]));
    assert_eq!(shares(&[]), Ok(vec![(0, 0.5), (1, 0.5)]));
    assert_eq!(shares(&[0.0, 7.0]), Ok(vec![(0, 0.0), (1, 1.0)]));
    for (blend, message) in [
        (
            &[0.0, 0.0][..],
            "`blend` must be above 0 for a painting of each region: those of the photo all weigh 0",
        ),
        (&[1.0], "`blend` has 1 value, but there are 2 paintings"),
        (&[1.0, 2.0, 3.0], "`blend` has 3 values, but there are 2 paintings"),
    ] {
        assert_eq!(shares(blend).unwrap_err().to_string(), message);
    }
    let scales = TransferOptions { style_scale: "1,2,3".parse().unwrap(), ..Preset::Paper.options() };
    assert!(matches!(two.check(&scales), Err(OptionsError::Count { option: "style-scale", .. })));
    let layers = "conv1_1/conv2_1/conv3_1".parse().unwrap();
    let layers = TransferOptions { style_layers: layers, ..Preset::Paper.options() };
    assert!(matches!(two.check(&layers), Err(OptionsError::Count { option: "style-layers", .. })));
    assert_eq!(Subject::blend(noise(9, 9), Vec::new()), Err(SubjectError::NoPainting));
}

#[test]
fn weights_of_a_blend_are_shared_out_within_a_region() {
    let regions = vec![
        region("sky", RegionMask::Mask(mask(9, 9, |y, _| f32::from(y < 4)))),
        region("rest", RegionMask::Rest),
    ];
    let paintings = [0, 1, 0].map(in_region).to_vec();
    let subject = Subject::compose(noise(9, 9).into(), paintings, regions).unwrap();
    let options = TransferOptions { blend: vec![3.0, 5.0, 1.0], ..Preset::Paper.options() };
    assert_eq!(subject.shares(0, &options), [(0, 0.75), (2, 0.25)]);
    assert_eq!(subject.shares(1, &options), [(1, 1.0)]);
    let none = TransferOptions { blend: vec![3.0, 0.0, 1.0], ..options };
    assert_eq!(subject.check(&none), Err(OptionsError::NoShare { region: "rest".to_owned() }));
}

#[test]
fn what_does_not_go_together_is_refused_with_its_name() {
    let white = |height, width| mask(height, width, |_, _| 1.0);
    let photo = || Photo::from(noise(20, 40));
    let compose = |photo: Photo, painting: StyleImage, regions: Vec<Region>| {
        Subject::compose(photo, vec![painting], regions).map(drop).map_err(|error| error.to_string())
    };
    let everywhere = || vec![Region::everywhere()];
    assert_eq!(compose(photo(), in_region(0), everywhere()), Ok(()));
    let sky = |mask| vec![region("sky.png", RegionMask::Mask(mask))];
    assert_eq!(compose(photo(), in_region(0), sky(white(10, 20))), Ok(()), "any size");
    for (refused, message) in [
        (compose(photo(), in_region(0), sky(white(20, 20))), "the mask of sky.png has 20 x 20 pixels"),
        (
            compose(photo(), in_region(0), sky(mask(20, 40, |_, _| 0.0))),
            "the mask of sky.png is black everywhere",
        ),
        (
            compose(Photo { keep: Some(white(9, 9)), ..photo() }, in_region(0), everywhere()),
            "the mask of what is kept has 9 x 9",
        ),
        (
            compose(Photo { content_mask: Some(white(9, 9)), ..photo() }, in_region(0), everywhere()),
            "the mask of the content has 9 x 9",
        ),
        (
            compose(photo(), StyleImage { part: Some(white(9, 30)), ..in_region(0) }, everywhere()),
            "the mask of painting 1 has 30 x 9 pixels, which are other proportions than the 8 x 8 of painting 1",
        ),
        (compose(photo(), in_region(1), everywhere()), "painting 1 is of region 1"),
        (compose(photo(), in_region(0), [everywhere(), everywhere()].concat()), "no painting is of"),
    ] {
        assert!(
            refused.as_ref().is_err_and(|error| error.starts_with(message)),
            "{refused:?}, not {message}"
        );
    }
    let all = compose(Photo { keep: Some(white(20, 40)), ..photo() }, in_region(0), everywhere());
    let message = "the mask of what is kept is white everywhere: nothing would be painted";
    assert_eq!(all, Err(message.to_owned()));
    let rests = vec![region("-", RegionMask::Rest), region("-", RegionMask::Rest)];
    let paintings = [0, 1].map(in_region).to_vec();
    assert_eq!(Subject::compose(photo(), paintings, rests).map(drop), Err(SubjectError::Rests));
}

#[test]
fn a_side_of_64_is_wide_enough_to_be_shrunk_to() {
    let options = TransferOptions { size: 64.into(), ..Preset::Paper.options() };
    let subject = Subject::new(noise(128, 128), noise(64, 64)).shrunk(&options).unwrap();
    assert_eq!(sides(subject.photo()), (64, 64));
}

#[test]
fn half_the_pixels_are_not_much_smaller() {
    let options = TransferOptions { size: 99.into(), ..Preset::Paper.options() };
    let subject = Subject::new(noise(99, 140), noise(64, 64));
    assert_eq!(subject.size(99), (70, 99));
    assert_eq!(subject.shrunk(&options).unwrap().photo().width(), 140);
}

fn content(number: f32) -> Loss {
    let target = Tensor::from_vec(Shape::new(1, 1, 1), vec![number]).unwrap();
    Loss::Content(Content { target, guide: None })
}

fn gram(number: f32) -> Loss {
    Loss::Gram(Style { target: GramMatrix { channels: 1, data: vec![number] }, guide: None })
}

/// The losses of a view: each target is a number that tells whose it is, and at which layer.
fn numbered(view: &View<'_>) -> Vec<Loss> {
    let loss = |tap: &Tap| {
        let layer = u16::from(tap.layer.as_bytes()[4] - b'0');
        let picture = if let Source::Painting(number) = view.source { 1 + number as u16 } else { 0 };
        let number = f32::from(100 * picture + 10 * layer);
        if tap.kind == LossKind::Gram { gram(number) } else { content(number + 1.0) }
    };
    view.taps.iter().map(loss).collect()
}

/// What is measured, with its width, and the targets that follow, where the coverages are changed first.
fn measure(
    subject: &Subject,
    options: &TransferOptions,
    change: impl Fn(&mut Coverages),
) -> (Vec<(Source, usize)>, Vec<Loss>) {
    let scene = subject.at(30, options).unwrap();
    let (specs, mut widths) = (subject.terms(options), Vec::new());
    let mut coverages = Coverages::everywhere(specs.len(), subject.paintings.len());
    change(&mut coverages);
    let Ok(targets) = scene.targets(specs, &coverages, |view| {
        widths.push((view.source, view.picture.width()));
        Ok::<_, Infallible>(numbered(&view))
    });
    (widths, targets.losses().cloned().collect())
}

#[test]
fn sums_are_measured_of_every_painting_and_the_rest_of_the_photo() {
    let mut options = TransferOptions { tv_weight: 1.0, style_scale: 1e3.into(), ..Preset::Paper.options() };
    options.content_layers = "conv2_1,conv1_1".parse().unwrap();
    options.style_layers = "conv1_1,conv3_1".parse().unwrap();
    let photo = [content(21.0), content(11.0)];
    let one = Subject::new(noise(20, 30), noise(40, 44));
    let (widths, targets) = measure(&one, &options, |_| {});
    assert_eq!(widths, [(Source::Painting(0), 44), (Source::Photo, 30)]);
    assert_eq!(targets, [&photo[..], &[gram(110.0), gram(130.0), Loss::TotalVariation]].concat());
    let two = Subject::blend(noise(20, 30), vec![noise(40, 44), noise(50, 55)]).unwrap();
    options.blend = vec![1.0, 3.0];
    let (widths, targets) = measure(&two, &options, |_| {});
    assert_eq!(widths, [(Source::Painting(0), 44), (Source::Painting(1), 55), (Source::Photo, 30)]);
    assert_eq!(targets, [&photo[..], &[gram(185.0), gram(205.0), Loss::TotalVariation]].concat());
    options.blend = vec![0.0, 3.0];
    let (widths, targets) = measure(&two, &options, |_| {});
    assert_eq!(
        widths,
        [(Source::Painting(1), 55), (Source::Photo, 30)],
        "what weighs nothing is not measured"
    );
    assert_eq!(targets[2..4], [gram(210.0), gram(230.0)]);
}

#[test]
fn a_painting_without_a_position_at_a_layer_leaves_it_to_the_others() {
    let mut options =
        TransferOptions { content_weight: 0.0, blend: vec![1.0, 3.0], ..Preset::Paper.options() };
    options.style_layers = "conv1_1,conv3_1".parse().unwrap();
    let two = Subject::blend(noise(20, 30), vec![noise(40, 44), noise(50, 55)]).unwrap();
    let vanish = |subject: &Subject, options: &TransferOptions, gone: &[(usize, usize)]| {
        let specs = subject.terms(options);
        measure(subject, options, |coverages| {
            for &(painting, term) in gone {
                *coverages.part_mut(painting, term) = Coverage::Nowhere;
            }
            coverages.drop_vanished(subject, &specs);
        })
        .1
    };
    assert_eq!(vanish(&two, &options, &[(1, 1)]), [gram(185.0), gram(130.0)]);
    assert_eq!(vanish(&two, &options, &[(0, 0), (1, 1)]), [gram(210.0), gram(130.0)]);
    let none = vanish(&two, &options, &[(0, 1), (1, 1)]);
    assert_eq!(none, [gram(185.0)], "a term whose paintings are all gone is gone");
    let three = Subject::blend(noise(20, 30), [44, 55, 66].map(|width| noise(50, width)).to_vec()).unwrap();
    options.blend = vec![1.0, 3.0, 4.0];
    assert_eq!(vanish(&three, &options, &[(2, 1)]), [gram(247.5), gram(205.0)]);
}

#[test]
fn the_rest_is_where_no_other_region_is() {
    let soft = |_: usize, x: usize| x as f32 / 9.0;
    let regions = [region("soft", RegionMask::Mask(mask(10, 10, soft))), region("-", RegionMask::Rest)];
    let masks = region::partition(&regions, (10, 10), None).unwrap();
    let values = |number: usize| masks[number].as_ref().unwrap().values().to_vec();
    assert!(values(0).iter().zip(values(1)).all(|(soft, rest)| rest == 1.0 - soft));
    let alone = region::partition(&[region("-", RegionMask::Rest)], (3, 3), None).unwrap();
    assert_eq!(alone[0].as_ref().unwrap().values(), [1.0; 9]);
    let alpha = mask(3, 3, |_, x| x as f32 / 2.0);
    let photo = region::partition(&[Region::everywhere()], (3, 3), Some(&alpha)).unwrap();
    assert_eq!(photo, [Some(alpha)]);
    assert_eq!(region::partition(&[Region::everywhere()], (3, 3), None).unwrap(), [None]);
}

proptest! {
    /// Partition of unity: the masks of a position add up to 1 at the most, to what they ask for where that is less, and to the
    /// photo's alpha where there is a rest.
    #[test]
    fn regions_share_a_position_and_never_take_more_than_it_has(
        (size, masks, alpha) in (1_usize..8, 1_usize..8).prop_flat_map(|(height, width)| {
            let mask = || prop::collection::vec(0.0_f32..=1.0, height * width)
                .prop_map(move |values| Mask::new(height, width, values).unwrap());
            (Just((height, width)), prop::collection::vec(mask(), 1..5), prop::option::of(mask()))
        }),
        rest in any::<bool>(),
    ) {
        let mut regions: Vec<Region> =
            masks.iter().map(|mask| region("mask", RegionMask::Mask(mask.clone()))).collect();
        regions.extend(rest.then(|| region("-", RegionMask::Rest)));
        let shares = region::partition(&regions, size, alpha.as_ref()).unwrap();
        for at in 0..size.0 * size.1 {
            let of = |mask: &Mask| f64::from(mask.values()[at]);
            let sum: f64 = shares.iter().flatten().map(of).sum();
            let alpha = alpha.as_ref().map_or(1.0, of);
            let asked: f64 = if rest { 1.0 } else { masks.iter().map(of).sum() };
            prop_assert!((sum - alpha * asked.min(1.0)).abs() < 1e-6, "{} of {}, alpha {}", sum, asked, alpha);
            for (share, mask) in shares.iter().flatten().zip(&masks) {
                prop_assert!(of(share) <= of(mask));
            }
        }
    }
}
