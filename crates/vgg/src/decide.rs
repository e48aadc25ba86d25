//! Which preprocessing a file's network expects.

use crate::formats::RawFile;
use crate::{Convention, Problem};

/// What the file says of itself, or what the names of its tensors tell.
pub(crate) fn convention(file: &RawFile) -> Result<Convention, Problem> {
    if let Some(name) = file.metadata.get("preprocessing") {
        return Convention::from_name(name)
            .ok_or_else(|| file.format.malformed(format!("unknown preprocessing {name:?}")));
    }
    // timm's and torchvision's names; conversions of Oxford's files keep Caffe's.
    if file.tensors.iter().any(|tensor| tensor.name.starts_with("features.0.")) {
        return Ok(Convention::Torch);
    }
    Err(Problem::AmbiguousPreprocessing)
}
