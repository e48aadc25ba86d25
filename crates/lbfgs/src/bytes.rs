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
#[non_exhaustive]
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

/// Writes the numbers, one after another.
///
/// # Errors
/// What `to` returns.
pub fn write_vector<K: Number>(to: &mut impl Write, vector: &[K]) -> io::Result<()> {
    let mut bytes = Vec::new();
    for numbers in vector.chunks(AT_ONCE) {
        bytes.clear();
        for number in numbers {
            number.append_to(&mut bytes);
        }
        to.write_all(&bytes)?;
    }
    Ok(())
}

/// Reads `n` numbers. Memory is taken as they come.
///
/// # Errors
/// [`StateError`] if there are not as many, or the system has not the memory.
pub fn read_vector<K: Number>(from: &mut impl Read, n: usize) -> Result<Vec<K>, StateError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Endless zeros, which notices how many are asked for at a time.
    struct Zeros {
        left: usize,
        most: usize,
    }

    impl Read for Zeros {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            self.most = self.most.max(bytes.len());
            let count = bytes.len().min(self.left);
            self.left -= count;
            bytes[..count].fill(0);
            Ok(count)
        }
    }

    #[test]
    fn memory_is_taken_as_numbers_come_and_not_as_they_are_claimed() {
        let mut zeros = Zeros { left: 3 * AT_ONCE * size_of::<f64>(), most: 0 };
        let error = read_vector::<f64>(&mut zeros, 1 << 47).unwrap_err();
        assert!(matches!(error, StateError::Truncated), "{error}");
        assert_eq!(zeros.most, AT_ONCE * size_of::<f64>());
        let mut zeros = Zeros { left: usize::MAX, most: 0 };
        let vector: Vec<f32> = read_vector(&mut zeros, AT_ONCE + 3).unwrap();
        assert_eq!((vector.len(), vector.capacity()), (AT_ONCE + 3, AT_ONCE + 3));
    }

    #[test]
    fn what_is_no_state_is_told_apart() {
        let header = |change: usize, byte: u8| {
            let mut bytes = Vec::new();
            write_header(&mut bytes, b'L', 4, 9).unwrap();
            bytes[change] = byte;
            read_header(&mut &*bytes, b'L', 4).map_err(|error| error.to_string())
        };
        assert_eq!(header(0, MARK[0]), Ok(9));
        for (change, byte, sentence) in [
            (0, b'D', "not the state of an optimiser"),
            (8, 7, "the state has version 7, not 1"),
            (12, b'A', "the state is of another method"),
            (13, 8, "the state is of another number type"),
            (21, 1, "the number of variables of the state is out of range"),
        ] {
            assert_eq!(header(change, byte), Err(sentence.to_owned()));
        }
        assert_eq!(read_count(&mut &MOST.to_le_bytes()[..], "").unwrap() as u64, MOST);
        assert!(read_count(&mut &(MOST + 1).to_le_bytes()[..], "").is_err());
        assert!(read_capacity(&mut &[0; 8][..], "").is_err());
    }

    proptest! {
        #[test]
        fn vectors_come_back_and_what_follows_them_stays(f32s in prop::collection::vec(any::<f32>(), 0..50), rest in any::<u8>()) {
            let bf16s: Vec<bf16> = f32s.iter().map(|x| bf16::from_f32(*x)).collect();
            let mut bytes = Vec::new();
            write_vector(&mut bytes, &f32s).unwrap();
            write_vector(&mut bytes, &bf16s).unwrap();
            prop_assert_eq!(bytes.len(), 6 * f32s.len());
            bytes.push(rest);
            let mut from = &*bytes;
            let back: Vec<f32> = read_vector(&mut from, f32s.len()).unwrap();
            prop_assert!(back.iter().zip(&f32s).all(|(a, b)| a.to_bits() == b.to_bits()));
            let back: Vec<bf16> = read_vector(&mut from, f32s.len()).unwrap();
            prop_assert!(back.iter().zip(&bf16s).all(|(a, b)| a.to_bits() == b.to_bits()));
            prop_assert_eq!(from, &[rest][..]);
        }
    }
}
