//! What the photo and the paintings are at the layers that count.
//!
//! ```text
//! A_l = sum_s b_s w_ls / W_l A_ls,   W_l = sum_s b_s w_ls      of the paintings s of a region
//! ```

use impasto_autodiff::{Coverage, Loss};

use super::{Coverages, Scene, Source, Vanished, View, sides};
use crate::{Picture, PreparedNetwork, TermSpec, TransferError, TransferOptions};

/// A term whose target is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The term.
    pub spec: TermSpec,
    /// The name of its region, if regions are told apart.
    pub region: Option<String>,
    /// Its loss, and where it acts.
    pub loss: Loss,
}

/// What the photo and the paintings are at the layers that count.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// The terms that have something to act on, in their order.
    pub terms: Vec<Target>,
    /// What has nothing to act on at a layer, and drops out there.
    pub vanished: Vec<Vanished>,
}

impl Targets {
    /// The losses of the terms, in their order.
    pub fn losses(&self) -> impl ExactSizeIterator<Item = &Loss> {
        self.terms.iter().map(|target| &target.loss)
    }
}

impl Scene<'_> {
    /// P, A and whatever else the options' terms compare with.
    ///
    /// # Errors
    /// [`TransferError`] if a picture is too small, or does not fit the memory limit, and [`TransferError::Vanished`] if the scene is
    /// of the result's own size and something has no position at any layer.
    pub fn measure(
        &self,
        network: &PreparedNetwork,
        options: &TransferOptions,
    ) -> Result<Targets, TransferError> {
        self.measure_with(network, options, |view| network.measure_for(view, options))
    }

    /// [`Self::measure`] by a function that gives the losses of a view whose targets are those of its picture, in the order of its
    /// taps: for callers that have measured them before.
    ///
    /// # Errors
    /// Those of `measure`, and [`TransferError`] if a mask does not fit the network.
    pub fn measure_with(
        &self,
        network: &PreparedNetwork,
        options: &TransferOptions,
        measure: impl FnMut(View<'_>) -> Result<Vec<Loss>, TransferError>,
    ) -> Result<Targets, TransferError> {
        self.subject.check(options)?;
        let specs = self.subject.terms(options);
        let coverages = Coverages::new(network, self.subject, &self.masks, &specs, options)?;
        let size = sides(self.photo());
        if size == self.subject.size(self.subject.longest_side(options)) {
            coverages.check(self.subject, &specs, size, options.mask_reach)?;
        }
        self.targets(specs, &coverages, measure)
    }

    /// The targets of terms that cover what `coverages` say.
    pub(super) fn targets<E>(
        &self,
        specs: Vec<TermSpec>,
        coverages: &Coverages,
        mut measure: impl FnMut(View<'_>) -> Result<Vec<Loss>, E>,
    ) -> Result<Targets, E> {
        // Sums are of the paintings, wherever something is; the rest is of the photo, place by place.
        let mut of_paintings: Vec<Option<Loss>> = vec![None; specs.len()];
        for (number, picture) in self.paintings().enumerate() {
            let source = Source::Painting(number);
            let losses =
                measured(&specs, source, picture, &mut measure, |term| coverages.part(number, term))?;
            for (term, loss) in losses.into_iter().enumerate() {
                let Some(loss) = loss else { continue };
                let share = coverages.share(number, term, &specs[term]);
                of_paintings[term] = add(of_paintings[term].take(), share, loss);
            }
        }
        let mut of_photo =
            measured(&specs, Source::Photo, self.photo(), &mut measure, |_| &Coverage::Everywhere)?;
        let mut terms = Vec::new();
        for (term, spec) in specs.into_iter().enumerate() {
            let loss = match spec.kind {
                kind if !kind.is_of_a_layer() => kind.without_target(),
                kind if kind.is_of_sums() => of_paintings[term].take(),
                _ => of_photo[term].take(),
            };
            let loss = match coverages.of(term) {
                Coverage::Everywhere => loss,
                Coverage::Partly(guide) => loss.map(|loss| loss.guided(Some(guide.clone()))),
                Coverage::Nowhere => None,
            };
            let region = spec.region.and_then(|region| self.subject.regions().get(region));
            let region = region.map(|region| region.name.clone());
            terms.extend(loss.map(|loss| Target { spec, region, loss }));
        }
        Ok(Targets { terms, vanished: coverages.vanished(sides(self.photo())) })
    }
}

/// What a picture has for each of the terms, where it has something.
fn measured<'c, E>(
    specs: &[TermSpec],
    source: Source,
    picture: &Picture,
    measure: &mut impl FnMut(View<'_>) -> Result<Vec<Loss>, E>,
    coverage: impl Fn(usize) -> &'c Coverage,
) -> Result<Vec<Option<Loss>>, E> {
    let mut losses = vec![None; specs.len()];
    let (mut terms, mut taps, mut guides) = (Vec::new(), Vec::new(), Vec::new());
    for (term, spec) in specs.iter().enumerate().filter(|(_, spec)| spec.is_measured_of(source)) {
        let (Some(tap), false) = (spec.tap(), *coverage(term) == Coverage::Nowhere) else { continue };
        let guide = coverage(term).guide().cloned();
        terms.push(term);
        taps.push(tap.guided(guide.is_some()));
        guides.push(guide);
    }
    if guides.iter().all(Option::is_none) {
        guides.clear();
    }
    if !taps.is_empty() {
        let view = View { source, picture, taps: &taps, guides: &guides };
        terms.into_iter().zip(measure(view)?).for_each(|(term, loss)| losses[term] = Some(loss));
    }
    Ok(losses)
}

/// A sum of targets and one more, with its share. A single painting's stays what it is, to the bit. One after the other, so that
/// the targets of many paintings are not in memory at once.
fn add(sum: Option<Loss>, share: Option<f64>, part: Loss) -> Option<Loss> {
    let Some(share) = share else { return Some(part) };
    match sum {
        None => Loss::blend([(share, &part)]),
        Some(sum) => Loss::blend([(1.0, &sum), (share, &part)]),
    }
}
