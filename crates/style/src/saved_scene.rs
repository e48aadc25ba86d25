//! Saved scenes: what a picture is to be made of, as a TOML file for people.
//!
//! ```toml
//! [options]
//! size = 800
//! blend = [3, 1]
//!
//! [[inputs]]
//! role = "content"
//! path = "photo.jpg"
//!
//! [[inputs]]
//! role = "style"
//! path = "waves.jpg"
//!
//! [[inputs]]
//! role = "style"
//! path = "fields.jpg"
//! ```
//!
//! It is a [`Record`] whose inputs have no hashes: it names files, and whatever is in them is painted. What it does not say
//! is the default; the option `preset` says from which preset the others come.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::record::VERSION;
use crate::{
    Init, Input, NUMBERS_OF_PAINTINGS, OPTIONS, Record, RecordError, Role, Value, nearest, option_name,
};

/// More than the options and some thousand paths ever take.
const MOST_BYTES: u64 = 1 << 20;

/// Why a saved scene cannot be read, as one sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedSceneError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line says what cannot be.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong, in one line.
        problem: String,
    },
    /// It is of another version.
    #[error("{}: {source}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        source: RecordError,
    },
}

/// What is wrong in a text, and where.
struct Flaw {
    at: Range<usize>,
    problem: String,
}

/// Why a text is no saved scene.
enum Wrong {
    Line(Flaw),
    Version(RecordError),
}

impl From<Flaw> for Wrong {
    fn from(flaw: Flaw) -> Self {
        Self::Line(flaw)
    }
}

impl Record {
    /// Reads a saved scene. Relative paths in it are from its own folder.
    ///
    /// # Errors
    /// [`SavedSceneError`] if the file cannot be read, is no TOML, or has a key, an option or a role that is not known: the
    /// message then has the nearest one that is.
    pub fn read_scene(path: &Path) -> Result<Self, SavedSceneError> {
        let read = |source| SavedSceneError::Read { path: path.into(), source };
        let file = File::open(path).map_err(read)?;
        Self::scene_from(file, path, path.parent().unwrap_or(Path::new("")))
    }

    /// The saved scene of a text that is called `name`; relative paths in it are from `folder`.
    ///
    /// # Errors
    /// As [`Self::read_scene`].
    pub fn scene_from(text: impl Read, name: &Path, folder: &Path) -> Result<Self, SavedSceneError> {
        let path = || name.to_owned();
        let mut toml = String::new();
        let length = text.take(MOST_BYTES + 1).read_to_string(&mut toml);
        let length = length.map_err(|source| SavedSceneError::Read { path: path(), source })?;
        if length as u64 > MOST_BYTES {
            let source = io::Error::other("it is too long for a scene");
            return Err(SavedSceneError::Read { path: path(), source });
        }
        let mut record = parse(&toml).map_err(|wrong| match wrong {
            Wrong::Line(Flaw { at, problem }) => {
                let line = 1 + toml.bytes().take(at.start).filter(|&byte| byte == b'\n').count();
                SavedSceneError::Line { path: path(), line, problem: problem.replace('\n', " ") }
            }
            Wrong::Version(source) => SavedSceneError::Version { path: path(), source },
        })?;
        record.find_from(folder).map_err(|source| SavedSceneError::Read { path: path(), source })?;
        Ok(record)
    }

    /// The text of a saved scene: what [`Self::read_scene`] reads.
    ///
    /// # Errors
    /// The reason, if a path cannot be written as TOML.
    pub fn to_scene(&self) -> Result<String, toml::ser::Error> {
        let mut scene = self.clone();
        for value in scene.options.values_mut() {
            // TOML has no larger integers.
            if let Value::Number(number) = value
                && number.as_u64().is_some_and(|number| i64::try_from(number).is_err())
            {
                *value = Value::Text(number.to_string());
            }
        }
        scene.inputs.iter_mut().for_each(|input| input.sha256 = None);
        toml::to_string(&scene)
    }

    /// Brings relative paths to where they are seen from the working folder.
    fn find_from(&mut self, folder: &Path) -> io::Result<()> {
        for Input { role, path, .. } in &mut self.inputs {
            if let Some(path) = path
                && path != "-"
                && !(*role == Role::Weights && impasto_vgg::Arch::from_name(path).is_some())
            {
                *path = joined(folder, path)?;
            }
        }
        let start = self.options.get_mut("init");
        if let Some((value, start)) = start.map(|value| (value.to_string(), value))
            && value != "-"
            && matches!(Init::named(&value), Init::File(_))
        {
            *start = Value::from(joined(folder, &value)?);
        }
        Ok(())
    }
}

fn joined(folder: &Path, path: &str) -> io::Result<String> {
    let problem =
        || io::Error::other("the name of its folder is not Unicode: rename it, or give absolute paths");
    folder.join(path).to_str().map(str::to_owned).ok_or_else(problem)
}

/// The record of a text in which every name is known.
fn parse(text: &str) -> Result<Record, Wrong> {
    let flaw = |error: toml::de::Error| Flaw {
        at: error.span().unwrap_or_default(),
        problem: error.message().to_owned(),
    };
    let table = DeTable::parse(text).map_err(flaw)?;
    check_version(table.get_ref()).map_err(Wrong::Version)?;
    check_names(table.get_ref())?;
    let mut record: Record = toml::from_str(text).map_err(flaw)?;
    let options = std::mem::take(&mut record.options);
    let canonical =
        |(name, value): (String, Value)| (option_name(&name).to_owned(), value.to_string().into());
    record.options = options.into_iter().map(canonical).collect();
    Ok(record)
}

/// Checks that a version, if it is said, is this one: in another one every other key may differ.
fn check_version(table: &DeTable<'_>) -> Result<(), RecordError> {
    match table.get("version").map(toml::Spanned::get_ref) {
        Some(DeValue::Integer(found))
            if u64::from_str_radix(found.as_str(), found.radix()) != Ok(VERSION) =>
        {
            Err(RecordError::Version { found: found.to_string() })
        }
        _ => Ok(()),
    }
}

/// Checks that every key, option and role is known.
fn check_names(table: &DeTable<'_>) -> Result<(), Flaw> {
    check_keys(table, "key", &["version", "impasto", "options", "inputs"])?;
    for (name, value) in table {
        match (&**name.get_ref(), value.get_ref()) {
            ("options", DeValue::Table(options)) => check_options(options)?,
            ("inputs", DeValue::Array(inputs)) => {
                let mut singles = Vec::new();
                for input in inputs {
                    if let DeValue::Table(table) = input.get_ref() {
                        check_input(table, input.span(), &mut singles)?;
                    }
                }
                check_segmentations(&singles, value.span())?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks that there are segmentations of both the photo and the painting, or of neither.
fn check_segmentations(singles: &[String], at: Range<usize>) -> Result<(), Flaw> {
    let there = |role: &&str| singles.iter().any(|known| known == role);
    let (there, missing): (Vec<&str>, Vec<&str>) =
        ["regions-photo", "regions-painting"].into_iter().partition(there);
    match (&*there, &*missing) {
        ([there], [missing]) => Err(Flaw {
            at,
            problem: format!("there is an input with the role {there}, and none with {missing}"),
        }),
        _ => Ok(()),
    }
}

fn check_options(options: &DeTable<'_>) -> Result<(), Flaw> {
    let known = OPTIONS.iter().filter(|row| row.decides_pixels()).map(|row| row.name);
    let known: Vec<&str> = known.chain(["preset"]).collect();
    for key in options.keys() {
        let name = option_name(key.get_ref());
        check_name(name, key.span(), "option", &known)?;
        if name != key.get_ref() && options.contains_key(name) {
            return Err(Flaw {
                at: key.span(),
                problem: format!("{} is {name}, which is there too", key.get_ref()),
            });
        }
    }
    for (name, value) in options {
        let is_value = match value.get_ref() {
            DeValue::Array(numbers) if NUMBERS_OF_PAINTINGS.contains(&option_name(name.get_ref())) => {
                numbers.iter().all(|number| is_number(number.get_ref()))
            }
            DeValue::String(_) => true,
            value => is_number(value),
        };
        if !is_value {
            let problem =
                format!("the value of {} must be a number, or a text in quotation marks", name.get_ref());
            return Err(Flaw { at: value.span(), problem });
        }
    }
    Ok(())
}

fn is_number(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Integer(_) => true,
        DeValue::Float(float) => float.as_str().parse().is_ok_and(f64::is_finite),
        _ => false,
    }
}

/// Checks an input; `singles` are the roles so far of which there is one only.
fn check_input(input: &DeTable<'_>, at: Range<usize>, singles: &mut Vec<String>) -> Result<(), Flaw> {
    check_keys(input, "key", &["role", "path", "preprocess"])?;
    if !input.contains_key("path") {
        return Err(Flaw { at, problem: "an input has no path".to_owned() });
    }
    // A start is an option.
    let roles = Role::ALL.iter().filter(|(role, _)| *role != Role::Init).map(|(_, name)| *name);
    let roles: Vec<&str> = roles.collect();
    for (name, value) in input {
        if let ("role", DeValue::String(role)) = (&**name.get_ref(), value.get_ref()) {
            check_name(role, value.span(), "role", &roles)?;
            if singles.iter().any(|known| known == role) {
                return Err(Flaw {
                    at: value.span(),
                    problem: format!("there is another input with the role {role}"),
                });
            }
            if !["style", "style-mask", "mask"].contains(&&**role) {
                singles.push(role.to_string());
            }
        }
    }
    Ok(())
}

fn check_keys(table: &DeTable<'_>, what: &str, known: &[&str]) -> Result<(), Flaw> {
    table.keys().try_for_each(|key| check_name(key.get_ref(), key.span(), what, known))
}

/// A name in quotation marks; the beginning of a very long one.
fn shown(name: &str) -> String {
    const MOST: usize = 60;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}...", &name[..end]),
        None => format!("{name:?}"),
    }
}

fn check_name(name: &str, at: Range<usize>, what: &str, known: &[&str]) -> Result<(), Flaw> {
    if known.contains(&name) {
        return Ok(());
    }
    let meant = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("it is one of {}", known.join(", ")),
    };
    Err(Flaw { at, problem: format!("there is no {what} {}: {meant}", shown(name)) })
}
