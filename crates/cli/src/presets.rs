//! The presets as a table, for `--help`.

use std::fmt::Write;

use impasto_style::{LayerWeights, OPTIONS, OptionRow, Preset, TransferOptions};

/// Presets that fit beside each other on a terminal.
const BESIDE: usize = 4;

/// A column for each preset, a row for each option that decides the picture and that a preset has.
pub(crate) fn preset_table() -> String {
    Preset::ALL.chunks(BESIDE).map(table_of).collect()
}

fn table_of(presets: &[(Preset, &str)]) -> String {
    let options: Vec<TransferOptions> = presets.iter().map(|(preset, _)| preset.options()).collect();
    let heading = presets.iter().map(|(_, name)| (*name).to_owned());
    let mut rows: Vec<Vec<String>> = vec![std::iter::once(String::new()).chain(heading).collect()];
    for row in OPTIONS.iter().filter(|row| row.decides_pixels()) {
        let cells: Vec<Option<String>> = options.iter().map(|options| cell(row, options)).collect();
        if cells.iter().any(Option::is_some) {
            let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned()));
            rows.push(std::iter::once(format!("--{}", row.name)).chain(cells).collect());
        }
    }
    aligned(&rows)
}

/// The rows under a heading, each column as wide as its longest cell.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let mut table = String::from("Presets:\n");
    for row in rows {
        let mut line = String::from(" ");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(line, " {cell:<0$}", width(column));
        }
        let _ = writeln!(table, "{}", line.trim_end());
    }
    table
}

/// The value of an option; a list of layers is shortened if it can be.
fn cell(row: &OptionRow, options: &TransferOptions) -> Option<String> {
    let text = row.get(options)?;
    Some(first_layers(&text).unwrap_or(text))
}

/// `conv1..5_1:0.2` for the first layers of the first blocks with one weight, `conv1..2_1:4,1` with several.
fn first_layers(text: &str) -> Option<String> {
    let LayerWeights(layers) = text.parse().ok()?;
    let weight = layers.first()?.weight;
    let first = |(index, layer): (usize, &str)| layer == format!("conv{}_1", index + 1);
    let all_first = layers.iter().map(|entry| entry.layer.as_str()).enumerate().all(first);
    let even = layers.iter().all(|entry| entry.weight == weight);
    let weights: Vec<String> = layers.iter().map(|entry| entry.weight.to_string()).collect();
    let weights = if even { weight.to_string() } else { weights.join(",") };
    (layers.len() > 1 && all_first).then(|| format!("conv1..{}_1:{weights}", layers.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_preset_and_fits_a_terminal() {
        let table = preset_table();
        let mut headings = table.lines().filter(|line| !line.contains("--")).flat_map(str::split_whitespace);
        assert!(Preset::ALL.iter().all(|(_, name)| headings.any(|word| word == *name)), "{table}");
        assert!(table.contains("--history") && table.contains("--learning-rate"), "{table}");
        assert!(table.lines().all(|line| line.len() <= 80), "{table}");
    }

    #[test]
    fn first_layers_are_shortened() {
        assert_eq!(first_layers("conv1_1:0.5,conv2_1:0.5").as_deref(), Some("conv1..2_1:0.5"));
        assert_eq!(first_layers("conv1_1:4,conv2_1:1").as_deref(), Some("conv1..2_1:4,1"));
        for other in ["conv1_1:1,conv3_1:1", "conv1_1:1", "512"] {
            assert_eq!(first_layers(other), None, "{other}");
        }
    }
}
