//! Files that patterns name, and the names of what is made of them.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Why patterns name nothing that can be painted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It is no pattern.
    #[error("{pattern} is no pattern of file names: {problem}")]
    Malformed {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing has such a name.
    #[error("no file is named {pattern}")]
    Nothing {
        /// What was given.
        pattern: String,
    },
    /// A folder that cannot be read.
    #[error("cannot look into {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A name in braces that stands for nothing.
    #[error("{template} has {{{name}}}, which stands for nothing{}: there are {}", nearest(name), known())]
    Placeholder {
        /// What was given.
        template: String,
        /// The name.
        name: String,
    },
    /// A brace without its other one.
    #[error("{template} has a brace without its other one; {{{{ and }}}} stand for braces themselves")]
    Brace {
        /// What was given.
        template: String,
    },
}

/// What a template may have in braces.
pub const PLACEHOLDERS: [&str; 4] = ["content", "style", "content-folder", "style-folder"];

fn known() -> String {
    PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(", ")
}

/// `; did you mean {content}?`, if a name is close.
fn nearest(name: &str) -> String {
    let close = PLACEHOLDERS.into_iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    match close {
        Some((distance, known)) if distance <= 2 => format!(" (did you mean {{{known}}}?)"),
        _ => String::new(),
    }
}

/// Endings of pictures in a folder.
const ENDINGS: [&str; 9] = ["jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif", "jfif"];

/// The files of patterns, in the order of the patterns and by name within each, none twice. A pattern that is the name of a file is that file, whatever
/// is in its name; a folder is all pictures in it, by their endings; anything else is a pattern with `*`, `?`, `[a-z]`, and `**` for any folders.
///
/// # Errors
/// [`PatternError`] for a pattern that names nothing.
pub fn expand(patterns: &[String]) -> Result<Vec<PathBuf>, PatternError> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for pattern in patterns {
        let mut found = of_pattern(pattern)?;
        if found.is_empty() {
            return Err(PatternError::Nothing { pattern: pattern.clone() });
        }
        found.retain(|path| seen.insert(path.clone()));
        files.append(&mut found);
    }
    Ok(files)
}

fn of_pattern(pattern: &str) -> Result<Vec<PathBuf>, PatternError> {
    let path = Path::new(pattern);
    if path.is_dir() {
        return pictures_in(path).map_err(|source| PatternError::Folder { path: path.into(), source });
    }
    if path.exists() {
        return Ok(vec![path.into()]);
    }
    let mut parts = Vec::new();
    for component in path.components() {
        parts.push(Part::new(component).map_err(|problem| PatternError::Malformed {
            pattern: pattern.to_owned(),
            problem: problem.to_owned(),
        })?);
    }
    let mut files = Vec::new();
    walk(Path::new(""), &parts, &mut files)
        .map_err(|(path, source)| PatternError::Folder { path, source })?;
    Ok(files)
}

/// What stands between two slashes of a pattern.
enum Part {
    Name(OsString),
    Pattern(glob::Pattern),
    /// `**`.
    AnyFolders,
}

impl Part {
    fn new(component: Component<'_>) -> Result<Self, &'static str> {
        match component.as_os_str().to_str() {
            Some("**") => Ok(Self::AnyFolders),
            Some(text) if text.contains(['*', '?', '[']) => {
                glob::Pattern::new(text).map(Self::Pattern).map_err(|error| error.msg)
            }
            _ => Ok(Self::Name(component.as_os_str().to_owned())),
        }
    }
}

/// The files below a folder that the rest of a pattern names, by name. Names that begin with a point are hidden, as a shell has them; those that
/// are no Unicode match no pattern (glob's own walk ends the process at one); folders that are links are not followed by `**`, and pictures in a
/// folder of state are nobody's photos.
fn walk(folder: &Path, rest: &[Part], files: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let Some((first, behind)) = rest.split_first() else {
        if folder.is_file() {
            files.push(folder.into());
        }
        return Ok(());
    };
    if let Part::Name(name) = first {
        return walk(&folder.join(name), behind, files);
    }
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !here.is_dir() || is_of_state(here) {
        return Ok(());
    }
    if matches!(first, Part::AnyFolders) {
        walk(folder, behind, files)?;
    }
    for name in names_in(here).map_err(|error| (here.to_path_buf(), error))? {
        let path = folder.join(&name);
        match first {
            Part::Pattern(pattern) if pattern.matches(&name) => walk(&path, behind, files)?,
            Part::AnyFolders if path.is_dir() && !path.is_symlink() => walk(&path, rest, files)?,
            _ => {}
        }
    }
    Ok(())
}

/// The names in a folder that are Unicode and not hidden, sorted.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| !name.starts_with('.')));
    }
    names.sort();
    Ok(names)
}

/// Whether a folder is one of a batch's state.
fn is_of_state(folder: &Path) -> bool {
    ["jobs", "claims", "checkpoints", "strips"].iter().all(|name| folder.join(name).is_dir())
}

fn pictures_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if ending.is_some_and(|ending| ENDINGS.contains(&&*ending)) && !is_hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The name of an output, with the names of what it is made of in braces: `out/{content}-{style}.png`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// An index of [`PLACEHOLDERS`].
    Name(usize),
}

/// What fills a template: files, of which a name has neither folder nor ending.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The photo.
    pub content: &'a Path,
    /// The painting.
    pub style: &'a Path,
}

impl Template {
    /// The template of a text.
    ///
    /// # Errors
    /// [`PatternError`] for a placeholder that is none of [`PLACEHOLDERS`], and for single braces.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let brace = || PatternError::Brace { template: text.to_owned() };
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            plain += &rest[..at];
            let (here, behind) = rest[at..].split_at(1);
            if let Some(doubled) = behind.strip_prefix(here) {
                plain += here;
                rest = doubled;
                continue;
            }
            let (name, behind) = behind.split_once('}').filter(|_| here == "{").ok_or_else(brace)?;
            let known = PLACEHOLDERS.iter().position(|known| *known == name);
            let known = known.ok_or_else(|| PatternError::Placeholder {
                template: text.to_owned(),
                name: name.to_owned(),
            })?;
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Name(known));
            rest = behind;
        }
        pieces.push(Piece::Text(plain + rest));
        Ok(Self { pieces })
    }

    /// The path that it names.
    pub fn fill(&self, names: Names<'_>) -> PathBuf {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.into(),
            Piece::Name(0) => stem(names.content),
            Piece::Name(1) => stem(names.style),
            Piece::Name(2) => folder(names.content),
            Piece::Name(_) => folder(names.style),
        };
        let mut path = OsString::new();
        self.pieces.iter().map(piece).for_each(|piece: OsString| path.push(piece));
        path.into()
    }

    /// The folder that all its outputs are in.
    pub fn folder(&self) -> PathBuf {
        let Some(Piece::Text(first)) = self.pieces.first() else { return PathBuf::new() };
        let common = first.rfind('/').map_or("", |at| &first[..=at]);
        common.into()
    }
}

fn stem(path: &Path) -> OsString {
    path.file_stem().unwrap_or_default().to_owned()
}

/// The name of the folder that a file is in.
fn folder(path: &Path) -> OsString {
    let folder = path.parent().and_then(Path::file_name).map(ToOwned::to_owned);
    folder.unwrap_or_else(|| ".".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fill_a_template() {
        let names = Names { content: Path::new("photos/a/cat.one.jpg"), style: Path::new("waves.png") };
        for (template, path, folder) in [
            ("out/{content}-{style}.png", "out/cat.one-waves.png", "out/"),
            ("{content-folder}/{content}.png", "a/cat.one.png", ""),
            ("{style-folder}{{x}}.png", ".{x}.png", ""),
            ("plain.png", "plain.png", ""),
            ("/a/b{content}/{style}.png", "/a/bcat.one/waves.png", "/a/"),
        ] {
            let template = Template::parse(template).unwrap();
            assert_eq!((template.fill(names), template.folder()), (path.into(), folder.into()));
        }
    }

    #[test]
    fn what_stands_for_nothing_is_refused_with_the_nearest() {
        let message = |text: &str| Template::parse(text).unwrap_err().to_string();
        assert!(message("{contnt}.png").contains("did you mean {content}?"), "{}", message("{contnt}.png"));
        assert!(message("{number}.png").contains("there are {content}, {style}"));
        for text in ["{content", "a}b.png", "{", "}"] {
            assert!(message(text).contains("brace"), "{}", message(text));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_no_unicode_matches_no_pattern() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.jpg"), "").unwrap();
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"b\xff.jpg")), "").unwrap();
        let count = |pattern: &str| {
            expand(&[folder.path().join(pattern).to_str().unwrap().to_owned()]).unwrap().len()
        };
        assert_eq!([count("*.jpg"), count("**/*"), count("")], [1, 1, 2]);
    }

    #[test]
    fn patterns_name_files_in_order_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["b.jpg", "a.JPG", "notes.txt", ".hidden.jpg", "c[1].png"] {
            fs::write(path(name), "").unwrap();
        }
        let names = |patterns: &[&str]| {
            let patterns: Vec<String> =
                patterns.iter().map(|pattern| path(pattern).to_str().unwrap().to_owned()).collect();
            let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
            expand(&patterns).map(|files| files.into_iter().map(name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["*.jpg"]).unwrap(), ["b.jpg"]);
        crate::State::open(&path("deep/state")).unwrap();
        for name in ["deep/d.jpg", "deep/state/strips/e.jpg"] {
            fs::write(path(name), "").unwrap();
        }
        assert_eq!(names(&["**/*.jpg"]).unwrap(), ["b.jpg", "d.jpg"], "none of a folder of state");
        assert_eq!(names(&["de*/?.jpg"]).unwrap(), ["d.jpg"]);
        fs::remove_dir_all(path("deep")).unwrap();
        assert_eq!(names(&["b.jpg", "*"]).unwrap(), ["b.jpg", "a.JPG", "c[1].png", "notes.txt"]);
        assert_eq!(names(&[""]).unwrap(), ["a.JPG", "b.jpg", "c[1].png"], "pictures of a folder");
        assert_eq!(names(&["c[1].png"]).unwrap(), ["c[1].png"], "a file whose name looks like a pattern");
        assert!(names(&["*.gif"]).unwrap_err().to_string().starts_with("no file is named "));
        assert!(names(&["[a"]).unwrap_err().to_string().contains("is no pattern"));
    }
}
