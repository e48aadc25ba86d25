use impasto_style::picture::{Encoding, ReadOptions};
use impasto_style::{Network, Objective, Picture, PreparedNetwork, Preset, Subject};
use std::{error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let read = |name: &str| Picture::read(Path::new(name), &ReadOptions::default());
    let subject = Subject::new(read("photo.jpg")?.picture, read("painting.jpg")?.picture);
    let options = Preset::Paper.options();
    let network = PreparedNetwork::new(Network::embedded()?, &options)?;

    // P of the photo and A of the painting, at 96 pixels; L(x) and dL/dx from there on.
    let scene = subject.at(96, &options)?;
    let (height, width) = (scene.photo().height(), scene.photo().width());
    let targets = scene.measure(&network, &options)?;
    let mut objective = Objective::new(&network, targets, (height, width), &options)?;
    for (index, term) in objective.terms().iter().enumerate() {
        println!("{index}: {} at {:?}, weight {:.1e}", term.kind.title(), term.layer, term.weight.product());
    }
    objective.set_weight(0, 2e-3)?; // twice the content

    // Gradient descent: the pixel that moves most moves by 4 grey levels.
    let mut x = scene.photo().data().to_vec(); // H x W x 3, 0 to 255
    let mut gradient = vec![0.0; x.len()];
    for step in 0..10 {
        let losses = objective.evaluate(&x, &mut gradient)?;
        println!("{step}: L = {:.4e}", losses.total);
        let largest = gradient.iter().fold(0.0_f32, |largest, g| largest.max(g.abs()));
        x.iter_mut().zip(&gradient).for_each(|(x, g)| *x -= 4.0 * g / largest);
    }
    Picture::new(height, width, x)?.write(Path::new("descent.png"), Encoding::Png)?;
    Ok(())
}
