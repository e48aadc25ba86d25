//! A state as bytes: little endian, versioned, and read without trust.
//!
//! ```text
//! 8 bytes  mark                               MARK
//! u32      version                            VERSION
//! u8       method: 'L' L-BFGS, 'A' Adam
//! u8       bytes of a number: 4 or 8
//! u64      n
//! ...      the record (`record.rs`), then what the method needs
//! ```
//!
//! A vector has no length of its own: n numbers, or as many as a count before it says.

use half::bf16;
use std::collections::TryReserveError;
use std::io::{self, Read, Write};

/// The first bytes of every state.
const MARK: [u8; 8] = *b"descent\n";
/// What follows is laid out as this version says.
const VERSION: u32 = 1;
/// Counts above this are refused, so that no sum of them overflows.
const MOST: u64 = 1 << 48;
/// Numbers that are written, or read and given memory, at a time.
const AT_ONCE: usize = 1 << 14;

/// What vectors are made of. Only this crate has it.
pub trait Number: Copy + PartialEq + Send + Sync + 'static {
    /// Appends the number's bytes, little endian.
    fn append_to(self, bytes: &mut Vec<u8>);
    /// The number that [`Self::append_to`] wrote; `None` if `bytes` are not as many.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

macro_rules! impl_number {
    ($($type:ident),*) => {$(
        impl Number for $type {
            fn append_to(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_le_bytes)
            }
        }
    )*};
}

impl_number!(u8, bf16, f32, f64);

/// Why bytes are no state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The reader failed.
    #[error(transparent)]
    Io(io::Error),
    /// The bytes end too early.
    #[error("the state ends too early")]
    Truncated,
    /// The bytes are something else.
    #[error("not the state of an optimiser")]
    NotAState,
    /// The layout is that of another version.
    #[error("the state has version {found}, not {VERSION}")]
    Version {
        /// The version of the bytes.
        found: u32,
    },
    /// The state is that of another method, or its numbers have another type.
    #[error("the state is of another {0}")]
    Other(&'static str),
    /// A count or a group is out of its range.
    #[error("{0} of the state is out of range")]
    OutOfRange(&'static str),
    /// The system has not the memory.
    #[error("no memory for the state: {0}")]
    Memory(#[from] TryReserveError),
}

impl From<io::Error> for StateError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error),
        }
    }
}

/// Mark, version, method, bytes of a number, n.
pub(crate) fn write_header(to: &mut impl Write, method: u8, number: usize, n: usize) -> io::Result<()> {
    to.write_all(&MARK)?;
    to.write_all(&VERSION.to_le_bytes())?;
    to.write_all(&[method, number as u8])?;
    write_count(to, n)
}

/// n, where all else is as expected.
pub(crate) fn read_header(from: &mut impl Read, method: u8, number: usize) -> Result<usize, StateError> {
    if read_array(from)? != MARK {
        return Err(StateError::NotAState);
    }
    let found = u32::from_le_bytes(read_array(from)?);
    if found != VERSION {
        return Err(StateError::Version { found });
    }
    let [found_method, found_number] = read_array(from)?;
    if found_method != method {
        return Err(StateError::Other("method"));
    }
    if usize::from(found_number) != number {
        return Err(StateError::Other("number type"));
    }
    read_count(from, "the number of variables")
}

pub(crate) fn write_count(to: &mut impl Write, count: usize) -> io::Result<()> {
    to.write_all(&(count as u64).min(MOST).to_le_bytes())
}

pub(crate) fn read_count(from: &mut impl Read, what: &'static str) -> Result<usize, StateError> {
    let count = u64::from_le_bytes(read_array(from)?);
    let in_range = usize::try_from(count).ok().filter(|_| count <= MOST);
    in_range.ok_or(StateError::OutOfRange(what))
}

/// A count of at least 1.
pub(crate) fn read_capacity(from: &mut impl Read, what: &'static str) -> Result<usize, StateError> {
    read_count(from, what)
        .and_then(|count| if count > 0 { Ok(count) } else { Err(StateError::OutOfRange(what)) })
}

pub(crate) fn write_f64(to: &mut impl Write, value: f64) -> io::Result<()> {
    to.write_all(&value.to_le_bytes())
}

pub(crate) fn read_f64(from: &mut impl Read) -> Result<f64, StateError> {
    Ok(f64::from_le_bytes(read_array(from)?))
}

/// The numbers, one after another.
pub(crate) fn write_vector<K: Number>(to: &mut impl Write, vector: &[K]) -> io::Result<()> {
    let mut bytes = Vec::new();
    for numbers in vector.chunks(AT_ONCE) {
        bytes.clear();
        numbers.iter().for_each(|number| number.append_to(&mut bytes));
        to.write_all(&bytes)?;
    }
    Ok(())
}

/// `n` numbers. Memory is taken as they come.
pub(crate) fn read_vector<K: Number>(from: &mut impl Read, n: usize) -> Result<Vec<K>, StateError> {
    let mut vector = Vec::new();
    let mut bytes = vec![0; AT_ONCE.min(n) * size_of::<K>()];
    while vector.len() < n {
        let count = AT_ONCE.min(n - vector.len());
        let bytes = &mut bytes[..count * size_of::<K>()];
        from.read_exact(bytes)?;
        vector.try_reserve_exact(count)?;
        vector.extend(bytes.chunks_exact(size_of::<K>()).filter_map(K::from_bytes));
    }
    Ok(vector)
}

fn read_array<const N: usize>(from: &mut impl Read) -> Result<[u8; N], StateError> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}
