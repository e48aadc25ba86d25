//! Checkpoints of a small run, to be broken, and the run that goes on from them.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use impasto_style::{
    AdamOptions, Checkpoint, Checkpoints, Event, Input, Network, Optimiser, PreparedNetwork, Preset, Record,
    Role, Run, Size, Subject, TransferError, TransferOptions, transfer_with, white_noise,
};

/// A run that never ends by itself.
struct Sitting {
    network: PreparedNetwork,
    subject: Subject,
    options: TransferOptions,
    record: Record,
}

impl Sitting {
    fn new(optimiser: Optimiser) -> Self {
        let options = Preset::Paper
            .options()
            .with_size(Size::Longest(16))
            .with_iterations(8)
            .with_optimiser(optimiser)
            .with_content_layers("conv1_1".parse().expect("a layer"))
            .with_style_layers("conv1_1".parse().expect("a layer"));
        let network = Network::embedded().expect("a build with weights");
        let subject = Subject::new(
            white_noise(12, 16, 1).expect("a small picture"),
            white_noise(16, 16, 2).expect("a small picture"),
        );
        let mut inputs = vec![Input::picture(Role::Content, None, subject.photo())];
        inputs.extend(subject.paintings().map(|painting| Input::picture(Role::Style, None, painting)));
        Self {
            network: PreparedNetwork::new(network, &options).expect("options that fit"),
            record: Record::new(&options, inputs),
            subject,
            options,
        }
    }

    /// Paints for a few iterations.
    fn paint(&self, run: Run<'_>, iterations: usize) -> Result<(), TransferError> {
        let mut left = iterations;
        let on_event = |event: Event<'_>| {
            left -= usize::from(matches!(event, Event::Iteration(_)) && left > 0);
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        transfer_with(&self.network, &self.subject, &self.options, run, on_event).map(drop)
    }

    /// The checkpoint after four iterations.
    fn checkpoint(&self) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("checkpoint");
        let checkpoints =
            Checkpoints { every: Duration::ZERO, ..Checkpoints::new(&path, self.record.clone()) };
        self.paint(Run { checkpoints: Some(checkpoints), ..Run::default() }, 4).expect("a sound run");
        fs::read(path).expect("a checkpoint")
    }
}

static SITTINGS: LazyLock<[Sitting; 2]> = LazyLock::new(|| {
    [Optimiser::Lbfgs { history: Some(3) }, Optimiser::Adam(AdamOptions::DEFAULT)].map(Sitting::new)
});

/// One of each method. They hold the time that they took: other processes have others.
pub(crate) fn checkpoints() -> Vec<(String, Vec<u8>)> {
    static MADE: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| SITTINGS.each_ref().map(Sitting::checkpoint));
    ["lbfgs.checkpoint", "adam.checkpoint"].map(str::to_owned).into_iter().zip(MADE.iter().cloned()).collect()
}

/// Makes the checksum right again.
pub(crate) fn mend_checksum(bytes: &mut [u8]) {
    if let Some((content, sum)) = bytes.split_last_chunk_mut::<4>() {
        *sum = crc32fast::hash(content).to_le_bytes();
    }
}

/// Goes on from a checkpoint, for an iteration, if it fits one of the runs.
pub(crate) fn go_on(_: &[u8], path: &Path) -> Result<(), String> {
    for sitting in &*SITTINGS {
        let fitting = Checkpoint::open(path).map_err(|error| error.to_string())?.fitting(&sitting.record);
        if let Ok(resume) = fitting {
            let run = Run { resume: Some(resume), ..Run::default() };
            return sitting.paint(run, 1).map_err(|error| error.to_string());
        }
    }
    Ok(())
}
