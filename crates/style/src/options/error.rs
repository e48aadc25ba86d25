//! Why options are refused. Names of options stand between backquotes, so that a program can write them in its own way.

use super::nearest::did_you_mean;
use super::{Accepts, OPTIONS};
use crate::Preset;

/// An option that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// A value is none that the option can have.
    #[error("`{option}` must be {requirement}, not {}{}", shown(value), meant(option, value))]
    Value {
        /// The option.
        option: &'static str,
        /// What it must be.
        requirement: String,
        /// What it is.
        value: String,
    },
    /// There is no such option.
    #[error("there is no option {name}{}", did_you_mean(name, known_names()))]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// The option belongs to a method of minimisation that is not used.
    #[error("`{option}` is for `optimizer` {method}")]
    OtherMethod {
        /// The option.
        option: &'static str,
        /// The method that has it.
        method: &'static str,
    },
    /// A list of layers cannot be read.
    #[error(
        "cannot read the layers {text:?}: {problem}; write them like conv1_1,conv2_1 or conv1_1:2,conv2_1:0.5"
    )]
    Layers {
        /// The list.
        text: String,
        /// What is wrong.
        problem: String,
    },
    /// The values of an option are neither one for all paintings nor one for each.
    #[error("`{option}` has {}, but there {}", values_text(*values), paintings_text(*paintings))]
    Count {
        /// The option.
        option: &'static str,
        /// How many values it has.
        values: usize,
        /// How many paintings there are.
        paintings: usize,
    },
    /// Every painting of a region weighs nothing in the blend.
    #[error("`blend` must be above 0 for a painting of each region: those of {region} all weigh 0")]
    NoShare {
        /// The region.
        region: String,
    },
    /// No loss counts.
    #[error(
        "nothing to optimise: give `content-weight` or `style-weight`, and a layer of it, a value above 0"
    )]
    NothingToDo,
}

fn values_text(values: usize) -> String {
    if values == 1 { "1 value".to_owned() } else { format!("{values} values") }
}

fn paintings_text(paintings: usize) -> String {
    if paintings == 1 { "is 1 painting".to_owned() } else { format!("are {paintings} paintings") }
}

/// A value as it is; in quotation marks if there is nothing to see of it, and its numbers with an exponent where they would have
/// more digits than can be counted.
fn shown(value: &str) -> String {
    const MOST: usize = 20;
    if value.trim().is_empty() {
        return format!("{value:?}");
    }
    let number = |part: &str| match part.parse::<f64>() {
        Ok(number) if part.len() > MOST => format!("{number:e}"),
        _ => part.to_owned(),
    };
    value.split(',').map(number).collect::<Vec<_>>().join(",")
}

/// The end of the sentence about a value that is none of an option's names.
fn meant(option: &str, value: &str) -> String {
    let names = OPTIONS.iter().find(|row| row.name == option).map(|row| row.accepts);
    match names {
        Some(Accepts::Names(names)) => did_you_mean(value, names.iter().copied()),
        None if option == PRESET => did_you_mean(value, Preset::ALL.map(|(_, name)| name)),
        _ => String::new(),
    }
}

/// What a preset is chosen by, beside the options.
pub(super) const PRESET: &str = "preset";

/// Every name that something can be chosen by.
fn known_names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|row| row.name).chain([PRESET])
}
