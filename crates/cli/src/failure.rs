//! Why a command did not succeed: one sentence and an exit code.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use impasto_files::{FileError, quoted};
use impasto_style::picture::{Written, WrittenError};
use impasto_style::{Arch, OPTIONS, OptionsError, PictureError, TransferError, WeightsError, did_you_mean};

use crate::interrupt::Cause;

/// What `main` prints after "Error: ", and exits with.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
    /// Whether more memory would have helped.
    of_memory: bool,
}

impl Failure {
    /// Something went wrong: exit code 1.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), code: 1, of_memory: false }
    }

    /// The command was not used as it can be: exit code 2.
    pub(crate) fn wrong_use(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), code: 2, of_memory: false }
    }

    /// It was stopped: by a signal, or by a time limit before there was anything to keep.
    pub(crate) fn stopped(cause: Cause, message: impl fmt::Display) -> Self {
        match cause {
            Cause::Signal(signal) => Self { code: signal_exit_code(signal), ..Self::failed(message) },
            Cause::TimeLimit => Self::failed(message),
        }
    }

    /// Whether there was not the memory that it takes, within its limit.
    pub(crate) const fn is_of_memory(&self) -> bool {
        self.of_memory
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What shells have for a program that the signal of that number ended: 129, 130 and 143 for HUP, INT and TERM.
pub(crate) fn signal_exit_code(signal: i32) -> u8 {
    128_u8.wrapping_add(signal as u8)
}

/// What the library says, with the names of options as the command line has them: `size` becomes --size.
pub(crate) fn with_dashes(error: &impl fmt::Display) -> String {
    let names = OPTIONS.iter().map(|row| row.name).chain(["preset", "preprocess"]).chain(Written::NAMES);
    names.fold(error.to_string(), |text, name| text.replace(&format!("`{name}`"), &format!("--{name}")))
}

impl From<OptionsError> for Failure {
    fn from(error: OptionsError) -> Self {
        Self::wrong_use(with_dashes(&error))
    }
}

impl From<WrittenError> for Failure {
    fn from(error: WrittenError) -> Self {
        Self::wrong_use(with_dashes(&error))
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match error {
            FileError::IsInput { .. } | FileError::SameFile { .. } => Self::wrong_use(error),
            _ => Self::failed(error),
        }
    }
}

impl From<PictureError> for Failure {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::File(error) => error.into(),
            PictureError::UnknownExtension { .. } => Self::wrong_use(error),
            PictureError::NoStart { ref path } if is_name(path) => Self::wrong_use(with_dashes(&error)),
            PictureError::TooLarge { .. } | PictureError::NoMemory { .. } => {
                Self { of_memory: true, ..Self::failed(with_dashes(&error)) }
            }
            _ => Self::failed(with_dashes(&error)),
        }
    }
}

/// Whether a path that leads to no file looks like a name, and not like a file that is missing.
fn is_name(path: &Path) -> bool {
    path.extension().is_none() && path.components().count() == 1
}

impl From<WeightsError> for Failure {
    fn from(error: WeightsError) -> Self {
        match error {
            WeightsError::UnknownLayer { ref layer, arch, loaded } => {
                let layers: Vec<String> = arch.convs()[..loaded].iter().map(ToString::to_string).collect();
                let meant = did_you_mean(layer, layers.iter().map(String::as_str));
                Self::wrong_use(format!("{error}{meant}"))
            }
            WeightsError::Io { ref path, ref source } if source.kind() == ErrorKind::NotFound => {
                let names = Arch::ALL.map(Arch::name);
                let meant = did_you_mean(&path.to_string_lossy(), names);
                if is_name(path) {
                    let names = names.join(", ");
                    let name = quoted(path);
                    return Self::wrong_use(format!(
                        "there is no file {name}, and networks are {names}{meant}"
                    ));
                }
                Self::failed(format!("{error}{meant}"))
            }
            WeightsError::Write(error) => error.into(),
            WeightsError::NotConverted { ref path, arch } => {
                let fetch = "; `make vgg19` in the folder of impasto's source fetches them";
                let fetch = if arch == Arch::Vgg19 { fetch } else { "" };
                Self::failed(format!("{error}: `impasto weights convert FILE -o {}`{fetch}", quoted(path)))
            }
            WeightsError::NotEmbedded => {
                Self::failed("this build carries no weights: give a file with --weights")
            }
            _ => Self::failed(with_dashes(&error)),
        }
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Options(error) => error.into(),
            TransferError::Weights(error) => error.into(),
            TransferError::Picture(error) => error.into(),
            TransferError::Memory { .. } => Self { of_memory: true, ..Self::failed(with_dashes(&error)) },
            _ => Self::failed(with_dashes(&error)),
        }
    }
}
