//! The part of the jobs that one of several calls does.

use std::cmp::Ordering;
use std::str::FromStr;

/// One of N parts, counted from 0, as Slurm's arrays and Kubernetes' indexed jobs count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

/// Why a text is no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a shard is I/N, such as 0/4 for the first of four, with I from 0 to N - 1; not {0}")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, of)) if index < of => Ok(Self { index, of }),
            _ => Err(ShardError(text.to_owned())),
        }
    }
}

impl Shard {
    /// Whether it is the first part.
    pub const fn is_first(self) -> bool {
        self.index == 0
    }

    /// Its jobs among all, by their costs, in their order. Every call with the same costs divides them alike, and every job is in one part:
    /// the dearest job first, each to the part with the least to do so far, the first of those. No part then has more than 4/3 of what the
    /// best division would leave the fullest one (Graham 1969).
    pub fn jobs(self, costs: &[f64]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..costs.len()).collect();
        order.sort_by(|&a, &b| costs[b].partial_cmp(&costs[a]).unwrap_or(Ordering::Equal).then(a.cmp(&b)));
        let (mut loads, mut ours) = (vec![0.0_f64; self.of.min(costs.len())], Vec::new());
        for job in order {
            let least = (0..loads.len()).min_by(|&a, &b| loads[a].total_cmp(&loads[b])).unwrap_or_default();
            loads[least] += costs[job].max(0.0);
            if least == self.index {
                ours.push(job);
            }
        }
        ours.sort_unstable();
        ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(costs: &[f64], of: usize) -> Vec<Vec<usize>> {
        (0..of).map(|index| Shard { index, of }.jobs(costs)).collect()
    }

    #[test]
    fn a_shard_counts_from_zero() {
        assert_eq!("0/4".parse(), Ok(Shard { index: 0, of: 4 }));
        assert_eq!("3/4".parse(), Ok(Shard { index: 3, of: 4 }));
        for wrong in ["4/4", "1", "a/4", "-1/4", "0/0", "", "1/2/3", "1/ 2"] {
            let error = wrong.parse::<Shard>().unwrap_err().to_string();
            assert!(error.ends_with(&format!("not {wrong}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_job_is_in_one_part(costs in prop::collection::vec(0.0..100.0, 0..60), of in 1usize..9) {
            let mut all: Vec<usize> = parts(&costs, of).concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..costs.len()).collect::<Vec<_>>());
        }

        /// Graham's bound for the greedy division, from what any division must have: the mean, and the dearest job.
        #[test]
        fn no_part_has_much_more_than_another(costs in prop::collection::vec(0.1..100.0, 1..60), of in 1usize..9) {
            let load = |jobs: &Vec<usize>| jobs.iter().map(|&job| costs[job]).sum::<f64>();
            let loads: Vec<f64> = parts(&costs, of).iter().map(load).collect();
            let (most, dearest) = (loads.iter().copied().fold(0.0, f64::max), costs.iter().copied().fold(0.0, f64::max));
            let mean = costs.iter().sum::<f64>() / of as f64;
            prop_assert!(most <= mean + dearest * (1.0 - 1.0 / of as f64) + 1e-9);
        }
    }
}
