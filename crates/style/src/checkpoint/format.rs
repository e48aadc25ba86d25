//! A checkpoint as bytes: little endian, versioned, with a checksum, and read without trust.
//!
//! ```text
//! 8 bytes  mark                       MARK
//! u32      version                    VERSION
//! u32      bytes of the header
//! ...      the header, as JSON        Header
//! f32 ...  what the coordinates are around: x0 of L-BFGS, H x W x 3 or the light, H x W; nothing of Adam
//! ...      the state of the optimiser (impasto-lbfgs); a report is L and the loss of each term, f64
//! u32      CRC-32 of all before
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::CheckpointError;
use crate::{Iterations, Record};

/// The first bytes of every checkpoint.
const MARK: [u8; 8] = *b"impasto\n";
/// What follows is laid out as this version says.
pub(super) const VERSION: u32 = 1;
/// More than paths and options ever take.
const MOST_HEADER: u32 = 1 << 20;
/// Counts above this are refused, so that no sum of them overflows: 2^48, or where memory has 32-bit addresses 2^24.
const MOST: usize = 1 << (usize::BITS / 4 * 3);
/// 30,000 years: no sum of that many seconds overflows.
const MOST_SECONDS: f64 = 1e12;
/// The checksum.
const SUM: u64 = 4;

/// What a run is, and how far it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// Options and inputs, and the program's version.
    pub(crate) record: Record,
    /// The name of the instruction set.
    pub(crate) instruction_set: String,
    /// Iterations of each scale but the last, whose number is that of the record's option.
    pub(crate) coarse_iterations: Iterations,
    /// The scale, from 0 on.
    pub(crate) scale: usize,
    /// H at this scale.
    pub(crate) height: usize,
    /// W at this scale.
    pub(crate) width: usize,
    /// Iterations of all scales before.
    pub(crate) iterations_before: usize,
    /// Evaluations of all scales before.
    pub(crate) evaluations_before: usize,
    /// Iterations of this scale.
    pub(crate) iterations: usize,
    /// Seconds since the run began, without those between stop and resumption.
    pub(crate) seconds: f64,
    /// What the caller wants to find again.
    pub(crate) notes: BTreeMap<String, String>,
}

impl Header {
    /// Since the run began.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.clamp(0.0, MOST_SECONDS))
    }

    /// What is wrong with it, if it could not have been written.
    fn flaw(&self) -> Option<String> {
        let counts = [
            self.scale,
            self.height,
            self.width,
            self.iterations_before,
            self.evaluations_before,
            self.iterations,
        ];
        if counts.iter().chain(self.coarse_iterations.said()).any(|&count| count > MOST) {
            return Some("a count is out of range".to_owned());
        }
        if self.iterations_before + self.iterations == 0 {
            return Some("it has no iteration".to_owned());
        }
        if let Err(error) = self.record.check_known() {
            return Some(error.to_string());
        }
        self.record.transfer_options().err().map(|error| error.to_string())
    }
}

/// Counts and sums up what goes through it.
struct Summed<'a> {
    to: &'a mut dyn Write,
    sum: crc32fast::Hasher,
    bytes: u64,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.sum.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Writes a checkpoint whose coordinates and state come from `body`; returns its bytes.
pub(super) fn write(
    to: &mut dyn Write,
    header: &Header,
    body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<u64> {
    let json = serde_json::to_vec(header)?;
    let length = u32::try_from(json.len()).ok().filter(|&length| length <= MOST_HEADER);
    let length = length.ok_or_else(|| io::Error::other("its paths and options are too long"))?;
    let mut to = Summed { to, sum: crc32fast::Hasher::new(), bytes: 0 };
    to.write_all(&MARK)?;
    to.write_all(&VERSION.to_le_bytes())?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&json)?;
    body(&mut to)?;
    let sum = to.sum.clone().finalize();
    to.write_all(&sum.to_le_bytes())?;
    Ok(to.bytes)
}

/// Checks mark, version and sum of a whole file; returns its header, and leaves `file` at the body.
pub(super) fn read_header(file: &mut File, path: &Path) -> Result<(Header, u64), CheckpointError> {
    let read = |source| CheckpointError::Read { path: path.into(), source };
    let damaged = |what: &str| CheckpointError::Damaged { path: path.into(), what: what.to_owned() };
    let length = file.metadata().map_err(read)?.len();
    let mut start = [0; MARK.len() + 8];
    if length < start.len() as u64 + SUM {
        // Too short for a checkpoint: is it the beginning of one?
        let mut mark = [0; MARK.len()];
        let begun = file.read_exact(&mut mark).is_ok() && mark == MARK;
        return Err(if begun {
            damaged("it ends too early")
        } else {
            CheckpointError::NotACheckpoint { path: path.into() }
        });
    }
    file.read_exact(&mut start).map_err(read)?;
    let (mark, numbers) = start.split_at(MARK.len());
    let number = |at: usize| u32::from_le_bytes([at, at + 1, at + 2, at + 3].map(|at| numbers[at]));
    if mark != MARK {
        return Err(CheckpointError::NotACheckpoint { path: path.into() });
    }
    if number(0) != VERSION {
        return Err(CheckpointError::Version { path: path.into(), found: number(0) });
    }
    if !sum_is_right(file, length - SUM).map_err(read)? {
        return Err(damaged("its checksum is wrong"));
    }
    let (header, body) = (u64::from(number(4)), length - SUM - start.len() as u64);
    if number(4) > MOST_HEADER || header > body {
        return Err(damaged("its header is too long"));
    }
    file.seek(SeekFrom::Start(start.len() as u64)).map_err(read)?;
    let mut json = vec![0; number(4) as usize];
    file.read_exact(&mut json).map_err(read)?;
    let header: Header = serde_json::from_slice(&json).map_err(|error| damaged(&error.to_string()))?;
    if let Some(flaw) = header.flaw() {
        return Err(damaged(&flaw));
    }
    Ok((header, body - json.len() as u64))
}

/// Whether the sum of the first bytes of a file is what follows them.
fn sum_is_right(file: &mut File, length: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut sum = crc32fast::Hasher::new();
    let mut bytes = vec![0; 1 << 16];
    let mut left = length;
    while left > 0 {
        let room = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.read_exact(&mut bytes[..room])?;
        sum.update(&bytes[..room]);
        left -= room as u64;
    }
    let mut written = [0; SUM as usize];
    file.read_exact(&mut written)?;
    Ok(sum.finalize() == u32::from_le_bytes(written))
}
