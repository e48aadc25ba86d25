//! Outputs that are no inputs.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use crate::FileError;
use crate::place::{Place, folder_of};

/// Checks that no output is a regular file that is an input or another output, under whatever name: files are compared by
/// device and inode, links followed. Each is a pair of what the user calls it (`-o`, `CONTENT`) and its path. Pipes and
/// devices may be anything at once.
///
/// # Errors
/// [`FileError::IsInput`] or [`FileError::SameFile`] with both names; [`FileError`] if an output can never be written.
pub fn keep_apart(outputs: &[(&str, &Path)], inputs: &[(&str, &Path)]) -> Result<(), FileError> {
    let mut known = HashMap::new();
    for (name, path) in inputs {
        if let Some(file) = fs::metadata(path).ok().and_then(|metadata| Identity::of_file(path, &metadata)) {
            known.entry(file).or_insert((*name, path, true));
        }
    }
    for (name, path) in outputs {
        let Some(file) = Identity::of_place(path)? else { continue };
        match known.insert(file, (*name, path, false)) {
            None => {}
            Some((input, _, true)) => {
                return Err(FileError::IsInput {
                    option: (*name).to_owned(),
                    path: (*path).into(),
                    input: input.to_owned(),
                });
            }
            Some((first, at, false)) => {
                let first =
                    if first == *name { format!("{first} {}", at.display()) } else { first.to_owned() };
                return Err(FileError::SameFile { first, second: (*name).to_owned(), path: (*path).into() });
            }
        }
    }
    Ok(())
}

/// What two names of one file have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    Path(PathBuf),
}

impl Identity {
    /// That of a file that is there, if it is a regular one.
    fn of_file(path: &Path, metadata: &Metadata) -> Option<Self> {
        if !metadata.is_file() {
            return None;
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let _ = path;
            Some(Self::Inode(metadata.dev(), metadata.ino()))
        }
        #[cfg(not(unix))]
        fs::canonicalize(path).ok().map(Self::Path)
    }

    /// That of a file that will be there.
    fn of_place(path: &Path) -> Result<Option<Self>, FileError> {
        Ok(match Place::of(path)? {
            Place::Stream(_) => None,
            Place::Taken(target, metadata) => Self::of_file(&target, &metadata),
            Place::Free(target) => {
                let folder = fs::canonicalize(folder_of(&target)).ok();
                folder.zip(target.file_name()).map(|(folder, name)| Self::Path(folder.join(name)))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_no_input_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("photo.jpg"), "a photo").unwrap();
        fs::write(path("other.jpg"), "another one").unwrap();
        fs::hard_link(path("photo.jpg"), path("hard.jpg")).unwrap();
        let photo = path("photo.jpg");
        let check = |output: &Path| keep_apart(&[("-o", output)], &[("CONTENT", &photo)]);
        assert!(check(&path("other.jpg")).is_ok() && check(&path("new.jpg")).is_ok());
        let mut names = vec![photo.clone(), path("hard.jpg"), folder.path().join("./photo.jpg")];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("photo.jpg", path("soft.jpg")).unwrap();
            names.push(path("soft.jpg"));
        }
        for name in names {
            let message = check(&name).unwrap_err().to_string();
            assert!(message.starts_with("-o ") && message.contains("that CONTENT names"), "{message}");
        }
    }

    #[test]
    fn two_outputs_are_two_files_unless_they_are_devices() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.png");
        let message = keep_apart(&[("-o", &out), ("--log", &out)], &[]).unwrap_err().to_string();
        assert!(message.starts_with("-o and --log"), "{message}");
        let other = folder.path().join("other.png");
        fs::write(&out, "a picture").unwrap();
        fs::hard_link(&out, &other).unwrap();
        let message = keep_apart(&[("-o", &out), ("-o", &other)], &[]).unwrap_err().to_string();
        assert!(message.contains("out.png and -o ") && message.contains("other.png are the same file"));
        if cfg!(unix) {
            let null = Path::new("/dev/null");
            keep_apart(&[("-o", null), ("--log", null)], &[("STYLE", null)]).unwrap();
        }
    }
}
