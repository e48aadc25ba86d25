use proptest::prelude::*;

use super::*;
use crate::{Mask, white_noise};

/// Noise, or the sharpest edges that there are: black and white at random, and the same of alpha.
fn picture(height: usize, width: usize, seed: u64, edges: bool, covers: bool) -> Picture {
    let mut picture = white_noise(height, width, seed).unwrap();
    let mut alpha = white_noise(height, width, seed ^ 1).unwrap();
    if edges {
        for picture in [&mut picture, &mut alpha] {
            picture.data_mut().iter_mut().for_each(|value| *value = if *value < 127.5 { 0.0 } else { 255.0 });
        }
    }
    if covers { picture } else { picture.with_alpha(Mask::of(&alpha)).unwrap() }
}

proptest! {
    #[test]
    fn no_picture_takes_more_than_the_most_bytes(
        height in 1_usize..200, width in 1_usize..200, seed: u64, edges: bool, covers: bool, quality in 1_u8..=100,
    ) {
        let picture = picture(height, width, seed, edges, covers);
        for encoding in [Encoding::Png, Encoding::Jpeg { quality }, Encoding::Jpeg { quality: 100 }, Encoding::WebP, Encoding::Tiff] {
            let writing = Writing::from(encoding);
            let bytes = picture.encode(&writing).unwrap().len() as u64;
            let most = writing.largest_bytes(height, width, !covers);
            prop_assert!(bytes <= most, "{encoding:?} of {height} x {width}: {bytes} > {most}");
        }
    }
}
