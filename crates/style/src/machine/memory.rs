//! The memory that can be had.

use std::fs;
use std::path::Path;

use super::control_groups::{Level, Version, levels};

/// The bytes that can be had without swapping: what Linux says is available, and no more than the control groups of the process
/// allow. None on other systems.
///
/// A group leaves its limit less what it uses. Limits are `memory.max` and `memory.high` (version 2; above the latter the kernel
/// does not kill but slows down until as much is given back), or `memory.limit_in_bytes` (version 1). What the kernel can
/// drop at once when memory is asked for is not counted as used, as `MemAvailable` of the whole machine does not: pages of files
/// that are neither waiting to be written nor being written, and half of the slab that might be reclaimed, since some of it is
/// in use. Swap does not count as memory. Source: the kernel's admin-guide, cgroup-v2 and cgroup-v1/memory; proc_meminfo(5).
pub fn available_memory() -> Option<u64> {
    available_below(Path::new("/"))
}

/// [`available_memory`] of the machine whose files are below `root`.
pub(super) fn available_below(root: &Path) -> Option<u64> {
    let meminfo = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let available = parse_available(&meminfo)?;
    Some(levels(root, "memory").iter().filter_map(left).fold(available, u64::min))
}

/// `MemAvailable` of /proc/meminfo, in bytes.
fn parse_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What a group's own limit leaves; none if it has none. The first version's way to say none is a number near 2^63, of which
/// always more is left than the machine has.
fn left(level: &Level) -> Option<u64> {
    let stat = level.text("memory.stat").unwrap_or_default();
    let (limits, used, dropped) = match level.version {
        Version::One => {
            // The least of the group's and of all above it, also of those that a container cannot see.
            let limits = [level.number("memory.limit_in_bytes"), count(&stat, "hierarchical_memory_limit")];
            let names = ["total_inactive_file", "total_active_file", "total_dirty", "total_writeback"];
            (limits, level.number("memory.usage_in_bytes"), clean_files(&stat, names))
        }
        Version::Two => {
            let limits = [level.number("memory.max"), level.number("memory.high")];
            let names = ["inactive_file", "active_file", "file_dirty", "file_writeback"];
            let slab = count(&stat, "slab_reclaimable").unwrap_or(0) / 2;
            (limits, level.number("memory.current"), clean_files(&stat, names).saturating_add(slab))
        }
    };
    let limit = limits.into_iter().flatten().min()?;
    Some(limit.saturating_sub(used.unwrap_or(0).saturating_sub(dropped)))
}

/// Bytes of files in memory that are as they are on disk, from the names of: inactive and active ones, written to, being written.
fn clean_files(stat: &str, names: [&str; 4]) -> u64 {
    let [inactive, active, dirty, writeback] = names.map(|name| count(stat, name).unwrap_or(0));
    inactive.saturating_add(active).saturating_sub(dirty).saturating_sub(writeback)
}

/// A line `NAME BYTES` of memory.stat.
fn count(stat: &str, name: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::parse_available;

    #[test]
    fn the_kernels_table_is_read() {
        let table = "MemTotal:       24682596 kB\nMemFree:         100 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(parse_available(table), Some(2 << 20));
        assert_eq!(parse_available("MemTotal: 1 kB\n"), None);
        assert_eq!(parse_available("MemAvailable: much kB\n"), None);
    }
}
