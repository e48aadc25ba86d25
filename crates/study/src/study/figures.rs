//! The paper's figures as studies.

use super::{Cell, Study};
use impasto_style::{Colours, LayerWeights, TransferOptions};

/// What the options of a figure are unless others are chosen, as in [`Choices::set`](impasto_style::Choices::set): the
/// paper's, in small.
pub const FIGURE_DEFAULTS: [(&str, &str); 4] =
    [("preset", "paper"), ("size", "256"), ("iterations", "200"), ("init", "noise")];

/// The same of [`grid`].
pub const GRID_DEFAULTS: [(&str, &str); 5] = {
    let [preset, size, iterations, init] = FIGURE_DEFAULTS;
    [preset, size, iterations, init, ("loss-scale", "balanced")]
};

/// Figure 1, content: the picture that has the photo's response at one layer, for each layer.
///
/// Of `base` everything counts but weights, layers and colours, which are the photo's as they are; the paper starts from white noise.
pub fn content_reconstructions(base: &TransferOptions, layers: &[String]) -> Study {
    let cell = |layer: &String| Cell {
        name: format!("content-{layer}"),
        options: base
            .clone()
            .with_content_weight(1.0)
            .with_style_weight(0.0)
            .with_content_layers(LayerWeights::even(&[layer]))
            .with_colours(Colours::Painting),
    };
    row(layers.to_vec(), layers.iter().map(cell).collect())
}

/// Figure 1, style: the picture that has the painting's Gram matrices at a growing set of layers; a texture. Of several paintings it
/// has the blend, of masked regions each its own; the photo gives the size alone, so colours stay what the paintings' are.
pub fn style_reconstructions(base: &TransferOptions, layers: &[String]) -> Study {
    let sets = style_sets(layers);
    let cell = |set: &StyleSet| Cell {
        name: format!("style-{}", set.last),
        options: base
            .clone()
            .with_content_weight(0.0)
            .with_style_weight(1.0)
            .with_style_layers(set.layers.clone().into())
            .with_colours(Colours::Painting),
    };
    row(sets.iter().map(|set| set.label.clone()).collect(), sets.iter().map(cell).collect())
}

/// Figure 3: rows are growing sets of style layers, columns are alpha/beta.
pub fn grid(base: &TransferOptions, layers: &[String], ratios: &[f64]) -> Study {
    let sets = style_sets(layers);
    let cells = sets.iter().flat_map(|set| {
        ratios.iter().map(|ratio| Cell {
            name: format!("{}-{ratio:e}", set.last),
            options: base
                .clone()
                .with_content_weight(*ratio)
                .with_style_weight(1.0)
                .with_style_layers(set.layers.clone().into()),
        })
    });
    Study {
        cells: cells.collect(),
        rows: sets.iter().map(|set| set.label.clone()).collect(),
        columns: ratios.iter().map(|ratio| format!("{ratio:e}")).collect(),
    }
}

/// The first layers of a list, up to one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct StyleSet {
    /// The last one.
    pub last: String,
    /// For a sheet: `conv1_1`, or `to conv3_1`.
    pub label: String,
    /// All of them, each with weight 1/N_a.
    pub layers: LayerWeights,
}

/// {first}, {first, second}, and so on.
pub fn style_sets(layers: &[String]) -> Vec<StyleSet> {
    let names: Vec<&str> = layers.iter().map(String::as_str).collect();
    let set = |count: usize| StyleSet {
        last: names[count - 1].to_owned(),
        label: if count == 1 { names[0].to_owned() } else { format!("to {}", names[count - 1]) },
        layers: LayerWeights::even(&names[..count]),
    };
    (1..=names.len()).map(set).collect()
}

fn row(columns: Vec<String>, cells: Vec<Cell>) -> Study {
    Study { rows: vec![String::new()], columns, cells }
}
