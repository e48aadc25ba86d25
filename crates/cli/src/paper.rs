//! `--print`: paper, and whether a picture can be as large.

use impasto_style::{Paper, Sheet, Size};

use crate::failure::Failure;

/// The paper of a name.
pub(crate) fn parse_paper(text: &str) -> Result<Paper, String> {
    let names = Paper::ALL.map(Paper::name).join(", ");
    Paper::named(text).ok_or_else(|| format!("it is one of {names}"))
}

/// Checks that a picture can be as large as the paper.
pub(crate) fn check_sides(sheet: Sheet) -> Result<(), Failure> {
    let Sheet { paper, dpi } = sheet;
    let fits = |dpi| Sheet { paper, dpi }.sides().1 <= Size::LARGEST_SIDE;
    if fits(dpi) {
        return Ok(());
    }
    let ((short, long), most) = (sheet.sides(), (1..dpi).rev().find(|&dpi| fits(dpi)).unwrap_or(1));
    Err(Failure::wrong_use(format!(
        "{} at {dpi} pixels to the inch is {short} x {long} pixels, and a side has {} at most: give --dpi {most} or less",
        paper.name(),
        Size::LARGEST_SIDE
    )))
}
