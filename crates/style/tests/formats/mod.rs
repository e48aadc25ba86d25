//! What each kind of picture file means, as numbers: files are made here, byte by byte where no encoder makes them.

mod colours;
mod jpeg;
mod png;
mod tiff;
mod tiff_bytes;

use std::fs;

use impasto_style::picture::{Picture, PictureError, ReadOptions, ReadPicture};

/// What a reader with 1 GiB makes of a file.
fn read(bytes: &[u8]) -> Result<ReadPicture, PictureError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    fs::write(&path, bytes).unwrap();
    Picture::read(&path, &ReadOptions { memory_limit: Some(1 << 30), ..ReadOptions::default() })
}

/// The numbers of a file that gives no warning.
fn values(bytes: &[u8]) -> Vec<f32> {
    let read = read(bytes).unwrap();
    assert_eq!(read.warnings, []);
    read.picture.into_data()
}

/// The sentence with which a file is refused.
fn refusal(bytes: &[u8]) -> String {
    read(bytes).expect_err("a file that is refused").to_string()
}

/// Numbers as they are written: conversions may lead slightly beyond black and white.
fn clamped(values: &[f32]) -> Vec<f32> {
    values.iter().map(|value| value.clamp(0.0, 255.0)).collect()
}

#[track_caller]
fn assert_close(got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len());
    for (k, (a, b)) in got.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance, "number {k} of {got:?} is not that of {expected:?}");
    }
}
