//! Where a process stands in Linux's control groups, versions 1 and 2.
//!
//! A limit of a group holds for all groups below it, so what counts is the least over the process's own group and all above it.
//! `/proc/self/cgroup` names the own group of each hierarchy, `/proc/self/mountinfo` says where hierarchies are mounted, and
//! which of their groups is the top of the mount: in a container it may be one far below the hierarchy's root. Both versions
//! can be in use at once, each with controllers of its own. Source: cgroups(7), proc_pid_mountinfo(5).

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The two interfaces, which name their files differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// A hierarchy for each controller, or for a few.
    One,
    /// One hierarchy for all.
    Two,
}

/// A group as a folder of the machine, or of a made-up tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) version: Version,
    folder: PathBuf,
}

impl Level {
    /// What a file of the group says; none if there is no such file, as where the controller is off.
    pub(super) fn text(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(file)).ok()
    }

    /// A file that holds one number. `max` and -1 are none: no limit.
    pub(super) fn number(&self, file: &str) -> Option<u64> {
        self.text(file)?.trim().parse().ok()
    }
}

/// A mounted hierarchy.
struct Mount {
    version: Version,
    /// The group that the mount point shows.
    top: PathBuf,
    point: PathBuf,
}

/// The process's own group of a controller (`memory`, `cpu`) and all above it that can be seen, of every mounted hierarchy
/// that may have the controller. None where there are no control groups.
pub(super) fn levels(root: &Path, controller: &str) -> Vec<Level> {
    let read = |file| fs::read_to_string(root.join("proc/self").join(file)).unwrap_or_default();
    let groups = read("cgroup");
    let mounts = read("mountinfo");
    let mounts = mounts.lines().filter_map(|line| mount(line, controller));
    mounts
        .filter_map(|mount| Some((own_group(&groups, mount.version, controller)?, mount)))
        .flat_map(|(group, mount)| {
            let point = root.join(mount.point.strip_prefix("/").unwrap_or(&mount.point));
            let folders = up_to_the_top(group, &mount.top).map(move |below| point.join(below));
            folders.map(move |folder| Level { version: mount.version, folder })
        })
        .collect()
}

/// A line of mountinfo, if it mounts a hierarchy with the controller:
/// `ID PARENT MAJOR:MINOR TOP POINT OPTIONS [OPTIONAL...] - TYPE SOURCE CONTROLLERS`.
fn mount(line: &str, controller: &str) -> Option<Mount> {
    let (place, system) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let (top, point) = (unescaped(place.next()?), unescaped(place.next()?));
    let mut system = system.split(' ');
    let version = match system.next()? {
        "cgroup2" => Version::Two,
        "cgroup" if system.nth(1)?.split(',').any(|option| option == controller) => Version::One,
        _ => return None,
    };
    Some(Mount { version, top, point })
}

/// A path as mountinfo writes it, with spaces, line feeds and backslashes as `\040`.
fn unescaped(text: &str) -> PathBuf {
    let mut parts = text.split('\\');
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => path.extend([char::from(byte).to_string().as_str(), &part[3..]]),
            None => path.extend(["\\", part]),
        }
    }
    path.into()
}

/// The process's group in the hierarchy of a controller, from `/proc/self/cgroup`: lines of `ID:CONTROLLERS:GROUP`, the
/// second version's without controllers.
fn own_group<'a>(groups: &'a str, version: Version, controller: &str) -> Option<&'a Path> {
    groups.lines().find_map(|line| {
        let (controllers, group) = line.split_once(':')?.1.split_once(':')?;
        let is_meant = match version {
            Version::One => controllers.split(',').any(|name| name == controller),
            Version::Two => controllers.is_empty(),
        };
        is_meant.then(|| Path::new(group))
    })
}

/// A group and all above it up to the top of the mount, as paths below the mount point. If it is not below the top, as where a
/// namespace hides its name, the top alone is known.
fn up_to_the_top<'a>(group: &'a Path, top: &Path) -> impl Iterator<Item = &'a Path> + use<'a> {
    let below = group.strip_prefix(top).unwrap_or(Path::new(""));
    let leaves_the_mount = below.components().any(|part| part == Component::ParentDir);
    if leaves_the_mount { Path::new("") } else { below }.ancestors()
}
