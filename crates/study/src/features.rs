//! What a network has to say of a picture, as an archive that NumPy reads (`.npz`): responses and Gram matrices.
//!
//! | entry | holds | shape |
//! |---|---|---|
//! | `picture` | x, the picture as it was measured, 0..255 | H x W x 3 |
//! | `LAYER` | F, the response after its ReLU | H_l x W_l x N |
//! | `LAYER_gram` | G/M = F^T F / M | N x N |
//! | `manifest.json` | shapes, units, equations, options, the command line, hashes of the inputs | text |
//!
//! The arrays are not compressed, as those of `numpy.savez`.

use std::io::{self, Write};

use impasto_style::{Measured, Picture, Record};
use serde::Serialize;
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{Origin, npy};

/// What a picture has at some layers, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Features<'a> {
    /// The picture as it was measured.
    pub picture: &'a Picture,
    /// What it has.
    pub measured: &'a Measured,
    /// The network, such as `vgg16`.
    pub network: &'a str,
    /// How it was measured: options and inputs.
    pub record: &'a Record,
    /// The command and its inputs.
    pub origin: &'a Origin,
}

/// An array of the archive.
#[derive(Serialize)]
struct Entry<'a> {
    name: String,
    shape: Vec<usize>,
    dtype: &'static str,
    unit: &'static str,
    equation: &'static str,
    #[serde(skip)]
    values: &'a [f32],
}

impl Features<'_> {
    /// Writes the archive, front to back.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut archive = ZipWriter::new_stream(out);
        let arrays = self.arrays();
        for array in &arrays {
            archive.start_file(format!("{}.npy", array.name), options(npy::largest_bytes(&array.shape)))?;
            npy::write(&mut archive, &array.shape, array.values)?;
        }
        archive.start_file("manifest.json", options(0))?;
        archive.write_all(self.manifest(&arrays).as_bytes())?;
        archive.finish()?;
        Ok(())
    }

    /// The most bytes of the archive.
    pub fn largest_bytes(&self) -> u64 {
        const ENTRY: u64 = 1 << 10;
        let arrays = self.arrays();
        let arrays = arrays.iter().map(|array| npy::largest_bytes(&array.shape) + ENTRY);
        arrays.sum::<u64>() + (1 << 16)
    }

    fn arrays(&self) -> Vec<Entry<'_>> {
        let (height, width) = (self.picture.height(), self.picture.width());
        let entry = |name: &str, shape: &[usize], (unit, equation), values| Entry {
            name: name.to_owned(),
            shape: shape.to_vec(),
            dtype: npy::DTYPE,
            unit,
            equation,
            values,
        };
        let about = ("grey levels", "x, R G B");
        let mut arrays = vec![entry("picture", &[height, width, 3], about, self.picture.data())];
        for layer in &self.measured.layers {
            let (shape, n) = (layer.response.shape(), layer.gram.channels);
            let response = [shape.height, shape.width, shape.channels];
            let about = ("response", "F = max(0, Z)");
            arrays.push(entry(&layer.name, &response, about, layer.response.data()));
            let about = ("response^2", "G/M = F^T F / M");
            arrays.push(entry(&format!("{}_gram", layer.name), &[n, n], about, &layer.gram.data));
        }
        arrays
    }

    fn manifest(&self, arrays: &[Entry<'_>]) -> String {
        let manifest = json!({
            "format": "impasto-features",
            "format_version": 1,
            "command": self.origin.command,
            "record": self.record,
            "network": self.network,
            "height": self.picture.height(),
            "width": self.picture.width(),
            "arrays": arrays,
        });
        format!("{manifest:#}\n")
    }
}

/// Stored as it is, at the earliest time that a ZIP file knows: the same numbers give the same bytes.
fn options(bytes: u64) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(bytes >= u64::from(u32::MAX))
        .last_modified_time(zip::DateTime::default())
}
