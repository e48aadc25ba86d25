//! What layers answer to the photo, and how much of it they see.

use impasto_autodiff::{Layer, Pooling, reference};
use impasto_study::sheet::Sheet;
use impasto_style::{Network, Picture};
use impasto_tensor::{Element, Tensor};

use crate::Result;

const LAYERS: [&str; 4] = ["conv1_1", "conv2_1", "conv3_1", "conv4_1"];
const FILTERS: usize = 4;
/// The longest side of the photo, and of a cell.
const SIDES: [usize; 2] = [320, 160];

/// The responses of VGG-16 to a picture at these layers, in order.
pub(crate) fn responses<T: Element>(picture: &Picture, layers: &[&str]) -> Result<Vec<Tensor<T>>> {
    let deepest = layers.last().ok_or("no layer")?;
    let chain = Network::embedded()?.chain_to(deepest, Pooling::Max)?.cast::<T>();
    let shape = picture.tensor().shape();
    let data = picture.data().iter().map(|&v| T::from_f64(f64::from(v))).collect();
    let all = reference::responses(&chain, &Tensor::from_vec(shape, data)?, chain.layers.len() - 1)?;
    let named = chain.layers.iter().zip(all);
    Ok(named
        .filter_map(|(layer, response)| match layer {
            Layer::Conv(conv) if layers.contains(&conv.name.as_str()) => Some(response),
            _ => None,
        })
        .collect())
}

/// For each layer the filters with the largest variance, as pictures from black (0) to white (the largest response).
pub(crate) fn strongest(photo: &Picture) -> Result<Picture> {
    let [(height, width), cell] = SIDES.map(|side| photo.size_with_longest_side(side));
    let mut pictures = Vec::new();
    for response in responses::<f32>(&photo.resized(height, width)?, &LAYERS)? {
        let shape = response.shape();
        let values = |filter: usize| response.data().iter().skip(filter).step_by(shape.channels).copied();
        let variance = |filter: usize| {
            let count = shape.positions() as f32;
            let mean = values(filter).sum::<f32>() / count;
            values(filter).map(|v| (v - mean).powi(2)).sum::<f32>() / count
        };
        let mut filters: Vec<(f32, usize)> =
            (0..shape.channels).map(|filter| (variance(filter), filter)).collect();
        filters.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, filter) in filters.into_iter().take(FILTERS) {
            let most = values(filter).fold(1e-6, f32::max);
            let grey = values(filter).flat_map(|v| [255.0 * v / most; 3]).collect();
            pictures.push(sampled(&Picture::new(shape.height, shape.width, grey)?, cell)?);
        }
    }
    let columns = (1..=FILTERS).map(|n| format!("filter {n}")).collect::<Vec<_>>();
    Ok(Sheet { rows: &LAYERS.map(str::to_owned), columns: &columns, pictures: &pictures }.draw()?)
}

/// A picture at another size, the nearest pixel at each: enlarged, pixels are squares.
pub(crate) fn sampled(picture: &Picture, (height, width): (usize, usize)) -> Result<Picture> {
    let (h, w) = (picture.height(), picture.width());
    let mut data = Vec::with_capacity(3 * height * width);
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let at = 3 * ((y * h / height) * w + x * w / width);
        data.extend(&picture.data()[at..at + 3]);
    }
    Ok(Picture::new(height, width, data)?)
}

/// The photo with the receptive fields of one response each drawn to scale: VGG-16's conv1_1, 2_1, 3_1, 4_1 and 5_1.
pub(crate) fn fields(photo: &Picture) -> Picture {
    let mut picture = photo.clone();
    let (height, width) = (picture.height(), picture.width());
    let (middle_y, middle_x) = (height * 2 / 5, width / 2);
    for side in [3, 10, 24, 60, 132] {
        let (top, left) = (middle_y - side / 2, middle_x - side / 2);
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            let edge = y.min(x).min(side - 1 - y).min(side - 1 - x);
            if edge < if side > 10 { 2 } else { 1 } {
                let at = 3 * ((top + y) * width + left + x);
                picture.data_mut()[at..at + 3].copy_from_slice(&[255.0, 235.0, 60.0]);
            }
        }
    }
    picture
}
