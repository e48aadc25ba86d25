//! What a transfer returns: the picture, how it came about, and its file.

use std::path::PathBuf;
use std::sync::OnceLock;

use impasto_style::picture::{Encoding, WrittenProfile};
use impasto_style::{
    Effort, Iterations, Painting as Painted, Provenance, StopReason, Stopped, Summary, TransferOptions,
};
use numpy::PyArray3;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::array::{array_of, warn};
use crate::error::Result;
use crate::term::{Term, by_name, terms};
use crate::text::text_of;
use crate::written::Written;

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
        let written = written.or_dpi(self.dpi);
        let name = path.display().to_string();
        let encoding = Encoding::from_path(&path, written.quality_of_jpeg())?;
        let mut writing = written.writing(encoding, &name)?;
        if written.keeps_profile() {
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
            match self.said.text(&self.painted, &written, encoding) {
                Ok(text) => writing.text = Some(text),
                Err(problem) => warn(py, &format!("{name}: {problem}"))?,
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

/// What the files of a run say of themselves.
#[derive(Debug)]
pub(crate) struct Said {
    finished: Provenance,
    /// Of a run that goes on, the iterations that it is asked for now.
    going_on: Option<(Iterations, Effort)>,
    /// (H, W) of the last scale.
    size: (usize, usize),
    /// Iterations of all scales.
    iterations: usize,
}

impl Said {
    /// What a finished picture says, of a run with these options that goes on from a checkpoint or starts anew.
    pub(crate) fn new(finished: Provenance, options: &TransferOptions, goes_on: bool) -> Self {
        let going_on = goes_on.then(|| (options.iterations.clone(), options.effort));
        Self { finished, going_on, size: (0, 0), iterations: 0 }
    }

    /// Learns what is going to be done. Of a run that goes on it says how many iterations there are at each size, where these are others
    /// than those that are asked for now.
    pub(crate) fn start(&mut self, summary: &Summary) {
        (self.size, self.iterations) = (summary.size, summary.iterations);
        let Some((asked, effort)) = &self.going_on else { return };
        let mut of_scales = summary.scale_iterations.clone();
        let Some((last, coarse)) = of_scales.split_last_mut() else { return };
        // Fewer than are done may be asked for.
        *last = (*last).max(summary.done.saturating_sub(coarse.iter().sum()));
        let sides = summary.scales.iter().map(|&(height, width)| height.max(width)).enumerate();
        let as_asked = sides.map(|(scale, side)| asked.at(scale, side, *effort));
        if !as_asked.eq(of_scales.iter().copied()) {
            self.finished.say_iterations(&of_scales);
        }
    }

    /// Whether a picture is not that of the whole run.
    fn is_stopped(&self, painted: &Painted) -> bool {
        let size = (painted.picture.height(), painted.picture.width());
        painted.reason == StopReason::Cancelled || size != self.size
    }

    /// The text of a file, or why it has no room for it.
    fn text(
        &self,
        painted: &Painted,
        written: &Written,
        encoding: Encoding,
    ) -> std::result::Result<String, String> {
        // As many bytes as iterations that are said of each size may take.
        const MORE: usize = 400;
        let text = |stopped| {
            let output = written.unusual(encoding).into_iter().collect();
            Provenance { stopped, output, ..self.finished.clone() }.to_string()
        };
        let longest = text(Some(Stopped { after: usize::MAX, of: usize::MAX }));
        let (bytes, most) = (longest.len() + MORE, encoding.longest_text());
        if bytes > most {
            return Err(format!(
                "the picture will not say what made it: that takes {bytes} bytes, and a file of this format has room for {most}"
            ));
        }
        let stopped = Stopped { after: painted.iterations, of: self.iterations };
        Ok(text(self.is_stopped(painted).then_some(stopped)))
    }
}
