//! What a network expects of its input: three conventions, as data.

use std::fmt;

use impasto_tensor::Element;

/// The three conventions that VGG files follow. The file decides; where it does not, its owner must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// z_c = (scale x_c - mean_c) / std_c, for a picture x in R, G, B from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preprocessing {
    /// What 0 to 255 is multiplied with: 1, or 1/255.
    pub scale: f32,
    /// Subtracted after the scale; R, G, B.
    pub mean: [f32; 3],
    /// Divided by last; R, G, B.
    pub std: [f32; 3],
}

impl Preprocessing {
    /// torchvision's numbers: the mean and standard deviation of ImageNet in 0 to 1.
    pub const TORCH: Self =
        Self { scale: 1.0 / 255.0, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

    /// Oxford's numbers: the mean of ImageNet in 0 to 255.
    pub const CAFFE: Self = Self { scale: 1.0, mean: [123.68, 116.779, 103.939], std: [1.0; 3] };

    /// z from x, both H x W x 3. `input` has the length of `rgb`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn apply<T: Element>(&self, rgb: &[T], input: &mut [T]) {
        assert_eq!(rgb.len(), input.len(), "picture and network input have one size");
        let [scale, mean, std] = self.numbers::<T>();
        for (x, z) in rgb.chunks_exact(3).zip(input.chunks_exact_mut(3)) {
            for c in 0..3 {
                z[c] = (x[c] * scale[c] - mean[c]) / std[c];
            }
        }
    }

    /// dL/dx from dL/dz in place: dL/dx_c = dL/dz_c * scale / std_c. H x W x 3.
    pub fn gradient<T: Element>(&self, gradient: &mut [T]) {
        let [scale, _, std] = self.numbers::<T>();
        for z in gradient.chunks_exact_mut(3) {
            for c in 0..3 {
                z[c] *= scale[c] / std[c];
            }
        }
    }

    /// Scale, mean and std of each channel, in the precision of the picture.
    fn numbers<T: Element>(&self) -> [[T; 3]; 3] {
        [[self.scale; 3], self.mean, self.std].map(|row| row.map(|value| T::from_f64(f64::from(value))))
    }

    /// x from z, both H x W x 3: the inverse of [`Preprocessing::apply`], up to rounding.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn invert(&self, input: &[f32], rgb: &mut [f32]) {
        assert_eq!(rgb.len(), input.len(), "picture and network input have one size");
        for (z, x) in input.chunks_exact(3).zip(rgb.chunks_exact_mut(3)) {
            for c in 0..3 {
                x[c] = (z[c] * self.std[c] + self.mean[c]) / self.scale;
            }
        }
    }
}
