//! What kind of file it is, by its first bytes.

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
    Tiff,
    WebP,
    Gif,
    Bmp,
}

/// A format that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Foreign {
    /// With its article.
    pub(super) name: &'static str,
    /// Commands that make a picture of it that is read; `IN` stands for the file, `OUT` for its name without extension.
    pub(super) advice: &'static str,
}

/// How many of the first bytes [`Kind::of`] looks at.
pub(super) const FIRST_BYTES: usize = 512;

impl Kind {
    /// The kind of a file that begins with these bytes; none for what is not known.
    pub(super) fn of(first: &[u8]) -> Result<Option<Self>, Foreign> {
        if let Some(foreign) = raw(first) {
            return Err(foreign);
        }
        let riff = first.starts_with(b"RIFF");
        match first {
            [0xff, 0xd8, 0xff, ..] => Ok(Some(Self::Jpeg)),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Some(Self::Png)),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Ok(Some(Self::Tiff)),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Some(Self::Gif)),
            [b'B', b'M', ..] => Ok(Some(Self::Bmp)),
            _ if riff && first.get(8..12) == Some(b"WEBP") => Ok(Some(Self::WebP)),
            _ => foreign(first).map_or(Ok(None), Err),
        }
    }
}

const MAGICK: &str = "`magick IN OUT.png`";
const RAW: Foreign =
    Foreign { name: "a camera's raw file", advice: "`darktable-cli IN OUT.png`, or `dcraw -T -w IN`" };

/// Raw files of cameras that look like a TIFF, or are one whose first picture is a thumbnail.
fn raw(first: &[u8]) -> Option<Foreign> {
    let known = first.starts_with(b"IIRO")                       // Olympus
        || first.starts_with(b"IIRS")
        || first.starts_with(b"MMOR")
        || first.starts_with(b"IIU\0")                           // Panasonic
        || first.starts_with(b"FUJIFILMCCD-RAW")
        || first.starts_with(b"FOVb")                            // Sigma
        || first.starts_with(b"\0MRM")                           // Minolta
        || first.starts_with(b"IIII") && first.get(8..12).is_some_and(|name| name == b"HEAP") // Canon CRW
        || first.get(6..14).is_some_and(|name| name == b"HEAPCCDR")
        || first.starts_with(b"II*\0") && first.get(8..10) == Some(b"CR")   // Canon CR2
        || brand(first).is_some_and(|brand| brand == b"crx "); // Canon CR3
    (known || is_dng(first) == Some(true)).then_some(RAW)
}

/// Whether a TIFF has the tag `DNGVersion` in its first directory, as far as that is among the first bytes.
fn is_dng(first: &[u8]) -> Option<bool> {
    const DNG_VERSION: u16 = 0xc612;
    let little = match first.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = *first.get(at..)?.first_chunk::<2>()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = first.get(4..)?.first_chunk::<4>()?;
    let directory = if little { u32::from_le_bytes(*long) } else { u32::from_be_bytes(*long) } as usize;
    let entries = usize::from(short(directory)?);
    Some((0..entries).map_while(|entry| short(directory + 2 + 12 * entry)).any(|tag| tag == DNG_VERSION))
}

/// The major brand of a file of the ISO base media format.
fn brand(first: &[u8]) -> Option<&[u8]> {
    (first.get(4..8)? == b"ftyp").then(|| first.get(8..12)).flatten()
}

/// The compatible brands of such a file, as far as they are among the first bytes.
fn has_brand(first: &[u8], wanted: [u8; 4]) -> bool {
    let Some(length) = first.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize) else {
        return false;
    };
    let brands = first.get(16..length.min(first.len())).unwrap_or_default();
    brands.chunks_exact(4).any(|brand| brand == wanted)
}

fn foreign(first: &[u8]) -> Option<Foreign> {
    let some = |name, advice| Some(Foreign { name, advice });
    if let Some(brand) = brand(first) {
        return match brand {
            b"avif" | b"avis" => some("an AVIF picture", "`avifdec IN OUT.png`"),
            b"mif1" | b"msf1" if has_brand(first, *b"avif") => {
                some("an AVIF picture", "`avifdec IN OUT.png`")
            }
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => some(
                "a HEIC picture",
                "`heif-convert IN OUT.png`, or on a Mac `sips -s format png IN --out OUT.png`",
            ),
            b"jp2 " | b"jpx " => some("a JPEG 2000 picture", MAGICK),
            _ => some("a film, or a picture in a film's format", "`ffmpeg -i IN -frames:v 1 OUT.png`"),
        };
    }
    let text = first.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match first {
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', 13, 10, 0x87, 10, ..] => {
            some("a JPEG XL picture", "`djxl IN OUT.png`")
        }
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', 13, 10, 0x87, 10, ..] | [0xff, 0x4f, 0xff, 0x51, ..] => {
            some("a JPEG 2000 picture", MAGICK)
        }
        [b'I', b'I', 0xbc, 1, ..] => some("a JPEG XR picture", "`JxrDecApp -i IN -o OUT.tif`"),
        [b'8', b'B', b'P', b'S', 0, 1 | 2, ..] => some("a Photoshop document", "`magick IN'[0]' OUT.png`"),
        [0x76, 0x2f, 0x31, 0x01, ..] => some("an OpenEXR picture", MAGICK),
        _ if text.starts_with(b"%PDF-") => some("a PDF document", "`pdftoppm -png -r 150 IN OUT`"),
        _ if text.starts_with(b"%!PS") => some("a PostScript document", MAGICK),
        _ if is_svg(text) => {
            some("an SVG drawing", "`rsvg-convert IN -o OUT.png`, or `inkscape IN -o OUT.png`")
        }
        _ if first.starts_with(b"gimp xcf") => some("a GIMP document", MAGICK),
        _ if first.starts_with(b"#?RADIANCE") || first.starts_with(b"#?RGBE") => {
            some("a Radiance HDR picture", MAGICK)
        }
        _ if first.starts_with(b"qoif") => some("a QOI picture", MAGICK),
        _ if first.starts_with(b"DDS ") => some("a DDS texture", MAGICK),
        _ if first.starts_with(b"farbfeld") => some("a farbfeld picture", MAGICK),
        [0, 0, 1, 0, ..] => some("an icon", "`magick IN'[0]' OUT.png`"),
        [b'P', b'1'..=b'7', b'\n' | b'\r' | b' ' | b'\t', ..] => some("a Netpbm picture", MAGICK),
        _ => None,
    }
}

fn is_svg(text: &[u8]) -> bool {
    text.starts_with(b"<svg")
        || (text.starts_with(b"<?xml") || text.starts_with(b"<!"))
            && text.windows(4).any(|tag| tag == b"<svg")
}
