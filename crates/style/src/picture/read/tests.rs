//! What is read strip by strip is, to the bit, what the whole picture converted and resized at once would be.

use std::ops::Range;

use fast_image_resize::pixels::{F32, F32x3};
use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};
use proptest::prelude::*;

use super::colour::Converter;
use super::raster::{Alpha, Colour, Model, Raster, Samples};
use super::shrink::shrunk;
use super::strips::Strips;
use super::*;
use crate::Size;
use crate::picture::resize::resample;

const ORIENTATIONS: [Orientation; 8] = [
    Orientation::NoTransforms,
    Orientation::FlipHorizontal,
    Orientation::Rotate180,
    Orientation::FlipVertical,
    Orientation::Rotate90FlipH,
    Orientation::Rotate90,
    Orientation::Rotate270FlipH,
    Orientation::Rotate270,
];

/// The profiles of a model: none, and one or two that are not sRGB.
fn profiles(model: Model) -> Vec<Colour> {
    let profiles = match model {
        Model::Grey => vec![ColorProfile::new_gray_with_gamma(1.8)],
        _ => vec![ColorProfile::new_display_p3(), ColorProfile::new_adobe_rgb()],
    };
    let icc = profiles.iter().map(|profile| Colour::Icc(profile.encode().unwrap()));
    [Colour::Srgb].into_iter().chain(icc).collect()
}

/// Numbers that look like noise.
fn noise(length: usize, seed: u64) -> impl Iterator<Item = u16> {
    (1..=length as u64).map(move |index| ((index ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as u16)
}

/// A raster of 8 or 16 bits, grey or RGB, with or without alpha, turned in any way.
fn rasters() -> impl Strategy<Value = Raster> {
    let sides = (1_usize..24, 1_usize..24, any::<u64>());
    let kinds = (any::<bool>(), any::<bool>(), any::<bool>(), 0_usize..8, any::<prop::sample::Index>());
    (sides, kinds).prop_map(|((height, width, seed), (grey, deep, covers, turn, colour))| {
        let model = if grey { Model::Grey } else { Model::Rgb };
        let alpha = if covers { Alpha::Straight } else { Alpha::None };
        let length = height * width * (model.channels() + usize::from(covers));
        let samples = if deep {
            Samples::U16(noise(length, seed).collect())
        } else {
            Samples::U8(noise(length, seed).map(|number| (number >> 8) as u8).collect())
        };
        let profiles = profiles(model);
        let colour = profiles[colour.index(profiles.len())].clone();
        let orientation = ORIENTATIONS[turn];
        Raster { height, width, samples, model, alpha, colour, orientation, warnings: Vec::new() }
    })
}

/// The picture of the whole raster at once: turned, in f32, in sRGB, on white, from 0 to 255.
fn at_once(raster: &Raster) -> Vec<f32> {
    fn of<P: image::Pixel<Subpixel: Clone>>(
        raster: &Raster,
        samples: &[P::Subpixel],
    ) -> ImageBuffer<P, Vec<P::Subpixel>> {
        ImageBuffer::from_raw(raster.width as u32, raster.height as u32, samples.to_vec()).unwrap()
    }
    let mut image: DynamicImage = match (&raster.samples, raster.model, raster.alpha) {
        (Samples::U8(s), Model::Grey, Alpha::None) => of::<image::Luma<u8>>(raster, s).into(),
        (Samples::U8(s), Model::Grey, _) => of::<image::LumaA<u8>>(raster, s).into(),
        (Samples::U8(s), _, Alpha::None) => of::<image::Rgb<u8>>(raster, s).into(),
        (Samples::U8(s), ..) => of::<image::Rgba<u8>>(raster, s).into(),
        (Samples::U16(s), Model::Grey, Alpha::None) => of::<image::Luma<u16>>(raster, s).into(),
        (Samples::U16(s), Model::Grey, _) => of::<image::LumaA<u16>>(raster, s).into(),
        (Samples::U16(s), _, Alpha::None) => of::<image::Rgb<u16>>(raster, s).into(),
        (Samples::U16(s), ..) => of::<image::Rgba<u16>>(raster, s).into(),
        _ => unreachable!("only integers of 8 and 16 bits are drawn"),
    };
    image.apply_orientation(raster.orientation);
    let rgba = image.into_rgba32f().into_raw();
    let mut rgb: Vec<f32> = rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    if let Colour::Icc(profile) = &raster.colour {
        let source = ColorProfile::new_from_slice(profile).unwrap();
        let grey = source.color_space == DataColorSpace::Gray;
        let (layout, step) = if grey { (Layout::Gray, 3) } else { (Layout::Rgb, 1) };
        let srgb = ColorProfile::new_srgb();
        let transform =
            source.create_transform_f32(layout, &srgb, Layout::Rgb, TransformOptions::default()).unwrap();
        let input: Vec<f32> = rgb.iter().step_by(step).copied().collect();
        transform.transform(&input, &mut rgb).unwrap();
    }
    if raster.alpha != Alpha::None {
        for (pixel, rgba) in rgb.chunks_exact_mut(3).zip(rgba.chunks_exact(4)) {
            for c in pixel {
                *c = c.mul_add(rgba[3], 1.0 - rgba[3]);
            }
        }
    }
    rgb.iter().map(|value| value * 255.0).collect()
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// The rows of a picture in strips of any heights.
fn cut(height: usize, heights: &[usize]) -> Vec<Range<usize>> {
    let mut strips = Vec::new();
    let mut first = 0;
    for step in heights.iter().cycle() {
        if first == height {
            break;
        }
        let end = (first + step).min(height);
        strips.push(first..end);
        first = end;
    }
    strips
}

fn heights() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1_usize..20, 1..6)
}

proptest! {
    #[test]
    fn strips_are_the_whole(raster in rasters(), heights in heights()) {
        let (converter, _) = Converter::new(&raster.colour, raster.model);
        let mut strips = Strips::new(&raster, &converter);
        let (height, width) = strips.size();
        let mut rgb = vec![0.0; 3 * height * width];
        for rows in cut(height, &heights) {
            strips.on([255; 3], rows.clone(), &mut rgb[3 * rows.start * width..3 * rows.end * width]).unwrap();
        }
        prop_assert_eq!(bits(&rgb), bits(&at_once(&raster)));
    }

    #[test]
    fn shrinking_in_strips_is_shrinking_the_whole(
        (height, width, seed) in (1_usize..160, 1_usize..160, any::<u64>()),
        (to_height, to_width) in (1_usize..160, 1_usize..160),
        heights in heights(),
    ) {
        let rgb: Vec<f32> = noise(3 * height * width, seed).map(|number| f32::from(number) / 257.0).collect();
        let (from, to) = ((height, width), (to_height.min(height), to_width.min(width)));
        let whole = Picture::new(height, width, rgb.clone()).unwrap().resized(to.0, to.1).unwrap();
        let in_strips = shrunk::<F32x3>(from, to, LANCZOS, cut(height, &heights).into_iter(), |rows, strip| {
            strip.copy_from_slice(&rgb[3 * rows.start * width..3 * rows.end * width]);
            Ok(())
        });
        prop_assert_eq!(bits(&in_strips.unwrap()), bits(whole.data()));

        let alpha = &rgb[..height * width];
        let mut whole = vec![0.0; to.0 * to.1];
        resample::<F32>(alpha, from, &mut whole, to, TRIANGLE).unwrap();
        let in_strips = shrunk::<F32>(from, to, TRIANGLE, cut(height, &heights).into_iter(), |rows, strip| {
            strip.copy_from_slice(&alpha[rows.start * width..rows.end * width]);
            Ok(())
        });
        prop_assert_eq!(bits(&in_strips.unwrap()), bits(&whole));
    }

    /// What is admitted has room for a picture turned or not.
    #[test]
    fn what_is_counted_covers_what_is_taken(raster in rasters(), longest in prop::option::of(1_usize..30)) {
        let options = ReadOptions { memory_limit: None, size: longest.map_or(Size::Original, Size::Longest), ..kept() };
        let counted = bytes_after((raster.height, raster.width), raster.alpha != Alpha::None, &options);
        prop_assert_eq!(counted, bytes_after((raster.width, raster.height), raster.alpha != Alpha::None, &options));
        let read = finish(Decoded { raster, bytes: 0 }, &options).unwrap();
        prop_assert!(read.picture.bytes() <= counted);
    }
}

fn kept() -> ReadOptions {
    ReadOptions { transparency: Transparency::Kept, ..ReadOptions::default() }
}

/// In whole numbers that f32 holds: c + (1 - a) of a colour that is multiplied already.
#[test]
fn associated_alpha_is_not_multiplied_again() {
    let raster = |alpha, red| Raster {
        height: 1,
        width: 1,
        samples: Samples::F32(vec![red, 0.25, 0.0, 0.5]),
        model: Model::Rgb,
        alpha,
        colour: Colour::Srgb,
        orientation: Orientation::NoTransforms,
        warnings: Vec::new(),
    };
    let read = |raster, options| finish(Decoded { raster, bytes: 0 }, &options).unwrap().picture;
    for (alpha, red) in [(Alpha::Associated, 0.5), (Alpha::Straight, 1.0)] {
        let on_white = read(raster(alpha, red), ReadOptions::default());
        let green = if alpha == Alpha::Associated { 191.25 } else { 159.375 };
        assert_eq!(on_white.data(), [255.0, green, 127.5]);
        let straight = read(raster(alpha, red), kept());
        assert_eq!(straight.data(), [255.0, if alpha == Alpha::Associated { 127.5 } else { 63.75 }, 0.0]);
        assert_eq!(straight.alpha().unwrap().values(), [0.5]);
    }
}
