//! Values that somebody chose, on top of a preset.

use std::collections::BTreeMap;

use super::error::PRESET;
use super::row::one_of;
use super::synonyms::option_name;
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
/// assert_eq!((options.size, options.iterations), (Size::Longest(300), 500.into()));
/// # Ok::<(), impasto_style::OptionsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choices {
    preset: Option<Preset>,
    values: BTreeMap<&'static str, Chosen>,
}

/// A value that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chosen {
    text: String,
    /// Whether it is of choices that lie below others: then it counts only where its option applies, as the history of L-BFGS
    /// does not once Adam was chosen above.
    below: bool,
}

impl Choices {
    /// Chooses a value for an option, under its name or a synonym, or the `preset`; an earlier choice for it is forgotten.
    ///
    /// # Errors
    /// [`OptionsError`] if there is no such option or preset. The value of an option is read by [`Self::options`].
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), OptionsError> {
        if name == PRESET {
            let known = Preset::ALL.iter().find(|(_, known)| *known == value);
            let &(preset, _) = known.ok_or_else(|| OptionsError::Value {
                option: PRESET,
                requirement: one_of(&Preset::ALL.map(|(_, name)| name)),
                value: value.to_owned(),
            })?;
            self.preset = Some(preset);
            return Ok(());
        }
        let row = OPTIONS.iter().find(|row| row.name == option_name(name));
        let row = row.ok_or_else(|| OptionsError::Unknown { name: name.to_owned() })?;
        self.values.insert(row.name, Chosen { text: value.to_owned(), below: false });
        Ok(())
    }

    /// Whether an option was given a value of its own, or a preset was named.
    pub fn has(&self, name: &str) -> bool {
        if name == PRESET { self.preset.is_some() } else { self.values.contains_key(option_name(name)) }
    }

    /// The names of what was chosen, the preset's first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.preset.map(|_| PRESET).into_iter().chain(self.values.keys().copied())
    }

    /// These choices, and where they say nothing, those of `others`, as far as these leave them a meaning: what only another
    /// method has is forgotten.
    ///
    /// ```
    /// use impasto_style::Choices;
    /// let (mut given, mut settings) = (Choices::default(), Choices::default());
    /// given.set("size", "300")?;
    /// settings.set("size", "800")?;
    /// settings.set("preset", "paper")?;
    /// let options = given.or(&settings).options()?;
    /// assert_eq!((options.size, options.iterations), (300.into(), 500.into()));
    /// # Ok::<(), impasto_style::OptionsError>(())
    /// ```
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        self.preset = self.preset.or(others.preset);
        for (name, value) in &others.values {
            self.values.entry(name).or_insert_with(|| Chosen { below: true, ..value.clone() });
        }
        self
    }

    /// The choices of those names alone, `preset` being one.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.preset = self.preset.filter(|_| keep(PRESET));
        self.values.retain(|name, _| keep(name));
        self
    }

    /// The preset with the chosen values put in, checked.
    ///
    /// # Errors
    /// [`OptionsError`] if a value cannot be read or is out of its range.
    pub fn options(&self) -> Result<TransferOptions, OptionsError> {
        let mut options = self.preset.unwrap_or_default().options();
        // In the order of the table: a method before what it alone has.
        for row in OPTIONS {
            if let Some(Chosen { text, below }) = self.values.get(row.name)
                && (!below || row.get(&options).is_some())
            {
                row.set(&mut options, text)?;
            }
        }
        options.validate()?;
        Ok(options)
    }
}
