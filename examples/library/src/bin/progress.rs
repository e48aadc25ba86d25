use impasto_style::picture::{Encoding, ReadOptions};
use impasto_style::{Event, Network, Picture, PreparedNetwork, Subject, TransferOptions, transfer};
use std::{error::Error, ops::ControlFlow, path::Path, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let read = |name: &str| Picture::read(Path::new(name), &ReadOptions::default());
    let subject = Subject::new(read("photo.jpg")?.picture, read("painting.jpg")?.picture);
    let options = TransferOptions::default().with_size(128).with_iterations(20);
    let network = PreparedNetwork::new(Network::embedded()?, &options)?;

    let painting = transfer(&network, &subject, &options, |event| {
        match event {
            Event::Started(summary) => {
                println!("{} MiB, {} iterations", summary.bytes >> 20, summary.iterations);
            }
            Event::Measuring(measuring) => {
                println!("measuring {:?} for {:?}", measuring.source, measuring.size);
            }
            Event::Iteration(progress) => {
                println!("{}: L = {:.4e}", progress.iteration, progress.losses.total);
                // Enough? The picture so far is the result.
                if progress.elapsed > Duration::from_secs(20) {
                    return ControlFlow::Break(());
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    })?;
    println!("{:?} after {} iterations", painting.reason, painting.iterations);
    painting.picture.write(Path::new("progress.png"), Encoding::Png)?;
    Ok(())
}
