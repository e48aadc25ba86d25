//! A mutator over the fixtures that runs on stable Rust: whatever the bytes, a reader gives a network or an error, without a
//! panic and without taking much memory. A short run is a test; a long one is
//!
//!     IMPASTO_FUZZ_SECONDS=1200 IMPASTO_FUZZ_FILES=onnx cargo test --release -p impasto-vgg --test fuzz -- --ignored --nocapture
//!
//! in seconds of processor time where the system tells them (Linux), of the clock elsewhere. It prints every file that broke
//! a rule (its bytes are left in the temporary folder), and the slowest.

mod common;

use std::alloc::System;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cap::Cap;
use common::{SMALL, weight_files};
use impasto_vgg::Loaded;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The limit of the process's peak: VGG-19's own numbers, which a small file that compresses well may hold, and some more.
const MEMORY: usize = 100 << 20;

/// One change of a file; places are fractions of its length.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(f64, u8),
    Byte(f64, u8),
    /// A number of 1, 2, 4 or 8 bytes that likes to break arithmetic.
    Number(f64, u8, u64),
    Cut(f64),
    Remove(f64, usize),
    Insert(f64, Vec<u8>),
    /// Copies bytes from one place over another.
    Copy(f64, f64, usize),
}

fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(i64::MAX as u64),
        Just(u64::from(u32::MAX)),
        Just(1 << 31),
        Just(10 << 30),
        0_u64..1024,
        any::<u64>(),
    ]
}

fn mutation() -> impl Strategy<Value = Mutation> {
    // Structure is at the start of most files and at the end of archives.
    let place = || {
        prop_oneof![
            0.0..1.0,
            (0.0..1.0).prop_map(|x: f64| x.powi(6)),
            (0.0..1.0).prop_map(|x: f64| 1.0 - x.powi(6))
        ]
    };
    prop_oneof![
        3 => (place(), 0_u8..8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        3 => (place(), any::<u8>()).prop_map(|(at, byte)| Mutation::Byte(at, byte)),
        3 => (place(), 0_u8..4, numbers()).prop_map(|(at, size, number)| Mutation::Number(at, size, number)),
        1 => place().prop_map(Mutation::Cut),
        1 => (place(), 1_usize..64).prop_map(|(at, count)| Mutation::Remove(at, count)),
        1 => (place(), prop::collection::vec(any::<u8>(), 1..16)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        2 => (place(), place(), 1_usize..256).prop_map(|(from, to, count)| Mutation::Copy(from, to, count)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let len = bytes.len();
    if len == 0 {
        return;
    }
    let index = |at: f64| ((at * len as f64) as usize).min(len - 1);
    match mutation {
        Mutation::Flip(at, bit) => bytes[index(*at)] ^= 1 << bit,
        Mutation::Byte(at, byte) => bytes[index(*at)] = *byte,
        Mutation::Number(at, size, number) => {
            let from = index(*at);
            let to = (from + (1 << size)).min(len);
            bytes[from..to].copy_from_slice(&number.to_le_bytes()[..to - from]);
        }
        Mutation::Cut(at) => bytes.truncate(index(*at)),
        Mutation::Remove(at, count) => {
            let from = index(*at);
            bytes.drain(from..(from + count).min(len));
        }
        Mutation::Insert(at, new) => {
            let from = index(*at);
            bytes.splice(from..from, new.iter().copied());
        }
        Mutation::Copy(from, to, count) => {
            let (from, to) = (index(*from), index(*to));
            let count = (*count).min(len - from.max(to));
            bytes.copy_within(from..from + count, to);
        }
    }
}

/// The fixtures whose names contain one of the comma-separated `parts`.
fn files(parts: &str) -> Vec<(String, Vec<u8>)> {
    let is_meant = |(name, _): &(String, Vec<u8>)| parts.split(',').any(|part| name.contains(part));
    weight_files().into_iter().filter(is_meant).collect()
}

/// What broke a rule, if anything did, and the time that it took.
fn check(bytes: &[u8]) -> (Option<String>, Duration) {
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| {
        Loaded::from_bytes(bytes.to_vec(), SMALL).map(drop).map_err(|problem| problem.to_string())
    }));
    let peak = ALLOCATOR.max_allocated();
    let broken = match result {
        Err(_) => Some("it panicked".to_owned()),
        Ok(Err(text)) if text.contains('\n') || text.len() > 1000 => Some(format!("its message is {text:?}")),
        Ok(_) if peak > MEMORY => Some(format!("it took {} MiB", peak >> 20)),
        Ok(_) => None,
    };
    (broken, start.elapsed())
}

#[test]
fn mutated_files_give_a_network_or_an_error() {
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    for (name, bytes) in files("") {
        let mut runner =
            TestRunner::new_with_rng(config.clone(), TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
        let mutations = prop::collection::vec(mutation(), 1..6);
        runner
            .run(&mutations, |mutations| {
                let mut bytes = bytes.clone();
                for mutation in &mutations {
                    mutate(&mut bytes, mutation);
                }
                let (broken, _) = check(&bytes);
                prop_assert!(broken.is_none(), "{}: {}", name, broken.unwrap_or_default());
                Ok(())
            })
            .unwrap();
    }
}

/// The processor time of this process, whatever else the machine did meanwhile: fields 14 and 15 of Linux's
/// /proc/self/stat, in hundredths of a second.
fn processor_seconds() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100)
}

#[test]
#[ignore = "runs for IMPASTO_FUZZ_SECONDS"]
fn long_run() {
    let seconds: u64 = std::env::var("IMPASTO_FUZZ_SECONDS").map_or(60, |text| text.parse().unwrap());
    let files = files(&std::env::var("IMPASTO_FUZZ_FILES").unwrap_or_default());
    let mut runner = TestRunner::new(Config::default());
    let mutations = prop::collection::vec(mutation(), 1..12);
    let start = Instant::now();
    let (mut count, mut loaded, mut broken, mut slowest) =
        (0_u64, 0_u64, Vec::new(), (Duration::ZERO, PathBuf::new()));
    let spent = || processor_seconds().unwrap_or_else(|| start.elapsed().as_secs());
    // The clock is read once in a hundred files: that is a file too.
    while !count.is_multiple_of(100) || spent() < seconds {
        let (name, bytes) = &files[count as usize % files.len()];
        let mut bytes = bytes.clone();
        let tree = mutations.new_tree(&mut runner).unwrap();
        for mutation in tree.current() {
            mutate(&mut bytes, &mutation);
        }
        let (problem, time) = check(&bytes);
        count += 1;
        loaded += u64::from(problem.is_none() && Loaded::from_bytes(bytes.clone(), SMALL).is_ok());
        if problem.is_some() || time > slowest.0 {
            let path =
                std::env::temp_dir().join(format!("impasto-fuzz-{}-{count}-{name}", std::process::id()));
            if let Some(problem) = problem {
                std::fs::write(&path, &bytes).unwrap();
                println!("{}: {problem}", path.display());
                broken.push(path);
            } else if time > Duration::from_millis(200) {
                std::fs::write(&path, &bytes).unwrap();
                slowest = (time, path);
            }
        }
    }
    println!(
        "{count} files of {}, {loaded} still loaded, {} broke a rule, slowest {slowest:?}",
        files.len(),
        broken.len()
    );
    assert!(broken.is_empty());
}
