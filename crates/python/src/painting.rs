//! What a transfer returns: the picture, how it came about, and its file.

use std::path::PathBuf;
use std::sync::OnceLock;

use impasto_style::picture::{Encoding, Whose, Written, WrittenProfile};
use impasto_style::{Painting as Painted, Said, StopReason};
use numpy::PyArray3;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::array::{array_of, warn};
use crate::error::Result;
use crate::term::{Term, by_name, terms};
use crate::text::text_of;

/// A finished transfer: what `transfer` returns.
#[pyclass(frozen, module = "impasto")]
pub(crate) struct Painting {
    pub(crate) painted: Painted,
    pub(crate) said: Said,
    /// Seconds of painting.
    pub(crate) seconds: f64,
    /// Whether the time limit ended it.
    pub(crate) timed_out: bool,
    /// The photo's name and colour space, or why that cannot be written in.
    pub(crate) photo: (String, std::result::Result<WrittenProfile, String>),
    pub(crate) dpi: Option<u16>,
    pub(crate) image: OnceLock<Py<PyArray3<f32>>>,
}

#[pymethods]
impl Painting {
    /// The picture: float32, H x W x 3, gamma-encoded sRGB from 0 to 255 and a little beyond, as it was painted; H x W x 4 where the
    /// photo is transparent, alpha from 0 to 255 too. It is made at the first look, and is yours to change: `save` writes what was
    /// painted.
    #[getter]
    fn image<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyArray3<f32>>> {
        if let Some(image) = self.image.get() {
            return Ok(image.bind(py).clone());
        }
        let image = array_of(py, &self.painted.picture)?;
        Ok(self.image.get_or_init(|| image.unbind()).bind(py).clone())
    }

    /// L(x) of the picture.
    #[getter]
    fn loss(&self) -> f64 {
        self.painted.loss
    }

    /// L(x) at the start of the last scale.
    #[getter]
    fn initial_loss(&self) -> f64 {
        self.painted.initial_loss
    }

    /// The loss of each term, not weighted, by its name, such as "style conv1_1".
    #[getter]
    fn losses<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        by_name(py, &self.painted.losses)
    }

    /// The terms with their weights and losses: L(x) is the sum of weight * loss.
    #[getter]
    fn terms(&self) -> Vec<Term> {
        terms(&self.painted.losses.terms)
    }

    /// Accepted iterations, of all scales.
    #[getter]
    fn iterations(&self) -> usize {
        self.painted.iterations
    }

    /// Evaluations of loss and gradient, of all scales.
    #[getter]
    fn evaluations(&self) -> usize {
        self.painted.evaluations
    }

    /// Seconds that this call has painted, without reading and preparing.
    #[getter]
    fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Why it ended, such as "all iterations are done" or "the loss no longer falls".
    #[getter]
    fn reason(&self) -> String {
        match self.painted.reason {
            StopReason::Cancelled if self.timed_out => "time_limit is over".to_owned(),
            StopReason::Cancelled => "on_iteration stopped it".to_owned(),
            reason => reason.to_string(),
        }
    }

    /// Whether it was stopped before its end, by `on_iteration` or `time_limit`.
    #[getter]
    fn stopped(&self) -> bool {
        self.said.is_stopped(&self.painted)
    }

    /// The share of pixels whose chroma had to shrink, visibly, to fit 0 to 255: above 0 only where `colours="photo"`.
    #[getter]
    fn chroma_shrunk(&self) -> f64 {
        self.painted.chroma_shrunk
    }

    /// Writes the file that the command line would have written of the same inputs, whole or not at all. Where the inputs are paths it
    /// has the same bytes.
    ///
    /// path: its ending says the format: .png, .jpg, .webp or .tif.
    /// quality: of a JPEG, 1 to 100, by default 95.
    /// depth: 8 or 16 bits a number; 16 is for a PNG or TIFF, and of a TIFF the default.
    /// dither: "diffusion" (the default) or "none": how 8 bits are made.
    /// profile: "srgb" (the default), "keep" (the photo's own colour space, if content is a path) or "none".
    /// dpi: pixels to the inch that the file says it has.
    /// no_metadata: the file does not say what made it.
    ///
    /// Raises OSError if it cannot be written, ValueError if the format cannot have what is asked for.
    #[pyo3(signature = (path, *, quality=None, depth=None, dither=None, profile=None, dpi=None, no_metadata=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn save(
        &self,
        py: Python<'_>,
        path: PathBuf,
        quality: Option<Bound<'_, PyAny>>,
        depth: Option<Bound<'_, PyAny>>,
        dither: Option<Bound<'_, PyAny>>,
        profile: Option<Bound<'_, PyAny>>,
        dpi: Option<Bound<'_, PyAny>>,
        no_metadata: bool,
    ) -> Result<()> {
        let mut written = Written::default();
        for (name, value) in Written::NAMES.into_iter().zip([quality, depth, dither, profile, dpi]) {
            if let Some(value) = value {
                written.set(name, &text_of(name, &value)?)?;
            }
        }
        let written = written.or(&Written { dpi: self.dpi, ..Written::default() });
        let name = path.display().to_string();
        let encoding = Encoding::from_path(&path, written.quality_of_jpeg())?;
        let mut writing = written.writing(encoding, &name)?;
        if written.profile == Some(Whose::Photo) {
            match &self.photo {
                (_, Ok(profile)) => writing.profile = profile.clone(),
                (photo, Err(problem)) => {
                    warn(py, &format!("{photo}: its colours {problem}: the picture is written in sRGB"))?;
                }
            }
        }
        if self.painted.picture.alpha().is_some() && !encoding.keeps_alpha() {
            warn(py, &format!("{name} is a JPEG, which has no transparency: the picture is laid on white"))?;
        }
        if !no_metadata {
            let said = self.said.written(&written, encoding);
            match said.too_long(encoding) {
                None => writing.text = Some(said.of_painting(&self.painted)),
                Some(problem) => warn(py, &format!("{name}: {problem}"))?,
            }
        }
        Ok(py.detach(|| self.painted.picture.write(&path, writing))?)
    }

    /// The picture as a PNG, for notebooks.
    fn _repr_png_<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.painted.picture.encode(Encoding::Png))?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn __repr__(&self) -> String {
        let Painted { picture, loss, iterations, .. } = &self.painted;
        let (height, width) = (picture.height(), picture.width());
        format!(
            "Painting({height} x {width}, loss={loss:e}, iterations={iterations}, reason={:?})",
            self.reason()
        )
    }
}
