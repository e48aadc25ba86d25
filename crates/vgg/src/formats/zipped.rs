//! Zip archives and their members.

use std::io::{self, BufReader, Read};

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::input::Cursor;
use super::{Format, Input};
use crate::Problem;

/// What is read at once: a pickle that names 32 tensors has some kilobytes.
const MAX_SMALL: u64 = 4 << 20;

/// An archive.
pub(crate) struct Archive {
    input: Input,
    zip: ZipArchive<BufReader<Cursor>>,
}

/// The archive's own damage, told as that of the format it should be.
fn broken(error: ZipError, format: Format) -> Problem {
    match error {
        ZipError::Io(error) => Problem::Read(error),
        ZipError::InvalidArchive(detail) => {
            format.malformed(format!("its zip archive is damaged or truncated ({detail})"))
        }
        other => format.malformed(format!("its zip archive: {other}")),
    }
}

impl Archive {
    /// Reads the directory.
    pub(crate) fn open(input: &Input) -> Result<Self, Problem> {
        let zip = ZipArchive::new(input.stream()).map_err(|error| broken(error, Format::TorchZip))?;
        Ok(Self { input: input.clone(), zip })
    }

    /// The names of all members.
    pub(crate) fn names(&self) -> Result<Vec<String>, Problem> {
        let names = self.zip.file_names().map(|name| Ok(name?.into_owned()));
        names.collect::<Result<_, ZipError>>().map_err(|error| broken(error, Format::TorchZip))
    }

    /// A short member's bytes, if there is one of that name.
    pub(crate) fn small_member(&mut self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let member = match self.zip.by_name(name) {
            Ok(member) => member,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(broken(error, Format::TorchZip)),
        };
        let mut bytes = Vec::new();
        member.take(MAX_SMALL + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_SMALL {
            return Err(Format::TorchZip.malformed(format!("{name} is larger than any state dictionary's")));
        }
        Ok(Some(bytes))
    }

    /// The place of a member that is stored as it is.
    pub(crate) fn stored(&mut self, name: &str, format: Format) -> Result<Input, Problem> {
        let index = self
            .zip
            .index_for_name(name)
            .ok_or_else(|| format.malformed(format!("its member {name} is missing")))?;
        let member = self.zip.by_index_raw(index).map_err(|error| broken(error, format))?;
        if member.compression() != CompressionMethod::Stored {
            return Err(format.malformed(format!("{name} is compressed, which its producer never does")));
        }
        let start = member.data_start().ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        Ok(self.input.part(start, member.size())?)
    }

    /// A member as a stream, decompressed on the way.
    pub(crate) fn member(&mut self, name: &str, format: Format) -> Result<impl Read, Problem> {
        self.zip.by_name(name).map_err(|error| broken(error, format))
    }
}
