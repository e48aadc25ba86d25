//! Builds one of the crates of weights: its part as it was packaged, or cut from the whole file, which lies beside the crate.

use std::path::Path;
use std::{env, fs};

/// How many crates share the file.
const PARTS: usize = 3;

fn main() {
    let variable = |name| env::var(name).unwrap_or_else(|_| panic!("Cargo sets {name}"));
    let number =
        variable("CARGO_PKG_NAME").rsplit('-').next().and_then(|number| number.parse::<usize>().ok());
    let number = number.expect("the crate's name ends with the number of its part, from 1 on");
    let (folder, out) = (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR"));
    let folder = Path::new(&folder);
    let (packaged, whole) = (folder.join("part"), folder.join("../vgg16.safetensors"));
    // A file that is not there would be a change every time; that one is made is a change of its folder.
    let sources = if packaged.exists() { [packaged.as_path(), &packaged] } else { [folder, &whole] };
    for source in sources {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    let part = fs::read(&packaged).unwrap_or_else(|_| {
        let bytes =
            fs::read(&whole).unwrap_or_else(|error| panic!("neither part nor {}: {error}", whole.display()));
        let size = bytes.len().div_ceil(PARTS);
        bytes.chunks(size).nth(number - 1).expect("a part of the file").to_vec()
    });
    let to = Path::new(&out).join("part");
    fs::write(&to, part).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
}
