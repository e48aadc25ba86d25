//! Every line of every command's log is what `docs/log.schema.json` says, and its numbers fit together.

use std::fs;
use std::path::Path;

use crate::command::{Folder, code_and_message};
use serde_json::Value;

/// What makes every run of these tests quick.
const QUICK: &str = "--size 48 --iterations 4 --quiet --log out.jsonl";
const LAYERS: &str = "--content-layers conv2_1 --style-layers conv1_1,conv2_1";

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/log.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Runs a command, and returns the lines of its log, each held to the schema.
#[track_caller]
fn logged(folder: &Folder, arguments: &str) -> Vec<Value> {
    let output = folder.run(&format!("{arguments} {QUICK}"));
    assert!(output.status.success(), "{arguments}: {}", code_and_message(&output).1);
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let text = fs::read_to_string(folder.path("out.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let problems: Vec<String> = validator.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{arguments}: {line}: {}", problems.join("; "));
        fits_together(line);
    }
    assert!(!lines.is_empty());
    lines
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Sums and products that the fields are of each other.
#[track_caller]
fn fits_together(line: &Value) {
    let number = |value: &Value| value.as_f64().unwrap();
    let terms = line["terms"].as_array().unwrap();
    let sum = |key: &str, kinds: &[&str]| -> f64 {
        let of_kind = terms.iter().filter(|term| kinds.contains(&term["kind"].as_str().unwrap()));
        of_kind.map(|term| number(&term[key])).sum()
    };
    let all = ["content", "gram", "wasserstein", "tv", "tv9"];
    assert!(close(number(&line["loss"]), sum("weighted", &all)), "{line}");
    for (field, kinds) in [("content", &all[..1]), ("style", &all[1..3]), ("tv", &all[3..])] {
        assert!(close(number(&line[field]), sum("scaled", kinds)), "{field}: {line}");
    }
    for term in terms {
        let [loss, factor, scaled, weight, weighted] =
            ["loss", "factor", "scaled", "weight", "weighted"].map(|key| number(&term[key]));
        assert!(close(scaled, factor * loss) && close(weighted, weight * scaled), "{term}");
        if let (Some(layer), None) = (term["layer"].as_str(), term.get("region")) {
            let group = if term["kind"] == "content" { "content_layers" } else { "style_layers" };
            assert_eq!(line[group][layer], term["loss"], "{line}");
        }
    }
    if line.get("trials").is_some() {
        let [before, after, slope_before, slope, step] =
            ["loss_before", "loss", "slope_before", "slope", "step"].map(|key| number(&line[key]));
        let margin = before + 1e-4 * step * slope_before - after;
        assert!(
            (margin - number(&line["decrease_margin"])).abs() <= 1e-9 * before && margin >= 0.0,
            "{line}"
        );
        assert!(close(0.9 - (slope / slope_before).abs(), number(&line["curvature_margin"])), "{line}");
    }
}

#[test]
fn every_line_is_what_the_schema_says() {
    let folder = Folder::new();
    let transfer =
        |more: &str| logged(&folder, &format!("transfer photo.png painting.webp -o out.png {LAYERS} {more}"));
    let lines = transfer("");
    assert_eq!(lines.len(), 4);
    let trials = |lines: &[Value]| lines.iter().map(|line| line["trials"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(lines[3]["evaluations"], 1 + trials(&lines), "the start, and every trial");
    // Content is scaled by the size of the picture, the layers are not: a term says both.
    let content = &lines[3]["terms"][0];
    assert_eq!(content["kind"], "content");
    assert!(close(content["factor"].as_f64().unwrap(), 512.0 * 512.0 / (48.0 * 32.0)), "{content}");
    assert_eq!(lines[3]["content_layers"]["conv2_1"], content["loss"]);

    let both = transfer("--scales 2 --size 96 --smallest-scale 16 --tv-weight 1 --tv-points 9");
    assert_eq!(both.last().unwrap()["scale"], 2);
    assert!(transfer("--optimizer adam").iter().all(|line| line.get("trials").is_none()));
    transfer("--preset paper --style-loss gram --tv-weight 1");
    image::GrayImage::from_fn(96, 64, |x, _| image::Luma([255 * u8::from(x < 50)]))
        .save(folder.path("left.png"))
        .unwrap();
    let regions = format!("transfer photo.png painting.webp photo.png --mask left.png,- -o out.png {LAYERS}");
    let lines = logged(&folder, &regions);
    assert_eq!(lines[0]["style_regions"].as_object().unwrap().len(), 2);
    assert_eq!(lines[0]["terms"].as_array().unwrap().len(), 1 + 2 * 2);
    logged(&folder, "transfer photo.png painting.webp -o out.png --content-weight 0 --style-layers relu1_1");

    std::fs::remove_file(folder.path("out.jsonl")).unwrap();
    let batch = "batch --content photo.png left.png --style painting.webp -o out/{content}.png";
    let lines = logged(&folder, &format!("{batch} {LAYERS}"));
    let of = |file: &str| lines.iter().filter(|line| line["file"] == file).count();
    assert_eq!((of("out/photo.png"), of("out/left.png"), lines.len()), (4, 4, 8));
    logged(
        &folder,
        "transfer photo.png painting.webp -o out.png --style-weight 0 --content-layers conv1_2 --init noise",
    );
}

#[test]
fn commands_that_study_log_too() {
    let folder = Folder::new();
    let lines = logged(&folder, &format!("explain photo.png painting.webp -o out.html {LAYERS}"));
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.get("cell").is_none()));
    for (command, cells) in [
        ("reconstruct content photo.png --layers conv1_1,conv2_1 -o a".to_owned(), 2),
        ("reconstruct style painting.webp --layers conv1_1,conv2_1 -o b".to_owned(), 2),
        (
            "grid photo.png painting.webp --layers conv1_1 --ratios 1e-3,1e-2 -o c --content-layers conv2_1"
                .to_owned(),
            2,
        ),
        (format!("sweep photo.png painting.webp --vary seed=0,1 -o d {LAYERS} --init noise"), 2),
    ] {
        let lines = logged(&folder, &command);
        let mut names: Vec<&str> = lines.iter().map(|line| line["cell"].as_str().unwrap()).collect();
        names.dedup();
        assert_eq!((lines.len(), names.len()), (4 * cells, cells), "{command}: {names:?}");
    }
}

#[test]
fn a_log_may_not_take_the_place_of_something_else() {
    let folder = Folder::new();
    for (command, message) in [
        ("grid photo.png painting.webp -o out --log photo.png", "photo.png"),
        ("sweep photo.png painting.webp --vary seed=0 -o out --log out/sheet.png", "sheet.png"),
        ("explain photo.png painting.webp -o out.html --log out.html", "out.html"),
    ] {
        let (code, said) = code_and_message(&folder.run(&format!("{command} --size 32 --iterations 1")));
        assert!(code != 0 && said.contains(message), "{command}: {code} {said}");
    }
}

/// The document has a row for every field of the schema, and no other.
#[test]
fn the_document_names_every_field() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/log.md");
    let text = fs::read_to_string(path).unwrap();
    let first = |row: &str| row.split('|').nth(1).unwrap_or_default().to_owned();
    let rows: String = text.lines().filter(|line| line.starts_with("| `")).map(first).collect();
    let mut named: Vec<&str> = rows.split('`').skip(1).step_by(2).collect();
    let schema = schema();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut known = keys(&schema["properties"]);
    known.extend(keys(&schema["$defs"]["term"]["properties"]));
    named.sort_unstable();
    known.sort_unstable();
    assert_eq!(named, known);
}
