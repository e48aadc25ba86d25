//! The page of an explained run says where styles act, and nothing of it where they act everywhere; what made it, how the terms pull and
//! what the line searches saw.
#![cfg(feature = "embedded-weights")]

use std::ops::ControlFlow;

use impasto_study::Origin;
use impasto_study::explain::explain;
use impasto_style::{
    AdamOptions, Colours, Init, Input, Mask, Network, Optimiser, Painting, Photo, Picture, PreparedNetwork,
    Preset, Region, RegionMask, Role, Size, StyleImage, Subject, TransferOptions, white_noise,
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
    explain(&network, subject, options, &Origin::default(), |_| ControlFlow::Continue(())).unwrap()
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

#[test]
fn a_page_says_what_made_it_and_which_options_were_in_force() {
    let (network, options) = (Network::embedded().unwrap(), options().with_init(Init::Content));
    let (photo, subject) = (noise(1), Subject::new(noise(1), noise(2)));
    let origin = Origin {
        command: ["impasto", "explain", "a <b>.png"].map(str::to_owned).to_vec(),
        inputs: vec![
            Input::picture(Role::Content, Some("folder/a <b>.png".as_ref()), &photo),
            Input::network(None, &network),
        ],
        without_effect: vec!["seed".to_owned()],
    };
    let prepared = PreparedNetwork::new(network, &options).unwrap();
    let (_, page) = explain(&prepared, &subject, &options, &origin, |_| ControlFlow::Continue(())).unwrap();
    assert!(page.contains("impasto explain 'a &lt;b>.png'</code>"));
    assert!(
        page.contains("<td>content</td><td>folder/<wbr>a &lt;b>.png</td>")
            && page.contains("<td>built in</td>")
    );
    let hash = origin.inputs[0].sha256.as_deref().unwrap();
    assert!(page.contains(&format!("<code title=\"{hash}\">{}</code>", &hash[..16])));
    assert!(page.contains("<code>--style-weight</code>"));
    for idle in ["seed", "tv-points", "learning-rate", "mask-reach"] {
        assert!(!page.contains(&format!("<code>--{idle}</code>")), "{idle}");
    }
    // Without a command and inputs nothing is said of them.
    let (_, page) = self::page(&subject, &options);
    assert!(page.contains("<code>--seed</code>") && !page.contains("What made it"));
}

#[test]
fn searches_gradients_eigenvalues_and_fields_are_shown() {
    let subject = Subject::new(noise(1), noise(2));
    let mut options = options().with_iterations(6).with_content_weight(1.0);
    options.content_layers = "conv2_1".parse().unwrap();
    let (_, page) = self::page(&subject, &options);
    assert!(page.contains("<p>6 steps took "));
    for colour in ["light", "red against blue", "green against both"] {
        assert_eq!(count(&page, &format!("has learnt of {colour}:")), 1);
    }
    assert_eq!(count(&page, "<h2>How the terms pull</h2>"), 1);
    let row = |name: &str| page.split(&format!("<tr><th>{name}</th>")).nth(1).map(str::to_owned);
    let numbers = |row: String| -> Vec<f64> {
        let row = row.split("</tr>").next().unwrap_or_default().to_owned();
        let cells =
            row.split("<td class=\"number\">").skip(1).map(|cell| cell.split('<').next().unwrap().to_owned());
        cells.map(|cell| cell.parse().unwrap()).collect()
    };
    let names = ["content conv2_1", "style conv1_1", "style conv3_1"];
    let rows: Vec<Vec<f64>> = names.iter().map(|name| numbers(row(name).expect("a row"))).collect();
    let shares: f64 = rows.iter().map(|row| row[0]).sum();
    assert!((shares - 1.0).abs() < 2e-3, "{rows:?}");
    for (at, row) in rows.iter().enumerate() {
        assert!(row.len() == 2 + names.len() && (row[2 + at] - 1.0).abs() < 0.01, "{rows:?}");
    }
    assert!(page.contains("cosine between content"));
    assert_eq!(
        count(&page, "eigenvalue</text>") + count(&page, "eigenvalue\n</text>"),
        2,
        "a chart for each style layer"
    );
    for (layer, side) in [("conv1_1", 3), ("conv2_1", 10), ("conv3_1", 24)] {
        assert!(page.contains(&format!("</span>{layer}: {side} x {side} pixels</li>")), "{layer}");
        assert!(page.contains(&format!("width=\"{side}\" height=\"{side}\" fill=\"none\"")), "{layer}");
    }
}

#[test]
fn of_adam_there_are_no_searches() {
    let options = options().with_optimiser(Optimiser::Adam(AdamOptions::default()));
    let (_, page) = page(&Subject::new(noise(1), noise(2)), &options);
    assert!(!page.contains("What L-BFGS did") && page.contains("The learning rate of Adam"));
    assert!(page.contains("<h2>How the terms pull</h2>"));
}
