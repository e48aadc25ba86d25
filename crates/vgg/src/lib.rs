//! VGG-16 and VGG-19: tables, preprocessing conventions, weight files.
#![forbid(unsafe_code)]
