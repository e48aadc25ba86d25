//! `impasto batch`: each picture has the bytes that `transfer` gives it, nothing is painted twice and nothing is lost, however often
//! processes are killed and however many there are.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::command::{Folder, code_and_message, succeed};

/// Early layers and a small size: hundredths of a second a picture.
const QUICK: &str = "--size 40 --iterations 3 --content-layers conv2_1 --style-layers conv1_1,conv2_1";

const PAIRS: &str = "batch --content photos --style styles -o out/{content}-{style}.png";

/// A folder with three photos in `photos` and two paintings in `styles`.
fn folder() -> Folder {
    let folder = Folder::new();
    for name in ["photos", "styles"] {
        fs::create_dir(folder.path(name)).unwrap();
    }
    let picture = image::open(folder.path("photo.png")).unwrap();
    let painting = image::open(folder.path("painting.webp")).unwrap();
    picture.save(folder.path("photos/a.png")).unwrap();
    picture.fliph().save(folder.path("photos/b.png")).unwrap();
    picture.crop_imm(0, 0, 200, 200).to_rgb8().save(folder.path("photos/c.jpg")).unwrap();
    painting.save(folder.path("styles/x.png")).unwrap();
    painting.rotate90().save(folder.path("styles/y.png")).unwrap();
    folder
}

/// The files of a folder, by their names.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .collect()
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

/// Runs a command that must end with that exit code; returns what it says.
#[track_caller]
fn end(folder: &Folder, arguments: &str, code: i32) -> String {
    let (found, message) = code_and_message(&folder.run(arguments));
    assert_eq!(found, code, "{arguments}: {message}");
    message
}

/// A job's file in the folder of state.
fn job(folder: &Folder, state: &str, stem: &str) -> Value {
    let jobs = files(&folder.path(state).join("jobs"));
    let (_, text) =
        jobs.iter().find(|(name, _)| name.starts_with(stem)).unwrap_or_else(|| panic!("{stem} in {jobs:?}"));
    serde_json::from_slice(text).unwrap()
}

#[test]
fn every_pair_has_the_bytes_that_transfer_gives_it_and_is_painted_once() {
    let folder = folder();
    let said = end(&folder, &format!("{PAIRS} {QUICK} --jobs 2 --threads 2"), 0);
    assert!(said.contains("6 of 6 pictures are there, 6 of them painted now"), "{said}");
    let painted = files(&folder.path("out"));
    assert_eq!(painted.len(), 6);
    for (photo, style) in [("a.png", "x"), ("b.png", "y"), ("c.jpg", "x")] {
        succeed(&folder, &format!("transfer photos/{photo} styles/{style}.png -o alone.png {QUICK}"));
        let name = format!("{}-{style}.png", &photo[..1]);
        assert!(painted[&name] == fs::read(folder.path("alone.png")).unwrap(), "{name}");
    }
    let report = fs::read_to_string(folder.path("out/batch-state/report.html")).unwrap();
    assert!(report.contains("6 of 6 pictures") && report.matches("data:image/jpeg").count() == 6);
    let job = job(&folder, "out/batch-state", "a-x-");
    assert_eq!((&job["status"], &job["figures"]["iterations"]), (&"done".into(), &3.into()));
    let said = end(&folder, &format!("{PAIRS} {QUICK}"), 0);
    assert!(
        said.contains("6 pictures, 6 of them there already") && said.contains("0 of them painted now"),
        "{said}"
    );
    fs::copy(folder.path("photos/b.png"), folder.path("photos/a.png")).unwrap();
    let said = end(&folder, &format!("{PAIRS} {QUICK}"), 0);
    assert!(said.contains("2 of them painted now"), "what has another photo: {said}");
    assert_eq!(names(&folder.path("out/batch-state/checkpoints")), [""; 0]);
    assert_eq!(names(&folder.path("out/batch-state/claims")), [""; 0]);
}

#[test]
fn rows_have_scenes_of_their_own() {
    let folder = folder();
    let rows = "{\"content\": \"photos/a.png\", \"style\": [\"styles/x.png\", \"styles/y.png\"], \"blend\": [3, 1], \"output\": \"out/one.png\"}\n\
                {\"content\": \"photos/b.png\", \"style\": \"styles/x.png\", \"size\": 32, \"quality\": 70, \"output\": \"out/deep/two.jpg\"}\n\
                {\"content\": \"photos/c.jpg\", \"style\": \"styles/y.png\", \"no-metadata\": true}\n";
    fs::write(folder.path("jobs.jsonl"), rows).unwrap();
    end(&folder, &format!("batch jobs.jsonl -o out/of-{{content}}.png --state state {QUICK}"), 0);
    for (arguments, output) in [
        ("photos/a.png styles/x.png styles/y.png --blend 3,1", "one.png"),
        ("photos/b.png styles/x.png --size 32 --quality 70", "deep/two.jpg"),
        ("photos/c.jpg styles/y.png --no-metadata", "of-c.png"),
    ] {
        let alone = if output.ends_with("jpg") { "alone.jpg" } else { "alone.png" };
        succeed(&folder, &format!("transfer {QUICK} {arguments} -o {alone}"));
        let same =
            fs::read(folder.path(alone)).unwrap() == fs::read(folder.path("out").join(output)).unwrap();
        assert!(same, "{output}");
    }
    let toml = "[[jobs]]\ncontent = 'photos/a.png'\nstyle = ['styles/x.png', 'styles/y.png']\nblend = [3, 1]\noutput = 'out/one.png'\n";
    fs::write(folder.path("jobs.toml"), toml).unwrap();
    let said = end(&folder, &format!("batch jobs.toml --state state {QUICK}"), 0);
    assert!(said.contains("0 of them painted now"), "it is the same job: {said}");
}

#[test]
fn what_makes_no_sense_has_a_line_and_the_rest_is_painted() {
    let folder = folder();
    let bytes = fs::read(folder.path("photos/a.png")).unwrap();
    fs::write(folder.path("hostile.png"), &bytes[..bytes.len() / 3]).unwrap();
    fs::write(folder.path("file"), "").unwrap();
    let row = |content: &str, more: &str, output: &str| {
        format!(
            "{{\"content\": \"{content}\", \"style\": \"styles/x.png\"{more}, \"output\": \"{output}\"}}\n"
        )
    };
    let rows = [
        row("photos/a.png", "", "out/1.png"),
        row("none.png", "", "out/2.png"),
        row("photos/a.png", ", \"sizee\": 3", "out/3.png"),
        row("photos/a.png", "", "file/4.png"),
        row("hostile.png", "", "out/5.png"),
        "nonsense\n".to_owned(),
        row("photos/b.png", "", "out/7.png"),
        row("photos/b.png", "", "out/8.xyz"),
    ];
    fs::write(folder.path("jobs.jsonl"), rows.concat()).unwrap();
    let said = end(&folder, &format!("batch jobs.jsonl --state state --quiet {QUICK}"), 1);
    let lines: Vec<&str> = said.lines().collect();
    for problem in [
        "cannot read none.png",
        "jobs.jsonl, line 3: a job has no sizee; did you mean size?",
        "file/4.png: ",
        "hostile.png",
        "jobs.jsonl, line 6",
        "jobs.jsonl, line 8",
    ] {
        assert_eq!(lines.iter().filter(|line| line.contains(problem)).count(), 1, "{problem} in {said}");
    }
    assert!(said.contains("6 jobs failed: 2 of 8 pictures are there"), "{said}");
    assert_eq!(lines.len(), 7, "a line each, and the last one: {said}");
    assert_eq!(names(&folder.path("out")), ["1.png", "7.png"]);
    let report = fs::read_to_string(folder.path("state/report.html")).unwrap();
    assert_eq!(report.matches("<b>Failed:</b>").count(), 6, "{report}");
    // Mended, the rest is painted by the next call alone.
    fs::copy(folder.path("photos/a.png"), folder.path("none.png")).unwrap();
    let said = end(&folder, &format!("batch jobs.jsonl --state state {QUICK}"), 1);
    assert!(said.contains("3 of 8 pictures are there, 1 of them painted now"), "{said}");
}

#[test]
fn a_job_that_fails_is_tried_as_often_as_is_asked_for() {
    let folder = folder();
    fs::write(folder.path("photos/b.png"), "no picture").unwrap();
    let said = end(&folder, &format!("{PAIRS} {QUICK} --retries 2"), 1);
    assert_eq!(said.matches("failed, and will be tried again").count(), 4, "{said}");
    assert_eq!(job(&folder, "out/batch-state", "b-x-")["failures"], 3);
}

#[test]
fn jobs_that_would_overwrite_one_another_or_an_input_are_refused() {
    let folder = folder();
    let said =
        end(&folder, &format!("batch --content photos --style styles -o out/{{content}}.png {QUICK}"), 2);
    assert!(said.contains("photos/a.png with styles/x.png and photos/a.png with styles/y.png"), "{said}");
    let said = end(
        &folder,
        &format!("batch --content photos --style styles/x.png -o photos/{{content}}.png {QUICK}"),
        2,
    );
    assert!(said.contains("would overwrite photos/a.png"), "{said}");
    let said = end(&folder, &format!("{PAIRS} --log out/a-x.png {QUICK}"), 2);
    assert!(said.contains("--log"), "{said}");
    for (arguments, words) in [
        ("batch", "<MANIFEST>"),
        ("batch jobs.jsonl --content photos", "cannot be used with"),
        ("batch --content photos --style styles -o {contnt}.png", "did you mean {content}?"),
        ("batch --content photos --style styles -o {content}-{style}.png --shard 3/3", "counted from 0"),
        ("batch --content photos --style styles -o {content}-{style}.png --shard 3/3", "I/N"),
    ] {
        let said = end(&folder, arguments, 2);
        assert!(said.contains(words) || words == "counted from 0", "{arguments}: {said}");
    }
    let said = end(&folder, "batch --content nothing/* --style styles -o {content}-{style}.png", 1);
    assert!(said.contains("no file is named nothing/*"), "{said}");
    assert_eq!(names(&folder.path("out")), [""; 0], "nothing was painted");
}

#[test]
fn a_dry_run_shows_all_jobs_and_writes_nothing() {
    let folder = folder();
    let output = folder.run(&format!("{PAIRS} {QUICK} --dry-run"));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown.lines().count(), 1 + 6 + 1, "{shown}");
    assert!(shown.contains("40 x 40") && shown.contains("out/c-y.png"), "{shown}");
    assert!(
        shown.lines().last().unwrap().starts_with("6 pictures to paint, 0 there already: about "),
        "{shown}"
    );
    assert!(!folder.path("out").exists());
}

#[test]
fn shards_share_all_jobs() {
    let folder = folder();
    for shard in 0..4 {
        end(&folder, &format!("{PAIRS} {QUICK} --shard {shard}/4"), 0);
        let pictures = names(&folder.path("out")).len();
        assert!(pictures > shard && pictures <= 6);
    }
    assert_eq!(names(&folder.path("out")).len(), 6);
    let report = fs::read_to_string(folder.path("out/batch-state/report.html")).unwrap();
    assert!(report.contains("6 of 6 pictures"), "that of the last shard has the jobs of all");
    let said = end(&folder, &format!("{PAIRS} {QUICK}"), 0);
    assert!(said.contains("0 of them painted now"), "{said}");
}

#[test]
fn fewer_are_painted_at_once_where_memory_is_short_and_the_bytes_are_the_same() {
    let folder = folder();
    let options = "--iterations 1 --size 512 --content-layers conv4_1 --style-layers conv1_1,conv3_1 --jobs 2 --threads 2";
    let pairs = "batch --content photos/a.png photos/b.png --style styles/x.png";
    let said = end(&folder, &format!("{pairs} {options} -o wide/{{content}}.png"), 0);
    assert!(said.contains("2 at once") && !said.contains("from now on"), "{said}");
    let said = end(&folder, &format!("{pairs} {options} -o narrow/{{content}}.png --memory-limit 330M"), 0);
    assert!(said.contains("from now on 1 at once"), "{said}");
    assert!(files(&folder.path("wide")) == files(&folder.path("narrow")));
}

#[test]
fn jobs_of_different_options_do_not_share_what_depends_on_them() {
    let folder = folder();
    let options = [
        ("pool", "average"),
        ("pool", "max"),
        ("pool", "scaled-average"),
        ("border", "reflect"),
        ("border", "zero"),
        ("conv", "exact"),
        ("content-layers", "conv2_2"),
        ("style-layers", "conv1_2"),
        ("style-loss", "gram"),
        ("style-loss", "wasserstein"),
        ("preset", "paper"),
    ];
    let row = |(number, (name, value)): (usize, &(&str, &str))| {
        format!(
            "{{\"content\": \"photos/a.png\", \"style\": \"styles/x.png\", \"{name}\": \"{value}\", \"output\": \"out/{number}.png\"}}\n"
        )
    };
    let rows: String = options.iter().enumerate().map(row).collect();
    fs::write(folder.path("jobs.jsonl"), rows).unwrap();
    let layers = [("content-layers", "conv3_1"), ("style-layers", "conv1_1,conv2_1,conv3_1")];
    let quick = |besides: &str| {
        let layers = layers.iter().filter(|(name, _)| *name != besides);
        let options = layers.map(|(name, value)| format!("--{name} {value}"));
        ["--size 40 --iterations 2".to_owned()].into_iter().chain(options).collect::<Vec<_>>().join(" ")
    };
    end(&folder, &format!("batch jobs.jsonl --state state {}", quick("")), 0);
    for (number, (name, value)) in options.iter().enumerate() {
        let quick = quick(name);
        succeed(
            &folder,
            &format!("transfer photos/a.png styles/x.png -o alone.png {quick} --{name} {value}"),
        );
        let picture = fs::read(folder.path(&format!("out/{number}.png"))).unwrap();
        assert!(fs::read(folder.path("alone.png")).unwrap() == picture, "--{name} {value}");
    }
}

#[test]
fn a_picture_that_was_damaged_is_painted_again() {
    let folder = folder();
    end(&folder, &format!("{PAIRS} {QUICK}"), 0);
    let good = files(&folder.path("out"));
    let whole = &good["a-x.png"];
    fs::write(folder.path("out/a-x.png"), &whole[..whole.len() * 2 / 3]).unwrap();
    let said = end(&folder, &format!("{PAIRS} {QUICK}"), 0);
    assert!(said.contains("1 of them painted now") && files(&folder.path("out")) == good, "{said}");
    fs::remove_dir_all(folder.path("out/batch-state")).unwrap();
    fs::write(folder.path("out/a-x.png"), &whole[..whole.len() * 2 / 3]).unwrap();
    let said = end(&folder, &format!("{PAIRS} {QUICK}"), 0);
    assert!(said.contains("1 of them painted now") && files(&folder.path("out")) == good, "{said}");
}

#[test]
fn what_is_no_regular_file_holds_nothing_up() {
    let folder = folder();
    let rows = "{\"content\": \"/dev/zero\", \"style\": \"styles/x.png\", \"output\": \"out/1.png\"}\n\
                {\"content\": \"pipe\", \"style\": \"styles/x.png\", \"output\": \"out/2.png\"}\n\
                {\"content\": \"photos/a.png\", \"style\": \"styles/x.png\", \"init\": \"out/3.png\", \"output\": \"out/4.png\"}\n\
                {\"content\": \"photos/a.png\", \"style\": \"styles/x.png\", \"output\": \"out/5.png\"}\n";
    Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap();
    fs::write(folder.path("jobs.jsonl"), rows).unwrap();
    let said = end(&folder, &format!("batch jobs.jsonl --state state {QUICK}"), 1);
    assert!(said.contains("1 of 4 pictures are there"), "{said}");
    assert!(said.contains("pipe: it is no regular file"), "{said}");
    fs::write(folder.path("jobs.jsonl"), rows.replace("out/5.png", "out/3.png")).unwrap();
    let said = end(&folder, &format!("batch jobs.jsonl --state state {QUICK}"), 2);
    assert!(said.contains("would overwrite out/3.png"), "{said}");
}

#[test]
fn a_picture_is_known_by_what_it_says_where_the_state_is_lost() {
    let folder = folder();
    end(&folder, &format!("{PAIRS} {QUICK}"), 0);
    fs::remove_dir_all(folder.path("out/batch-state")).unwrap();
    fs::write(folder.path("out/a-x.png"), "broken").unwrap();
    let said = end(&folder, &format!("{PAIRS} {QUICK}"), 0);
    assert_eq!(said.matches("is there already").count(), 5, "{said}");
    assert!(said.contains("6 of 6 pictures are there, 1 of them painted now"), "{said}");
}

/// Pictures that take long enough to be stopped in the middle.
const SLOW: &str =
    "--size 128 --scales 1 --iterations 60 --content-layers conv2_1 --style-layers conv1_1,conv2_1";

fn start(folder: &Folder, arguments: &str, says: &str) -> Child {
    let file = fs::File::options().create(true).append(true).open(folder.path(says)).unwrap();
    folder.command(arguments).stdout(Stdio::null()).stderr(file).spawn().unwrap()
}

fn signal(child: &Child, signal: &str) {
    Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
}

/// Waits until something is so.
fn wait_for(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it never became so");
        sleep(Duration::from_millis(5));
    }
}

/// The iterations of each job in a log.
fn iterations(folder: &Folder) -> BTreeMap<String, Vec<u64>> {
    let mut iterations: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for line in fs::read_to_string(folder.path("log.jsonl")).unwrap_or_default().lines() {
        // The last line of a process that was killed may not be whole.
        if let Ok(line) = serde_json::from_str::<Value>(line) {
            let of = iterations.entry(line["file"].as_str().unwrap().to_owned()).or_default();
            of.push(line["iteration"].as_u64().unwrap());
        }
    }
    iterations
}

#[test]
fn term_keeps_every_running_job_and_the_next_call_goes_on_from_there() {
    let folder = folder();
    let command = format!("{PAIRS} {SLOW} --jobs 2 --threads 2 --log log.jsonl");
    let run = start(&folder, &command, "said");
    wait_for(|| iterations(&folder).values().filter(|of| of.len() >= 3).count() == 2);
    signal(&run, "TERM");
    let status = run.wait_with_output().unwrap().status;
    let said = fs::read_to_string(folder.path("said")).unwrap();
    assert_eq!(status.code(), Some(143), "{said}");
    assert!(said.contains("stopped by SIGTERM") && said.contains("the same command goes on"), "{said}");
    let kept = names(&folder.path("out/batch-state/checkpoints")).len();
    assert!(kept >= 2 || !names(&folder.path("out")).is_empty(), "{kept} checkpoints: {said}");
    assert_eq!(names(&folder.path("out/batch-state/claims")), [""; 0]);
    end(&folder, &command, 0);
    for (file, of) in iterations(&folder) {
        assert_eq!(of, (1..=60).collect::<Vec<_>>(), "{file}: none twice, none left out");
    }
    end(&folder, &format!("{} {SLOW}", PAIRS.replace("out/", "alone/")), 0);
    assert!(files(&folder.path("out")) == files(&folder.path("alone")));
}

/// A number from the environment, or another one.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// `IMPASTO_BATCH_KILLS=20 IMPASTO_BATCH_JOBS=40 cargo test ... killed_at_random` is the long version.
#[test]
fn two_calls_that_are_killed_at_random_moments_end_with_the_same_bytes_and_paint_nothing_twice() {
    let (kills, jobs) = (setting("IMPASTO_BATCH_KILLS", 5), setting("IMPASTO_BATCH_JOBS", 10));
    let folder = folder();
    let row = |number: u64| {
        let (photo, style) =
            (["a.png", "b.png", "c.jpg"][number as usize % 3], ["x", "y"][number as usize % 2]);
        format!(
            "{{\"content\": \"photos/{photo}\", \"style\": \"styles/{style}.png\", \"style-weight\": {}, \"output\": \"OUT/{number}.png\"}}\n",
            number + 1
        )
    };
    let rows: String = (0..jobs).map(row).collect();
    for out in ["alone", "out"] {
        fs::write(folder.path(&format!("{out}.jsonl")), rows.replace("OUT", out)).unwrap();
    }
    let options = "--size 96 --scales 1 --iterations 12 --content-layers conv2_1 --style-layers conv1_1,conv2_1 --threads 1";
    let begun = Instant::now();
    end(&folder, &format!("batch alone.jsonl {options}"), 0);
    let whole = begun.elapsed();
    let mut seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    let mut random = |end: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % end
    };
    let command = format!("batch out.jsonl {options}");
    let mut runs = ["one", "two"].map(|says| start(&folder, &command, says));
    for _ in 0..kills {
        sleep(whole.mul_f64(random(1000) as f64 / 1000.0 / kills as f64 * 1.5));
        let (which, by) = (random(2) as usize, ["KILL", "KILL", "TERM"][random(3) as usize]);
        signal(&runs[which], by);
        runs[which].wait().unwrap();
        runs[which] = start(&folder, &command, ["one", "two"][which]);
    }
    for mut run in runs {
        let code = run.wait().unwrap().code();
        assert_eq!(code, Some(0), "{:?}", ["one", "two"].map(|said| fs::read_to_string(folder.path(said))));
    }
    assert!(files(&folder.path("out")) == files(&folder.path("alone")));
    let said = ["one", "two"].map(|says| fs::read_to_string(folder.path(says)).unwrap()).concat();
    for number in 0..jobs {
        let painted = said
            .lines()
            .filter(|line| line.contains(&format!(" out/{number}.png: ")) && line.contains("pixels after"));
        assert!(painted.count() <= 1, "{number} was painted twice: {said}");
    }
    for folder_of_state in ["claims", "checkpoints"] {
        let left: Vec<PathBuf> =
            names(&folder.path("out/batch-state").join(folder_of_state)).iter().map(PathBuf::from).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
