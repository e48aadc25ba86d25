//! What help lists is heeded: each option of each command changes what the command does. What is not listed is refused, and
//! help looks as it should at every width.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Output;

use crate::command::{Folder, code_and_message};
use impasto_style::OPTIONS;

/// A command, with operands and options that make it short.
struct Short {
    name: &'static str,
    operands: &'static str,
    options: &'static str,
}

const COMMANDS: [Short; 14] = [
    Short { name: "transfer", operands: "photo.png painting.webp", options: "--output out.png" },
    Short { name: "batch", operands: "one.jsonl", options: "--state state" },
    Short { name: "reconstruct", operands: "content photo.png", options: "--output out --layers conv2_1" },
    Short {
        name: "grid",
        operands: "photo.png painting.webp",
        options: "--output out --layers conv1_1 --ratios 1e-3",
    },
    Short { name: "sweep", operands: "photo.png painting.webp", options: "--output out --vary seed=0" },
    Short { name: "explain", operands: "photo.png painting.webp", options: "--output out.html" },
    Short { name: "features", operands: "photo.png", options: "--output out.npz --layers conv1_1" },
    Short { name: "gradcheck", operands: "", options: "--operations-only" },
    Short { name: "show", operands: "said.png", options: "" },
    Short { name: "weights inspect", operands: "vgg16", options: "" },
    Short { name: "weights convert", operands: "vgg16", options: "--output out.safetensors" },
    Short { name: "weights verify", operands: "vgg16", options: "" },
    Short {
        name: "weights normalise",
        operands: "vgg16",
        options: "--output out.safetensors --images pictures",
    },
    Short { name: "bench", operands: "", options: "--runs 1" },
];

/// Options that make every command quick that has them.
const QUICK: &str = "--size 32 --iterations 2 --content-layers conv2_1 --style-layers conv1_1,conv2_1 \
                     --no-metadata";

/// How an option is tried: what is given besides, in which place of the operands, its value, and what the command then says.
/// Where it need say nothing, the files that it writes, its exit code or its standard output must become others.
#[derive(Clone, Copy)]
struct Trial {
    /// None: every command that has the option, and no trial of its own for it.
    command: Option<&'static str>,
    option: &'static str,
    value: &'static str,
    besides: &'static str,
    operands: Option<&'static str>,
    says: Option<&'static str>,
}

const fn other(option: &'static str, value: &'static str) -> Trial {
    Trial { command: None, option, value, besides: "", operands: None, says: None }
}

const fn with(option: &'static str, value: &'static str, besides: &'static str) -> Trial {
    Trial { besides, ..other(option, value) }
}

const fn says(option: &'static str, value: &'static str, says: &'static str) -> Trial {
    Trial { says: Some(says), ..other(option, value) }
}

const fn on(operands: &'static str, trial: Trial) -> Trial {
    Trial { operands: Some(operands), ..trial }
}

const fn of(command: &'static str, trial: Trial) -> Trial {
    Trial { command: Some(command), ..trial }
}

/// A photo and two paintings.
const TWO: &str = "photo.png painting.webp other.png";

const TRIALS: &[Trial] = &[
    other("preset", "neural-style"),
    other("size", "48"),
    other("content-weight", "1"),
    other("style-weight", "5"),
    other("tv-weight", "1"),
    with("tv-points", "9", "--tv-weight 1"),
    other("style-scale", "0.5"),
    other("content-layers", "conv1_2"),
    other("style-layers", "conv1_2"),
    with("style-loss", "wasserstein", "--style-loss gram"),
    other("loss-scale", "neural-style"),
    with("pool", "scaled-average", "--pool average"),
    with("border", "reflect", "--border zero"),
    other("init", "painting.webp"),
    with("seed", "7", "--init noise"),
    with("effort", "draft", "--iterations auto"),
    other("iterations", "3"),
    with("scales", "2", "--scales 1 --size 192"),
    with("scale-factor", "1.5", "--scales 2 --size 192"),
    with("smallest-scale", "16", "--scales 2"),
    other("optimizer", "adam"),
    with("history", "1", "--iterations 6"),
    with("learning-rate", "9", "--optimizer adam"),
    with("adam-beta2", "0.5", "--optimizer adam"),
    with("average-decay", "0.5", "--optimizer adam"),
    with("pixel-range", "clamped", "--optimizer adam --learning-rate 60 --average-decay 0.5"),
    with("moments", "carried", "--optimizer adam --scales 2 --size 192"),
    with("conv", "exact", "--iterations 12"),
    says("memory-limit", "1M", "are free or allowed"),
    says("weights", "none.pth", "none.pth"),
    says("preprocess", "torch", "--preprocess is for a"),
    says("threads", "1025", "--threads must be from 1 to 1024"),
    says("config", "none.toml", "none.toml"),
    other("no-config", ""),
    says("help", "", "Usage:"),
    says("version", "", " 0."),
    on(TWO, other("blend", "1,9")),
    on(TWO, other("mask", "left.png,-")),
    on(TWO, with("mask-reach", "inside", "--mask left.png,- --style-layers conv3_1")),
    other("style-mask", "part.png"),
    other("keep", "left.png"),
    with("content-mask", "left.png", "--content-weight 1"),
    other("regions", "left_seg.png part_seg.png"),
    other("colours", "photo"),
    on("clear.png painting.webp", other("background", "white")),
    says("scene", "none.toml", "none.toml"),
    says("print-scene", "", "[[inputs]]"),
    of("reconstruct", on("style painting.webp other.png", other("blend", "1,9"))),
    of("reconstruct", on("style painting.webp other.png", other("mask", "part.png,-"))),
    of(
        "reconstruct",
        on(
            "style painting.webp other.png",
            with("mask-reach", "inside", "--mask part.png,- --layers conv3_1"),
        ),
    ),
    of("grid", with("content-mask", "left.png", "--ratios 1")),
    of("grid", on(TWO, with("mask-reach", "inside", "--mask left.png,- --layers conv3_1"))),
    of("reconstruct", on("style painting.webp", other("style-mask", "part.png"))),
    of("reconstruct", on("content clear.png", other("background", "white"))),
    says("output", "none/none/out.png", "none"),
    other("quiet", ""),
    says("verbose", "", "conv1_1"),
    of("transfer", with("quality", "10", "--output out.jpg")),
    of("transfer", other("no-metadata", "")),
    of("transfer", other("depth", "16")),
    of("transfer", other("dither", "none")),
    of("transfer", other("profile", "none")),
    of("transfer", other("dpi", "300")),
    of("transfer", says("print", "A3", "cannot be used with")),
    of("transfer", other("save-every", "1")),
    other("log", "out.jsonl"),
    of("explain", with("save-every", "1", "--picture out.png")),
    other("picture", "out.png"),
    other("dump", "numbers"),
    of("transfer", other("checkpoint", "out.run")),
    of("transfer", says("checkpoint-every", "1s", "--checkpoint-every needs --checkpoint")),
    of("transfer", on("", says("resume", "none.run", "none.run"))),
    of("transfer", with("time-limit", "1ms", "--iterations 1000")),
    of("reconstruct", on("style painting.webp", other("style-scale", "0.5"))),
    of("reconstruct", on("style painting.webp", other("style-loss", "wasserstein"))),
    of("reconstruct", on("style painting.webp", other("canvas", "40x16"))),
    of("batch", on("two.jsonl", other("blend", "1,9"))),
    of("batch", on("masks.jsonl", with("mask-reach", "inside", "--style-layers conv3_1"))),
    of("batch", on("clear.jsonl", other("background", "white"))),
    of(
        "batch",
        on(
            "",
            with(
                "content",
                "photo.png",
                "--style painting.webp --output made/{content}.png --size 32 --iterations 2",
            ),
        ),
    ),
    of(
        "batch",
        on(
            "",
            with(
                "style",
                "painting.webp",
                "--content photo.png --output made/{content}.png --size 32 --iterations 2",
            ),
        ),
    ),
    of(
        "batch",
        on(
            "",
            with(
                "output",
                "made/{content}.png",
                "--content photo.png --style painting.webp --size 32 --iterations 2",
            ),
        ),
    ),
    of("batch", says("verbose", "", "2 iterations, ")),
    of("batch", on("jpeg.jsonl", other("quality", "10"))),
    of("batch", other("no-metadata", "")),
    of("batch", other("depth", "16")),
    of("batch", other("dither", "none")),
    of("batch", other("profile", "none")),
    of("batch", other("dpi", "300")),
    of("batch", other("dry-run", "")),
    of("batch", says("state", "elsewhere", "the state is in elsewhere")),
    of("batch", other("shard", "1/2")),
    of("batch", on("broken.jsonl", says("retries", "1", "will be tried again"))),
    of(
        "batch",
        on(
            "",
            Trial {
                besides: "--content photo.png other.png --style painting.webp --output made/{content}.png --threads 1 --size 32 --iterations 2",
                ..says("jobs", "2", "2 at once")
            },
        ),
    ),
    of("batch", with("time-limit", "1ms", "--iterations 1000")),
    other("layers", "conv1_2"),
    other("ratios", "1e3"),
    other("vary", "pool=average"),
    of("sweep", with("seed", "7", "--init noise --vary tv-weight=0")),
    of("gradcheck", other("seed", "7")),
    of("gradcheck", on("photo.png painting.webp", other("size", "26"))),
    of("gradcheck", on("photo.png painting.webp", with("pool", "average", "--pool max"))),
    of("gradcheck", on("photo.png painting.webp", with("border", "reflect", "--border zero"))),
    of("gradcheck", on("photo.png painting.webp", other("preset", "paper"))),
    of("gradcheck", on("photo.png painting.webp", says("memory-limit", "1K", "are free or allowed"))),
    of("gradcheck", on("photo.png painting.webp", says("weights", "none.pth", "none.pth"))),
    of("gradcheck", on("photo.png painting.webp", says("preprocess", "torch", "--weights"))),
    of("gradcheck", on("photo.png painting.webp", with("operations-only", "", "--size 20"))),
    of("gradcheck", other("plot", "out.svg")),
    of("gradcheck", other("list", "")),
    of("gradcheck", other("filter", "pooling")),
    of("gradcheck", other("points", "2")),
    of("gradcheck", other("quiet", "")),
    of("gradcheck", says("json", "", "\"passed\": true")),
    of("features", on("clear.png", other("background", "black"))),
    of("features", with("conv", "exact", "--conv fast --layers conv2_2")),
    of("features", with("pool", "average", "--pool max --layers conv2_1")),
    of("features", with("preset", "paper", "--layers conv2_1")),
    of("weights convert", other("layers", "conv1_1")),
    of("weights convert", says("output", "none/none/out.safetensors", "none")),
    of("weights normalise", says("output", "none/none/out.safetensors", "none")),
    other("dtype", "f16"),
    of("weights normalise", says("images", "none", "none")),
    of("weights normalise", with("pool", "max", "--pool average")),
    of("bench", says("arch", "vgg19", "vgg19 to")),
    of("bench", says("size", "48", "48 x 48")),
    of("bench", says("runs", "2", " of 2")),
    of("bench", other("conv", "exact")),
    of("show", says("json", "", "{\"impasto\"")),
    of("bench", says("style-loss", "wasserstein", "style loss wasserstein")),
    of("bench", says("json", "", "{\"")),
];

/// `--a b --c` as (a, b), (c, "").
fn pairs(options: &str) -> impl Iterator<Item = (String, String)> {
    let parts = options.split("--").map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| {
        let (name, value) = part.split_once(' ').unwrap_or((part, ""));
        (name.to_owned(), value.to_owned())
    })
}

/// The options that a help text lists, and no other words of it.
fn listed(help: &str) -> BTreeSet<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines = help.lines().filter(|line| indent(line) <= 6 && line.trim_start().starts_with('-'));
    let names = lines.filter_map(|line| line.split([' ', ',', '[']).find_map(|word| word.strip_prefix("--")));
    names.map(str::to_owned).collect()
}

fn help(name: &str) -> String {
    let output = Folder::new().run(&format!("{name} --help"));
    assert!(output.status.success(), "{name}");
    String::from_utf8(output.stdout).unwrap()
}

/// The trial of an option of a command.
fn trial(command: &str, option: &str) -> Option<&'static Trial> {
    let of_option = || TRIALS.iter().filter(|trial| trial.option == option);
    let own = of_option().find(|trial| trial.command == Some(command));
    own.or_else(|| of_option().find(|trial| trial.command.is_none()))
}

/// The whole command line of a trial, with the option or without.
fn line(command: &Short, trial: &Trial, known: &BTreeSet<String>, with: bool) -> String {
    let mut options: BTreeMap<String, String> =
        pairs(QUICK).filter(|(name, _)| known.contains(name)).collect();
    match trial.operands {
        // Of two pictures a whole objective is checked: the quicker one of two.
        Some(_) if command.name == "gradcheck" => {
            options.insert("size".to_owned(), "24".to_owned());
            if trial.option != "operations-only" {
                options.insert("filter".to_owned(), "masks".to_owned());
            }
        }
        Some("") => options.clear(),
        _ => options.extend(pairs(command.options)),
    }
    options.extend(pairs(trial.besides));
    // A flag that makes it quick is tried against its absence.
    if trial.value.is_empty() {
        options.remove(trial.option);
    }
    if with {
        options.insert(trial.option.to_owned(), trial.value.to_owned());
    }
    let options = options.iter().map(|(name, value)| format!(" --{name} {value}"));
    format!("{} {}{}", command.name, trial.operands.unwrap_or(command.operands), options.collect::<String>())
}

/// All that a command does: its exit code, whether it says something, and what it writes that is no time and no record.
#[derive(Debug, PartialEq)]
struct Deed {
    code: Option<i32>,
    is_quiet: bool,
    written: BTreeMap<String, Vec<u8>>,
}

fn run(line: &str, option: &str) -> (Deed, String) {
    let folder = Folder::new();
    make_pictures(&folder);
    fs::create_dir(folder.path("pictures")).unwrap();
    fs::copy(folder.path("photo.png"), folder.path("pictures/photo.png")).unwrap();
    if line.starts_with("show") {
        folder.run(&format!(
            "transfer photo.png painting.webp -o said.png {}",
            QUICK.replace("--no-metadata", "")
        ));
    }
    if option == "no-config" {
        fs::create_dir(folder.path("settings")).unwrap();
        fs::write(folder.path("settings/impasto.toml"), "nonsense = 1").unwrap();
    }
    let output: Output = folder.run(line);
    let text = [&output.stdout[..], &output.stderr].concat();
    let mut written = BTreeMap::from([("standard output".to_owned(), output.stdout)]);
    collect(&folder.path(""), &mut written);
    let text = String::from_utf8_lossy(&text).into_owned();
    // Commands that heed none of the settings say so.
    let is_quiet = if option == "no-config" { !text.contains("nonsense") } else { output.stderr.is_empty() };
    (Deed { code: output.status.code(), is_quiet, written }, text)
}

/// A second painting, masks and segmentations of the photo and the painting, a photo that is clear in a part, and manifests of one row.
fn make_pictures(folder: &Folder) {
    let photo = image::open(folder.path("photo.png")).unwrap().into_rgba8();
    for (name, of) in [("left", "photo.png"), ("part", "painting.webp")] {
        let (width, height) = image::image_dimensions(folder.path(of)).unwrap();
        let is_left = |x| 2 * x < width;
        let mask = image::GrayImage::from_fn(width, height, |x, _| image::Luma([255 * u8::from(is_left(x))]));
        mask.save(folder.path(&format!("{name}.png"))).unwrap();
        let colour = |x| if is_left(x) { [255, 0, 0] } else { [0, 0, 255] };
        let colours = image::RgbImage::from_fn(width, height, |x, _| image::Rgb(colour(x)));
        colours.save(folder.path(&format!("{name}_seg.png"))).unwrap();
    }
    image::imageops::rotate180(&photo).save(folder.path("other.png")).unwrap();
    let clear = |x: u32, y: u32| {
        let mut pixel = *photo.get_pixel(x, y);
        pixel[3] = 255 * u8::from(x > photo.width() / 3);
        pixel
    };
    let clear = image::RgbaImage::from_fn(photo.width(), photo.height(), clear);
    clear.save(folder.path("clear.png")).unwrap();
    for (name, content, style, more) in [
        ("one", "photo.png", "\"painting.webp\"", "\"output\": \"out.png\""),
        ("two", "photo.png", "[\"painting.webp\", \"other.png\"]", "\"output\": \"out.png\""),
        (
            "masks",
            "photo.png",
            "[\"painting.webp\", \"other.png\"]",
            "\"mask\": [\"left.png\", \"-\"], \"output\": \"out.png\"",
        ),
        ("clear", "clear.png", "\"painting.webp\"", "\"output\": \"out.png\""),
        ("jpeg", "photo.png", "\"painting.webp\"", "\"output\": \"out.jpg\""),
        ("broken", "none.png", "\"painting.webp\"", "\"output\": \"out.png\""),
    ] {
        let row = format!("{{\"content\": \"{content}\", \"style\": {style}, {more}}}\n");
        fs::write(folder.path(&format!("{name}.jsonl")), row).unwrap();
    }
}

/// The arrays of an archive: its manifest has the command line in it, which always differs.
fn arrays(path: &Path) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut bytes = Vec::new();
    for entry in 0..archive.len() {
        let mut entry = archive.by_index(entry).unwrap();
        let name = entry.name().unwrap().into_owned();
        if name != "manifest.json" {
            bytes.extend(name.bytes());
            entry.read_to_end(&mut bytes).unwrap();
        }
    }
    bytes
}

/// The files of a folder: of records and logs their names alone, of a page the pictures in it.
fn collect(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
            continue;
        }
        let bytes = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json" | "jsonl" | "run" | "svg") => Vec::new(),
            Some("npz") => arrays(&path),
            Some("html") => {
                let page = fs::read_to_string(&path).unwrap();
                let pictures = page.split("data:image/").skip(1).map(|rest| rest.split('"').next().unwrap());
                pictures.collect::<String>().into_bytes()
            }
            _ => fs::read(&path).unwrap(),
        };
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        files.insert(name, bytes);
    }
}

/// Tries every option that the command's help lists.
#[track_caller]
fn heeds_what_it_lists(name: &str) {
    let command = COMMANDS.iter().find(|command| command.name == name).unwrap();
    let known = listed(&help(name));
    assert!(known.contains("help") && known.len() > 3, "{known:?}");
    let mut deeds: BTreeMap<String, Deed> = BTreeMap::new();
    let mut unheeded = Vec::new();
    for option in &known {
        let Some(trial) = trial(name, option) else {
            unheeded.push(format!("no trial for `{name} --{option}`"));
            continue;
        };
        let (deed, text) = run(&line(command, trial, &known, true), option);
        let heeded = if let Some(says) = trial.says {
            text.contains(says)
        } else {
            let without = line(command, trial, &known, false);
            let cached = deeds.entry(format!("{without}{}", option == "no-config"));
            *cached.or_insert_with(|| run(&without, option).0) != deed
        };
        if !heeded {
            unheeded.push(format!("`{name} --{option}` changes nothing: {text}"));
        }
    }
    assert!(unheeded.is_empty(), "{}", unheeded.join("\n"));
}

#[test]
fn transfer_heeds_what_it_lists() {
    heeds_what_it_lists("transfer");
}

#[test]
fn batch_heeds_what_it_lists() {
    heeds_what_it_lists("batch");
}

#[test]
fn reconstruct_heeds_what_it_lists() {
    heeds_what_it_lists("reconstruct");
}

#[test]
fn grid_heeds_what_it_lists() {
    heeds_what_it_lists("grid");
}

#[test]
fn sweep_heeds_what_it_lists() {
    heeds_what_it_lists("sweep");
}

#[test]
fn explain_heeds_what_it_lists() {
    heeds_what_it_lists("explain");
}

#[test]
fn gradcheck_heeds_what_it_lists() {
    heeds_what_it_lists("gradcheck");
}

#[test]
fn features_heeds_what_it_lists() {
    heeds_what_it_lists("features");
}

#[test]
fn weights_heeds_what_it_lists() {
    for name in ["inspect", "convert", "verify", "normalise"] {
        heeds_what_it_lists(&format!("weights {name}"));
    }
}

#[test]
fn show_heeds_what_it_lists() {
    heeds_what_it_lists("show");
}

#[test]
fn bench_heeds_what_it_lists() {
    heeds_what_it_lists("bench");
}

/// A trial that no command needs any more is one too many, and so is a command that is not in the list.
#[test]
fn every_trial_is_of_an_option_and_every_command_is_tried() {
    let known: BTreeMap<&str, BTreeSet<String>> =
        COMMANDS.iter().map(|command| (command.name, listed(&help(command.name)))).collect();
    for tried in TRIALS {
        let is_used = known.iter().any(|(name, options)| {
            options.contains(tried.option)
                && trial(name, tried.option).is_some_and(|found| std::ptr::eq(found, tried))
        });
        assert!(is_used, "nothing has the option of the trial {:?} --{}", tried.command, tried.option);
    }
    for group in ["", "weights"] {
        let text = help(group);
        let lines = text.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = lines.filter_map(|line| line.split_whitespace().next());
        for name in names.filter(|name| name.chars().all(|c| c.is_ascii_lowercase()) && *name != "help") {
            let name = format!("{group} {name}");
            let is_tried = COMMANDS.iter().any(|command| command.name.starts_with(name.trim()));
            assert!(is_tried, "{name} is not tried");
        }
    }
}

#[test]
fn what_is_not_listed_is_wrong_use_with_a_reason() {
    for command in ["reconstruct", "grid", "features", "gradcheck"] {
        let short = COMMANDS.iter().find(|short| short.name == command).unwrap();
        let known = listed(&help(command));
        let left_out: Vec<_> = OPTIONS.iter().filter(|row| !known.contains(row.name)).collect();
        assert!(!left_out.is_empty(), "{command}");
        for row in left_out {
            let Some(value) = trial("transfer", row.name).map(|trial| trial.value) else {
                panic!("no trial of --{}", row.name);
            };
            let arguments = format!("{command} {} {} --{} {value}", short.operands, short.options, row.name);
            let (code, message) = code_and_message(&Folder::new().run(&arguments));
            assert_eq!(code, 2, "{arguments}: {message}");
            let begin = format!("Error: impasto {command} has no --{}: ", row.name);
            assert!(message.starts_with(&begin) && message.trim_end().lines().count() == 1, "{message}");
        }
    }
}

#[test]
fn every_option_of_the_table_shows_a_default() {
    for name in ["transfer", "grid", "reconstruct", "sweep", "explain", "features", "gradcheck"] {
        let text = Folder::new().run(&format!("{name} --help"));
        let text = String::from_utf8(text.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        for row in OPTIONS.iter().filter(|row| text.contains(&format!("--{} <", row.name))) {
            let about = text.split(&format!("--{} <", row.name)).nth(1).unwrap();
            let about = about.split(" --").next().unwrap();
            assert!(about.contains("[default: "), "{name} --{}: {about}", row.name);
        }
    }
}

#[test]
fn help_fits_the_terminal() {
    let folder = Folder::new();
    for width in [80, 120] {
        for name in COMMANDS.iter().map(|command| command.name).chain(["", "weights"]) {
            for flag in ["-h", "--help"] {
                let output =
                    folder.command(&format!("{name} {flag}")).env("COLUMNS", width.to_string()).output();
                let text = String::from_utf8(output.unwrap().stdout).unwrap();
                let mut lines = text.lines().filter(|line| !line.starts_with("Usage: "));
                let long = lines.find(|line| line.chars().count() > width);
                assert_eq!(long, None, "{name} {flag} at {width}");
            }
        }
    }
}
