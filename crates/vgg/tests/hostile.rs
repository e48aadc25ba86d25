//! Broken and hostile files: one clear sentence each, and no more memory than 100 MiB.

mod common;

use std::alloc::System;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use cap::Cap;
use common::{SMALL, weight_files};
use impasto_vgg::{LoadOptions, Loaded, Problem};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// One at a time, so that the peaks do not add up.
static ALONE: Mutex<()> = Mutex::new(());

const MIB: usize = 1 << 20;

/// The bytes of a fixture.
fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(common::fixture(name)).unwrap()
}

/// Loads the bytes, checks the peak of memory since the process started and that the error is one sentence, and gives it.
fn load(what: &str, bytes: Vec<u8>, options: LoadOptions) -> Result<Loaded, Problem> {
    let result = Loaded::from_bytes(bytes, options);
    let peak = ALLOCATOR.max_allocated();
    assert!(peak < 100 * MIB, "{what} took {} MiB", peak / MIB);
    if let Err(problem) = &result {
        let text = problem.to_string();
        assert!(!text.is_empty() && text.len() < 600 && !text.contains('\n'), "{what}: {text}");
    }
    result
}

fn refused(what: &str, bytes: Vec<u8>) -> String {
    match load(what, bytes, SMALL) {
        Ok(_) => panic!("{what} was accepted"),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn files_cut_at_every_fiftieth_are_refused() {
    let _alone = ALONE.lock();
    for (name, bytes) in weight_files() {
        for part in 0..50 {
            refused(&format!("{name} cut at {part}/50"), bytes[..bytes.len() * part / 50].to_vec());
        }
    }
}

#[test]
fn flipped_bits_never_panic() {
    let _alone = ALONE.lock();
    for (name, bytes) in weight_files() {
        // Every bit of the first bytes, then a stride that is prime to every structure.
        let positions = (0..64 * 8).chain((64 * 8..bytes.len() * 8).step_by(1009));
        for bit in positions.filter(|bit| bit / 8 < bytes.len()) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            load(&format!("{name} with bit {bit} flipped"), flipped, SMALL).ok();
        }
    }
}

/// A safetensors file of the given tensors.
fn safetensors(tensors: &[(&str, &[usize], f32)]) -> Vec<u8> {
    let mut header = "{".to_owned();
    let mut data = Vec::new();
    for (name, shape, value) in tensors {
        let start = data.len();
        data.extend(value.to_le_bytes().repeat(shape.iter().product()));
        let comma = if header.len() > 1 { "," } else { "" };
        write!(
            header,
            "{comma}\"{name}\":{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{start},{}]}}",
            data.len()
        )
        .unwrap();
    }
    header.push('}');
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

/// The tensors of a VGG-16 with four filters a layer.
fn small_vgg16() -> Vec<(String, Vec<usize>, f32)> {
    let mut tensors = Vec::new();
    let mut inputs = 3;
    for (block, count) in [2, 2, 3, 3, 3].into_iter().enumerate() {
        for index in 1..=count {
            let name = format!("conv{}_{index}", block + 1);
            tensors.push((format!("{name}.weight"), vec![4, inputs, 3, 3], 0.1));
            tensors.push((format!("{name}.bias"), vec![4], 0.1));
            inputs = 4;
        }
    }
    tensors
}

fn as_safetensors(tensors: &[(String, Vec<usize>, f32)]) -> Vec<u8> {
    let tensors: Vec<(&str, &[usize], f32)> =
        tensors.iter().map(|(name, shape, value)| (name.as_str(), shape.as_slice(), *value)).collect();
    safetensors(&tensors)
}

#[test]
fn networks_that_are_no_vgg_are_named_as_such() {
    let _alone = ALONE.lock();
    let resnet: &[(&str, &[usize], f32)] =
        &[("layer1.0.conv1.weight", &[8, 8, 3, 3], 0.1), ("layer1.0.bn1.running_mean", &[8], 0.1)];
    let text = refused("a ResNet", safetensors(resnet));
    assert!(text.starts_with("not a VGG-16 or VGG-19"), "{text}");

    let vgg11: Vec<(String, Vec<usize>, f32)> = [0, 3, 6, 8, 11, 13, 16, 18]
        .iter()
        .map(|index| (format!("features.{index}.weight"), vec![4, 4, 3, 3], 0.1))
        .collect();
    let text = refused("a VGG-11", as_safetensors(&vgg11));
    assert_eq!(text, "not a VGG-16 or VGG-19: it has 8 convolutions, not 13 (VGG-16) or 16 (VGG-19)");

    for (what, bytes) in [("nothing", Vec::new()), ("text", b"these are not weights".to_vec())] {
        let text = refused(what, bytes);
        assert!(text.starts_with("not a weight file of any known format"), "{text}");
    }
}

#[test]
fn what_is_missing_or_misshapen_is_named() {
    let _alone = ALONE.lock();
    let mut missing = small_vgg16();
    missing.retain(|(name, ..)| !name.starts_with("conv4_2"));
    let text = refused("a missing layer", as_safetensors(&missing));
    assert_eq!(text, "VGG-16 without its layer conv4_2: the file is incomplete");

    let mut no_bias = small_vgg16();
    no_bias.retain(|(name, ..)| name != "conv2_1.bias");
    let text = refused("a missing bias", as_safetensors(&no_bias));
    assert_eq!(text, "VGG-16 without its layer conv2_1 (its bias): the file is incomplete");

    let mut wrong = small_vgg16();
    wrong[8].1 = vec![4, 7, 3, 3];
    let text = refused("a wrong shape", as_safetensors(&wrong));
    assert_eq!(text, "conv3_1 has the shape 4 x 7 x 3 x 3 where VGG-16 has 4 x 4 x 3 x 3");

    let mut wide = small_vgg16();
    wide[0].1 = vec![4, 3, 5, 5];
    let text = refused("a kernel of 5x5", as_safetensors(&wide));
    assert_eq!(text, "VGG-16 without its layer conv1_1 (its kernel): the file is incomplete");

    for value in [f32::NAN, f32::INFINITY] {
        let mut broken = small_vgg16();
        broken[9].2 = value;
        let text = refused("NaN", as_safetensors(&broken));
        assert_eq!(text, "conv3_1 holds a number that is NaN or infinite: the file is damaged");
    }
}

/// Found by the mutator: an error repeated a name of the file with all that it did to the terminal.
#[test]
fn names_in_errors_are_fit_for_a_terminal() {
    let _alone = ALONE.lock();
    let long = format!("conv1_1.{}", "x".repeat(2000));
    let escape: &[(&str, &[usize], f32)] =
        &[("conv1_1.\\u001b[31m\\n", &[4, 3, 3, 3], 0.1), (&long, &[4, 3, 3, 3], 0.1)];
    let text = refused("an escape sequence", safetensors(escape));
    assert!(
        text.starts_with("not a VGG-16 or VGG-19: two tensors claim to be conv1_1.") && text.len() < 400,
        "{text}"
    );

    let name = b"conv1_1\x1b[2J\n\xff";
    let blob = [&b"\x2a\x04"[..], &[0; 4], &b"\x08\x04\x10\x03\x18\x03\x20\x03"[..]].concat();
    let layer = [&[0x22, name.len() as u8][..], name, &[0x32, blob.len() as u8], &blob].concat();
    let text = refused("an escape sequence", [&[0x12, layer.len() as u8][..], &layer].concat());
    assert_eq!(
        text,
        "broken caffemodel file: conv1_1?[2J??.blobs[0] does not hold the 108 numbers of its shape"
    );
}

/// The fixture with the bytes before the first kernel's numbers replaced.
fn with_length_before_kernel(name: &str, length: &[u8]) -> Vec<u8> {
    let mut bytes = fixture(name);
    // The first number of conv1_1: outputs and inputs come before it in kernels.bin.
    let numbers = fixture("kernels.bin")[8..8 + 16].to_vec();
    let at = bytes.windows(16).position(|window| window == numbers).expect("the kernel's numbers");
    bytes[at - length.len()..at].copy_from_slice(length);
    bytes
}

/// A protocol buffer number.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[test]
fn a_length_of_ten_gigabytes_takes_no_memory() {
    let _alone = ALONE.lock();
    let ten = 10_u64 << 30;
    let header = |offsets: &str| {
        let text = format!(
            "{{\"conv1_1.weight\":{{\"dtype\":\"F32\",\"shape\":[4,3,3,3],\"data_offsets\":{offsets}}}}}"
        );
        [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
    };
    refused("a safetensors header", [&ten.to_le_bytes()[..], b"{}      "].concat());
    refused("a safetensors tensor", header(&format!("[0,{ten}]")));
    refused("a safetensors tensor beyond the end", header("[0,432]"));
    refused("a legacy storage", with_length_before_kernel("vision_legacy.pth", &ten.to_le_bytes()));
    refused("a caffemodel", [&b"\x0a\x03net\x12"[..], &varint(ten)].concat());
    refused("an ONNX model", [&b"\x08\x08\x3a"[..], &varint(ten)].concat());
    let mut mat = fixture("matconvnet_2014.mat");
    mat[132..136].copy_from_slice(&u32::MAX.to_le_bytes());
    refused("a MAT file", mat);
    let pickle = [&fixture("lists.npy")[..128], b"\x80\x04\x8e", &ten.to_le_bytes()].concat();
    refused("a pickled npy", pickle);
    // An HDF5 shape of 3 x 3 x 3 x 4, as u64.
    let shape: Vec<u8> = [3_u64, 3, 3, 4].iter().flat_map(|side| side.to_le_bytes()).collect();
    let mut hdf5 = fixture("keras2_notop.h5");
    let at = hdf5.windows(32).position(|window| window == shape).expect("the shape");
    hdf5[at..at + 8].copy_from_slice(&ten.to_le_bytes());
    refused("an HDF5 shape", hdf5);
    // The sizes of the first member in the zip directory.
    for name in ["vision.pth", "ports.npz", "keras3.keras"] {
        let mut zip = fixture(name);
        let at = zip.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
        zip[at + 20..at + 28].copy_from_slice(&[0xfe, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff]);
        load(name, zip, SMALL).ok();
    }
}

/// A zip archive with one member of zeros after a start, compressed a thousandfold.
fn zip_bomb(members: &[String], start: &[u8], zeros: usize) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(1));
    for member in members {
        zip.start_file(member.as_str(), options).unwrap();
        zip.write_all(start).unwrap();
        for _ in 0..zeros / MIB {
            zip.write_all(&vec![0; MIB]).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn zip_bombs_stay_folded() {
    let _alone = ALONE.lock();
    let text = refused("a pth bomb", zip_bomb(&["archive/data.pkl".into()], b"", 256 * MIB));
    assert!(text.contains("larger than any state dictionary"), "{text}");

    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 512, 512), }";
    let start = [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
    let members: Vec<String> = (0..40).map(|index| format!("conv{index}.npy")).collect();
    let text = refused("an npz bomb", zip_bomb(&members, &start, 9 * MIB));
    assert_eq!(text, "not a VGG-16 or VGG-19: it holds more 3x3 kernels than VGG-19");

    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(&[14_u32.to_le_bytes(), u32::MAX.to_le_bytes()].concat()).unwrap();
    for _ in 0..256 {
        zlib.write_all(&vec![0; MIB]).unwrap();
    }
    let zlib = zlib.finish().unwrap();
    let mat =
        [&fixture("matconvnet.mat")[..128], &15_u32.to_le_bytes(), &(zlib.len() as u32).to_le_bytes(), &zlib];
    refused("a MAT bomb", mat.concat());
}

#[test]
fn pickles_run_nothing() {
    let _alone = ALONE.lock();
    for name in ["os_system.pth", "os_system_legacy.pth", "os_system.npy"] {
        let text = refused(name, fixture(name));
        assert!(
            text.contains("posix.system, which weights do not need, and nothing in it was run"),
            "{text}"
        );
    }
    assert!(!Path::new("/tmp/impasto-was-here").exists());
}

#[test]
fn pickles_that_multiply_are_stopped() {
    let _alone = ALONE.lock();
    let start = fixture("lists.npy")[..128].to_vec();
    // Memo slots far ahead, marks without end, a list that is its own element, and doubling tuples.
    let doubling: Vec<u8> = b")2\x86".iter().copied().chain(b"2\x86".repeat(400_000)).collect();
    for (what, pickle) in [
        ("memo slots", b"Nr\xff\xff\xff\x7f".repeat(1000)),
        ("marks", b"(".repeat(2 * MIB)),
        ("copies", b"N2".repeat(2 * MIB)),
        ("a list in itself", b"]q\x00h\x00a.".to_vec()),
        ("doubling tuples", doubling),
        ("lines", b"I0123456789\n".repeat(MIB)),
    ] {
        refused(what, [start.as_slice(), b"\x80\x02", &pickle].concat());
    }
}
