//! Sheets of paper, and how many pixels they have.

use std::fmt;
use std::str::FromStr;

/// A sheet of paper at a resolution.
///
/// As text: `A3@300`, the paper's name and the pixels to the inch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sheet {
    /// The paper.
    pub paper: Paper,
    /// Pixels to the inch, 1 or more.
    pub dpi: u16,
}

/// Paper of a standard size: ISO 216 or ANSI/ASME Y14.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paper {
    name: &'static str,
    /// The shorter and the longer side, in tenths of a millimetre.
    sides: (u32, u32),
}

impl Paper {
    /// All that there are.
    pub const ALL: [Self; 10] = [
        Self { name: "A0", sides: (8410, 11_890) },
        Self { name: "A1", sides: (5940, 8410) },
        Self { name: "A2", sides: (4200, 5940) },
        Self { name: "A3", sides: (2970, 4200) },
        Self { name: "A4", sides: (2100, 2970) },
        Self { name: "A5", sides: (1480, 2100) },
        Self { name: "A6", sides: (1050, 1480) },
        Self { name: "Letter", sides: (2159, 2794) },
        Self { name: "Legal", sides: (2159, 3556) },
        Self { name: "Tabloid", sides: (2794, 4318) },
    ];

    /// The paper of a name, in whatever case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|paper| paper.name.eq_ignore_ascii_case(name))
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl Sheet {
    /// The pixels of the shorter and the longer side: each the nearest to its length, at least 1.
    pub fn sides(self) -> (usize, usize) {
        let pixels = |tenths: u32| {
            let inches = f64::from(tenths) / 254.0;
            ((inches * f64::from(self.dpi)).round() as usize).max(1)
        };
        (pixels(self.paper.sides.0), pixels(self.paper.sides.1))
    }

    /// Its columns and rows for a picture of H x W pixels: it is turned as the picture is.
    pub(super) fn turned_as(self, (height, width): (usize, usize)) -> (usize, usize) {
        let (short, long) = self.sides();
        if width > height { (long, short) } else { (short, long) }
    }
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.paper.name, self.dpi)
    }
}

/// The text is no paper, or its resolution is no whole number from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSheet;

impl FromStr for Sheet {
    type Err = NoSheet;

    fn from_str(text: &str) -> Result<Self, NoSheet> {
        let (paper, dpi) = text.split_once('@').ok_or(NoSheet)?;
        let dpi = dpi.parse().ok().filter(|&dpi| dpi > 0).ok_or(NoSheet)?;
        Ok(Self { paper: Paper::named(paper).ok_or(NoSheet)?, dpi })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paper_has_the_pixels_of_its_inches() {
        let sides = |text: &str| text.parse::<Sheet>().unwrap().sides();
        assert_eq!(sides("A3@300"), (3508, 4961));
        assert_eq!(sides("A4@300"), (2480, 3508));
        assert_eq!(sides("a6@72"), (298, 420));
        assert_eq!(sides("Letter@300"), (2550, 3300));
        assert_eq!(sides("legal@100"), (850, 1400));
        assert_eq!(sides("TABLOID@150"), (1650, 2550));
        assert_eq!(sides("A6@1"), (4, 6));
    }

    #[test]
    fn texts_are_sheets() {
        for paper in Paper::ALL {
            let sheet = Sheet { paper, dpi: 240 };
            assert_eq!(sheet.to_string().parse(), Ok(sheet));
        }
        for text in ["", "A3", "A7@300", "A3@0", "A3@-1", "A3@1.5", "A3@99999", "@300", "A3@300@300"] {
            assert_eq!(text.parse::<Sheet>(), Err(NoSheet), "{text:?}");
        }
    }
}
