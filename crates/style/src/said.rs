//! What the pictures of a run say of themselves: what made them, and how far they came.

use crate::picture::{Encoding, Written};
use crate::{Effort, Iterations, Painting, Provenance, StopReason, Stopped, Summary, TransferOptions};

/// What the pictures of a run say of themselves.
#[derive(Debug, Clone)]
pub struct Said {
    finished: Provenance,
    /// Of a run that goes on, the iterations that it is asked for now: at all sizes but the last those count that it was first asked
    /// for.
    going_on: Option<(Iterations, Effort)>,
    /// (H, W) of the last scale.
    size: (usize, usize),
    /// Iterations of all scales.
    iterations: usize,
}

impl Said {
    /// What a finished picture says, of a run with these options that goes on from a checkpoint or starts anew.
    pub fn new(finished: Provenance, options: &TransferOptions, goes_on: bool) -> Self {
        let going_on = goes_on.then(|| (options.iterations.clone(), options.effort));
        Self { finished, going_on, size: (0, 0), iterations: 0 }
    }

    /// The same of pictures whose files are written so.
    #[must_use]
    pub fn written(&self, written: &Written, encoding: Encoding) -> Self {
        let mut said = self.clone();
        let unusual = written.unusual(encoding);
        said.finished.output = unusual.map(|(name, text)| (name.to_owned(), text.into())).collect();
        said
    }

    /// Why a file of that format has no room for it, if that is so.
    pub fn too_long(&self, encoding: Encoding) -> Option<String> {
        // As many bytes as iterations that are said of each size may take.
        const MORE: usize = 400;
        let (bytes, most) = (self.longest().len() + MORE, encoding.longest_text());
        (bytes > most).then(|| {
            let reason = format!("that takes {bytes} bytes, and a file of this format has room for {most}");
            format!("the picture will not say what made it: {reason}")
        })
    }

    /// Learns what is going to be done. Of a run that goes on it says how many iterations there are at each size, where these are
    /// others than those that are asked for now.
    pub fn start(&mut self, summary: &Summary) {
        (self.size, self.iterations) = (summary.size, summary.iterations);
        let Some((asked, effort)) = &self.going_on else { return };
        let mut of_scales = summary.scale_iterations.clone();
        let Some((last, coarse)) = of_scales.split_last_mut() else { return };
        // Fewer than are done may be asked for.
        *last = (*last).max(summary.done.saturating_sub(coarse.iter().sum()));
        let sides = summary.scales.iter().map(|&(height, width)| height.max(width)).enumerate();
        let as_asked = sides.map(|(scale, side)| asked.at(scale, side, *effort));
        if !as_asked.eq(of_scales.iter().copied()) {
            self.finished.say_iterations(&of_scales);
        }
    }

    /// Whether a picture that a run ended with is not that of the whole run.
    pub fn is_stopped(&self, painting: &Painting) -> bool {
        let size = (painting.picture.height(), painting.picture.width());
        painting.reason == StopReason::Cancelled || size != self.size
    }

    /// The text of a picture that a run ended with.
    pub fn of_painting(&self, painting: &Painting) -> String {
        let stopped = Stopped { after: painting.iterations, of: self.iterations };
        self.text(self.is_stopped(painting).then_some(stopped))
    }

    /// The text of the picture of an iteration. That of the last one is finished.
    pub fn of_iteration(&self, after: usize) -> String {
        self.text((after != self.iterations).then_some(Stopped { after, of: self.iterations }))
    }

    /// The text of a picture that is finished.
    pub fn of_finished(&self) -> String {
        self.text(None)
    }

    /// As long a text as a picture may have.
    pub fn longest(&self) -> String {
        self.text(Some(Stopped { after: usize::MAX, of: usize::MAX }))
    }

    fn text(&self, stopped: Option<Stopped>) -> String {
        Provenance { stopped, ..self.finished.clone() }.to_string()
    }
}
