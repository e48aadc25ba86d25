//! Changes of files that like to break readers. Everything follows from a generator, so a seed and a number repeat a file.

use rand_core::Rng;
use rand_pcg::Pcg64;

/// The generator of a run's file of that number.
pub(crate) fn generator(seed: u64, number: u64) -> Pcg64 {
    Pcg64::new(seed.into(), number.into())
}

/// A number below `end`, which is not 0.
pub(crate) fn below(end: usize, random: &mut impl Rng) -> usize {
    (random.next_u64() % end as u64) as usize
}

/// Up to eleven changes, mostly few.
pub(crate) fn mutate(bytes: &mut Vec<u8>, random: &mut impl Rng) {
    let most = 1 + below(11, random);
    for _ in 0..=below(most, random) {
        if bytes.is_empty() {
            return;
        }
        mutate_once(bytes, random);
    }
}

fn mutate_once(bytes: &mut Vec<u8>, random: &mut impl Rng) {
    let at = place(bytes.len(), random);
    match below(15, random) {
        0..3 => bytes[at] ^= 1 << below(8, random),
        3..6 => bytes[at] = random.next_u64() as u8,
        6..10 => {
            let end = (at + (1 << below(4, random))).min(bytes.len());
            let number = number(random).to_le_bytes();
            bytes[at..end].copy_from_slice(&number[..end - at]);
            if below(2, random) == 0 {
                bytes[at..end].reverse();
            }
        }
        10 => bytes.truncate(at),
        11 => drop(bytes.drain(at..(at + 1 + below(63, random)).min(bytes.len()))),
        12 => {
            let new: Vec<u8> = (0..=below(15, random)).map(|_| random.next_u64() as u8).collect();
            bytes.splice(at..at, new);
        }
        _ => {
            let to = place(bytes.len(), random);
            let count = (1 + below(255, random)).min(bytes.len() - at.max(to));
            bytes.copy_within(at..at + count, to);
        }
    }
}

/// A place in a file: structure is at the start of most and at the end of archives.
fn place(len: usize, random: &mut impl Rng) -> usize {
    let uniform = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let fraction = match below(3, random) {
        0 => uniform,
        1 => uniform.powi(6),
        _ => 1.0 - uniform.powi(6),
    };
    ((fraction * len as f64) as usize).min(len - 1)
}

/// A number that likes to break arithmetic.
fn number(random: &mut impl Rng) -> u64 {
    let fixed = [0, 1, u64::MAX, i64::MAX as u64, u32::MAX.into(), 1 << 31, 0xffff, 10 << 30];
    match below(fixed.len() + 4, random) {
        chosen if chosen < fixed.len() => fixed[chosen],
        chosen if chosen < fixed.len() + 2 => random.next_u64() % 1024,
        _ => random.next_u64(),
    }
}
