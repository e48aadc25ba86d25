//! From patterns or a manifest to jobs.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use impasto_batch::{Asked, Manifest, Names, Row, State, Template, expand};
use impasto_style::picture::{Encoding, with_longest_side};
use impasto_style::{Init, Input, Picture, Record};
use impasto_vgg::Convention;
use serde_json::{Value, json};

use super::Arguments;
use super::row::Said;
use crate::checkpoint::{CheckpointArguments, Given, Job};
use crate::failure::Failure;
use crate::place::is_standard;
use crate::scene;

/// A job that makes sense, as far as that can be seen without reading pictures.
#[derive(Debug)]
pub(super) struct Planned {
    /// Its picture, as messages have it.
    pub(super) name: String,
    pub(super) job: Job,
    pub(super) asked: Asked,
    /// The sizes that it is painted at, each with (H, W) and iterations; guessed where the photo does not tell its size.
    pub(super) scales: Vec<AtSize>,
}

/// (H, W), and the iterations there.
pub(super) type AtSize = ((usize, usize), usize);

/// The jobs of a call.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    pub(super) planned: Vec<Planned>,
    /// A line for each row that makes no sense.
    pub(super) bad: Vec<String>,
    /// The jobs of other shards, and the rows that make no sense where those are another one's: for the report.
    pub(super) elsewhere: (Vec<Planned>, Vec<String>),
    /// The folder of state.
    pub(super) state: PathBuf,
}

/// What a photo is taken for whose size is not known.
const GUESS: (usize, usize) = (480, 640);

impl Jobs {
    /// The jobs that arguments name. Those of one output are refused.
    pub(super) fn plan(arguments: &Arguments) -> Result<Self, Failure> {
        let mut plan = Plan { arguments, jobs: Self::default(), at: Vec::new(), sizes: HashMap::new() };
        let template = arguments.template()?;
        match &arguments.manifest {
            Some(path) => plan.of_manifest(path, template.as_ref())?,
            None => plan.of_pairs(template.as_ref())?,
        }
        let Plan { mut jobs, at, .. } = plan;
        jobs.keep_apart(&at)?;
        jobs.state = jobs.state_folder(arguments, template.as_ref())?;
        if let Some(shard) = arguments.shard {
            let costs: Vec<f64> = jobs.planned.iter().map(Planned::cost).collect();
            let ours: HashSet<usize> = shard.jobs(&costs).into_iter().collect();
            let all = std::mem::take(&mut jobs.planned).into_iter().enumerate();
            let (ours, others): (Vec<_>, Vec<_>) = all.partition(|(index, _)| ours.contains(index));
            let planned = |jobs: Vec<(usize, Planned)>| jobs.into_iter().map(|(_, job)| job).collect();
            (jobs.planned, jobs.elsewhere.0) = (planned(ours), planned(others));
            // Rows that make no sense are told of once.
            if !shard.is_first() {
                jobs.elsewhere.1 = std::mem::take(&mut jobs.bad);
            }
        }
        Ok(jobs)
    }

    /// Refuses jobs that would overwrite one another's picture or input.
    fn keep_apart(&self, at: &[String]) -> Result<(), Failure> {
        let mut outputs: HashMap<&Path, usize> = HashMap::new();
        for (index, planned) in self.planned.iter().enumerate() {
            if let Some(other) = outputs.insert(&planned.asked.output, index) {
                return Err(Failure::wrong_use(format!(
                    "{} and {} have the same picture, {}: give each its own",
                    at[other], at[index], planned.name
                )));
            }
        }
        for (index, planned) in self.planned.iter().enumerate() {
            // The start among them: a picture that goes on from itself would be another one each time.
            for file in &planned.asked.files {
                if let Some(&other) = place_of(file).ok().and_then(|place| outputs.get(&*place)) {
                    return Err(Failure::wrong_use(format!(
                        "{} would overwrite {}, which {} reads: give it another picture",
                        at[other],
                        file.display(),
                        at[index]
                    )));
                }
            }
        }
        Ok(())
    }

    /// The folder of state: beside the outputs, in the folder that all of them are in.
    fn state_folder(&self, arguments: &Arguments, template: Option<&Template>) -> Result<PathBuf, Failure> {
        if let Some(state) = &arguments.state {
            if is_standard(state) {
                return Err(Failure::wrong_use("--state is a folder: give it a name, not -"));
            }
            return Ok(state.clone());
        }
        let common = match template {
            Some(template) if arguments.manifest.is_none() => template.folder(),
            _ => {
                let mut folders = self.planned.iter().filter_map(|planned| planned.asked.output.parent());
                let first = folders.next().map(Path::to_path_buf).unwrap_or_default();
                folders.fold(first, |common, folder| shared(&common, folder))
            }
        };
        Ok(common.join("batch-state"))
    }
}

/// The folders at the beginning of both.
fn shared(one: &Path, other: &Path) -> PathBuf {
    one.components()
        .zip(other.components())
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one)
        .collect()
}

impl Planned {
    /// What it costs: pixels times iterations.
    pub(super) fn cost(&self) -> f64 {
        let pixels = |&((height, width), iterations): &AtSize| (height * width * iterations) as f64;
        self.scales.iter().map(pixels).sum()
    }

    /// (H, W) of its picture.
    pub(super) fn size(&self) -> (usize, usize) {
        self.scales.last().map_or((0, 0), |(size, _)| *size)
    }
}

/// A plan that is being made.
struct Plan<'a> {
    arguments: &'a Arguments,
    jobs: Jobs,
    /// Where each job comes from, for messages.
    at: Vec<String>,
    /// The sizes of photos that were looked at.
    sizes: HashMap<PathBuf, Option<(usize, usize)>>,
}

impl Plan<'_> {
    /// Every photo in the style of every painting; one painting after the other, as its Gram matrices are measured once.
    fn of_pairs(&mut self, template: Option<&Template>) -> Result<(), Failure> {
        let find = |patterns: &[String]| expand(patterns).map_err(Failure::failed);
        let (photos, paintings) = (find(&self.arguments.content)?, find(&self.arguments.style)?);
        for style in &paintings {
            for content in &photos {
                let names = Names { content, style };
                let output = template.map(|template| template.fill(names));
                let said = Said::of_pair(content, style, output);
                let at = format!("{} with {}", content.display(), style.display());
                self.add(at, said)?;
            }
        }
        Ok(())
    }

    fn of_manifest(&mut self, path: &Path, template: Option<&Template>) -> Result<(), Failure> {
        let manifest = if is_standard(path) {
            Manifest::read_from(io::stdin().lock(), Path::new("standard input"), Path::new(""))
        } else {
            Manifest::read(path)
        };
        let Manifest { folder, rows } = manifest.map_err(Failure::failed)?;
        for row in rows {
            let read = row.and_then(|row: Row| Ok((Said::new(&row, &folder)?, row.at)));
            match read {
                Ok((mut said, at)) => {
                    let names = said.sources.content.as_deref().zip(said.sources.styles.first());
                    let named = template
                        .zip(names)
                        .map(|(template, (content, style))| template.fill(Names { content, style }));
                    said.output = said.output.or(named);
                    if let Err(failure) = self.add(at.clone(), said) {
                        self.jobs.bad.push(format!("{at}: {failure}"));
                    }
                }
                Err(problem) => self.jobs.bad.push(problem),
            }
        }
        Ok(())
    }

    /// Adds a job, if it makes sense.
    fn add(&mut self, at: String, mut said: Said) -> Result<(), Failure> {
        let arguments = self.arguments;
        let options = said.options(&arguments.options)?;
        let asked = scene::Asked::of(said.sources, said.scene.as_deref(), options)?;
        let given = Given {
            sources: asked.sources.clone(),
            output: Some(
                said.output.ok_or_else(|| Failure::wrong_use("it has no output: name the picture"))?,
            ),
            written: said.written.or(&arguments.written.written()),
            usual: arguments.usual.clone(),
            no_metadata: said.no_metadata || arguments.no_metadata,
            ..Given::default()
        };
        let job = Job::new(&given, &asked.options, &CheckpointArguments::default(), None)?;
        if is_standard(&job.output) {
            return Err(Failure::wrong_use("its output is -: the pictures of a batch go to files"));
        }
        let encoding = crate::output::encoding(&job.output, &job.written)?;
        let files = files(&job)?;
        let output = place_of(&job.output).map_err(|error| {
            Failure::failed(format!("cannot tell where {} is: {error}", job.output.display()))
        })?;
        let asked = Asked { name: State::name_of(&output), asked: described(&job, encoding)?, output, files };
        let scales = self.scales(&job);
        self.jobs.planned.push(Planned { name: job.output.display().to_string(), job, asked, scales });
        self.at.push(at);
        Ok(())
    }

    /// The sizes that a job is painted at.
    fn scales(&mut self, job: &Job) -> Vec<AtSize> {
        let photo = job.sources.photo();
        let known = match self.sizes.get(photo) {
            Some(known) => *known,
            None => *self.sizes.entry(photo.into()).or_insert(Picture::stored_size(photo)),
        };
        let size = known.unwrap_or(GUESS);
        let scales = job.options.schedule(job.options.size.longest_side_for(size));
        scales.into_iter().map(|scale| (with_longest_side(size, scale.size), scale.iterations)).collect()
    }
}

/// All files that a job reads.
fn files(job: &Job) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<PathBuf> = job.sources.files().into_iter().map(|(_, path)| path.to_owned()).collect();
    if let Init::File(path) = &job.options.init {
        files.push(path.clone());
    }
    files.extend(job.network.file());
    if files.iter().any(|path| is_standard(path)) {
        return Err(Failure::wrong_use("it reads -, standard input: the jobs of a batch read files"));
    }
    Ok(files)
}

/// All that decides a picture beside what is in its files.
fn described(job: &Job, encoding: Encoding) -> Result<Value, Failure> {
    let inputs: Vec<Input> = job
        .sources
        .unread(|path| if is_standard(path) { Ok(path.to_owned()) } else { place_of(path) })
        .map_err(|error| Failure::failed(format!("cannot tell where a file is: {error}")))?;
    let record = Record::in_full(&job.options, inputs);
    let written: serde_json::Map<String, Value> =
        job.written.fitting(encoding).said().map(|(name, text)| (name.to_owned(), text.into())).collect();
    let network = job.network.path().map(|path| path.display().to_string());
    let preprocess = job.network.preprocess().map(Convention::name);
    Ok(json!({
        "impasto": record.impasto,
        "options": serde_json::to_value(&record.options).map_err(Failure::failed)?,
        "inputs": serde_json::to_value(&record.inputs).map_err(Failure::failed)?,
        "weights": network,
        "preprocess": preprocess,
        "written": written,
        "no-metadata": job.no_metadata,
    }))
}

/// The absolute path of a file, which need not be there, with all links followed: two names of one file have one place.
pub(super) fn place_of(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    // As many links as systems follow.
    for _ in 0..40 {
        if let Ok(place) = path.canonicalize() {
            return Ok(place);
        }
        let Ok(target) = path.read_link() else { break };
        path = path.parent().unwrap_or(Path::new("/")).join(target);
    }
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok(place_of(folder)?.join(name)),
        // The path ends in `..`.
        (Some(folder), None) => Ok(place_of(folder)?.parent().unwrap_or(Path::new("/")).into()),
        _ => Ok(path),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_has_one_place_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("real/deep")).unwrap();
        fs::write(path("real/in.jpg"), "").unwrap();
        symlink("real", path("link")).unwrap();
        symlink("in.jpg", path("real/to_in.jpg")).unwrap();
        symlink("none.png", path("real/to_none.png")).unwrap();
        symlink("round", path("round")).unwrap();
        let place = |name: &str| place_of(&path(name)).unwrap();
        for (one, other) in [
            ("link/new/a.png", "real/new/a.png"),
            ("link/to_none.png", "real/none.png"),
            ("link/to_in.jpg", "real/in.jpg"),
            ("real/deep/../x.png", "real/x.png"),
            ("real/none/../x.png", "real/x.png"),
        ] {
            assert_eq!(place(one), place(other), "{one} and {other}");
        }
        let before = place("link/new/a.png");
        fs::create_dir_all(path("real/new")).unwrap();
        assert_eq!(place("link/new/a.png"), before, "when its folder was made");
        assert!(place("round").ends_with("round"));
    }
}
