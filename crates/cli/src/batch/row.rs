//! A row of a manifest as what it means: files, options, a picture.

use std::path::{Path, PathBuf};

use impasto_batch::{Field, Row, Scalar};
use impasto_style::picture::Written;
use impasto_style::{
    Arch, Choices, Init, OPTIONS, OptionsError, Paper, SYNONYMS, Sheet, did_you_mean, option_name,
};

use crate::failure::Failure;
use crate::network::{NetworkArguments, parse_convention};
use crate::options::OptionArguments;
use crate::paper::{check_sides, parse_paper};
use crate::place::is_standard;
use crate::sources::Sources;

/// What a row says.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) sources: Sources,
    pub(super) scene: Option<PathBuf>,
    pub(super) output: Option<PathBuf>,
    pub(super) written: Written,
    pub(super) no_metadata: bool,
    choices: Choices,
    weights: Option<PathBuf>,
    preprocess: Option<impasto_vgg::Convention>,
    print: Option<Paper>,
}

/// Names that are neither options of the table nor of [`Written::NAMES`].
const OTHERS: [&str; 14] = [
    "content",
    "style",
    "mask",
    "style-mask",
    "keep",
    "content-mask",
    "regions",
    "scene",
    "output",
    "preset",
    "weights",
    "preprocess",
    "no-metadata",
    "print",
];

/// Options of `transfer` that are no matter of a row, and why.
const LEFT_OUT: [(&str, &str); 9] = [
    ("memory-limit", "it is one for the whole batch: give it to the command"),
    ("threads", "they are one number for the whole batch: give it to the command"),
    ("log", "the log is one for the whole batch: give it to the command"),
    ("save-every", "a batch writes finished pictures alone"),
    ("checkpoint", "every job has one, in the folder of state"),
    ("checkpoint-every", "every job has one every 10 seconds"),
    ("resume", "every job goes on from its checkpoint by itself"),
    ("time-limit", "it is for the whole batch: give it to the command"),
    ("quiet", "it is for the whole batch: give it to the command"),
];

impl Said {
    /// What a row says; relative paths are from `folder`.
    pub(super) fn new(row: &Row, folder: &Path) -> Result<Self, String> {
        let mut said = Self::default();
        for (name, value) in &row.fields {
            said.set(name, value, folder).map_err(|problem| format!("{}: {problem}", row.at))?;
        }
        Ok(said)
    }

    /// A photo in the style of a painting.
    pub(super) fn of_pair(content: &Path, style: &Path, output: Option<PathBuf>) -> Self {
        let sources =
            Sources { content: Some(content.into()), styles: vec![style.into()], ..Sources::default() };
        Self { sources, output, ..Self::default() }
    }

    /// The options that it gives, on top of the command's.
    pub(super) fn options(&mut self, command: &OptionArguments) -> Result<OptionArguments, Failure> {
        let mut options = command.clone();
        if let Some(paper) = self.print {
            let dpi = self.written.dpi.unwrap_or(300);
            let sheet = Sheet { paper, dpi };
            check_sides(sheet)?;
            self.choices.set("size", &sheet.to_string())?;
            self.written.dpi = Some(dpi);
        }
        // A preset of the row's own: options that the command gives would hide what it stands for.
        options.choices = self.choices.clone().or(&options.choices);
        let own = NetworkArguments::default().or(self.weights.clone(), self.preprocess);
        let (weights, preprocess) =
            (options.network.path().map(Path::to_owned), options.network.preprocess());
        options.network = if own.path().is_some() { own } else { own.or(weights, preprocess) };
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &Field, folder: &Path) -> Result<(), String> {
        if let Some((_, why)) = LEFT_OUT.iter().find(|(known, _)| *known == name) {
            return Err(format!("a job has no {name}: {why}"));
        }
        let file = |value| path(name, value, folder);
        let files = |value| paths(name, value, folder);
        match name {
            "content" => self.sources.content = Some(file(value)?),
            "style" => self.sources.styles = files(value)?,
            "mask" => self.sources.masks = masks(name, value, folder)?,
            "style-mask" => self.sources.style_masks = masks(name, value, folder)?,
            "keep" => self.sources.keep = Some(file(value)?),
            "content-mask" => self.sources.content_mask = Some(file(value)?),
            "regions" => {
                let pair = files(value)?.try_into();
                self.sources.regions =
                    Some(pair.map_err(|_| "regions are two files, of the photo and of the painting")?);
            }
            "scene" => self.scene = Some(file(value)?),
            "output" => self.output = Some(file(value)?),
            "print" => self.print = Some(parse_paper(&text(name, value)?)?),
            "preprocess" => self.preprocess = Some(parse_convention(&text(name, value)?)?),
            "weights" => {
                let given = text(name, value)?;
                let is_name = Arch::from_name(&given).is_some();
                self.weights = Some(if is_name { given.into() } else { folder.join(given) });
            }
            "no-metadata" => match value {
                Field::Flag(flag) => self.no_metadata = *flag,
                _ => return Err("no-metadata must be true or false".to_owned()),
            },
            name if Written::NAMES.contains(&name) => {
                self.written
                    .set(name, &text(name, value)?)
                    .map_err(|error| Failure::from(error).to_string())?;
            }
            name => self.choose(name, &text(name, value)?, folder)?,
        }
        Ok(())
    }

    fn choose(&mut self, name: &str, text: &str, folder: &Path) -> Result<(), String> {
        let start = (option_name(name) == "init").then(|| Init::named(text));
        let text = match start {
            Some(Init::File(path)) if is_standard(&path) => return Err(from_standard_input(name)),
            Some(Init::File(path)) => {
                folder.join(path).to_str().ok_or("the name of its folder is not Unicode")?.to_owned()
            }
            _ => text.to_owned(),
        };
        self.choices.set(name, &text).map_err(|error| match error {
            OptionsError::Unknown { name } => {
                let synonyms = SYNONYMS.iter().map(|(other, _)| *other);
                let known =
                    OPTIONS.iter().map(|row| row.name).chain(OTHERS).chain(Written::NAMES).chain(synonyms);
                format!("a job has no {name}{}", did_you_mean(&name, known))
            }
            error => Failure::from(error).to_string(),
        })
    }
}

fn from_standard_input(name: &str) -> String {
    format!("{name} is -, which is standard input: the jobs of a batch read files")
}

/// One value as text; several as the command line has them.
fn text(name: &str, value: &Field) -> Result<String, String> {
    match value {
        Field::One(Scalar(text)) => Ok(text.clone()),
        Field::Many(several) => {
            Ok(several.iter().map(|Scalar(text)| text.as_str()).collect::<Vec<_>>().join(","))
        }
        Field::Flag(_) | Field::Other(_) => {
            Err(format!("{name} must be a text or a number, or a list of these"))
        }
    }
}

/// A file.
fn path(name: &str, value: &Field, folder: &Path) -> Result<PathBuf, String> {
    match value {
        Field::One(Scalar(text)) if text == "-" => Err(from_standard_input(name)),
        Field::One(Scalar(text)) if !text.is_empty() => Ok(folder.join(text)),
        _ => Err(format!("{name} must be the name of a file")),
    }
}

/// A file or several.
fn paths(name: &str, value: &Field, folder: &Path) -> Result<Vec<PathBuf>, String> {
    match value {
        Field::Many(several) if !several.is_empty() => {
            several.iter().map(|one| path(name, &Field::One(one.clone()), folder)).collect()
        }
        value => Ok(vec![path(name, value, folder)?]),
    }
}

/// The mask of each painting, or `-`.
fn masks(name: &str, value: &Field, folder: &Path) -> Result<Vec<PathBuf>, String> {
    let several = match value {
        Field::Many(several) => several.clone(),
        // As on the command line.
        Field::One(Scalar(text)) => text.split(',').map(|one| Scalar(one.to_owned())).collect(),
        Field::Flag(_) | Field::Other(_) => Vec::new(),
    };
    let mask = |Scalar(text): &Scalar| match text.as_str() {
        "-" => Ok(PathBuf::from("-")),
        _ => path(name, &Field::One(Scalar(text.clone())), folder),
    };
    if several.is_empty() {
        return Err(format!("{name} must be the names of files, one for each painting"));
    }
    several.iter().map(mask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Result<Said, String> {
        let manifest =
            impasto_batch::Manifest::read_from(line.as_bytes(), Path::new("j"), Path::new("")).unwrap();
        Said::new(manifest.rows[0].as_ref().unwrap(), Path::new("folder"))
    }

    #[test]
    fn paths_are_from_the_manifests_folder() {
        let line = r#"{"content": "a.jpg", "style": ["b.jpg", "/c.jpg"], "mask": ["m.png", "-"], "output": "o.png",
            "init": "start.png", "weights": "vgg19", "size": 256, "blend": [3, 1]}"#;
        let said = said(&line.replace('\n', " ")).unwrap();
        assert_eq!(said.sources.content, Some("folder/a.jpg".into()));
        assert_eq!(said.sources.styles, [PathBuf::from("folder/b.jpg"), "/c.jpg".into()]);
        assert_eq!(said.sources.masks, [PathBuf::from("folder/m.png"), "-".into()]);
        assert_eq!((said.output, said.weights), (Some("folder/o.png".into()), Some("vgg19".into())));
        let options = said.choices.options().unwrap();
        assert_eq!(options.init, Init::File("folder/start.png".into()));
        assert_eq!((options.size, options.blend), (256.into(), vec![3.0, 1.0]));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_line() {
        for (line, problem) in [
            (r#"{"sizee": 3}"#, "a job has no sizee; did you mean size?"),
            (r#"{"contnt": "a"}"#, "did you mean content?"),
            (r#"{"content": "-"}"#, "content is -, which is standard input"),
            (r#"{"content": null}"#, "content must be the name of a file"),
            (r#"{"mask": "a.png,"}"#, "mask must be the name of a file"),
            (r#"{"style": []}"#, "style must be the name of a file"),
            (r#"{"regions": ["a"]}"#, "regions are two files"),
            (r#"{"size": true}"#, "size must be a text or a number"),
            (r#"{"depth": 12}"#, "depth must be 8 or 16, not 12"),
            (r#"{"print": "A9"}"#, "it is one of A0"),
            (r#"{"no-metadata": 1}"#, "no-metadata must be true or false"),
            (r#"{"memory-limit": "1G"}"#, "a job has no memory-limit: it is one for the whole batch"),
            (r#"{"save-every": 3}"#, "a batch writes finished pictures alone"),
        ] {
            let message = said(line).unwrap_err();
            assert!(message.starts_with("j, line 1: ") && message.contains(problem), "{line}: {message}");
        }
    }
}
