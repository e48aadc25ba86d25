//! `--checkpoint` and `--resume`: a run that is killed at any moment and resumed writes the same bytes as one that is not.
#![cfg(unix)]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::checkpoint_bytes;
use crate::command::{Folder, code_and_message, succeed};
use serde_json::Value;

/// Two sizes and early layers: some hundredths of a second an iteration.
const SMALL: &str =
    "photo.png painting.webp --size 192 --scales 2 --content-layers conv2_1 --style-layers conv1_1,conv2_1";

/// What differs between runs that are killed, by a name for their files.
const RUNS: [(&str, &str); 3] = [
    ("lbfgs", "--optimizer lbfgs"),
    ("adam", "--optimizer adam"),
    ("masks", "photo.png --mask left.png,- --style-mask -,top.png --keep top.png --content-mask left.png"),
];

/// A folder with masks of the photo's left and top half.
fn folder_with_masks() -> Folder {
    let folder = Folder::new();
    let (width, height) = image::image_dimensions(folder.path("photo.png")).unwrap();
    let mask = |name: &str, white: &dyn Fn(u32, u32) -> bool| {
        let mask =
            image::GrayImage::from_fn(width, height, |x, y| image::Luma([if white(x, y) { 255 } else { 0 }]));
        mask.save(folder.path(name)).unwrap();
    };
    mask("left.png", &|x, _| x < width / 2);
    mask("top.png", &|_, y| y < height / 2);
    folder
}

/// Runs a command that must fail with that exit code, and say these words in its last line.
#[track_caller]
fn fail(folder: &Folder, arguments: &str, code: i32, words: &[&str]) {
    let (found, message) = code_and_message(&folder.run(arguments));
    assert_eq!(found, code, "{arguments}: {message}");
    for word in words {
        assert!(message.contains(word), "{word} in {message}");
    }
}

/// Changes the header of a checkpoint, as somebody would who knows the checksum.
fn change_header(folder: &Folder, name: &str, change: impl FnOnce(&mut Value)) {
    let bytes = fs::read(folder.path(name)).unwrap();
    fs::write(folder.path(name), checkpoint_bytes::with_header(&bytes, change)).unwrap();
}

/// What a log has of each iteration, but for the time.
fn log(folder: &Folder, name: &str) -> Vec<(Value, Value, Value)> {
    let text = fs::read_to_string(folder.path(name)).unwrap();
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["iteration"].clone(), line["evaluations"].clone(), line["loss"].clone())
    };
    text.lines().map(line).collect()
}

#[track_caller]
fn assert_same_bytes(folder: &Folder, a: &str, b: &str) {
    assert!(fs::read(folder.path(a)).unwrap() == fs::read(folder.path(b)).unwrap(), "{a} is not {b}");
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    /// Below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// One run after another, each killed until it comes to its end.
struct Victim {
    folder: Folder,
    random: Random,
    /// What a run takes that is left alone.
    time: Duration,
}

impl Victim {
    /// Starts a run, or goes on with it where there is a checkpoint.
    fn start(&mut self, options: &str) -> Child {
        let threads = 1 + self.random.below(3);
        let arguments = if self.folder.path("run").exists() {
            format!("transfer --resume run --threads {threads}")
        } else {
            format!(
                "transfer {SMALL} {options} --iterations 8 -o out.png --log out.jsonl --threads {threads} \
                 --checkpoint run --checkpoint-every 0.001"
            )
        };
        self.folder.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits for some time and sends a signal. Returns whether the run was stopped by that.
    fn strike(&mut self, run: Child) -> bool {
        let signal = if self.random.below(4) == 0 { "TERM" } else { "KILL" };
        sleep(Duration::from_micros(self.random.below(1 + self.time.as_micros() as u64)));
        Command::new("kill").args([&format!("-{signal}"), &run.id().to_string()]).status().unwrap();
        let output = run.wait_with_output().unwrap();
        if output.status.success() {
            return false;
        }
        let (code, message) = code_and_message(&output);
        let expected = if signal == "TERM" { 143 } else { -1 };
        // Before it listens to signals a run is ended as any program.
        assert!(code == expected || code == -1, "{signal}: {code}, {message}");
        if message.contains("the picture so far") {
            assert!(message.contains("impasto transfer --resume run"), "{message}");
            image::open(self.folder.path("out.png")).expect("a whole picture");
        }
        true
    }
}

/// `IMPASTO_KILLS` says how often, `IMPASTO_SEED` when.
#[test]
fn a_run_that_is_killed_at_any_moment_and_resumed_writes_the_same_bytes() {
    let seed = setting("IMPASTO_SEED");
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64);
    let seed = seed.unwrap_or_else(now);
    println!("IMPASTO_SEED={seed}");
    let mut left = setting("IMPASTO_KILLS").unwrap_or(20);
    let folder = folder_with_masks();
    let mut time = Duration::ZERO;
    for (name, options) in RUNS {
        let started = Instant::now();
        let whole = format!("-o {name}.png --log {name}.jsonl {options}");
        succeed(&folder, &format!("transfer {SMALL} --iterations 8 {whole}"));
        time = time.max(started.elapsed());
    }
    let mut victim = Victim { folder, random: Random(seed), time };
    for (name, options) in RUNS.into_iter().cycle() {
        loop {
            let run = victim.start(options);
            if left == 0 {
                let output = run.wait_with_output().unwrap();
                assert!(output.status.success(), "{:?}", code_and_message(&output));
                break;
            }
            if !victim.strike(run) {
                break;
            }
            left -= 1;
        }
        assert_same_bytes(&victim.folder, "out.png", &format!("{name}.png"));
        assert_eq!(log(&victim.folder, "out.jsonl"), log(&victim.folder, &format!("{name}.jsonl")));
        for name in ["run", "out.png", "out.jsonl"] {
            fs::remove_file(victim.folder.path(name)).unwrap();
        }
        if left == 0 {
            return;
        }
    }
}

#[test]
fn more_iterations_than_first_asked_for_need_the_checkpoint_and_nothing_else() {
    let folder = Folder::new();
    let small = "--size 64 --preset paper --init painting.webp --tv-weight 0.5 --quality 40";
    let message = succeed(
        &folder,
        &format!(
            "transfer photo.png painting.webp -o out.jpg {small} --iterations 3 --log log --checkpoint run"
        ),
    );
    assert!(message.lines().next().unwrap().contains("checkpoints of up to 1 MiB"), "{message}");
    // From another folder: what the checkpoint names is found from there.
    fs::create_dir(folder.path("elsewhere")).unwrap();
    let mut resume = folder.command("transfer --resume ../run --iterations 7");
    let (code, message) = code_and_message(&resume.current_dir(folder.path("elsewhere")).output().unwrap());
    assert_eq!(code, 0, "{message}");
    assert!(message.lines().next().unwrap().contains("7 iterations, 3 of them done"), "{message}");
    succeed(
        &folder,
        &format!("transfer photo.png painting.webp -o whole.jpg {small} --iterations 7 --log whole-log"),
    );
    assert_same_bytes(&folder, "out.jpg", "whole.jpg");
    assert_eq!(log(&folder, "log"), log(&folder, "whole-log"));
    // Fewer than it has: the picture, somewhere else, with another quality.
    succeed(&folder, "transfer --resume run --iterations 2 -o again.png");
    succeed(&folder, "transfer --resume run --quality 40 -o again.jpg");
    assert_same_bytes(&folder, "again.jpg", "whole.jpg");
    assert_eq!(image::image_dimensions(folder.path("again.png")).unwrap(), (64, 43));
}

/// Masks are inputs as pictures are: they may have moved, and are compared by what is in them.
#[test]
fn a_run_with_masks_needs_its_masks() {
    let folder = folder_with_masks();
    let small = format!("{SMALL} photo.png --mask left.png,- --keep top.png");
    succeed(&folder, &format!("transfer {small} --iterations 2 -o out.png --checkpoint run"));
    fs::create_dir(folder.path("moved")).unwrap();
    for name in ["photo.png", "painting.webp", "left.png", "top.png"] {
        fs::copy(folder.path(name), folder.path("moved").join(name)).unwrap();
    }
    fs::rename(folder.path("left.png"), folder.path("l.png")).unwrap();
    let resume = "transfer --resume run -o new.png --checkpoint new";
    fail(&folder, resume, 1, &["left.png", "No such file"]);
    fail(
        &folder,
        &format!("{resume} --mask top.png,-"),
        1,
        &["the mask, now read from", "top.png", "is not the one"],
    );
    fail(
        &folder,
        &format!("{resume} --mask l.png,- --keep l.png"),
        1,
        &["the keep mask, now read from", "l.png"],
    );
    fail(&folder, &format!("{resume} photo.png painting.webp"), 2, &["has 2 style pictures, not 1"]);
    fail(
        &folder,
        &format!("{resume} --mask l.png,- --content-mask l.png"),
        2,
        &["0 masks of --content-mask, not 1"],
    );
    fs::rename(folder.path("l.png"), folder.path("left.png")).unwrap();
    succeed(
        &folder,
        "transfer moved/photo.png moved/painting.webp moved/photo.png --mask moved/left.png,- --keep moved/top.png \
         --resume run -o other.png --checkpoint other --iterations 5",
    );
    // More iterations count at the last size only.
    succeed(&folder, "transfer --resume run -o out.png --iterations 5");
    assert_same_bytes(&folder, "other.png", "out.png");
    fail(&folder, "transfer --resume run -o left.png", 2, &["left.png", "--mask"]);
}

#[test]
fn a_log_goes_on_from_the_iteration_that_is_resumed() {
    let folder = Folder::new();
    let small = "transfer photo.png painting.webp -o out.png --size 64 --log log";
    succeed(&folder, &format!("{small} --iterations 3 --checkpoint run"));
    let first = log(&folder, "log");
    // Two lines of a later iteration, the last one torn.
    let text = fs::read_to_string(folder.path("log")).unwrap();
    fs::write(folder.path("log"), text.clone() + "{\"iteration\":4}\n{\"iterat").unwrap();
    succeed(&folder, "transfer --resume run --iterations 5");
    let second = log(&folder, "log");
    assert_eq!((second.len(), &second[..3]), (5, &first[..]));
    // A new one has what is new.
    succeed(&folder, "transfer --resume run --iterations 6 --log new");
    assert_eq!(log(&folder, "new").len(), 1);
    assert_eq!(log(&folder, "log").len(), 5);
    // What is no log is not cut, before anything is painted.
    for notes in ["eggs\nmilk\n", "eggs, milk", "{\"iteration\": 1}\n", first_torn(&text)] {
        fs::write(folder.path("notes"), notes).unwrap();
        fail(&folder, "transfer --resume run --iterations 7 --log notes", 1, &["notes", "no log of impasto"]);
        assert_eq!(fs::read_to_string(folder.path("notes")).unwrap(), notes);
    }
}

/// The first line without its end.
fn first_torn(log: &str) -> &str {
    log.lines().next().unwrap()
}

/// Where picture and log go is what the checkpoint says, and it may be a stranger's.
#[test]
fn places_that_a_checkpoint_has_chosen_are_said() {
    let folder = Folder::new();
    let small = "transfer photo.png painting.webp -o out.png --size 64 --log log --save-every 2";
    succeed(&folder, &format!("{small} --iterations 1 --checkpoint run"));
    let said = |arguments: &str| {
        let message = succeed(&folder, &format!("transfer --resume run {arguments}"));
        message.lines().find(|line| line.starts_with("As the checkpoint says")).unwrap_or_default().to_owned()
    };
    let [out, log] = ["out.png", "log"].map(|name| fs::canonicalize(folder.path(name)).unwrap());
    let (out, log) = (out.display(), log.display());
    let both = format!(
        "As the checkpoint says, the picture goes to {out}, one every 2 iterations beside it, and the log goes to {log}"
    );
    assert_eq!(said(""), both);
    assert_eq!(said("-o new.png"), format!("As the checkpoint says, the log goes to {log}"));
    assert_eq!(said("-o new.png --log new"), "");
}

/// A checkpoint whose header a stranger has made, under the right checksum: one sentence or a painting, and every other file
/// stays as it is.
#[test]
fn a_strangers_checkpoint_destroys_nothing() {
    let folder = Folder::new();
    let small = "--size 192 --scales 2 --content-layers conv1_1 --style-layers conv1_1 --optimizer adam";
    let run = format!("transfer photo.png painting.webp -o out.png {small} --iterations 2 --log log");
    succeed(&folder, &format!("{run} --save-every 1 --checkpoint run"));
    fs::write(folder.path("diary"), "Dear diary").unwrap();
    let kept = ["photo.png", "painting.webp", "diary", "run"];
    let path = |name: &str| Value::from(folder.path(name).to_str().unwrap());
    let count = 1u64 << 48;
    for (key, value, code, words) in [
        ("/notes/log", path("diary"), 1, "no log of impasto"),
        ("/notes/log", path("photo.png"), 2, "CONTENT"),
        ("/notes/log", path("run"), 1, "no log of impasto"),
        ("/notes/log", path("theirs"), 2, "--resume"),
        ("/notes/log", path("none/log"), 1, "none"),
        ("/notes/output", path("photo.png"), 2, "CONTENT"),
        ("/notes/output", path("diary"), 2, "diary"),
        ("/notes/output", "".into(), 2, ""),
        ("/notes/quality", "0".into(), 0, ""),
        ("/notes/checkpoint-every", "-1e400".into(), 0, ""),
        ("/notes/preprocess", "none".into(), 0, ""),
        ("/notes/save-every", "0".into(), 0, ""),
        ("/notes/save-every", u64::MAX.to_string().into(), 0, ""),
        ("/coarse_iterations", count.into(), 0, ""),
        ("/coarse_iterations", u64::MAX.into(), 1, "damaged"),
        ("/coarse_iterations", "3,2".into(), 0, ""),
        ("/coarse_iterations", format!("3,{}", u64::MAX).into(), 1, "damaged"),
        ("/coarse_iterations", "many".into(), 1, "damaged"),
        ("/iterations", 0.into(), 1, "damaged"),
        ("/iterations", 7.into(), 1, "another iteration"),
        ("/iterations_before", count.into(), 0, ""),
        ("/scale", 0.into(), 1, "damaged"),
        ("/height", count.into(), 1, "damaged"),
        ("/seconds", 1e300.into(), 0, ""),
        ("/record/options/iterations", 0.into(), 1, "damaged"),
        ("/record/options/size", 1e18.into(), 1, "damaged"),
        ("/record/options/size", count.into(), 1, ""),
        ("/record/options/optimizer", "lbfgs".into(), 1, "damaged"),
        ("/record/options/style-layers", "\u{1b}[31m".into(), 1, "cannot go on"),
        ("/record/inputs", Value::Array(vec![]), 2, "content picture"),
        ("/record/inputs/0/path", path("diary"), 1, "diary"),
        ("/record/inputs/0/path", "-".into(), 1, "standard input"),
    ] {
        let before = kept.map(|name| fs::read(folder.path(name)).unwrap());
        fs::copy(folder.path("run"), folder.path("theirs")).unwrap();
        change_header(&folder, "theirs", |header| match key.strip_prefix("/notes/") {
            Some(note) => header["notes"][note] = value.clone(),
            None => *header.pointer_mut(key).unwrap() = value.clone(),
        });
        let output = folder.run("transfer --resume theirs --checkpoint new --time-limit 60s");
        let (found, message) = code_and_message(&output);
        assert_eq!(found, code, "{key} {value}: {message}");
        let last = message.lines().last().unwrap();
        assert!(last.starts_with(if code == 0 { "Wrote" } else { "Error: " }), "{key} {value}: {message}");
        assert!(last.contains(words) && !last.contains('\u{1b}'), "{key} {value}: {message}");
        assert!(before == kept.map(|name| fs::read(folder.path(name)).unwrap()), "{key} {value}");
    }
}

/// Its state is read when the run goes on, and it is what there is to go on from.
#[test]
fn the_checkpoint_that_is_resumed_is_no_output() {
    let folder = Folder::new();
    let small = "transfer photo.png painting.webp -o out.png --size 64 --iterations 2";
    succeed(&folder, &format!("{small} --checkpoint a.png"));
    let before = fs::read(folder.path("a.png")).unwrap();
    for place in ["--log a.png", "-o a.png", "--save-every 1 -o a.png"] {
        let resume = format!("transfer --resume a.png --checkpoint b --iterations 3 {place}");
        fail(&folder, &resume, 2, &["a.png", "--resume"]);
        assert!(fs::read(folder.path("a.png")).unwrap() == before, "{place}");
    }
    // The same file is where it is kept.
    succeed(&folder, "transfer --resume a.png --checkpoint ./a.png --iterations 3");
    assert!(fs::read(folder.path("a.png")).unwrap() != before);
}

/// While the photo and the painting are measured again there is no picture at hand, but the checkpoint has one.
#[test]
fn a_resumed_run_that_is_stopped_before_it_goes_on_says_that_the_checkpoint_is_as_it_was() {
    let folder = Folder::new();
    succeed(
        &folder,
        "transfer photo.png painting.webp -o out.png --size 256 --scales 1 --iterations 1 --checkpoint my.run",
    );
    let name = "my brother's.run";
    fs::rename(folder.path("my.run"), folder.path(name)).unwrap();
    let before = fs::read(folder.path(name)).unwrap();
    let mut resume = folder.command("transfer --iterations 2 --time-limit 0.000001 --resume");
    let (code, message) = code_and_message(&resume.arg(name).output().unwrap());
    let last = message.lines().last().unwrap();
    assert_eq!(code, 1, "{message}");
    assert_eq!(
        last,
        "Error: stopped by --time-limit before it went on; the checkpoint is as it was; \
         to go on: impasto transfer --resume 'my brother'\\''s.run'"
    );
    assert!(fs::read(folder.path(name)).unwrap() == before);
}

#[test]
fn inputs_that_moved_can_be_given_and_others_are_refused() {
    let folder = Folder::new();
    let rename = |from: &str, to: &str| fs::rename(folder.path(from), folder.path(to)).unwrap();
    succeed(&folder, "transfer photo.png painting.webp -o out.png --size 64 --iterations 2 --checkpoint run");
    rename("photo.png", "moved.png");
    fail(&folder, "transfer --resume run --iterations 3", 1, &["photo.png"]);
    succeed(&folder, "transfer --resume run moved.png --iterations 3");
    fail(
        &folder,
        "transfer --resume run painting.webp",
        1,
        &["painting.webp", "content picture", "not the one"],
    );
    rename("painting.webp", "moved.webp");
    fail(&folder, "transfer --resume run", 1, &["painting.webp"]);
    succeed(&folder, "transfer --resume run moved.png moved.webp --iterations 4");
    // A file of the same name with other pixels.
    fs::copy(folder.path("moved.png"), folder.path("moved.webp")).unwrap();
    fail(&folder, "transfer --resume run", 1, &["moved.webp", "style picture"]);
}

#[test]
fn what_decides_pixels_cannot_be_given_with_resume() {
    let folder = Folder::new();
    succeed(
        &folder,
        "transfer photo.png painting.webp -o out.png --size 64 --iterations 1 --init noise --checkpoint run",
    );
    for option in
        ["--size 96", "--style-weight 2", "--preset paper", "--seed 1", "--optimizer adam", "--init content"]
    {
        let name = option.split(' ').next().unwrap();
        fail(&folder, &format!("transfer --resume run {option}"), 2, &["--resume", name]);
    }
    let machine =
        "--threads 1 --memory-limit 2G --quality 80 --quiet --save-every 2 --log log --time-limit 1h";
    succeed(&folder, &format!("transfer --resume run --iterations 2 {machine} --checkpoint-every 1m"));
    assert!(folder.path("out-2.png").exists() && folder.path("log").exists());
    fail(
        &folder,
        "transfer photo.png painting.webp -o a.png --checkpoint-every 1m",
        2,
        &["--checkpoint FILE"],
    );
    fail(&folder, "transfer photo.png painting.webp -o a.png --checkpoint none/run", 1, &["none"]);
    fail(&folder, "transfer --resume photo.png", 1, &["photo.png is no checkpoint"]);
    fail(&folder, "transfer --resume none", 1, &["none"]);
    let mut other = folder.command("transfer --resume run");
    let (code, message) = code_and_message(&other.env("IMPASTO_ISA", "portable").output().unwrap());
    assert!(code == 1 && message.contains("portable") || code == 0, "{code}: {message}");
}

/// What a run started from is in its checkpoint.
#[test]
fn a_picture_that_is_painted_further_in_its_place_can_be_resumed() {
    let folder = Folder::new();
    fs::copy(folder.path("painting.webp"), folder.path("x.webp")).unwrap();
    let small = "transfer photo.png painting.webp --size 64 --no-metadata";
    succeed(&folder, &format!("{small} --init x.webp -o x.webp --iterations 2 --checkpoint run"));
    succeed(&folder, "transfer --resume run --iterations 5");
    succeed(&folder, &format!("{small} --init painting.webp -o whole.webp --iterations 5"));
    assert_same_bytes(&folder, "x.webp", "whole.webp");
    fail(&folder, &format!("{small} -o out.png --checkpoint photo.png"), 2, &["--checkpoint", "CONTENT"]);
    fail(&folder, &format!("{small} -o out.png --checkpoint out.png"), 2, &["--checkpoint", "-o"]);
}

/// The run goes on in another file; the first one stays as it was.
#[test]
fn a_resumed_run_can_be_kept_in_another_file() {
    let folder = Folder::new();
    let small = "transfer photo.png painting.webp -o out.png --size 64 --optimizer adam";
    succeed(&folder, &format!("{small} --iterations 2 --checkpoint run"));
    let first = fs::read(folder.path("run")).unwrap();
    succeed(&folder, "transfer --resume run --checkpoint other --iterations 4");
    assert!(fs::read(folder.path("run")).unwrap() == first);
    succeed(&folder, "transfer --resume other --iterations 6");
    succeed(&folder, &format!("{small} --iterations 6 -o whole.png"));
    assert_same_bytes(&folder, "out.png", "whole.png");
}
