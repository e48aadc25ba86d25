//! What a picture says of itself: what made it, as a text that its file carries beside the pixels.
//!
//! ```json
//! {"impasto":"0.1.0","stopped":{"after":40,"of":300},"version":1,"instruction-set":"avx2",
//!  "options":{"size":512},"inputs":[{"role":"content","path":"photo.jpg","sha256":"..."}],"output":{"quality":80}}
//! ```
//!
//! It is a [`Record`], on one line, with what decides the file's bytes beside it: the instruction set, by which numbers are
//! rounded, and how the file was written, as far as that is not what is usual. Nothing else is in it: a file is named without its
//! folders, and threads, times and limits are not there. So the same inputs and options give the same text.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::io::Read;
use std::path::{Path, PathBuf};

use impasto_files::one_line;
use impasto_tensor::Isa;
use serde::{Deserialize, Serialize};

use crate::picture::{MOST_TEXT, ReadOptions};
use crate::{Init, Input, Picture, PictureError, Record, RecordError, Value};

/// How every text begins: what begins otherwise is a stranger's.
const BEGINS: &str = "{\"impasto\":";

/// What a picture says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// Options and inputs, these by their names without folders.
    pub record: Record,
    /// The name of the instruction set that it was computed with.
    pub instruction_set: String,
    /// How far it was painted, if not to the end.
    pub stopped: Option<Stopped>,
    /// How its file was written, by the names of options: those that have not their usual value.
    pub output: BTreeMap<String, Value>,
}

/// Where a picture was when it was written that is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stopped {
    /// The iterations that were done, of all scales.
    pub after: usize,
    /// All iterations that were asked for.
    pub of: usize,
}

/// Why a picture does not say what made it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// The file cannot be read, or is no picture.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// It holds no such text.
    #[error("{} holds no record of impasto", one_line(path.display()))]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// It holds a text that is not understood.
    #[error("{}: {}", one_line(path.display()), one_line(source))]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: RecordError,
    },
}

/// The text as it stands in a file: in the order in which people want to know.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Text {
    impasto: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped: Option<Stopped>,
    version: u64,
    instruction_set: String,
    options: BTreeMap<String, Value>,
    inputs: Vec<Input>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    output: BTreeMap<String, Value>,
}

impl Provenance {
    /// The longest text that is read again, in bytes.
    pub const MOST_BYTES: usize = MOST_TEXT;

    /// Of a finished picture that this machine paints of what the record says, and whose file is written as usual.
    pub fn new(record: &Record) -> Self {
        let mut record = record.clone();
        for input in &mut record.inputs {
            // The `-` of a mask stands for no file.
            if input.sha256.is_some() {
                input.path = input.path.as_deref().and_then(name_of);
            }
        }
        if let Some(start) = record.options.get_mut("init")
            && let Init::File(path) = Init::named(&start.to_string())
            && path != Path::new("-")
            && let Some(name) = name_of(&path.to_string_lossy())
        {
            let is_file = matches!(Init::named(&name), Init::File(_));
            *start = Value::Text(if is_file { name } else { format!("./{name}") });
        }
        let instruction_set = Isa::current().name().to_owned();
        Self { record, instruction_set, stopped: None, output: BTreeMap::new() }
    }

    /// Says of each scale how many iterations it had, in place of what the options say: a run that goes on keeps those of its coarse
    /// scales, whatever is asked for at the last.
    pub fn say_iterations(&mut self, of_scales: &[usize]) {
        if let Some(said) = self.record.options.get_mut("iterations") {
            let numbers: Vec<String> = of_scales.iter().map(usize::to_string).collect();
            *said = Value::from(numbers.join(","));
        }
    }

    /// The provenance that a picture file carries: PNG, JPEG, WebP or TIFF, whose pixels are not decoded.
    ///
    /// # Errors
    /// [`ProvenanceError`] if the file cannot be read, is no picture, or holds no such text or one that is not understood.
    pub fn read(path: &Path) -> Result<Self, ProvenanceError> {
        Self::of_text(Picture::text_of_file(path, BEGINS)?, path)
    }

    /// [`Self::read`] of a stream, such as standard input, which is first read to its end, within the memory that `options`
    /// allow; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_stream(
        stream: impl Read,
        name: &Path,
        options: &ReadOptions,
    ) -> Result<Self, ProvenanceError> {
        Self::of_text(Picture::text_of_stream(stream, name, BEGINS, options)?, name)
    }

    fn of_text(text: Option<String>, path: &Path) -> Result<Self, ProvenanceError> {
        let text = text.ok_or_else(|| ProvenanceError::Absent { path: path.into() })?;
        Self::from_text(&text).map_err(|source| ProvenanceError::Record { path: path.into(), source })
    }

    /// The provenance of a text.
    ///
    /// # Errors
    /// [`RecordError`] if it is not JSON, of another version, or holds a key or option that is not known.
    pub fn from_text(text: &str) -> Result<Self, RecordError> {
        let json: serde_json::Value = serde_json::from_str(text)?;
        Record::check_version(&json)?;
        let text: Text = serde_json::from_value(json)?;
        let Text { impasto, stopped, version, instruction_set, options, inputs, output } = text;
        let record = Record { version, impasto, options, inputs };
        record.check_known()?;
        record.check_values()?;
        Ok(Self { record, instruction_set, stopped, output })
    }
}

/// The text: JSON on one line, in ASCII, without control characters.
impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record { version, impasto, options, inputs } = self.record.clone();
        let Self { instruction_set, stopped, output, .. } = self.clone();
        let text = Text { impasto, stopped, version, instruction_set, options, inputs, output };
        // All that is not ASCII stands in a text, where JSON has an escape for it.
        for c in serde_json::to_string(&text).map_err(|_| fmt::Error)?.chars() {
            if (' '..='~').contains(&c) {
                f.write_char(c)?;
            } else {
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}"))?;
            }
        }
        Ok(())
    }
}

/// A file's name without its folders; one that would be read as `-` with a sign that it is a file.
fn name_of(path: &str) -> Option<String> {
    let name = Path::new(path).file_name()?.to_str()?.to_owned();
    Some(if name == "-" { "./-".to_owned() } else { name })
}
