//! A texture: starts from noise, and changes the pixels until their Gram matrices are the painting's.
//!
//! `cargo run -p impasto-style --example texture [PAINTING [OUTPUT.png]]`

use std::error::Error;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use impasto_lbfgs::{Lbfgs, Optimiser};
use impasto_style::coordinates::{Coordinates, Spectrum};
use impasto_style::picture::{Encoding, ReadOptions};
use impasto_style::{Network, Objective, Picture, PreparedNetwork, Preset, Subject, white_noise};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let example = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/style/cafe_terrace.webp");
    let painting = arguments.next().unwrap_or_else(example);
    let output = arguments.next().unwrap_or_else(|| std::env::temp_dir().join("impasto-texture.png"));

    // L = beta sum_l w_l E_l, with the paper's five style layers and no content.
    let options = Preset::Paper.options().with_content_weight(0.0).with_style_weight(1.0);
    let network = PreparedNetwork::new(Network::embedded()?, &options)?;

    // A of the painting, at 160 pixels. Without a content loss the photo does not count.
    let painting = Picture::read(&painting, &ReadOptions::default())?.picture;
    let subject = Subject::new(white_noise(160, 160, 0)?, painting);
    let targets = subject.at(160, &options)?.measure(&network, &options)?;

    // The texture's own size: any will do, because a Gram matrix does not know where a response was.
    let (height, width) = (96, 144);
    let mut objective = Objective::new(&network, targets, (height, width), &options)?;

    // L-BFGS moves waves of opponent colours instead of pixels.
    let mut waves = Spectrum::around(white_noise(height, width, 1)?);
    let (mut u, groups) = (waves.start(), waves.groups());
    let lbfgs = Lbfgs { max_iterations: 60, first_step: (u.len() as f64).sqrt(), ..Lbfgs::default() };
    let loss = |u: &[f32], gradient: &mut [f32]| {
        waves.evaluate(u, gradient, |x, gradient| objective.evaluate(x, gradient).map(|losses| losses.total))
    };
    let outcome = lbfgs.minimise_in_groups(&mut u, groups, loss, |step| {
        if step.iteration % 10 == 0 {
            println!("{:4} iterations: loss {:.3e}", step.iteration, step.loss);
        }
        ControlFlow::Continue(())
    })?;
    Picture::new(height, width, waves.into_pixels(u))?.write(&output, Encoding::Png)?;
    println!("From {:.3e} to {:.3e}: {}", outcome.initial_loss, outcome.loss, output.display());
    Ok(())
}
