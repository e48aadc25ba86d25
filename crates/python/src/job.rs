//! From what was asked for to what is worked on: the subject, the options and the network, read and checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use impasto_files::keep_apart;
use impasto_style::picture::WrittenProfile;
use impasto_style::{
    Checkpoint, Checkpoints, Init, Input, Network, Notice, Provenance, Record, Role, Source, Subject,
    TransferOptions,
};

use crate::asked::Asked;
use crate::error::{Failure, Result};
use crate::sources::{Sources, counted};
use crate::subject;
use crate::weights::{NetworkChoice, convention};

/// Names of a checkpoint's notes, which are the command line's: each goes on with the runs of the other.
const PREPROCESS: &str = "preprocess";
const CHECKPOINT_EVERY: &str = "checkpoint-every";

/// What a start in memory is called where a file would have its name.
const START_IN_MEMORY: &str = "a picture in memory";

/// What is worked on.
pub(crate) struct Job {
    pub(crate) subject: Subject,
    pub(crate) options: TransferOptions,
    pub(crate) network: Arc<Network>,
    /// The space of the photo's colours, or why it cannot be written in.
    pub(crate) profile: std::result::Result<WrittenProfile, String>,
    /// What is doubtful, a line each.
    pub(crate) warnings: Vec<String>,
    /// The checkpoint that the run goes on from.
    pub(crate) checkpoint: Option<Checkpoint>,
    sources: Sources,
    choice: NetworkChoice,
    every: Duration,
    /// The options with a start that is a file, not read.
    said: TransferOptions,
}

impl Job {
    /// Reads what was asked for.
    pub(crate) fn read(mut asked: Asked) -> Result<Self> {
        let checkpoint = open(&asked)?;
        let (mut sources, mut choice) =
            (std::mem::take(&mut asked.sources), std::mem::take(&mut asked.network));
        let mut options = asked.options()?;
        let mut every = asked.run.checkpoint_every;
        if let Some(checkpoint) = &checkpoint {
            let record = checkpoint.record();
            sources = sources.or(Sources::of(record));
            check_counts(&sources, record)?;
            choice = choice.or(record)?;
            let note = |name: &str| checkpoint.notes().get(name);
            if let (None, Some(name)) = (choice.preprocess, note(PREPROCESS)) {
                choice.preprocess = Some(convention(name)?);
            }
            let noted = note(CHECKPOINT_EVERY).and_then(|text| text.parse().ok());
            every = every.or(noted.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()));
            options = continued(&asked, options, record)?;
        }
        sources.check(&options)?;
        check_places(&asked, &sources, &options, &choice)?;
        let subject::Read { subject, profile, mut warnings } = subject::read(&mut sources, &options)?;
        let mut said = options.clone();
        if let Some(start) = asked.start.take() {
            said.init = Init::File(START_IN_MEMORY.into());
            options.init = Init::Picture(start);
        } else if checkpoint.is_none() {
            let reading = options.reading(subject.bytes());
            options.init = options.init.read(&reading)?;
        }
        warnings.extend(notices(&subject, &options, &sources));
        options.make_room_for(&subject);
        let network = choice.read()?;
        let every = every.unwrap_or(Checkpoints::EVERY);
        Ok(Self { subject, options, network, profile, warnings, checkpoint, sources, choice, every, said })
    }

    /// What messages call the photo.
    pub(crate) fn name_of_photo(&self) -> String {
        let what = "the content picture";
        self.sources.content.as_ref().map_or_else(|| what.to_owned(), |given| given.name(what))
    }

    /// What the picture is made of.
    pub(crate) fn record(&self) -> Record {
        let mut options = self.said.clone();
        let mut inputs = self.sources.inputs(&self.subject, findable);
        inputs.push(self.choice.input(&self.network, findable));
        if let Init::Picture(start) = &self.options.init {
            let found = if let Init::File(path) = &options.init { findable(path) } else { None };
            inputs.push(Input::picture(Role::Init, found.as_deref(), start));
            options.init = found.map_or(options.init, Init::File);
        }
        if let Some(checkpoint) = &self.checkpoint {
            // What it started from is in the checkpoint.
            inputs.extend(checkpoint.record().inputs_of(Role::Init).cloned());
        }
        Record::new(&options, inputs)
    }

    /// What a finished picture of that record says of itself.
    pub(crate) fn provenance(&self, record: &Record) -> Provenance {
        let mut said = Provenance::new(record);
        for input in said.record.inputs.iter_mut().filter(|input| input.role == Role::Weights) {
            input.path = self.choice.said();
            input.preprocess = self.choice.preprocess.map(|convention| convention.name().to_owned());
        }
        said
    }

    /// The file that a run of that record is kept in, and what it is to find there again.
    pub(crate) fn checkpoints(&self, path: &Path, record: Record) -> Checkpoints {
        let preprocess = self.choice.preprocess.map(|convention| convention.name().to_owned());
        let every = self.every.as_secs_f64().to_string();
        let notes = [(PREPROCESS, preprocess), (CHECKPOINT_EVERY, Some(every))];
        let notes = notes.into_iter().filter_map(|(name, note)| Some((name.to_owned(), note?)));
        let mut kept: BTreeMap<String, String> =
            self.checkpoint.iter().flat_map(|it| it.notes().clone()).collect();
        kept.extend(notes);
        Checkpoints { every: self.every, notes: kept, ..Checkpoints::new(path, record) }
    }
}

/// The checkpoint to go on from, read through.
fn open(asked: &Asked) -> Result<Option<Checkpoint>> {
    let run = &asked.run;
    if run.checkpoint_every.is_some() && run.checkpoint.is_none() && run.resume.is_none() {
        return Err(Failure::value("`checkpoint_every` needs `checkpoint` or `resume`"));
    }
    let Some(path) = &run.resume else { return Ok(None) };
    if let Some(name) = asked.fixed() {
        return Err(Failure::value(format!(
            "`{name}` cannot be given with `resume`: the run keeps what it was asked for"
        )));
    }
    Ok(Some(Checkpoint::open(path)?))
}

/// The options of a run that goes on: its own, with what may be said anew.
fn continued(asked: &Asked, given: TransferOptions, record: &Record) -> Result<TransferOptions> {
    let mut options = record.transfer_options()?;
    if asked.choices.has("iterations") {
        options.iterations = given.iterations;
    }
    options.memory_limit = given.memory_limit;
    Ok(options)
}

/// Checks that there are as many inputs of each kind as a checkpoint's run had.
fn check_counts(sources: &Sources, record: &Record) -> Result<()> {
    for (role, noun, ours) in sources.counts() {
        let theirs = record.inputs_of(role).count();
        if theirs == ours {
            continue;
        }
        return Err(Failure::value(if ours == 0 {
            format!("the checkpoint does not say where the {noun} is: give it, as without `resume`")
        } else {
            format!("the run of the checkpoint has {}, not {ours}: give as many", counted(theirs, noun))
        }));
    }
    Ok(())
}

/// Checks that a checkpoint can be written, and is no input.
fn check_places(
    asked: &Asked,
    sources: &Sources,
    options: &TransferOptions,
    choice: &NetworkChoice,
) -> Result<()> {
    let run = &asked.run;
    let Some(path) = run.checkpoint.as_deref().or(run.resume.as_deref()) else { return Ok(()) };
    let mut files = sources.files();
    if let Init::File(path) = &options.init
        && run.resume.is_none()
    {
        files.push(("`init`", path.clone()));
    }
    files.extend(choice.file().map(|path| ("`weights`", path)));
    let files: Vec<(&str, &Path)> = files.iter().map(|(name, path)| (*name, &**path)).collect();
    keep_apart(&[("`checkpoint`", path)], &files)?;
    Ok(impasto_files::probe_replaceable(path, 0)?)
}

/// Which pictures are smaller than they should be.
fn notices(subject: &Subject, options: &TransferOptions, sources: &Sources) -> Vec<String> {
    let line = |notice: Notice| {
        let name = match notice.source {
            Source::Photo => sources.content.as_ref()?.name("the content picture"),
            // The parts of one painting are several in a subject: what is said of the first is said of all.
            Source::Painting(number) => sources.styles.get(number)?.name("the style picture"),
        };
        Some(crate::error::in_python(&format!("{name} {notice}")))
    };
    subject.notices(options).into_iter().filter_map(line).collect()
}

/// The absolute path of a file that can be read again, as text; none of pipes and devices.
fn findable(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok().filter(|path| path.is_file())?;
    path.to_str().is_some().then_some(path)
}
