//! What is doubtful about a picture that was read all the same.

/// What is doubtful about a picture, and how it was decided. The text goes on after the file's name and a colon.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The colour profile is damaged, too large or of a kind that is not understood.
    #[error("its colour profile cannot be used, so its colours are taken as sRGB")]
    Profile,
    /// A JPEG without its end marker in which every block was decoded.
    #[error("it ends without the end marker of a JPEG; every block of it could be decoded")]
    NoEnd,
    /// Some numbers of a picture of floats lie outside 0..1.
    #[error("{count} of its numbers lie outside 0 to 1 (from {least} to {most}) and were clamped")]
    Clamped {
        /// How many.
        count: u64,
        /// The least of all.
        least: f32,
        /// The largest of all.
        most: f32,
    },
}
