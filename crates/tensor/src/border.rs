//! What lies beyond the edge of a picture.

/// What a 3x3 convolution reads where its patch leaves the picture: I at -1 and at n, for rows and for columns of n numbers.
/// The corners follow from both directions.
///
/// ```text
/// zero        I[-1] = 0       I[n] = 0
/// reflect     I[-1] = I[1]    I[n] = I[n - 2]     the edge itself is not repeated; where n = 1: I[0]
/// replicate   I[-1] = I[0]    I[n] = I[n - 1]
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Border {
    /// Zeros: what networks are trained with.
    #[default]
    Zero,
    /// The picture mirrored at its outermost pixels.
    Reflect,
    /// The outermost pixels again.
    Replicate,
}

impl Border {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Zero, Self::Reflect, Self::Replicate];

    /// Which of `len` rows (or columns) is read at `shifted - 1`, from -1 to `len`; none where zeros are, and farther outside.
    #[inline]
    pub const fn read(self, shifted: usize, len: usize) -> Option<usize> {
        if 0 < shifted && shifted <= len {
            return Some(shifted - 1);
        }
        let (edge, beside) = if shifted == 0 && len > 0 {
            (0, if len > 1 { 1 } else { 0 })
        } else if shifted == len + 1 && len > 0 {
            (len - 1, len.saturating_sub(2))
        } else {
            return None;
        };
        match self {
            Self::Zero => None,
            Self::Reflect => Some(beside),
            Self::Replicate => Some(edge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows from -1 to n, for n = 1, 2, 3.
    #[test]
    fn rows_beyond_the_edge_are_those_of_the_definition() {
        let rows = |border: Border, len: usize| -> Vec<Option<usize>> {
            (0..len + 2).map(|shifted| border.read(shifted, len)).collect()
        };
        let of = |rows: &[usize]| rows.iter().copied().map(Some).collect::<Vec<_>>();
        assert_eq!(rows(Border::Zero, 2), [None, Some(0), Some(1), None]);
        assert_eq!(rows(Border::Reflect, 1), of(&[0, 0, 0]));
        assert_eq!(rows(Border::Reflect, 2), of(&[1, 0, 1, 0]));
        assert_eq!(rows(Border::Reflect, 3), of(&[1, 0, 1, 2, 1]));
        assert_eq!(rows(Border::Replicate, 1), of(&[0, 0, 0]));
        assert_eq!(rows(Border::Replicate, 3), of(&[0, 0, 1, 2, 2]));
        for border in Border::ALL {
            assert_eq!((border.read(4, 2), border.read(0, 0), border.read(1, 0)), (None, None, None));
        }
    }
}
