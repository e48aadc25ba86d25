//! EXIF data (CIPA DC-008): a little-endian TIFF that has a directory and no pixels. JPEG and WebP carry it.

use super::SOFTWARE;

const IMAGE_DESCRIPTION: u16 = 270;
const X_RESOLUTION: u16 = 282;
const Y_RESOLUTION: u16 = 283;
const RESOLUTION_UNIT: u16 = 296;
const SOFTWARE_TAG: u16 = 305;

/// The types of values, by their numbers in a file.
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const RATIONAL: u16 = 5;

/// A tag, the type and the number of its values, and their bytes.
struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    value: Vec<u8>,
}

impl Entry {
    fn text(tag: u16, text: &str) -> Self {
        let value = [text.as_bytes(), &[0]].concat();
        Self { tag, kind: ASCII, count: value.len() as u32, value }
    }

    fn whole(tag: u16, number: u16) -> Self {
        Self { tag, kind: RATIONAL, count: 1, value: [number.into(), 1_u32].map(u32::to_le_bytes).concat() }
    }

    fn short(tag: u16, number: u16) -> Self {
        Self { tag, kind: SHORT, count: 1, value: number.to_le_bytes().to_vec() }
    }
}

/// The text and the pixels to the inch, as far as they are to be said; nothing if neither is.
pub(super) fn exif(text: Option<&str>, dpi: Option<u16>) -> Option<Vec<u8>> {
    // In the order of their numbers, as a directory has to be.
    let mut entries = Vec::new();
    entries.extend(text.map(|text| Entry::text(IMAGE_DESCRIPTION, text)));
    if let Some(dpi) = dpi {
        const INCH: u16 = 2;
        entries.push(Entry::whole(X_RESOLUTION, dpi));
        entries.push(Entry::whole(Y_RESOLUTION, dpi));
        entries.push(Entry::short(RESOLUTION_UNIT, INCH));
    }
    entries.extend(text.map(|_| Entry::text(SOFTWARE_TAG, SOFTWARE)));
    (!entries.is_empty()).then(|| laid_out(&entries))
}

/// The header, the directory, and behind it the values that do not fit into their entries.
fn laid_out(entries: &[Entry]) -> Vec<u8> {
    const START: u32 = 8;
    let mut bytes = [b"II*\0", &START.to_le_bytes()[..], &(entries.len() as u16).to_le_bytes()].concat();
    let behind = START as usize + 2 + 12 * entries.len() + 4;
    let mut values: Vec<u8> = Vec::new();
    for Entry { tag, kind, count, value } in entries {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&kind.to_le_bytes());
        bytes.extend_from_slice(&count.to_le_bytes());
        if value.len() <= 4 {
            let mut inline = [0; 4];
            inline[..value.len()].copy_from_slice(value);
            bytes.extend_from_slice(&inline);
        } else {
            bytes.extend_from_slice(&((behind + values.len()) as u32).to_le_bytes());
            values.extend_from_slice(value);
            // Values begin at even places.
            values.resize(values.len().next_multiple_of(2), 0);
        }
    }
    // There is no other directory.
    bytes.extend_from_slice(&[0; 4]);
    [bytes, values].concat()
}
