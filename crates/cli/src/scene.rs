//! `--scene` and `--print-scene`: a command's pictures, masks and options in a file.

use std::io;
use std::path::{Path, PathBuf};

use impasto_style::picture::STANDARD_INPUT;
use impasto_style::{
    Init, Input, Network, OPTIONS, OptionRow, Preset, Record, Role, Subject, TransferOptions,
};

use crate::failure::Failure;
use crate::inputs::Inputs;
use crate::network::{NetworkArguments, parse_convention};
use crate::options::OptionArguments;
use crate::pictures::SubjectArguments;
use crate::place::is_standard;
use crate::sources::Sources;
use crate::streams::{output_is_closed, put};

/// What a command was asked to work on: its arguments, on top of the scene that they name.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) sources: Sources,
    pub(crate) options: OptionArguments,
}

impl Asked {
    /// Reads the scene, if there is one.
    pub(crate) fn new(subject: &SubjectArguments, options: &OptionArguments) -> Result<Self, Failure> {
        Self::of(subject.sources(), subject.scene.as_deref(), options.clone())
    }

    /// Those files and options, on top of a scene if there is one.
    pub(crate) fn of(
        sources: Sources,
        scene: Option<&Path>,
        mut options: OptionArguments,
    ) -> Result<Self, Failure> {
        let Some(path) = scene else { return Ok(Self { sources, options }) };
        let name = if is_standard(path) { Path::new(STANDARD_INPUT) } else { path };
        let scene = if is_standard(path) {
            Record::scene_from(io::stdin().lock(), name, Path::new(""))
        } else {
            Record::read_scene(path)
        };
        let scene = scene.map_err(Failure::failed)?;
        let wrong = |problem: Failure| Failure::failed(format!("{}: {problem}", name.display()));
        // A scene makes sense by itself.
        scene.transfer_options().map_err(|error| wrong(error.into()))?;
        let mut choices = scene.choices()?;
        if options.choices.has("preset") {
            choices = choices.only(|name| !is_of_presets(name));
        }
        options.choices = options.choices.or(&choices);
        options.network = network(options.network, &scene).map_err(wrong)?;
        Ok(Self { sources: sources.or(Sources::of(&scene)), options })
    }

    /// The options, checked, and the sources that fit them.
    pub(crate) fn options(&self) -> Result<TransferOptions, Failure> {
        let options = self.options.options()?;
        self.sources.check(&options)?;
        Ok(options)
    }

    /// The files that are read, each with what names it: the pictures and masks, the `scene` and the settings.
    pub(crate) fn files<'a>(&'a self, scene: Option<&'a Path>) -> Vec<(&'static str, &'a Path)> {
        let settings = self.options.settings.as_deref().map(|path| ("--config", path));
        let scene = scene.map(|path| ("--scene", path));
        self.sources.files().into_iter().chain(scene).chain(settings).collect()
    }

    /// The inputs of a study's records.
    pub(crate) fn inputs(&self, subject: &Subject, network: &Network) -> Vec<Input> {
        let mut inputs = self.sources.inputs(subject, |path| Some(path.to_owned()));
        inputs.push(Input::network(self.options.network.path(), network));
        inputs
    }
}

/// Whether presets differ in an option: one that is given counts more there than what a scene says.
fn is_of_presets(name: &str) -> bool {
    let row = OPTIONS.iter().find(|row| row.name == name);
    let values = |row: &OptionRow| Preset::ALL.map(|(preset, _)| row.get(&preset.options()));
    row.is_some_and(|row| values(row).windows(2).any(|pair| pair[0] != pair[1]))
}

/// The network that was given, or that of a scene.
fn network(given: NetworkArguments, scene: &Record) -> Result<NetworkArguments, Failure> {
    let Some(weights) = scene.inputs_of(Role::Weights).next().filter(|_| given.path().is_none()) else {
        return Ok(given);
    };
    let preprocess = weights.preprocess.as_deref().map(parse_convention).transpose();
    let preprocess = preprocess.map_err(|problem| Failure::failed(format!("preprocess: {problem}")))?;
    Ok(given.or(weights.path.as_ref().map(PathBuf::from), preprocess))
}

/// Prints the scene of what would be painted. Files are named by their absolute paths, and not read.
pub(crate) fn print(
    sources: &Sources,
    options: &TransferOptions,
    network: &NetworkArguments,
) -> Result<(), Failure> {
    Inputs::new(&sources.files(), &options.init, network).keep_apart(&[])?;
    if output_is_closed() {
        return Err(Failure::failed("standard output is closed: send it to a file or another program"));
    }
    let mut options = options.clone();
    if let Init::File(path) = &mut options.init {
        *path = absolute(path)?;
    }
    let mut inputs = sources.unread(absolute)?;
    if let Some(name) = network.path() {
        let path = network.file().as_deref().map(absolute).transpose()?;
        let preprocess = network.preprocess().map(|convention| convention.name().to_owned());
        let input = Input::unread(Role::Weights, Some(path.as_deref().unwrap_or(name)));
        inputs.push(Input { preprocess, ..input });
    }
    let text = Record::in_full(&options, inputs).to_scene().map_err(Failure::failed)?;
    put(text.trim_end())
}

/// The absolute path of a file, which must be Unicode; `-` is itself.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    if is_standard(path) {
        return Ok(path.to_owned());
    }
    let absolute = std::path::absolute(path)
        .map_err(|error| Failure::failed(format!("cannot tell where {} is: {error}", path.display())))?;
    if absolute.to_str().is_none() {
        let problem = format!("a scene is Unicode text, which cannot name {}: rename it", absolute.display());
        return Err(Failure::failed(problem));
    }
    Ok(absolute)
}
