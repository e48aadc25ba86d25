//! What the masks of a subject leave of each layer's response.

use impasto_autodiff::{AutodiffError, Coverage, LossKind, Reach};

use super::{Masked, Masks, Source, Vanished};
use crate::{Mask, PreparedNetwork, Subject, TermSpec, TransferError, TransferOptions};

/// What of the responses counts in each term.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coverages {
    /// Of the picture that is painted, for each term.
    terms: Vec<Coverage>,
    /// Of each painting, for each term.
    parts: Vec<Vec<Coverage>>,
    vanished: Vec<Vanished>,
}

impl Coverages {
    /// The coverages of terms at the size of the masks.
    pub(crate) fn new(
        network: &PreparedNetwork,
        subject: &Subject,
        masks: &Masks,
        specs: &[TermSpec],
        options: &TransferOptions,
    ) -> Result<Self, AutodiffError> {
        let count = subject.paintings.len();
        let mut all = Self::everywhere(specs.len(), count);
        let content = |spec: &TermSpec| spec.kind == LossKind::Content;
        cover(network, masks.content.as_ref(), Reach::Average, specs, content, &mut all.terms)?;
        for (region, mask) in masks.regions.iter().enumerate() {
            let own = |spec: &TermSpec| spec.is_in(region);
            cover(network, mask.as_ref(), options.mask_reach, specs, own, &mut all.terms)?;
        }
        for (number, part) in masks.parts.iter().enumerate() {
            let own = |spec: &TermSpec| spec.is_measured_of(Source::Painting(number));
            cover(network, part.as_ref(), options.mask_reach, specs, own, &mut all.parts[number])?;
        }
        all.drop_vanished(subject, specs);
        Ok(all)
    }

    /// No masks.
    pub(super) fn everywhere(terms: usize, paintings: usize) -> Self {
        let terms = vec![Coverage::Everywhere; terms];
        Self { parts: vec![terms.clone(); paintings], terms, vanished: Vec::new() }
    }

    /// Notes what has no position at its layer; a term whose paintings have none has none itself.
    pub(super) fn drop_vanished(&mut self, subject: &Subject, specs: &[TermSpec]) {
        for (term, spec) in specs.iter().enumerate() {
            let mut note = |what: Masked| {
                let layer = spec.layer.clone().unwrap_or_default();
                self.vanished.push(Vanished { what, layer, size: (0, 0) });
            };
            if self.terms[term] == Coverage::Nowhere {
                note(spec.masked(subject));
            }
            let gone = |painting: usize| self.parts[painting][term] == Coverage::Nowhere;
            let paintings = || spec.paintings.iter().map(|&(painting, _)| painting);
            paintings()
                .filter(|&painting| gone(painting))
                .for_each(|painting| note(Masked::Painting(painting)));
            if !spec.paintings.is_empty() && paintings().all(gone) {
                self.terms[term] = Coverage::Nowhere;
            }
        }
    }

    /// What of the picture counts in a term.
    pub(crate) fn of(&self, term: usize) -> &Coverage {
        &self.terms[term]
    }

    /// What of a painting counts in a term.
    pub(crate) fn part(&self, painting: usize, term: usize) -> &Coverage {
        &self.parts[painting][term]
    }

    /// The share of a painting in the target of a term, among the paintings that have something there; none where it is the only
    /// one.
    pub(super) fn share(&self, painting: usize, term: usize, spec: &TermSpec) -> Option<f64> {
        let has = |&&(number, _): &&(usize, f64)| self.parts[number][term] != Coverage::Nowhere;
        let there: Vec<(usize, f64)> = spec.paintings.iter().filter(has).copied().collect();
        let own = there.iter().find(|&&(number, _)| number == painting).map_or(0.0, |&(_, share)| share);
        let all = there.len() == spec.paintings.len();
        let sum = if all { 1.0 } else { there.iter().map(|(_, share)| share).sum() };
        (there.len() > 1).then_some(own / sum)
    }

    #[cfg(test)]
    pub(super) fn part_mut(&mut self, painting: usize, term: usize) -> &mut Coverage {
        &mut self.parts[painting][term]
    }

    /// What has no position at a layer, in a picture of (H, W).
    pub(crate) fn vanished(&self, size: (usize, usize)) -> Vec<Vanished> {
        self.vanished.iter().map(|vanished| Vanished { size, ..vanished.clone() }).collect()
    }

    /// Checks that everything has a position at some layer; at the size (H, W) of the result. At a coarser one it need not.
    pub(crate) fn check(
        &self,
        subject: &Subject,
        specs: &[TermSpec],
        size: (usize, usize),
        reach: Reach,
    ) -> Result<(), TransferError> {
        let limits = |spec: &&TermSpec, what: &Masked| match what {
            Masked::Painting(number) => spec.is_measured_of(Source::Painting(*number)),
            what => spec.layer.is_some() && spec.masked(subject) == *what,
        };
        let terms = |what: &Masked| specs.iter().filter(|spec| limits(spec, what)).count();
        let gone = |what: &Masked| self.vanished.iter().filter(|vanished| vanished.what == *what).count();
        let mut vanished = self.vanished.iter().map(|vanished| &vanished.what);
        match vanished.find(|what| gone(what) == terms(what)) {
            Some(what) => Err(TransferError::Vanished { what: what.clone(), size, reach }),
            None => Ok(()),
        }
    }
}

/// Puts in what a mask leaves for each of the terms that are its own.
fn cover(
    network: &PreparedNetwork,
    mask: Option<&Mask>,
    reach: Reach,
    specs: &[TermSpec],
    own: impl Fn(&TermSpec) -> bool,
    coverages: &mut [Coverage],
) -> Result<(), AutodiffError> {
    let Some(mask) = mask else { return Ok(()) };
    let own = || specs.iter().zip(0..).filter(|(spec, _)| own(spec));
    let layers: Vec<&str> = own().filter_map(|(spec, _)| spec.layer.as_deref()).collect();
    let covered = network.coverages(mask, &layers, reach)?;
    own().zip(covered).for_each(|((_, term), coverage): (_, Coverage)| coverages[term] = coverage);
    Ok(())
}
