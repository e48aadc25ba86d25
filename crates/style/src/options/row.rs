//! A row of the table of options: all that is known of one option, and how its values are read.

use std::num::{ParseFloatError, ParseIntError};
use std::str::FromStr;

use super::synonyms::value_name;
use super::{OptionsError, TransferOptions};

/// The values that an option can have.
#[derive(Debug, Clone, Copy)]
pub enum Accepts {
    /// Any text that meets a requirement, which completes "must be ...".
    Text(&'static str),
    /// One of these names.
    Names(&'static [&'static str]),
}

/// When an option's value is part of a [`Record`](crate::Record).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It decides pixels.
    Always,
    /// It decides pixels; this text asks for nothing, and is left out: records of what does not use the option are those that
    /// were written before there was one.
    Unless(&'static str),
    /// It decides no pixels.
    Never,
}

/// One option: a row of [`OPTIONS`](super::OPTIONS).
#[derive(Debug)]
pub struct OptionRow {
    /// The name, such as `content-weight`.
    pub name: &'static str,
    /// What help calls the value.
    pub value_name: &'static str,
    /// What it does, for help.
    pub help: &'static str,
    /// The heading that help shows it under.
    pub heading: &'static str,
    /// Which values it can have.
    pub accepts: Accepts,
    /// Whether another value asks for another picture, and so is part of a [`Record`](crate::Record).
    pub recorded: Recorded,
    /// The value as text; none where the option does not apply.
    pub(super) get: fn(&TransferOptions) -> Option<String>,
    /// Puts in a value that was written as text.
    pub(super) set: fn(&mut TransferOptions, &str) -> Result<(), Refused>,
    /// Whether the value is in its range.
    pub(super) valid: fn(&TransferOptions) -> bool,
}

/// Why a text was not taken as a value.
#[derive(Debug)]
pub(super) enum Refused {
    /// It does not meet the requirement.
    Value,
    /// For another reason.
    Because(OptionsError),
}

impl From<ParseFloatError> for Refused {
    fn from(_: ParseFloatError) -> Self {
        Self::Value
    }
}

impl From<ParseIntError> for Refused {
    fn from(_: ParseIntError) -> Self {
        Self::Value
    }
}

impl From<OptionsError> for Refused {
    fn from(error: OptionsError) -> Self {
        Self::Because(error)
    }
}

impl OptionRow {
    /// Whether another value asks for another picture.
    pub const fn decides_pixels(&self) -> bool {
        !matches!(self.recorded, Recorded::Never)
    }

    /// The value that options have, as the text that [`Self::set`] reads; none where the option does not apply, as the
    /// history of Adam.
    pub fn get(&self, options: &TransferOptions) -> Option<String> {
        (self.get)(options)
    }

    /// Puts a value into options.
    ///
    /// # Errors
    /// [`OptionsError`] if the text is not a value of this option. Whether it is in its range is left to [`Self::check`].
    pub fn set(&self, options: &mut TransferOptions, text: &str) -> Result<(), OptionsError> {
        (self.set)(options, text).map_err(|refused| match refused {
            Refused::Value => self.error(text.to_owned()),
            Refused::Because(OptionsError::Layers { text, problem }) => {
                self.error(format!("{text:?}: {problem}"))
            }
            Refused::Because(error) => error,
        })
    }

    /// Checks that the value is in its range.
    ///
    /// # Errors
    /// [`OptionsError::Value`], naming the option.
    pub fn check(&self, options: &TransferOptions) -> Result<(), OptionsError> {
        if (self.valid)(options) {
            return Ok(());
        }
        Err(self.error(self.get(options).unwrap_or_default()))
    }

    /// What a value must be: `from 1 to 10000`, or `average or max`.
    pub fn requirement(&self) -> String {
        match self.accepts {
            Accepts::Text(requirement) => requirement.to_owned(),
            Accepts::Names(names) => one_of(names),
        }
    }

    fn error(&self, value: String) -> OptionsError {
        OptionsError::Value { option: self.name, requirement: self.requirement(), value }
    }
}

/// `a, b or c`.
pub(super) fn one_of(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        names => names.join(", "),
    }
}

/// Reads a text as a value.
pub(super) fn parse_into<T: FromStr>(value: &mut T, text: &str) -> Result<(), Refused>
where
    Refused: From<T::Err>,
{
    *value = text.parse()?;
    Ok(())
}

/// Takes the value of a name.
pub(super) fn name_into<T: Copy>(value: &mut T, all: &[(T, &str)], name: &str) -> Result<(), Refused> {
    *value = by_name(all, name)?;
    Ok(())
}

/// The value of a name, or of a synonym of it.
pub(super) fn by_name<T: Copy>(all: &[(T, &str)], name: &str) -> Result<T, Refused> {
    let name = value_name(name);
    all.iter().find(|(_, known)| *known == name).map(|&(value, _)| value).ok_or(Refused::Value)
}

/// The name of a value.
pub(super) fn name_of<T: PartialEq>(all: &[(T, &str)], value: &T) -> Option<String> {
    all.iter().find(|(known, _)| known == value).map(|(_, name)| (*name).to_owned())
}

/// The names alone.
pub(super) const fn names<T: Copy, const N: usize>(all: &[(T, &'static str); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = all[at].1;
        at += 1;
    }
    names
}

/// A weight: a number of 0 or more.
pub(super) fn is_weight(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

/// A decay: a number from 0 to below 1.
pub(super) fn is_decay(value: f64) -> bool {
    (0.0..1.0).contains(&value)
}

/// A factor: a number above 0.
pub(super) fn is_factor(value: f64) -> bool {
    value.is_finite() && value > 0.0
}
