//! What a call asks for: keywords, on top of the saved scene that they name. Every option of the table is a keyword, its name with
//! `_` in place of `-`, so that a new one is there by itself.

use std::path::PathBuf;
use std::time::Duration;

use impasto_style::picture::Written;
use impasto_style::{
    Choices, OPTIONS, OptionRow, Paper, Picture, Preset, Record, SYNONYMS, Sheet, TransferOptions,
    available_memory, did_you_mean, option_name,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::array::picture_of;
use crate::error::{Failure, Result};
use crate::sources::{Given, Sources};
use crate::text::{duration_of, given, is_path, path_of, text_of};
use crate::weights::NetworkChoice;

/// What a call asks for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) sources: Sources,
    /// What was given, and what a scene says.
    pub(crate) choices: Choices,
    pub(crate) network: NetworkChoice,
    /// The start, where it is a picture in memory.
    pub(crate) start: Option<Picture>,
    pub(crate) threads: Option<usize>,
    pub(crate) run: RunAsked,
    scene: Option<PathBuf>,
}

/// What belongs to a run alone.
#[derive(Debug, Default)]
pub(crate) struct RunAsked {
    pub(crate) time_limit: Option<Duration>,
    pub(crate) checkpoint: Option<PathBuf>,
    pub(crate) checkpoint_every: Option<Duration>,
    pub(crate) resume: Option<PathBuf>,
    /// Pixels to the inch, for [`Painting.save`](crate::painting::Painting).
    pub(crate) dpi: Option<u16>,
    print: Option<Paper>,
}

impl RunAsked {
    const NAMES: [&str; 6] = ["time_limit", "checkpoint", "checkpoint_every", "resume", "print", "dpi"];

    fn set(&mut self, name: &str, value: &Bound<'_, PyAny>) -> Result<()> {
        match name {
            "time_limit" => self.time_limit = Some(duration_of(name, value)?),
            "checkpoint" => self.checkpoint = Some(path_of(name, value)?),
            "checkpoint_every" => self.checkpoint_every = Some(duration_of(name, value)?),
            "resume" => self.resume = Some(path_of(name, value)?),
            "print" => {
                let text = text_of(name, value)?;
                let names = Paper::ALL.map(Paper::name).join(", ");
                let paper = Paper::named(&text);
                self.print =
                    Some(paper.ok_or_else(|| {
                        Failure::value(format!("`print` must be one of {names}, not {text}"))
                    })?);
            }
            _ => {
                let mut written = Written::default();
                written.set(name, &text_of(name, value)?)?;
                self.dpi = written.dpi;
            }
        }
        Ok(())
    }
}

/// Keywords that are neither of the table nor of a group of their own.
const OTHERS: [&str; 3] = ["preset", "scene", "threads"];

/// More threads than any machine has processors for.
const MOST_THREADS: usize = 1024;

impl Asked {
    /// What the arguments of a call ask for. `function` is its name; only a run has what belongs to one.
    pub(crate) fn new(
        function: &str,
        content: Option<&Bound<'_, PyAny>>,
        styles: &[Bound<'_, PyAny>],
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> Result<Self> {
        let mut asked = Self::default();
        for (name, value) in given(keywords)? {
            asked.set(function, &name, &value)?;
        }
        let content = content.filter(|content| !content.is_none());
        asked.sources.content =
            content.map(|content| Given::picture("the content picture", content)).transpose()?;
        for (number, style) in styles.iter().enumerate() {
            let what = if styles.len() == 1 {
                "the style picture".to_owned()
            } else {
                format!("painting {}", number + 1)
            };
            asked.sources.styles.push(Given::picture(&what, style)?);
        }
        asked.read_scene()?;
        Ok(asked)
    }

    fn set(&mut self, function: &str, name: &str, value: &Bound<'_, PyAny>) -> Result<()> {
        let dashed = name.replace('_', "-");
        let row = OPTIONS.iter().find(|row| row.name == option_name(&dashed));
        match name {
            "init" if !is_path(value)? => self.start = Some(picture_of(value, "`init`")?),
            "preset" => self.choices.set(name, &text_of(name, value)?)?,
            "scene" => self.scene = Some(path_of(name, value)?),
            "threads" => self.threads = Some(parse_threads(&text_of(name, value)?)?),
            name if Sources::NAMES.contains(&name) => self.sources.set(name, value)?,
            name if NetworkChoice::NAMES.contains(&name) => self.network.set(name, value)?,
            name if is_of_runs(function) && RunAsked::NAMES.contains(&name) => self.run.set(name, value)?,
            _ if row.is_some() && !name.contains('-') => self.choices.set(&dashed, &text_of(name, value)?)?,
            _ => return Err(unknown(function, name)),
        }
        Ok(())
    }

    /// Takes from a scene what was not given.
    fn read_scene(&mut self) -> Result<()> {
        let Some(path) = self.scene.take() else { return Ok(()) };
        let scene = Record::read_scene(&path)?;
        // A scene makes sense by itself.
        scene.transfer_options()?;
        let mut choices = scene.choices()?;
        if self.choices.has("preset") {
            choices = choices.only(|name| !is_of_presets(name));
        }
        self.choices = std::mem::take(&mut self.choices).or(&choices);
        self.network = std::mem::take(&mut self.network).or(&scene)?;
        self.sources = std::mem::take(&mut self.sources).or(Sources::of(&scene));
        Ok(())
    }

    /// The options, checked, without a start in memory. Their limit of memory is what is free, unless it was given.
    pub(crate) fn options(&self) -> Result<TransferOptions> {
        let mut choices = self.choices.clone();
        if let Some(paper) = self.run.print {
            if choices.has("size") {
                return Err(Failure::value(
                    "`print` and `size` both say how large the picture is: give one of them",
                ));
            }
            choices.set("size", &Sheet { paper, dpi: self.run.dpi.unwrap_or(300) }.to_string())?;
        }
        let mut otherwise = Choices::default();
        if let Some(free) = available_memory() {
            otherwise.set("memory-limit", &format!("{}M", free >> 20))?;
        }
        let options = choices.or(&otherwise).options()?;
        options.check_smallest()?;
        Ok(options)
    }

    /// Pixels to the inch, where something says them.
    pub(crate) fn dpi(&self) -> Option<u16> {
        self.run.dpi.or(self.run.print.map(|_| 300))
    }

    /// What was given that a run which goes on cannot be given: it keeps whatever decides pixels, but the iterations.
    pub(crate) fn fixed(&self) -> Option<String> {
        let is_fixed = |name: &str| {
            name != "iterations" && OPTIONS.iter().all(|row| row.name != name || row.decides_pixels())
        };
        let print = self.run.print.map(|_| "print");
        let start = self.start.as_ref().map(|_| "init");
        let given = self.choices.names().find(|name| is_fixed(name));
        given.or(print).or(start).map(|name| name.replace('-', "_"))
    }
}

fn is_of_runs(function: &str) -> bool {
    function == "transfer"
}

/// Whether presets differ in an option: one that is given counts more there than what a scene says.
fn is_of_presets(name: &str) -> bool {
    let row = OPTIONS.iter().find(|row| row.name == name);
    let values = |row: &OptionRow| Preset::ALL.map(|(preset, _)| row.get(&preset.options()));
    row.is_some_and(|row| values(row).windows(2).any(|pair| pair[0] != pair[1]))
}

pub(crate) fn parse_threads(text: &str) -> Result<usize> {
    let threads = text.parse().ok().filter(|threads| (1..=MOST_THREADS).contains(threads));
    threads.ok_or_else(|| Failure::value(format!("`threads` must be from 1 to {MOST_THREADS}, not {text}")))
}

/// The names of all keywords of a function that come from tables.
fn names(function: &str) -> Vec<String> {
    let run: &[&str] = if is_of_runs(function) { &RunAsked::NAMES } else { &[] };
    let table = OPTIONS.iter().map(|row| row.name).chain(SYNONYMS.map(|(name, _)| name));
    let others =
        OTHERS.into_iter().chain(Sources::NAMES).chain(NetworkChoice::NAMES).chain(run.iter().copied());
    table.chain(others).map(|name| name.replace('-', "_")).collect()
}

/// There is no such keyword.
fn unknown(function: &str, name: &str) -> Failure {
    if Written::NAMES.contains(&name) || name == "no_metadata" {
        return Failure::wrong_type(format!("{name} is an argument of Painting.save(), not of {function}()"));
    }
    if RunAsked::NAMES.contains(&name) {
        return Failure::wrong_type(format!("{name} is an argument of transfer(), not of {function}()"));
    }
    let names = names(function);
    let meant = did_you_mean(name, names.iter().map(String::as_str));
    Failure::wrong_type(format!("{function}() has no argument {name}{meant}"))
}

/// The names of the options that [`transfer`](crate::transfer::transfer) and [`Objective`](crate::objective::Objective) take as
/// keywords, with what each does.
#[pyfunction]
pub(crate) fn options() -> Vec<(String, String)> {
    OPTIONS.iter().map(|row| (row.name.replace('-', "_"), row.help.to_owned())).collect()
}
