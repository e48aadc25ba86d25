//! Layers and their weights, as text and as values.

use std::fmt;
use std::str::FromStr;

use impasto_vgg::canonical_name;

use super::OptionsError;

/// A layer and its weight w_l in the sum over layers.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeight {
    /// The layer, such as `conv4_2`.
    pub layer: String,
    /// w_l.
    pub weight: f64,
}

/// Layers with their weights.
///
/// As text: `conv1_1,conv2_1` (each weighs 1/N_a, for N_a layers) or `conv1_1:2,conv2_1:0.5`. `relu1_1` is another name for
/// `conv1_1`, because every response is taken after the ReLU.
///
/// ```
/// use impasto_style::LayerWeights;
/// let layers: LayerWeights = "conv1_1,relu2_1".parse()?;
/// assert_eq!(layers.to_string(), "conv1_1:0.5,conv2_1:0.5");
/// # Ok::<(), impasto_style::OptionsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LayerWeights(pub Vec<LayerWeight>);

impl LayerWeights {
    /// The layers, each with the same weight.
    pub fn each<'a>(layers: impl IntoIterator<Item = &'a str>, weight: f64) -> Self {
        let with_weight = |layer| LayerWeight { layer: canonical_name(layer), weight };
        Self(layers.into_iter().map(with_weight).collect())
    }

    /// The layers, each with the paper's w_l = 1/N_a.
    pub fn even(layers: &[&str]) -> Self {
        Self::each(layers.iter().copied(), 1.0 / layers.len() as f64)
    }

    /// w_l of a layer: 0 if it is not named.
    pub fn weight_of(&self, layer: &str) -> f64 {
        self.0.iter().find(|entry| entry.layer == layer).map_or(0.0, |entry| entry.weight)
    }
}

impl FromStr for LayerWeights {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let invalid = |problem: String| OptionsError::Layers { text: text.to_owned(), problem };
        let entries: Vec<&str> = text.split(',').map(str::trim).collect();
        let mut layers = Vec::new();
        for &entry in &entries {
            let (layer, weight) = match entry.split_once(':') {
                None => (entry, 1.0 / entries.len() as f64),
                Some((layer, weight)) => {
                    let weight: f64 =
                        weight.trim().parse().map_err(|_| invalid(format!("{weight} is not a number")))?;
                    if !(weight.is_finite() && weight >= 0.0) {
                        return Err(invalid(format!(
                            "the weight of {layer} must be 0 or more, not {weight}"
                        )));
                    }
                    (layer.trim(), weight)
                }
            };
            let layer = canonical_name(layer);
            if layer.is_empty() {
                return Err(invalid("a layer's name is missing".to_owned()));
            }
            if layers.iter().any(|other: &LayerWeight| other.layer == layer) {
                return Err(invalid(format!("{layer} is named twice")));
            }
            layers.push(LayerWeight { layer, weight });
        }
        let with_weight = entries.iter().filter(|entry| entry.contains(':')).count();
        if with_weight != 0 && with_weight != entries.len() {
            return Err(invalid("give every layer a weight, or none".to_owned()));
        }
        Ok(Self(layers))
    }
}

impl fmt::Display for LayerWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}:{}", entry.layer, entry.weight)?;
        }
        Ok(())
    }
}
