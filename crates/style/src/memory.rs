//! How much memory the machine has left.

/// The bytes that can be had without swapping: what Linux says is available, and no more than the control group
/// allows. None on other systems.
pub fn available_memory() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let available = parse_available(&meminfo)?;
    Some(control_group_left().map_or(available, |left| left.min(available)))
}

/// `MemAvailable` of /proc/meminfo, in bytes.
fn parse_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What a container's limit (control groups, version 2) leaves; none without a limit.
fn control_group_left() -> Option<u64> {
    let number = |file: &str| {
        std::fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok()?.trim().parse::<u64>().ok()
    };
    Some(number("memory.max")?.saturating_sub(number("memory.current")?))
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
