//! What `inspect` and `verify` find out.

use std::path::{Path, PathBuf};

use crate::common::{SMALL, fixture};
use impasto_vgg::{Convention, Decision, Inspection, KnownFile, LoadOptions, Problem, WeightsError};

#[test]
fn the_embedded_file_is_a_known_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../weights/vgg16.safetensors");
    let inspection = Inspection::read(&path, LoadOptions::default()).unwrap();
    assert_eq!(inspection.known.map(|known| known.name), Some("the embedded weights"));
    assert_eq!(inspection.decision, Some(Decision::Metadata));
    assert_eq!(inspection.bytes, 29_431_744);
    assert_eq!(inspection.layers.len(), 13);
    let conv4_2 = &inspection.layers[8];
    assert_eq!((conv4_2.name.as_str(), conv4_2.inputs, conv4_2.outputs), ("conv4_2", 512, 512));
    // NumPy's numbers of the same tensor.
    assert!((conv4_2.kernel.mean + 0.00047).abs() < 5e-6 && (conv4_2.kernel.std - 0.00762).abs() < 5e-6);
}

#[test]
fn a_file_that_does_not_tell_its_preprocessing_can_be_inspected() {
    let inspection = Inspection::read(&fixture("ambiguous.onnx"), SMALL).unwrap();
    assert_eq!(inspection.decision, None);
    assert!(inspection.known.is_none());
}

#[test]
fn tensors_that_are_not_read_are_listed() {
    let inspection = Inspection::read(&fixture("vision.pth"), SMALL).unwrap();
    let tensor =
        inspection.loaded.tensors.iter().find(|tensor| tensor.name == "classifier.6.weight").unwrap();
    assert_eq!(tensor.shape, [5, 10]);
    assert_eq!(inspection.loaded.tensors.len(), 38);
}

#[test]
fn a_name_with_another_hash_is_a_damaged_download() {
    let inspection = Inspection::read(&fixture("vision.pth"), SMALL).unwrap();
    let name = |hash: &str| PathBuf::from(format!("vgg19-{hash}.pth"));
    inspection.verify_name(&name(&inspection.sha256[..8])).unwrap();
    inspection.verify_name(Path::new("vgg19-pretrained.pth")).unwrap();
    let error = inspection.verify_name(&name("dcbb9e9d")).unwrap_err();
    assert!(matches!(error, WeightsError::File { problem: Problem::WrongHash { .. }, .. }), "{error}");
}

#[test]
fn known_files_are_found_by_their_hash() {
    let hash = "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44";
    assert_eq!(KnownFile::find(hash).unwrap().convention, Convention::Torch);
    assert!(KnownFile::find(&"0".repeat(64)).is_none());
}
