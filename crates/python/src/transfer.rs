//! `transfer`: a photo, paintings, one picture.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use impasto_style::{Cancel, Event, PreparedNetwork, Run, Said, transfer_with};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::array::warn;
use crate::asked::Asked;
use crate::error::{Failure, Result};
use crate::job::Job;
use crate::painting::Painting;
use crate::progress::{Progress, tell};
use crate::watched::{Limits, Words, attended, pool};

/// What the thread that paints says.
enum Word {
    Warning(String),
    Iteration(Progress),
}

/// Paints content in the style of the styles.
///
/// content: the photo, whose scene is kept: a path, an array H x W x 3 (R, G, B: uint8, or float32 from 0 to 255), H x W x 4 (with alpha),
/// H x W (grey), or a picture of PIL, which is taken as it is: give a path where orientation or colour profile matter. None with `scene`
/// or `resume`, which say it.
/// styles: the paintings, whose strokes and colours are taken.
/// on_iteration: a function of a `Progress` that is called after each accepted iteration. It ends the run by returning False; any other
/// answer goes on, None too. What it raises ends the run and comes out of this call.
/// progress: True shows a line of progress, by tqdm where that is installed.
///
/// All other options are those of `impasto transfer`, with `_` in place of `-`, as numbers, texts or lists; `options()` names those of
/// the table with what each does. Beside them:
/// preset: where the values of options that are not given come from, such as "paper".
/// mask: where in the photo each painting acts: a path or an array H x W (bool, uint8, or float32 from 0 to 1) for each, None for the
/// rest. style_mask: which part of each painting is taken. keep: where the photo stays what it is. content_mask: what the content
/// loss weighs where. regions: segmentations of the photo and of the one painting.
/// init: "content", "noise", "matched", "mean-noise", a path or an array.
/// weights: a file of VGG-16 or VGG-19, "vgg19", or a `Network`. preprocess: "torch", "caffe-bgr" or "caffe-rgb", if the file does not tell.
/// scene: a saved scene (`impasto transfer --print-scene`). print: paper such as "A4", at `dpi` or 300 pixels to the inch.
/// threads: by default one for each processor; the picture does not depend on it. memory_limit: bytes, or a text such as "4G".
/// time_limit: ends the run with the picture so far: seconds, a timedelta or a text such as "10m".
/// checkpoint: a file to keep the run in. checkpoint_every: the time between two. resume: a checkpoint to go on from; nothing else
/// need be given then.
///
/// The settings of the command line (its file of settings) count for the command line alone.
///
/// Returns a `Painting`. Ctrl-C raises KeyboardInterrupt within half a second; a run that is kept in a checkpoint writes it first.
/// Raises TypeError for an option that there is not, ValueError for a value that makes no sense, OSError for a file that cannot be read
/// or written, MemoryError if the memory does not suffice, TimeoutError if time_limit is over before there is a picture.
#[pyfunction]
#[pyo3(signature = (content=None, *styles, on_iteration=None, progress=None, **options))]
pub(crate) fn transfer(
    py: Python<'_>,
    content: Option<Bound<'_, PyAny>>,
    styles: Vec<Bound<'_, PyAny>>,
    on_iteration: Option<Bound<'_, PyAny>>,
    progress: Option<bool>,
    options: Option<&Bound<'_, PyDict>>,
) -> Result<Painting> {
    if on_iteration.as_ref().is_some_and(|function| !function.is_callable()) {
        return Err(Failure::wrong_type("on_iteration must be a function of a Progress"));
    }
    let asked = Asked::new("transfer", content.as_ref(), &styles, options)?;
    let display = progress.unwrap_or(false).then(|| py.import("impasto._progress")?.call_method0("show"));
    let display = display.transpose()?;
    let cancel = Cancel::default();
    let limits = Limits {
        cancel: cancel.clone(),
        time: asked.run.time_limit,
        keeps: asked.run.checkpoint.is_some() || asked.run.resume.is_some(),
    };
    let listens = on_iteration.is_some() || display.is_some();
    let work = move |words: &Words<Word, Painting>| {
        let pool = pool(asked.threads)?;
        pool.install(|| paint(asked, listens, &cancel, words))
    };
    let painting = attended(py, &limits, work, |py, word| match word {
        Word::Warning(warning) => warn(py, &warning),
        Word::Iteration(progress) => {
            let progress = Bound::new(py, progress)?;
            let step = display
                .as_ref()
                .map_or(Ok(()), |display| display.call_method1("step", (&progress,)).map(drop));
            let answer =
                step.and_then(|()| on_iteration.as_ref().map(|hear| hear.call1((&progress,))).transpose());
            // An exception keeps the progress alive: the thread that paints must not wait until that is forgotten.
            progress
                .get()
                .answer(answer.as_ref().map_or(ControlFlow::Break(()), |answer| flow(answer.as_ref())));
            Ok(answer.map(drop)?)
        }
    });
    if let Some(display) = &display {
        display.call_method0("close")?;
    }
    painting
}

/// False ends the run, and numpy's does too.
fn flow(answer: Option<&Bound<'_, PyAny>>) -> ControlFlow<()> {
    let is_of_numpy = |answer: &Bound<'_, PyAny>| {
        answer.get_type().name().is_ok_and(|name| name == "bool_" || name == "bool")
            && answer.hasattr("dtype").is_ok_and(|has| has)
    };
    let says_no = answer.is_some_and(|answer| {
        (answer.is_instance_of::<PyBool>() || is_of_numpy(answer))
            && answer.is_truthy().is_ok_and(|truth| !truth)
    });
    if says_no { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// The whole transfer, on the thread that paints.
fn paint(asked: Asked, listens: bool, cancel: &Cancel, words: &Words<Word, Painting>) -> Result<Painting> {
    let (dpi, path) = (asked.dpi(), asked.run.checkpoint.clone().or_else(|| asked.run.resume.clone()));
    let mut job = Job::read(asked)?;
    job.warnings.drain(..).for_each(|warning| words.say(Word::Warning(warning)));
    cancel.check()?;
    let record = job.record();
    let mut said = Said::new(job.provenance(&record), &job.options, job.checkpoint.is_some());
    let mut run = Run::default();
    if let Some(path) = &path {
        run.checkpoints = Some(job.checkpoints(path, record.clone()));
        run.resume = job.checkpoint.take().map(|checkpoint| checkpoint.fitting(&record)).transpose()?;
    }
    let photo = (job.name_of_photo(), job.profile);
    let network =
        PreparedNetwork::new(Arc::unwrap_or_clone(job.network), &job.options)?.with_cancel(cancel.clone());
    words.begin();
    let (started, mut counts) = (Instant::now(), (0, 0));
    let painted = transfer_with(&network, &job.subject, &job.options, run, |event| {
        match event {
            Event::Started(summary) => {
                counts = (summary.iterations, summary.scales.len());
                said.start(summary);
            }
            Event::Iteration(progress) if listens => {
                return tell(progress, counts, cancel, |progress| words.say(Word::Iteration(progress)));
            }
            Event::NoCheckpoint(error) => words.say(Word::Warning(format!("{error}; painting goes on"))),
            _ => {}
        }
        if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let (seconds, timed_out) = (started.elapsed().as_secs_f64(), cancel.is_cancelled());
    Ok(Painting { painted, said, seconds, timed_out, photo, dpi, image: OnceLock::new() })
}
