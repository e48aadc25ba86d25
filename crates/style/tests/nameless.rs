//! Pictures and masks from bytes and from what can be read anywhere: as from files, with the same limits and errors.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, RgbaImage};
use impasto_style::picture::{Mask, Picture, PictureError, ReadOptions, Transparency};

fn options() -> ReadOptions {
    ReadOptions {
        transparency: Transparency::Kept,
        profile: true,
        memory_limit: None,
        ..ReadOptions::default()
    }
}

/// A picture with something transparent, in every format.
fn files() -> Vec<(ImageFormat, Vec<u8>)> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    let pixel =
        |x: u32, y: u32| image::Rgba([(7 * x) as u8, (5 * y) as u8, (x * y) as u8, 255 - (3 * x) as u8]);
    let image = DynamicImage::from(RgbaImage::from_fn(31, 23, pixel));
    let encode = |format| {
        let mut bytes = Cursor::new(Vec::new());
        let opaque = matches!(format, Jpeg).then(|| DynamicImage::from(image.to_rgb8()));
        opaque.as_ref().unwrap_or(&image).write_to(&mut bytes, format).unwrap();
        (format, bytes.into_inner())
    };
    [Png, Jpeg, WebP, Tiff, Bmp, Gif].map(encode).into()
}

#[test]
fn bytes_and_readers_are_read_as_files_are() {
    let folder = tempfile::tempdir().unwrap();
    for (format, bytes) in files() {
        let path = folder.path().join("file");
        fs::write(&path, &bytes).unwrap();
        let from_file = Picture::read(&path, &options()).unwrap();
        let from_bytes = Picture::from_bytes(&bytes, &options()).unwrap();
        // A file that was read to somewhere already.
        let mut file = File::open(&path).unwrap();
        file.seek(SeekFrom::Start(9)).unwrap();
        let from_reader = Picture::read_from(file, &path, &options()).unwrap();
        assert_eq!(from_reader, from_file, "{format:?}");
        assert_eq!(
            from_bytes.bytes,
            from_file.bytes + bytes.len() as u64,
            "{format:?}: bytes in memory count"
        );
        assert_eq!((from_bytes.picture, from_bytes.icc), (from_file.picture, from_file.icc), "{format:?}");

        let from_file = Mask::read(&path, &options()).unwrap().mask;
        assert_eq!(Mask::from_bytes(&bytes, &options()).unwrap().mask, from_file, "{format:?}");
        let reader = Cursor::new(&bytes);
        assert_eq!(Mask::read_from(reader, &path, &options()).unwrap().mask, from_file, "{format:?}");
    }
}

/// The same sentence, with the name that there is.
#[test]
fn errors_are_those_of_files_with_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some file");
    let (_, png) = files().swap_remove(0);
    let limited = ReadOptions { memory_limit: Some(2000), ..options() };
    let heic = [&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], &[0; 40]].concat();
    for (bytes, options) in [
        (&b""[..], options()),
        (b"hello, I am no picture", options()),
        (&png[..60], options()),
        (&png[..], limited),
    ] {
        fs::write(&path, bytes).unwrap();
        let of_file = Picture::read(&path, &options).unwrap_err().to_string();
        let named = |name: &str| of_file.replace(&path.display().to_string(), name);
        let reader = || Cursor::new(bytes.to_vec());
        let of_reader =
            |name: &str| Picture::read_from(reader(), Path::new(name), &options).unwrap_err().to_string();
        assert_eq!(of_reader("upload 7"), named("upload 7"));
        assert_eq!(of_reader(""), named("the picture"));
        let of_mask = Mask::read_from(reader(), Path::new("sky"), &options).unwrap_err().to_string();
        assert!(of_mask.contains("sky"), "{of_mask}");
        // The bytes themselves are among what is needed.
        let of_bytes = Picture::from_bytes(bytes, &options).unwrap_err().to_string();
        assert!(of_bytes.starts_with("the picture "), "{of_bytes}");
        assert_eq!(
            Mask::from_bytes(bytes, &options).unwrap_err().to_string().get(..12),
            Some("the picture ")
        );
    }
    let foreign = Picture::from_bytes(&heic, &options()).unwrap_err().to_string();
    assert!(foreign.starts_with("the picture is a HEIC picture") && foreign.contains("FILE"), "{foreign}");
}

#[test]
fn the_bytes_themselves_count_as_taken() {
    let (_, png) = files().swap_remove(0);
    let needed = |read: Result<_, PictureError>| match read {
        Err(PictureError::TooLarge { needed, limit, path, .. }) => {
            assert_eq!((limit, path), (3000, PathBuf::from("the picture")));
            needed
        }
        other => panic!("{other:?}"),
    };
    let limited = ReadOptions { memory_limit: Some(3000), held: 500, ..options() };
    let of_bytes = needed(Picture::from_bytes(&png, &limited));
    let of_reader = needed(Picture::read_from(Cursor::new(&png), Path::new(""), &limited));
    assert_eq!(of_bytes, of_reader + png.len() as u64);
}

/// A device that breaks after some bytes.
struct Breaking(Cursor<Vec<u8>>);

impl Read for Breaking {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.position() >= 1024 {
            return Err(io::Error::other("the cable is out"));
        }
        let most = into.len().min(256);
        self.0.read(&mut into[..most])
    }
}

impl Seek for Breaking {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_reader_that_breaks_is_an_error_with_its_name() {
    for (format, mut bytes) in files() {
        bytes.resize(1 << 20, 0);
        let mut reader = Breaking(Cursor::new(bytes));
        // It stands where it cannot be read, and is read from its beginning.
        reader.0.set_position(2000);
        match Picture::read_from(reader, Path::new("camera"), &options()) {
            Ok(_) => assert_ne!(format, ImageFormat::Bmp, "2,906 bytes are needed"),
            Err(error) => assert!(error.to_string().contains("camera"), "{format:?}: {error}"),
        }
    }
}
