//! Arrays as NumPy reads them: `.npy`, version 1.0, little-endian `f32`, rows first.
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>
//!
//! ```text
//! 93 "NUMPY" 01 00   length of the text, 16 bits
//! {'descr': '<f4', 'fortran_order': False, 'shape': (38, 64, 3), }   spaces, a line feed
//! numbers
//! ```
//!
//! The text is filled up with spaces so that numbers begin at a multiple of 64 bytes. The crates that write this format bring a parser of
//! Python's literals, and with it a C compiler; the eight bytes and one line do without.

use std::io::{self, Write};

use impasto_tensor::Element;

/// The type of all arrays that are written, as NumPy names it.
pub(crate) const DTYPE: &str = "<f4";

/// The most bytes of a file before its numbers, of up to 8 sides.
const HEADER: u64 = 256;

/// The bytes before the text.
const START: usize = 10;
/// Numbers begin at a multiple of it.
const ALIGNMENT: usize = 64;

/// Writes numbers as an array of that shape, each rounded to `f32`.
///
/// # Errors
/// Those of `out`, and [`io::ErrorKind::InvalidInput`] if the shape has another number of elements.
pub(crate) fn write<T: Element>(out: &mut dyn Write, shape: &[usize], values: &[T]) -> io::Result<()> {
    if shape.iter().product::<usize>() != values.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "an array of another shape"));
    }
    out.write_all(&header(shape))?;
    let mut bytes = Vec::with_capacity(size_of::<f32>() << 14);
    for block in values.chunks(1 << 14) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|value| (value.to_f64() as f32).to_le_bytes()));
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// All that stands before the numbers.
fn header(shape: &[usize]) -> Vec<u8> {
    let sides: Vec<String> = shape.iter().map(|side| format!("{side},")).collect();
    // A tuple of one has a comma, which the others may have.
    let mut text =
        format!("{{'descr': '{DTYPE}', 'fortran_order': False, 'shape': ({}), }}", sides.join(" "));
    let padded = (START + text.len() + 1).next_multiple_of(ALIGNMENT);
    text.extend(std::iter::repeat_n(' ', padded - START - text.len() - 1));
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// The most bytes of such a file.
pub(crate) fn largest_bytes(shape: &[usize]) -> u64 {
    HEADER + (shape.iter().product::<usize>() * size_of::<f32>()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_what_the_format_says() {
        let values = [1.0_f64, -0.1, f64::MIN_POSITIVE, 3.0e38, 0.0, 7.5];
        let mut bytes = Vec::new();
        write(&mut bytes, &[1, 2, 3], &values).unwrap();
        assert!(bytes.len() as u64 <= largest_bytes(&[1, 2, 3]));
        assert_eq!(bytes[..10], *b"\x93NUMPY\x01\x00\x76\x00");
        let text = std::str::from_utf8(&bytes[10..128]).unwrap();
        assert_eq!(text.trim_end(), "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3,), }");
        assert!(text.ends_with(" \n"));
        let numbers = bytes[128..].chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        assert!(numbers.eq(values.map(|value| value as f32)));
    }

    #[test]
    fn numbers_begin_at_a_multiple_of_64_and_shapes_of_other_lengths_are_refused() {
        for shape in [&[][..], &[7], &[0, 3], &[123_456_789, 1, 1, 1, 1, 1, 1, 1]] {
            assert_eq!(header(shape).len() % ALIGNMENT, 0);
            assert!(header(shape).len() as u64 <= HEADER);
        }
        assert!(write(&mut Vec::new(), &[2, 2], &[1.0_f32]).is_err());
        write(&mut Vec::new(), &[0, 3], &[0.0_f32; 0]).unwrap();
    }
}
