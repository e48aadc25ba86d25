//! Memory: what a transfer takes, and what of a limit is left for what.

use impasto_autodiff::{AutodiffError, EvaluatorOptions, Plan};

use crate::coordinates::Pixels;
use crate::picture::{ReadOptions, Transparency};
use crate::{Colours, Init, Picture, PreparedNetwork, Size, Subject, TransferError, TransferOptions};

/// Bytes of the program in memory: its embedded weights, and what threads and libraries take.
const PROGRAM: u64 = 60 << 20;

impl TransferOptions {
    /// The bytes that a transfer at a size takes beside the evaluator: the optimiser and its coordinates, four pictures (the
    /// result, the photo as it was read and as it is compared, the network's input) and the program with its weights.
    pub(crate) fn working_bytes(&self, height: usize, width: usize) -> u64 {
        let numbers = 3 * height * width;
        let light = self.colours == Colours::Photo;
        let iterations = self.most_iterations(height.max(width));
        let optimiser = self.optimiser.bytes(iterations, self.variables((height, width)));
        optimiser
            + Pixels::bytes(height * width, light, false)
            + 4 * (numbers * size_of::<f32>()) as u64
            + PROGRAM
    }

    /// The most bytes that a run takes whose last scale has that plan: while it reads or while it paints.
    pub fn peak(&self, subject: &Subject, plan: &Plan) -> u64 {
        let (height, width) = subject.size(subject.longest_side(self));
        let painting = plan.bytes().total() + self.working_bytes(height, width) + self.beyond(subject);
        painting.max(PROGRAM + subject.reading())
    }

    /// The bytes of a run's pictures beyond those that [`Self::working_bytes`] counts: of large ones that were not shrunk, of
    /// masks, of one to start from, of what of the photo is kept while the rest moves, of alpha, which waits for the result and is
    /// then its own, and of what is there only while the targets are measured, where that is more than the optimiser, which comes
    /// after it.
    fn beyond(&self, subject: &Subject) -> u64 {
        let longest = subject.longest_side(self);
        let (height, width) = subject.size(longest);
        let numbers = 3 * height * width;
        let counted = 2 * numbers * size_of::<f32>();
        let start = if let Init::Picture(start) = &self.init { start.bytes() } else { 0 };
        let light = self.colours == Colours::Photo;
        let pixels = |kept| Pixels::bytes(height * width, light, kept);
        let kept = pixels(subject.keep().is_some()) - pixels(false);
        let alpha = if subject.photo().alpha().is_some() { 2 * height * width * size_of::<f32>() } else { 0 };
        let optimiser = self.optimiser.bytes(self.most_iterations(longest), self.variables((height, width)));
        let measuring = subject.scene_bytes(longest, self).saturating_sub(optimiser);
        (subject.bytes() + start).saturating_sub(counted as u64) + kept + alpha as u64 + measuring
    }

    /// Takes off the memory limit what a subject's pictures, and the one to start from, need where they are kept much larger than
    /// they are worked at.
    pub fn make_room_for(&mut self, subject: &Subject) {
        let beyond = self.beyond(subject);
        self.memory_limit = self.memory_limit.map(|limit| limit.saturating_sub(beyond));
    }

    /// How a picture is read for a transfer beside `held` bytes of pictures that were read before: within what they and the
    /// program leave of the memory limit, as large as it is, and on white or `background` where it is transparent.
    pub fn reading(&self, held: u64) -> ReadOptions {
        let (memory_limit, held) = (self.memory_limit, PROGRAM + held);
        ReadOptions {
            memory_limit,
            held,
            size: Size::Original,
            transparency: Transparency::On(self.background.unwrap_or([255; 3])),
            profile: false,
        }
    }

    /// [`Self::reading`] of a photo or a painting, which keeps its alpha unless `background` says what it is laid on.
    pub fn reading_whole(&self, held: u64) -> ReadOptions {
        let transparency = self.background.map_or(Transparency::Kept, Transparency::On);
        ReadOptions { transparency, ..self.reading(held) }
    }

    /// [`Self::reading_whole`] of the photo of a transfer of this size only: much larger ones are shrunk to it.
    pub fn reading_photo(&self, held: u64) -> ReadOptions {
        ReadOptions { size: self.size, ..self.reading_whole(held) }
    }

    /// [`Self::reading_whole`] of a painting, by its number from 0 on, of a transfer of this size only, whose photo was read before: much
    /// larger ones are shrunk to theirs.
    pub fn reading_painting(&self, number: usize, photo: &Picture, held: u64) -> ReadOptions {
        let longest = self.size.longest_side_for((photo.height(), photo.width()));
        ReadOptions {
            size: Size::Longest(self.longest_of_painting(number, longest)),
            ..self.reading_whole(held)
        }
    }

    /// What of the memory limit is left for the evaluator of pictures of that size.
    pub fn evaluator_options(&self, height: usize, width: usize) -> EvaluatorOptions {
        let left = |limit: u64| limit.saturating_sub(self.working_bytes(height, width));
        EvaluatorOptions { memory_limit: self.memory_limit.map(left) }
    }
}

/// The plan of evaluations of a subject whose result has that longest side, within the options' memory limit.
///
/// # Errors
/// [`AutodiffError`] if the picture is too small for the options' layers, or does not fit the limit.
pub fn plan(
    network: &PreparedNetwork,
    subject: &Subject,
    longest: usize,
    options: &TransferOptions,
) -> Result<Plan, AutodiffError> {
    let (height, width) = subject.size(longest);
    network.plan((height, width), &subject.taps(options), options.evaluator_options(height, width))
}

/// The plan of the last scale; where none fits, the error says what would.
pub(crate) fn plan_or_advise(
    network: &PreparedNetwork,
    subject: &Subject,
    options: &TransferOptions,
) -> Result<Plan, TransferError> {
    let longest = subject.longest_side(options);
    let size = subject.size(longest);
    plan(network, subject, longest, options).map_err(|error| match error {
        AutodiffError::Memory { needed, limit } => {
            let others = options.working_bytes(size.0, size.1);
            let largest = largest_fitting(network, subject, options);
            let limit = options.memory_limit.unwrap_or(limit);
            TransferError::Memory { size, needed: needed + others, limit, largest }
        }
        error => error.into(),
    })
}

/// A longest side below the wanted one, in steps of 16, that the memory limit has room for, while it has none for the next
/// step. None if what is small enough for the limit is too small for the network.
fn largest_fitting(network: &PreparedNetwork, subject: &Subject, options: &TransferOptions) -> Option<usize> {
    const STEP: usize = 16;
    let plan = |side: usize| plan(network, subject, side, options);
    let (mut low, mut high) = (0, subject.longest_side(options).div_ceil(STEP));
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        let too_large = matches!(plan(middle * STEP), Err(AutodiffError::Memory { .. }));
        if too_large { high = middle } else { low = middle }
    }
    (low > 0 && plan(low * STEP).is_ok()).then_some(low * STEP)
}
