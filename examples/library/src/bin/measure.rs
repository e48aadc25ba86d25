use impasto_style::picture::ReadOptions;
use impasto_style::{Network, Picture, measure};
use std::{error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let picture = Picture::from_bytes(&fs::read("painting.jpg")?, &ReadOptions::default())?.picture;
    let (height, width) = picture.size_with_longest_side(256);
    let picture = picture.resized(height, width)?;

    let network = Network::embedded()?;
    for layer in measure(&network, &picture, &["conv1_1", "relu4_2"])?.layers {
        let (f, g) = (&layer.response, &layer.gram); // F: H x W x N, G / M: N x N
        let largest = f.data().iter().fold(0.0_f32, |largest, &f| largest.max(f));
        let trace: f32 = g.data.iter().step_by(g.channels + 1).sum();
        println!("{}: {}, at most {largest:.1}; trace of G / M {trace:.1}", layer.name, f.shape());
    }
    Ok(())
}
