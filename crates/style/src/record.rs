//! What made a picture, as a file: every option that decides pixels, and what the inputs were.
//!
//! ```json
//! {
//!   "version": 1,
//!   "impasto": "0.1.0",
//!   "options": { "size": 512, "content-layers": "conv4_2:1", "...": "..." },
//!   "inputs": [ { "role": "content", "path": "photo.jpg", "sha256": "..." } ]
//! }
//! ```
//!
//! An option's value is the text of its row in [`OPTIONS`], or a number where that text is one. `path` says where an input
//! came from; what counts is its hash. A start that is a picture is among the inputs. Inputs of one role stand in the order of
//! the paintings. The same as TOML, without hashes, is a saved scene: `saved_scene.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use impasto_files::{FileError, write_atomically};
use impasto_vgg::Network;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use sha2::{Digest, Sha256};

use crate::{Choices, Mask, OPTIONS, OptionsError, Picture, Recorded, TransferOptions};

/// The version of the format.
pub(crate) const VERSION: u64 = 1;

/// What made a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    #[serde(default = "version")]
    pub(crate) version: u64,
    /// The version of the program.
    #[serde(default = "program")]
    pub impasto: String,
    /// The options that decide pixels, by name.
    #[serde(default)]
    pub options: BTreeMap<String, Value>,
    /// What the picture was made from.
    #[serde(default)]
    pub inputs: Vec<Input>,
}

/// The keys of a record as JSON, all of which must be there. A scene may leave out any.
const KEYS: [&str; 4] = ["version", "impasto", "options", "inputs"];

const fn version() -> u64 {
    VERSION
}

fn program() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The value of an option: a number where its text is one as JSON writes it, else the text. Nothing is lost either way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(Number),
    /// Any other value.
    Text(String),
    /// Several numbers, which a saved scene may have in place of a text.
    Numbers(Vec<Number>),
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What it was used as.
    pub role: Role,
    /// Where it was read from, if it came from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// SHA-256, in hexadecimal digits: of a picture's height and width (64 bits each), its values and then its alpha if it has
    /// any; of a network's name, preprocessing and weights, all f32; of masks as of a picture, one after the other; little-endian. A saved scene
    /// names files and not what is in them: it has none, and neither has the `-` of a mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Of weights in a saved scene: the preprocessing that their network expects, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocess: Option<String>,
}

/// What an input is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// The photo.
    Content,
    /// A painting.
    Style,
    /// Which part of a painting is taken; the path `-` is all of it.
    StyleMask,
    /// Where in the photo a painting acts; the path `-` is where no other one does.
    Mask,
    /// Where the photo stays what it is.
    Keep,
    /// Where the content is compared.
    ContentMask,
    /// The photo's segmentation, each colour a region.
    RegionsPhoto,
    /// The painting's segmentation in the same colours.
    RegionsPainting,
    /// The picture that the optimisation started from.
    Init,
    /// The network.
    Weights,
}

impl Role {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Content, "content"),
        (Self::Style, "style"),
        (Self::StyleMask, "style-mask"),
        (Self::Mask, "mask"),
        (Self::Keep, "keep"),
        (Self::ContentMask, "content-mask"),
        (Self::RegionsPhoto, "regions-photo"),
        (Self::RegionsPainting, "regions-painting"),
        (Self::Init, "init"),
        (Self::Weights, "weights"),
    ];
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not JSON, or a key is missing, unknown or of another type.
    #[error("this is no record of impasto: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is of another version.
    #[error("the record has version {found}, and this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: String,
    },
    /// It names an option that there is not, or that decides no pixels.
    #[error("the record has an option {name}, which this program does not know")]
    UnknownOption {
        /// The name.
        name: String,
    },
}

impl Record {
    /// The record of a picture that these options make of these inputs.
    pub fn new(options: &TransferOptions, inputs: Vec<Input>) -> Self {
        let mut record = Self::in_full(options, inputs);
        record.options.retain(|name, value| {
            let row = OPTIONS.iter().find(|row| row.name == name);
            !row.is_some_and(
                |row| matches!(row.recorded, Recorded::Unless(text) if text == value.to_string()),
            )
        });
        record
    }

    /// [`Self::new`] with the options that ask for nothing: where others could be put in for what is not said.
    pub fn in_full(options: &TransferOptions, inputs: Vec<Input>) -> Self {
        let deciding = OPTIONS.iter().filter(|row| row.decides_pixels());
        let options =
            deciding.filter_map(|row| Some((row.name.to_owned(), row.get(options)?.into()))).collect();
        Self { version: version(), impasto: program(), options, inputs }
    }

    /// Whether both describe the same picture: all but the inputs' paths is equal.
    pub fn same_picture(&self, other: &Self) -> bool {
        let inputs = |record: &Self| {
            record.inputs.iter().map(|input| (input.role, input.sha256.clone())).collect::<Vec<_>>()
        };
        // A start that is an input is known by its pixels, not by the name that the option has for it.
        let options = |record: &Self| {
            let mut options = record.options.clone();
            if record.inputs.iter().any(|input| input.role == Role::Init) {
                options.remove("init");
            }
            options
        };
        let program = |record: &Self| (record.version, record.impasto.clone());
        program(self) == program(other) && options(self) == options(other) && inputs(self) == inputs(other)
    }

    /// The record of a text.
    ///
    /// # Errors
    /// [`RecordError`] if it is not JSON, of another version, or holds a key or option that is not known.
    pub fn from_json(text: &str) -> Result<Self, RecordError> {
        let json: serde_json::Value = serde_json::from_str(text)?;
        Self::check_version(&json)?;
        if let Some(missing) =
            json.as_object().and_then(|keys| KEYS.iter().find(|key| !keys.contains_key(**key)))
        {
            return Err(serde_json::Error::missing_field(missing).into());
        }
        let record: Self = serde_json::from_value(json)?;
        record.check_values()?;
        record.check_known()?;
        Ok(record)
    }

    /// Checks the version first: of another one every other key may differ.
    pub(crate) fn check_version(json: &serde_json::Value) -> Result<(), RecordError> {
        match json.get("version").filter(|found| found.as_u64() != Some(VERSION)) {
            Some(found) => Err(RecordError::Version { found: found.to_string() }),
            None => Ok(()),
        }
    }

    /// Checks that no value is a list, as a saved scene may have it.
    pub(crate) fn check_values(&self) -> Result<(), RecordError> {
        match self.options.iter().find(|(_, value)| matches!(value, Value::Numbers(_))) {
            Some((name, _)) => {
                Err(serde_json::Error::custom(format!("the value of {name} is a list")).into())
            }
            None => Ok(()),
        }
    }

    /// Checks that version and options are known.
    pub(crate) fn check_known(&self) -> Result<(), RecordError> {
        if self.version != VERSION {
            return Err(RecordError::Version { found: self.version.to_string() });
        }
        let known = |name: &str| OPTIONS.iter().any(|row| row.decides_pixels() && row.name == name);
        match self.options.keys().find(|name| !known(name)) {
            Some(name) => Err(RecordError::UnknownOption { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// The options that it names, checked; those that a record leaves out where they ask for nothing do so.
    ///
    /// # Errors
    /// [`OptionsError`] if a value cannot be read or is out of its range.
    pub fn transfer_options(&self) -> Result<TransferOptions, OptionsError> {
        self.choices()?.options()
    }

    /// The options that it names, as choices. Of a whole record, which names all that every record has, what it leaves out asks for
    /// nothing, and is chosen as such; another one, written by hand, leaves the rest to the preset.
    ///
    /// # Errors
    /// [`OptionsError::Unknown`] if there is no such option.
    pub fn choices(&self) -> Result<Choices, OptionsError> {
        let named = self.named()?;
        let nothing = asking_for_nothing()?;
        let options = named.clone().or(&nothing).options()?;
        let mut always = OPTIONS.iter().filter(|row| row.recorded == Recorded::Always);
        let is_whole = always.all(|row| row.get(&options).is_none() || named.has(row.name));
        Ok(if is_whole { named.or(&nothing) } else { named })
    }

    fn named(&self) -> Result<Choices, OptionsError> {
        let mut choices = Choices::default();
        for (name, value) in &self.options {
            choices.set(name, &value.to_string())?;
        }
        Ok(choices)
    }

    /// The inputs of a role, in their order.
    pub fn inputs_of(&self, role: Role) -> impl Iterator<Item = &Input> {
        self.inputs.iter().filter(move |input| input.role == role)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`Self::from_json`], and if the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let text =
            fs::read_to_string(path).map_err(|source| RecordError::Read { path: path.into(), source })?;
        Self::from_json(&text)
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// [`FileError`] if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        write_atomically(path, |out| write!(out, "{self}"))
    }
}

/// The values that ask for nothing of the options that a record leaves out then.
fn asking_for_nothing() -> Result<Choices, OptionsError> {
    let mut nothing = Choices::default();
    for row in OPTIONS {
        if let Recorded::Unless(text) = row.recorded {
            nothing.set(row.name, text)?;
        }
    }
    Ok(nothing)
}

/// The JSON text.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?;
        writeln!(f, "{text}")
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        match serde_json::from_str::<Number>(&text) {
            Ok(number) if number.to_string() == text => Self::Number(number),
            _ => Self::Text(text),
        }
    }
}

/// The text that the option's row reads.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Numbers(numbers) => {
                f.write_str(&numbers.iter().map(Number::to_string).collect::<Vec<_>>().join(","))
            }
        }
    }
}

impl Input {
    /// A picture, and where it was read from.
    pub fn picture(role: Role, path: Option<&Path>, picture: &Picture) -> Self {
        let mut hash = Sha256::new();
        update_size(&mut hash, picture.height(), picture.width());
        update(&mut hash, picture.data());
        update(&mut hash, picture.alpha().map_or(&[], Mask::values));
        Self { sha256: Some(digits(hash)), ..Self::unread(role, path) }
    }

    /// The masks that one file gave, and the file.
    pub fn masks<'a>(role: Role, path: Option<&Path>, masks: impl IntoIterator<Item = &'a Mask>) -> Self {
        let mut hash = Sha256::new();
        for mask in masks {
            update_size(&mut hash, mask.height(), mask.width());
            update(&mut hash, mask.values());
        }
        Self { sha256: Some(digits(hash)), ..Self::unread(role, path) }
    }

    /// A file, whatever is in it; or the `-` of a mask.
    pub fn unread(role: Role, path: Option<&Path>) -> Self {
        Self { role, path: path.map(text), sha256: None, preprocess: None }
    }

    /// A network, and the file that its weights were read from.
    pub fn network(path: Option<&Path>, network: &Network) -> Self {
        let mut hash = Sha256::new();
        hash.update(network.arch.name());
        let preprocessing = network.preprocessing;
        update(&mut hash, &[preprocessing.scale]);
        update(&mut hash, &preprocessing.mean);
        update(&mut hash, &preprocessing.std);
        for conv in &network.convs {
            update(&mut hash, &conv.kernel);
            update(&mut hash, &conv.bias);
        }
        Self { sha256: Some(digits(hash)), ..Self::unread(Role::Weights, path) }
    }
}

/// A path as text, with a sign in place of what is no Unicode.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Height and width into a hash.
fn update_size(hash: &mut Sha256, height: usize, width: usize) {
    hash.update((height as u64).to_le_bytes());
    hash.update((width as u64).to_le_bytes());
}

/// Numbers into a hash, a block at a time.
fn update(hash: &mut Sha256, values: &[f32]) {
    let mut bytes = Vec::new();
    for block in values.chunks(1 << 14) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|value| value.to_le_bytes()));
        hash.update(&bytes);
    }
}

fn digits(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
