//! What help shows beside the arguments themselves: commands under headings, and defaults.

use std::fmt::Write;

use clap::Command;
use impasto_style::{LayerWeights, Optimiser, OptionRow, Preset};

/// Headings, and the commands under each.
const GROUPS: [(&str, &[&str]); 3] = [
    ("Paint", &["transfer", "batch"]),
    ("Study", &["reconstruct", "grid", "sweep", "explain", "features", "gradcheck"]),
    ("Tools", &["show", "weights", "bench"]),
];

/// The program with its commands under headings.
pub(crate) fn in_groups(command: Command) -> Command {
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{}\n{}\n{{options}}{{after-help}}",
        groups(&command),
        heading(&command, "Options")
    );
    command.help_template(template)
}

fn groups(command: &Command) -> String {
    let width = command.get_subcommands().map(|sub| sub.get_name().len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, members) in GROUPS {
        let _ = writeln!(text, "\n{}", heading(command, name));
        for sub in members.iter().filter_map(|name| command.find_subcommand(name)) {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            let style = command.get_styles().get_literal();
            let padding = width - sub.get_name().len();
            let _ = writeln!(text, "  {style}{}{style:#}{:padding$}  {about}", sub.get_name(), "");
        }
    }
    text
}

/// A heading as those of arguments are.
fn heading(command: &Command, name: &str) -> String {
    let style = command.get_styles().get_header();
    format!("{style}{name}:{style:#}")
}

/// A help text with a default beside it.
pub(crate) fn with_default(help: &str, default: &str) -> String {
    format!("{help} [default: {default}]")
}

/// What an option is in a preset, or for what another method of minimisation has, with that method. None where there is nothing
/// to show.
pub(crate) fn default_of(row: &OptionRow, preset: Preset) -> Option<String> {
    let preset = preset.options();
    let methods = Optimiser::ALL.map(|(optimiser, _)| preset.clone().with_optimiser(optimiser));
    let mut all = std::iter::once(&preset).chain(&methods);
    let text = all.find_map(|options| row.get(options)).filter(|text| !text.is_empty())?;
    Some(even_layers(&text).unwrap_or(text))
}

/// Layers that all have the weight that they have without one, by their names alone.
fn even_layers(text: &str) -> Option<String> {
    let layers: LayerWeights = text.parse().ok()?;
    let names: Vec<&str> = layers.0.iter().map(|entry| entry.layer.as_str()).collect();
    (text.contains(':') && layers == LayerWeights::even(&names)).then(|| names.join(","))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use impasto_style::OPTIONS;

    use super::*;
    use crate::Cli;

    #[test]
    fn every_command_is_under_one_heading_and_its_line_fits_a_terminal() {
        let mut command = in_groups(Cli::command());
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let mut known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        grouped.sort_unstable();
        known.sort_unstable();
        assert_eq!(grouped, known);
        let help = command.render_help().to_string();
        let (commands, _) = help.split_once("Options:").unwrap();
        assert!(commands.lines().skip(1).all(|line| line.len() <= 80), "{commands}");
        assert!(help.find("transfer") < help.find("reconstruct"), "{help}");
    }

    #[test]
    fn every_default_is_read_back() {
        for row in OPTIONS {
            for (preset, _) in Preset::ALL {
                let Some(default) = default_of(row, preset) else { continue };
                let options = preset.options();
                let with = |optimiser| options.clone().with_optimiser(optimiser);
                let methods = Optimiser::ALL.into_iter().map(|(method, _)| with(method));
                let mut all = std::iter::once(options.clone()).chain(methods);
                let mut options = all.find(|options| row.get(options).is_some()).unwrap();
                let before = options.clone();
                row.set(&mut options, &default).unwrap();
                assert_eq!(options, before, "{} {default}", row.name);
            }
        }
    }

    #[test]
    fn layers_are_shown_without_the_weights_that_they_have_anyway() {
        assert_eq!(even_layers("conv1_1:0.5,conv2_1:0.5").as_deref(), Some("conv1_1,conv2_1"));
        for other in ["conv1_1:1,conv2_1:1", "512", "auto", ""] {
            assert_eq!(even_layers(other), None, "{other}");
        }
    }
}
