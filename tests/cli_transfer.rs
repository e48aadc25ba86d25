//! `impasto transfer` on a real photo and a real painting, small enough for a test.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::command::{Folder, code_and_message};
use serde_json::Value;

/// Runs a small transfer that must succeed.
#[track_caller]
fn transfer(folder: &Folder, options: &str) -> String {
    let output = folder.run(&format!("transfer photo.png painting.webp --size 64 --iterations 3 {options}"));
    let (code, message) = code_and_message(&output);
    assert_eq!(code, 0, "{options}: {message}");
    message
}

fn log(folder: &Folder, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.path(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_same_command_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = Folder::new();
    transfer(&folder, "-o a.png");
    transfer(&folder, "-o b.png");
    transfer(&folder, "-o c.png --threads 1");
    transfer(&folder, "-o d.png --threads 3");
    let bytes = |name| fs::read(folder.path(name)).unwrap();
    assert!(bytes("a.png") == bytes("b.png"), "run twice");
    assert!(bytes("a.png") == bytes("c.png"), "one thread");
    assert!(bytes("a.png") == bytes("d.png"), "three threads");
}

#[test]
fn every_output_format_holds_the_picture() {
    let folder = Folder::new();
    let quick = "--content-layers conv2_1 --style-layers conv1_1,conv2_1 --dither none";
    transfer(&folder, &format!("-o out.png {quick}"));
    let png = image::open(folder.path("out.png")).unwrap().into_rgb8();
    assert_eq!(png.dimensions(), (64, 43));
    for name in ["out.jpg", "out.webp", "out.tif"] {
        transfer(&folder, &format!("-o {name} --quality 100 {quick}"));
        let picture = image::open(folder.path(name)).unwrap().into_rgb8();
        let difference = png.iter().zip(picture.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        let allowed = if name == "out.jpg" { 12 } else { 0 };
        assert!(difference <= allowed, "{name} differs by {difference}");
    }
    let output = folder
        .run(&format!("transfer photo.png painting.webp --size 64 --iterations 3 -o - {quick} --quiet"));
    assert!(output.status.success() && output.stderr.is_empty(), "{:?}", code_and_message(&output));
    assert!(output.stdout == fs::read(folder.path("out.png")).unwrap(), "standard output is the PNG");
}

#[test]
fn a_run_says_what_it_does() {
    let folder = Folder::new();
    let message = transfer(&folder, "-o out.png --threads 2");
    let first = message.lines().next().unwrap();
    for word in ["64 x 43", "51 x 64", "VGG-16", "3 iterations", "2 threads", "MiB"] {
        assert!(first.contains(word), "{first}");
    }
    assert!(message.contains("iteration 3/3: loss"), "{message}");
    assert!(message.lines().last().unwrap().starts_with("Wrote out.png"), "{message}");
    assert_eq!(transfer(&folder, "-o out.png --quiet"), "");
}

#[test]
fn the_log_has_a_line_for_every_iteration() {
    let folder = Folder::new();
    transfer(
        &folder,
        "-o out.png --log log.jsonl --content-weight 0.001 --style-weight 2 --tv-weight 0.5 --style-loss gram",
    );
    let lines = log(&folder, "log.jsonl");
    assert_eq!(lines.len(), 3);
    let number = |line: &Value, key: &str| line[key].as_f64().unwrap_or_else(|| panic!("{key} in {line}"));
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["iteration"], index + 1);
        let total = 0.001 * number(line, "content") + 2.0 * number(line, "style") + 0.5 * number(line, "tv");
        assert!((number(line, "loss") / total - 1.0).abs() < 1e-12, "{line}");
        let layers = line["style_layers"].as_object().unwrap();
        let mean = layers.values().map(|loss| loss.as_f64().unwrap()).sum::<f64>() / 5.0;
        assert!((number(line, "style") / mean - 1.0).abs() < 1e-9, "w_l = 1/5: {line}");
        for key in ["evaluations", "seconds", "gradient_norm", "step"] {
            assert!(number(line, key) > 0.0, "{key} in {line}");
        }
    }
    assert!(
        lines.windows(2).all(|pair| number(&pair[1], "loss") < number(&pair[0], "loss")),
        "the loss falls"
    );
}

#[test]
fn intermediate_pictures_carry_their_iteration() {
    let folder = Folder::new();
    transfer(&folder, "-o out.png --save-every 2 --iterations 10");
    for name in ["out-02.png", "out-04.png", "out-10.png", "out.png"] {
        assert!(image::open(folder.path(name)).is_ok(), "{name}");
    }
    assert!(!folder.path("out-03.png").exists());
    let bytes = |name| fs::read(folder.path(name)).unwrap();
    assert!(bytes("out-10.png") == bytes("out.png"), "the last accepted picture is the result");
}

/// As many as the iterations are not listed before the start.
#[test]
fn any_number_of_intermediate_pictures_can_be_asked_for() {
    let folder = Folder::new();
    let endless = format!("--iterations {} --scales 2 --size 192 --save-every 1", u64::MAX);
    let layers = "--content-layers conv1_1 --style-layers conv1_1 --time-limit 5s";
    let message = transfer(&folder, &format!("-o out.png {endless} {layers}"));
    assert!(message.lines().last().unwrap().starts_with("Wrote out.png"), "{message}");
    assert!(folder.path("out-00000000000000000001.png").exists());
}

/// Only the first names are looked at before the start.
#[test]
fn a_late_intermediate_picture_replaces_no_input() {
    let folder = Folder::new();
    fs::copy(folder.path("photo.png"), folder.path("out-102.png")).unwrap();
    let tiny = "--size 32 --optimizer adam --content-layers conv1_1 --style-layers conv1_1 --iterations 102 --save-every 1";
    let output = folder.run(&format!("transfer out-102.png painting.webp -o out.png {tiny} --quiet"));
    let (code, message) = code_and_message(&output);
    assert_eq!(code, 1, "{message}");
    let last = message.lines().last().unwrap();
    assert!(last.contains("--save-every out-102.png is the file that CONTENT names"), "{last}");
    assert!(last.ends_with("the picture is in out.png all the same"), "{last}");
    let bytes = |name| fs::read(folder.path(name)).unwrap();
    assert!(bytes("out-102.png") == bytes("photo.png"));
    assert!(folder.path("out.png").exists() && folder.path("out-101.png").exists());
}

#[test]
fn a_run_that_converges_early_writes_its_picture() {
    // From the content picture and without style the loss is 0 at the start.
    let folder = Folder::new();
    let message = transfer(&folder, "-o out.png --style-weight 0 --iterations 50");
    assert!(message.contains("ended after 0 of 50 iterations"), "{message}");
    assert!(image::open(folder.path("out.png")).is_ok());
}

#[test]
fn every_way_to_start_and_to_minimise() {
    let folder = Folder::new();
    let bytes = |name| fs::read(folder.path(name)).unwrap();
    transfer(&folder, "-o noise1.png --init noise --seed 1");
    transfer(&folder, "-o again1.png --init noise --seed 1");
    transfer(&folder, "-o noise2.png --init noise --seed 2");
    assert!(bytes("noise1.png") == bytes("again1.png") && bytes("noise1.png") != bytes("noise2.png"));
    transfer(&folder, "-o file.png --init painting.webp --no-metadata");
    transfer(&folder, "-o photo-start.png --init photo.png --no-metadata");
    transfer(&folder, "-o content-start.png --init content --no-metadata");
    assert!(
        bytes("photo-start.png") == bytes("content-start.png")
            && bytes("file.png") != bytes("content-start.png")
    );
    transfer(&folder, "-o adam.png --optimizer adam --learning-rate 3 --log adam.jsonl");
    assert!(log(&folder, "adam.jsonl").iter().all(|line| line["step"] == 3.0));
    transfer(&folder, "-o exact.png --conv exact --pool max --history 2");
}

#[test]
fn presets_run_and_can_be_overridden() {
    let folder = Folder::new();
    for preset in ["default", "0.1", "paper", "neural-style", "crowsonkb"] {
        transfer(&folder, &format!("-o {preset}.png --preset {preset} --log {preset}.jsonl"));
        assert!(log(&folder, &format!("{preset}.jsonl")).len() >= 3);
    }
}

#[test]
fn scales_by_size_leave_out_what_the_network_cannot_see() {
    let folder = Folder::new();
    // At 96 x 15 there is no position at conv5_1; at 192 x 30 there is.
    let strip = image::RgbImage::from_fn(192, 30, |x, y| image::Rgb([x as u8, 8 * y as u8, 90]));
    strip.save(folder.path("strip.png")).unwrap();
    folder.run("transfer strip.png painting.webp -o out.png --size 192 --iterations 2 --log log.jsonl");
    let widths: Vec<u64> =
        log(&folder, "log.jsonl").iter().map(|line| line["width"].as_u64().unwrap()).collect();
    assert_eq!(widths, [192, 192]);
}

#[test]
fn scales_go_from_coarse_to_fine() {
    let folder = Folder::new();
    transfer(&folder, "-o out.png --size 192 --scales 3 --iterations 2 --log log.jsonl");
    let widths: Vec<u64> =
        log(&folder, "log.jsonl").iter().map(|line| line["width"].as_u64().unwrap()).collect();
    assert_eq!(widths, [96, 96, 192, 192], "48 pixels would be too coarse");
    assert_eq!(image::image_dimensions(folder.path("out.png")).unwrap().0, 192);
}

/// Waits until the run has logged that many lines, then sends it a signal.
#[cfg(unix)]
fn signal_after_lines(folder: &Folder, child: &std::process::Child, lines: usize, signal: &str) {
    for _ in 0..6000 {
        let text = fs::read_to_string(folder.path("log.jsonl")).unwrap_or_default();
        if text.lines().count() >= lines {
            let id = child.id().to_string();
            let status = std::process::Command::new("kill").args([signal, &id]).status().unwrap();
            assert!(status.success());
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("no iteration within two minutes");
}

#[cfg(unix)]
#[test]
fn a_killed_run_leaves_whole_pictures_only() {
    let folder = Folder::new();
    let mut child = folder
        .command("transfer photo.png painting.webp --size 64 --iterations 1000000 -o out.png --log log.jsonl --save-every 1 --quiet")
        .spawn()
        .unwrap();
    signal_after_lines(&folder, &child, 5, "-KILL");
    child.wait().unwrap();
    assert!(!folder.path("out.png").exists(), "the result is written at the end");
    let names =
        fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pictures: Vec<String> = names.filter(|name| name.starts_with("out-")).collect();
    assert!(pictures.len() >= 4, "{pictures:?}");
    for name in pictures {
        assert!(image::open(folder.path(&name)).is_ok(), "{name}");
    }
}

#[test]
fn help_is_there_for_people() {
    let folder = Folder::new();
    let output = folder.run("transfer --help");
    let text = String::from_utf8(output.stdout).unwrap();
    for word in ["Examples:", "--content-weight", "--style-layers", "Presets:", "neural-style", "Ctrl-C"] {
        assert!(text.contains(word), "{word}");
    }
    assert!(String::from_utf8(folder.run("--version").stdout).unwrap().starts_with("impasto "));
}
