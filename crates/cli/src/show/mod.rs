//! `impasto show`: what a picture says of itself.

mod command;
mod inputs;

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use impasto_files::one_line;
use impasto_style::picture::{ReadOptions, STANDARD_INPUT};
use impasto_style::{Provenance, ProvenanceError, Role, TransferOptions, available_memory};

use self::inputs::Found;
use crate::failure::{Failure, with_dashes};
use crate::place::is_standard;
use crate::sources::counted;
use crate::streams::put;

/// For the end of `--help`.
const EXAMPLES: &str = "\
Examples:
  impasto show out.png
  impasto show out.png --json
  impasto show out.png | head -1 | sh";

/// Print the command that painted a picture, and what it was made of
///
/// Pictures that transfer writes say what made them, unless --no-metadata was given: the version, the options and the hashes of
/// the inputs. Inputs that lie beside the picture or in the working folder are compared with these.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A PNG, JPEG, WebP or TIFF, or - for standard input
    picture: PathBuf,

    /// Print what the file holds as it is, on one line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let path = &*arguments.picture;
    let said = if is_standard(path) {
        Provenance::read_stream(io::stdin().lock(), Path::new(STANDARD_INPUT), &ReadOptions::default())?
    } else {
        Provenance::read(path)?
    };
    if arguments.json {
        return put(&said.to_string());
    }
    let wrong = |problem: String| Failure::failed(format!("{}: {problem}", one_line(path.display())));
    let options = said.record.transfer_options().map_err(|error| wrong(with_dashes(&error)))?;
    let options = options.with_memory_limit(available_memory());
    let found = inputs::find(&said, &options, path);
    let command = command::command(&said, &options, &found, path).map_err(wrong)?;
    let mut lines = vec![command, String::new()];
    lines.extend(summary(&said, &options));
    lines.extend(table(&said, &found));
    // At once: who takes the command alone closes the pipe behind it.
    put(&lines.join("\n"))
}

impl From<ProvenanceError> for Failure {
    fn from(error: ProvenanceError) -> Self {
        match error {
            ProvenanceError::Picture(error) => error.into(),
            other => Self::failed(other),
        }
    }
}

/// Who painted it, how far, and what of that is otherwise here.
fn summary(said: &Provenance, options: &TransferOptions) -> Vec<String> {
    let (theirs, ours) = (&said.record.impasto, env!("CARGO_PKG_VERSION"));
    let how_far = said.stopped.map_or_else(
        || "painted to the end".to_owned(),
        |stopped| {
            let all = counted(stopped.of, "iteration");
            format!("stopped after {} of {all}: the command paints all of them", stopped.after)
        },
    );
    let mut lines = vec![format!("impasto {}, seed {}, {how_far}", one_line(theirs), options.seed)];
    if theirs != ours {
        lines.push(format!("This is impasto {ours}, which may paint another picture"));
    }
    let (theirs, ours) = (&said.instruction_set, Provenance::new(&said.record).instruction_set);
    if *theirs != ours {
        let theirs = one_line(theirs);
        lines.push(format!("It was computed by {theirs} and here it is {ours}, which rounds differently"));
    }
    let masks = [Role::Mask, Role::StyleMask].into_iter().flat_map(|role| said.record.inputs_of(role));
    if let Some(name) = masks.filter_map(|mask| mask.path.as_ref()).find(|name| name.contains(',')) {
        lines.push(format!("The command takes {} for two masks: rename it there", one_line(name)));
    }
    lines
}

/// A line for each input: its role, its name, the first digits of its hash, and whether it is here.
fn table(said: &Provenance, found: &[Found]) -> Vec<String> {
    const DIGITS: usize = 16;
    let rows = said.record.inputs.iter().zip(found).filter(|(input, _)| input.sha256.is_some());
    let rows: Vec<[String; 4]> = rows
        .map(|(input, found)| {
            let role = Role::ALL.iter().find(|(role, _)| *role == input.role).map_or("", |(_, name)| name);
            let nameless = if input.role == Role::Weights { "built in" } else { "standard input or a pipe" };
            let name = input.path.as_ref().map_or_else(|| nameless.to_owned(), one_line);
            let digits = input.sha256.iter().flat_map(|hash| hash.chars()).take(DIGITS).collect::<String>();
            [role.to_owned(), name, one_line(digits), found.to_string()]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2].map(width);
    let line = |[role, name, digits, found]: &[String; 4]| {
        format!("{role:0$}  {name:1$}  {digits:2$}  {found}", widths[0], widths[1], widths[2])
    };
    rows.iter().map(line).collect()
}
