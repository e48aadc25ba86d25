//! Rows of a manifest: JSON lines, or TOML with a table `[[jobs]]` for each.
//!
//! ```text
//! {"content": "a.jpg", "style": ["waves.jpg", "fields.jpg"], "blend": [3, 1], "output": "out/a.png"}
//! ```
//! ```toml
//! [[jobs]]
//! content = "a.jpg"
//! style = ["waves.jpg", "fields.jpg"]
//! blend = [3, 1]
//! output = "out/a.png"
//! ```

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use impasto_files::one_line;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The most bytes of a manifest: some hundred thousand rows.
pub const MOST_MANIFEST: u64 = 64 << 20;

/// What editors of Windows write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The rows of a manifest, good and bad, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The folder that relative paths in it are from.
    pub folder: PathBuf,
    /// Each row; of one that cannot be read, where it is and what is wrong.
    pub rows: Vec<Result<Row, String>>,
}

/// A row: what a job is, by names.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where it stands, for messages: `jobs.jsonl, line 3`.
    pub at: String,
    /// Its names and values, by name, no name twice.
    pub fields: Vec<(String, Field)>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Field {
    /// `true` or `false`.
    Flag(bool),
    /// A number or a text.
    One(Scalar),
    /// Several of these.
    Many(Vec<Scalar>),
    /// What no name takes: `null`, an object, lists of lists.
    Other(Anything),
}

/// A number or a text, as text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "NumberOrText")]
pub struct Scalar(pub String);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(serde_json::Number),
    Text(String),
}

impl From<NumberOrText> for Scalar {
    fn from(value: NumberOrText) -> Self {
        match value {
            NumberOrText::Number(number) => Self(number.to_string()),
            NumberOrText::Text(text) => Self(text),
        }
    }
}

/// A value that was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anything;

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Why a manifest cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read the manifest {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no TOML, or has other keys than `jobs`.
    #[error("{at}: {problem}")]
    Toml {
        /// The file and the line.
        at: String,
        /// What is wrong, in one line.
        problem: String,
    },
    /// It has no row.
    #[error("{} has no row: a manifest is JSON lines, or TOML with [[jobs]]", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Manifest {
    /// Reads a file: TOML if its name ends in `.toml`, JSON lines otherwise. Relative paths are from its folder.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let read = |source| ManifestError::Read { path: path.into(), source };
        let file = File::open(path).map_err(read)?;
        Self::read_from(file, path, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads a stream that is called `name`; relative paths in it are from `folder`.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read_from(stream: impl Read, name: &Path, folder: &Path) -> Result<Self, ManifestError> {
        let read = |source| ManifestError::Read { path: name.into(), source };
        let mut bytes = Vec::new();
        let length = stream.take(MOST_MANIFEST + 1).read_to_end(&mut bytes).map_err(read)?;
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
        if length as u64 > MOST_MANIFEST {
            return Err(read(io::Error::other("it has more than 64 MiB: divide it")));
        }
        let is_toml = name.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"));
        let rows = if is_toml {
            let text = std::str::from_utf8(bytes).map_err(|error| read(io::Error::other(error)))?;
            toml_rows(text, name)?
        } else {
            json_rows(bytes, name)
        };
        if rows.is_empty() {
            return Err(ManifestError::Empty { path: name.into() });
        }
        Ok(Self { folder: folder.into(), rows })
    }
}

fn at(name: &Path, line: usize) -> String {
    format!("{}, line {line}", name.display())
}

fn json_rows(text: &[u8], name: &Path) -> Vec<Result<Row, String>> {
    let lines = text.split(|&byte| byte == b'\n').enumerate();
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let row = |(number, line): (usize, &[u8])| {
        let at = at(name, number + 1);
        match serde_json::from_slice::<Fields>(line.trim_ascii_end()) {
            Ok(Fields(fields)) => Ok(Row { at, fields }),
            Err(error) => {
                let text = error.to_string();
                let problem = text.split(" at line 1").next().unwrap_or(&text);
                let column =
                    if error.column() > 0 { format!(", column {}", error.column()) } else { String::new() };
                Err(one_line(format!("{at}{column}: {problem}")))
            }
        }
    };
    lines.map(row).collect()
}

/// The one thing that there is in a manifest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    jobs: Vec<toml::Spanned<Fields>>,
}

fn toml_rows(text: &str, name: &Path) -> Result<Vec<Result<Row, String>>, ManifestError> {
    let line = |byte: usize| 1 + text.bytes().take(byte).filter(|&byte| byte == b'\n').count();
    let document: Document = toml::from_str(text).map_err(|error| ManifestError::Toml {
        at: at(name, line(error.span().map_or(0, |span| span.start))),
        problem: one_line(error.message()),
    })?;
    let row = |fields: toml::Spanned<Fields>| {
        let at = at(name, line(fields.span().start));
        Ok(Row { at, fields: fields.into_inner().0 })
    };
    Ok(document.jobs.into_iter().map(row).collect())
}

/// Names and values, no name twice.
struct Fields(Vec<(String, Field)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with content, style and output")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Field)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Field>()? {
                    if fields.iter().any(|(known, _)| *known == name) {
                        return Err(serde::de::Error::custom(format!("{name} is there twice")));
                    }
                    fields.push((name, value));
                }
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: impl AsRef<[u8]>) -> Result<Manifest, String> {
        Manifest::read_from(text.as_ref(), Path::new(name), Path::new("folder"))
            .map_err(|error| error.to_string())
    }

    fn one(text: &str) -> Field {
        Field::One(Scalar(text.to_owned()))
    }

    #[test]
    fn both_formats_have_the_same_rows() {
        let json = read(
            "jobs.jsonl",
            "{\"content\": \"a.jpg\", \"size\": 256, \"blend\": [3, 0.5], \"no-metadata\": true}\n\n{\"output\": \"x.png\"}\n",
        );
        let toml = read(
            "jobs.toml",
            "[[jobs]]\ncontent = 'a.jpg'\nsize = 256\nblend = [3, 0.5]\nno-metadata = true\n[[jobs]]\noutput = 'x.png'\n",
        );
        let fields = |manifest: Result<Manifest, String>| {
            manifest.unwrap().rows.into_iter().map(|row| row.unwrap().fields).collect::<Vec<_>>()
        };
        let many = Field::Many(vec![Scalar("3".into()), Scalar("0.5".into())]);
        let first = vec![
            ("blend".to_owned(), many),
            ("content".to_owned(), one("a.jpg")),
            ("no-metadata".to_owned(), Field::Flag(true)),
            ("size".to_owned(), one("256")),
        ];
        let expected = vec![first, vec![("output".to_owned(), one("x.png"))]];
        assert_eq!(fields(json), expected);
        assert_eq!(fields(toml), expected);
    }

    #[test]
    fn a_bad_row_says_where_it_is_and_the_others_are_there() {
        let manifest = read(
            "j",
            "{\"a\": 1}\n{\"a\" 1}\n[1]\n{\"a\": null, \"b\": {}}\n{\"a\": 1, \"a\": 2}\nnonsense\n",
        )
        .unwrap();
        let problems: Vec<String> = manifest.rows.iter().filter_map(|row| row.clone().err()).collect();
        assert_eq!(problems.len(), 4, "{problems:?}");
        for (problem, said) in problems.iter().zip(["j, line 2", "j, line 3", "j, line 5", "j, line 6"]) {
            assert!(problem.starts_with(said) && problem.lines().count() == 1, "{problem}");
        }
        assert!(problems[2].contains("a is there twice"), "{}", problems[2]);
        let other = manifest.rows[3].as_ref().unwrap();
        assert_eq!(other.at, "j, line 4");
        assert!(other.fields.iter().all(|(_, value)| *value == Field::Other(Anything)));
    }

    #[test]
    fn one_line_that_is_no_unicode_costs_one_row_and_a_mark_at_the_beginning_none() {
        let manifest = read("j", b"\xef\xbb\xbf{\"a\": 1}\r\n{\"a\": \"\xff\"}\r\n{\"a\": 3}").unwrap();
        let good: Vec<bool> = manifest.rows.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, false, true], "{manifest:?}");
        assert!(manifest.rows[1].as_ref().unwrap_err().starts_with("j, line 2"));
    }

    #[test]
    fn what_is_no_manifest_is_said_with_its_line() {
        for (name, text, problem) in [
            ("a.toml", "[[jobs]]\ncontent = \n", "a.toml, line 2: "),
            ("a.toml", "[[job]]\ncontent = 'x'\n", "unknown field `job`"),
            ("a.toml", "", "has no row"),
            ("a.jsonl", "\n\n", "has no row"),
        ] {
            let message = read(name, text).unwrap_err();
            assert!(message.contains(problem), "{message}");
        }
    }
}
