//! The options that say what is optimised and how, those of every command that paints: arguments made from the table of
//! options.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use impasto_style::{
    Accepts, Choices, OPTIONS, OptionRow, Preset, SYNONYMS, TransferOptions, VALUE_SYNONYMS,
};

use crate::failure::Failure;
use crate::help::{default_of, with_default};
use crate::network::NetworkArguments;
use crate::settings::Settings;

/// Options of the transfer; whatever is not given is the command's own default, else that of the settings, else the preset's.
#[derive(Debug, Clone)]
pub(crate) struct OptionArguments {
    /// What was given.
    pub(crate) choices: Choices,
    /// What counts where nothing was given: defaults of the command, settings, the memory that is free.
    otherwise: Choices,
    /// The network.
    pub(crate) network: NetworkArguments,
    /// The file of settings, if there is one.
    pub(crate) settings: Option<PathBuf>,
}

/// Short forms of options.
const SHORT: [(&str, char); 2] = [("iterations", 'i'), ("size", 's')];

impl OptionArguments {
    /// The preset with what was given and what counts otherwise put in, checked. Reads no file.
    pub(crate) fn options(&self) -> Result<TransferOptions, Failure> {
        let options = self.chosen().options()?;
        options.check_smallest()?;
        Ok(options)
    }

    /// The same of a command that looks at these layers alone.
    pub(crate) fn options_at(&self, layers: &str) -> Result<TransferOptions, Failure> {
        let options = self.chosen().options()?;
        options.clone().with_content_weight(0.0).with_style_layers(layers.parse()?).check_smallest()?;
        Ok(options)
    }

    /// What was given, on top of what counts otherwise.
    pub(crate) fn chosen(&self) -> Choices {
        self.choices.clone().or(&self.otherwise)
    }

    /// Takes settings, none of which is of an option that the command has a default of its own for.
    pub(crate) fn heed(&mut self, settings: &Settings) {
        self.otherwise = settings.choices.clone().or(&self.otherwise);
        self.network = self.network.clone().or(settings.weights.clone(), settings.preprocess);
        self.settings.clone_from(&settings.path);
    }
}

/// The option whose default is not the preset's: what is free now is the limit of all that a command paints.
const MEMORY_LIMIT: &str = "memory-limit";

impl Args for OptionArguments {
    fn augment_args(command: Command) -> Command {
        let preset = Arg::new("preset")
            .long("preset")
            .value_name("NAME")
            .value_parser(PossibleValuesParser::new(Preset::ALL.map(|(_, name)| name)))
            .help(with_default(PRESET_HELP, "default"))
            .help_heading("Look");
        NetworkArguments::augment_args(command.arg(preset).args(OPTIONS.iter().map(argument)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

const PRESET_HELP: &str = "Where the values of options that are not given come from; `impasto transfer --help` shows what each sets";

impl FromArgMatches for OptionArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (mut choices, mut otherwise) = (Choices::default(), Choices::default());
        for name in OPTIONS.iter().map(|row| row.name).chain(["preset"]) {
            if let Some(value) = matches.get_one::<String>(name) {
                let given = matches.value_source(name) == Some(ValueSource::CommandLine);
                let set = if given { &mut choices } else { &mut otherwise }.set(name, value);
                set.map_err(|error| clap::Error::raw(ErrorKind::InvalidValue, error))?;
            }
        }
        if let Some(free) = impasto_style::available_memory() {
            otherwise.set(MEMORY_LIMIT, &format!("{}M", free >> 20)).expect("the table has this option");
        }
        let network = NetworkArguments::from_arg_matches(matches)?;
        Ok(Self { choices, otherwise, network, settings: None })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The argument of a row, with the default of the default preset beside it.
fn argument(row: &'static OptionRow) -> Arg {
    let argument = Arg::new(row.name)
        .long(row.name)
        .aliases(SYNONYMS.iter().filter(|(_, name)| *name == row.name).map(|(other, _)| *other))
        .value_name(row.value_name)
        .help(help_of(row, Preset::Default))
        .help_heading(row.heading);
    let short = SHORT.iter().find(|(name, _)| *name == row.name);
    let argument = short.map_or(argument.clone(), |(_, short)| argument.short(*short));
    match row.accepts {
        Accepts::Text(_) => argument,
        Accepts::Names(names) => {
            argument.value_parser(PossibleValuesParser::new(names.iter().copied().map(possible)))
        }
    }
}

/// The help of a row with its default in a preset beside it.
fn help_of(row: &OptionRow, preset: Preset) -> String {
    let free = (row.name == MEMORY_LIMIT).then(|| "what is free".to_owned());
    let default = free.or_else(|| default_of(row, preset));
    default.map_or_else(|| row.help.to_owned(), |default| with_default(row.help, &default))
}

/// A name that a value may have, and the synonyms of it.
fn possible(name: &'static str) -> PossibleValue {
    let synonyms = VALUE_SYNONYMS.iter().filter(|(_, known)| *known == name);
    PossibleValue::new(name).aliases(synonyms.map(|(other, _)| *other))
}

/// Gives a command defaults of its own, a preset being one that may be among them, which its help then shows.
pub(crate) fn with_defaults(
    defaults: &'static [(&'static str, &'static str)],
) -> impl Fn(Arg) -> Arg + use<> {
    let own = move |name: &str| defaults.iter().find(|(known, _)| *known == name).map(|&(_, value)| value);
    let preset = own("preset").and_then(|own| Preset::ALL.into_iter().find(|(_, name)| *name == own));
    let preset = preset.map_or(Preset::Default, |(preset, _)| preset);
    move |argument| {
        let name = argument.get_id().as_str();
        let row = OPTIONS.iter().find(|row| row.name == name);
        match (own(name), row) {
            (Some(value), row) => {
                let help = with_default(row.map_or(PRESET_HELP, |row| row.help), value);
                argument.default_value(value).hide_default_value(true).help(help)
            }
            (None, Some(row)) => argument.help(help_of(row, preset)),
            (None, None) => argument,
        }
    }
}

/// Leaves out options that a command does not heed, each with the reason, which completes "impasto grid has no --NAME: ...":
/// whoever gives one is told.
pub(crate) fn without(options: &'static [(&'static str, &'static str)]) -> impl Fn(Arg) -> Arg + use<> {
    move |argument| match options.iter().find(|(name, _)| argument.get_id() == name) {
        Some((_, reason)) => argument.hide(true).help(*reason),
        None => argument,
    }
}

/// Leaves out all options of the table but these, for that reason, as [`without`] does.
pub(crate) fn with_only(
    options: &'static [&'static str],
    reason: &'static str,
) -> impl Fn(Arg) -> Arg + use<> {
    move |argument| {
        let name = argument.get_id().as_str();
        let is_of_table = OPTIONS.iter().any(|row| row.name == name);
        if is_of_table && !options.contains(&name) { argument.hide(true).help(reason) } else { argument }
    }
}
