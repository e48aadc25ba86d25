//! Real limits: a copy of this test, or the program, is run in a control group made for it, or with some processors only. The
//! copy reports what it sees.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Folder, code_and_message};
use crate::left_out::left_out;
use impasto_style::machine::{available_memory, processors};

const MIB: u64 = 1 << 20;

/// The name of the test below that reports.
const REPORT: &str = "machine::report";

#[test]
#[ignore = "is run by the others, within limits"]
fn report() {
    println!("\nseen: {} {}", available_memory().unwrap(), processors());
}

/// Memory in bytes and processors, as a copy of this test sees them after a shell ran `before`.
fn seen_after(before: &str) -> (u64, usize) {
    let script = format!("{before}\nexec \"$0\" --exact {REPORT} --ignored --nocapture");
    let output =
        Command::new("sh").args(["-ec", &script]).arg(std::env::current_exe().unwrap()).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("seen: "));
    let (memory, processors) =
        line.and_then(|line| line.split_once(' ')).unwrap_or_else(|| panic!("{output:?}"));
    (memory.parse().unwrap(), processors.parse().unwrap())
}

/// A control group made for a test, which goes away with it.
struct Group(PathBuf);

impl Group {
    /// A group below another one, with the first of the files that it has set to a value; none, and that it is left out, if the
    /// system does not allow it.
    fn below(parent: &Path, need: &str, limits: &[(&str, String); 2]) -> Option<Self> {
        // Tests are threads: each has a number of its own.
        let id = format!("{:?}", std::thread::current().id()).replace(['(', ')'], "");
        let folder = parent.join(format!("impasto-test-{}-{id}", std::process::id()));
        if let Err(error) = fs::create_dir(&folder) {
            left_out(need, format!("a group below {}: {error}", parent.display()));
            return None;
        }
        let group = Self(folder);
        let Some((file, value)) = limits.iter().find(|(file, _)| group.0.join(file).exists()) else {
            left_out(need, format!("{} has no such controller", parent.display()));
            return None;
        };
        if let Err(error) = fs::write(group.0.join(file), value) {
            left_out(need, format!("{file}: {error}"));
            return None;
        }
        Some(group)
    }

    fn of_memory(parent: &Path, mib: u64) -> Option<Self> {
        let limit = (mib * MIB).to_string();
        Self::below(
            parent,
            "memory-group",
            &[("memory.limit_in_bytes", limit.clone()), ("memory.max", limit)],
        )
    }

    /// A quota in hundredths of a processor.
    fn of_processors(parent: &Path, hundredths: u32) -> Option<Self> {
        let quota = hundredths * 1000;
        let both = format!("{quota} 100000");
        Self::below(parent, "cpu-group", &[("cpu.cfs_quota_us", quota.to_string()), ("cpu.max", both)])
    }

    /// The command of a shell that moves it into the group.
    fn enter(&self) -> String {
        format!("echo $$ > '{}/cgroup.procs'", self.0.display())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.0) {
            eprintln!("{} is left behind: {error}", self.0.display());
        }
    }
}

/// The folder of this process's group of a controller, where systems have it.
fn own_group(controller: &str) -> PathBuf {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let lines = groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let (mut first, mut second) = (None, PathBuf::from("/sys/fs/cgroup"));
    for (controllers, group) in lines {
        if controllers.split(',').any(|name| name == controller) {
            first = Some(PathBuf::from(format!("/sys/fs/cgroup/{controllers}{group}")));
        } else if controllers.is_empty() {
            second = format!("/sys/fs/cgroup{group}").into();
        }
    }
    first.unwrap_or(second)
}

#[test]
fn the_limit_of_a_real_group_is_obeyed() {
    let Some(outer) = Group::of_memory(&own_group("memory"), 200) else { return };
    let (memory, _) = seen_after(&outer.enter());
    assert!((100 * MIB..=200 * MIB).contains(&memory), "{memory}");
    // A group in it may not have more, whatever it says itself.
    let Some(inner) = Group::of_memory(&outer.0, 400) else { return };
    let (memory, _) = seen_after(&inner.enter());
    assert!((100 * MIB..=200 * MIB).contains(&memory), "{memory}");
}

/// 120 MiB of a file that was just written and read fill more than half of the group, and can be dropped.
#[test]
fn cache_of_a_real_group_is_not_used_memory() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let kind =
        Command::new("stat").args(["--file-system", "--format=%T"]).arg(folder.path()).output().unwrap();
    if kind.stdout.starts_with(b"tmpfs") {
        return left_out("disk", "the build folder is in memory");
    }
    let Some(group) = Group::of_memory(&own_group("memory"), 200) else { return };
    let file = folder.path().join("file").display().to_string();
    let fill = format!(
        "dd if=/dev/zero of='{file}' bs=1M count=120 conv=fsync 2> /dev/null; cat '{file}' > /dev/null"
    );
    let (memory, _) = seen_after(&format!("{}; {fill}", group.enter()));
    assert!((120 * MIB..=200 * MIB).contains(&memory), "{memory}");
}

#[test]
fn the_quota_of_a_real_group_sets_processors() {
    let all = processors();
    for (hundredths, expected) in [(50, 1), (100, 1), (150, 2.min(all))] {
        let Some(group) = Group::of_processors(&own_group("cpu"), hundredths) else { return };
        assert_eq!(seen_after(&group.enter()).1, expected, "{hundredths}");
    }
}

#[test]
fn affinity_sets_processors() {
    // The first processor on which this thread may run.
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    let first = list.split(['-', ',']).next().unwrap();
    if !Command::new("taskset").args(["-c", first, "true"]).status().is_ok_and(|status| status.success()) {
        return left_out("taskset", "taskset cannot be run");
    }
    assert_eq!(seen_after(&format!("taskset -p -c {first} $$ > /dev/null")).1, 1);
}

/// The program in a group, in a folder with a photo and a painting.
fn run_in(group: &Group, folder: &Folder, arguments: &str) -> (i32, String) {
    let script = format!("{}\nexec \"$0\" {arguments}", group.enter());
    let program = folder.command("").get_program().to_owned();
    let mut command = Command::new("sh");
    command.args(["-ec", &script]).arg(program).current_dir(folder.path(""));
    command.env("XDG_CONFIG_HOME", folder.path("settings"));
    code_and_message(&command.output().unwrap())
}

/// Instead of being killed in the middle of the work.
#[test]
fn a_picture_too_large_for_a_real_group_is_refused_and_a_small_one_painted() {
    let folder = Folder::new();
    let Some(group) = Group::of_memory(&own_group("memory"), 300) else { return };
    let (code, message) =
        run_in(&group, &folder, "transfer photo.png painting.webp -o large.png --size 8192");
    assert_eq!(code, 1, "{message}");
    assert!(message.contains("memory") && message.contains("MiB"), "{message}");
    assert!(!folder.path("large.png").exists());
    let (code, message) =
        run_in(&group, &folder, "transfer photo.png painting.webp -o out.png --size 96 --iterations 1");
    assert_eq!(code, 0, "{message}");
    assert!(folder.path("out.png").exists());
}
