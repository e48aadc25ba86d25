//! From the words of a command line to a command: what other programs' users write, and what a command has not, is answered
//! before clap says that it knows no such thing.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::{Cli, help, neural_style};

/// A command line that was understood.
#[derive(Debug)]
pub(crate) struct CommandLine {
    pub(crate) cli: Cli,
    /// The options that its command offers, and has no defaults of its own for.
    pub(crate) offered: Vec<String>,
    /// Whether a file describes the run: --resume or --scene.
    pub(crate) described: bool,
}

/// Reads words, the program's name first.
///
/// # Errors
/// Wrong use, and what help and versions show.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<CommandLine, clap::Error> {
    let words = with_negative_numbers(words);
    if let Some(answer) = neural_style::answer(words.iter().filter_map(|word| word.to_str())) {
        return Err(clap::Error::raw(ErrorKind::UnknownArgument, answer + "\n"));
    }
    let mut command = help::in_groups(Cli::command());
    let matches = command.try_get_matches_from_mut(words)?;
    let (command, given) = innermost(&command, &matches);
    refuse_left_out(command, given)?;
    // Flags have a default too: that they are not given.
    let has_own =
        |argument: &Arg| argument.get_action().takes_values() && !argument.get_default_values().is_empty();
    let is_offered = |argument: &&Arg| !argument.is_hide_set() && !has_own(argument);
    let offered = command.get_arguments().filter(is_offered);
    let offered = offered.map(|argument| argument.get_id().to_string()).collect();
    let described = ["resume", "scene"].iter().any(|name| is_given(given, name));
    Ok(CommandLine { cli: Cli::from_arg_matches(&matches)?, offered, described })
}

/// The command that was asked for, of however many levels.
fn innermost<'a>(command: &'a Command, matches: &'a ArgMatches) -> (&'a Command, &'a ArgMatches) {
    let inner = matches.subcommand().and_then(|(name, inner)| Some((command.find_subcommand(name)?, inner)));
    inner.map_or((command, matches), |(command, matches)| innermost(command, matches))
}

fn is_given(matches: &ArgMatches, name: &str) -> bool {
    matches.try_contains_id(name).is_ok_and(|there| there)
        && matches.value_source(name) == Some(ValueSource::CommandLine)
}

/// Answers an option that the command does not heed with the reason, which is its help.
fn refuse_left_out(command: &Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let mut left_out = command.get_arguments().filter(|argument| argument.is_hide_set());
    let Some(argument) = left_out.find(|argument| is_given(matches, argument.get_id().as_str())) else {
        return Ok(());
    };
    let (name, reason) =
        (argument.get_id(), argument.get_help().map(ToString::to_string).unwrap_or_default());
    let answer = format!("impasto {} has no --{name}: {reason}\n", command.get_name());
    Err(clap::Error::raw(ErrorKind::UnknownArgument, answer))
}

/// The words with `--option -1e-3` as `--option=-1e-3`: clap takes a negative number with a negative exponent for an option, and
/// so a list that begins with - (`--mask -,sky.png`) or with a negative number (`--blend -1,2`). What the value is worth is for whoever reads the option to say.
fn with_negative_numbers(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    for word in words {
        match joined.last_mut() {
            Some(last) if takes_value(last) && (is_negative_number(&word) || is_list(&word)) => {
                last.push("=");
                last.push(word);
            }
            _ => joined.push(word),
        }
    }
    joined
}

/// Whether a value may follow as a word of its own.
fn takes_value(word: &OsString) -> bool {
    word.to_str().is_some_and(|word| {
        let is_short = word.len() == 2 && word.starts_with('-') && word != "--";
        is_short || (word.len() > 2 && word.starts_with("--") && !word.contains('='))
    })
}

/// Whether it is a list whose first entry is `-`.
fn is_list(word: &OsString) -> bool {
    word.to_str().is_some_and(|word| word.starts_with("-,"))
}

fn is_negative_number(word: &OsString) -> bool {
    let number = word.to_str().and_then(|word| word.strip_prefix('-'));
    number.is_some_and(|number| {
        number.starts_with(|first: char| first.is_ascii_digit() || first == '.')
            && number.split(',').all(|number| number.parse::<f64>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    fn refusal(text: &str) -> String {
        parse(words(text)).unwrap_err().to_string()
    }

    #[test]
    fn negative_numbers_are_values_of_the_option_before_them() {
        for (given, read) in [
            ("a --w -1e-3 b", "a --w=-1e-3 b"),
            ("a -s -5", "a -s=-5"),
            ("a --w=2 -1", "a --w=2 -1"),
            ("a - -1", "a - -1"),
            ("a -- -1", "a -- -1"),
            ("a --w -x -inf", "a --w -x -inf"),
            ("a --mask -,b -,c", "a --mask=-,b -,c"),
            ("a --blend -1,2 -1,", "a --blend=-1,2 -1,"),
            ("a --style-scale -1e-3,-2", "a --style-scale=-1e-3,-2"),
        ] {
            assert_eq!(with_negative_numbers(words(given)), words(read));
        }
    }

    #[test]
    fn an_option_that_a_command_has_not_is_answered_with_the_reason() {
        for (given, answer) in [
            ("grid a b -o c --style-layers conv1_1", "impasto grid has no --style-layers: "),
            ("gradcheck -i 5", "impasto gradcheck has no --iterations: "),
            (
                "reconstruct content a -o b --content-weight -1e-3",
                "impasto reconstruct has no --content-weight: ",
            ),
            ("transfer -seed 1", "-seed is an option of neural-style: use --seed"),
        ] {
            let message = refusal(&format!("impasto {given}"));
            assert!(message.starts_with(&format!("error: {answer}")), "{message}");
        }
    }

    #[test]
    fn what_a_command_offers_is_known() {
        let line = parse(words("impasto gradcheck --seed 3")).unwrap();
        let offers = |name: &str| line.offered.iter().any(|offered| offered == name);
        assert!(offers("seed") && offers("weights") && offers("threads") && !offers("iterations"));
        assert!(!offers("size"), "it has a default of its own");
        assert!(!line.described);
        assert!(parse(words("impasto transfer --resume run")).unwrap().described);
    }
}
