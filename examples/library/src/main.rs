use impasto_style::picture::{Encoding, ReadOptions};
use impasto_style::{Network, Picture, PreparedNetwork, Subject, TransferOptions, transfer};
use std::{error::Error, ops::ControlFlow, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let read = |name: &str| Picture::read(Path::new(name), &ReadOptions::default());
    let subject = Subject::new(read("photo.jpg")?.picture, read("painting.jpg")?.picture);
    let options = TransferOptions::default().with_size(128).with_iterations(20);
    let network = PreparedNetwork::new(Network::embedded()?, &options)?;
    let painting = transfer(&network, &subject, &options, |_| ControlFlow::Continue(()))?;
    painting.picture.write(Path::new("out.png"), Encoding::Png)?;
    Ok(())
}
