//! Python pickles, read as data: the opcodes that PyTorch and NumPy write build a graph of [`Node`]s, and nothing is ever
//! called. A name that is not on the list is refused, and so is every other opcode.
//! <https://docs.python.org/3/library/pickletools.html>
//!
//! `stream` reads what follows an opcode, `machine` runs the opcodes, `globals` is the list of names, `graph` what comes out.

mod globals;
mod graph;
mod machine;
mod stream;

pub(crate) use graph::{Id, Node, Pickle};
