//! The photo, the paintings and the masks as they were given: paths, or pictures in memory.

use std::path::{Path, PathBuf};

use impasto_style::{Input, Mask, OptionsError, Picture, Record, RegionMask, Role, Subject, TransferOptions};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::array::{mask_of, picture_of};
use crate::error::{Failure, Result};
use crate::text::{is_path, path_of};

/// A picture or a mask.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given<T> {
    /// A file. Of a mask, `-` is the rest, or all of a painting.
    File(PathBuf),
    /// One in memory, until it is taken.
    Memory(Option<T>),
}

impl<T> Given<T> {
    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        if let Self::File(path) = self { Some(path) } else { None }
    }

    /// Whether it is the `-` of a mask.
    pub(crate) fn is_rest(&self) -> bool {
        self.path() == Some(Path::new("-"))
    }

    /// What messages call it: its path, or `what`.
    pub(crate) fn name(&self, what: &str) -> String {
        self.path().map_or_else(|| what.to_owned(), |path| path.display().to_string())
    }
}

/// It was taken before, which nobody does.
pub(crate) fn taken() -> Failure {
    Failure::value("a picture in memory is taken once")
}

impl Given<Picture> {
    /// The picture of an argument.
    pub(crate) fn picture(what: &str, value: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(if is_path(value)? {
            Self::File(path_of(what, value)?)
        } else {
            Self::Memory(Some(picture_of(value, what)?))
        })
    }
}

impl Given<Mask> {
    /// The mask of an argument; `None` is the rest.
    fn mask(what: &str, value: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(if value.is_none() {
            Self::File("-".into())
        } else if is_path(value)? {
            Self::File(path_of(what, value)?)
        } else {
            Self::Memory(Some(mask_of(value, what)?))
        })
    }

    /// The masks of an argument: one, a list, or a text as the command line has it.
    fn masks(name: &str, value: &Bound<'_, PyAny>) -> Result<Vec<Self>> {
        if let Ok(text) = value.cast::<PyString>() {
            return Ok(text.to_str()?.split(',').map(|path| Self::File(path.into())).collect());
        }
        if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            let mask = |(number, mask): (usize, PyResult<Bound<'_, PyAny>>)| {
                Self::mask(&format!("`{name}` {}", number + 1), &mask?)
            };
            return value.try_iter()?.enumerate().map(mask).collect();
        }
        Ok(vec![Self::mask(&format!("`{name}`"), value)?])
    }
}

/// Where the photo, the paintings and the masks are.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) content: Option<Given<Picture>>,
    /// The paintings.
    pub(crate) styles: Vec<Given<Picture>>,
    /// Where each painting acts; empty if all act everywhere.
    pub(crate) masks: Vec<Given<Mask>>,
    /// Which part of each painting is taken; empty if it is all of each.
    pub(crate) style_masks: Vec<Given<Mask>>,
    pub(crate) keep: Option<Given<Mask>>,
    pub(crate) content_mask: Option<Given<Mask>>,
    /// Segmentations of the photo and of the one painting.
    pub(crate) regions: Option<[Given<Picture>; 2]>,
}

impl Sources {
    /// The names of keywords that say what a subject is made of.
    pub(crate) const NAMES: [&str; 5] = ["mask", "style_mask", "keep", "content_mask", "regions"];

    /// Puts in what a keyword of [`Self::NAMES`] says.
    pub(crate) fn set(&mut self, name: &str, value: &Bound<'_, PyAny>) -> Result<()> {
        let one = || Given::mask(&format!("`{name}`"), value).map(Some);
        match name {
            "mask" => self.masks = Given::masks(name, value)?,
            "style_mask" => self.style_masks = Given::masks(name, value)?,
            "keep" => self.keep = one()?,
            "content_mask" => self.content_mask = one()?,
            _ => {
                let pair: Vec<Bound<'_, PyAny>> = value.try_iter()?.collect::<PyResult<_>>()?;
                let [photo, painting] = &pair[..] else {
                    let problem =
                        "`regions` is a pair: the segmentation of the photo and that of the painting";
                    return Err(Failure::value(problem));
                };
                let photo = Given::picture("`regions`, the segmentation of the photo", photo)?;
                let painting = Given::picture("`regions`, the segmentation of the painting", painting)?;
                self.regions = Some([photo, painting]);
            }
        }
        Ok(())
    }

    /// The files of a record.
    pub(crate) fn of(record: &Record) -> Self {
        fn path<T>(input: &Input) -> Option<Given<T>> {
            input.path.as_ref().map(|path| Given::File(path.into()))
        }
        fn one<T>(record: &Record, role: Role) -> Option<Given<T>> {
            record.inputs_of(role).find_map(path)
        }
        // One without a path leaves none of its kind: they belong together.
        fn all<T>(record: &Record, role: Role) -> Vec<Given<T>> {
            record.inputs_of(role).map(path).collect::<Option<_>>().unwrap_or_default()
        }
        let regions = one(record, Role::RegionsPhoto).zip(one(record, Role::RegionsPainting));
        Self {
            content: one(record, Role::Content),
            styles: all(record, Role::Style),
            masks: all(record, Role::Mask),
            style_masks: all(record, Role::StyleMask),
            keep: one(record, Role::Keep),
            content_mask: one(record, Role::ContentMask),
            regions: regions.map(Into::into),
        }
    }

    /// These, and those of `other` where none was given.
    pub(crate) fn or(self, other: Self) -> Self {
        fn all<T>(ours: Vec<T>, theirs: Vec<T>) -> Vec<T> {
            if ours.is_empty() { theirs } else { ours }
        }
        // Two ways of saying where paintings act.
        let other = match (&self.regions, self.masks.is_empty()) {
            (Some(_), _) => Self { masks: Vec::new(), style_masks: Vec::new(), ..other },
            (None, false) => Self { regions: None, ..other },
            (None, true) => other,
        };
        Self {
            content: self.content.or(other.content),
            styles: all(self.styles, other.styles),
            masks: all(self.masks, other.masks),
            style_masks: all(self.style_masks, other.style_masks),
            keep: self.keep.or(other.keep),
            content_mask: self.content_mask.or(other.content_mask),
            regions: self.regions.or(other.regions),
        }
    }

    /// Checks all that can be said of them before any is read.
    pub(crate) fn check(&self, options: &TransferOptions) -> Result<()> {
        if self.content.is_none() || self.styles.is_empty() {
            let missing = if self.content.is_none() { "no photo" } else { "no painting" };
            let problem =
                format!("there is {missing}: give content and a style, or a `scene` that names them");
            return Err(Failure::value(problem));
        }
        let paintings = self.styles.len();
        for (name, masks, none) in
            [("mask", &self.masks, "the rest"), ("style_mask", &self.style_masks, "all of a painting")]
        {
            if !masks.is_empty() && masks.len() != paintings {
                let (masks, paintings) = (counted(masks.len(), "mask"), counted(paintings, "painting"));
                let problem =
                    format!("`{name}` has {masks} for {paintings}: give one for each, None for {none}");
                return Err(Failure::value(problem));
            }
        }
        self.check_regions()?;
        let counts = [
            ("blend", options.blend.len(), options.blend.is_empty()),
            ("style-scale", options.style_scale.count(), options.style_scale.count() == 1),
            ("style-layers", options.style_layers.count(), options.style_layers.count() == 1),
        ];
        match counts.into_iter().find(|&(_, values, fits)| !fits && values != paintings) {
            Some((option, values, _)) => Err(OptionsError::Count { option, values, paintings }.into()),
            None => Ok(()),
        }
    }

    fn check_regions(&self) -> Result<()> {
        if self.regions.is_none() {
            return Ok(());
        }
        if !self.masks.is_empty() || !self.style_masks.is_empty() {
            return Err(Failure::value(
                "`regions` says where the painting acts and which parts of it are taken: give it, or `mask` and `style_mask`",
            ));
        }
        if self.styles.len() != 1 {
            return Err(Failure::value(
                "`regions` is for one painting, whose parts it takes; several paintings have a `mask` each",
            ));
        }
        Ok(())
    }

    /// The files, each with what names it.
    pub(crate) fn files(&self) -> Vec<(&'static str, PathBuf)> {
        fn named<'a, T: 'a>(
            name: &'static str,
            all: impl IntoIterator<Item = &'a Given<T>>,
        ) -> impl Iterator<Item = (&'static str, PathBuf)> {
            let files = all.into_iter().filter(|given| !given.is_rest());
            files.filter_map(move |given| Some((name, given.path()?.to_owned())))
        }
        named("content", &self.content)
            .chain(named("style", &self.styles))
            .chain(named("`mask`", &self.masks))
            .chain(named("`style_mask`", &self.style_masks))
            .chain(named("`keep`", &self.keep))
            .chain(named("`content_mask`", &self.content_mask))
            .chain(named("`regions`", self.regions.iter().flatten()))
            .collect()
    }

    /// As many inputs of each role, with what messages call one of it.
    pub(crate) fn counts(&self) -> [(Role, &'static str, usize); 8] {
        let regions = usize::from(self.regions.is_some());
        [
            (Role::Content, "content picture", usize::from(self.content.is_some())),
            (Role::Style, "style picture", self.styles.len()),
            (Role::StyleMask, "`style_mask`", self.style_masks.len()),
            (Role::Mask, "`mask`", self.masks.len()),
            (Role::Keep, "`keep`", usize::from(self.keep.is_some())),
            (Role::ContentMask, "`content_mask`", usize::from(self.content_mask.is_some())),
            (Role::RegionsPhoto, "segmentation of the photo", regions),
            (Role::RegionsPainting, "segmentation of the painting", regions),
        ]
    }

    /// The inputs for a record of what was made of them, in its order; `path` says what it has for each file.
    pub(crate) fn inputs(&self, subject: &Subject, path: impl Fn(&Path) -> Option<PathBuf>) -> Vec<Input> {
        let picture = |role, given: &Given<Picture>, picture: &Picture| {
            Input::picture(role, given.path().and_then(&path).as_deref(), picture)
        };
        let mask = |role, given: &Given<Mask>, mask: Option<&Mask>| match mask {
            Some(mask) => Input::masks(role, given.path().and_then(&path).as_deref(), [mask]),
            None => Input::unread(role, given.path()),
        };
        let images = subject.style_images();
        let mut inputs = Vec::new();
        inputs.extend(self.content.iter().map(|given| picture(Role::Content, given, subject.photo())));
        let paintings = self.styles.iter().zip(images);
        inputs.extend(paintings.map(|(given, image)| picture(Role::Style, given, &image.picture)));
        let parts = self.style_masks.iter().zip(images);
        inputs.extend(parts.map(|(given, image)| mask(Role::StyleMask, given, image.part.as_ref())));
        let own = |number: usize| mask_of_region(&subject.regions()[number].mask);
        let masks = self.masks.iter().zip(images);
        inputs.extend(masks.map(|(given, image)| mask(Role::Mask, given, own(image.region))));
        inputs.extend(self.keep.iter().map(|given| mask(Role::Keep, given, subject.keep())));
        let content = self.content_mask.iter();
        inputs.extend(content.map(|given| mask(Role::ContentMask, given, subject.content_mask())));
        if let Some([photo, painting]) = &self.regions {
            let masks = subject.regions().iter().filter_map(|region| mask_of_region(&region.mask));
            let file = photo.path().and_then(&path);
            inputs.push(Input::masks(Role::RegionsPhoto, file.as_deref(), masks));
            let parts = images.iter().filter_map(|image| image.part.as_ref());
            let file = painting.path().and_then(&path);
            inputs.push(Input::masks(Role::RegionsPainting, file.as_deref(), parts));
        }
        inputs
    }
}

fn mask_of_region(mask: &RegionMask) -> Option<&Mask> {
    if let RegionMask::Mask(mask) = mask { Some(mask) } else { None }
}

/// `1 mask`, `2 masks`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
