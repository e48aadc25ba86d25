//! What is worth knowing of a transfer's pictures before it starts, and what to do about it.

use std::fmt;

use crate::{Picture, Size, Source, Subject, TransferOptions};

/// How much of what was asked for a painting must have so that nothing is said of it.
const ENOUGH: f64 = 0.9;

/// Something about one picture that is probably not meant. The text goes on after the picture's name; names of options stand
/// between backquotes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Notice {
    /// Which picture.
    pub source: Source,
    /// Its rows and columns.
    pub size: (usize, usize),
    /// What it is.
    pub kind: NoticeKind,
}

/// What is probably not meant.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum NoticeKind {
    /// The photo is smaller than the result.
    Enlarged {
        /// Rows and columns of the result.
        to: (usize, usize),
    },
    /// The painting is smaller than its style scale asks for. As a painting is never enlarged, its strokes become smaller.
    SmallPainting {
        /// The longest side that is asked for.
        wanted: usize,
        /// The style scale that its own longest side is.
        scale: f64,
        /// The longest side of the result at which it would be large enough, if a result may be that small.
        size: Option<usize>,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (height, width) = self.size;
        match self.kind {
            NoticeKind::Enlarged { to } => write!(
                f,
                "has {width} x {height} pixels and is enlarged to {} x {}; `size` original paints it as it is",
                to.1, to.0
            ),
            NoticeKind::SmallPainting { wanted, scale, size } => {
                write!(
                    f,
                    "has {width} x {height} pixels where {wanted} on the longest side were asked for. A painting is never enlarged, so \
                     its strokes will be smaller, as with `style-scale` {scale:.2}; for larger ones give a larger file"
                )?;
                size.map_or(Ok(()), |size| write!(f, ", or `size` {size}"))
            }
        }
    }
}

impl Subject {
    /// What is worth knowing of the photo and the paintings at the options' size: each picture that is much smaller than it should be.
    /// A photo that is enlarged at all is said.
    pub fn notices(&self, options: &TransferOptions) -> Vec<Notice> {
        let longest = self.longest_side(options);
        let own = |picture: &Picture| (picture.height(), picture.width());
        let photo = own(self.photo());
        let enlarged = (photo.0.max(photo.1) < longest).then(|| Notice {
            source: Source::Photo,
            size: photo,
            kind: NoticeKind::Enlarged { to: self.size(longest) },
        });
        let paintings = self.paintings().enumerate().filter_map(|(number, painting)| {
            let (size, wanted) = (own(painting), options.longest_of_painting(number, longest));
            let side = size.0.max(size.1);
            let scale = side as f64 / longest as f64;
            let fitting = (side as f64 * longest as f64 / wanted as f64) as usize;
            let smaller = |size| TransferOptions { size: Size::Longest(size), ..options.clone() };
            let fitting = Some(fitting.max(1)).filter(|&size| smaller(size).check_smallest().is_ok());
            let kind = NoticeKind::SmallPainting { wanted, scale, size: fitting };
            let is_small = (side as f64) < ENOUGH * wanted as f64;
            is_small.then_some(Notice { source: Source::Painting(number), size, kind })
        });
        enlarged.into_iter().chain(paintings).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Preset, white_noise};

    #[test]
    fn small_pictures_are_told_of() {
        let noise = |height, width| white_noise(height, width, 1).unwrap();
        let notices = |photo, painting, size, style_scale: f64| {
            let options =
                TransferOptions { size, style_scale: style_scale.into(), ..Preset::Default.options() };
            let notices = Subject::new(photo, painting).notices(&options);
            notices.into_iter().map(|notice| (notice.source, notice.to_string())).collect::<Vec<_>>()
        };
        let large = || noise(300, 400);
        assert_eq!(notices(large(), large(), Size::Longest(400), 1.0), []);
        assert_eq!(notices(noise(20, 30), large(), Size::Original, 1.0), []);
        assert_eq!(notices(large(), noise(60, 92), Size::Longest(100), 1.0), [], "that is nearly enough");
        let of_photo = notices(noise(200, 300), large(), Size::Longest(400), 1.0);
        let enlarged =
            "has 300 x 200 pixels and is enlarged to 400 x 267; `size` original paints it as it is";
        assert_eq!(of_photo, [(Source::Photo, enlarged.to_owned())]);
        let of_painting = notices(large(), noise(60, 80), Size::Longest(200), 2.0);
        let [(Source::Painting(0), text)] = &of_painting[..] else { panic!("{of_painting:?}") };
        assert!(
            text.starts_with("has 80 x 60 pixels where 400 on the longest side were asked for."),
            "{text}"
        );
        assert!(text.contains("`style-scale` 0.40") && text.ends_with("`size` 40"), "{text}");
        let of_painting = notices(large(), noise(1, 1), Size::Longest(200), 1.0);
        assert!(
            of_painting[0].1.ends_with("give a larger file"),
            "no result may be so small: {of_painting:?}"
        );
    }
}
