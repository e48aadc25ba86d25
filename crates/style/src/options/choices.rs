//! Values that somebody chose, on top of a preset.

use std::collections::BTreeMap;

use super::row::one_of;
use super::{OPTIONS, OptionsError, TransferOptions};
use crate::Preset;

/// A preset, and the options that were given a value of their own, as text.
///
/// ```
/// use impasto_style::{Choices, Size};
/// let mut choices = Choices::default();
/// choices.set("preset", "paper")?;
/// choices.set("size", "300")?;
/// let options = choices.options()?;
/// assert_eq!((options.size, options.iterations), (Size::Longest(300), 500));
/// # Ok::<(), impasto_style::OptionsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choices {
    preset: Preset,
    values: BTreeMap<&'static str, String>,
}

impl Choices {
    /// Chooses a value for an option, or the `preset`; an earlier choice for it is forgotten.
    ///
    /// # Errors
    /// [`OptionsError`] if there is no such option or preset. The value of an option is read by [`Self::options`].
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), OptionsError> {
        if name == "preset" {
            let known = Preset::ALL.iter().find(|(_, known)| *known == value);
            let requirement = || one_of(&Preset::ALL.map(|(_, name)| name));
            self.preset = known.map(|&(preset, _)| preset).ok_or_else(|| OptionsError::Value {
                option: "preset",
                requirement: requirement(),
                value: value.to_owned(),
            })?;
            return Ok(());
        }
        let row = OPTIONS.iter().find(|row| row.name == name);
        let row = row.ok_or_else(|| OptionsError::Unknown { name: name.to_owned() })?;
        self.values.insert(row.name, value.to_owned());
        Ok(())
    }

    /// Whether an option was given a value of its own.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The preset with the chosen values put in, checked.
    ///
    /// # Errors
    /// [`OptionsError`] if a value cannot be read or is out of its range.
    pub fn options(&self) -> Result<TransferOptions, OptionsError> {
        let mut options = self.preset.options();
        // In the order of the table: a method before what it alone has.
        for row in OPTIONS {
            if let Some(value) = self.values.get(row.name) {
                row.set(&mut options, value)?;
            }
        }
        options.validate()?;
        Ok(options)
    }
}
