//! `Network`: a VGG, and what it has to say of a picture.

use std::path::PathBuf;
use std::sync::Arc;

use impasto_style::picture::ReadOptions;
use impasto_style::{Cancel, Choices, Measurement, Picture, TransferError, available_memory, did_you_mean};
use impasto_vgg::Network as Vgg;
use numpy::{PyArray1, PyArray4};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::array::{array, warn};
use crate::asked::parse_threads;
use crate::error::{Failure, Result};
use crate::sources::{Given, taken};
use crate::text::{given, kind_of, text_of};
use crate::watched::{pool, watched};
use crate::weights::{NetworkChoice, convention};

/// A VGG-16 or VGG-19 without its fully connected layers.
///
/// `Network.embedded()` is Oxford's VGG-16 from the package, `Network.load(path)` that of a file.
#[pyclass(frozen, module = "impasto")]
#[derive(Debug)]
pub(crate) struct Network {
    network: Arc<Vgg>,
    choice: NetworkChoice,
}

impl Network {
    /// What asks for this network.
    pub(crate) fn choice(&self) -> &NetworkChoice {
        &self.choice
    }

    fn read(py: Python<'_>, choice: NetworkChoice) -> Result<Self> {
        let network = py.detach(|| choice.read())?;
        Ok(Self { network: Arc::clone(&network), choice: NetworkChoice { loaded: Some(network), ..choice } })
    }
}

#[pymethods]
impl Network {
    /// Oxford's VGG-16, whose weights are in the package in half precision.
    #[staticmethod]
    fn embedded(py: Python<'_>) -> Result<Self> {
        Self::read(py, NetworkChoice::default())
    }

    /// The network of a file of weights, whose format is told from its content: PyTorch, safetensors, HDF5, MATLAB, Caffe, ONNX or NumPy;
    /// or that of a name such as "vgg19" that was converted before.
    ///
    /// preprocess: "torch", "caffe-bgr" or "caffe-rgb": what pictures it expects, if its file does not tell.
    ///
    /// Raises OSError if the file cannot be read, ValueError if it is no VGG.
    #[staticmethod]
    #[pyo3(signature = (path, *, preprocess=None))]
    fn load(py: Python<'_>, path: PathBuf, preprocess: Option<&str>) -> Result<Self> {
        let preprocess = preprocess.map(convention).transpose()?;
        Self::read(py, NetworkChoice { weights: Some(path), preprocess, loaded: None })
    }

    /// "vgg16" or "vgg19".
    #[getter]
    fn name(&self) -> &'static str {
        self.network.arch.name()
    }

    /// The names of its convolutions, conv1_1 first. relu1_1 is another name of conv1_1: responses are taken after the ReLU.
    #[getter]
    fn layers(&self) -> Vec<String> {
        self.network.convs.iter().map(|conv| conv.name.clone()).collect()
    }

    /// (scale, mean, std): the network reads z_c = (scale x_c - mean_c) / std_c, x from 0 to 255, c = R, G, B.
    #[getter]
    fn preprocessing(&self) -> (f32, [f32; 3], [f32; 3]) {
        let preprocessing = self.network.preprocessing;
        (preprocessing.scale, preprocessing.mean, preprocessing.std)
    }

    /// The kernel of a layer, float32, 3 x 3 x inputs x N (row, column, channel in, filter), and its bias, N numbers:
    /// F = max(0, bias + sum of kernel * input), zeros beyond the edge.
    fn weights<'py>(&self, py: Python<'py>, layer: &str) -> Result<Convolution<'py>> {
        let conv = &self.network.convs[self.network.position(layer)?];
        let kernel = array(py, (3, 3, conv.in_channels, conv.out_channels), conv.kernel.clone())?;
        Ok((kernel, array(py, conv.bias.len(), conv.bias.clone())?))
    }

    /// The responses F of layers to a picture, by the layers' names: float32, H_l x W_l x N, after the ReLU, so 0 or more.
    ///
    /// image: a path or an array, as content of `transfer`. It is taken at its own size; H_l x W_l is that, halved and rounded down by each
    /// pooling before the layer.
    /// layers: a name such as "conv4_2", or a list of names.
    /// pool, border, conv, memory_limit, threads: as of `transfer`; by default pool is "max" and border "zero", as the network was trained.
    ///
    /// As a matrix of M = H_l W_l positions, `f.reshape(-1, f.shape[-1])`, F is what the equations of the paper have, transposed.
    ///
    /// Raises ValueError for a layer that there is not, or a picture too small for it.
    #[pyo3(signature = (image, layers, **options))]
    fn features<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        layers: &Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyDict>> {
        let responses = self.measured(py, (image, layers, options), Measurement::responses)?;
        let dict = PyDict::new(py);
        for (layer, response) in responses {
            let shape = response.shape();
            let numbers = array(py, (shape.height, shape.width, shape.channels), response.into_vec())?;
            dict.set_item(layer, numbers)?;
        }
        Ok(dict)
    }

    /// The Gram matrices of layers for a picture, by the layers' names: float32, N x N, G_ij = 1/M sum_k F_ki F_kj over the M positions
    /// of F: `f.T @ f / len(f)` of the matrix of `features`.
    ///
    /// Arguments and errors are those of `features`. No response is kept in memory.
    #[pyo3(signature = (image, layers, **options))]
    fn gram<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        layers: &Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> Result<Bound<'py, PyDict>> {
        let grams = self.measured(py, (image, layers, options), Measurement::grams)?;
        let dict = PyDict::new(py);
        for (layer, gram) in grams {
            dict.set_item(layer, array(py, (gram.channels, gram.channels), gram.data)?)?;
        }
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Network({}, {} layers)", self.network.arch, self.network.convs.len())
    }
}

/// A kernel and its bias.
type Convolution<'py> = (Bound<'py, PyArray4<f32>>, Bound<'py, PyArray1<f32>>);

/// What measures a picture at layers.
type Measure<T> = fn(&Measurement, &Vgg, &Picture, &[&str]) -> std::result::Result<Vec<T>, TransferError>;

impl Network {
    /// What a picture has at layers, each with its name.
    fn measured<T: Send + 'static>(
        &self,
        py: Python<'_>,
        (image, layers, options): (&Bound<'_, PyAny>, &Bound<'_, PyAny>, Option<&Bound<'_, PyDict>>),
        measure: Measure<T>,
    ) -> Result<Vec<(String, T)>> {
        let cancel = Cancel::default();
        let (measurement, threads) = measuring(options)?;
        let measurement = measurement.with_cancel(cancel.clone());
        let names = names(layers)?;
        let source = Given::picture("the picture", image)?;
        let (network, layers) = (Arc::clone(&self.network), names.clone());
        let (measured, warnings) = watched(py, &cancel, move || {
            let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
            let (picture, warnings) = match source {
                Given::File(path) => {
                    let read = Picture::read(&path, &ReadOptions::default())?;
                    let warnings =
                        read.warnings.iter().map(|warning| format!("{}: {warning}", path.display()));
                    (read.picture, warnings.collect::<Vec<_>>())
                }
                Given::Memory(picture) => (picture.ok_or_else(taken)?, Vec::new()),
            };
            let measured = pool(threads)?.install(|| measure(&measurement, &network, &picture, &layers))?;
            Ok((measured, warnings))
        })?;
        warnings.iter().try_for_each(|warning| warn(py, warning))?;
        Ok(names.into_iter().zip(measured).collect())
    }
}

/// A measurement with what the keywords say, and the threads.
fn measuring(keywords: Option<&Bound<'_, PyDict>>) -> Result<(Measurement, Option<usize>)> {
    const NAMES: [&str; 6] = ["pool", "pooling", "border", "conv", "memory_limit", "threads"];
    let (mut choices, mut threads) = (Choices::default(), None);
    for (name, value) in given(keywords)? {
        if !NAMES.contains(&name.as_str()) {
            let meant = did_you_mean(&name, NAMES);
            return Err(Failure::wrong_type(format!("a measurement has no argument {name}{meant}")));
        }
        let text = text_of(&name, &value)?;
        if name == "threads" {
            threads = Some(parse_threads(&text)?);
        } else {
            choices.set(&name.replace('_', "-"), &text)?;
        }
    }
    let options = choices.options()?;
    let limit = options.memory_limit.or_else(available_memory);
    let mut measurement = Measurement::default().with_conv(options.conv).with_memory_limit(limit);
    if choices.has("pool") {
        measurement = measurement.with_pooling(options.pooling);
    }
    if choices.has("border") {
        measurement = measurement.with_border(options.border);
    }
    Ok((measurement, threads))
}

/// The names of layers: one, a list, or a text with commas.
fn names(layers: &Bound<'_, PyAny>) -> Result<Vec<String>> {
    if let Ok(text) = layers.cast::<PyString>() {
        return Ok(text.to_str()?.split(',').map(|name| name.trim().to_owned()).collect());
    }
    layers.extract().map_err(|_| {
        let kind = kind_of(layers);
        Failure::wrong_type(format!(
            "`layers` is of type {kind}: give a name such as \"conv4_2\", or a list of names"
        ))
    })
}
