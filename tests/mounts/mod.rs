//! File systems that a command mounts and nobody else sees.

use std::process::Command;

use crate::left_out::left_out;

/// The words that start a command which may mount file systems of its own; none if the system does not allow that, which is
/// said.
pub(crate) fn own_mounts() -> Option<&'static [&'static str]> {
    // Root may do it at once; others where they may be root in a name space of their own.
    const WAYS: [&[&str]; 2] = [&["unshare", "--map-root-user", "--mount"], &["unshare", "--mount"]];
    let mut why = String::new();
    for way in WAYS {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).args(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs"]);
        match command.arg(std::env::temp_dir()).output() {
            Ok(output) if output.status.success() => return Some(way),
            Ok(output) => why = String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => why = error.to_string(),
        }
    }
    left_out("tmpfs", why);
    None
}
