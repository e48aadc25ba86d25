//! `--save-every`: pictures beside the last one, with the iteration in their names.

use crate::failure::Failure;
use crate::inputs::Inputs;
use crate::output::Output;

/// Which iterations have a picture of their own.
pub(crate) struct Intermediate {
    every: u64,
    /// What these pictures may not replace.
    taken: Inputs,
}

impl Intermediate {
    /// Every so many iterations one beside `output`, which has to be a file.
    pub(crate) fn beside(output: &Output, every: u64) -> Result<Self, Failure> {
        if output.path().is_none() {
            return Err(Failure::wrong_use("--save-every needs a file to name its pictures after, not -"));
        }
        Ok(Self { every, taken: Inputs::default() })
    }

    /// The same, which replace none of these files.
    pub(crate) fn apart_from(self, taken: Inputs) -> Self {
        Self { taken, ..self }
    }

    /// The places of the first ones after `done` of so many iterations, `most` at most.
    pub(crate) fn first(&self, output: &Output, done: usize, iterations: usize, most: usize) -> Vec<Output> {
        let every = self.every as usize;
        let first = (done / every + 1).saturating_mul(every);
        let places = (first..=iterations).step_by(every).take(most);
        places.filter_map(|iteration| output.numbered(iteration, iterations)).collect()
    }

    /// Checks that one takes the place of nothing that it may not.
    pub(crate) fn is_free(&self, place: &Output) -> Result<(), Failure> {
        place.path().map_or(Ok(()), |path| self.taken.keep_apart(&[("--save-every", path)]))
    }

    /// The place for the picture of an iteration, which is free; none if that iteration has no picture.
    pub(crate) fn due(
        &self,
        output: &Output,
        iteration: usize,
        iterations: usize,
    ) -> Result<Option<Output>, Failure> {
        let is_due = (iteration as u64).is_multiple_of(self.every);
        let place = output.numbered(iteration, iterations).filter(|_| is_due);
        place.map(|place| self.is_free(&place).map(|()| place)).transpose()
    }
}
