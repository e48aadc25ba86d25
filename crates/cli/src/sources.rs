//! The files that a subject is made of: those of the command line, of a saved scene, or of a checkpoint.

use std::path::{Path, PathBuf};

use impasto_style::{Input, OptionsError, Record, RegionMask, Role, Subject, TransferOptions};

use crate::failure::Failure;
use crate::place::is_standard;

/// Where the photo, the paintings and the masks are.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sources {
    pub(crate) content: Option<PathBuf>,
    /// The paintings.
    pub(crate) styles: Vec<PathBuf>,
    /// Where each painting acts, `-` for the rest; empty if all act everywhere.
    pub(crate) masks: Vec<PathBuf>,
    /// Which part of each painting is taken, `-` for all of it; empty if that is so of all.
    pub(crate) style_masks: Vec<PathBuf>,
    pub(crate) keep: Option<PathBuf>,
    pub(crate) content_mask: Option<PathBuf>,
    /// Segmentations of the photo and of the one painting.
    pub(crate) regions: Option<[PathBuf; 2]>,
}

impl Sources {
    /// The files of a record.
    pub(crate) fn of(record: &Record) -> Self {
        let path = |input: &Input| input.path.as_ref().map(PathBuf::from);
        let one = |role| record.inputs_of(role).find_map(path);
        // One that came from a pipe leaves none of its kind: they belong together.
        let all = |role| record.inputs_of(role).map(path).collect::<Option<Vec<_>>>().unwrap_or_default();
        Self {
            content: one(Role::Content),
            styles: all(Role::Style),
            masks: all(Role::Mask),
            style_masks: all(Role::StyleMask),
            keep: one(Role::Keep),
            content_mask: one(Role::ContentMask),
            regions: one(Role::RegionsPhoto).zip(one(Role::RegionsPainting)).map(<[PathBuf; 2]>::from),
        }
    }

    /// These files, and those of `other` where none was given.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        let all = |ours: Vec<PathBuf>, theirs| if ours.is_empty() { theirs } else { ours };
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
    pub(crate) fn check(&self, options: &TransferOptions) -> Result<(), Failure> {
        if self.content.is_none() || self.styles.is_empty() {
            let missing = if self.content.is_none() { "no photo" } else { "no painting" };
            let problem =
                format!("there is {missing}: give <CONTENT> and <STYLE>, or --scene FILE that names them");
            return Err(Failure::wrong_use(problem));
        }
        self.check_paintings(options)
    }

    /// Checks that there is a mask and a value for each painting, where there are any.
    pub(crate) fn check_paintings(&self, options: &TransferOptions) -> Result<(), Failure> {
        let paintings = self.styles.len();
        for (option, masks, dash) in
            [("--mask", &self.masks, "the rest"), ("--style-mask", &self.style_masks, "all of a painting")]
        {
            if !masks.is_empty() && masks.len() != paintings {
                let (masks, paintings) = (counted(masks.len(), "mask"), counted(paintings, "painting"));
                let problem =
                    format!("{option} has {masks} for {paintings}: give one for each, - for {dash}");
                return Err(Failure::wrong_use(problem));
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

    fn check_regions(&self) -> Result<(), Failure> {
        if self.regions.is_none() {
            return Ok(());
        }
        let problem = if !self.masks.is_empty() || !self.style_masks.is_empty() {
            "--regions says where the painting acts and which parts of it are taken: give it, or --mask and --style-mask"
        } else if self.styles.len() != 1 {
            "--regions is for one painting, whose parts it takes; several paintings have a --mask each"
        } else {
            return Ok(());
        };
        Err(Failure::wrong_use(problem))
    }

    /// The photo; [`Self::check`] has seen that there is one.
    pub(crate) fn photo(&self) -> &Path {
        self.content.as_deref().unwrap_or(Path::new("-"))
    }

    /// What messages call the picture that masks are of: a texture has no photo.
    pub(crate) const fn photo_name(&self) -> &'static str {
        if self.content.is_some() { "CONTENT" } else { "the texture" }
    }

    /// The photo and the paintings.
    pub(crate) fn names(&self) -> (&Path, &[PathBuf]) {
        (self.photo(), &self.styles)
    }

    /// The files, each with what names it.
    pub(crate) fn files(&self) -> Vec<(&'static str, &Path)> {
        let named = |name: &'static str| move |path| (name, Path::new(path));
        let masks = |paths| <[PathBuf]>::iter(paths).filter(|path| !is_standard(path));
        let one = self.content.iter().map(named("CONTENT"));
        one.chain(self.styles.iter().map(named("STYLE")))
            .chain(masks(&self.masks).map(named("--mask")))
            .chain(masks(&self.style_masks).map(named("--style-mask")))
            .chain(self.keep.iter().map(named("--keep")))
            .chain(self.content_mask.iter().map(named("--content-mask")))
            .chain(self.regions.iter().flatten().map(named("--regions")))
            .collect()
    }

    /// The files by their roles, in the order of a record, each role with what messages call one of it.
    pub(crate) fn roles(&self) -> [(Role, &'static str, &[PathBuf]); 8] {
        let [photo, painting] = match &self.regions {
            Some([photo, painting]) => [photo, painting].map(std::slice::from_ref),
            None => [&[][..]; 2],
        };
        [
            (Role::Content, "content picture", self.content.as_slice()),
            (Role::Style, "style picture", &self.styles),
            (Role::StyleMask, "mask of --style-mask", &self.style_masks),
            (Role::Mask, "mask of --mask", &self.masks),
            (Role::Keep, "mask of --keep", self.keep.as_slice()),
            (Role::ContentMask, "mask of --content-mask", self.content_mask.as_slice()),
            (Role::RegionsPhoto, "segmentation of the photo", photo),
            (Role::RegionsPainting, "segmentation of the painting", painting),
        ]
    }

    /// The files for a record, whatever is in them; `path` says what it has for each.
    pub(crate) fn unread<E>(&self, path: impl Fn(&Path) -> Result<PathBuf, E>) -> Result<Vec<Input>, E> {
        let roles = self.roles().into_iter();
        let inputs = roles.flat_map(|(role, _, paths)| paths.iter().map(move |path| (role, path)));
        inputs.map(|(role, file)| Ok(Input::unread(role, Some(&path(file)?)))).collect()
    }

    /// The same files for a record of what was read from them; `path` says what it has for each.
    pub(crate) fn inputs(&self, subject: &Subject, path: impl Fn(&Path) -> Option<PathBuf>) -> Vec<Input> {
        let path = |file: &Path| path(file);
        let images = subject.style_images();
        let mut inputs = vec![Input::picture(
            Role::Content,
            self.content.as_deref().and_then(&path).as_deref(),
            subject.photo(),
        )];
        let paintings = self.styles.iter().zip(images);
        inputs.extend(
            paintings.map(|(file, image)| Input::picture(Role::Style, path(file).as_deref(), &image.picture)),
        );
        let mask = |role, file: &Path, mask| match mask {
            Some(mask) => Input::masks(role, path(file).as_deref(), [mask]),
            None => Input::unread(role, Some(file)),
        };
        let parts = self.style_masks.iter().zip(images);
        inputs.extend(parts.map(|(file, image)| mask(Role::StyleMask, file, image.part.as_ref())));
        let own = |number: usize| mask_of(&subject.regions()[number].mask);
        let masks = self.masks.iter().zip(images);
        inputs.extend(masks.map(|(file, image)| mask(Role::Mask, file, own(image.region))));
        inputs.extend(self.keep.iter().map(|file| mask(Role::Keep, file, subject.keep())));
        inputs.extend(
            self.content_mask.iter().map(|file| mask(Role::ContentMask, file, subject.content_mask())),
        );
        if let Some([photo, painting]) = &self.regions {
            let masks = subject.regions().iter().filter_map(|region| mask_of(&region.mask));
            inputs.push(Input::masks(Role::RegionsPhoto, path(photo).as_deref(), masks));
            let parts = images.iter().filter_map(|image| image.part.as_ref());
            inputs.push(Input::masks(Role::RegionsPainting, path(painting).as_deref(), parts));
        }
        inputs
    }
}

fn mask_of(mask: &RegionMask) -> Option<&impasto_style::Mask> {
    if let RegionMask::Mask(mask) = mask { Some(mask) } else { None }
}

/// As many of something, such as `2 masks` or `2 masks of --mask`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    match what.split_once(" of ") {
        _ if count == 1 => format!("1 {what}"),
        Some((what, of)) => format!("{count} {what}s of {of}"),
        None => format!("{count} {what}s"),
    }
}
