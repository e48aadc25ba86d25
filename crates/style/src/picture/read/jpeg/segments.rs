//! The segments of a JPEG (ITU T.81, annex B), which the decoder tells too little of: whether the file has its end, whether its
//! scans hold every coefficient, and the colour profile.

/// What the segments of a file say.
#[derive(Default)]
pub(super) struct Segments {
    /// Whether the end-of-image marker is there.
    pub(super) ended: bool,
    /// Bits of a sample, by the frame's header.
    pub(super) precision: u8,
    /// Whether the decoder keeps the coefficients of the whole picture: the frame is progressive, or has several scans.
    pub(super) several_scans: bool,
    /// The colour profile, put together from its segments.
    pub(super) profile: Option<Vec<u8>>,
    components: Vec<Component>,
    scans: usize,
    pieces: Vec<(u8, Vec<u8>)>,
}

/// A component, and of each of its 64 coefficients how many low bits no scan has told yet; none before its first scan.
struct Component {
    id: u8,
    missing: [Option<u8>; 64],
}

const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const PROFILE: u8 = 0xe2;
const PROFILE_NAME: &[u8] = b"ICC_PROFILE\0";

impl Segments {
    /// Follows the markers to the end-of-image marker or to the end of the file.
    pub(super) fn read(file: &[u8]) -> Self {
        let mut segments = Self::default();
        let mut rest = file;
        while let Some((marker, after)) = next_marker(rest) {
            rest = after;
            match marker {
                END_OF_IMAGE => {
                    segments.ended = true;
                    break;
                }
                // Start of image, restart markers and TEM have no length; neither has the coded data after a scan's header,
                // which `next_marker` skips.
                0x01 | 0xd0..=0xd8 => {}
                _ => {
                    let Some((length, after)) = rest.split_first_chunk::<2>() else { break };
                    let length = usize::from(u16::from_be_bytes(*length)).saturating_sub(2);
                    if after.len() < length {
                        break;
                    }
                    segments.take(marker, &after[..length]);
                    rest = &after[length..];
                }
            }
        }
        segments.profile = assemble(std::mem::take(&mut segments.pieces));
        segments
    }

    fn take(&mut self, marker: u8, data: &[u8]) {
        match (marker, data) {
            (START_OF_SCAN, _) => {
                self.scans += 1;
                self.several_scans |= self.scans > 1;
                self.scan(data);
            }
            (PROFILE, _) => {
                if let Some([number, _count, piece @ ..]) = data.strip_prefix(PROFILE_NAME) {
                    self.pieces.push((*number, piece.to_vec()));
                }
            }
            // Start of frame: all of these numbers but those of Huffman tables, of an extension and of arithmetic coding.
            (0xc0..=0xcf, &[precision, _, _, _, _, _, ref components @ ..])
                if !matches!(marker, 0xc4 | 0xc8 | 0xcc) =>
            {
                self.precision = precision;
                self.several_scans = marker == 0xc2;
                let component = |entry: &[u8]| Component { id: entry[0], missing: [None; 64] };
                self.components = components.chunks_exact(3).map(component).collect();
            }
            _ => {}
        }
    }

    /// The header of a scan: its components, the coefficients `first..=last`, and the bits that are left for later scans.
    fn scan(&mut self, data: &[u8]) {
        let Some((&count, data)) = data.split_first() else { return };
        let Some((ids, &[first, last, bits, ..])) = data.split_at_checked(2 * usize::from(count)) else {
            return;
        };
        for component in &mut self.components {
            if ids.iter().step_by(2).any(|&id| id == component.id) {
                let range = usize::from(first)..usize::from(last.min(63)) + 1;
                component.missing.get_mut(range).unwrap_or_default().fill(Some(bits & 15));
            }
        }
    }

    /// Whether scans for every bit of every coefficient have begun.
    pub(super) fn all_scans(&self) -> bool {
        let whole = |component: &Component| component.missing.iter().all(|&bits| bits == Some(0));
        !self.components.is_empty() && self.components.iter().all(whole)
    }
}

/// The code of the next marker, a byte after 0xff that is neither 0 (a stuffed data byte) nor 0xff (padding), and what comes
/// after it.
fn next_marker(mut data: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let start = data.iter().position(|&byte| byte == 0xff)?;
        let code = start + data[start..].iter().position(|&byte| byte != 0xff)?;
        let (marker, after) = (data[code], &data[code + 1..]);
        if marker != 0 {
            return Some((marker, after));
        }
        data = after;
    }
}

/// A profile from its numbered pieces (ICC.1:2022, annex B.4). Their count is not asked for, as some programs write a wrong one;
/// pieces with the same number stand as in the file.
fn assemble(mut pieces: Vec<(u8, Vec<u8>)>) -> Option<Vec<u8>> {
    if pieces.is_empty() {
        return None;
    }
    pieces.sort_by_key(|&(number, _)| number);
    Some(pieces.into_iter().flat_map(|(_, piece)| piece).collect())
}
