//! What a test needs of the system and does not get: it is said, not passed over.

use std::io::Write;

/// Says on standard error, past the capturing of output, that a part of the running test is left out, and notes it in the file
/// that the environment variable `IMPASTO_LEFT_OUT` names, if it is set. `need` is a word that `allowed.sh` beside this file
/// knows, such as `tmpfs`: continuous integration fails if the system has it after all.
pub(crate) fn left_out(need: &str, why: impl std::fmt::Display) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let why = why.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let line = format!("left out: {need} in {test}, because {why}\n");
    // One write each, so that lines of tests that run at the same time stay whole. A closed standard error loses nothing.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(list) = std::env::var_os("IMPASTO_LEFT_OUT") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(list);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("the list of IMPASTO_LEFT_OUT can be written");
    }
}
