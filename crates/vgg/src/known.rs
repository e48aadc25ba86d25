//! Files that are known by their hash.

use std::fmt;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::formats::Input;
use crate::{Arch, Convention};

/// A file that many people have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFile {
    /// What it is called and whose it is.
    pub name: &'static str,
    /// The sha256 in hexadecimal; for some only its first eight digits are published, in the file's own name.
    pub sha256: &'static str,
    /// The network.
    pub arch: Arch,
    /// What it expects of pictures.
    pub convention: Convention,
}

const KNOWN: [KnownFile; 7] = [
    KnownFile {
        name: "torchvision's vgg19-dcbb9e9d.pth",
        sha256: "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        arch: Arch::Vgg19,
        convention: Convention::Torch,
    },
    KnownFile {
        name: "torchvision's vgg16-397923af.pth",
        sha256: "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        arch: Arch::Vgg16,
        convention: Convention::Torch,
    },
    KnownFile {
        name: "Johnson's conversion vgg19-d01eb7cb.pth",
        sha256: "d01eb7cb",
        arch: Arch::Vgg19,
        convention: Convention::CaffeBgr,
    },
    KnownFile {
        name: "Johnson's conversion vgg16-00b39a1b.pth",
        sha256: "00b39a1b",
        arch: Arch::Vgg16,
        convention: Convention::CaffeBgr,
    },
    KnownFile {
        name: "MatConvNet's imagenet-vgg-verydeep-19.mat",
        sha256: "abdb57167f82a2a1fbab1e1c16ad9373411883f262a1a37ee5db2e6fb0044695",
        arch: Arch::Vgg19,
        convention: Convention::CaffeRgb,
    },
    KnownFile {
        name: "the source of the embedded weights",
        sha256: "3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49",
        arch: Arch::Vgg16,
        convention: Convention::CaffeBgr,
    },
    KnownFile {
        name: "the embedded weights",
        sha256: "5aa4cd22a2fe4f1b54f441cce823ac33d46d300ef839faad5150607a7c2e57ea",
        arch: Arch::Vgg16,
        convention: Convention::CaffeRgb,
    },
];

impl KnownFile {
    /// The known file of that hash.
    pub fn find(sha256: &str) -> Option<&'static Self> {
        KNOWN.iter().find(|known| sha256.starts_with(known.sha256))
    }
}

/// Bytes in hexadecimal.
struct Hex<'a>(&'a [u8]);

impl fmt::LowerHex for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The sha256 of all bytes, in hexadecimal.
pub(crate) fn sha256(input: &Input) -> io::Result<String> {
    let mut stream = input.cursor();
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(format!("{:x}", Hex(&hash.finalize())));
        }
        hash.update(&buffer[..count]);
    }
}
