//! Sizes at which no picture is large enough for the layers that count, whatever its proportions: options are refused for
//! them before any picture is read.

use impasto_vgg::Arch;

use super::{OptionsError, Size, TransferOptions};

impl TransferOptions {
    /// Checks that the longest sides of the result and of each painting leave a position at the deepest layer of theirs: what
    /// can be said before any picture is known.
    ///
    /// # Errors
    /// [`OptionsError::Value`], of `size` or `style-scale`.
    pub fn check_smallest(&self) -> Result<(), OptionsError> {
        let longest = match self.size {
            Size::Longest(side) => side,
            Size::Within { width, height } => width.max(height),
            Size::On(sheet) => sheet.sides().1,
            Size::Original => return Ok(()),
        };
        if let Some((side, layer)) = smallest(&self.layers()).filter(|&(side, _)| longest < side) {
            return Err(OptionsError::Value {
                option: "size",
                requirement: format!("at least {side} for {layer}"),
                value: self.size.to_string(),
            });
        }
        let paintings = self.style_scale.count().max(self.style_layers.count());
        (0..paintings).try_for_each(|number| check_painting(self, number, longest))
    }
}

fn check_painting(options: &TransferOptions, number: usize, longest: usize) -> Result<(), OptionsError> {
    let counting = options.style_layers.of(number).0.iter().filter(|entry| entry.weight > 0.0);
    let layers: Vec<&str> = counting.map(|entry| &*entry.layer).collect();
    let smallest = smallest(&layers).filter(|_| options.style_weight > 0.0);
    match smallest.filter(|&(side, _)| options.longest_of_painting(number, longest) < side) {
        None => Ok(()),
        Some((side, layer)) => Err(OptionsError::Value {
            option: "style-scale",
            requirement: format!("such that {longest} pixels times it are {side} or more, for {layer}"),
            value: options.style_scale.of(number).to_string(),
        }),
    }
}

/// The side below which nothing is left at one of the layers, 2^(b - 1) for block b, behind b - 1 poolings; and the layer.
fn smallest<'a>(layers: &[&'a str]) -> Option<(usize, &'a str)> {
    let side = |layer: &str| Some(1 << (Arch::Vgg19.convs()[Arch::Vgg19.position(layer)?].block - 1));
    layers.iter().filter_map(|layer| Some((side(layer)?, *layer))).max_by_key(|&(side, _)| side)
}

#[cfg(test)]
mod tests {
    use crate::{Choices, Preset};

    fn refusal(chosen: &[(&str, &str)]) -> Option<String> {
        let mut choices = Choices::default();
        for (name, value) in chosen {
            choices.set(name, value).unwrap();
        }
        choices.options().and_then(|options| options.check_smallest()).err().map(|error| error.to_string())
    }

    #[test]
    fn a_size_that_no_layer_can_see_is_refused() {
        let message = refusal(&[("size", "15")]).unwrap();
        assert_eq!(message, "`size` must be at least 16 for conv5_1, not 15");
        assert!(refusal(&[("size", "15x9")]).unwrap().contains("at least 16 for conv5_1, not 15x9"));
        for possible in ["16", "15x16", "original"] {
            assert_eq!(refusal(&[("size", possible)]), None, "{possible}");
        }
        let early = [("content-layers", "conv2_2"), ("style-layers", "conv1_1:1,conv5_1:0")];
        assert_eq!(refusal(&[&early[..], &[("size", "2")]].concat()), None);
        assert!(refusal(&[&early[..], &[("size", "1")]].concat()).is_some());
    }

    #[test]
    fn a_painting_that_no_layer_can_see_is_refused() {
        let message = refusal(&[("size", "512"), ("style-scale", "0.01")]).unwrap();
        let expected =
            "`style-scale` must be such that 512 pixels times it are 16 or more, for conv5_1, not 0.01";
        assert_eq!(message, expected);
        assert!(refusal(&[("style-scale", "1,0.01")]).is_some());
        assert_eq!(refusal(&[("style-scale", "0.01"), ("style-weight", "0")]), None);
        assert_eq!(Preset::Default.options().check_smallest(), Ok(()));
    }
}
