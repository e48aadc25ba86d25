//! Every test of the crate that needs no program of its own, in one program: it is linked once.

mod common;
mod engine_conv;
mod engine_gram;
mod plain_conv;
mod plain_gemm;
mod plain_pad;
mod plain_pool;
mod plain_reduce;
mod square_root;
mod windows;
mod winograd_error;
