//! The page of an explained run says where styles act, and nothing of it where they act everywhere.
#![cfg(feature = "embedded-weights")]

use std::ops::ControlFlow;

use impasto_study::explain::explain;
use impasto_style::{
    Colours, Init, Mask, Network, Painting, Photo, Picture, PreparedNetwork, Preset, Region, RegionMask,
    Size, StyleImage, Subject, TransferOptions, white_noise,
};

const SIZE: (usize, usize) = (40, 64);

fn noise(seed: u64) -> Picture {
    white_noise(SIZE.0, SIZE.1, seed).unwrap()
}

/// 1 where it is said of a row and a column.
fn mask(is_in: impl Fn(usize, usize) -> bool) -> Mask {
    let values = (0..SIZE.0 * SIZE.1).map(|at| f32::from(is_in(at / SIZE.1, at % SIZE.1))).collect();
    Mask::new(SIZE.0, SIZE.1, values).unwrap()
}

fn options() -> TransferOptions {
    let mut options = Preset::Paper.options().with_iterations(2).with_size(Size::Longest(64));
    options.style_layers = "conv1_1,conv3_1".parse().unwrap();
    options
}

fn page(subject: &Subject, options: &TransferOptions) -> (Painting, String) {
    let network = PreparedNetwork::new(Network::embedded().unwrap(), options).unwrap();
    explain(&network, subject, options, |_| ControlFlow::Continue(())).unwrap()
}

/// How often a text is in a page.
fn count(page: &str, text: &str) -> usize {
    page.matches(text).count()
}

/// Left: half of a painting. Right: two paintings, blended. A part of the photo is kept.
fn composed() -> Subject {
    let photo = Photo {
        picture: noise(1),
        keep: Some(mask(|row, _| row < 8)),
        content_mask: Some(mask(|_, column| column > 20)),
    };
    let painting = |seed, part, region| StyleImage { picture: noise(seed).into(), part, region };
    let paintings =
        vec![painting(2, Some(mask(|row, _| row > 20)), 0), painting(3, None, 1), painting(4, None, 1)];
    let left = RegionMask::Mask(mask(|_, column| column < 32));
    let regions = vec![
        Region { name: "<left>.png".to_owned(), mask: left },
        Region { name: "the rest".to_owned(), mask: RegionMask::Rest },
    ];
    Subject::compose(photo, paintings, regions).unwrap()
}

#[test]
fn regions_have_their_masks_and_gram_matrices() {
    let (_, page) = page(&composed(), &options());
    for layer in ["conv1_1", "conv3_1"] {
        assert_eq!(count(&page, &format!("<th>{layer}, &lt;left>.png<br>")), 1);
        assert_eq!(count(&page, &format!("<th>{layer}, the rest<br>")), 1);
        for name in ["&lt;left>.png", "the rest", "painting 1"] {
            assert_eq!(count(&page, &format!("<img alt=\"{name} at {layer}\"")), 1, "{name} at {layer}");
        }
    }
    assert_eq!(count(&page, "<small>50.0 %</small>"), 6, "of the picture and of the layers: halves");
    assert_eq!(count(&page, "<br>0.500 of painting 2<br>0.500 of painting 3"), 2);
    assert_eq!(count(&page, "where the photo stays what it is</figcaption>"), 1);
    assert_eq!(count(&page, "where the content counts</figcaption>"), 1);
    assert!(page.contains("conv1_1, &lt;left&gt;.png"), "in the chart of the losses");
    assert!(!page.contains("<left>"));
}

#[test]
fn what_drops_out_is_named() {
    let corner = RegionMask::Mask(mask(|row, column| row < 4 && column < 4));
    let regions = vec![
        Region { name: "corner.png".to_owned(), mask: corner },
        Region { name: "the rest".to_owned(), mask: RegionMask::Rest },
    ];
    let painting = |seed, region| StyleImage { picture: noise(seed).into(), part: None, region };
    let subject = Subject::compose(noise(1).into(), vec![painting(2, 0), painting(3, 1)], regions).unwrap();
    let options = options().with_mask_reach(impasto_style::Reach::Inside);
    let (_, page) = page(&subject, &options);
    assert_eq!(count(&page, "<td>drops out</td>"), 1);
    assert!(
        page.contains("<p>corner.png drops out where it has no position: at conv3_1 of 64 x 40 pixels.</p>")
    );
    assert_eq!(count(&page, "<th>conv3_1, "), 1, "a Gram matrix is of the rest alone");
}

#[test]
fn a_blend_is_one_gram_matrix_and_has_no_masks() {
    let subject = Subject::blend(noise(1), vec![noise(2), noise(3)]).unwrap();
    let (_, page) = page(&subject, &options().with_blend(vec![3.0, 1.0]));
    assert_eq!(
        count(&page, "<th>conv1_1<br><small>64 x 64<br>0.750 of painting 1<br>0.250 of painting 2"),
        1
    );
    assert!(page.contains("Where paintings are blended, A is the sum of theirs"));
    assert!(page.contains("<figcaption>Painting 2</figcaption>") && page.contains("<th>Painting 2</th>"));
    assert!(!page.contains("<h2>Masks</h2>"));
}

#[test]
fn a_page_of_one_painting_everywhere_says_nothing_of_masks_and_blends() {
    let (_, page) = page(&Subject::new(noise(1), noise(2)), &options());
    for text in ["Masks", "blended", "masked", "painting 1", "its light", " %</small>"] {
        assert!(!page.contains(text), "{text}");
    }
    assert!(page.contains("<figcaption>The painting</figcaption>"));
    assert!(page.contains("for the photo, the painting and the result.</p>"));
}

/// The colours that the network never saw are not measured: before the first iteration nothing differs from a grey photo's run.
#[test]
fn where_light_is_painted_the_network_sees_grey() {
    let options = options().with_colours(Colours::Photo).with_init(Init::Content);
    let (painting, page) = page(&Subject::new(noise(1), noise(2)), &options);
    assert!(page.contains("<figcaption>The photo, its light</figcaption>"));
    assert!(page.contains("<figcaption>The painting, its light</figcaption>"));
    assert!(painting.chroma_shrunk > 0.0 && page.contains("colours had to fade in"));
}
