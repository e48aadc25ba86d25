//! The numbers that runs write for others: equations of docs/math.md, sections 2 to 4, recomputed from the files alone, here and by
//! `examples/check_the_paper.py`; archives of features; and what is refused.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Folder, code_and_message};
use crate::left_out::left_out;
use serde_json::Value;

const TOLERANCE: f64 = 1e-5;

/// What makes every run of these tests quick.
const QUICK: &str = "--size 48 --iterations 3 --content-layers conv2_2,conv3_1 --style-layers conv1_1,conv2_2,conv3_1 --quiet";

/// An array of numbers as NumPy's format has it: version 1.0, `<f4`, rows first.
struct Array {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Array {
    fn parse(bytes: &[u8]) -> Self {
        assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00");
        let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let text = std::str::from_utf8(&bytes[10..start]).unwrap();
        assert!(text.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': ("), "{text}");
        let sides = text.split_once("'shape': (").unwrap().1.split_once(')').unwrap().0;
        let sides = sides.split(',').map(str::trim).filter(|side| !side.is_empty());
        let shape: Vec<usize> = sides.map(|side| side.parse().unwrap()).collect();
        let numbers = bytes[start..].as_chunks::<4>().0.iter();
        let values: Vec<f64> = numbers.map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect();
        assert_eq!(values.len(), shape.iter().product::<usize>());
        Self { shape, values }
    }

    /// N, the last side.
    fn filters(&self) -> usize {
        *self.shape.last().unwrap()
    }

    fn rows(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.filters())
    }
}

/// The folder of a dump.
struct Dump {
    folder: PathBuf,
    manifest: Value,
}

impl Dump {
    fn read(folder: &Path) -> Self {
        let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
        Self { folder: folder.into(), manifest: serde_json::from_str(&manifest).unwrap() }
    }

    fn entries(&self) -> &[Value] {
        self.manifest["arrays"].as_array().unwrap()
    }

    fn terms(&self) -> &[Value] {
        self.manifest["terms"].as_array().unwrap()
    }

    fn load(&self, entry: &Value) -> Array {
        let array = Array::parse(&fs::read(self.folder.join(entry["file"].as_str().unwrap())).unwrap());
        let shape: Vec<usize> = serde_json::from_value(entry["shape"].clone()).unwrap();
        assert_eq!(array.shape, shape, "{}", entry["file"]);
        array
    }

    /// The array of a symbol, where the keys have these values and those that are not named are not there.
    fn find(&self, symbol: &str, place: &[(&str, Value)]) -> Option<Array> {
        let fits = |entry: &&Value| {
            let has = |key: &str| place.iter().find(|(name, _)| *name == key).map(|(_, value)| value);
            entry["symbol"] == symbol
                && ["layer", "term", "painting"].iter().all(|key| entry.get(key) == has(key))
        };
        self.entries().iter().find(fits).map(|entry| self.load(entry))
    }

    fn at(&self, symbol: &str, layer: &Value) -> Array {
        self.find(symbol, &[("layer", layer.clone())]).unwrap()
    }

    fn of_term(&self, symbol: &str, term: &Value) -> Option<Array> {
        self.find(symbol, &[("layer", term["layer"].clone()), ("term", term["name"].clone())])
    }
}

/// Asserts that two arrays differ by 1e-5 at the most, relative, in the 2-norm.
#[track_caller]
fn agree(what: &str, here: &[f64], there: &[f64]) {
    assert_eq!(here.len(), there.len(), "{what}");
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let difference = norm(&mut here.iter().zip(there).map(|(a, b)| a - b));
    let size = norm(&mut there.iter().copied());
    assert!(difference <= TOLERANCE * size, "{what}: {difference:e} of {size:e}");
}

/// G = sum_p t_p F_p^T F_p / sum_p t_p.
fn gram(f: &Array, t: Option<&Array>) -> Vec<f64> {
    let n = f.filters();
    let (mut g, mut total) = (vec![0.0; n * n], 0.0);
    for (p, row) in f.rows().enumerate() {
        let t = t.map_or(1.0, |t| t.values[p]);
        total += t;
        for (i, f) in row.iter().enumerate() {
            g[i * n..(i + 1) * n].iter_mut().zip(row).for_each(|(g, other)| *g += t * f * other);
        }
    }
    g.into_iter().map(|g| g / total).collect()
}

/// Recomputes what there is of a Gram or content term. Returns dl/dF.
fn check_term(dump: &Dump, term: &Value) -> Vec<f64> {
    let name = term["name"].as_str().unwrap();
    let (f, t) = (dump.at("F", &term["layer"]), dump.of_term("t", term));
    let (n, m) = (f.filters(), f.rows().len());
    let t_of = |p: usize| t.as_ref().map_or(1.0, |t| t.values[p]);
    let total: f64 = (0..m).map(t_of).sum();
    let (mut loss, mut gradient) = (0.0, Vec::new());
    if term["kind"] == "content" {
        let target = dump.of_term("P", term).unwrap();
        for (p, (f, target)) in f.rows().zip(target.rows()).enumerate() {
            for (f, target) in f.iter().zip(target) {
                loss += 0.5 * t_of(p) * (f - target).powi(2);
                gradient.push(t_of(p) * (f - target));
            }
        }
    } else {
        assert_eq!(term["kind"], "gram");
        let g = gram(&f, t.as_ref());
        agree(&format!("G of {name}"), &g, &dump.of_term("G", term).unwrap().values);
        let mut a = vec![0.0; n * n];
        for part in term["blend"].as_array().unwrap() {
            let place = [("layer", term["layer"].clone()), ("painting", part["painting"].clone())];
            let of_painting = dump.find("A", &place).unwrap();
            let share = part["share"].as_f64().unwrap();
            a.iter_mut().zip(&of_painting.values).for_each(|(a, part)| *a += share * part);
        }
        agree(&format!("A of {name}"), &a, &dump.of_term("A", term).unwrap().values);
        let d: Vec<f64> = g.iter().zip(&a).map(|(g, a)| g - a).collect();
        loss = d.iter().map(|d| d * d).sum::<f64>() / (4 * n * n) as f64;
        for (p, f) in f.rows().enumerate() {
            let row = |j: usize| f.iter().enumerate().map(|(i, f)| f * d[i * n + j]).sum::<f64>();
            gradient.extend((0..n).map(|j| t_of(p) * row(j) / ((n * n) as f64 * total)));
        }
    }
    agree(&format!("loss of {name}"), &[loss], &[term["loss"].as_f64().unwrap()]);
    agree(&format!("gradient of {name}"), &gradient, &dump.of_term("dl_dF", term).unwrap().values);
    gradient
}

/// Recomputes sections 2 to 4 of docs/math.md from the files.
fn check(dump: &Dump) {
    for entry in dump.entries().iter().filter(|entry| entry["symbol"] == "A" && !entry["painting"].is_null())
    {
        let place = [("layer", entry["layer"].clone()), ("painting", entry["painting"].clone())];
        let (f, t) = (dump.find("F", &place).unwrap(), dump.find("t", &place));
        agree("A_s", &gram(&f, t.as_ref()), &dump.load(entry).values);
    }
    let mut own: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut total = 0.0;
    for term in dump.terms() {
        let number = |key: &str| term[key].as_f64().unwrap();
        total += number("weight") * number("loss");
        let factors = ["alpha", "layer_weight", "scale", "region_share"].map(number);
        agree("weight", &[factors.iter().product()], &[number("weight")]);
        agree("the fast path's loss", &[number("loss_of_engine")], &[number("loss")]);
        let Some(layer) = term["layer"].as_str() else { continue };
        let gradient = check_term(dump, term);
        let sum = own.entry(layer.to_owned()).or_insert_with(|| vec![0.0; gradient.len()]);
        sum.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += number("weight") * gradient);
    }
    agree("L", &[total], &[dump.manifest["loss"].as_f64().unwrap()]);
    for (at, entry) in dump.entries().iter().filter(|entry| entry["symbol"] == "dL_dF").enumerate() {
        let layer = &entry["layer"];
        let (f, by_f, by_z) = (dump.at("F", layer), dump.load(entry), dump.at("dL_dZ", layer));
        let masked = by_f.values.iter().zip(&f.values).map(|(g, f)| if *f > 0.0 { *g } else { 0.0 });
        assert_eq!(masked.collect::<Vec<_>>(), by_z.values, "section 4 at {layer}");
        if at == 0 {
            agree("the deepest tap", &own[layer.as_str().unwrap()], &by_f.values);
        }
    }
    let difference = dump.manifest["gradient_difference_of_engine"].as_f64().unwrap();
    assert!(difference < 1e-3, "dL/dx of the fast path: {difference:e}");
}

/// Runs `explain --dump numbers` with these arguments after the photo.
#[track_caller]
fn dumped(folder: &Folder, arguments: &str) -> Dump {
    let output = folder.run(&format!("explain photo.png {arguments} -o out.html --dump numbers {QUICK}"));
    assert!(output.status.success(), "{}", code_and_message(&output).1);
    Dump::read(&folder.path("numbers"))
}

#[test]
fn equations_are_recomputed_from_the_raw_responses() {
    let folder = Folder::new();
    let dump = dumped(&folder, "painting.webp --preset paper --tv-weight 0.1");
    check(&dump);
    let manifest = &dump.manifest;
    assert_eq!((&manifest["command"][0], &manifest["command"][1]), (&"impasto".into(), &"explain".into()));
    let hashed = |input: &Value| input["sha256"].as_str().is_some_and(|hash| hash.len() == 64);
    let inputs = manifest["record"]["inputs"].as_array().unwrap();
    assert!(inputs.len() == 3 && inputs.iter().all(hashed), "{inputs:?}");
    assert_eq!(dump.terms().len(), 2 + 3 + 1);
    let x = dump.find("x", &[]).unwrap();
    assert_eq!(x.shape, [32, 48, 3]);
    assert!(x.values.iter().any(|&x| !(0.0..=255.0).contains(&x)), "unclipped");
    let mut named: Vec<_> = dump.entries().iter().map(|entry| entry["file"].as_str().unwrap()).collect();
    named.push("manifest.json");
    named.sort_unstable();
    let mut there: Vec<_> = fs::read_dir(&dump.folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    there.sort_unstable();
    assert_eq!(there, named);
    // The same folder again: an earlier dump is replaced.
    check(&dumped(&folder, "painting.webp --preset paper --pool max"));
}

#[test]
fn blends_masks_and_light_alone_are_recomputed() {
    let folder = Folder::new();
    let (height, width) = (64, 96);
    let half = image::GrayImage::from_fn(width, height, |x, y| {
        image::Luma([if x < 40 { 255 } else { (2 * y) as u8 }])
    });
    half.save(folder.path("left.png")).unwrap();
    let paintings = "painting.webp photo.png painting.webp --mask left.png,left.png,- --blend 3,1,1";
    let dump =
        dumped(&folder, &format!("{paintings} --content-mask left.png --colours photo --preset paper"));
    check(&dump);
    assert_eq!(dump.terms().len(), 2 + 2 * 3);
    let guided = dump.entries().iter().filter(|entry| entry["symbol"] == "t").count();
    assert_eq!(guided, 8, "every term has a guide");
}

/// The default's style loss, and a Python without NumPy, are other matters.
#[test]
fn the_script_agrees() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/check_the_paper.py");
    let has_numpy = |python: &str| {
        let run = Command::new(python).args(["-c", "import numpy"]).output();
        run.is_ok_and(|output| output.status.success())
    };
    let chosen = std::env::var("IMPASTO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if !has_numpy(&chosen) {
        left_out("numpy", format!("{chosen} with NumPy is not here (IMPASTO_PYTHON names another one)"));
        return;
    }
    for arguments in ["--preset paper --tv-weight 0.1", "--style-loss wasserstein"] {
        let folder = Folder::new();
        let dump = dumped(&folder, &format!("painting.webp {arguments}"));
        let run = |folder: &Path| Command::new(&chosen).arg(&script).arg(folder).output().unwrap();
        let output = run(&dump.folder);
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && table.trim_end().ends_with("All agree."), "{table}");
        // A number that is changed is seen.
        let file = dump.folder.join("conv2_2.style.A.npy");
        let mut bytes = fs::read(&file).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&file, bytes).unwrap();
        let output = run(&dump.folder);
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(1) && table.contains("DIFFERS"), "{table}");
    }
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let folder = Folder::new();
    fs::create_dir(folder.path("numbers")).unwrap();
    fs::write(folder.path("numbers/picture.x.npy"), "mine").unwrap();
    let run = |more: &str| {
        let command = format!("explain photo.png painting.webp -o out.html --dump numbers {more}");
        code_and_message(&folder.run(&command))
    };
    let (code, message) = run(QUICK);
    assert!(code == 2 && message.contains("holds other files"), "{message}");
    assert_eq!(fs::read(folder.path("numbers/picture.x.npy")).unwrap(), b"mine");
    assert!(!folder.path("out.html").exists(), "before the work");
    fs::remove_dir_all(folder.path("numbers")).unwrap();
    let (code, message) = run("--size 256 --iterations 1 --memory-limit 140M");
    assert!(code == 1 && message.contains("double precision"), "{message}");
    assert!(!folder.path("numbers").exists() && !folder.path("out.html").exists());
}

#[test]
fn features_are_responses_and_gram_matrices() {
    let folder = Folder::new();
    let output =
        folder.run("features photo.png --layers conv1_1,relu2_2 -o out.npz --size 48 --pool average");
    assert!(output.status.success(), "{}", code_and_message(&output).1);
    let mut archive = zip::ZipArchive::new(File::open(folder.path("out.npz")).unwrap()).unwrap();
    let mut entry = |name: &str| {
        let mut bytes = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    for (layer, shape) in [("conv1_1", [32, 48, 64]), ("conv2_2", [16, 24, 128])] {
        let f = Array::parse(&entry(&format!("{layer}.npy")));
        assert_eq!(f.shape, shape);
        let there = Array::parse(&entry(&format!("{layer}_gram.npy")));
        agree(layer, &gram(&f, None), &there.values);
    }
    assert_eq!(Array::parse(&entry("picture.npy")).shape, [32, 48, 3]);
    let manifest: Value = serde_json::from_slice(&entry("manifest.json")).unwrap();
    assert_eq!(manifest["arrays"].as_array().unwrap().len(), 5);
    assert_eq!(manifest["record"]["inputs"][0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(manifest["record"]["options"]["pool"], "average");

    // The same picture, the same bytes, but for the command line.
    let first = fs::read(folder.path("out.npz")).unwrap();
    folder.run("features photo.png --layers conv1_1,relu2_2 -o out.npz --size 48 --pool average");
    assert_eq!(fs::read(folder.path("out.npz")).unwrap(), first);

    for (arguments, code, says) in [
        ("photo.png --layers conv1_1 -o out.txt", 2, ".npz"),
        ("photo.png --layers conv9_1 -o out2.npz", 2, "conv9_1"),
        ("photo.png --layers conv1_1:2 -o out2.npz", 2, "give the name alone"),
        // As large as the deepest of these layers needs, and no other.
        ("photo.png --layers conv1_1,conv3_1 --size 3 -o out2.npz", 2, "at least 4 for conv3_1"),
        ("photo.png --layers conv1_1 --size 15 --quiet -o small.npz", 0, ""),
        ("none.png -o out2.npz", 1, "none.png"),
        ("photo.png -o none/out2.npz", 1, "none"),
    ] {
        let (found, message) = code_and_message(&folder.run(&format!("features {arguments}")));
        assert!(found == code && message.contains(says), "{arguments}: {found} {message}");
    }
    assert!(!folder.path("out2.npz").exists());
}
