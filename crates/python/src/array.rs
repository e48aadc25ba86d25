//! Between numpy's arrays and the library's pictures and masks.
//!
//! | array | is |
//! |---|---|
//! | H x W x 3 | R, G, B: uint8, or float32 or float64 from 0 (black) to 255 (white), gamma-encoded sRGB |
//! | H x W x 4 | the same and alpha, of the same range as the colours; the colours are not multiplied by it |
//! | H x W, H x W x 1 | grey |
//! | mask H x W | bool, uint8 from 0 (not here) to 255 (here), or float32 or float64 from 0 to 1 |
//!
//! Any strides do. A picture is copied once, on the way in and on the way out.

use impasto_style::picture::Picture;
use impasto_style::{Mask, PictureError, TransferOptions};
use numpy::ndarray::{Array, ArrayView3, ArrayViewD, Axis, Dimension, IntoDimension, Ix3};
use numpy::{
    Element, IntoPyArray, PyArray, PyArray3, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{Failure, Result};

/// An array whose numbers can be a picture's.
enum Numbers<'py> {
    Bool(PyReadonlyArrayDyn<'py, bool>),
    Byte(PyReadonlyArrayDyn<'py, u8>),
    Single(PyReadonlyArrayDyn<'py, f32>),
    Double(PyReadonlyArrayDyn<'py, f64>),
}

impl<'py> Numbers<'py> {
    /// The array that an object is, or has for itself.
    fn of(object: &Bound<'py, PyAny>, what: &str) -> Result<Self> {
        let object = of_image_library(object, what)?;
        let requirements = PyDict::new(object.py());
        requirements.set_item("requirements", ["A"])?;
        let array = object.py().import("numpy")?.call_method("require", (&object,), Some(&requirements))?;
        if let Ok(numbers) = array.extract() {
            return Ok(Self::Byte(numbers));
        }
        if let Ok(numbers) = array.extract() {
            return Ok(Self::Single(numbers));
        }
        if let Ok(numbers) = array.extract() {
            return Ok(Self::Double(numbers));
        }
        if let Ok(numbers) = array.extract() {
            return Ok(Self::Bool(numbers));
        }
        let array = array.cast::<PyUntypedArray>().map_err(PyErr::from)?;
        let dtype = array.dtype().to_string();
        let advice = if dtype == "uint16" { ", to which numbers of 16 bits come by / 257" } else { "" };
        Err(Failure::wrong_type(format!(
            "{what} is of type {} with numbers of {dtype}: give a path, a picture of PIL, or an array of uint8, or of float32 \
             from 0 to 255{advice}",
            object.get_type().name()?
        )))
    }

    fn shape(&self) -> Vec<usize> {
        match self {
            Self::Bool(numbers) => numbers.shape().to_vec(),
            Self::Byte(numbers) => numbers.shape().to_vec(),
            Self::Single(numbers) => numbers.shape().to_vec(),
            Self::Double(numbers) => numbers.shape().to_vec(),
        }
    }

    /// Colours and alpha as numbers from 0 to 255: a picture's.
    fn into_picture(self) -> Option<Parts> {
        match self {
            Self::Bool(numbers) => parts(numbers.as_array(), |here| f32::from(u8::from(here)) * 255.0),
            Self::Byte(numbers) => parts(numbers.as_array(), f32::from),
            Self::Single(numbers) => parts(numbers.as_array(), |number| number),
            Self::Double(numbers) => parts(numbers.as_array(), |number| number as f32),
        }
    }

    /// One number for each pixel, from 0 to 1: a mask's.
    fn into_mask(self) -> Vec<f32> {
        match self {
            Self::Bool(numbers) => gather(numbers.as_array(), |here| f32::from(u8::from(here))),
            Self::Byte(numbers) => gather(numbers.as_array(), |number| f32::from(number) / 255.0),
            Self::Single(numbers) => gather(numbers.as_array(), |number| number),
            Self::Double(numbers) => gather(numbers.as_array(), |number| number as f32),
        }
    }

    fn is_float(&self) -> bool {
        matches!(self, Self::Single(_) | Self::Double(_))
    }
}

/// A picture of PIL as one whose array has colours: its palettes are not. Any other object is itself.
fn of_image_library<'py>(object: &Bound<'py, PyAny>, what: &str) -> Result<Bound<'py, PyAny>> {
    if object.is_instance_of::<PyUntypedArray>() || !object.hasattr("convert")? {
        return Ok(object.clone());
    }
    let Ok(mode) = object.getattr("mode").and_then(|mode| mode.extract::<String>()) else {
        return Ok(object.clone());
    };
    let has_alpha = |object: &Bound<'py, PyAny>| object.getattr("info")?.contains("transparency");
    let mode = match &*mode {
        "1" | "L" | "RGB" | "RGBA" => return Ok(object.clone()),
        "LA" | "La" | "PA" | "RGBa" => "RGBA",
        "P" if has_alpha(object)? => "RGBA",
        "P" | "RGBX" | "CMYK" | "YCbCr" | "LAB" | "HSV" => "RGB",
        mode => {
            let problem =
                format!("{what} is a picture of PIL of mode {mode}: give its path, or convert it to RGB");
            return Err(Failure::value(problem));
        }
    };
    Ok(object.call_method1("convert", (mode,))?)
}

/// Colours H x W x 3, and alpha H x W if there is any.
struct Parts {
    colours: Vec<f32>,
    alpha: Option<Vec<f32>>,
}

/// The parts of an array; none if its shape is no picture's.
fn parts<T: Copy>(numbers: ArrayViewD<'_, T>, number: impl Fn(T) -> f32 + Copy) -> Option<Parts> {
    let numbers = if numbers.ndim() == 2 { numbers.insert_axis(Axis(2)) } else { numbers };
    let numbers: ArrayView3<'_, T> = numbers.into_dimensionality::<Ix3>().ok()?;
    let colours = |numbers: ArrayView3<'_, T>| gather(numbers, number);
    match numbers.dim() {
        (0, _, _) | (_, 0, _) => None,
        (_, _, 1) => {
            let colours = numbers.iter().flat_map(|&grey| [number(grey); 3]).collect();
            Some(Parts { colours, alpha: None })
        }
        (_, _, 3) => Some(Parts { colours: colours(numbers), alpha: None }),
        (_, _, 4) => {
            let (rgb, alpha) = numbers.split_at(Axis(2), 3);
            Some(Parts { colours: colours(rgb), alpha: Some(colours(alpha)) })
        }
        _ => None,
    }
}

/// The numbers in the order of their indices.
fn gather<T: Copy, D: Dimension>(
    numbers: numpy::ndarray::ArrayView<'_, T, D>,
    number: impl Fn(T) -> f32,
) -> Vec<f32> {
    match numbers.as_slice() {
        Some(numbers) => numbers.iter().map(|&value| number(value)).collect(),
        None => numbers.iter().map(|&value| number(value)).collect(),
    }
}

/// The picture of an array, or of an object that has one; `what` is what messages call it. What of it is transparent stays so.
pub(crate) fn picture_of(object: &Bound<'_, PyAny>, what: &str) -> Result<Picture> {
    let numbers = Numbers::of(object, what)?;
    let (shape, is_float) = (numbers.shape(), numbers.is_float());
    room_for(&shape, what)?;
    let no_picture = || {
        Failure::value(format!(
            "{what} has the shape {}: a picture is H x W x 3 (R, G, B), H x W x 4 (with alpha) or H x W (grey)",
            shape_text(&shape)
        ))
    };
    let Parts { colours, alpha } = numbers.into_picture().ok_or_else(no_picture)?;
    let all = || colours.iter().chain(alpha.iter().flatten());
    if is_float {
        if !all().all(|number| number.is_finite()) {
            return Err(Failure::value(format!("{what} has numbers that are NaN or infinite")));
        }
        if all().all(|&number| number <= 1.0) && all().any(|&number| number > 0.0) {
            warn(
                object.py(),
                &format!("{what} has no number above 1, and a picture's are from 0 to 255: times 255?"),
            )?;
        }
        // Those that an optimiser leaves are a little beyond, not four times.
        let most = all().fold(0.0_f32, |most, number| most.max(number.abs()));
        if most > 1023.0 {
            warn(
                object.py(),
                &format!(
                    "{what} has numbers up to {most}, and a picture's are from 0 to 255: divided by 257?"
                ),
            )?;
        }
    }
    let (height, width) = (shape[0], shape[1]);
    let picture = Picture::new(height, width, colours)?;
    let Some(alpha) = alpha else { return Ok(picture) };
    let alpha = Mask::new(height, width, alpha.into_iter().map(|alpha| alpha / 255.0).collect())?;
    if alpha.is_empty() {
        return Err(PictureError::Transparent { path: what.into() }.into());
    }
    Ok(picture.with_alpha(alpha)?)
}

/// Checks that there is memory for an array's numbers in single precision, three where it is grey: an array that repeats one number
/// in memory may have any shape.
fn room_for(shape: &[usize], what: &str) -> Result<()> {
    let numbers =
        shape.iter().try_fold(if shape.len() < 3 { 3_usize } else { 1 }, |all, &side| all.checked_mul(side));
    if has_room::<f32>(numbers) {
        return Ok(());
    }
    Err(Failure::memory(format!(
        "{what} has the shape {}: there is not enough memory for its numbers",
        shape_text(shape)
    )))
}

/// Whether the system gives the memory for so many numbers; of None there are more than can be counted.
pub(crate) fn has_room<T>(numbers: Option<usize>) -> bool {
    numbers.is_some_and(|numbers| Vec::<T>::new().try_reserve_exact(numbers).is_ok())
}

/// [`picture_of`], laid on the options' background where it is transparent, if they have one.
pub(crate) fn on_background(picture: Picture, options: &TransferOptions) -> Picture {
    match options.background {
        Some(colour) => picture.on(colour),
        None => picture,
    }
}

/// The mask of an array, or of an object that has one. A picture in colours counts by its luma.
pub(crate) fn mask_of(object: &Bound<'_, PyAny>, what: &str) -> Result<Mask> {
    let numbers = Numbers::of(object, what)?;
    let shape = numbers.shape();
    room_for(&shape, what)?;
    match shape[..] {
        [height, width] | [height, width, 1] if height > 0 && width > 0 => {
            let values = numbers.into_mask();
            if let Some(number) = values.iter().find(|number| !(0.0..=1.0).contains(*number)) {
                let problem = format!(
                    "{what} has a number {number}: a mask of floats is from 0 (not here) to 1 (here)"
                );
                return Err(Failure::value(problem));
            }
            Ok(Mask::new(height, width, values)?)
        }
        [_, _, 3 | 4] if !numbers.is_float() => Ok(Mask::of(&picture_of(object, what)?)),
        _ => Err(Failure::value(format!(
            "{what} has the shape {}: a mask is H x W, from 0 (not here) to 1 (here)",
            shape_text(&shape)
        ))),
    }
}

/// `(3, 64, 64)`, as Python writes it.
fn shape_text(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    if let [side] = &sides[..] { format!("({side},)") } else { format!("({})", sides.join(", ")) }
}

/// A warning of Python's, about the line that called us.
pub(crate) fn warn(py: Python<'_>, message: &str) -> Result<()> {
    py.import("warnings")?.call_method1("warn", (message,))?;
    Ok(())
}

/// The array H x W x 3 of a picture, or H x W x 4 where it has alpha, which is then from 0 to 255 as well: one copy.
pub(crate) fn array_of<'py>(py: Python<'py>, picture: &Picture) -> Result<Bound<'py, PyArray3<f32>>> {
    let (height, width, colours) = (picture.height(), picture.width(), picture.data());
    match picture.alpha() {
        None => array(py, (height, width, 3), colours.to_vec()),
        Some(alpha) => {
            let pixels = colours.as_chunks::<3>().0.iter().zip(alpha.values());
            let numbers = pixels.flat_map(|(&[r, g, b], alpha)| [r, g, b, alpha * 255.0]).collect();
            array(py, (height, width, 4), numbers)
        }
    }
}

/// The array that numbers are, without a copy.
pub(crate) fn array<T: Element, D: IntoDimension>(
    py: Python<'_>,
    shape: D,
    numbers: Vec<T>,
) -> Result<Bound<'_, PyArray<T, D::Dim>>> {
    let array = Array::from_shape_vec(shape.into_dimension(), numbers);
    Ok(array.map_err(Failure::value)?.into_pyarray(py))
}
