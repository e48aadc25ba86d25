//! Which job is next, and when all is over.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::state::now;
use crate::{Claim, Figures, Holder, JobFile, Stamp, Stamps, State, StateError, Status};

/// How often is looked whether others have done what is left.
const LOOK: Duration = Duration::from_millis(500);

/// What a job is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its name in the state: [`State::name_of`] its output.
    pub name: String,
    /// The absolute path of its picture.
    pub output: PathBuf,
    /// All that decides the picture beside the files: the program, options, how it is written.
    pub asked: Value,
    /// The files that it is made of.
    pub files: Vec<PathBuf>,
}

/// How a job ended, for this call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was done before.
    Kept,
    /// It was done by another process meanwhile.
    Elsewhere,
    /// It was done here.
    Painted,
    /// It failed, here or elsewhere, with that sentence.
    Failed(String),
}

/// A job to work at, whose claim is held.
#[derive(Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its index among the jobs.
    pub job: usize,
    /// How often it was tried in this call.
    tries: u32,
    /// How often it had failed before this call.
    failures_before: u32,
}

/// The jobs of a call. All methods may be called from any thread.
#[derive(Debug)]
pub struct Queue<'a> {
    state: &'a State,
    stamps: &'a Stamps,
    jobs: Vec<Asked>,
    /// How often a job that failed is tried again in this call.
    retries: u32,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    pending: VecDeque<Turn>,
    /// Turns that are not pending: looked at, or worked at.
    out: usize,
    outcomes: Vec<Option<Outcome>>,
}

impl<'a> Queue<'a> {
    /// The queue of some jobs, without those that are done already. Whose process was gone most often comes last: should it be the job that ends
    /// processes, others are done before.
    pub fn new(state: &'a State, stamps: &'a Stamps, jobs: Vec<Asked>, retries: u32) -> Self {
        let mut outcomes = vec![None; jobs.len()];
        let mut pending = Vec::new();
        for (index, job) in jobs.iter().enumerate() {
            let known = state.job(&job.name);
            if known.as_ref().is_some_and(|known| is_done(known, job, stamps)) {
                outcomes[index] = Some(Outcome::Kept);
                continue;
            }
            let (deaths, failures_before) = known.map_or((0, 0), |known| (known.deaths, known.failures));
            pending.push((deaths, Turn { job: index, tries: 0, failures_before }));
        }
        pending.sort_by_key(|(deaths, turn)| (*deaths, turn.job));
        let pending = pending.into_iter().map(|(_, turn)| turn).collect();
        let inner = Mutex::new(Inner { pending, out: 0, outcomes });
        Self { state, stamps, jobs, retries, inner, changed: Condvar::new() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The jobs.
    pub fn jobs(&self) -> &[Asked] {
        &self.jobs
    }

    /// How each job has ended; none of those that have not.
    pub fn outcomes(&self) -> Vec<Option<Outcome>> {
        self.inner().outcomes.clone()
    }

    /// The next job, claimed. Waits while others work at all that is left; none when everything is done or failed, or `stop` says so. What
    /// others have ended is told to `heard`, and before it waits, who works at one of what is left to `waits`.
    ///
    /// # Errors
    /// [`StateError`] if the folder of state does not serve.
    pub fn next(
        &self,
        stop: impl Fn() -> bool,
        mut heard: impl FnMut(usize, &Outcome),
        mut waits: impl FnMut(usize, &Holder),
    ) -> Result<Option<Turn>, StateError> {
        loop {
            if stop() {
                return Ok(None);
            }
            let (mut holds, looks) = (None, self.inner().pending.len());
            for _ in 0..looks {
                let Some(turn) = self.take_out() else { break };
                let job = turn.job;
                // Files are looked at while others may come back from their work.
                match self.claimed(&turn)? {
                    Seen::Ours => return Ok(Some(turn)),
                    Seen::Over(outcome) => {
                        heard(job, &outcome);
                        self.end(job, outcome);
                    }
                    Seen::Held(holder) => {
                        self.come_back(|inner| inner.pending.push_back(turn));
                        holds = Some(holder);
                    }
                }
            }
            let inner = self.inner();
            if inner.pending.is_empty() && inner.out == 0 {
                return Ok(None);
            }
            if let Some(holder) = holds.filter(|_| inner.out == 0) {
                waits(inner.pending.len(), &holder);
            }
            drop(self.changed.wait_timeout(inner, LOOK));
        }
    }

    /// The next turn that is pending.
    fn take_out(&self) -> Option<Turn> {
        let mut inner = self.inner();
        let turn = inner.pending.pop_front()?;
        inner.out += 1;
        Some(turn)
    }

    /// A turn is out no more.
    fn come_back(&self, then: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner();
        inner.out -= 1;
        then(&mut inner);
        drop(inner);
        self.changed.notify_all();
    }

    /// Whether the job of a turn is ours to work at.
    fn claimed(&self, turn: &Turn) -> Result<Seen, StateError> {
        let job = &self.jobs[turn.job];
        let abandoned = match self.state.take(&job.name)? {
            Claim::Ours { abandoned } => abandoned,
            Claim::Held(holder) => return Ok(Seen::Held(holder)),
        };
        let known = self.state.job(&job.name);
        let over = known.as_ref().and_then(|known| self.over(turn, known));
        if let Some(over) = over {
            self.state.give_back(&job.name)?;
            return Ok(Seen::Over(over));
        }
        if abandoned {
            let deaths = known.as_ref().map_or(0, |known| known.deaths) + 1;
            self.state.write_job(
                &job.name,
                &JobFile { deaths, ..self.file(job, known.as_ref(), Status::Interrupted) },
            )?;
        }
        Ok(Seen::Ours)
    }

    /// What others have made of a job meanwhile, if that ends it.
    fn over(&self, turn: &Turn, known: &JobFile) -> Option<Outcome> {
        let job = &self.jobs[turn.job];
        if is_done(known, job, self.stamps) {
            return Some(Outcome::Elsewhere);
        }
        // What had failed before this call, or failed in it here, is tried again.
        let has_failed = known.status == Status::Failed && known.asked == job.asked;
        let elsewhere = known.failures.saturating_sub(turn.failures_before) > turn.tries;
        let failure = known.failure.clone().unwrap_or_default();
        (has_failed && elsewhere).then_some(Outcome::Failed(failure))
    }

    fn file(&self, job: &Asked, known: Option<&JobFile>, status: Status) -> JobFile {
        JobFile {
            status,
            output: job.output.to_string_lossy().into_owned(),
            failure: None,
            failures: known.map_or(0, |known| known.failures),
            deaths: known.map_or(0, |known| known.deaths),
            asked: job.asked.clone(),
            inputs: Vec::new(),
            picture: None,
            figures: None,
            by: self.state.us().clone(),
            at: now(),
        }
    }

    /// A job is done: its picture is written, of inputs as they were.
    ///
    /// # Errors
    /// [`StateError`] if the folder of state does not serve.
    pub fn done(&self, turn: &Turn, inputs: Vec<Stamp>, figures: Figures) -> Result<(), StateError> {
        self.end_done(turn, (inputs, Some(figures)), Outcome::Painted)
    }

    /// A job was done before, although nothing said so.
    ///
    /// # Errors
    /// [`StateError`] if the folder of state does not serve.
    pub fn found(&self, turn: &Turn, inputs: Vec<Stamp>) -> Result<(), StateError> {
        self.end_done(turn, (inputs, None), Outcome::Kept)
    }

    fn end_done(
        &self,
        turn: &Turn,
        (inputs, figures): (Vec<Stamp>, Option<Figures>),
        outcome: Outcome,
    ) -> Result<(), StateError> {
        let job = &self.jobs[turn.job];
        let picture = self.stamps.of(&job.output).ok();
        let file = self.file(job, self.state.job(&job.name).as_ref(), Status::Done);
        self.state.write_job(&job.name, &JobFile { inputs, picture, figures, ..file })?;
        self.end(turn.job, outcome);
        self.state.give_back(&job.name)
    }

    /// A job has failed; returns whether it is tried again.
    ///
    /// # Errors
    /// [`StateError`] if the folder of state does not serve.
    pub fn failed(&self, turn: &Turn, failure: String) -> Result<bool, StateError> {
        let job = &self.jobs[turn.job];
        let file = self.file(job, self.state.job(&job.name).as_ref(), Status::Failed);
        let failures = file.failures + 1;
        self.state.write_job(&job.name, &JobFile { failures, failure: Some(failure.clone()), ..file })?;
        self.state.give_back(&job.name)?;
        let again = turn.tries < self.retries;
        if again {
            self.come_back(|inner| inner.pending.push_back(Turn { tries: turn.tries + 1, ..*turn }));
        } else {
            self.end(turn.job, Outcome::Failed(failure));
        }
        Ok(again)
    }

    /// A job was not ended: it is left to whoever comes, or to this call later.
    ///
    /// # Errors
    /// [`StateError`] if the folder of state does not serve.
    pub fn put_back(&self, turn: Turn) -> Result<(), StateError> {
        self.state.give_back(&self.jobs[turn.job].name)?;
        self.come_back(|inner| inner.pending.push_front(turn));
        Ok(())
    }

    fn end(&self, job: usize, outcome: Outcome) {
        self.come_back(|inner| inner.outcomes[job] = Some(outcome));
    }
}

/// What a look at a job has shown.
enum Seen {
    Ours,
    Over(Outcome),
    Held(Holder),
}

/// Whether a job is done as it is asked for now: of the same, and neither its files nor its picture have changed.
fn is_done(known: &JobFile, job: &Asked, stamps: &Stamps) -> bool {
    let same_inputs = known.inputs.len() == job.files.len()
        && job.files.iter().zip(&known.inputs).all(|(path, stamp)| stamps.is_same(path, stamp));
    known.status == Status::Done
        && known.asked == job.asked
        && same_inputs
        && known.picture.as_ref().is_some_and(|picture| stamps.is_same(&job.output, picture))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn asked(folder: &Path, number: usize) -> Asked {
        let (input, output) = (folder.join(format!("in{number}")), folder.join(format!("out{number}.png")));
        if !input.exists() {
            fs::write(&input, format!("input {number}")).unwrap();
        }
        Asked { name: State::name_of(&output), output, asked: Value::from(number), files: vec![input] }
    }

    fn jobs(folder: &Path) -> Vec<Asked> {
        (0..3).map(|number| asked(folder, number)).collect()
    }

    /// Works at all that is left; returns which jobs were worked at.
    fn work(
        state: &State,
        jobs: Vec<Asked>,
        retries: u32,
        mut paint: impl FnMut(usize) -> Result<(), String>,
    ) -> (Vec<usize>, Vec<Outcome>) {
        let stamps = Stamps::default();
        let queue = Queue::new(state, &stamps, jobs, retries);
        let mut worked = Vec::new();
        while let Some(turn) = queue.next(|| false, |_, _| {}, |_, _| {}).unwrap() {
            worked.push(turn.job);
            let job = &queue.jobs()[turn.job];
            match paint(turn.job) {
                Ok(()) => {
                    fs::write(&job.output, "picture").unwrap();
                    let inputs = job.files.iter().map(|path| stamps.of(path).unwrap()).collect();
                    queue.done(&turn, inputs, Figures::default()).unwrap();
                }
                Err(failure) => drop(queue.failed(&turn, failure).unwrap()),
            }
        }
        let outcomes = queue.outcomes().into_iter().map(Option::unwrap).collect();
        (worked, outcomes)
    }

    #[test]
    fn a_job_is_done_once_until_something_of_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state")).unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut jobs = jobs(folder.path());
        let run = |jobs: &[Asked]| work(&state, jobs.to_vec(), 0, |_| Ok(())).0;
        assert_eq!(run(&jobs), [0, 1, 2]);
        assert_eq!(run(&jobs), [0; 0]);
        fs::write(path("in1"), "other 1").unwrap();
        assert_eq!(run(&jobs), [1], "an input");
        fs::write(path("out2.png"), "p").unwrap();
        assert_eq!(run(&jobs), [2], "the picture");
        fs::remove_file(path("out0.png")).unwrap();
        assert_eq!(run(&jobs), [0], "no picture");
        jobs[1].asked = Value::from("other options");
        assert_eq!(run(&jobs), [1], "the options");
        fs::write(path("in0"), "input 0").unwrap();
        assert_eq!(run(&jobs), [0; 0], "the same bytes, written later");
        fs::write(state.job_path(&jobs[2].name), "{").unwrap();
        assert_eq!(run(&jobs), [2], "a file that is no job's");
    }

    #[test]
    fn what_failed_is_tried_again_here_and_by_the_next_call() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state")).unwrap();
        let fail = |job: usize| if job == 1 { Err("it is broken".to_owned()) } else { Ok(()) };
        let (worked, outcomes) = work(&state, jobs(folder.path()), 2, fail);
        assert_eq!(worked, [0, 1, 2, 1, 1]);
        assert_eq!(outcomes, [Outcome::Painted, Outcome::Failed("it is broken".into()), Outcome::Painted]);
        assert_eq!(work(&state, jobs(folder.path()), 0, fail).0, [1]);
        assert_eq!(state.job(&jobs(folder.path())[1].name).unwrap().failures, 4);
        assert_eq!(
            work(&state, jobs(folder.path()), 0, |_| Ok(())).1,
            [Outcome::Kept, Outcome::Painted, Outcome::Kept]
        );
    }

    #[test]
    fn a_call_waits_for_what_others_hold_and_takes_their_word() {
        let folder = tempfile::tempdir().unwrap();
        let (state, stamps) = (State::open(&folder.path().join("state")).unwrap(), Stamps::default());
        let [mine, yours] = [0, 1].map(|_| Queue::new(&state, &stamps, jobs(folder.path()), 0));
        let held: Vec<Turn> =
            (0..3).map(|_| yours.next(|| false, |_, _| {}, |_, _| {}).unwrap().unwrap()).collect();
        let outcomes = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let turn = mine.next(|| false, |_, _| {}, |_, _| {}).unwrap().expect("one was put back");
                assert_eq!(turn.job, 2);
                mine.failed(&turn, "no".into()).unwrap();
                assert_eq!(mine.next(|| false, |_, _| {}, |_, _| {}).unwrap(), None);
                mine.outcomes()
            });
            for turn in held {
                let job = &yours.jobs()[turn.job];
                fs::write(&job.output, "picture").unwrap();
                match turn.job {
                    0 => yours
                        .done(&turn, vec![stamps.of(&job.files[0]).unwrap()], Figures::default())
                        .unwrap(),
                    1 => drop(yours.failed(&turn, "broken".into()).unwrap()),
                    _ => yours.put_back(turn).unwrap(),
                }
            }
            waiting.join().unwrap()
        });
        let failed = |why: &str| Some(Outcome::Failed(why.into()));
        assert_eq!(outcomes, [Some(Outcome::Elsewhere), failed("broken"), failed("no")]);
    }

    #[test]
    fn who_is_told_to_stop_does_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let (state, stamps) = (State::open(&folder.path().join("state")).unwrap(), Stamps::default());
        let queue = Queue::new(&state, &stamps, jobs(folder.path()), 0);
        assert_eq!(queue.next(|| true, |_, _| {}, |_, _| {}).unwrap(), None);
        assert_eq!(queue.outcomes(), [const { None }; 3]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_job_whose_processes_die_comes_last() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state")).unwrap();
        let jobs = jobs(folder.path());
        let dead = crate::Holder { started: 1, ..crate::Holder::this() };
        let claim = state.folder().join(format!("claims/{}.json", jobs[0].name));
        fs::write(claim, serde_json::to_vec(&dead).unwrap()).unwrap();
        let stamps = Stamps::default();
        let queue = Queue::new(&state, &stamps, jobs.clone(), 0);
        let turn = queue.next(|| false, |_, _| {}, |_, _| {}).unwrap().unwrap();
        assert_eq!(turn.job, 0);
        let file = state.job(&jobs[0].name).unwrap();
        assert_eq!((file.status, file.deaths), (Status::Interrupted, 1));
        queue.put_back(turn).unwrap();
        assert_eq!(work(&state, jobs, 0, |_| Ok(())).0, [1, 2, 0]);
    }
}
