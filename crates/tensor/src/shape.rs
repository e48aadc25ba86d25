//! The size of a tensor.

use std::fmt;

/// Height x width x channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// H, the number of rows.
    pub height: usize,
    /// W, the number of columns.
    pub width: usize,
    /// N, the number of channels (filters), fastest in memory.
    pub channels: usize,
}

impl Shape {
    /// H x W x C.
    pub const fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// M = H W, the number of positions.
    pub const fn positions(&self) -> usize {
        self.height * self.width
    }

    /// H W C, the number of elements.
    pub const fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether there are no elements.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} x {}", self.height, self.width, self.channels)
    }
}
