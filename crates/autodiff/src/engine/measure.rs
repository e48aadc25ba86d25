//! What a picture has at some layers: the targets of later evaluations.

use std::sync::Arc;

use impasto_tensor::{Gram, Shape, Tensor};

use super::layout::Purpose;
use super::network::{PreparedChain, check_length};
use super::plan::{StagedTap, Task, Work};
use super::program::Program;
use crate::losses::{GramMatrix, Loss, LossKind};
use crate::terms::Tap;
use crate::{AutodiffError, Cancel};

/// What is collected at a stage.
#[derive(Debug, Default)]
struct Collected {
    gram: Option<Gram>,
    /// F, if a loss at positions asks for it.
    response: Option<Vec<f32>>,
}

impl PreparedChain {
    /// The losses at `taps` whose targets are what a picture of `height` x `width` has there: P at a content layer, A/M at
    /// a style layer. In the order of the taps. Within a memory limit or cut as [`crate::Cuts`] say, the bits are the same.
    ///
    /// # Errors
    /// [`AutodiffError`] for an unknown layer, a slice of the wrong length, a picture too small for the layers, or one
    /// that does not fit the memory limit; [`AutodiffError::Cancelled`] if `cancel` was set meanwhile.
    pub fn measure(
        self: &Arc<Self>,
        image: &[f32],
        (height, width): (usize, usize),
        taps: &[Tap],
        work: impl Into<Work>,
        cancel: &Cancel,
    ) -> Result<Vec<Loss>, AutodiffError> {
        let shape = Shape::new(height, width, self.input_channels()).checked()?;
        check_length(shape, image.len())?;
        let staged = self.stages_of(taps)?;
        let task = Task { size: (height, width), taps: &staged, purpose: Purpose::Measure };
        let plan = self.plan_task(task, &work.into())?;
        let collect = |at: usize| {
            let mut kinds = staged.iter().filter(|&&(stage, _)| stage == at).map(|&(_, kind)| kind);
            let of_sums = kinds.clone().any(LossKind::is_of_sums);
            let response = kinds.any(|kind| !kind.is_of_sums()).then(Vec::new);
            let gram = of_sums.then(|| self.gram(&plan, at)).transpose()?;
            Ok::<_, AutodiffError>(Collected { gram, response })
        };
        let mut collected: Vec<Collected> = (0..plan.layers.len()).map(collect).collect::<Result<_, _>>()?;
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
                let Collected { gram, response } = &mut collected[at];
                if let Some(gram) = gram {
                    gram.add(f, scratch);
                }
                if let Some(response) = response {
                    response.extend_from_slice(f);
                }
                Ok(())
            })?;
        }
        drop(program);
        let loss = |(index, &(at, kind)): (usize, &StagedTap)| {
            let shape = self.stages[at].response_shape((height, width));
            let again = staged[index + 1..].iter().any(|&(stage, kind)| stage == at && !kind.is_of_sums());
            let Collected { gram, response } = &mut collected[at];
            let response = || {
                let f = if again { response.clone() } else { response.take() };
                Ok(Tensor::from_vec(shape, f.unwrap_or_default())?)
            };
            let gram = || {
                let data = gram.as_ref().map_or_else(Vec::new, Gram::normalised);
                Ok(GramMatrix { channels: shape.channels, data })
            };
            kind.target(response, gram)
        };
        staged.iter().enumerate().map(loss).collect()
    }
}
