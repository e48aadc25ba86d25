//! Numbers that depend on a seed alone.

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.unit() * end as f64) as usize
    }
}

/// `len` numbers whose magnitude is 0.5 to 1.5 and whose sign is random, the same for the same seed: none is near 0, no two are equal,
/// and no sum of some of them is 0. So errors do not cancel when they are added up with these factors, as they do with 1 and -1.
pub fn uneven(len: usize, seed: u64) -> Vec<f64> {
    let mut random = SplitMix64(seed);
    let number = || {
        let magnitude = 0.5 + random.unit();
        if random.bits() >> 63 == 0 { magnitude } else { -magnitude }
    };
    std::iter::repeat_with(number).take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers from the seed 0 are published.
    #[test]
    fn bits_are_those_of_splitmix64() {
        let mut random = SplitMix64(0);
        assert_eq!([random.bits(), random.bits()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }

    #[test]
    fn uneven_numbers_are_off_zero_and_of_both_signs() {
        let numbers = uneven(1000, 7);
        assert!(numbers.iter().all(|number| (0.5..1.5).contains(&number.abs())));
        let positive = numbers.iter().filter(|number| **number > 0.0).count();
        assert!((400..600).contains(&positive), "{positive}");
        assert_ne!(numbers, uneven(1000, 8));
    }
}
