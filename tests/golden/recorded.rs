//! What PyTorch's programs recorded beside this file, and how ours is compared with it.

use std::path::PathBuf;

use impasto_tensor::Element;
use serde_json::Value;

/// An array of PyTorch's: its norm, and its inner products with 32 vectors of random signs.
pub(crate) struct Sketch {
    norm: f64,
    products: Vec<f64>,
}

impl Sketch {
    pub(crate) fn of<T: Element>(values: &[T]) -> Self {
        let mut products = vec![0.0; 32];
        for (index, value) in values.iter().enumerate() {
            let (hash, value) = (splitmix64(index as u64), value.to_f64());
            for (bit, product) in products.iter_mut().enumerate() {
                *product += if hash >> bit & 1 == 1 { -value } else { value };
            }
        }
        let norm = values.iter().map(|value| value.to_f64().powi(2)).sum::<f64>().sqrt();
        Self { norm, products }
    }

    pub(crate) fn parse(value: &Value) -> Self {
        let products = value["sketch"].as_array().unwrap().iter().map(number).collect();
        Self { norm: number(&value["norm"]), products }
    }

    /// The 2-norm of the difference is estimated by the root mean square of the sketches' difference.
    pub(crate) fn compare<T: Element>(&self, values: &[T], tolerance: f64, what: &str) {
        let ours = Self::of(values);
        let squares: f64 = self.products.iter().zip(&ours.products).map(|(a, b)| (a - b).powi(2)).sum();
        let difference = (squares / self.products.len() as f64).sqrt() / self.norm;
        println!("{what}: relative difference {difference:.1e}");
        assert!(difference <= tolerance, "{what}: relative difference {difference:e}");
        check(ours.norm, self.norm, tolerance, &format!("{what}, norm"));
    }
}

/// Which signs element `index` has in the 32 vectors: its lowest 32 bits.
const fn splitmix64(index: u64) -> u64 {
    let z = index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The numbers of a crop of a picture at exact pixels, H x W x 3 from 0 to 255; `at` has its file, top and left.
pub(crate) fn crop(at: &Value, height: usize, width: usize) -> Vec<f32> {
    let picture = image::open(root().join(at["file"].as_str().unwrap())).unwrap().into_rgb8();
    let (top, left) = (size(at, "top") as u32, size(at, "left") as u32);
    let crop = image::imageops::crop_imm(&picture, left, top, width as u32, height as u32).to_image();
    crop.into_raw().into_iter().map(f32::from).collect()
}

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A whole number of an entry.
pub(crate) fn size(value: &Value, key: &str) -> usize {
    value[key].as_u64().unwrap() as usize
}

/// A number of the file.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Asserts that two numbers agree but for a relative difference.
pub(crate) fn check(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    let difference = (ours - theirs).abs() / theirs.abs();
    println!("{what}: relative difference {difference:.1e}");
    assert!(
        difference <= tolerance,
        "{what}: {ours} instead of {theirs}, relative difference {difference:e}"
    );
}
