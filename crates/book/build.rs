//! Hands on what it is compiled for: src/font.rs asks Cargo about the packages of that machine alone, as no others were fetched.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=TARGET={}", std::env::var("TARGET").unwrap_or_default());
}
