//! VGG-19 files of full size, in every format: each loads, is told rightly, agrees with the others, and takes little memory.
//! `make_full_size.py` makes them.

use std::alloc::System;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cap::Cap;
use impasto_vgg::{Arch, Convention, LoadOptions, Loaded, Network, WeightsError};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

#[test]
#[ignore = "needs the folder that make_full_size.py makes, in IMPASTO_FULL_SIZE"]
fn full_size_files_of_every_format_agree() {
    let folder = std::env::var_os("IMPASTO_FULL_SIZE").expect("IMPASTO_FULL_SIZE names a folder");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut first: Option<Network> = None;
    for path in &paths {
        let before = ALLOCATOR.allocated();
        let start = Instant::now();
        let loaded = match Loaded::read(path, LoadOptions::default()) {
            Err(WeightsError::File { problem: impasto_vgg::Problem::AmbiguousPreprocessing, .. }) => {
                let options = LoadOptions { convention: Some(Convention::Torch), ..LoadOptions::default() };
                Loaded::read(path, options).unwrap()
            }
            loaded => loaded.unwrap(),
        };
        let seconds = start.elapsed().as_secs_f64();
        let network = ALLOCATOR.allocated() - before;
        // The peak of the whole process so far; the first network stays.
        let peak = ALLOCATOR.max_allocated() - if first.is_some() { network } else { 0 };
        println!(
            "{}: {}, {}, {:.0} MB, loaded in {seconds:.2} s, read once in {:.2} s, peak above the network {} MiB",
            path.file_name().unwrap().display(),
            loaded.format,
            loaded.convention,
            std::fs::metadata(path).unwrap().len() as f64 / 1e6,
            seconds_to_read(path),
            peak.saturating_sub(network) >> 20,
        );
        assert!(peak < network + (150 << 20), "{} took {} MiB", path.display(), peak >> 20);
        assert_eq!(loaded.network.arch, Arch::Vgg19);
        let first = first.get_or_insert_with(|| loaded.network.clone());
        assert!(first.convs == loaded.network.convs, "{} differs from the others", path.display());
    }
}

fn seconds_to_read(path: &Path) -> f64 {
    let start = Instant::now();
    let mut file = std::fs::File::open(path).unwrap();
    let mut buffer = vec![0; 1 << 16];
    while file.read(&mut buffer).unwrap() > 0 {}
    start.elapsed().as_secs_f64()
}
