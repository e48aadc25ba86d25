//! The bytes of a pickle: what follows an opcode, as the object that it stands for.

use std::io::{self, BufReader, Read};

use super::graph::Node;
use crate::Problem;
use crate::formats::input::Cursor;
use crate::formats::{Format, Input};

/// Longer texts and byte strings stay in the file.
const MAX_TEXT: u64 = 4096;
/// All short texts together.
const MAX_TEXTS: u64 = 8 << 20;

/// A pickle while it is read.
pub(super) struct Stream {
    bytes: BufReader<Cursor>,
    left: u64,
    end: u64,
    /// Bytes of short texts so far.
    texts: u64,
    format: Format,
}

impl Stream {
    /// From `offset` on.
    pub(super) fn new(input: &Input, offset: u64, format: Format) -> io::Result<Self> {
        let part = input.part(offset, input.len().saturating_sub(offset))?;
        Ok(Self { bytes: part.stream(), left: part.len(), end: input.len(), texts: 0, format })
    }

    /// The place of the next byte in the input.
    pub(super) const fn position(&self) -> u64 {
        self.end - self.left
    }

    /// The error of a pickle that is none, or none of weights.
    pub(super) fn malformed(&self, detail: impl AsRef<str>) -> Problem {
        self.format.malformed(format!("its pickle: {}", detail.as_ref()))
    }

    /// The next `N` bytes.
    pub(super) fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.bytes.read_exact(&mut bytes)?;
        self.left -= N as u64;
        Ok(bytes)
    }

    /// The text up to the end of the line.
    pub(super) fn line(&mut self) -> Result<String, Problem> {
        let mut line = Vec::new();
        loop {
            match self.take()? {
                [b'\n'] => return Ok(String::from_utf8_lossy(&line).into_owned()),
                [byte] => line.push(byte),
            }
            if line.len() as u64 > MAX_TEXT {
                return Err(self.malformed("a line without an end"));
            }
        }
    }

    /// `len` bytes: a text if they are short and plain, otherwise the place of them.
    pub(super) fn bytes(&mut self, len: u64, is_text: bool) -> Result<Node, Problem> {
        if len > self.left {
            return Err(Problem::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        let blob = Node::Blob { offset: self.position(), len, latin1: is_text };
        self.left -= len;
        if len > MAX_TEXT {
            self.bytes.seek_relative(i64::try_from(len).map_err(io::Error::other)?)?;
            return Ok(blob);
        }
        self.texts += len;
        if self.texts > MAX_TEXTS {
            return Err(self.malformed("more names than weights need"));
        }
        let mut bytes = vec![0; len as usize];
        self.bytes.read_exact(&mut bytes)?;
        // What is no plain text may be a short array, whose place is enough.
        Ok(match String::from_utf8(bytes) {
            Ok(text) if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => Node::Text(text),
            _ => blob,
        })
    }

    /// An integer in decimal on a line of its own (protocol 0), with an L at the end of a long one.
    pub(super) fn decimal(&mut self) -> Result<Node, Problem> {
        let line = self.line()?;
        Ok(match line.as_str() {
            "00" => Node::Bool(false),
            "01" => Node::Bool(true),
            text => text.trim_end_matches('L').parse().map_or(Node::Number, Node::Int),
        })
    }

    /// A little-endian integer in two's complement.
    pub(super) fn long(&mut self) -> io::Result<Node> {
        let [len] = self.take()?;
        let mut bytes = vec![0; len.into()];
        self.bytes.read_exact(&mut bytes)?;
        self.left -= u64::from(len);
        if bytes.len() > 8 {
            return Ok(Node::Number);
        }
        let fill = if bytes.last().is_some_and(|&last| last & 0x80 != 0) { 0xff } else { 0 };
        let mut number = [fill; 8];
        number[..bytes.len()].copy_from_slice(&bytes);
        Ok(Node::Int(i64::from_le_bytes(number)))
    }
}
