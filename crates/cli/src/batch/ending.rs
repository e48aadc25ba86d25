//! How a batch ends: the report, what is said, the exit code.

use std::sync::Mutex;

use impasto_batch::{Entry, JobFile, Outcome, Queue, State, StateError, Status, report};
use impasto_files::write_atomically;

use super::display::Display;
use super::jobs::Planned;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::sources::counted;

/// A batch that has ended.
pub(super) struct Over<'a> {
    pub(super) planned: &'a [Planned],
    pub(super) bad: &'a [String],
    /// Jobs and rows of other shards.
    pub(super) elsewhere: &'a (Vec<Planned>, Vec<String>),
    pub(super) queue: &'a Queue<'a>,
    pub(super) state: &'a State,
    pub(super) interrupt: &'a Interrupt,
    /// Why the folder of state does not serve, if so.
    pub(super) broken: Mutex<Option<StateError>>,
}

/// Writes the report, and says how all has ended.
pub(super) fn conclude(over: &Over<'_>, display: &Display<'_>) -> Result<(), Failure> {
    let outcomes = over.queue.outcomes();
    let path = over.state.report();
    let page = report(&entries(over, &outcomes));
    let written = write_atomically(&path, |out| out.write_all(page.as_bytes()));
    let count = |is: fn(&Outcome) -> bool| outcomes.iter().flatten().filter(|outcome| is(outcome)).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let painted = count(|outcome| *outcome == Outcome::Painted);
    let there = outcomes.iter().flatten().count() - failed;
    let left = outcomes.len() - there - failed;
    let all = over.planned.len() + over.bad.len();
    let report = match &written {
        Ok(()) => format!("; {}", path.display()),
        Err(error) => format!("; no report: {error}"),
    };
    let done = format!("{there} of {all} pictures are there, {painted} of them painted now");
    if let Some(error) = over.broken.lock().ok().and_then(|mut broken| broken.take()) {
        return Err(Failure::failed(format!("{error}; {done}")));
    }
    if left > 0 {
        let on = format!("{done}; the same command goes on{report}");
        return Err(match over.interrupt.cause() {
            Some(cause) => Failure::stopped(cause, format!("stopped by {cause}: {on}")),
            None => Failure::failed(format!("{} left: {on}", counted(left, "job"))),
        });
    }
    let failed = failed + over.bad.len();
    if failed > 0 {
        list_failures(over, &outcomes, display);
        let them = if failed == 1 { "it" } else { "them" };
        let failed = counted(failed, "job");
        return Err(Failure::failed(format!(
            "{failed} failed: {done}; the same command tries {them} again{report}"
        )));
    }
    if written.is_err() {
        return Err(Failure::failed(format!("{done}{report}")));
    }
    display.say(&format!("Wrote {}: {done}{report}", counted(painted, "picture")));
    Ok(())
}

/// A line for each job that has failed, and for each row that makes no sense.
fn list_failures(over: &Over<'_>, outcomes: &[Option<Outcome>], display: &Display<'_>) {
    for (planned, outcome) in over.planned.iter().zip(outcomes) {
        if let Some(Outcome::Failed(failure)) = outcome {
            display.insist(&format!("Failed: {}: {failure}", planned.name));
        }
    }
    for line in over.bad {
        display.insist(&format!("Failed: {line}"));
    }
}

/// The jobs on the report, those of all shards, and the rows that make no sense.
fn entries(over: &Over<'_>, outcomes: &[Option<Outcome>]) -> Vec<Entry> {
    let bad = |line: &String| {
        let (row, failure) = line.split_once(": ").unwrap_or((line, ""));
        let (output, failure) = (row.to_owned(), Some(failure.to_owned()));
        Entry { output, made_of: Vec::new(), stands: "failed", failure, figures: None, strip: None }
    };
    let (jobs, rows) = over.elsewhere;
    let elsewhere = jobs.iter().map(|planned| {
        let file = over.state.job(&planned.asked.name).filter(|file| file.asked == planned.asked.asked);
        let outcome = file.as_ref().and_then(|file| match file.status {
            Status::Done => Some(Outcome::Elsewhere),
            Status::Failed => Some(Outcome::Failed(file.failure.clone().unwrap_or_default())),
            Status::Interrupted => None,
        });
        entry(planned, outcome.as_ref(), file, over.state)
    });
    let ours = over.planned.iter().zip(outcomes).map(|(planned, outcome)| {
        entry(planned, outcome.as_ref(), over.state.job(&planned.asked.name), over.state)
    });
    ours.chain(elsewhere).chain(over.bad.iter().chain(rows).map(bad)).collect()
}

fn entry(planned: &Planned, outcome: Option<&Outcome>, file: Option<JobFile>, state: &State) -> Entry {
    let (name, sources) = (&planned.asked.name, &planned.job.sources);
    let figures = file.filter(|file| file.status == Status::Done).and_then(|file| file.figures);
    let (stands, failure) = match outcome {
        Some(Outcome::Failed(failure)) => ("failed", Some(failure.clone())),
        Some(_) => ("done", None),
        None => ("not done yet", None),
    };
    let (photo, paintings) = sources.names();
    let made_of = std::iter::once(photo).chain(paintings.iter().map(|path| &**path));
    Entry {
        output: planned.name.clone(),
        made_of: made_of.map(|path| path.display().to_string()).collect(),
        stands,
        failure,
        figures,
        strip: Some(state.strip(name)).filter(|path| path.exists()),
    }
}
