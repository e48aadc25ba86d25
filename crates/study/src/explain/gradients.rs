//! How the terms pull: the gradient of each by itself, and how these stand to each other.
//!
//! ```text
//! g = sum_i g_i,   g_i = weight_i dL_i/du         share_i = <g_i, g> / <g, g>, sum_i share_i = 1
//! ```
//!
//! u is what moves: the pixels, or their light, where a part of the photo is kept times 1 - m.

use impasto_autodiff::{LossKind, Weight};
use impasto_style::{Colours, Objective, TransferError};

use super::{ExplainError, Run};

/// Pictures of a run that are kept for this, at most.
pub(super) const MOST_PICTURES: usize = 7;
/// And the numbers that they have together, at most: 32 MB.
pub(super) const MOST_NUMBERS: usize = 1 << 23;

/// The terms that are looked at together: of one kind and layer, whatever their regions.
pub(super) struct Group {
    pub(super) name: String,
    kind: LossKind,
    terms: Vec<usize>,
}

/// The products <g_i, g_j> of the groups' gradients at a picture.
pub(super) struct Pull {
    pub(super) iteration: usize,
    products: Vec<Vec<f64>>,
}

/// The groups, and how they pull at the pictures that were kept and at the result.
pub(super) struct Pulls {
    pub(super) groups: Vec<Group>,
    pub(super) pulls: Vec<Pull>,
}

impl Pull {
    fn sum(&self, of: &[usize], with: &[usize]) -> f64 {
        of.iter().flat_map(|&i| with.iter().map(move |&j| self.products[i][j])).sum()
    }

    /// |sum of g_i|.
    pub(super) fn norm(&self, of: &[usize]) -> f64 {
        self.sum(of, of).max(0.0).sqrt()
    }

    /// The cosine of the angle between two sums of gradients; 0 where one of them is 0.
    pub(super) fn cosine(&self, of: &[usize], with: &[usize]) -> f64 {
        let size = self.norm(of) * self.norm(with);
        if size > 0.0 { (self.sum(of, with) / size).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// <g_i, g> / <g, g>.
    pub(super) fn share(&self, of: &[usize]) -> f64 {
        let all: Vec<usize> = (0..self.products.len()).collect();
        let whole = self.sum(&all, &all);
        if whole > 0.0 { self.sum(of, &all) / whole } else { 0.0 }
    }
}

impl Pulls {
    /// The numbers of the groups of a kind.
    pub(super) fn of(&self, is_kind: impl Fn(LossKind) -> bool) -> Vec<usize> {
        (0..self.groups.len()).filter(|&group| is_kind(self.groups[group].kind)).collect()
    }

    /// Measures them: an evaluation for each group and picture. None of large pictures, whose gradients would not fit the memory.
    pub(super) fn measure(run: &Run<'_>) -> Result<Option<Self>, ExplainError> {
        let (height, width) = (run.result.height(), run.result.width());
        let mut objective = Objective::new(run.network, run.targets.clone(), (height, width), run.options)?;
        let groups = groups(&objective);
        if groups.is_empty() || groups.len() * 3 * height * width > 8 * MOST_NUMBERS {
            return Ok(None);
        }
        let weights: Vec<Weight> = objective.terms().iter().map(|term| term.weight).collect();
        let kept = run.kept.iter().map(|(iteration, pixels)| (*iteration, &pixels[..]));
        let last = (run.painting.iterations, run.result.data());
        let mut pulls = Vec::new();
        for (iteration, pixels) in kept.filter(|(iteration, _)| *iteration < last.0).chain([last]) {
            let mut gradients = Vec::new();
            for group in &groups {
                for (index, weight) in weights.iter().enumerate() {
                    let weight = if group.terms.contains(&index) { *weight } else { Weight::alone(0.0) };
                    objective.set_weight(index, weight).map_err(TransferError::from)?;
                }
                let mut gradient = vec![0.0; pixels.len()];
                objective.evaluate(pixels, &mut gradient).map_err(TransferError::from)?;
                gradients.push(moving(run, gradient));
            }
            let product = |a: &Vec<f32>, b: &Vec<f32>| {
                a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let row = |a| gradients.iter().map(|b| product(a, b)).collect();
            pulls.push(Pull { iteration, products: gradients.iter().map(row).collect() });
        }
        Ok(Some(Self { groups, pulls }))
    }
}

/// The groups of an objective, content first.
fn groups(objective: &Objective) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, term) in objective.terms().iter().enumerate() {
        let place = term.layer.as_ref().map_or_else(String::new, |layer| format!(" {layer}"));
        let name = format!("{}{place}", term.kind.name());
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.terms.push(index),
            None => groups.push(Group { name, kind: term.kind, terms: vec![index] }),
        }
    }
    groups
}

/// dL/du from dL/dx.
fn moving(run: &Run<'_>, mut gradient: Vec<f32>) -> Vec<f32> {
    if run.options.colours == Colours::Photo {
        gradient = gradient.chunks_exact(3).map(|rgb| rgb.iter().sum()).collect();
    }
    if let Some(keep) = &run.keep {
        let each = gradient.len() / keep.values().len();
        for (numbers, m) in gradient.chunks_exact_mut(each).zip(keep.values()) {
            for number in numbers {
                *number *= 1.0 - m;
            }
        }
    }
    gradient
}

/// The iterations, of so many at a scale, whose pictures are kept: 1, 2, 4 and so on.
pub(super) fn is_kept(iteration: usize, iterations: usize, numbers: usize) -> bool {
    let most = MOST_PICTURES.min(MOST_NUMBERS / numbers.max(1));
    let ratio = (iterations.max(2) as f64).powf(1.0 / most.max(1) as f64).max(1.5);
    (0..most as i32).any(|power| ratio.powi(power).round() as usize == iteration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_cosines_are_those_of_the_vectors() {
        // g_0 = (3, 0), g_1 = (0, 4), g_2 = (-1, 0).
        let vectors = [[3.0, 0.0], [0.0, 4.0], [-1.0, 0.0]];
        let product = |a: &[f64; 2], b: &[f64; 2]| a[0] * b[0] + a[1] * b[1];
        let products = vectors.iter().map(|a| vectors.iter().map(|b| product(a, b)).collect()).collect();
        let pull = Pull { iteration: 1, products };
        assert_eq!((pull.norm(&[0]), pull.norm(&[0, 1]), pull.norm(&[0, 2])), (3.0, 5.0, 2.0));
        assert_eq!((pull.cosine(&[0], &[1]), pull.cosine(&[0], &[2])), (0.0, -1.0));
        assert_eq!(pull.cosine(&[0], &[0, 1]), 0.6);
        assert!(((0..3).map(|i| pull.share(&[i])).sum::<f64>() - 1.0).abs() < 1e-15);
        assert_eq!(pull.share(&[2]), -2.0 / 20.0);
    }

    #[test]
    fn few_pictures_are_kept_the_first_ones_closer() {
        let kept = |iterations, numbers| -> Vec<usize> {
            (1..=iterations).filter(|&iteration| is_kept(iteration, iterations, numbers)).collect()
        };
        let of_512 = kept(300, 3 * 512 * 512);
        assert!(
            of_512.len() <= MOST_PICTURES && of_512[0] == 1 && *of_512.last().unwrap() > 100,
            "{of_512:?}"
        );
        assert!(kept(3, 300).len() >= 2);
        assert!(kept(300, MOST_NUMBERS + 1).is_empty());
    }
}
