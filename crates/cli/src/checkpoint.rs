//! `--checkpoint` and `--resume`: a run in a file, and one that goes on from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use impasto_files::quoted;
use impasto_style::picture::Written;
use impasto_style::{
    Checkpoint, CheckpointError, Checkpoints, Init, Input, Network, OPTIONS, Provenance, Record, Role, Run,
    Subject, TransferError, TransferOptions,
};

use crate::duration::parse_duration;
use crate::failure::Failure;
use crate::network::{NetworkArguments, parse_convention};
use crate::options::OptionArguments;
use crate::output::encoding;
use crate::place::is_standard;
use crate::sources::{Sources, counted};

/// Where a run is kept, and where it goes on from.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Checkpoints")]
pub(crate) struct CheckpointArguments {
    /// Keep the run in a file from which --resume goes on, to the bit: after the first iteration, every 10 seconds, and when
    /// it ends or is stopped
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Time from one checkpoint to the next, such as 30s or 5m [default: 10s]. There is more between large ones, so that they
    /// take 5 % of the time at most
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    checkpoint_every: Option<Duration>,

    /// Go on with the run of a checkpoint, and keep it there. Nothing else need be given: CONTENT, STYLE and masks where they have
    /// moved, -o for another place, --iterations N for more (or fewer) at the last size. The log goes on from there
    #[arg(long, value_name = "FILE", conflicts_with_all = fixed())]
    resume: Option<PathBuf>,
}

/// What a run keeps that goes on: whatever decides pixels, but the iterations.
fn fixed() -> Vec<&'static str> {
    let deciding = OPTIONS.iter().filter(|row| row.decides_pixels()).map(|row| row.name);
    deciding.filter(|&name| name != "iterations").chain(["preset", "scene", "print"]).collect()
}

impl CheckpointArguments {
    /// The checkpoint to go on from, read through.
    pub(crate) fn open(&self) -> Result<Option<Checkpoint>, Failure> {
        if self.checkpoint_every.is_some() && self.path().is_none() {
            return Err(Failure::wrong_use("--checkpoint-every needs --checkpoint FILE or --resume FILE"));
        }
        for (option, path) in [("--checkpoint", &self.checkpoint), ("--resume", &self.resume)] {
            if path.as_deref().is_some_and(is_standard) {
                return Err(Failure::wrong_use(format!(
                    "{option} needs a file, which is replaced again and again: give it a name, not -"
                )));
            }
        }
        Ok(self.resume.as_deref().map(Checkpoint::open).transpose()?)
    }

    /// The file that checkpoints go to.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.checkpoint.as_deref().or(self.resume.as_deref())
    }

    /// The checkpoint that a run goes on from.
    pub(crate) fn resumed(&self) -> Option<&Path> {
        self.resume.as_deref()
    }

    /// The checkpoint to go on from, where it is an input alone: new ones go to another file.
    pub(crate) fn source(&self) -> Option<&Path> {
        let (source, place) = (self.resume.as_deref()?, self.checkpoint.as_deref()?);
        let is_place = source == place || same_file(source, place);
        (!is_place).then_some(source)
    }

    /// The run of a record: it goes on from `checkpoint`, if there is one, and is kept, if that is asked for.
    pub(crate) fn run(
        &self,
        job: &Job,
        checkpoint: Option<Checkpoint>,
        record: Option<Record>,
    ) -> Result<Run<'static>, Failure> {
        let (Some(path), Some(record)) = (self.path(), record) else { return Ok(Run::default()) };
        let resume = checkpoint.map(|checkpoint| checkpoint.fitting(&record)).transpose()?;
        let checkpoints =
            Checkpoints { every: job.checkpoint_every, notes: job.notes(), ..Checkpoints::new(path, record) };
        Ok(Run { resume, checkpoints: Some(checkpoints), ..Run::default() })
    }
}

/// What a run is given beside its options, as far as it was said: by arguments, or by a checkpoint's notes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) sources: Sources,
    pub(crate) output: Option<PathBuf>,
    pub(crate) written: Written,
    /// What settings say of how pictures are written.
    pub(crate) usual: Written,
    pub(crate) save_every: Option<u64>,
    pub(crate) log: Option<PathBuf>,
    pub(crate) no_metadata: bool,
}

/// A run's inputs, options and outputs: what the arguments say, and where they say nothing, what the checkpoint does.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) sources: Sources,
    pub(crate) network: NetworkArguments,
    /// With a start that is a file not read yet.
    pub(crate) options: TransferOptions,
    pub(crate) output: PathBuf,
    pub(crate) written: Written,
    pub(crate) save_every: Option<u64>,
    pub(crate) log: Option<PathBuf>,
    /// Whether pictures do not say what made them.
    pub(crate) no_metadata: bool,
    checkpoint_every: Duration,
}

impl Job {
    /// The job of arguments and a checkpoint.
    pub(crate) fn new(
        given: &Given,
        options: &OptionArguments,
        arguments: &CheckpointArguments,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<Self, Failure> {
        let (noted, notes) = (Given::noted(checkpoint), checkpoint.map(Checkpoint::notes));
        let every = notes.and_then(|notes| parse_duration(notes.get(CHECKPOINT_EVERY)?).ok());
        let preprocess = notes.and_then(|notes| parse_convention(notes.get(PREPROCESS)?).ok());
        let weights = checkpoint.and_then(|checkpoint| checkpoint.record().inputs_of(Role::Weights).next());
        let weights = weights.and_then(|input| input.path.as_ref()).map(PathBuf::from);
        let sources = given.sources.clone().or(noted.sources);
        checkpoint.map_or(Ok(()), |checkpoint| all_said(&sources, checkpoint.record()))?;
        let network = options.network.clone().or(weights, preprocess);
        let options = continued(options, checkpoint)?;
        sources.check(&options)?;
        let output = given.output.clone().or(noted.output);
        let encoding = output.as_deref().and_then(|output| encoding(output, &given.written).ok());
        let fitting =
            |written: &Written| encoding.map(|encoding| written.fitting(encoding)).unwrap_or_default();
        let written = given.written.clone().or(&fitting(&noted.written)).or(&fitting(&given.usual));
        Ok(Self {
            sources,
            network,
            options,
            output: output.ok_or_else(|| not_said("output"))?,
            written: Written { quality: Some(written.quality_of_jpeg()), ..written },
            save_every: given.save_every.or(noted.save_every),
            log: given.log.clone().or(noted.log),
            no_metadata: given.no_metadata || noted.no_metadata,
            checkpoint_every: arguments.checkpoint_every.or(every).unwrap_or(Checkpoints::EVERY),
        })
    }

    /// Where the outputs go that the checkpoint has chosen, and not the arguments: a stranger may have written it.
    pub(crate) fn chosen_places(&self, given: &Given) -> Option<String> {
        let picture = given.output.is_none().then(|| {
            let every = self.save_every.filter(|_| given.save_every.is_none());
            let every =
                every.map_or_else(String::new, |every| format!(", one every {every} iterations beside it"));
            format!("the picture goes to {}{every}", self.output.display())
        });
        let log = self.log.as_ref().filter(|_| given.log.is_none());
        let log = log.map(|path| format!("the log goes to {}", path.display()));
        let places: Vec<String> = picture.into_iter().chain(log).collect();
        (!places.is_empty()).then(|| format!("As the checkpoint says, {}", places.join(", and ")))
    }

    /// The network as an input: hashing it takes a moment.
    pub(crate) fn network_input(&self, network: &Network) -> Input {
        Input::network(self.network.file().and_then(|path| findable(&path)).as_deref(), network)
    }

    /// What the picture is made of, of inputs as they were read and the start of a checkpoint.
    pub(crate) fn record(
        &self,
        (subject, network, start): (&Subject, Input, &Init),
        checkpoint: Option<&Checkpoint>,
    ) -> Record {
        let mut options = self.options.clone();
        let mut inputs = self.sources.inputs(subject, findable);
        inputs.push(network);
        if let (Init::File(path), Init::Picture(start)) = (&mut options.init, start) {
            let found = findable(path);
            inputs.push(Input::picture(Role::Init, found.as_deref(), start));
            *path = found.unwrap_or_else(|| path.clone());
        }
        if let Some(checkpoint) = checkpoint {
            // What it started from is in the checkpoint. The file may be another one since: `--init X -o X`.
            inputs.extend(checkpoint.record().inputs_of(Role::Init).cloned());
        }
        Record::new(&options, inputs)
    }

    /// What a finished picture of that record says of itself.
    pub(crate) fn provenance(&self, record: &Record) -> Provenance {
        let mut said = Provenance::new(record);
        for input in said.record.inputs.iter_mut().filter(|input| input.role == Role::Weights) {
            input.path = self.network.said();
            input.preprocess = self.network.preprocess().map(|convention| convention.name().to_owned());
        }
        said
    }

    /// What [`Given::noted`] finds again.
    fn notes(&self) -> BTreeMap<String, String> {
        let path = |path: &Path| if is_standard(path) { Some("-".to_owned()) } else { text(path) };
        let notes = [
            (OUTPUT, path(&self.output)),
            (SAVE_EVERY, self.save_every.map(|every| every.to_string())),
            (LOG, self.log.as_deref().and_then(path)),
            (NO_METADATA, self.no_metadata.then(|| true.to_string())),
            (PREPROCESS, self.network.preprocess().map(|convention| convention.name().to_owned())),
            (CHECKPOINT_EVERY, Some(self.checkpoint_every.as_secs_f64().to_string())),
        ];
        let written = self.written.said().map(|(name, text)| (name, Some(text)));
        notes.into_iter().chain(written).filter_map(|(name, note)| Some((name.to_owned(), note?))).collect()
    }
}

/// Names of notes.
const OUTPUT: &str = "output";
const SAVE_EVERY: &str = "save-every";
const LOG: &str = "log";
const NO_METADATA: &str = "no-metadata";
const PREPROCESS: &str = "preprocess";
const CHECKPOINT_EVERY: &str = "checkpoint-every";

impl Given {
    /// What a checkpoint says.
    fn noted(checkpoint: Option<&Checkpoint>) -> Self {
        let Some(checkpoint) = checkpoint else { return Self::default() };
        let notes = checkpoint.notes();
        let path = |name: &str| notes.get(name).map(PathBuf::from);
        let mut written = Written::default();
        for (name, note) in notes.iter().filter(|(name, _)| Written::NAMES.contains(&name.as_str())) {
            // What cannot be meant is left out, as of other notes.
            let _ = written.set(name, note);
        }
        Self {
            sources: Sources::of(checkpoint.record()),
            output: path(OUTPUT),
            written,
            usual: Written::default(),
            save_every: number(notes.get(SAVE_EVERY)).filter(|&every| every > 0),
            log: path(LOG),
            no_metadata: number(notes.get(NO_METADATA)).unwrap_or(false),
        }
    }
}

fn number<T: FromStr>(note: Option<&String>) -> Option<T> {
    note?.parse().ok()
}

/// Checks that there are as many files of each kind as a checkpoint's run had.
fn all_said(sources: &Sources, record: &Record) -> Result<(), Failure> {
    for (role, noun, paths) in sources.roles() {
        match (record.inputs_of(role).count(), paths.len()) {
            (_, 0) if [Role::Content, Role::Style].contains(&role) => return Err(not_said(noun)),
            (theirs, ours) if theirs == ours => {}
            (_, 0) => return Err(not_said(noun)),
            (theirs, ours) => {
                let problem = format!(
                    "the run of the checkpoint has {}, not {ours}: give as many",
                    counted(theirs, noun)
                );
                return Err(Failure::wrong_use(problem));
            }
        }
    }
    Ok(())
}

fn not_said(noun: &str) -> Failure {
    let missing = format!("the checkpoint does not say where the {noun} is: give it, as without --resume");
    Failure::wrong_use(missing)
}

/// The options: of the arguments, or of the checkpoint, with what may be said anew.
fn continued(given: &OptionArguments, checkpoint: Option<&Checkpoint>) -> Result<TransferOptions, Failure> {
    let said = given.options()?;
    let Some(checkpoint) = checkpoint else { return Ok(said) };
    let mut options = checkpoint.record().transfer_options()?;
    if given.choices.has("iterations") {
        options.iterations = said.iterations.clone();
    }
    options.memory_limit = said.memory_limit;
    Ok(options)
}

/// Whether both are names of a file that is there.
fn same_file(a: &Path, b: &Path) -> bool {
    let [a, b] = [a, b].map(|path| path.canonicalize().ok());
    a.is_some() && a == b
}

/// The absolute path of a file that can be read again; none of pipes and devices.
fn findable(path: &Path) -> Option<PathBuf> {
    (!is_standard(path) && path.is_file()).then(|| text(path).map(PathBuf::from)).flatten()
}

/// The absolute path as text, if it is Unicode.
fn text(path: &Path) -> Option<String> {
    std::path::absolute(path).ok()?.to_str().map(str::to_owned)
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        TransferError::from(error).into()
    }
}

/// The end of the sentence that tells of a stopped run.
pub(crate) fn how_to_go_on(path: &Path) -> String {
    format!("; to go on: impasto transfer --resume {}", quoted(path))
}
