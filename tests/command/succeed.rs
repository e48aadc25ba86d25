//! A command that must succeed.

use super::{Folder, code_and_message};

/// Runs a command that must succeed; what it says on standard error.
#[track_caller]
pub(crate) fn succeed(folder: &Folder, arguments: &str) -> String {
    let (code, message) = code_and_message(&folder.run(arguments));
    assert_eq!(code, 0, "{arguments}: {message}");
    message
}
