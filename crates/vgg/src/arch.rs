//! The two networks as tables (Simonyan and Zisserman: "Very Deep Convolutional Networks for Large-Scale Image
//! Recognition", 2015, table 1, columns D and E, without the fully connected layers).

use std::fmt;

/// Which VGG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arch {
    /// 13 convolutions (column D).
    Vgg16,
    /// 16 convolutions (column E): the network of Gatys, Ecker and Bethge.
    Vgg19,
}

/// One row of a network's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// 1 to 5; every block but the last is followed by a pooling here, and so is the last in the network.
    pub block: usize,
    /// 1 to 4 within the block.
    pub index: usize,
    /// Channels in.
    pub inputs: usize,
    /// Filters N.
    pub outputs: usize,
}

impl fmt::Display for Conv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conv{}_{}", self.block, self.index)
    }
}

/// Filters of each block's convolutions.
const FILTERS: [usize; 5] = [64, 128, 256, 512, 512];

impl Arch {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Vgg16, Self::Vgg19];

    /// `vgg16` or `vgg19`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vgg16 => "vgg16",
            Self::Vgg19 => "vgg19",
        }
    }

    /// The network of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.name() == name)
    }

    /// How many convolutions each of the five blocks has.
    pub const fn blocks(self) -> [usize; 5] {
        match self {
            Self::Vgg16 => [2, 2, 3, 3, 3],
            Self::Vgg19 => [2, 2, 4, 4, 4],
        }
    }

    /// The convolutions in order, conv1_1 first.
    pub fn convs(self) -> Vec<Conv> {
        let mut convs = Vec::new();
        let mut inputs = 3;
        for (block, (&count, &outputs)) in self.blocks().iter().zip(&FILTERS).enumerate() {
            for index in 1..=count {
                convs.push(Conv { block: block + 1, index, inputs, outputs });
                inputs = outputs;
            }
        }
        convs
    }

    /// The position of a layer in [`Arch::convs`]. Both names of a layer are understood: `conv4_2`, and `relu4_2`,
    /// because every tap of this project is taken after the ReLU.
    pub fn position(self, layer: &str) -> Option<usize> {
        let name = canonical_name(layer);
        self.convs().iter().position(|conv| conv.to_string() == name)
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vgg16 => "VGG-16",
            Self::Vgg19 => "VGG-19",
        })
    }
}

/// `relu4_2` becomes `conv4_2`; everything else stays as it is.
pub fn canonical_name(layer: &str) -> String {
    layer.strip_prefix("relu").map_or_else(|| layer.to_owned(), |rest| format!("conv{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_the_published_sizes() {
        for (arch, count, weights) in [(Arch::Vgg16, 13, 14_714_688), (Arch::Vgg19, 16, 20_024_384)] {
            let convs = arch.convs();
            assert_eq!(convs.len(), count);
            let total: usize = convs.iter().map(|conv| (9 * conv.inputs + 1) * conv.outputs).sum();
            assert_eq!(total, weights, "{arch}");
        }
    }

    #[test]
    fn layers_are_found_under_both_names() {
        assert_eq!(Arch::Vgg19.position("conv4_2"), Some(9));
        assert_eq!(Arch::Vgg19.position("relu4_2"), Some(9));
        assert_eq!(Arch::Vgg16.position("conv4_2"), Some(8));
        assert_eq!(Arch::Vgg16.position("conv3_4"), None);
        assert_eq!(Arch::Vgg16.position("pool1"), None);
    }
}
