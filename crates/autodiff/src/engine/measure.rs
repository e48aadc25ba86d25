//! What a picture has at some layers: the targets of later evaluations.

use std::sync::Arc;

use impasto_tensor::{Gram, Shape, Tensor};

use super::layout::Purpose;
use super::network::{PreparedChain, check_length};
use super::plan::{GuidedTap, LayerPlan, Plan, StagedTap, Task, Work, staged};
use super::program::Program;
use crate::losses::{GramMatrix, Loss, Moments};
use crate::terms::Tap;
use crate::{AutodiffError, Cancel, Guide};

/// What is collected at a stage.
#[derive(Debug, Default)]
struct Collected {
    /// The Gram sums of each guide, and of none.
    grams: Vec<(Option<usize>, Gram)>,
    /// F, if a loss at positions asks for it.
    response: Option<Vec<f32>>,
}

impl PreparedChain {
    /// The losses at `taps` whose targets are what a picture of `height` x `width` has there: P at a content layer, A/M (and
    /// the mean) at a style layer. In the order of the taps. Within a memory limit or cut as [`crate::Cuts`] say, the bits are the same.
    ///
    /// `guides` say which part of the picture is taken, one for each tap; without any it is the whole picture. They are heeded by losses
    /// of sums: a loss at positions has the whole response. The losses themselves are not guided: [`Loss::guided`].
    ///
    /// # Errors
    /// [`AutodiffError`] for an unknown layer, a slice of the wrong length, guides that do not fit, a picture too small for the layers,
    /// or one that does not fit the memory limit; [`AutodiffError::Cancelled`] if `cancel` was set meanwhile.
    pub fn measure(
        self: &Arc<Self>,
        image: &[f32],
        (height, width): (usize, usize),
        (taps, guides): (&[Tap], &[Option<Guide>]),
        work: impl Into<Work>,
        cancel: &Cancel,
    ) -> Result<Vec<Loss>, AutodiffError> {
        let shape = Shape::new(height, width, self.input_channels()).checked()?;
        check_length(shape, image.len())?;
        let guided = self.guided_taps((height, width), taps, guides)?;
        let staged = staged(&guided);
        let task = Task { size: (height, width), taps: &staged, purpose: Purpose::Measure };
        let plan = self.plan_task(task, &work.into())?;
        let mut collected = self.empty(&plan, &guided, &staged)?;
        let mut program = Program::new(Arc::clone(self), plan)?;
        program.cancel = cancel.clone();
        let mut input = Vec::new();
        if let Some(preprocessing) = self.input {
            input = vec![0.0; image.len()];
            preprocessing.apply(image, &mut input);
        }
        let image = if self.input.is_some() { &input } else { image };
        let layout = Arc::clone(&program.plan.layout);
        for step in &layout.sums {
            program.forward(step, image, |at, _, f, scratch| {
                let Collected { grams, response } = &mut collected[at];
                for (_, gram) in grams {
                    gram.add(f, scratch);
                }
                if let Some(response) = response {
                    response.extend_from_slice(f);
                }
                Ok(())
            })?;
        }
        drop(program);
        self.losses((height, width), &staged, collected)
    }

    /// The stage, the loss and the guide of each tap.
    fn guided_taps<'a>(
        &self,
        size: (usize, usize),
        taps: &[Tap],
        guides: &'a [Option<Guide>],
    ) -> Result<Vec<GuidedTap<'a>>, AutodiffError> {
        if !guides.is_empty() && guides.len() != taps.len() {
            return Err(AutodiffError::Guides { taps: taps.len(), guides: guides.len() });
        }
        let stages = self.stages_of(taps)?;
        let tap = |(index, (tap, stage)): (usize, (&Tap, usize))| {
            let guide = guides.get(index).and_then(Option::as_ref).filter(|_| tap.kind.is_of_sums());
            if let Some(guide) = guide {
                guide.check(&tap.layer, self.stages[stage].response_shape(size))?;
            }
            Ok(GuidedTap { stage, kind: tap.kind, guide })
        };
        taps.iter().zip(stages).enumerate().map(tap).collect()
    }

    /// What is collected at each stage, before any of it is there.
    fn empty(
        &self,
        plan: &Plan,
        guided: &[GuidedTap<'_>],
        staged: &[StagedTap],
    ) -> Result<Vec<Collected>, AutodiffError> {
        let mut collected: Vec<Collected> = plan.layers.iter().map(|_| Collected::default()).collect();
        for (tap, GuidedTap { guide, .. }) in staged.iter().zip(guided) {
            let Collected { grams, response } = &mut collected[tap.stage];
            if !tap.kind.is_of_sums() {
                let LayerPlan { extent, out_channels, .. } = &plan.layers[tap.stage];
                *response = Some(Vec::with_capacity(extent.height * extent.width * out_channels));
            } else if grams.iter().all(|(guide, _)| *guide != tap.guide) {
                grams.push((tap.guide, self.gram(plan, tap.stage, *guide)?));
            }
        }
        Ok(collected)
    }

    /// The losses whose targets were collected.
    fn losses(
        &self,
        size: (usize, usize),
        staged: &[StagedTap],
        mut collected: Vec<Collected>,
    ) -> Result<Vec<Loss>, AutodiffError> {
        let loss = |(index, tap): (usize, &StagedTap)| {
            let shape = self.stages[tap.stage].response_shape(size);
            let later = &staged[index + 1..];
            let again = later.iter().any(|later| later.stage == tap.stage && !later.kind.is_of_sums());
            let Collected { grams, response } = &mut collected[tap.stage];
            let response = || {
                let f = if again { response.clone() } else { response.take() };
                Ok(Tensor::from_vec(shape, f.unwrap_or_default())?)
            };
            let moments = || {
                let own = grams.iter().find(|(guide, _)| *guide == tap.guide);
                let (mean, data) =
                    own.map_or_else(Default::default, |(_, gram)| (gram.mean(), gram.normalised()));
                Ok(Moments { mean, second: GramMatrix { channels: shape.channels, data } })
            };
            tap.kind.target(response, moments)
        };
        staged.iter().enumerate().map(loss).collect()
    }
}
