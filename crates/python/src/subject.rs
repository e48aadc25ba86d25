//! From what was given to a subject: reads pictures and masks one after the other, each within the memory that those before leave.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use impasto_style::picture::{
    ColourRegions, ReadOptions, ReadPicture, Warning, WrittenProfile, regions as colour_regions,
};
use impasto_style::{
    Mask, Photo, Picture, PictureError, Region, RegionMask, Size, StyleImage, Subject, TransferOptions,
};

use crate::array::on_background;
use crate::error::{Failure, Result};
use crate::sources::{Given, Sources, taken};

/// What was read.
pub(crate) struct Read {
    pub(crate) subject: Subject,
    /// The space that the photo's colours are in, as one to write in, or why it is none, after "its colours".
    pub(crate) profile: std::result::Result<WrittenProfile, String>,
    /// What is doubtful about the files.
    pub(crate) warnings: Vec<String>,
}

/// Reads a subject for a transfer with these options. The sources have been checked; pictures in memory are taken out of them.
pub(crate) fn read(sources: &mut Sources, options: &TransferOptions) -> Result<Read> {
    let mut reader = Reader { options, held: 0, bytes: 0, warnings: Vec::new() };
    let mut profile = Ok(WrittenProfile::Srgb);
    let photo = match &mut sources.content {
        Some(Given::File(path)) => {
            let reading = ReadOptions { profile: true, ..options.reading_photo(0) };
            let read = reader.file(path, &reading)?;
            profile = read.own_profile();
            reader.held(read)
        }
        Some(Given::Memory(picture)) => reader.memory(picture),
        None => None,
    };
    let photo = photo.ok_or_else(|| Failure::value("there is no photo: give content"))?;
    let mut paintings = Vec::new();
    for (number, style) in sources.styles.iter_mut().enumerate() {
        let reading = options.reading_painting(number, &photo, reader.held);
        paintings.push(Arc::new(reader.picture(style, &reading)?));
    }
    let (regions, images) = match &mut sources.regions {
        Some(pair) => reader.segmented(pair, (&photo, &paintings[0]))?,
        None => reader.masked(sources, &photo, &paintings)?,
    };
    let mut mask = |name, given: &mut Option<Given<Mask>>| {
        given.as_mut().map(|given| reader.mask((name, given), ("the content picture", &photo))).transpose()
    };
    let keep = mask("`keep`", &mut sources.keep)?;
    let content_mask = mask("`content_mask`", &mut sources.content_mask)?;
    if keep.as_ref().is_some_and(Mask::is_full) {
        return Err(Failure::value("`keep` is white everywhere: nothing would be painted"));
    }
    let subject = Subject::compose(Photo { picture: photo, keep, content_mask }, images, regions)?;
    subject.check(options)?;
    // Files are shrunk while they are read.
    let subject = subject.after_reading(reader.bytes).shrunk(options)?;
    Ok(Read { subject, profile, warnings: reader.warnings })
}

struct Reader<'a> {
    options: &'a TransferOptions,
    /// Bytes of what was read.
    held: u64,
    /// The most bytes that reading took.
    bytes: u64,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, reading: &ReadOptions) -> Result<ReadPicture> {
        let read = Picture::read(path, reading)?;
        self.doubt(path, &read.warnings);
        Ok(read)
    }

    fn doubt(&mut self, path: &Path, warnings: &[Warning]) {
        self.warnings.extend(warnings.iter().map(|warning| format!("{}: {warning}", path.display())));
    }

    fn held(&mut self, read: ReadPicture) -> Option<Picture> {
        self.hold(read.bytes, read.picture.bytes());
        Some(read.picture)
    }

    fn memory(&mut self, picture: &mut Option<Picture>) -> Option<Picture> {
        let picture = on_background(picture.take()?, self.options);
        self.hold(picture.bytes(), picture.bytes());
        Some(picture)
    }

    /// Something was read, which took so many bytes, and has so many.
    fn hold(&mut self, took: u64, bytes: u64) {
        self.bytes = self.bytes.max(self.held + took);
        self.held += bytes;
    }

    fn picture(&mut self, given: &mut Given<Picture>, reading: &ReadOptions) -> Result<Picture> {
        let picture = match given {
            Given::File(path) => {
                let read = self.file(path, reading)?;
                self.held(read)
            }
            Given::Memory(picture) => self.memory(picture),
        };
        picture.ok_or_else(taken)
    }

    /// A mask, which must fit its picture and be white somewhere.
    fn mask(
        &mut self,
        (name, given): (&str, &mut Given<Mask>),
        (whose, of): (&str, &Picture),
    ) -> Result<Mask> {
        let called =
            given.path().map_or_else(|| name.to_owned(), |path| format!("{name} {}", path.display()));
        let mask = match given {
            Given::File(path) => {
                let size = Size::Longest(of.height().max(of.width()));
                let read = Mask::read(path, &ReadOptions { size, ..self.options.reading(self.held) })?;
                let path = path.clone();
                self.doubt(&path, &read.warnings);
                self.hold(read.bytes, read.mask.bytes());
                read.mask
            }
            Given::Memory(mask) => {
                let mask = mask.take().ok_or_else(taken)?;
                self.hold(mask.bytes(), mask.bytes());
                mask
            }
        };
        if mask.is_empty() {
            return Err(Failure::value(format!("{called} is black everywhere: make white what it is of")));
        }
        let size = (mask.height(), mask.width());
        check_fits(&called, (mask.fits((of.height(), of.width())), size), (whose, of))?;
        Ok(mask)
    }

    /// Regions and paintings by a mask each.
    fn masked(
        &mut self,
        sources: &mut Sources,
        photo: &Picture,
        paintings: &[Arc<Picture>],
    ) -> Result<(Vec<Region>, Vec<StyleImage>)> {
        // Paintings of one mask act in one region, wherever it comes from.
        let (mut regions, mut of_masks): (Vec<Region>, Vec<usize>) = (Vec::new(), Vec::new());
        let mut of_files: Vec<(PathBuf, usize)> = Vec::new();
        for (number, given) in sources.masks.iter_mut().enumerate() {
            let path = given.path().map(Path::to_path_buf);
            let known = of_files.iter().find(|(known, _)| Some(known) == path.as_ref());
            if let Some(&(_, region)) = known {
                of_masks.push(region);
                continue;
            }
            let held = self.held;
            let region = self.region(number, given, photo)?;
            let same = regions.iter().position(|known| known.mask == region.mask);
            let at = same.unwrap_or(regions.len());
            if same.is_some() {
                self.held = held;
            } else {
                regions.push(region);
            }
            of_masks.push(at);
            of_files.extend(path.map(|path| (path, at)));
        }
        if regions.is_empty() {
            regions.push(Region::everywhere());
        }
        let mut images = Vec::new();
        for (number, picture) in paintings.iter().enumerate() {
            let region = of_masks.get(number).copied().unwrap_or(0);
            let name = sources.styles[number].name("the painting");
            let part = sources.style_masks.get_mut(number).filter(|given| !given.is_rest());
            let part = part.map(|given| self.mask(("`style_mask`", given), (&name, picture))).transpose()?;
            images.push(StyleImage { picture: Arc::clone(picture), part, region });
        }
        Ok((regions, images))
    }

    fn region(&mut self, number: usize, given: &mut Given<Mask>, photo: &Picture) -> Result<Region> {
        if given.is_rest() {
            return Ok(Region { name: "the rest".to_owned(), mask: RegionMask::Rest });
        }
        let name = given.name(&format!("mask {}", number + 1));
        let mask = self.mask(("`mask`", given), ("the content picture", photo))?;
        Ok(Region { name, mask: RegionMask::Mask(mask) })
    }

    /// A region for each colour of two segmentations, with its part of the one painting.
    fn segmented(
        &mut self,
        pair: &mut [Given<Picture>; 2],
        (photo, painting): (&Picture, &Arc<Picture>),
    ) -> Result<(Vec<Region>, Vec<StyleImage>)> {
        let called = ["`regions` of the photo", "`regions` of the painting"];
        let names = [0, 1].map(|which| pair[which].name(called[which]));
        let [of_photo, of_painting] = pair;
        let reading = self.options.reading(self.held);
        let of_photo = self.picture(of_photo, &reading)?;
        let reading = self.options.reading(self.held);
        let of_painting = self.picture(of_painting, &reading)?;
        let sizes = [&of_photo, &of_painting].map(|picture| (picture.height(), picture.width()));
        self.admit((&names[0], sizes[0]), ColourRegions::bytes(sizes[0], sizes[1]))?;
        let pictures = of_photo.bytes() + of_painting.bytes();
        let found = colour_regions(&of_photo, &of_painting);
        drop((of_photo, of_painting));
        let found = found.map_err(|error| Failure::value(format!("`regions`: {error}")))?;
        if !found.unused.is_empty() {
            let (colours, file) = (found.unused.join(" and "), &names[1]);
            self.warnings.push(format!(
                "{file}: {colours} is nowhere in the photo's segmentation, and that part of the painting is not taken"
            ));
        }
        self.held = self.held - pictures + found.photo.bytes() + found.painting.bytes();
        let of = [photo, painting].map(|picture| (picture.height(), picture.width()));
        let fits = [
            (found.photo.fits(of[0]), found.photo.size()),
            (found.painting.fits(of[1]), found.painting.size()),
        ];
        check_fits(&names[0], fits[0], ("the content picture", photo))?;
        check_fits(&names[1], fits[1], ("the style picture", painting))?;
        let bytes = |(height, width): (usize, usize)| (height * width * size_of::<f32>()) as u64;
        let masks = bytes(found.photo.size_for(of[0])) + bytes(found.painting.size_for(of[1]));
        let masks = masks * found.names.len() as u64;
        // Each is made at its segmentation's own size.
        self.admit((&names[0], sizes[0]), masks + bytes(sizes[0]).max(bytes(sizes[1])))?;
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
    fn admit(&mut self, (name, (height, width)): (&str, (usize, usize)), bytes: u64) -> Result<()> {
        let ReadOptions { memory_limit, held, .. } = self.options.reading(self.held);
        let needed = held.saturating_add(bytes);
        if let Some(limit) = memory_limit.filter(|&limit| needed > limit) {
            let share = limit.saturating_sub(held) as f64 / bytes as f64;
            let room = ((height * width) as f64 * share) as u64;
            return Err(
                PictureError::TooLarge { path: name.into(), width, height, needed, limit, room }.into()
            );
        }
        self.bytes = self.bytes.max(self.held + bytes);
        Ok(())
    }
}

/// Says of a mask of (H, W) whether it has the proportions of its picture.
fn check_fits(
    called: &str,
    (fits, (height, width)): (bool, (usize, usize)),
    (whose, of): (&str, &Picture),
) -> Result<()> {
    if fits {
        return Ok(());
    }
    Err(Failure::value(format!(
        "{called} has {width} x {height} pixels, which are other proportions than the {} x {} of {whose}: a mask may have any \
         size, but must show the whole picture",
        of.width(),
        of.height()
    )))
}
