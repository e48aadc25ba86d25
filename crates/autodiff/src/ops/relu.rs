//! ReLU: F = max(0, Z).
//!
//! ```text
//! dL/dZ_ij = dL/dF_ij   where F_ij > 0
//!            0          elsewhere
//! ```
//!
//! This is the mask of the paper's two gradients (section 2): it is applied here and nowhere else. At Z = 0 the
//! derivative is taken as 0.

use impasto_tensor::Element;

/// F = max(0, Z), in place.
pub fn forward<T: Element>(z: &mut [T]) {
    for value in z {
        if *value <= T::ZERO {
            *value = T::ZERO;
        }
    }
}

/// dL/dZ from dL/dF, in place, given the response F.
///
/// # Panics
/// If the lengths differ.
pub fn backward<T: Element>(f: &[T], gradient: &mut [T]) {
    assert_eq!(f.len(), gradient.len(), "a gradient for every response");
    for (g, &f) in gradient.iter_mut().zip(f) {
        if f <= T::ZERO {
            *g = T::ZERO;
        }
    }
}
