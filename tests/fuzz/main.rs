//! Whatever the bytes of a picture, of weights or of a checkpoint: its reader gives a value or an error of one line, without a
//! panic, an abort, a hang or more memory than it may take. A short run is a test; a long one is `make fuzz`, which is
//!
//!     IMPASTO_FUZZ_SECONDS=3600 cargo test -p impasto-tests --test fuzz -- --ignored --exact long_run --nocapture
//!
//! `IMPASTO_FUZZ_SEED` repeats a run, `IMPASTO_FUZZ_FILES=.png,.tif` chooses files whose names contain one of those.
//!
//! The files are read in copies of this test, workers, one after the other without starting anything between them. A worker notes
//! the number of the file that it is about to read. Where it ends or hangs, this process makes that file again from the seed and
//! the number, keeps it in `target/tmp/fuzz`, and starts another worker behind it.

mod checkpoints;
mod kinds;
mod mutation;
mod pictures;

use std::alloc::System;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cap::Cap;
use kinds::{KINDS, Kind};
use mutation::{below, generator, mutate};
use rand_core::Rng;

/// Counts, and ends a worker that asks for so much at once that the machine would suffer.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, 2 << 30);

/// A worker that reads one file for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a worker is to do, in its environment.
const TASK: &str = "IMPASTO_FUZZ_TASK";

/// The sound files of a kind, those that `IMPASTO_FUZZ_FILES` chooses.
fn sound_files(kind: &Kind) -> Vec<(String, Vec<u8>)> {
    let parts = std::env::var("IMPASTO_FUZZ_FILES").unwrap_or_default();
    let mut files = (kind.files)();
    files.retain(|(name, _)| parts.split(',').any(|part| name.contains(part)));
    files
}

/// The file of that number: the name of the sound one, and the bytes. The first ones are sound.
fn broken_file(kind: &Kind, files: &[(String, Vec<u8>)], seed: u64, number: u64) -> (String, Vec<u8>) {
    let (name, bytes) = &files[number as usize % files.len()];
    let mut bytes = bytes.clone();
    if number >= files.len() as u64 {
        let mut random = generator(seed, number);
        mutate(&mut bytes, &mut random);
        if below(2, &mut random) == 0 {
            (kind.mend)(&mut bytes);
        }
    }
    (name.clone(), bytes)
}

/// Where workers leave numbers, and broken files are kept.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    fs::create_dir_all(&folder).expect("a folder in the build folder");
    folder
}

/// Reads file after file of a kind: `KIND SEED FIRST END NOTE`. It fails as soon as a rule is broken.
#[test]
#[ignore = "is run by the others"]
fn worker() {
    let task = std::env::var(TASK).expect("a task");
    let [kind, seed, first, end, note] =
        task.splitn(5, ' ').collect::<Vec<_>>().try_into().expect("five words");
    let kind = KINDS.iter().chain([&TRAPS]).find(|known| known.name == kind).expect("a kind");
    let (seed, first, end) = (seed.parse().unwrap(), first.parse::<u64>().unwrap(), end.parse().unwrap());
    let files = sound_files(kind);
    let path = PathBuf::from(note).with_extension("file");
    let note = File::options().write(true).open(note).unwrap();
    let file = kind.on_disk.then(|| File::create(&path).unwrap());
    for number in first..end {
        let (_, bytes) = broken_file(kind, &files, seed, number);
        note.write_all_at(&number.to_le_bytes(), 0).unwrap();
        // Overwritten: some systems wait for the disk when a file is emptied.
        if let Some(file) = &file {
            file.set_len(bytes.len() as u64).and_then(|()| file.write_all_at(&bytes, 0)).unwrap();
        }
        if let Err(message) = (kind.read)(&bytes, &path) {
            assert!(!message.contains(char::is_control), "a message of several lines: {message:?}");
            assert!(message.len() <= 1000, "a message of {} bytes", message.len());
        }
        let peak = ALLOCATOR.max_allocated();
        assert!(peak <= kind.memory, "{} MiB were taken", peak >> 20);
    }
    note.write_all_at(&end.to_le_bytes(), 0).unwrap();
}

/// A process that reads files, and its progress.
struct Worker {
    kind: &'static Kind,
    seed: u64,
    /// Reads up to here, without it.
    end: u64,
    note: PathBuf,
    child: Child,
    /// The number that was last seen, and when it was new.
    seen: (u64, Instant),
}

impl Worker {
    fn start(kind: &'static Kind, seed: u64, numbers: std::ops::Range<u64>, id: usize) -> Self {
        let note = folder().join(format!("{}-{}-{id}", kind.name, std::process::id()));
        fs::write(&note, numbers.start.to_le_bytes()).unwrap();
        let child = Self::run(kind, seed, &numbers, &note);
        Self { kind, seed, end: numbers.end, note, child, seen: (numbers.start, Instant::now()) }
    }

    fn run(kind: &Kind, seed: u64, numbers: &std::ops::Range<u64>, note: &Path) -> Child {
        let task = format!("{} {seed} {} {} {}", kind.name, numbers.start, numbers.end, note.display());
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["worker", "--exact", "--ignored", "--nocapture"]).stdin(Stdio::null());
        command.env(TASK, task).env("RUST_BACKTRACE", "0");
        let said = File::create(note.with_extension("said")).unwrap();
        command.stdout(Stdio::null()).stderr(said).spawn().unwrap()
    }

    /// The number of the file that is being read.
    fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        File::open(&self.note).and_then(|mut file| file.read_exact(&mut bytes)).unwrap();
        u64::from_le_bytes(bytes)
    }

    /// Whether it is at the end. Where a file stopped it, that file is kept, and the place is said in `broken`.
    fn look_after(&mut self, broken: &mut Vec<String>) -> bool {
        let number = self.number();
        if number != self.seen.0 {
            self.seen = (number, Instant::now());
        }
        let ended = self.child.try_wait().unwrap();
        let reason = match ended {
            Some(status) if status.success() => return true,
            Some(status) => self.last_words().unwrap_or_else(|| status.to_string()),
            None if self.seen.1.elapsed() > PATIENCE => {
                format!("it was read for {} seconds", PATIENCE.as_secs())
            }
            None => return false,
        };
        self.stop();
        let number = self.number();
        broken.push(self.keep(number, &reason));
        self.seen = (number + 1, Instant::now());
        self.child = Self::run(self.kind, self.seed, &(number + 1..self.end), &self.note);
        false
    }

    /// What it said of a panic or an abort, in one line.
    fn last_words(&self) -> Option<String> {
        let said = fs::read(self.note.with_extension("said")).ok()?;
        let said = String::from_utf8_lossy(&said);
        let told = said.lines().filter(|line| !line.is_empty() && !line.starts_with("note: "));
        Some(told.take(3).collect::<Vec<_>>().join(" ")).filter(|words| !words.is_empty())
    }

    /// Keeps the file of that number: the one that was read, where it is on disk.
    fn keep(&self, number: u64, reason: &str) -> String {
        let (name, bytes) = broken_file(self.kind, &sound_files(self.kind), self.seed, number);
        let path = folder().join(format!("{}-{number}-{name}", self.seed));
        fs::write(&path, fs::read(self.note.with_extension("file")).unwrap_or(bytes)).unwrap();
        format!("{}: {reason}", path.display())
    }

    fn stop(&mut self) {
        // It may have ended meanwhile.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
        for end in ["", "said", "file"] {
            // Not all of them are there.
            let _ = fs::remove_file(self.note.with_extension(end));
        }
    }
}

/// Starts workers of every kind and looks after them until they are at the end or time is up; what was read, and what broke a
/// rule.
fn campaign(kinds: &[&'static Kind], seed: u64, files_each: u64, time: Duration) -> (String, Vec<String>) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let each = if files_each == u64::MAX { (threads / kinds.len()).max(1) } else { 1 };
    let mut workers: Vec<Worker> = Vec::new();
    for id in 0..kinds.len() * each {
        // Two workers have no seed in common.
        workers.push(Worker::start(kinds[id % kinds.len()], seed.wrapping_add(id as u64), 0..files_each, id));
    }
    let (start, mut broken) = (Instant::now(), Vec::new());
    while start.elapsed() < time {
        std::thread::sleep(Duration::from_millis(20));
        let at_the_end =
            workers.iter_mut().map(|worker| worker.look_after(&mut broken)).filter(|&ended| ended);
        if at_the_end.count() == workers.len() {
            break;
        }
    }
    let read = |kind: &Kind| {
        let of_it = workers.iter().filter(|worker| worker.kind.name == kind.name);
        format!("{} {}", of_it.map(Worker::number).sum::<u64>(), kind.name)
    };
    (kinds.iter().map(|kind| read(kind)).collect::<Vec<_>>().join(", "), broken)
}

/// The kinds with files that were asked for.
fn chosen_kinds() -> Vec<&'static Kind> {
    let kinds: Vec<_> = KINDS.iter().filter(|kind| !sound_files(kind).is_empty()).collect();
    assert!(!kinds.is_empty(), "no file has a name that contains one of IMPASTO_FUZZ_FILES");
    kinds
}

#[test]
fn mutated_files_give_a_value_or_an_error() {
    let (read, broken) = campaign(&chosen_kinds(), 7, 2000, Duration::from_secs(120));
    assert!(broken.is_empty(), "of {read}:\n{}", broken.join("\n"));
}

#[test]
#[ignore = "runs for IMPASTO_FUZZ_SECONDS"]
fn long_run() {
    let number = |name, default: fn() -> u64| {
        std::env::var(name).map_or_else(|_| default(), |text| text.parse().expect(name))
    };
    let seconds = number("IMPASTO_FUZZ_SECONDS", || 30);
    let now = || {
        generator(std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_nanos() as u64), 0).next_u64()
            >> 32
    };
    let seed = number("IMPASTO_FUZZ_SEED", now);
    println!("seed {seed}, {seconds} seconds");
    let (read, broken) = campaign(&chosen_kinds(), seed, u64::MAX, Duration::from_secs(seconds));
    println!("read: {read}; {} broke a rule", broken.len());
    for line in &broken {
        println!("{line}");
    }
    assert!(broken.is_empty());
}

#[test]
fn a_seed_and_a_number_are_one_file() {
    for kind in &KINDS {
        let files = sound_files(kind);
        let many = |seed| (0..200).map(move |number| (seed, number));
        let made = |seed| {
            many(seed).map(|(seed, number)| broken_file(kind, &files, seed, number)).collect::<Vec<_>>()
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }
}

/// What is noticed: a panic, an abort, too much memory, a message of several lines.
const TRAPS: Kind = Kind {
    name: "traps",
    files: || ["panics", "aborts", "takes", "tells", "reads"].map(|name| (name.into(), name.into())).into(),
    mend: |_| (),
    read: |bytes, _| match bytes {
        b"panics" => panic!("a panic"),
        b"aborts" => std::process::abort(),
        b"takes" => Err(vec![0_u8; 8 << 20].len().to_string()),
        b"tells" => Err("one\ntwo".to_owned()),
        _ => Ok(()),
    },
    on_disk: false,
    memory: 4 << 20,
};

#[test]
fn broken_rules_are_noticed_and_their_files_kept() {
    let (read, broken) = campaign(&[&TRAPS], 11, 5, Duration::from_secs(120));
    assert_eq!(read, "5 traps");
    let expected = ["a panic", "signal: 6", "8 MiB were taken", "several lines"];
    assert_eq!(broken.len(), expected.len(), "{broken:?}");
    for (number, (line, words)) in broken.iter().zip(expected).enumerate() {
        assert!(line.contains(words), "{line}");
        let path = line.split(": ").next().unwrap();
        assert!(path.contains(&format!("11-{number}-")), "{line}");
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn mending_checksums_leaves_sound_files_as_they_are() {
    for (name, bytes) in pictures::pictures() {
        let mut mended = bytes.clone();
        pictures::mend_checksums(&mut mended);
        assert_eq!(mended, bytes, "{name}");
    }
}
