//! The options that say what is optimised and how, those of every command that paints: arguments made from the table of
//! options.

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use impasto_style::{Accepts, Choices, OPTIONS, OptionRow, Preset, TransferOptions};

use crate::failure::Failure;
use crate::network::NetworkArguments;

/// Options of the transfer; whatever is not given is the preset's.
#[derive(Debug, Clone)]
pub(crate) struct OptionArguments {
    /// What was given.
    pub(crate) choices: Choices,
    /// The network.
    pub(crate) network: NetworkArguments,
}

impl OptionArguments {
    /// The preset with the given options put in, checked. Reads no file.
    pub(crate) fn options(&self) -> Result<TransferOptions, Failure> {
        Ok(self.choices.options()?)
    }
}

impl Args for OptionArguments {
    fn augment_args(command: Command) -> Command {
        let preset = Arg::new("preset")
            .long("preset")
            .value_name("NAME")
            .default_value("default")
            .value_parser(PossibleValuesParser::new(Preset::ALL.map(|(_, name)| name)))
            .help("Where the values of options that are not given come from; `impasto transfer --help` shows what each sets")
            .help_heading("Look");
        NetworkArguments::augment_args(command.arg(preset).args(OPTIONS.iter().map(argument)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for OptionArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut choices = Choices::default();
        for name in OPTIONS.iter().map(|row| row.name).chain(["preset"]) {
            if let Some(value) = matches.get_one::<String>(name) {
                choices.set(name, value).map_err(|error| clap::Error::raw(ErrorKind::InvalidValue, error))?;
            }
        }
        // What is free now is the limit of all that the command paints.
        if !choices.has("memory-limit")
            && let Some(free) = impasto_style::available_memory()
        {
            choices.set("memory-limit", &format!("{}M", free >> 20)).expect("the table has this option");
        }
        Ok(Self { choices, network: NetworkArguments::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The argument of a row.
fn argument(row: &OptionRow) -> Arg {
    let argument = Arg::new(row.name)
        .long(row.name)
        .value_name(row.value_name)
        .help(row.help)
        .help_heading(row.heading)
        .allow_negative_numbers(true);
    match row.accepts {
        Accepts::Text(_) => argument,
        Accepts::Names(names) => argument.value_parser(PossibleValuesParser::new(names)),
    }
}

/// Gives a command defaults of its own, which its help then shows.
pub(crate) fn with_defaults(
    defaults: &'static [(&'static str, &'static str)],
) -> impl Fn(Arg) -> Arg + use<> {
    move |argument| match defaults.iter().find(|(name, _)| argument.get_id() == name) {
        Some((_, value)) => argument.default_value(value),
        None => argument,
    }
}
