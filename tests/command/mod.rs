//! Runs the binary in a folder of its own.

mod succeed;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) use succeed::succeed;

/// A folder with a small photo and a small painting, which goes away at the end of the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        std::fs::copy(examples.join("content/chelsea.png"), folder.path("photo.png")).unwrap();
        std::fs::copy(examples.join("style/church_at_auvers.webp"), folder.path("painting.webp")).unwrap();
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command, to be run in the folder, with the settings of nobody: those of the folder `settings`, where none are.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_impasto-tested"));
        command.current_dir(self.0.path()).env("XDG_CONFIG_HOME", self.path("settings"));
        command.args(arguments.split_whitespace()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }
}

/// The exit code, and what was printed to standard error.
pub(crate) fn code_and_message(output: &Output) -> (i32, String) {
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr.clone()).unwrap())
}
