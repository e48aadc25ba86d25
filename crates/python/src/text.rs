//! Values of Python as the texts that the table of options reads.
//!
//! | Python | text |
//! |---|---|
//! | `"auto"`, `"conv1_1:2,conv2_1"`, a path | as it is |
//! | 512, 1e-3, a number of numpy | `512`, `0.001` |
//! | True, False | `true`, `false` |
//! | `[3, 1]`, `["conv1_1", "conv2_1"]`, an array | `3,1`, `conv1_1,conv2_1` |
//! | `{"conv1_1": 2, "conv2_1": 0.5}` | `conv1_1:2,conv2_1:0.5` |
//! | `[["conv1_1"], {"conv2_1": 2}]` | `conv1_1/conv2_1:2` |

use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyMapping, PyString};

use crate::error::{Failure, Result};

/// The text of the value of an option.
pub(crate) fn text_of(name: &str, value: &Bound<'_, PyAny>) -> Result<String> {
    if let Some(text) = scalar(value)? {
        return Ok(text);
    }
    if let Ok(layers) = value.cast::<PyMapping>() {
        return weights(name, layers);
    }
    let entries = value.try_iter().map_err(|_| {
        let kind = kind_of(value);
        Failure::wrong_type(format!("`{name}` is of type {kind}: give a number, a text or a list"))
    })?;
    let entries = entries.collect::<PyResult<Vec<_>>>()?;
    let (mut texts, mut nested) = (Vec::new(), false);
    for entry in &entries {
        nested |= scalar(entry)?.is_none();
        texts.push(text_of(name, entry)?);
    }
    Ok(texts.join(if nested { "/" } else { "," }))
}

/// The text of what is no collection.
fn scalar(value: &Bound<'_, PyAny>) -> Result<Option<String>> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Some(text.to_str()?.to_owned()));
    }
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(Some(truth.is_true().to_string()));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Some(value.extract::<f64>()?.to_string()));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(Some(value.str()?.to_string()));
    }
    if value.hasattr("__fspath__")? {
        return Ok(Some(value.extract::<PathBuf>()?.to_string_lossy().into_owned()));
    }
    // Numbers of numpy, of which single precision has fewer digits than it seems.
    if value.hasattr("__index__")? && value.len().is_err() {
        return Ok(Some(value.call_method0("__index__")?.str()?.to_string()));
    }
    if value.hasattr("__float__")? && value.len().is_err() {
        return Ok(Some(value.str()?.extract::<String>()?.parse::<f64>().map_or_else(
            |_| value.extract::<f64>().map(|number| number.to_string()),
            |number| Ok(number.to_string()),
        )?));
    }
    Ok(None)
}

/// `conv1_1:2,conv2_1:0.5`.
fn weights(name: &str, layers: &Bound<'_, PyMapping>) -> Result<String> {
    let entry = |(layer, weight): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        Ok(format!("{}:{}", text_of(name, &layer)?, text_of(name, &weight)?))
    };
    let entries = layers.items()?.iter().map(|pair| entry(pair.extract()?)).collect::<Result<Vec<_>>>()?;
    Ok(entries.join(","))
}

/// A time above 0: seconds, a `timedelta`, or a text such as `90s` or `1h30m`.
pub(crate) fn duration_of(name: &str, value: &Bound<'_, PyAny>) -> Result<Duration> {
    let seconds =
        if value.hasattr("total_seconds")? { value.call_method0("total_seconds")? } else { value.clone() };
    let text = text_of(name, &seconds)?;
    let seconds = text.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.or_else(|| humantime::parse_duration(&text).ok()).filter(|time| !time.is_zero()).ok_or_else(
        || {
            Failure::value(format!(
                "`{name}` must be a time like 90s, 10m or 1h30m, or seconds above 0, not {text}"
            ))
        },
    )
}

/// A path.
pub(crate) fn path_of(name: &str, value: &Bound<'_, PyAny>) -> Result<PathBuf> {
    value.extract::<PathBuf>().map_err(|_| {
        let kind = kind_of(value);
        Failure::wrong_type(format!("`{name}` must be a path, not {kind}"))
    })
}

/// The name of a value's type.
pub(crate) fn kind_of(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map(|kind| kind.to_string()).unwrap_or_default()
}

/// Whether a value is a path: a text or an object of `pathlib`.
pub(crate) fn is_path(value: &Bound<'_, PyAny>) -> Result<bool> {
    Ok(value.is_instance_of::<PyString>() || value.hasattr("__fspath__")?)
}

/// The keywords that were given a value: `None` is none.
pub(crate) fn given<'py>(keywords: Option<&Bound<'py, PyDict>>) -> Result<Vec<(String, Bound<'py, PyAny>)>> {
    let Some(keywords) = keywords else { return Ok(Vec::new()) };
    let given = keywords.iter().filter(|(_, value)| !value.is_none());
    given.map(|(name, value)| Ok((name.extract()?, value))).collect()
}
