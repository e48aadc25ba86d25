//! The library's errors as exceptions: `ValueError` for what makes no sense, `OSError` for files that cannot be read or written,
//! `MemoryError` for too little memory. The sentences are the library's own, with the names of options as Python has them.

use std::fmt::Display;
use std::io::{self, ErrorKind};

use impasto_files::FileError;
use impasto_style::picture::WrittenError;
use impasto_style::{
    AutodiffError, CheckpointError, OPTIONS, OptionsError, PictureError, SavedSceneError, SubjectError,
    TransferError, WeightsError,
};
use impasto_tensor::TensorError;
use pyo3::PyErr;
use pyo3::exceptions::{
    PyFileNotFoundError, PyIsADirectoryError, PyMemoryError, PyOSError, PyPermissionError, PyRuntimeError,
    PyTimeoutError, PyTypeError, PyValueError,
};

/// Why there is no result. It can be made on any thread, without the interpreter.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An exception that is to be raised.
    Raised(PyErr),
    /// It was cancelled; whoever did that knows why.
    Cancelled,
}

/// What a fallible step gives.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A value that makes no sense.
    pub(crate) fn value(message: impl Display) -> Self {
        Self::Raised(PyValueError::new_err(in_python(&message)))
    }

    /// An argument that there is not, or of a type that it cannot have.
    pub(crate) fn wrong_type(message: impl Display) -> Self {
        Self::Raised(PyTypeError::new_err(in_python(&message)))
    }

    /// A time limit that ended a run before there was anything to return.
    pub(crate) fn time_is_up(message: impl Display) -> Self {
        Self::Raised(PyTimeoutError::new_err(in_python(&message)))
    }

    pub(crate) fn memory(message: impl Display) -> Self {
        Self::Raised(PyMemoryError::new_err(in_python(&message)))
    }

    fn system(message: impl Display, kind: ErrorKind) -> Self {
        let message = in_python(&message);
        Self::Raised(match kind {
            ErrorKind::NotFound => PyFileNotFoundError::new_err(message),
            ErrorKind::PermissionDenied => PyPermissionError::new_err(message),
            ErrorKind::IsADirectory => PyIsADirectoryError::new_err(message),
            ErrorKind::OutOfMemory => PyMemoryError::new_err(message),
            _ => PyOSError::new_err(message),
        })
    }
}

/// A sentence with the names of options as Python has them: `style-weight` becomes `style_weight`.
pub(crate) fn in_python(message: &impl Display) -> String {
    OPTIONS.iter().fold(message.to_string(), |message, row| {
        message.replace(&format!("`{}`", row.name), &format!("`{}`", row.name.replace('-', "_")))
    })
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Raised(error) => error,
            Failure::Cancelled => Self::new::<PyRuntimeError, _>(TransferError::Cancelled.to_string()),
        }
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl From<OptionsError> for Failure {
    fn from(error: OptionsError) -> Self {
        Self::value(error)
    }
}

impl From<WrittenError> for Failure {
    fn from(error: WrittenError) -> Self {
        match error {
            WrittenError::Value { name, requirement, value } => {
                Self::value(format!("`{name}` must be {requirement}, not {value}"))
            }
            error => Self::value(error),
        }
    }
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Self {
        Self::value(error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let kind = match &error {
            FileError::NoFolder { .. } => ErrorKind::NotFound,
            FileError::IsFolder { .. } => ErrorKind::IsADirectory,
            FileError::Protected { .. } => ErrorKind::PermissionDenied,
            FileError::Folder { source, .. } | FileError::Write { source, .. } => source.kind(),
            _ => ErrorKind::Other,
        };
        Self::system(error, kind)
    }
}

impl From<PictureError> for Failure {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::Open { ref source, .. } => {
                let kind = source.kind();
                Self::system(error, kind)
            }
            PictureError::NoStart { .. } => Self::system(error, ErrorKind::NotFound),
            PictureError::TooLarge { .. }
            | PictureError::LongStream { .. }
            | PictureError::NoMemory { .. }
            | PictureError::NoRoom { .. } => Self::memory(error),
            PictureError::File(error) => error.into(),
            error => Self::value(error),
        }
    }
}

impl From<WeightsError> for Failure {
    fn from(error: WeightsError) -> Self {
        match error {
            WeightsError::Io { ref source, .. } => {
                let kind = source.kind();
                Self::system(error, kind)
            }
            WeightsError::NotConverted { .. } => Self::system(error, ErrorKind::NotFound),
            WeightsError::Write(error) => error.into(),
            WeightsError::Picture(error) => error.into(),
            error => Self::value(error),
        }
    }
}

impl From<TensorError> for Failure {
    fn from(error: TensorError) -> Self {
        match error {
            TensorError::OutOfMemory { .. } => Self::memory(error),
            error => Self::value(error),
        }
    }
}

impl From<AutodiffError> for Failure {
    fn from(error: AutodiffError) -> Self {
        match error {
            AutodiffError::Cancelled => Self::Cancelled,
            AutodiffError::Memory { .. } => Self::memory(error),
            AutodiffError::Tensor(error) => error.into(),
            error => Self::value(error),
        }
    }
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Read { ref source, .. } => {
                let kind = source.kind();
                Self::system(error, kind)
            }
            CheckpointError::Write(error) => error.into(),
            error => Self::value(error),
        }
    }
}

impl From<SavedSceneError> for Failure {
    fn from(error: SavedSceneError) -> Self {
        match error {
            SavedSceneError::Read { ref source, .. } => {
                let kind = source.kind();
                Self::system(error, kind)
            }
            error => Self::value(error),
        }
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Options(error) => error.into(),
            TransferError::Subject(error) => error.into(),
            TransferError::Weights(error) => error.into(),
            TransferError::Picture(error) => error.into(),
            TransferError::Checkpoint(error) => error.into(),
            TransferError::Cancelled => Self::Cancelled,
            TransferError::Memory { .. } => Self::memory(error),
            TransferError::Autodiff(error) => error.into(),
            error => Self::value(error),
        }
    }
}

/// The system refuses something that is no file.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let kind = error.kind();
        Self::system(error, kind)
    }
}
