//! Real signals to the real program, at any moment: the picture so far is written, the exit code tells the signal, nothing is left
//! behind. How long giving up took is printed, not asserted.
#![cfg(target_os = "linux")]

use std::io::{Read, Write, pipe};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

use rustix::pipe::fcntl_getpipe_size;

use crate::command::{Folder, code_and_message};
use crate::left_out::left_out;
use crate::mounts::own_mounts;

/// A transfer that only a signal ends.
const ENDLESS: &str = "transfer photo.png painting.webp --size 48 --iterations 1000000 -o out.png --log log.jsonl \
                       --content-layers conv3_1 --style-layers conv1_1,conv2_1,conv3_1";

const SIGNALS: [(&str, i32); 3] = [("HUP", 129), ("INT", 130), ("TERM", 143)];

/// A folder; none if the system lacks what these tests start programs with.
fn folder() -> Option<Folder> {
    let script =
        "env --default-signal=TERM true && command -v nohup && command -v setsid && command -v timeout";
    match Command::new("bash").args(["-c", script]).output() {
        Ok(output) if output.status.success() => return Some(Folder::new()),
        Ok(output) => left_out("starters", String::from_utf8_lossy(&output.stderr)),
        Err(error) => left_out("starters", error),
    }
    None
}

/// A program that runs in a folder.
struct Run<'a> {
    folder: &'a Folder,
    child: Child,
}

impl<'a> Run<'a> {
    /// Signals are as they are by default, however the test was started.
    fn start(folder: &'a Folder, arguments: &str) -> Self {
        Self::start_by(folder, &["env", "--default-signal=HUP,INT,TERM"], arguments)
    }

    /// Started by another program, which becomes it or waits for it.
    fn start_by(folder: &'a Folder, starter: &[&str], arguments: &str) -> Self {
        Self::spawn(folder, &mut Self::command(folder, starter, arguments))
    }

    fn command(folder: &Folder, starter: &[&str], arguments: &str) -> Command {
        let program = folder.command(arguments);
        let mut command = Command::new(starter[0]);
        command.args(&starter[1..]).arg(program.get_program()).args(program.get_args());
        command
            .current_dir(folder.path(""))
            .env("XDG_CONFIG_HOME", folder.path("settings"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn spawn(folder: &'a Folder, command: &mut Command) -> Self {
        Self { folder, child: command.spawn().unwrap() }
    }

    /// Waits for that; minutes are for machines that do much else.
    #[track_caller]
    fn until(&mut self, what: &str, mut happened: impl FnMut(&Self) -> bool) {
        let since = Instant::now();
        while !happened(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before there was {what}: {ended:?} {}", self.said());
            assert!(since.elapsed() < Duration::from_secs(180), "no {what} in three minutes");
            sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the program listens to signals.
    fn until_it_listens(&mut self) {
        self.until("a handler", |run| caught(run.child.id()) & 1 << (15 - 1) != 0);
    }

    /// Waits until the log has that many more lines.
    fn until_iterations(&mut self, lines: usize) {
        let before = lines_of(&self.folder.path("log.jsonl"));
        self.until("an iteration", |run| lines_of(&run.folder.path("log.jsonl")) >= before + lines);
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    fn said(&mut self) -> String {
        let mut message = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut message).unwrap();
        }
        message
    }

    /// The exit code and what was said. Prints how long it took since now.
    fn end(mut self) -> (i32, String) {
        let since = Instant::now();
        let stderr = self.said().into_bytes();
        let status = self.child.wait().unwrap();
        let ended = code_and_message(&Output { status, stdout: Vec::new(), stderr });
        let last = ended.1.lines().last().unwrap_or("");
        println!("ended after {:.3} s: {last}", since.elapsed().as_secs_f64());
        ended
    }
}

/// A bit for each signal that a process catches, the lowest for signal 1.
fn caught(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    mask.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap())
}

fn lines_of(file: &Path) -> usize {
    fs::read_to_string(file).unwrap_or_default().lines().count()
}

/// The files of the folder that were not there at first.
fn files(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path("")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !["photo.png", "painting.webp"].contains(&name.as_str()));
    names.sort();
    names
}

#[track_caller]
fn assert_is_whole(folder: &Folder, size: (u32, u32)) {
    assert_eq!(image::open(folder.path("out.png")).unwrap().into_rgb8().dimensions(), size);
}

/// The last line, which must tell the signal and where the picture is.
#[track_caller]
fn assert_kept((code, message): &(i32, String), signal: &str, expected: i32) {
    assert_eq!(*code, expected, "{message}");
    let last = message.lines().last().unwrap();
    for word in ["Error: stopped after", "of 1000000 iterations", signal, "out.png"] {
        assert!(last.contains(word), "{message}");
    }
}

#[test]
fn every_signal_writes_the_last_accepted_picture_and_has_its_exit_code() {
    // That of the soft limit on processor time is another one that batch systems send.
    for (signal, code) in SIGNALS.into_iter().chain([("XCPU", 152)]) {
        let Some(folder) = folder() else { return };
        let mut run = Run::start(&folder, &format!("{ENDLESS} --save-every 1"));
        run.until_iterations(3);
        run.signal(signal);
        assert_kept(&run.end(), &format!("by SIG{signal};"), code);
        assert_is_whole(&folder, (48, 32));
        let names = files(&folder);
        let accepted = names.iter().filter(|name| name.starts_with("out-")).max().unwrap();
        let bytes = |name: &str| fs::read(folder.path(name)).unwrap();
        assert!(bytes(accepted) == bytes("out.png"), "{signal}: {accepted} is the last one");
        assert_eq!(names.len(), lines_of(&folder.path("log.jsonl")) + 2, "{names:?}");
    }
}

#[test]
fn an_evaluation_is_given_up_in_its_middle() {
    let Some(folder) = folder() else { return };
    let mut run = Run::start(&folder, &ENDLESS.replace("--size 48", "--size 448 --scales 1"));
    run.until_iterations(1);
    run.signal("TERM");
    assert_kept(&run.end(), "SIGTERM", 143);
    assert_is_whole(&folder, (448, 298));
}

/// `IMPASTO_SIGNALS` is the number of runs.
#[test]
fn a_signal_at_any_moment_leaves_a_whole_picture_or_none() {
    let mut random = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    println!("seed {random}");
    let runs = env::var("IMPASTO_SIGNALS").map_or(12, |runs| runs.parse().unwrap());
    for number in 0..runs {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (signal, code) = SIGNALS[number % 3];
        let Some(folder) = folder() else { return };
        let mut run = Run::start(&folder, ENDLESS);
        // Half of them before the first iteration on a machine with much else to do, half of them after it.
        run.until_it_listens();
        if number / 3 % 2 == 1 {
            run.until_iterations(1);
        }
        sleep(Duration::from_millis((random >> 33) % 1500));
        run.signal(signal);
        let (got, message) = run.end();
        assert_eq!(got, code, "{message}");
        let last = message.lines().last().unwrap();
        assert!(last.starts_with("Error: stopped ") && last.contains(signal), "{message}");
        let names = files(&folder);
        if last.contains("stopped after") {
            assert_is_whole(&folder, (48, 32));
            assert_eq!(names, ["log.jsonl", "out.png"]);
        } else {
            assert!(last.contains("no picture") || last.contains("nothing was there to keep"), "{message}");
            assert!(names.iter().all(|name| name == "log.jsonl"), "{names:?}");
        }
    }
}

#[test]
fn before_there_is_anything_to_keep_a_signal_ends_the_program_at_once() {
    for (signal, code) in SIGNALS {
        let Some(folder) = folder() else { return };
        assert!(Command::new("mkfifo").arg(folder.path("pipe.png")).status().unwrap().success());
        let mut run = Run::start(&folder, &ENDLESS.replace("photo.png", "pipe.png"));
        run.until_it_listens();
        run.signal("USR1");
        sleep(Duration::from_millis(100));
        assert!(run.child.try_wait().unwrap().is_none(), "USR1 asks for nothing that there is");
        run.signal(signal);
        let (got, message) = run.end();
        let expected = format!("Error: stopped by SIG{signal}; nothing was there to keep yet\n");
        assert_eq!((got, message), (code, expected));
        assert_eq!(files(&folder), ["pipe.png"]);
    }
}

/// Whether the system tells what a thread waits for.
fn waiting_is_told() -> bool {
    let mut child = Command::new("sleep").arg("1").spawn().unwrap();
    let mut told = false;
    while !told && child.try_wait().unwrap().is_none() {
        let place = fs::read_to_string(format!("/proc/{}/wchan", child.id())).unwrap_or_default();
        told = place.contains("nanosleep");
    }
    let _ = child.kill();
    child.wait().unwrap();
    told
}

#[test]
fn a_second_signal_ends_what_hangs() {
    if !waiting_is_told() {
        return left_out("wchan", "the system does not tell what threads wait for");
    }
    let Some(folder) = folder() else { return };
    // Standard error is a pipe that nobody reads and that takes a few lines more: then the program waits there for ever.
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(&vec![b'.'; fcntl_getpipe_size(&writer).unwrap() - 800]).unwrap();
    let arguments = ENDLESS.replace("1000000", "20");
    let mut command = Run::command(&folder, &["env", "--default-signal=HUP,INT,TERM"], &arguments);
    let mut run = Run::spawn(&folder, command.stderr(writer));
    drop(command);
    run.until("a thread that waits at the pipe", |run| {
        let tasks = fs::read_dir(format!("/proc/{}/task", run.child.id())).unwrap();
        let waits = |task: fs::DirEntry| {
            fs::read_to_string(task.path().join("wchan")).unwrap_or_default().contains("pipe_write")
        };
        tasks.filter_map(Result::ok).any(waits)
    });
    run.signal("TERM");
    sleep(Duration::from_secs(1));
    assert!(run.child.try_wait().unwrap().is_none(), "the first one waits for the picture");
    run.signal("INT");
    assert_eq!(run.end().0, 143, "the code is the first one's");
    assert!(!folder.path("out.png").exists());
    drop(reader);
}

#[test]
fn one_signal_that_is_sent_twice_is_one() {
    let Some(folder) = folder() else { return };
    // To the program, and again to the group, in which it is.
    let starter = ["timeout", "--preserve-status", "--signal=TERM", "3"];
    let run = Run::start_by(&folder, &starter, ENDLESS);
    let ended = run.end();
    if lines_of(&folder.path("log.jsonl")) > 0 {
        assert_kept(&ended, "SIGTERM", 143);
        assert_is_whole(&folder, (48, 32));
    }
    for (signal, code) in SIGNALS {
        assert_kept(&ended_by_thrice(&folder, signal), signal, code);
    }
}

/// How a run ends that gets the signal three times at once.
fn ended_by_thrice(folder: &Folder, signal: &str) -> (i32, String) {
    for _ in 0..20 {
        let mut run = Run::start(folder, ENDLESS);
        run.until_iterations(1);
        let id = run.child.id().to_string();
        let thrice =
            format!("kill -{signal} {id}; kill -{signal} {id}; sleep 0.02; kill -{signal} {id} 2> /dev/null");
        let since = Instant::now();
        Command::new("bash").args(["-c", &thrice]).status().unwrap();
        let at_once = since.elapsed() < Duration::from_millis(125);
        let ended = run.end();
        // A machine that does much else may send the last one so late that it counts as a second request.
        if at_once {
            return ended;
        }
    }
    panic!("the machine cannot send three signals at once");
}

#[test]
fn signals_that_were_ignored_at_the_start_stay_ignored() {
    // What the test itself was started with does not count.
    let fresh = ["env", "--default-signal=HUP,INT,TERM"];
    for (starter, ignored) in [
        (&["nohup"][..], "HUP"),
        (&["bash", "-c", "trap '' INT; exec \"$0\" \"$@\""], "INT"),
        (&["bash", "-c", "trap '' TERM; exec \"$0\" \"$@\""], "TERM"),
    ] {
        let Some(folder) = folder() else { return };
        let mut run = Run::start_by(&folder, &[&fresh, starter].concat(), ENDLESS);
        run.until_iterations(1);
        run.signal(ignored);
        run.until_iterations(3);
        assert_eq!(files(&folder), ["log.jsonl"], "{ignored} asked for nothing");
        let (signal, code) = if ignored == "HUP" { ("TERM", 143) } else { ("HUP", 129) };
        run.signal(signal);
        assert_kept(&run.end(), signal, code);
    }
}

/// The run waits at a pipe that takes the intermediate picture of its last iteration.
#[test]
fn after_the_last_iteration_a_signal_stops_nothing() {
    for (signal, _) in SIGNALS {
        let Some(folder) = folder() else { return };
        assert!(Command::new("mkfifo").arg(folder.path("out-3.png")).status().unwrap().success());
        let mut run = Run::start(&folder, &format!("{} --save-every 3", ENDLESS.replace("1000000", "3")));
        run.until_iterations(3);
        run.signal(signal);
        sleep(Duration::from_millis(400));
        let last = fs::read(folder.path("out-3.png")).unwrap();
        let (code, message) = run.end();
        assert_eq!(code, 0, "{message}");
        assert!(
            message.lines().last().unwrap().starts_with("Wrote out.png after 3 iterations: "),
            "{message}"
        );
        assert!(fs::read(folder.path("out.png")).unwrap() == last, "the picture of the whole run");
    }
}

#[test]
fn a_session_of_its_own_hears_signals_as_any_other() {
    let Some(folder) = folder() else { return };
    let mut run = Run::start_by(&folder, &["setsid", "env", "--default-signal=HUP,INT,TERM"], ENDLESS);
    run.until_iterations(1);
    run.signal("HUP");
    assert_kept(&run.end(), "SIGHUP", 129);
    assert_is_whole(&folder, (48, 32));
}

#[test]
fn usr1_writes_the_picture_as_it_is_and_goes_on() {
    let Some(folder) = folder() else { return };
    let mut run = Run::start(&folder, ENDLESS);
    run.until_iterations(1);
    assert!(!folder.path("out.png").exists());
    run.signal("USR1");
    run.until("a picture", |run| run.folder.path("out.png").exists());
    assert_is_whole(&folder, (48, 32));
    let early = fs::read(folder.path("out.png")).unwrap();
    run.until_iterations(5);
    run.signal("INT");
    let ended = run.end();
    assert!(ended.1.contains("Wrote out.png as it is after "), "{}", ended.1);
    assert_kept(&ended, "SIGINT", 130);
    assert!(early != fs::read(folder.path("out.png")).unwrap(), "painting went on");
    assert_eq!(files(&folder), ["log.jsonl", "out.png"]);
}

#[test]
fn usr1_leaves_standard_output_for_the_last_picture() {
    let Some(folder) = folder() else { return };
    let mut run = Run::start(&folder, &ENDLESS.replace("out.png", "-"));
    run.until_iterations(1);
    run.signal("USR1");
    run.until_iterations(3);
    run.signal("TERM");
    let mut picture = Vec::new();
    run.child.stdout.take().unwrap().read_to_end(&mut picture).unwrap();
    let (code, message) = run.end();
    assert!(code == 143 && message.contains("Warning: standard output takes one picture"), "{message}");
    let ends = picture.windows(4).filter(|bytes| bytes == b"IEND").count();
    assert_eq!(ends, 1, "one picture");
    assert_eq!(image::load_from_memory(&picture).unwrap().width(), 48);
}

#[test]
fn a_time_limit_ends_a_run_with_its_picture_and_success() {
    let Some(folder) = folder() else { return };
    // How much time is enough for an iteration depends on what else the machine does.
    let (mut limit, mut failures) = (0.001, 0);
    loop {
        let (code, message) = Run::start(&folder, &format!("{ENDLESS} --time-limit {limit}")).end();
        let last = message.lines().last().unwrap();
        if code == 0 {
            assert!(last.starts_with("Wrote out.png: --time-limit ended it after "), "{message}");
            assert_is_whole(&folder, (48, 32));
            break;
        }
        assert_eq!(code, 1, "{message}");
        assert!(
            last.contains("by --time-limit before the first iteration was done; there is no"),
            "{message}"
        );
        assert!(!folder.path("out.png").exists());
        failures += 1;
        limit = f64::max(2.0, 2.0 * limit);
        assert!(limit < 300.0, "no iteration in minutes");
    }
    assert!(failures > 0, "a millisecond is not enough");
    for limit in ["0", "soon", "-1s"] {
        let (code, message) = Run::start(&folder, &format!("{ENDLESS} --time-limit={limit}")).end();
        assert!(code == 2 && message.contains("--time-limit"), "{message}");
    }
}

#[test]
fn a_signal_that_cannot_be_answered_is_obeyed() {
    let Some(folder) = folder() else { return };
    let mut command = Run::command(&folder, &["env", "--default-signal=INT"], ENDLESS);
    let mut run = Run::spawn(&folder, command.stderr(pipe().unwrap().1));
    run.until_iterations(1);
    run.signal("INT");
    assert_eq!(run.end().0, 130);
    assert_is_whole(&folder, (48, 32));
}

#[test]
fn a_run_has_no_threads_but_its_own() {
    let Some(folder) = folder() else { return };
    let mut run = Run::start(&folder, &format!("{ENDLESS} --threads 1"));
    run.until_iterations(1);
    let threads = fs::read_dir(format!("/proc/{}/task", run.child.id())).unwrap().count();
    run.signal("TERM");
    assert_eq!(run.end().0, 143);
    assert_eq!(threads, 3, "the first one, the one that listens to signals, and the one that computes");
}

#[test]
fn a_study_keeps_its_finished_pictures() {
    let Some(folder) = folder() else { return };
    let sweep = "sweep photo.png painting.webp --size 48 --vary iterations=1,1000000 -o cells";
    let mut run = Run::start(&folder, sweep);
    run.until("a finished cell", |run| run.folder.path("cells/iterations-1.json").exists());
    run.signal("TERM");
    let (code, message) = run.end();
    let last = message.lines().last().unwrap();
    assert!(
        code == 143
            && last.contains("stopped by SIGTERM after 1 of 2;")
            && last.contains("finished pictures are in cells"),
        "{message}"
    );
    let mut names: Vec<_> =
        fs::read_dir(folder.path("cells")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["iterations-1.json", "iterations-1.png"]);
}

#[test]
fn a_run_is_explained_as_far_as_it_came() {
    let Some(folder) = folder() else { return };
    let explain = "explain photo.png painting.webp --size 48 --iterations 1000000 -o page.html";
    let mut run = Run::start_by(&folder, &["env", "--default-signal=TERM"], explain);
    // The first iteration is said.
    let mut stderr = run.child.stderr.take().unwrap();
    let mut message = String::new();
    while !message.contains("iteration 1/") {
        let mut byte = [0];
        stderr.read_exact(&mut byte).unwrap();
        message.extend(byte.map(char::from));
    }
    run.child.stderr = Some(stderr);
    run.signal("TERM");
    let (code, message) = run.end();
    assert!(code == 143 && message.contains("the page so far is in page.html"), "{message}");
    assert!(fs::read_to_string(folder.path("page.html")).unwrap().ends_with("</html>\n"));
    assert_eq!(files(&folder), ["page.html"]);
}

#[test]
fn commands_without_anything_to_keep_end_at_once() {
    let Some(folder) = folder() else { return };
    fs::create_dir(folder.path("pictures")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap().success());
    for arguments in [
        "bench --size 64 --runs 1000000",
        "gradcheck pipe painting.webp",
        "weights verify pipe",
        "reconstruct style pipe -o cells",
        "grid pipe painting.webp -o cells",
    ] {
        let mut run = Run::start(&folder, arguments);
        run.until_it_listens();
        run.signal("TERM");
        let (code, message) = run.end();
        assert_eq!(code, 143, "{arguments}: {message}");
        assert_eq!(message, "Error: stopped by SIGTERM; nothing was there to keep yet\n");
        assert_eq!(files(&folder), ["pictures", "pipe"], "{arguments}");
    }
}

#[test]
fn a_signal_removes_temporary_files_that_have_names() {
    let (Some(folder), Some(own_mounts)) = (folder(), own_mounts()) else { return };
    // Files without names get theirs through /proc. Where there is none, all have names.
    let hide_proc = ["bash", "-c", "mount -t tmpfs tmpfs /proc && exec \"$0\" \"$@\""];
    let starter = [&["env", "--default-signal=TERM"], own_mounts, &hide_proc].concat();
    let place = folder.path("out");
    fs::create_dir(&place).unwrap();
    let count = || fs::read_dir(&place).unwrap().count();
    // A conversion may end before the signal comes.
    for _ in 0..50 {
        let mut run = Run::start_by(&folder, &starter, "weights convert vgg16 -o out/weights.safetensors");
        while count() == 0 && run.child.try_wait().unwrap().is_none() {}
        run.signal("TERM");
        let (code, message) = run.end();
        if code == 143 {
            assert_eq!(message, "Error: stopped by SIGTERM; nothing was there to keep yet\n");
            assert_eq!(count(), 0, "something is left");
            return;
        }
        assert_eq!(code, 0, "{message}");
        fs::remove_file(place.join("weights.safetensors")).unwrap();
    }
    panic!("no signal came in time");
}

#[test]
fn a_limit_on_file_sizes_is_an_error() {
    let Some(folder) = folder() else { return };
    let starter = ["bash", "-c", "ulimit -f 1; exec \"$0\" \"$@\""];
    let run = Run::start_by(
        &folder,
        &starter,
        "transfer photo.png painting.webp --size 64 --iterations 1 -o out.png -q",
    );
    let (code, message) = run.end();
    assert_eq!(code, 1, "{message}");
    assert!(message.starts_with("Error: ") && message.lines().count() == 1, "{message}");
    assert_eq!(files(&folder), [""; 0]);
}

#[test]
fn every_exit_code_is_in_the_help() {
    let folder = Folder::new();
    for arguments in ["--help", "transfer --help"] {
        let text = String::from_utf8(folder.run(arguments).stdout).unwrap();
        let codes = text.split_once("Exit codes:").unwrap().1;
        for code in ["0", "1", "2", "129", "130", "143", "152"] {
            assert!(codes.lines().any(|line| line.split_whitespace().next() == Some(code)), "{code}: {text}");
        }
    }
}

/// A test that fails or hangs shall leave no program behind that only a signal ends.
impl Drop for Run<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
