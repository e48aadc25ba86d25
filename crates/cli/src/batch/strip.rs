//! A job at a glance: photo, painting and picture side by side, small.

use std::fs;
use std::path::Path;

use impasto_style::picture::Encoding;
use impasto_style::{Picture, Subject};

/// H of a strip, in pixels.
const HEIGHT: usize = 96;
/// Between two pictures.
const GAP: usize = 4;
/// W of a picture in it, at most.
const WIDEST: usize = 3 * HEIGHT;

/// Writes the strip of a job. It is for people: what cannot be written is left out.
pub(super) fn write(path: &Path, subject: &Subject, picture: &Picture) {
    let painting = subject.style_images().first().map(|image| &*image.picture);
    let parts: Option<Vec<Picture>> =
        [Some(subject.photo()), painting, Some(picture)].into_iter().flatten().map(small).collect();
    if let Some(bytes) = parts.and_then(|parts| beside(&parts)?.encode(Encoding::Jpeg { quality: 80 }).ok()) {
        // What stands there and is no file would take the bytes elsewhere, or never.
        if !path.exists() || path.is_file() {
            fs::write(path, bytes).ok();
        }
    }
}

fn small(picture: &Picture) -> Option<Picture> {
    let width = picture.width() * HEIGHT / picture.height().max(1);
    picture.clone().on([255; 3]).resized(HEIGHT, width.clamp(1, WIDEST)).ok()
}

/// Pictures of one height beside one another, on white.
fn beside(parts: &[Picture]) -> Option<Picture> {
    let width = parts.iter().map(|part| part.width() + GAP).sum::<usize>() - GAP;
    let mut data = vec![255.0; HEIGHT * width * 3];
    for y in 0..HEIGHT {
        let mut at = 3 * y * width;
        for part in parts {
            let row = 3 * part.width();
            data[at..at + row].copy_from_slice(&part.data()[y * row..(y + 1) * row]);
            at += row + 3 * GAP;
        }
    }
    Picture::new(HEIGHT, width, data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use impasto_style::white_noise;

    #[test]
    fn a_strip_has_three_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("strip.jpg");
        let noise = |height, width| white_noise(height, width, 1).unwrap();
        write(&path, &Subject::new(noise(100, 200), noise(300, 300)), &noise(50, 2000));
        assert_eq!(Picture::stored_size(&path), Some((HEIGHT, 2 * HEIGHT + GAP + HEIGHT + GAP + WIDEST)));
    }
}
