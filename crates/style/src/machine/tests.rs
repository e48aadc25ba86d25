//! Made-up machines: a folder with the files that Linux would show.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::memory::available_below;
use super::processors::within_quotas;

const MIB: u64 = 1 << 20;

/// The mount of the second version alone, as systemd has it.
const UNIFIED: &str = "25 20 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

/// A machine with 8 GiB available.
struct Machine(TempDir);

impl Machine {
    fn new(cgroup: &str, mountinfo: &str) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        machine.file("proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n");
        machine.file("proc/self/cgroup", cgroup);
        machine.file("proc/self/mountinfo", mountinfo);
        machine
    }

    fn file(&self, path: &str, text: &(impl ToString + ?Sized)) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.to_string()).unwrap();
    }

    /// Files of the second version: a limit, and what is used; bytes.
    fn group(&self, folder: &str, max: &(impl ToString + ?Sized), current: u64) {
        self.file(&format!("{folder}/memory.max"), max);
        self.file(&format!("{folder}/memory.current"), &current);
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn mib(&self) -> u64 {
        available_below(self.root()).unwrap() / MIB
    }
}

#[test]
fn a_machine_without_groups_has_what_the_kernel_says() {
    let machine = Machine::new("", "");
    assert_eq!((machine.mib(), within_quotas(6, machine.root())), (8192, 6));
    fs::remove_dir_all(machine.root().join("proc/self")).unwrap();
    assert_eq!((machine.mib(), within_quotas(6, machine.root())), (8192, 6));
    fs::remove_dir_all(machine.root().join("proc")).unwrap();
    assert_eq!(available_below(machine.root()), None);
}

#[test]
fn the_least_of_all_levels_counts() {
    let machine = Machine::new("0::/user.slice/run.scope/job\n", UNIFIED);
    let group = "sys/fs/cgroup/user.slice/run.scope/job";
    machine.group(group, "max\n", 100 * MIB);
    assert_eq!(machine.mib(), 8192);
    machine.group(group, &(2000 * MIB), 100 * MIB);
    assert_eq!(machine.mib(), 1900);
    machine.group("sys/fs/cgroup/user.slice/run.scope", &(1500 * MIB), 900 * MIB);
    assert_eq!(machine.mib(), 600);
    machine.group("sys/fs/cgroup/user.slice", &(5000 * MIB), 4990 * MIB);
    assert_eq!(machine.mib(), 10);
    machine.group("sys/fs/cgroup/user.slice", &(5000 * MIB), 5001 * MIB);
    assert_eq!(machine.mib(), 0);
}

#[test]
fn memory_high_is_a_limit() {
    let machine = Machine::new("0::/job\n", UNIFIED);
    machine.group("sys/fs/cgroup/job", &(2000 * MIB), 100 * MIB);
    machine.file("sys/fs/cgroup/job/memory.high", &(400 * MIB));
    assert_eq!(machine.mib(), 300);
    machine.file("sys/fs/cgroup/job/memory.high", "max\n");
    assert_eq!(machine.mib(), 1900);
    fs::remove_file(machine.root().join("sys/fs/cgroup/job/memory.max")).unwrap();
    machine.file("sys/fs/cgroup/job/memory.high", &(400 * MIB));
    assert_eq!(machine.mib(), 300);
}

#[test]
fn what_the_kernel_can_drop_is_not_used() {
    let machine = Machine::new("0::/job\n", UNIFIED);
    machine.group("sys/fs/cgroup/job", &(1000 * MIB), 900 * MIB);
    let stat = |names: [&str; 5]| {
        let lines = names.iter().zip([300, 200, 40, 10, 60]);
        lines.map(|(name, mib)| format!("{name} {}", mib * MIB)).collect::<Vec<_>>().join("\n")
    };
    let names = ["inactive_file", "active_file", "file_dirty", "file_writeback", "slab_reclaimable"];
    machine.file("sys/fs/cgroup/job/memory.stat", &stat(names));
    assert_eq!(machine.mib(), 1000 - (900 - (300 + 200 - 40 - 10) - 60 / 2));

    let machine = Machine::new("4:memory:/job\n", "1 2 0:1 / /cg/memory rw - cgroup cgroup rw,memory\n");
    machine.file("cg/memory/job/memory.limit_in_bytes", &(1000 * MIB));
    machine.file("cg/memory/job/memory.usage_in_bytes", &(900 * MIB));
    let names = ["total_inactive_file", "total_active_file", "total_dirty", "total_writeback", "slab"];
    // The group's own, without those below it, are other lines.
    machine.file("cg/memory/job/memory.stat", &format!("inactive_file 1\nactive_file 1\n{}", stat(names)));
    assert_eq!(machine.mib(), 1000 - (900 - (300 + 200 - 40 - 10)));
}

#[test]
fn the_first_version_has_files_of_its_own() {
    let mounts = "1 2 0:1 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                  3 2 0:2 / /sys/fs/cgroup/memory rw shared:4 - cgroup cgroup rw,memory\n";
    let machine = Machine::new("5:memory:/a/b\n4:cpu,cpuacct:/c\n1:name=systemd:/memory\n", mounts);
    let memory = "sys/fs/cgroup/memory";
    machine.file(&format!("{memory}/memory.limit_in_bytes"), "9223372036854771712\n");
    machine.file(&format!("{memory}/memory.usage_in_bytes"), &(7000 * MIB));
    machine.file(&format!("{memory}/a/b/memory.limit_in_bytes"), "9223372036854771712\n");
    machine.file(&format!("{memory}/a/b/memory.usage_in_bytes"), &(50 * MIB));
    assert_eq!(machine.mib(), 8192);
    machine.file(&format!("{memory}/a/memory.limit_in_bytes"), &(1000 * MIB));
    machine.file(&format!("{memory}/a/memory.usage_in_bytes"), &(400 * MIB));
    assert_eq!(machine.mib(), 600);

    machine.file("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "100000\n");
    machine.file("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "-1\n");
    assert_eq!(within_quotas(6, machine.root()), 6);
    machine.file("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "250000\n");
    assert_eq!(within_quotas(6, machine.root()), 3);
}

/// Docker without namespaces of groups: the mount's top is the container's own group, and what is above it cannot be seen.
#[test]
fn a_container_sees_its_own_group_at_the_top() {
    let mounts = "1 2 0:1 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
    let machine = Machine::new("5:memory:/docker/abc/inner\n", mounts);
    let memory = "sys/fs/cgroup/memory";
    machine.file(&format!("{memory}/memory.limit_in_bytes"), &(1000 * MIB));
    machine.file(&format!("{memory}/memory.usage_in_bytes"), &(400 * MIB));
    machine.file(&format!("{memory}/inner/memory.limit_in_bytes"), &(5000 * MIB));
    machine.file(&format!("{memory}/inner/memory.usage_in_bytes"), &(300 * MIB));
    assert_eq!(machine.mib(), 600);
    machine.file(&format!("{memory}/inner/memory.stat"), "hierarchical_memory_limit 524288000\n");
    assert_eq!(machine.mib(), 200);
}

/// The group's name means nothing where the mount shows another part of the hierarchy; its top holds all the same.
#[test]
fn a_group_that_is_not_below_the_mount_has_the_limits_of_its_top() {
    for group in ["/", "/../outside", "/elsewhere"] {
        let mounts = "1 2 0:1 /pods/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        let machine = Machine::new(&format!("0::{group}\n"), mounts);
        machine.group("sys/fs/cgroup", &(1000 * MIB), 400 * MIB);
        machine.group("sys/fs/outside", &(10 * MIB), 0);
        assert_eq!(machine.mib(), 600, "{group}");
    }
    let machine = Machine::new("0::/../outside\n", UNIFIED);
    machine.group("sys/fs/cgroup", &(1000 * MIB), 400 * MIB);
    machine.group("sys/fs/outside", &(10 * MIB), 0);
    assert_eq!(machine.mib(), 600);
}

/// Names of units may hold backslashes, mount points spaces; mountinfo writes both as octal numbers.
#[test]
fn escaped_names_are_read() {
    let mounts = "1 2 0:1 /run\\134x2d1.scope /my\\040groups rw - cgroup2 cgroup2 rw\n";
    let machine = Machine::new("0::/run\\x2d1.scope/a: b\n", mounts);
    machine.group("my groups/a: b", &(700 * MIB), 0);
    assert_eq!(machine.mib(), 700);
    machine.group("my groups", &(900 * MIB), 300 * MIB);
    assert_eq!(machine.mib(), 600);
}

/// systemd's hybrid: controllers in the first version, an empty second one beside it; or the other way round.
#[test]
fn both_versions_at_once() {
    let mounts = "1 2 0:1 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
                  3 2 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    let machine = Machine::new("5:memory:/a\n0::/b\n", mounts);
    machine.file("sys/fs/cgroup/memory/a/memory.limit_in_bytes", &(1000 * MIB));
    machine.file("sys/fs/cgroup/memory/a/memory.usage_in_bytes", &0);
    machine.file("sys/fs/cgroup/unified/b/cpu.max", "max 100000\n");
    assert_eq!((machine.mib(), within_quotas(6, machine.root())), (1000, 6));
    machine.group("sys/fs/cgroup/unified/b", &(800 * MIB), 0);
    machine.file("sys/fs/cgroup/unified/cpu.max", "100000 100000\n");
    assert_eq!((machine.mib(), within_quotas(6, machine.root())), (800, 1));
}

#[test]
fn quotas_are_rounded_up_and_are_never_nothing() {
    let machine = Machine::new("0::/job/step\n", UNIFIED);
    let cases =
        [("150000 100000", 2), ("200000 100000", 2), ("1000 100000", 1), ("0 100000", 1), ("max 100000", 6)];
    for (text, expected) in cases {
        machine.file("sys/fs/cgroup/job/step/cpu.max", text);
        assert_eq!(within_quotas(6, machine.root()), expected, "{text}");
    }
    machine.file("sys/fs/cgroup/job/cpu.max", "300000 100000\n");
    assert_eq!(within_quotas(6, machine.root()), 3);
    for nonsense in ["", "1", "1 0", "a b", "-5 100000", "99999999999999999999 1"] {
        machine.file("sys/fs/cgroup/job/step/cpu.max", nonsense);
        assert_eq!(within_quotas(6, machine.root()), 3, "{nonsense}");
    }
}

proptest! {
    /// A limit anywhere never gives more, whatever the files hold.
    #[test]
    #[test]
    fn a_limit_never_gives_more(
        max in "[0-9]{0,20}|max|-1", high in "[0-9]{0,20}|max", current in any::<u64>(), stat in "(inactive_file|file_dirty) [0-9]{0,20}",
        own in "[0-9]{0,3}:[a-z,]{0,9}:[/a.]{0,9}\n0::[/a.]{0,6}", mount in "1 2 0:1 [/a.]{0,4} /sys rw - cgroup2 x rw",
    ) {
        let machine = Machine::new(&own, &mount);
        for folder in ["sys", "sys/a"] {
            machine.group(folder, &max, current);
            machine.file(&format!("{folder}/memory.high"), &high);
            machine.file(&format!("{folder}/memory.stat"), &stat);
            machine.file(&format!("{folder}/cpu.max"), &format!("{max} {high}"));
        }
        prop_assert!(machine.mib() <= 8192);
        prop_assert!((1..=6).contains(&within_quotas(6, machine.root())));
    }
}
