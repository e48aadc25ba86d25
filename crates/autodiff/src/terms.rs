//! The total loss as a list of terms, and what an evaluation returns.
//!
//! ```text
//! L = sum over groups of alpha (sum over the group's terms of w_l L_l)
//! ```
//!
//! A term is a place (a layer, or the picture itself), a weight and a loss. Terms that stand together, are of one kind and
//! have one alpha are a group.

use impasto_tensor::Element;

use crate::AutodiffError;
use crate::losses::{Loss, LossKind};

/// The two factors of a term's weight: alpha (or beta) of the whole sum and w_l of the layer. They are kept apart because the
/// total is rounded as the equation is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight {
    /// alpha: what the sum over the group is multiplied with.
    pub sum: f64,
    /// w_l: what the term is multiplied with in that sum.
    pub share: f64,
}

impl Weight {
    /// A term that is its own sum.
    pub const fn alone(weight: f64) -> Self {
        Self { sum: weight, share: 1.0 }
    }

    /// alpha w_l: what the term's gradient is multiplied with.
    pub fn product(self) -> f64 {
        self.sum * self.share
    }
}

/// A term that is its own sum.
impl From<f64> for Weight {
    fn from(weight: f64) -> Self {
        Self::alone(weight)
    }
}

/// A loss at a place, with its weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Term<T = f32> {
    /// The layer, such as `conv4_2`; none for a loss of the picture itself.
    pub layer: Option<String>,
    /// alpha and w_l.
    pub weight: Weight,
    /// The loss, with what it compares with.
    pub loss: Loss<T>,
}

impl<T: Element> Term<T> {
    /// A loss at a layer.
    pub fn at(layer: impl Into<String>, weight: Weight, loss: Loss<T>) -> Self {
        Self { layer: Some(layer.into()), weight, loss }
    }

    /// The total variation of the picture.
    pub const fn total_variation(weight: f64) -> Self {
        Self { layer: None, weight: Weight::alone(weight), loss: Loss::TotalVariation }
    }

    /// The layer whose response the loss looks at; none for the picture itself.
    ///
    /// # Errors
    /// [`AutodiffError::Place`] if the loss is of a layer and none is named, or the other way round.
    pub fn place(&self) -> Result<Option<&str>, AutodiffError> {
        let kind = self.loss.kind();
        if kind.is_of_a_layer() == self.layer.is_some() {
            return Ok(self.layer.as_deref());
        }
        let needs = if kind.is_of_a_layer() { "a layer" } else { "the picture itself, not a layer" };
        Err(AutodiffError::Place { loss: kind.name(), needs })
    }

    /// The same term in another precision.
    pub fn cast<U: Element>(&self) -> Term<U> {
        Term { layer: self.layer.clone(), weight: self.weight, loss: self.loss.cast() }
    }
}

/// Where a loss will look, before its target is known: what a plan and a measurement are made for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tap {
    /// The layer.
    pub layer: String,
    /// The loss.
    pub kind: LossKind,
    /// Whether a guide says where it acts.
    pub guided: bool,
}

impl Tap {
    /// A tap at a layer.
    pub fn new(layer: impl Into<String>, kind: LossKind) -> Self {
        Self { layer: layer.into(), kind, guided: false }
    }

    /// The same tap, guided or not.
    #[must_use]
    pub fn guided(self, guided: bool) -> Self {
        Self { guided, ..self }
    }
}

/// The losses of one picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Losses {
    /// L.
    pub total: f64,
    /// The loss of each term, unweighted, in the order of the terms.
    pub each: Vec<f64>,
}

impl Losses {
    /// The losses of terms, and their total.
    pub(crate) fn of<T: Element>(terms: &[Term<T>], each: Vec<f64>) -> Self {
        let weighed = terms.iter().zip(&each).map(|(term, &loss)| (term.loss.kind(), term.weight, loss));
        let total = group_sums(weighed).iter().fold(0.0, |total, group| total + group.weight * group.sum);
        Self { total, each }
    }
}

/// Terms that are added up before alpha is applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupSum {
    /// Their kind.
    pub kind: LossKind,
    /// alpha.
    pub weight: f64,
    /// The sum of w_l L_l.
    pub sum: f64,
}

/// The groups of a list of terms, each given by its kind, weight and loss, with their sums.
pub fn group_sums(terms: impl IntoIterator<Item = (LossKind, Weight, f64)>) -> Vec<GroupSum> {
    let mut groups: Vec<GroupSum> = Vec::new();
    for (kind, weight, loss) in terms {
        match groups.last_mut() {
            Some(group) if group.kind == kind && group.weight == weight.sum => {
                group.sum += weight.share * loss;
            }
            _ => groups.push(GroupSum { kind, weight: weight.sum, sum: weight.share * loss }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_kind_and_alpha_are_one_sum() {
        use LossKind::{Content, Gram};
        let groups = group_sums([
            (Content, Weight { sum: 2.0, share: 3.0 }, 5.0),
            (Content, Weight { sum: 2.0, share: 0.5 }, 8.0),
            (Content, Weight { sum: 4.0, share: 0.5 }, 6.0),
            (Gram, Weight { sum: 4.0, share: 7.0 }, 2.0),
            (Content, Weight { sum: 4.0, share: 1.5 }, 9.0),
        ]);
        let expected = [(Content, 2.0, 19.0), (Content, 4.0, 3.0), (Gram, 4.0, 14.0), (Content, 4.0, 13.5)];
        assert_eq!(groups, expected.map(|(kind, weight, sum)| GroupSum { kind, weight, sum }));
    }

    #[test]
    fn the_total_is_the_weighted_sum_of_the_groups() {
        let terms = [2.0, 4.0, 4.0].map(Term::<f64>::total_variation);
        let losses = Losses::of(&terms, vec![3.0, 5.0, 7.0]);
        assert_eq!(losses, Losses { total: 2.0 * 3.0 + 4.0 * 12.0, each: vec![3.0, 5.0, 7.0] });
        assert_eq!(Weight { sum: 3.0, share: 0.5 }.product(), 1.5);
    }
}
