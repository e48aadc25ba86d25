//! What the machine lets this process have: memory and processors, as hardware, other programs and control groups leave them.

mod control_groups;
mod memory;
mod processors;

pub use memory::available_memory;
pub use processors::processors;

#[cfg(test)]
mod tests;
