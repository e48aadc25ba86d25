//! The processors that can be used.

use std::path::Path;

use super::control_groups::{Level, Version, levels};

/// How many threads can compute at the same time, at least 1: the processors on which this thread may run (affinity, which
/// cpusets set as well), and no more than the control groups' quotas pay for, rounded up.
///
/// A quota is so many microseconds of processor time in each period: `cpu.max` (version 2), `cpu.cfs_quota_us` and
/// `cpu.cfs_period_us` (version 1). [`std::thread::available_parallelism`] knows affinity and quotas too, but rounds down, and one
/// and a half processors are used by two threads, not by one. Where there is no affinity, it is the answer.
pub fn processors() -> usize {
    within_quotas(affinity(), Path::new("/"))
}

/// The processors on which this thread may run.
fn affinity() -> usize {
    #[cfg(target_os = "linux")]
    if let Ok(set) = rustix::thread::sched_getaffinity(None) {
        return set.count() as usize;
    }
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// What the control groups of the machine whose files are below `root` leave of so many processors; at least 1.
pub(super) fn within_quotas(processors: usize, root: &Path) -> usize {
    levels(root, "cpu").iter().filter_map(quota).fold(processors, usize::min).max(1)
}

/// The processors that a group's own quota pays for, rounded up; none if it has none.
fn quota(level: &Level) -> Option<usize> {
    let (quota, period) = match level.version {
        Version::One => (level.number("cpu.cfs_quota_us")?, level.number("cpu.cfs_period_us")?),
        Version::Two => {
            let text = level.text("cpu.max")?;
            let (quota, period) = text.trim().split_once(' ')?;
            (quota.parse().ok()?, period.parse().ok()?)
        }
    };
    (period > 0).then(|| quota.div_ceil(period) as usize)
}
