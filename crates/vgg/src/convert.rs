//! Writing a network as a safetensors file, in one canonical form.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::assemble::hwio_to_oihw;
use crate::formats::safetensors::{Written, write};
use crate::{Convention, Network, Preprocessing, WeightsError};

/// The number type of a written file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Single precision: the numbers as they are.
    #[default]
    F32,
    /// Half precision, rounded to nearest even: half the bytes.
    F16,
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
    /// on in order, with metadata that name network and preprocessing. The same network gives the same bytes.
    ///
    /// # Errors
    /// [`WeightsError::Io`] if that fails; then a file that was there before is left as it was.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), WeightsError> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let written = File::create(&part).and_then(|file| {
            let mut out = BufWriter::new(file);
            self.write(&mut out, precision)?;
            out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            fs::rename(&part, path)
        });
        written.map_err(|source| {
            fs::remove_file(&part).ok();
            WeightsError::Io { path: path.into(), source }
        })
    }

    /// [`Network::save`] into a stream.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn write(&self, out: &mut dyn Write, precision: Precision) -> io::Result<()> {
        let kernels: Vec<Vec<f32>> = self
            .convs
            .iter()
            .map(|conv| hwio_to_oihw(&conv.kernel, conv.out_channels, conv.in_channels))
            .collect();
        let mut tensors = Vec::new();
        for (conv, kernel) in self.convs.iter().zip(&kernels) {
            let shape = vec![conv.out_channels, conv.in_channels, 3, 3];
            tensors.push(Written { name: format!("{}.weight", conv.name), shape, values: kernel });
            let shape = vec![conv.out_channels];
            tensors.push(Written { name: format!("{}.bias", conv.name), shape, values: &conv.bias });
        }
        write(out, &self.metadata(), &tensors, precision == Precision::F16)
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
