//! What the pictures of a run say of themselves: what made them, and how far they came.

use impasto_style::picture::Encoding;
use impasto_style::{Checkpoint, Iterations, Painting, Provenance, StopReason, Stopped, Summary};

/// What the pictures of a run say of themselves.
#[derive(Debug)]
pub(super) struct Said {
    finished: Provenance,
    /// Of a run that goes on: the iterations that it was first asked for, which count at all sizes but the last, and those that it
    /// is asked for now.
    going_on: Option<[Iterations; 2]>,
    /// (H, W) of the last scale.
    size: (usize, usize),
    /// Iterations of all scales.
    iterations: usize,
}

impl Said {
    /// What a finished picture says, of a run with so many iterations that goes on from a checkpoint, if there is one.
    pub(super) fn new(
        finished: Provenance,
        iterations: &Iterations,
        checkpoint: Option<&Checkpoint>,
    ) -> Self {
        let first = checkpoint.map(Checkpoint::coarse_iterations);
        let going_on = first.map(|first| [first.clone(), iterations.clone()]);
        Self { finished, going_on, size: (0, 0), iterations: 0 }
    }

    /// Why a file of that format has no room for it, if that is so.
    pub(super) fn too_long(&self, encoding: Encoding) -> Option<String> {
        // As many bytes as iterations that are said of each size may take.
        const MORE: usize = 400;
        let (bytes, most) = (self.longest().len() + MORE, encoding.longest_text());
        (bytes > most).then(|| {
            let reason = format!("that takes {bytes} bytes, and a file of this format has room for {most}");
            format!("the picture will not say what made it: {reason}")
        })
    }

    /// Learns what is going to be done. Of a run that goes on it says how many iterations there are at each size.
    pub(super) fn start(&mut self, summary: &Summary) {
        (self.size, self.iterations) = (summary.size, summary.iterations);
        let (Some([first, now]), [coarse @ .., last]) = (&self.going_on, &summary.scale_iterations[..])
        else {
            return;
        };
        let done_here = summary.done.saturating_sub(coarse.iter().sum());
        // Fewer than are done may be asked for.
        let at_last = if done_here > *last { done_here } else { now.at(coarse.len()) };
        let of_scales: Vec<usize> = (0..coarse.len()).map(|scale| first.at(scale)).chain([at_last]).collect();
        self.finished.say_iterations(&of_scales);
    }

    /// The text of a picture that a run ended with.
    pub(super) fn of_painting(&self, painting: &Painting) -> String {
        let size = (painting.picture.height(), painting.picture.width());
        let is_finished = painting.reason != StopReason::Cancelled && size == self.size;
        self.text((!is_finished).then_some(Stopped { after: painting.iterations, of: self.iterations }))
    }

    /// The text of the picture of an iteration. That of the last one is finished.
    pub(super) fn of_iteration(&self, after: usize) -> String {
        self.text((after != self.iterations).then_some(Stopped { after, of: self.iterations }))
    }

    /// As long a text as a picture may have.
    pub(super) fn longest(&self) -> String {
        self.text(Some(Stopped { after: usize::MAX, of: usize::MAX }))
    }

    fn text(&self, stopped: Option<Stopped>) -> String {
        Provenance { stopped, ..self.finished.clone() }.to_string()
    }
}
