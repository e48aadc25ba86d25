//! HDF5 in a build without its reader.

use super::{Format, Input, RawFile};
use crate::Problem;

pub(crate) const fn read(_: &Input, format: Format) -> Result<RawFile, Problem> {
    Err(Problem::NoReader { format, feature: "hdf5" })
}
