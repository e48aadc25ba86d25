//! The command line of impasto.
#![forbid(unsafe_code)]

fn main() {}
