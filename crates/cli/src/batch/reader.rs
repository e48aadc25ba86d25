//! A job before it is painted: its pictures read, its place checked, what it will say of itself known. The next one is read while one is
//! painted.

use std::fs;
use std::path::Path;

use impasto_batch::Stamp;
use impasto_style::{Init, Picture, Provenance, Record, Said, Subject};

use super::jobs::Planned;
use super::material::{Material, Shared};
use crate::failure::Failure;
use crate::inputs::Inputs;
use crate::notices::notices;
use crate::output::Output;
use crate::pictures::read_subject_for;
use crate::warnings::{Case, without_effect};

/// A job that can be painted.
pub(super) struct Ready {
    pub(super) subject: Subject,
    /// What it starts from, read.
    pub(super) init: Init,
    pub(super) shared: Shared,
    pub(super) record: Record,
    pub(super) output: Output,
    pub(super) said: Option<Said>,
    /// Its files, as they were before they were read.
    pub(super) inputs: Vec<Stamp>,
    /// What is said of its pictures.
    pub(super) notices: Vec<String>,
    /// Options that have no effect on it.
    pub(super) idle: Vec<String>,
}

impl Ready {
    /// Reads a job within a limit of memory.
    pub(super) fn read(planned: &Planned, material: &Material, limit: Option<u64>) -> Result<Self, Failure> {
        let job = &planned.job;
        let mut options = job.options.clone();
        options.memory_limit = limit;
        make_folder(&planned.asked.output)?;
        let output = Output::new(&job.output, &job.written)?;
        Inputs::new(&job.sources.files(), &job.options.init, &job.network)
            .keep_apart(&[("-o", &job.output)])?;
        let stamp = |path: &std::path::PathBuf| {
            let of = material.stamps.of(path);
            of.map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))
        };
        let inputs = planned.asked.files.iter().map(stamp).collect::<Result<_, _>>()?;
        let (subject, output) = read_subject_for(output, (&job.sources, &job.written), &options, false)?;
        let idle =
            without_effect(&[Case { writing: output.writing(), ..Case::of_study(&job.options, &subject) }]);
        let init = options.init.clone().read(&options.reading(subject.bytes()))?;
        let notices = notices(&subject, &options, job.sources.names());
        let shared = material.network(job, &options)?;
        let record = job.record((&subject, shared.input.clone(), &init), None);
        let said = (!job.no_metadata).then(|| {
            let said = Said::new(job.provenance(&record), &job.options, false);
            said.written(&job.written, output.writing().encoding)
        });
        let said = said.filter(|said| said.too_long(output.writing().encoding).is_none());
        output.reserve(subject.size(subject.longest_side(&options)), said.as_ref().map(Said::longest))?;
        Ok(Self { subject, init, shared, record, output, said, inputs, notices, idle })
    }

    /// Its picture, if that is there already, whole: it says that it was made of the same, to the end. So it is when a call ended between the
    /// writing of the picture and that of the job's file, and where the folder of state was lost.
    pub(super) fn there(&self, planned: &Planned) -> Option<Picture> {
        let (output, said) = (&planned.job.output, self.said.as_ref()?);
        let there = Provenance::read(output).ok().filter(|there| there.to_string() == said.of_finished());
        // What it says stands before its pixels.
        there.and_then(|_| Some(Picture::read(output, &planned.job.options.reading_whole(0)).ok()?.picture))
    }
}

/// Makes the folder of a picture.
fn make_folder(output: &Path) -> Result<(), Failure> {
    let Some(folder) = output.parent() else { return Ok(()) };
    fs::create_dir_all(folder)
        .map_err(|error| Failure::failed(format!("cannot make the folder {}: {error}", folder.display())))
}
