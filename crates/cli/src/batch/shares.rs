//! How many pictures are painted at once, and what of the machine each may use.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What of the memory limit is for the picture that is read ahead: an eighth, and no more than this.
const MOST_AHEAD: u64 = 256 << 20;

/// The machine, divided among those who paint.
#[derive(Debug)]
pub(super) struct Shares {
    limit: Option<u64>,
    threads: usize,
    /// How many paint.
    painters: Mutex<usize>,
}

/// What one who paints may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) memory: Option<u64>,
    pub(super) threads: usize,
}

impl Shares {
    pub(super) fn new(limit: Option<u64>, threads: usize, painters: usize) -> Self {
        Self { limit, threads, painters: Mutex::new(painters.max(1)) }
    }

    fn painters(&self) -> MutexGuard<'_, usize> {
        self.painters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many paint.
    pub(super) fn count(&self) -> usize {
        *self.painters()
    }

    /// The memory for what is read ahead.
    pub(super) fn ahead(&self) -> Option<u64> {
        self.limit.map(|limit| (limit / 8).min(MOST_AHEAD))
    }

    /// What each may use that begins now.
    pub(super) fn each(&self) -> Share {
        let painters = self.count();
        let memory = self.limit.zip(self.ahead()).map(|(limit, ahead)| (limit - ahead) / painters as u64);
        Share { memory, threads: (self.threads / painters).max(1) }
    }

    /// What one may use that is alone, and nothing read ahead.
    pub(super) const fn whole(&self) -> Share {
        Share { memory: self.limit, threads: self.threads }
    }

    /// Lets one paint less than `seen`, so that the others may use more: who called it is the one that ends, if it is still that many, and
    /// tries again with a larger share otherwise. None where there is but one.
    pub(super) fn fewer(&self, seen: usize) -> Option<Fewer> {
        let mut painters = self.painters();
        match *painters {
            1 => None,
            now if now < seen => Some(Fewer::Already),
            _ => {
                *painters -= 1;
                Some(Fewer::Now)
            }
        }
    }
}

/// What became of a wish for fewer that paint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fewer {
    /// There are fewer by one, and who wished it ends.
    Now,
    /// There were fewer already.
    Already,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_are_never_more_than_all(limit in 0u64..1 << 40, threads in 1usize..200, painters in 1usize..100) {
            let shares = Shares::new(Some(limit), threads, painters);
            loop {
                let (Share { memory, threads: each }, count) = (shares.each(), shares.count());
                prop_assert!(memory.unwrap() * count as u64 + shares.ahead().unwrap() <= limit);
                prop_assert!(each * count <= threads.max(count));
                if shares.fewer(count).is_none() {
                    break;
                }
            }
            prop_assert_eq!(shares.count(), 1);
        }
    }

    #[test]
    fn two_that_have_too_little_at_once_make_one_less() {
        let shares = Shares::new(None, 4, 3);
        assert_eq!(shares.fewer(3), Some(Fewer::Now));
        assert_eq!(shares.fewer(3), Some(Fewer::Already));
        assert_eq!(shares.fewer(2), Some(Fewer::Now));
        assert_eq!(shares.fewer(1), None);
        assert_eq!(shares.each(), Share { memory: None, threads: 4 });
    }
}
