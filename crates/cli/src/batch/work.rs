//! All of a batch at once: one thread that reads ahead, some that paint, one that keeps claims alive, and this one, which tells.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use impasto_batch::{Asked, Holder, Outcome, Queue, State, StateError, Turn};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::Arguments;
use super::display::{Display, Teller, Told, What};
use super::ending::{Over, conclude};
use super::estimate::{check_disk, memory_limit, painters};
use super::jobs::{Jobs, Planned, place_of};
use super::material::Material;
use super::painter::{Ended, Workshop};
use super::reader::Ready;
use super::shares::{Fewer, Share, Shares};
use crate::failure::Failure;
use crate::inputs::Inputs;
use crate::interrupt::Interrupt;
use crate::log::Log;
use crate::sources::counted;
use crate::streams::divert;

/// How often claims are touched.
const TOUCH: Duration = Duration::from_secs(10);

/// A job whose turn it is, read ahead if there was the memory.
struct Next {
    turn: Turn,
    ready: Option<Box<Ready>>,
}

/// What all threads of a batch have in common.
#[derive(Clone, Copy)]
struct Shop<'a> {
    planned: &'a [Planned],
    queue: &'a Queue<'a>,
    shares: &'a Shares,
    workshop: Workshop<'a>,
    /// Held by who reads ahead, and by who needs all of the memory.
    room: &'a Mutex<()>,
    /// Why the folder of state does not serve, if so.
    broken: &'a Mutex<Option<StateError>>,
    is_verbose: bool,
}

pub(super) fn run(jobs: Jobs, arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let Jobs { planned, bad, elsewhere, state: folder } = jobs;
    let limit = memory_limit(arguments)?;
    let mut log = open_log(arguments, &planned)?;
    let state = State::open(&folder).map_err(Failure::failed)?;
    let material = Material::new(interrupt.cancel().clone());
    let asked: Vec<Asked> = planned.iter().map(|planned| planned.asked.clone()).collect();
    let queue = Queue::new(&state, &material.stamps, asked, arguments.retries);
    let pending: Vec<usize> = pending(&queue);
    check_disk(&planned, &pending, &state)?;
    let painters = painters(arguments, &planned, &pending);
    let mut display = Display::new(arguments.volume, &planned, &pending);
    for line in &bad {
        display.say(&format!("Error: {line}"));
    }
    display.say(&first_line(&planned, &pending, painters, &state));
    arguments.time_limit.map(|limit| interrupt.stop_in(limit)).transpose()?;
    interrupt.keep();
    let shares = Shares::new(limit, rayon::current_num_threads(), painters);
    let workshop = Workshop { material: &material, state: &state, interrupt, logs: log.is_some() };
    let (room, broken) = (Mutex::new(()), Mutex::new(None));
    let is_verbose = arguments.volume.verbose;
    let shop = Shop {
        planned: &planned,
        queue: &queue,
        shares: &shares,
        workshop,
        room: &room,
        broken: &broken,
        is_verbose,
    };
    let mut idle = Idle::default();
    thread::scope(|scope| {
        let (to, heard) = channel();
        let (over, alive) = channel::<()>();
        let state = &state;
        scope.spawn(move || keep_claims(state, &alive));
        let (next, taken) = sync_channel(0);
        let teller = Teller { job: 0, to: to.clone(), is_verbose };
        scope.spawn(move || shop.read_ahead(&next, &teller));
        let taken = Arc::new(Mutex::new(taken));
        for _ in 0..painters {
            let (taken, to) = (Arc::clone(&taken), to.clone());
            scope.spawn(move || shop.paint_all(&taken, &to));
        }
        drop((taken, to));
        tell_all(heard, &mut display, &mut log, &mut idle);
        drop(over);
    });
    display.finish();
    idle.warn(arguments, &display);
    conclude(
        &Over {
            planned: &planned,
            bad: &bad,
            elsewhere: &elsewhere,
            queue: &queue,
            state: &state,
            interrupt,
            broken,
        },
        &display,
    )
}

/// Jobs that are neither done nor failed.
fn pending(queue: &Queue<'_>) -> Vec<usize> {
    let outcomes = queue.outcomes();
    (0..outcomes.len()).filter(|&job| outcomes[job].is_none()).collect()
}

fn first_line(planned: &[Planned], pending: &[usize], painters: usize, state: &State) -> String {
    let there = planned.len() - pending.len();
    let there = if there > 0 { format!(", {there} of them there already") } else { String::new() };
    let at_once = if painters > 1 { format!(", {painters} at once") } else { String::new() };
    format!(
        "{}{there}{at_once}; the state is in {}",
        counted(planned.len(), "picture"),
        state.folder().display()
    )
}

/// The log, which is no file that a job reads or writes.
fn open_log(arguments: &Arguments, planned: &[Planned]) -> Result<Option<Log>, Failure> {
    let Some(path) = &arguments.log else { return Ok(None) };
    let place = place_of(path).map_err(Failure::failed)?;
    for Planned { name, job, asked, .. } in planned {
        if asked.output == place {
            return Err(Failure::wrong_use(format!(
                "--log and the picture {name} are one file: give each its own"
            )));
        }
        Inputs::new(&job.sources.files(), &job.options.init, &job.network).keep_apart(&[("--log", path)])?;
    }
    let mut log = Log::new(path)?;
    log.append()?;
    Ok(Some(log))
}

/// Touches claims until nothing is at work any more.
fn keep_claims(state: &State, over: &Receiver<()>) {
    while over.recv_timeout(TOUCH) == Err(RecvTimeoutError::Timeout) {
        // What cannot be touched now is touched in time: a claim holds for two minutes.
        let _ = state.touch();
    }
}

/// Tells of what happens until all is over.
fn tell_all(heard: Receiver<Told>, display: &mut Display<'_>, log: &mut Option<Log>, idle: &mut Idle) {
    for mut told in heard {
        if let What::Step { log: line, .. } = &mut told.what
            && let (Some(line), Some(open)) = (line.take(), log.as_mut())
            && let Err(failure) = open.write_line(&line)
        {
            display.say(&format!("Warning: {failure}; painting goes on without the log"));
            *log = None;
        }
        if let What::Read { idle: options } = &told.what {
            idle.add(options);
            continue;
        }
        display.show(told);
    }
}

impl Shop<'_> {
    fn is_stopped(self) -> bool {
        self.workshop.interrupt.flow().is_break() || self.broken.lock().is_ok_and(|broken| broken.is_some())
    }

    /// The folder of state does not serve: what is at work ends by itself, nothing more begins.
    fn breaks<T>(self, done: Result<T, StateError>) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(error) => {
                if let Ok(mut broken) = self.broken.lock() {
                    broken.get_or_insert(error);
                }
                None
            }
        }
    }

    /// Reads one job after the other, each when the one before was taken.
    fn read_ahead(self, next: &SyncSender<Next>, teller: &Teller) {
        // What reading does in parallel is done by this thread: the others are for painting.
        let Ok(pool) = ThreadPoolBuilder::new().num_threads(1).build() else { return };
        let mut waited: Option<Holder> = None;
        loop {
            let over = |job: usize, outcome: &Outcome| {
                let teller = Teller { job, ..teller.clone() };
                teller.tell(match outcome {
                    Outcome::Failed(failure) => What::Failed { failure: failure.clone(), again: false },
                    Outcome::Kept | Outcome::Elsewhere | Outcome::Painted => What::There,
                });
            };
            let waits = |jobs: usize, holder: &Holder| {
                if waited.as_ref() != Some(holder) {
                    let Holder { host, process, .. } = holder;
                    let jobs = counted(jobs, "job");
                    teller
                        .line(format!("Waiting for {jobs}, one of them held by process {process} of {host}"));
                    waited = Some(holder.clone());
                }
            };
            let Some(Some(turn)) = self.breaks(self.queue.next(|| self.is_stopped(), over, waits)) else {
                return;
            };
            let teller = Teller { job: turn.job, ..teller.clone() };
            let read = {
                let _room = self.room.lock();
                pool.install(|| self.read(turn.job, self.shares.ahead(), &teller))
            };
            let ready = match read {
                Ok(ready) => Some(Box::new(ready)),
                // It is read when it is painted, with the memory that there is then.
                Err(failure) if failure.is_of_memory() => None,
                Err(failure) => {
                    self.fail(&turn, &failure, &teller);
                    continue;
                }
            };
            if let Err(back) = next.send(Next { turn, ready }) {
                self.breaks(self.queue.put_back(back.0.turn));
                return;
            }
        }
    }

    fn read(self, job: usize, limit: Option<u64>, teller: &Teller) -> Result<Ready, Failure> {
        let lines = teller.clone();
        divert(move |line| lines.line(line.to_owned()));
        let ready = Ready::read(&self.planned[job], self.workshop.material, limit)?;
        teller.tell(What::Read { idle: ready.idle.clone() });
        Ok(ready)
    }

    fn fail(self, turn: &Turn, failure: &Failure, teller: &Teller) {
        let failure = failure.to_string();
        if let Some(again) = self.breaks(self.queue.failed(turn, failure.clone())) {
            teller.tell(What::Failed { failure, again });
        }
    }

    /// Paints one job after the other, until there are none, or fewer are to paint.
    fn paint_all(self, taken: &Mutex<Receiver<Next>>, to: &Sender<Told>) {
        let mut pool: Option<(usize, ThreadPool)> = None;
        loop {
            let next = taken.lock().map(|taken| taken.recv());
            let Ok(Ok(Next { turn, mut ready })) = next else { return };
            let teller = Teller { job: turn.job, to: to.clone(), is_verbose: self.is_verbose };
            if !self.paint_one(turn, &mut ready, &mut pool, &teller) {
                return;
            }
        }
    }

    /// Paints a job with a share of the machine, or where that is too little with a larger one; returns whether this thread is to go on.
    fn paint_one(
        self,
        turn: Turn,
        ready: &mut Option<Box<Ready>>,
        pool: &mut Option<(usize, ThreadPool)>,
        teller: &Teller,
    ) -> bool {
        loop {
            let (count, share) = (self.shares.count(), self.shares.each());
            let failure = match self.paint(&turn, ready, share, pool, teller) {
                Err(failure) if failure.is_of_memory() => failure,
                painted => {
                    self.conclude(painted, turn, ready.take(), teller);
                    return true;
                }
            };
            match self.shares.fewer(count) {
                Some(Fewer::Already) => {}
                Some(Fewer::Now) => {
                    let (name, left) = (&self.planned[turn.job].name, self.shares.count());
                    teller.line(format!("{name}: {failure}; from now on {left} at once"));
                    teller.tell(What::Left);
                    self.breaks(self.queue.put_back(turn));
                    return false;
                }
                // Nothing else is at work, and nothing is read ahead meanwhile.
                None => {
                    let _room = self.room.lock();
                    let painted = self.paint(&turn, ready, self.shares.whole(), pool, teller);
                    self.conclude(painted, turn, ready.take(), teller);
                    return true;
                }
            }
        }
    }

    /// Paints a job with a share of the machine; reads it first, if it was not.
    fn paint(
        self,
        turn: &Turn,
        ready: &mut Option<Box<Ready>>,
        share: Share,
        pool: &mut Option<(usize, ThreadPool)>,
        teller: &Teller,
    ) -> Result<Ended, Failure> {
        let pool = match pool {
            Some((threads, pool)) if *threads == share.threads => pool,
            other => {
                let built = ThreadPoolBuilder::new().num_threads(share.threads).build();
                let built = built.map_err(|error| {
                    Failure::failed(format!("the system refuses to start threads: {error}"))
                })?;
                &mut other.insert((share.threads, built)).1
            }
        };
        let planned = &self.planned[turn.job];
        let ready = if let Some(ready) = ready {
            ready
        } else {
            let read = pool.install(|| self.read(turn.job, share.memory, teller))?;
            ready.insert(Box::new(read))
        };
        if self.workshop.is_there(planned, ready) {
            return Ok(Ended::There);
        }
        pool.install(|| self.workshop.paint(planned, ready, share.memory, teller))
    }

    /// What a job has come to.
    fn conclude(
        self,
        painted: Result<Ended, Failure>,
        turn: Turn,
        ready: Option<Box<Ready>>,
        teller: &Teller,
    ) {
        let inputs = ready.map(|ready| ready.inputs).unwrap_or_default();
        let (done, told) = match painted {
            Ok(Ended::Painted(figures)) => {
                (self.queue.done(&turn, inputs, figures.clone()), What::Painted(figures))
            }
            Ok(Ended::There) => (self.queue.found(&turn, inputs), What::There),
            Ok(Ended::Stopped) => {
                teller.tell(What::Left);
                self.breaks(self.queue.put_back(turn));
                return;
            }
            Err(failure) => return self.fail(&turn, &failure, teller),
        };
        if self.breaks(done).is_some() {
            teller.tell(told);
        }
    }
}

/// Options that had no effect on any job.
#[derive(Default)]
struct Idle {
    /// Those that had none on any so far; none before the first job.
    options: Option<Vec<String>>,
}

impl Idle {
    fn add(&mut self, options: &[String]) {
        match &mut self.options {
            None => self.options = Some(options.to_vec()),
            Some(known) => known.retain(|known| options.contains(known)),
        }
    }

    fn warn(self, arguments: &Arguments, display: &Display<'_>) {
        for option in self.options.unwrap_or_default() {
            let given =
                arguments.written.written().get(&option).is_some() || arguments.options.choices.has(&option);
            if given {
                display.say(&format!("Warning: --{option} had no effect on any picture"));
            }
        }
    }
}
