//! Writing a network as a safetensors file, in one canonical form.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use half::f16;
use impasto_autodiff::ConvLayer;
use impasto_files::write_atomically;

use crate::assemble::hwio_to_oihw;
use crate::formats::safetensors::{Written, write};
use crate::{Convention, Network, Preprocessing, WeightsError};

/// The number type of a written file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Precision {
    /// Single precision: the numbers as they are.
    #[default]
    F32,
    /// Half precision, rounded to nearest even: half the bytes.
    F16,
}

impl Precision {
    /// Bytes of a number.
    const fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    /// Whether a number stays finite.
    fn holds(self, value: f32) -> bool {
        match self {
            Self::F32 => value.is_finite(),
            Self::F16 => f16::from_f32(value).is_finite(),
        }
    }
}

/// As `--dtype` has it.
impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        })
    }
}

impl Network {
    /// Drops the layers after `deepest`.
    ///
    /// # Errors
    /// [`WeightsError::UnknownLayer`] if there is no such layer.
    pub fn cut_after(&mut self, deepest: &str) -> Result<(), WeightsError> {
        let last = self.position(deepest)?;
        self.convs.truncate(last + 1);
        Ok(())
    }

    /// Writes the network as a safetensors file: `conv1_1.weight` (out, in, ky, kx; channels R, G, B), `conv1_1.bias` and so
    /// on in order, with metadata that name network and preprocessing. The same network gives the same bytes. The file is
    /// written as by [`write_atomically`], a tensor at a time.
    ///
    /// # Errors
    /// [`WeightsError::OutOfRange`], and [`WeightsError::Write`]; then a file that was there before is left as it was.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), WeightsError> {
        self.check_range(precision)?;
        Ok(write_atomically(path, |out| self.write_tensors(out, precision))?)
    }

    /// [`Network::save`] into a stream.
    ///
    /// # Errors
    /// Those of the stream, and [`WeightsError::OutOfRange`] as an [`io::Error`].
    pub fn write(&self, out: &mut dyn Write, precision: Precision) -> io::Result<()> {
        self.check_range(precision).map_err(io::Error::other)?;
        self.write_tensors(out, precision)
    }

    /// The most bytes that [`Network::save`] writes.
    pub fn largest_bytes(&self, precision: Precision) -> u64 {
        const HEADER: u64 = 64 << 10;
        let numbers = self.convs.iter().map(|conv| conv.kernel.len() + conv.bias.len()).sum::<usize>();
        HEADER + numbers as u64 * precision.bytes()
    }

    fn write_tensors(&self, out: &mut dyn Write, precision: Precision) -> io::Result<()> {
        write(out, &self.metadata(), &self.tensors(), precision == Precision::F16)
    }

    /// Every tensor of the file, in its order.
    fn tensors(&self) -> Vec<Written<'_>> {
        self.convs.iter().flat_map(tensors_of).collect()
    }

    /// Checks that every weight is finite when it is written.
    fn check_range(&self, precision: Precision) -> Result<(), WeightsError> {
        for Written { name, values, .. } in self.tensors() {
            let values = values();
            if let Some(index) = values.iter().position(|&value| !precision.holds(value)) {
                return Err(WeightsError::OutOfRange {
                    tensor: name,
                    index,
                    value: values[index],
                    precision,
                });
            }
        }
        Ok(())
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        let torch = self.preprocessing == Preprocessing::TORCH;
        let convention = if torch { Convention::Torch } else { Convention::CaffeRgb };
        let mut metadata = self.provenance.clone();
        for (key, value) in
            [("channel_order", "rgb"), ("network", self.arch.name()), ("preprocessing", convention.name())]
        {
            metadata.insert(key.to_owned(), value.to_owned());
        }
        metadata
    }
}

/// The two tensors of a layer.
fn tensors_of(conv: &ConvLayer<f32>) -> [Written<'_>; 2] {
    let (outputs, inputs) = (conv.out_channels, conv.in_channels);
    [
        Written {
            name: format!("{}.weight", conv.name),
            shape: vec![outputs, inputs, 3, 3],
            values: Box::new(move || Cow::Owned(hwio_to_oihw(&conv.kernel, outputs, inputs))),
        },
        Written {
            name: format!("{}.bias", conv.name),
            shape: vec![outputs],
            values: Box::new(|| Cow::Borrowed(&conv.bias)),
        },
    ]
}
