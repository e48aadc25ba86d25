//! Every test of the whole that needs no program of its own, in one program: it is linked once.

mod batch;
mod checkpoint_bytes;
mod cli_control;
mod cli_errors;
mod cli_help;
mod cli_settings;
mod cli_show;
mod cli_streams;
mod cli_transfer;
mod cli_writing;
mod command;
mod files;
mod golden;
mod golden_control;
mod golden_crowsonkb;
mod left_out;
mod listed;
mod log;
mod machine;
mod mounts;
mod numbers;
mod resume;
mod signals;
mod streams;
mod weights;
