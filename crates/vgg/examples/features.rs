//! What the layers of VGG-16 answer to a picture: sizes, means, how much is silent, and the filters that answer most.
//!
//! `cargo run -p impasto-vgg --example features [LAYER [PICTURE.png]]`

use std::error::Error;
use std::path::{Path, PathBuf};

use impasto_autodiff::{Layer, Pooling, reference};
use impasto_tensor::{Shape, Tensor};
use impasto_vgg::Network;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let layer = arguments.next().unwrap_or_else(|| "conv4_2".to_owned());
    let example = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/content/chelsea.png");
    let path = arguments.next().map_or_else(example, PathBuf::from);

    let picture = image::open(&path)?.thumbnail(160, 160).to_rgb8();
    let shape = Shape::new(picture.height() as usize, picture.width() as usize, 3);
    let picture = Tensor::from_vec(shape, picture.iter().map(|&value| f32::from(value)).collect())?;
    let chain = Network::embedded()?.chain_to(&layer, Pooling::Average)?;
    let responses = reference::responses(&chain, &picture, chain.layers.len() - 1)?;

    println!("layer      H x W x N          mean F       max F   share of F = 0");
    for (layer, response) in chain.layers.iter().zip(&responses) {
        let Layer::Conv(conv) = layer else { continue };
        let f = response.data();
        let mean = f.iter().map(|&value| f64::from(value)).sum::<f64>() / f.len() as f64;
        let max = f.iter().copied().fold(0.0, f32::max);
        let silent = f.iter().filter(|&&value| value == 0.0).count() as f64 / f.len() as f64;
        let shape = response.shape().to_string();
        println!("{:9}  {shape:15}  {mean:9.2}   {max:9.2}   {:13.0}%", conv.name, 100.0 * silent);
    }

    let Some(response) = responses.last() else { return Ok(()) };
    let Shape { width, channels, .. } = response.shape();
    let mut filters: Vec<(usize, f64)> =
        (0..channels).map(|filter| (filter, mean(response, filter))).collect();
    filters.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    println!("\nThe filters of {layer} that answer most, and where:");
    for (filter, mean) in filters.into_iter().take(5) {
        let answers = response.data().iter().skip(filter).step_by(channels).enumerate();
        let (position, peak) = answers.max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or((0, &0.0));
        let (row, column) = (position / width, position % width);
        println!("filter {filter:3}: mean {mean:8.2}, most at row {row}, column {column}: {peak:.2}");
    }
    Ok(())
}

/// The mean of F over all positions, of one filter: channels lie side by side, so its values are `channels` apart.
fn mean(response: &Tensor<f32>, filter: usize) -> f64 {
    let shape = response.shape();
    let sum: f64 = response.data().iter().skip(filter).step_by(shape.channels).map(|&f| f64::from(f)).sum();
    sum / shape.positions() as f64
}
