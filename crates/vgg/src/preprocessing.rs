//! What a network expects of its input: three conventions, as data.

use std::fmt;

pub use impasto_autodiff::ops::preprocessing::Preprocessing;

/// The three conventions that VGG files follow. The file decides; where it does not, its owner must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Convention {
    /// torchvision's: RGB, 0 to 1, minus the ImageNet mean, over its standard deviation.
    Torch,
    /// Oxford's own: channels in the order B, G, R, 0 to 255, minus the mean.
    CaffeBgr,
    /// The same numbers, but conv1_1 turned to R, G, B (MatConvNet).
    CaffeRgb,
}

impl Convention {
    /// All three, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Torch, Self::CaffeBgr, Self::CaffeRgb];

    /// `torch`, `caffe-bgr` or `caffe-rgb`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::CaffeBgr => "caffe-bgr",
            Self::CaffeRgb => "caffe-rgb",
        }
    }

    /// The convention of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|convention| convention.name() == name)
    }

    /// Whether conv1_1 in the file takes its input channels as B, G, R.
    pub const fn is_bgr(self) -> bool {
        matches!(self, Self::CaffeBgr)
    }

    /// The numbers, always in the order R, G, B: the readers turn conv1_1, not the picture.
    pub const fn preprocessing(self) -> Preprocessing {
        match self {
            Self::Torch => Preprocessing::TORCH,
            Self::CaffeBgr | Self::CaffeRgb => Preprocessing::CAFFE,
        }
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
