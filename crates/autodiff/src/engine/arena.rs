//! One allocation for all intermediate tensors of an evaluation, planned from when each is alive.

use std::ops::Range;

use impasto_tensor::GRANULE;

/// A tensor's place in the arena; every tensor starts on a line of the cache, of [`GRANULE`] numbers.
pub(crate) type Slot = Range<usize>;

/// A tensor that is alive from step `first` to step `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) len: usize,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// Gives each tensor a place such that no two that are alive at the same step overlap: the largest first, each at the
/// lowest place that is free for its whole life. Returns the places and the arena's length.
pub(crate) fn plan(lives: &[Life]) -> (Vec<Slot>, usize) {
    let mut order: Vec<usize> = (0..lives.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(lives[index].len), index));
    let mut slots: Vec<Slot> = vec![0..0; lives.len()];
    let mut placed: Vec<usize> = Vec::new();
    let mut total = 0;
    for index in order {
        let life = lives[index];
        let mut busy: Vec<Slot> = placed
            .iter()
            .filter(|&&other| lives[other].first <= life.last && life.first <= lives[other].last)
            .map(|&other| slots[other].clone())
            .collect();
        busy.sort_by_key(|slot| slot.start);
        let mut start = 0;
        for slot in busy {
            if start + life.len <= slot.start {
                break;
            }
            start = start.max(slot.end.next_multiple_of(GRANULE));
        }
        slots[index] = start..start + life.len;
        total = total.max(start + life.len);
        placed.push(index);
    }
    (slots, total)
}

#[cfg(test)]
mod tests {
    use impasto_tensor::GRANULE;

    use super::{Life, plan};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tensors_alive_together_never_overlap(
            lives in prop::collection::vec((1_usize..1000, 0_usize..20, 0_usize..20), 1..30)
        ) {
            let lives: Vec<Life> = lives
                .into_iter()
                .map(|(len, a, b)| Life { len, first: a.min(b), last: a.max(b) })
                .collect();
            let (slots, total) = plan(&lives);
            for (i, a) in lives.iter().enumerate() {
                prop_assert!(slots[i].len() == a.len && slots[i].end <= total && slots[i].start % GRANULE == 0);
                for (j, b) in lives.iter().enumerate().skip(i + 1) {
                    let together = a.first <= b.last && b.first <= a.last;
                    prop_assert!(!together || slots[i].end <= slots[j].start || slots[j].end <= slots[i].start);
                }
            }
        }
    }

    #[test]
    fn memory_is_used_again() {
        let life = |first| Life { len: 160, first, last: first + 1 };
        let (_, total) = plan(&[life(0), life(1), life(2), life(3), life(4)]);
        assert_eq!(total, 320);
    }
}
