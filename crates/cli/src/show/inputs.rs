//! Whether the inputs of a picture are here: files of their names, beside the picture or in the working folder, are read as for
//! painting and compared by their hashes.

use std::fmt;
use std::path::{Path, PathBuf};

use impasto_files::one_line;
use impasto_style::picture::ReadOptions;
use impasto_style::{Arch, Input, Mask, Picture, Provenance, Role, Size, TransferOptions};

use crate::failure::Failure;
use crate::network::{NetworkArguments, parse_convention};
use crate::pictures::{Keep, read_picture, read_subject};
use crate::place::is_standard;
use crate::sources::Sources;

/// What was found of an input.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// It is this file, or built in.
    Same(Option<PathBuf>),
    /// Files of its name are something else.
    Another(&'static str),
    /// There is no file of its name.
    Missing,
    /// What there is cannot be compared, for that reason.
    Untold(String),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(_) => f.write_str("is the one"),
            Self::Another(what) => write!(f, "is another {what}"),
            Self::Missing => f.write_str("is not here"),
            Self::Untold(why) => write!(f, "cannot be compared: {}", one_line(why)),
        }
    }
}

/// What is found of each input, in their order, by the options that they were read for. `picture` is where the picture is.
pub(super) fn find(said: &Provenance, options: &TransferOptions, picture: &Path) -> Vec<Found> {
    let beside = picture.parent().filter(|_| !is_standard(picture));
    let folders = std::iter::once(Path::new("")).chain(beside.filter(|folder| *folder != Path::new("")));
    let mut search = Search {
        options,
        folders: folders.map(Path::to_owned).collect(),
        photo: None,
        paintings: Vec::new(),
    };
    let mut counts = [0; Role::ALL.len()];
    let mut found = Vec::new();
    for (index, input) in said.record.inputs.iter().enumerate() {
        if index >= MOST_INPUTS {
            found.push(Found::Untold(format!("{MOST_INPUTS} inputs are compared at most")));
            continue;
        }
        // Of inputs of one role, which one it is.
        let count = &mut counts[Role::ALL.iter().position(|(role, _)| *role == input.role).unwrap_or(0)];
        found.push(search.find(input, *count));
        *count += 1;
    }
    let segmentations = [Role::RegionsPhoto, Role::RegionsPainting];
    if let Some([photo, painting]) = search.segmentations(&said.record.inputs) {
        let both = [photo, painting];
        for (input, found) in said.record.inputs.iter().zip(&mut found) {
            if let Some(which) = segmentations.iter().position(|role| *role == input.role) {
                *found = both[which].clone();
            }
        }
    }
    found
}

/// The most inputs that are read: a text that a stranger wrote may name any number.
const MOST_INPUTS: usize = 64;

/// A file of the name that was looked for, and what was read from it.
type Read<T> = (PathBuf, T);

struct Search<'a> {
    options: &'a TransferOptions,
    folders: Vec<PathBuf>,
    /// The photo, and the longest side of each of the paintings, where it is the one.
    photo: Option<Read<Picture>>,
    paintings: Vec<Option<Read<usize>>>,
}

impl Search<'_> {
    /// An input that is the one of that number among those of its role. The photo comes before paintings, and these before masks.
    fn find(&mut self, input: &Input, number: usize) -> Found {
        let of_photo = self.photo.as_ref().map(|(_, photo)| longest_side(photo));
        match input.role {
            Role::Content => {
                let (found, photo) = self.picture(input, self.options.reading_photo(0));
                self.photo = photo;
                found
            }
            Role::Style => {
                let reading = self.reading_painting(number);
                let untold = Found::Untold("it is read at a size that depends on the photo".to_owned());
                let read = reading.map(|reading| self.picture(input, reading));
                let (found, painting) = read.unwrap_or((untold, None));
                self.paintings.push(painting.map(|(path, painting)| (path, longest_side(&painting))));
                found
            }
            Role::Init => self.picture(input, self.options.reading(0)).0,
            Role::Mask | Role::Keep | Role::ContentMask => self.mask(input, "the photo", of_photo),
            Role::StyleMask => {
                let painting = self.paintings.get(number).and_then(Option::as_ref);
                self.mask(input, "its painting", painting.map(|(_, longest)| *longest))
            }
            Role::RegionsPhoto | Role::RegionsPainting => {
                Found::Untold("it is compared beside the photo and the painting".to_owned())
            }
            Role::Weights => self.network(input),
            _ => Found::Untold("this program does not read inputs of its role".to_owned()),
        }
    }

    /// How a painting is read. Without the photo only where the size does not depend on it.
    fn reading_painting(&self, number: usize) -> Option<ReadOptions> {
        let any =
            Picture::new(1, 1, vec![0.0; 3]).ok().filter(|_| matches!(self.options.size, Size::Longest(_)));
        let photo = self.photo.as_ref().map(|(_, photo)| photo).or(any.as_ref());
        let held = self.photo.as_ref().map_or(0, |(_, photo)| photo.bytes());
        Some(self.options.reading_painting(number, photo?, held))
    }

    fn picture(&self, input: &Input, reading: ReadOptions) -> (Found, Option<Read<Picture>>) {
        self.compare(input, "picture", |path| {
            let picture = read_picture(path, &reading, true)?;
            Ok((Input::picture(input.role, None, &picture), picture))
        })
    }

    /// A mask of a picture with that longest side.
    fn mask(&self, input: &Input, name: &str, of: Option<usize>) -> Found {
        let Some(of) = of else {
            return Found::Untold(format!("it is read at a size that depends on {name}"));
        };
        let reading = ReadOptions { size: Size::Longest(of), ..self.options.reading(0) };
        let found = self.compare(input, "mask", |path| {
            let mask = Mask::read(path, &reading)?.mask;
            Ok((Input::masks(input.role, None, [&mask]), ()))
        });
        found.0
    }

    fn network(&self, input: &Input) -> Found {
        let preprocess = input.preprocess.as_deref().map(parse_convention).transpose();
        let Ok(preprocess) = preprocess else {
            return Found::Untold("its preprocessing is not known".to_owned());
        };
        let read = |weights: Option<&Path>| {
            let network = NetworkArguments::default().or(weights.map(Path::to_owned), preprocess).read()?;
            Ok((Input::network(None, &network), ()))
        };
        let name = input.path.as_deref();
        let is_file = name.is_some_and(|name| Arch::from_name(name).is_none());
        if is_file || !self.candidates(input).is_empty() {
            return self.compare(input, "network", |path| read(Some(path))).0;
        }
        // Built in, or in the folder of weights.
        match read(name.map(Path::new)) {
            Ok((ours, ())) if ours.sha256 == input.sha256 => Found::Same(None),
            Ok(_) => Found::Another("network"),
            Err(failure) => Found::Untold(failure.to_string()),
        }
    }

    /// The segmentations of the photo and the painting, which only have a hash beside these.
    fn segmentations(&self, inputs: &[Input]) -> Option<[Found; 2]> {
        let [photo, painting] = [Role::RegionsPhoto, Role::RegionsPainting].map(|role| {
            let input = inputs.iter().find(|input| input.role == role)?;
            Some((input, self.candidates(input).into_iter().next()))
        });
        let ((photo, photo_file), (painting, painting_file)) = (photo?, painting?);
        let (Some(photo_file), Some(painting_file)) = (&photo_file, &painting_file) else {
            let there = |file: &Option<PathBuf>| match file {
                Some(_) => Found::Untold("the other one is not here".to_owned()),
                None => Found::Missing,
            };
            return Some([there(&photo_file), there(&painting_file)]);
        };
        let (content, _) = self.photo.as_ref()?;
        let (style, _) = self.paintings.first()?.as_ref()?;
        let sources = Sources {
            content: Some(content.clone()),
            styles: vec![style.clone()],
            regions: Some([photo_file.clone(), painting_file.clone()]),
            ..Sources::default()
        };
        let read = read_subject(&sources, self.options, Keep::Shrunk, true);
        let read = read.map(|subject| sources.inputs(&subject, |_| None));
        let of = |input: &Input, file: &Path| match &read {
            Ok(inputs) => {
                let ours = inputs.iter().find(|ours| ours.role == input.role);
                let same = ours.is_some_and(|ours| ours.sha256 == input.sha256);
                if same { Found::Same(Some(file.to_owned())) } else { Found::Another("segmentation") }
            }
            Err(failure) => Found::Untold(failure.to_string()),
        };
        Some([of(photo, photo_file), of(painting, painting_file)])
    }

    /// Files of an input's name.
    fn candidates(&self, input: &Input) -> Vec<PathBuf> {
        // Whatever folders a stranger has written.
        let Some(name) = input.path.as_deref().and_then(|path| Path::new(path).file_name()) else {
            return Vec::new();
        };
        self.folders.iter().map(|folder| folder.join(name)).filter(|path| path.is_file()).collect()
    }

    /// The first file of an input's name that has its hash.
    fn compare<T>(
        &self,
        input: &Input,
        what: &'static str,
        read: impl Fn(&Path) -> Result<(Input, T), Failure>,
    ) -> (Found, Option<Read<T>>) {
        let mut best = Found::Missing;
        for path in self.candidates(input) {
            let found = match read(&path) {
                Ok((ours, value)) if ours.sha256 == input.sha256 => {
                    return (Found::Same(Some(path.clone())), Some((path, value)));
                }
                Ok(_) => Found::Another(what),
                Err(failure) => Found::Untold(failure.to_string()),
            };
            if best == Found::Missing {
                best = found;
            }
        }
        (best, None)
    }
}

fn longest_side(picture: &Picture) -> usize {
    picture.height().max(picture.width())
}
