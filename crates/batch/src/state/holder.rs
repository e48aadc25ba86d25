//! Who holds a claim.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process, so that it can be told from any other one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The name of its host.
    pub host: String,
    /// The host's boot: `/proc/sys/kernel/random/boot_id`; empty where there is none.
    #[serde(default)]
    pub boot: String,
    /// The namespace of its number: containers of one host count their processes each.
    #[serde(default)]
    pub namespace: String,
    /// Its number.
    pub process: u32,
    /// When it was started, in ticks since the boot: numbers are used again.
    #[serde(default)]
    pub started: u64,
}

impl Holder {
    /// This process.
    pub fn this() -> Self {
        let process = std::process::id();
        Self {
            host: host(),
            boot: line("/proc/sys/kernel/random/boot_id"),
            namespace: fs::read_link("/proc/self/ns/pid")
                .map_or_else(|_| String::new(), |link| link.display().to_string()),
            process,
            started: started(process).unwrap_or_default(),
        }
    }

    /// Whether `other`, a process that shares the kernel and the namespace of this one, is gone; none where that cannot be known.
    pub fn sees_gone(&self, other: &Self) -> Option<bool> {
        let is_known = !self.boot.is_empty() && self.started > 0;
        let place = |holder: &Self| (holder.host.clone(), holder.boot.clone(), holder.namespace.clone());
        (is_known && place(self) == place(other)).then(|| started(other.process) != Some(other.started))
    }
}

fn host() -> String {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    return std::env::var("COMPUTERNAME").unwrap_or_default();
}

fn line(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| String::new(), |text| text.trim().to_owned())
}

/// When a process was started, in ticks since the boot; none if there is no such process, or one that has ended and was not waited for.
fn started(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows it are fields 3 and on.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let is_alive = !["Z", "X"].contains(fields.first()?);
    fields.get(19).filter(|_| is_alive)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_process_is_gone_when_it_has_ended_or_its_number_is_another_ones() {
        let us = Holder::this();
        assert_eq!(us.sees_gone(&us), Some(false));
        let mut child = Command::new("sleep").arg("100").spawn().unwrap();
        let process = child.id();
        let other = Holder { process, started: started(process).unwrap(), ..us.clone() };
        assert_eq!(us.sees_gone(&other), Some(false));
        assert_eq!(us.sees_gone(&Holder { started: other.started + 1, ..other.clone() }), Some(true));
        child.kill().unwrap();
        // Dead, and not waited for yet.
        while us.sees_gone(&other) != Some(true) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert_eq!(us.sees_gone(&other), Some(true));
    }

    #[test]
    fn nothing_is_known_of_other_hosts_boots_and_namespaces() {
        let us = Holder::this();
        for other in [
            Holder { host: "elsewhere".into(), ..us.clone() },
            Holder { boot: "another".into(), ..us.clone() },
            Holder { namespace: "pid:[1]".into(), ..us.clone() },
        ] {
            assert_eq!(us.sees_gone(&other), None);
        }
    }
}
