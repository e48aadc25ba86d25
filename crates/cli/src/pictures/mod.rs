//! The pictures and masks of a command: their arguments, and how they become a subject.

mod arguments;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use impasto_style::picture::{
    ColourRegions, ReadOptions, ReadPicture, STANDARD_INPUT, Warning, Whose, Written,
    regions as colour_regions,
};
use impasto_style::{
    Mask, Photo, Picture, PictureError, Region, RegionMask, Size, StyleImage, Subject, TransferOptions,
};

pub(crate) use arguments::{MaskArguments, SubjectArguments};

use crate::failure::Failure;
use crate::output::Output;
use crate::place::is_standard;
use crate::sources::Sources;
use crate::streams::warn;

/// At which size pictures are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// As they are: they will be worked at in several sizes.
    Whole,
    /// Much larger ones are shrunk to the size of the one transfer that they are for.
    Shrunk,
}

/// Reads a subject within the memory limit. The sources have been checked.
pub(crate) fn read_subject(
    sources: &Sources,
    options: &TransferOptions,
    keep: Keep,
    quiet: bool,
) -> Result<Subject, Failure> {
    let mut reader = Reader::new(options, keep, quiet);
    let of_photo = if keep == Keep::Whole { options.reading_whole(0) } else { options.reading_photo(0) };
    let photo = reader.picture(sources.photo(), &of_photo)?;
    reader.subject(sources, photo)
}

/// [`read_subject`] of a picture of that size alone, and its place for pictures with alpha as the photo has it, in the photo's own colour
/// space if the place asks for that.
pub(crate) fn read_subject_for(
    output: Output,
    (sources, written): (&Sources, &Written),
    options: &TransferOptions,
    quiet: bool,
) -> Result<(Subject, Output), Failure> {
    let mut reader = Reader::new(options, Keep::Shrunk, quiet);
    let profile = written.profile == Some(Whose::Photo);
    let photo = read(sources.photo(), &ReadOptions { profile, ..options.reading_photo(0) }, quiet)?;
    let own = profile.then(|| photo.own_profile());
    let photo = reader.held(photo);
    let subject = reader.subject(sources, photo)?;
    let output = output.with_alpha(subject.photo().alpha().is_some(), quiet);
    let output = match own {
        Some(own) => output.with_profile(own, sources.photo(), quiet),
        None => output,
    };
    Ok((subject, output))
}

/// Reads pictures and masks one after the other, each beside those before.
pub(crate) struct Reader<'a> {
    options: &'a TransferOptions,
    keep: Keep,
    quiet: bool,
    /// Bytes of what was read.
    held: u64,
    /// The most bytes that reading took.
    bytes: u64,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(options: &'a TransferOptions, keep: Keep, quiet: bool) -> Self {
        Self { options, keep, quiet, held: 0, bytes: 0 }
    }

    /// Paintings as they are.
    pub(crate) fn paintings(&mut self, paths: &[PathBuf]) -> Result<Vec<Arc<Picture>>, Failure> {
        let mut read =
            |path: &PathBuf| Ok(Arc::new(self.picture(path, &self.options.reading_whole(self.held))?));
        paths.iter().map(&mut read).collect()
    }

    /// The subject of a photo that was read, with the paintings and masks, which are read now.
    fn subject(mut self, sources: &Sources, photo: Picture) -> Result<Subject, Failure> {
        let mut paintings = Vec::new();
        for (number, path) in sources.styles.iter().enumerate() {
            let of_painting = match self.keep {
                Keep::Whole => self.options.reading_whole(self.held),
                Keep::Shrunk => self.options.reading_painting(number, &photo, self.held),
            };
            paintings.push(Arc::new(self.picture(path, &of_painting)?));
        }
        self.compose(sources, photo, &paintings)
    }

    /// The subject of pictures that were read, with the masks, which are read now.
    pub(crate) fn compose(
        mut self,
        sources: &Sources,
        picture: Picture,
        paintings: &[Arc<Picture>],
    ) -> Result<Subject, Failure> {
        let (regions, images) = match &sources.regions {
            Some(segmentations) => self.segmented(segmentations, (&picture, &paintings[0]))?,
            None => self.masked(sources, (&picture, paintings))?,
        };
        let mut mask = |option, path: &Option<PathBuf>| {
            path.as_ref().map(|path| self.mask((option, path), (sources.photo_name(), &picture))).transpose()
        };
        let (keep, content_mask) =
            (mask("--keep", &sources.keep)?, mask("--content-mask", &sources.content_mask)?);
        if let (Some(path), true) = (&sources.keep, keep.as_ref().is_some_and(Mask::is_full)) {
            let file = name_of(path).display();
            return Err(Failure::failed(format!(
                "--keep {file} is white everywhere: nothing would be painted"
            )));
        }
        let subject = Subject::compose(Photo { picture, keep, content_mask }, images, regions);
        let subject = subject.map_err(Failure::failed)?;
        subject.check(self.options)?;
        Ok(subject.after_reading(self.bytes))
    }

    fn picture(&mut self, path: &Path, options: &ReadOptions) -> Result<Picture, Failure> {
        Ok(self.held(read(path, options, self.quiet)?))
    }

    /// A picture that was read.
    fn held(&mut self, read: ReadPicture) -> Picture {
        self.hold(read.bytes, read.picture.bytes());
        read.picture
    }

    /// Something was read, which took so many bytes, and has so many.
    fn hold(&mut self, took: u64, bytes: u64) {
        self.bytes = self.bytes.max(self.held + took);
        self.held += bytes;
    }

    /// A mask of an option, which must fit its picture and be white somewhere.
    fn mask(&mut self, (option, path): (&str, &Path), (name, of): (&str, &Picture)) -> Result<Mask, Failure> {
        let size = match self.keep {
            Keep::Whole => Size::Original,
            Keep::Shrunk => Size::Longest(of.height().max(of.width())),
        };
        let reading = ReadOptions { size, ..self.options.reading(self.held) };
        let read = if is_standard(path) {
            Mask::read_stream(io::stdin().lock(), name_of(path), &reading)?
        } else {
            Mask::read(path, &reading)?
        };
        tell(path, &read.warnings, self.quiet);
        let mask = read.mask;
        self.hold(read.bytes, mask.bytes());
        let file = name_of(path).display();
        if mask.is_empty() {
            return Err(Failure::failed(format!(
                "{option} {file} is black everywhere: make white what it is of"
            )));
        }
        let (size, of) = ((mask.height(), mask.width()), (of.height(), of.width()));
        check_fits((option, path), (mask.fits(of), size), (name, of))?;
        Ok(mask)
    }

    /// Regions and paintings by a mask each.
    fn masked(
        &mut self,
        sources: &Sources,
        (photo, paintings): (&Picture, &[Arc<Picture>]),
    ) -> Result<(Vec<Region>, Vec<StyleImage>), Failure> {
        // Paintings of one mask act in one region, whatever the file of the mask is called.
        let mut regions: Vec<Region> = Vec::new();
        let mut of_masks: Vec<(&PathBuf, usize)> = Vec::new();
        for path in &sources.masks {
            if of_masks.iter().all(|(known, _)| *known != path) {
                let held = self.held;
                let region = self.region(path, (sources.photo_name(), photo))?;
                let same = regions.iter().position(|known| known.mask == region.mask);
                of_masks.push((path, same.unwrap_or(regions.len())));
                if same.is_some() {
                    self.held = held;
                } else {
                    regions.push(region);
                }
            }
        }
        if regions.is_empty() {
            regions.push(Region::everywhere());
        }
        let mut images = Vec::new();
        for (number, picture) in paintings.iter().enumerate() {
            let own = sources.masks.get(number);
            let region =
                of_masks.iter().find(|(mask, _)| Some(*mask) == own).map_or(0, |&(_, region)| region);
            let part = sources.style_masks.get(number).filter(|path| !is_standard(path));
            let name = sources.styles[number].display().to_string();
            let part = part.map(|path| self.mask(("--style-mask", path), (&name, picture))).transpose()?;
            images.push(StyleImage { picture: Arc::clone(picture), part, region });
        }
        Ok((regions, images))
    }

    fn region(&mut self, path: &Path, photo: (&str, &Picture)) -> Result<Region, Failure> {
        if is_standard(path) {
            return Ok(Region { name: "the rest".to_owned(), mask: RegionMask::Rest });
        }
        let mask = self.mask(("--mask", path), photo)?;
        Ok(Region { name: path.display().to_string(), mask: RegionMask::Mask(mask) })
    }

    /// A region for each colour of two segmentations, with its part of the one painting.
    fn segmented(
        &mut self,
        files: &[PathBuf; 2],
        (photo, painting): (&Picture, &Arc<Picture>),
    ) -> Result<(Vec<Region>, Vec<StyleImage>), Failure> {
        let mut read = |path: &PathBuf| self.picture(path, &self.options.reading(self.held));
        let [of_photo, of_painting] = [read(&files[0])?, read(&files[1])?];
        let sizes = [&of_photo, &of_painting].map(|picture| (picture.height(), picture.width()));
        self.admit((&files[0], sizes[0]), ColourRegions::bytes(sizes[0], sizes[1]))?;
        let pictures = of_photo.bytes() + of_painting.bytes();
        let found = colour_regions(&of_photo, &of_painting);
        drop((of_photo, of_painting));
        let found = found.map_err(|error| Failure::failed(format!("--regions: {error}")))?;
        if !found.unused.is_empty() {
            let (colours, file) = (found.unused.join(" and "), files[1].display());
            let problem = "is nowhere in the photo's segmentation, and that part of STYLE is not taken";
            warn(self.quiet, &format!("{file}: {colours} {problem}"));
        }
        self.held = self.held - pictures + found.photo.bytes() + found.painting.bytes();
        let of = [photo, painting].map(|picture| (picture.height(), picture.width()));
        let labels = [("CONTENT", &found.photo), ("STYLE", &found.painting)];
        for (which, (name, labels)) in labels.into_iter().enumerate() {
            check_fits(
                ("--regions", &files[which]),
                (labels.fits(of[which]), labels.size()),
                (name, of[which]),
            )?;
        }
        let bytes = |(height, width): (usize, usize)| (height * width * size_of::<f32>()) as u64;
        let masks = bytes(found.photo.size_for(of[0])) + bytes(found.painting.size_for(of[1]));
        let masks = masks * found.names.len() as u64;
        // Each is made at its segmentation's own size.
        self.admit((&files[0], sizes[0]), masks + bytes(sizes[0]).max(bytes(sizes[1])))?;
        let (mut regions, mut images) = (Vec::new(), Vec::new());
        for (region, name) in found.names.into_iter().enumerate() {
            let (mask, part) = (found.photo.mask(region, of[0])?, found.painting.mask(region, of[1])?);
            regions.push(Region { name, mask: RegionMask::Mask(mask) });
            images.push(StyleImage { picture: Arc::clone(painting), part: Some(part), region });
        }
        self.held = self.held - found.photo.bytes() - found.painting.bytes() + masks;
        Ok((regions, images))
    }

    /// Checks that there is room for so many bytes more, which a picture of (H, W) leads to.
    fn admit(
        &mut self,
        (path, (height, width)): (&Path, (usize, usize)),
        bytes: u64,
    ) -> Result<(), PictureError> {
        let ReadOptions { memory_limit, held, .. } = self.options.reading(self.held);
        let (needed, path) = (held.saturating_add(bytes), name_of(path).to_path_buf());
        if let Some(limit) = memory_limit.filter(|&limit| needed > limit) {
            let share = limit.saturating_sub(held) as f64 / bytes as f64;
            let room = ((height * width) as f64 * share) as u64;
            return Err(PictureError::TooLarge { path, width, height, needed, limit, room });
        }
        self.bytes = self.bytes.max(self.held + bytes);
        Ok(())
    }
}

/// Says of a mask of (H, W) whether it has the proportions of its picture.
fn check_fits(
    (option, path): (&str, &Path),
    (fits, size): (bool, (usize, usize)),
    (name, of): (&str, (usize, usize)),
) -> Result<(), Failure> {
    if fits {
        return Ok(());
    }
    let [mask, of] = [size, of].map(|(height, width)| format!("{width} x {height}"));
    let file = name_of(path).display();
    let problem = "a mask may have any size, but must show the whole picture";
    Err(Failure::failed(format!(
        "{option} {file} has {mask} pixels, which are other proportions than the {of} of {name}: {problem}"
    )))
}

/// Reads a picture; says what is doubtful about it, unless it shall be quiet.
pub(crate) fn read_picture(path: &Path, options: &ReadOptions, quiet: bool) -> Result<Picture, Failure> {
    Ok(read(path, options, quiet)?.picture)
}

/// A picture at the size of the options.
pub(crate) fn at_size(picture: &Picture, options: &TransferOptions) -> Result<Picture, Failure> {
    let longest = options.check_size((picture.height(), picture.width()))?;
    let (height, width) = picture.size_with_longest_side(longest);
    Ok(picture.clone().resized(height, width)?)
}

fn read(path: &Path, options: &ReadOptions, quiet: bool) -> Result<ReadPicture, PictureError> {
    let read = if is_standard(path) {
        Picture::read_stream(io::stdin().lock(), name_of(path), options)?
    } else {
        Picture::read(path, options)?
    };
    tell(path, &read.warnings, quiet);
    Ok(read)
}

/// Says what is doubtful about a file.
fn tell(path: &Path, warnings: &[Warning], quiet: bool) {
    for warning in warnings {
        warn(quiet, &format!("{}: {warning}", name_of(path).display()));
    }
}

/// What messages call a file.
pub(crate) fn name_of(path: &Path) -> &Path {
    if is_standard(path) { Path::new(STANDARD_INPUT) } else { path }
}

/// The file that is read for a picture: of `-` what standard input is.
pub(crate) fn file_of_picture(path: &Path) -> &Path {
    if is_standard(path) { Path::new("/dev/stdin") } else { path }
}
