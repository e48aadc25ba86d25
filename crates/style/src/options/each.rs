//! Values for the paintings of a transfer: one for all of them, or one for each.

use std::fmt;
use std::num::ParseFloatError;
use std::str::FromStr;

use super::{LayerWeights, OptionsError};

/// One value for all paintings, or one for each, in their order.
///
/// As text: numbers separated by commas (`1,0.5`), layers by slashes (`conv1_1,conv2_1/conv4_1`).
///
/// ```
/// use impasto_style::Each;
/// let scales: Each<f64> = "1,0.5".parse()?;
/// assert_eq!((*scales.of(0), *scales.of(1)), (1.0, 0.5));
/// assert_eq!(*Each::from(2.0).of(7), 2.0);
/// # Ok::<(), std::num::ParseFloatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Each<T> {
    first: T,
    others: Vec<T>,
}

/// One for all.
impl<T> From<T> for Each<T> {
    fn from(value: T) -> Self {
        Self { first: value, others: Vec::new() }
    }
}

impl<T> Each<T> {
    /// A value for each painting; none without a value.
    pub fn new(values: impl IntoIterator<Item = T>) -> Option<Self> {
        let mut values = values.into_iter();
        Some(Self { first: values.next()?, others: values.collect() })
    }

    /// The value of a painting, by its number from 0 on. Where there are fewer values, it is the last one.
    pub fn of(&self, painting: usize) -> &T {
        match painting.checked_sub(1) {
            None => &self.first,
            Some(other) => self.others.get(other).or(self.others.last()).unwrap_or(&self.first),
        }
    }

    /// The values: one, or one for each painting.
    pub fn values(&self) -> impl Iterator<Item = &T> + Clone {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How many values there are.
    pub fn count(&self) -> usize {
        1 + self.others.len()
    }
}

/// The options with a number for each painting, which files may give as a list of numbers in place of a text.
pub const NUMBERS_OF_PAINTINGS: [&str; 2] = ["blend", "style-scale"];

const OF_NUMBERS: char = ',';
const OF_LAYERS: char = '/';

impl<T: FromStr> Each<T> {
    fn read(text: &str, separator: char) -> Result<Self, T::Err> {
        let mut parts = text.split(separator).map(|part| part.trim().parse());
        // A text has a first part, even an empty one.
        let first = parts.next().unwrap_or_else(|| "".parse())?;
        Ok(Self { first, others: parts.collect::<Result<_, _>>()? })
    }
}

impl<T: fmt::Display> Each<T> {
    fn write(&self, separator: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.others.iter().try_for_each(|value| write!(f, "{separator}{value}"))
    }
}

impl FromStr for Each<f64> {
    type Err = ParseFloatError;

    fn from_str(text: &str) -> Result<Self, ParseFloatError> {
        Self::read(text, OF_NUMBERS)
    }
}

impl FromStr for Each<LayerWeights> {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        Self::read(text, OF_LAYERS)
    }
}

impl fmt::Display for Each<f64> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(OF_NUMBERS, f)
    }
}

impl fmt::Display for Each<LayerWeights> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(OF_LAYERS, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_of_its_painting_or_of_all() {
        let of = |text: &str| {
            let each: Each<f64> = text.parse().unwrap();
            ([0, 1, 2].map(|painting| *each.of(painting)), each.count())
        };
        assert_eq!(of("2"), ([2.0; 3], 1));
        assert_eq!(of("1, 2,3"), ([1.0, 2.0, 3.0], 3));
        assert_eq!(of("1,2"), ([1.0, 2.0, 2.0], 2));
        assert!("1,,2".parse::<Each<f64>>().is_err() && "".parse::<Each<f64>>().is_err());
        assert_eq!(Each::<f64>::new([]), None);
    }

    #[test]
    fn layers_of_each_painting_are_read_back_as_they_were_written() {
        let each: Each<LayerWeights> = "conv1_1,conv2_1/relu4_1:3".parse().unwrap();
        assert_eq!(each.to_string(), "conv1_1:0.5,conv2_1:0.5/conv4_1:3");
        assert_eq!(each.to_string().parse::<Each<LayerWeights>>().unwrap(), each);
        assert!("conv1_1/".parse::<Each<LayerWeights>>().is_err());
    }
}
