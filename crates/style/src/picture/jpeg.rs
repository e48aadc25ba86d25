//! Whether a JPEG file is whole: the decoder fills what is missing of a cut file with grey and says nothing.

use std::io::{self, BufRead, Read};

/// Follows the segments of a JPEG (ITU T.81, annex B) to its end-of-image marker. `false` if the file ends before it.
pub(super) fn is_whole(reader: &mut impl BufRead) -> io::Result<bool> {
    loop {
        match next_marker(reader)? {
            None => return Ok(false),
            Some(END_OF_IMAGE) => return Ok(true),
            // Start of image, restart markers and TEM have no length; neither has the coded data after a scan's header,
            // which `next_marker` skips.
            Some(0x01 | 0xd0..=0xd8) => {}
            Some(_) => {
                let mut length = [0; 2];
                if !fill(reader, &mut length)? {
                    return Ok(false);
                }
                let length = u64::from(u16::from_be_bytes(length)).saturating_sub(2);
                if io::copy(&mut reader.take(length), &mut io::sink())? < length {
                    return Ok(false);
                }
            }
        }
    }
}

const END_OF_IMAGE: u8 = 0xd9;

/// The code of the next marker: a byte after 0xff that is neither 0 (a stuffed data byte) nor 0xff (padding).
fn next_marker(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        if reader.skip_until(0xff)? == 0 {
            return Ok(None);
        }
        byte[0] = 0xff;
        while byte[0] == 0xff {
            if !fill(reader, &mut byte)? {
                return Ok(None);
            }
        }
        if byte[0] != 0 {
            return Ok(Some(byte[0]));
        }
    }
}

/// Fills `buffer`, or tells that the file ended.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        other => other.map(|()| true),
    }
}
