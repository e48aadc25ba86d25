//! What made the page: the command line and the inputs.

use std::fmt::Write;

use impasto_style::Role;

use super::images::escaped;
use super::{Run, breakable};

/// Digits of a hash that tell files apart.
const DIGITS: usize = 16;

/// The command and a table of the inputs; nothing where neither is known.
pub(super) fn section(page: &mut String, run: &Run<'_>) {
    let origin = run.origin;
    if origin.command.is_empty() && origin.inputs.is_empty() {
        return;
    }
    page.push_str("<h2>What made it</h2>\n");
    if !origin.command.is_empty() {
        let _ = writeln!(page, "<p><code class=\"command\">{}</code></p>", escaped(&origin.shell()));
    }
    if origin.inputs.is_empty() {
        return;
    }
    page.push_str("<div class=\"wide\"><table>\n<tr><th>Input</th><th>File</th><th>SHA-256 of what is in it</th></tr>\n");
    for input in &origin.inputs {
        let role = Role::ALL.into_iter().find(|(role, _)| *role == input.role).map_or("", |(_, name)| name);
        let path = input.path.as_deref().unwrap_or(if input.role == Role::Weights { "built in" } else { "" });
        let hash = input.sha256.as_deref().unwrap_or_default();
        let short = hash.get(..DIGITS).unwrap_or(hash);
        let _ = writeln!(
            page,
            "<tr><td>{role}</td><td>{}</td><td><code title=\"{hash}\">{short}</code></td></tr>",
            breakable(path)
        );
    }
    page.push_str("</table></div>\n");
}
