//! Why pictures and masks are no subject.

/// Pictures, masks and regions that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// There is no painting at all.
    #[error("a transfer needs a painting")]
    NoPainting,
    /// A painting is of a region that is not there.
    #[error("painting {} is of region {region}, and there are {regions}", painting + 1)]
    NoSuchRegion {
        /// The painting, from 0 on.
        painting: usize,
        /// The number of its region, from 0 on.
        region: usize,
        /// How many regions there are.
        regions: usize,
    },
    /// Nothing is painted in a region.
    #[error("no painting is of the region {region}")]
    Unpainted {
        /// The region's name.
        region: String,
    },
    /// Two regions are the rest.
    #[error("only one region can be the rest of the photo")]
    Rests,
    /// A mask has other proportions than its picture.
    #[error(
        "{mask} has {} x {} pixels, which are other proportions than the {} x {} of {picture}; a mask may have any size, but must \
         show the whole picture", size.1, size.0, of.1, of.0
    )]
    Proportions {
        /// Which mask.
        mask: String,
        /// Its rows and columns.
        size: (usize, usize),
        /// What it is a mask of.
        picture: String,
        /// The rows and columns of that.
        of: (usize, usize),
    },
    /// The mask of what is kept is white everywhere.
    #[error("the mask of what is kept is white everywhere: nothing would be painted")]
    AllKept,
    /// A mask is black everywhere.
    #[error("{mask} is black everywhere: white is where it counts")]
    Empty {
        /// Which mask.
        mask: String,
    },
}
