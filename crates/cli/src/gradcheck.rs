//! `impasto gradcheck`: every gradient against central differences.

use std::path::{Path, PathBuf};

use clap::Args;
use impasto_study::gradcheck::{
    ControlError, Material, Registry, Report, Row, Selection, Verdict, step_plot,
};
use impasto_style::{Picture, TransferOptions, white_noise};

use crate::failure::Failure;
use crate::help::with_default;
use crate::inputs::Inputs;
use crate::options::{OptionArguments, with_defaults, with_only};
use crate::pictures::{at_size, read_picture};
use crate::place::{Kind, Place};
use crate::streams::{put, tell};

/// The longest side of its pictures.
const SIZE: &str = "24";

/// What it heeds of the options.
const HEEDED: [&str; 5] = ["size", "pool", "border", "seed", "memory-limit"];

/// Check every gradient against central differences in f64
///
/// Each operation, each loss, and the whole objective are checked, and last an objective with masks, blended paintings, a part of the
/// photo that is kept, and light alone. For each, three random directions and three single
/// coordinates are tried with a ladder of steps; the step that counts is the one where neighbouring steps agree best, found
/// without looking at the gradient. At a kink (a ReLU at 0) there is no derivative to compare with: kinks are reported, not
/// hidden. Exits with 1 if a gradient is wrong.
///
/// Without pictures, the whole objective is checked on random ones.
///
/// For a gradient of your own in Rust: crate impasto-study, gradcheck::Registry.
// Flags are what they are on the command line.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Args)]
#[command(mut_args(with_defaults(&[("size", SIZE)])))]
#[command(mut_arg("size", |size| size.help(with_default("Longest side of the pictures, in pixels", SIZE))))]
#[command(mut_args(with_only(&HEEDED, "no picture is painted, and every loss is checked with weights of its own")))]
pub(crate) struct Arguments {
    /// The photo of the whole objective
    #[arg(requires = "style")]
    content: Option<PathBuf>,

    /// The painting of the whole objective
    style: Option<PathBuf>,

    /// Leave the whole objectives out
    #[arg(long)]
    operations_only: bool,

    /// List the names of all that is checked, and check nothing
    #[arg(long, conflicts_with_all = ["json", "plot", "quiet"])]
    list: bool,

    /// Check only what has this word in its name, in small letters or capitals
    #[arg(long, value_name = "WORD", default_value = "", hide_default_value = true)]
    filter: String,

    /// Check each at so many points, of the seed and those that follow [default: 1]
    #[arg(long, value_name = "N", default_value = "1", hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    points: u16,

    /// Draw error against step, a V, as an SVG file, or - for standard output: the table then goes to standard error
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    plot: Option<PathBuf>,

    /// Print the results as one JSON object in place of the table
    #[arg(long, help_heading = "Output")]
    json: bool,

    /// Say nothing but errors: the exit code tells
    #[arg(short, long, conflicts_with = "json", help_heading = "Output")]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) options: OptionArguments,
}

/// The most bytes of a plot: a few lines of some dozen points.
const LARGEST_PLOT: u64 = 1 << 20;

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let options = arguments.options.options()?;
    let points = usize::from(arguments.points);
    let selection = Selection { seed: options.seed, points, filter: arguments.filter.clone() };
    let registry = Registry::default();
    let chosen = chosen(&registry, arguments, &selection)?;
    if arguments.list {
        return chosen.into_iter().try_for_each(put);
    }
    let plot = arguments.plot.as_deref().map(|path| Place::new(path, Kind::Text)).transpose()?;
    let beside = matches!(plot, Some(Place::Stdout));
    if beside && arguments.json {
        return Err(Failure::wrong_use(
            "standard output takes one thing: give --plot a file, or leave out --json",
        ));
    }
    let quiet = arguments.quiet || arguments.json;
    let mut table = Table { beside, quiet, rows: Vec::new() };
    let pictures = [("CONTENT", &arguments.content), ("STYLE", &arguments.style)];
    let pictures: Vec<_> =
        pictures.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?))).collect();
    let mut inputs = Inputs::new(&pictures, &options.init, &arguments.options.network);
    if let Some(settings) = &arguments.options.settings {
        inputs.push("--config", settings);
    }
    let plots = arguments.plot.as_deref().map(|path| ("--plot", path));
    inputs.keep_apart(&plots.into_iter().collect::<Vec<_>>())?;
    plot.as_ref().map_or(Ok(()), |plot| plot.reserve(LARGEST_PLOT))?;
    let registry = with_objectives(registry, arguments, &selection, &options)?;
    table.put(&format!("{:<34} {:<32} {:>9} {:>9}  result", "gradient of", "H x W x C", "error", "step"))?;
    registry.check(&selection, |row| table.add(row))?;
    if let Some(plot) = &plot {
        draw(plot, &table.rows)?;
    }
    if arguments.json {
        put(&Report::new(&selection, &table.rows).to_json().map_err(Failure::failed)?)?;
    }
    let failed: Vec<&Row> = table.rows.iter().filter(|row| row.verdict() == Verdict::Fail).collect();
    if arguments.quiet {
        for row in &failed {
            tell(&line(row));
        }
    }
    if !failed.is_empty() {
        return Err(Failure::failed(format!("{} of {} gradients are wrong", failed.len(), table.rows.len())));
    }
    Ok(())
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        Self::failed(error)
    }
}

/// The names of what is checked; at least one.
fn chosen<'a>(
    registry: &'a Registry,
    arguments: &Arguments,
    selection: &Selection,
) -> Result<Vec<&'a str>, Failure> {
    let wholes = registry.objectives();
    let names = registry.names().into_iter().filter(|name| selection.has(name));
    let names: Vec<&str> =
        names.filter(|name| !(arguments.operations_only && wholes.contains(name))).collect();
    if names.is_empty() {
        let word = &arguments.filter;
        return Err(Failure::wrong_use(format!(
            "nothing that is checked has {word:?} in its name: --list names all"
        )));
    }
    Ok(names)
}

/// The same registry with the whole objectives, where they are asked for: they need a network and pictures.
fn with_objectives(
    registry: Registry,
    arguments: &Arguments,
    selection: &Selection,
    options: &TransferOptions,
) -> Result<Registry, Failure> {
    if arguments.operations_only || !registry.objectives().iter().any(|name| selection.has(name)) {
        return Ok(registry);
    }
    let network = arguments.options.network.read()?;
    let (photo, painting) = pictures_of(arguments, options)?;
    Ok(registry.with_objectives(Material { network, photo, painting, options: options.clone() }))
}

/// Sides of random pictures, unless it is said.
const NOISE: usize = 24;

/// The rows, which are shown as they come.
struct Table {
    /// Whether standard output is the plot's: then they go to standard error.
    beside: bool,
    /// Whether nothing is shown.
    quiet: bool,
    rows: Vec<Row>,
}

impl Table {
    fn put(&self, line: &str) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        if self.beside {
            tell(line);
            return Ok(());
        }
        put(line)
    }

    fn add(&mut self, row: Row) -> Result<(), Failure> {
        self.put(&line(&row))?;
        self.rows.push(row);
        Ok(())
    }
}

/// The photo and the painting of the whole objective.
fn pictures_of(arguments: &Arguments, options: &TransferOptions) -> Result<(Picture, Picture), Failure> {
    let (side, seed) = (options.size.longest_side_for((NOISE, NOISE)), options.seed);
    Ok(match (&arguments.content, &arguments.style) {
        (Some(content), Some(style)) => (small(content, options)?, small(style, options)?),
        _ => (white_noise(side, side, seed + 1)?, white_noise(side, side, seed + 2)?),
    })
}

/// The picture at the options' size, read within their memory limit.
fn small(path: &Path, options: &TransferOptions) -> Result<Picture, Failure> {
    at_size(&read_picture(path, &options.reading(0), false)?, options)
}

/// A row of the table.
fn line(row: &Row) -> String {
    let worst = row.worst();
    let verdict = match row.verdict() {
        Verdict::Pass => "pass",
        Verdict::Kink => "kink: no derivative here",
        Verdict::Fail => "FAIL",
    };
    let kinks = match (row.verdict(), row.kinks()) {
        (Verdict::Kink, _) | (_, 0) => String::new(),
        (_, count) => format!(", {count} of {} probes on a kink", row.probes.len()),
    };
    let nearest =
        row.nearest_kink().map_or_else(String::new, |step| format!(", kinks met from step {step:.0e} on"));
    format!(
        "{:<34} {:<32} {:>9.1e} {:>9.1e}  {verdict}{kinks}{nearest}",
        row.operation,
        row.shapes,
        worst.relative_error(),
        worst.step()
    )
}

/// The whole objective and two operations: one smooth, one that is linear.
fn draw(plot: &Place, rows: &[Row]) -> Result<(), Failure> {
    let shown = ["style loss", "content loss", "the whole objective"];
    let is_shown = |row: &&Row| {
        shown.iter().any(|name| row.operation.starts_with(name))
            && !row.operation.ends_with("guided")
            && !row.operation.ends_with("blended")
    };
    let lines: Vec<&Row> = rows.iter().filter(is_shown).collect();
    let svg = step_plot(&lines).map_err(Failure::failed)?;
    plot.write_or_keep(("the plot", ".svg"), |out| out.write_all(svg.as_bytes()))
}
