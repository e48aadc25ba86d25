//! A picture as a sum of waves of three colours, or of light alone: the coordinates that L-BFGS works in.
//!
//! The loss answers very differently to coarse and to fine changes of a picture, and to light and to colour: the scale
//! that is learnt for light is some eight times larger for waves of 100 pixels than for waves of 5. In pixels every step mixes
//! all of them. In the coordinates here each variable has a known frequency and colour, so that
//! [`Lbfgs`](impasto_lbfgs::Lbfgs) can learn how far to go in each.
//!
//! ```text
//! x = x0 + C' u                   u: the coefficients; x0: the start, so that u starts at 0
//! C = DCT-II along columns, DCT-II along rows ([`CosineTransform`]), opponent colours of each pixel
//! ```
//!
//! Of a picture of light alone, one number a pixel, C is the transform along both sides.
//!
//! C is orthonormal, so lengths and dot products are those of pixels, and dL/du = C dL/dx.

use impasto_lbfgs::Groups;
use pulp::Arch;
use rayon::prelude::*;

use super::Coordinates;
use super::cosine::CosineTransform;
use crate::{Picture, PictureError};

/// Rows: light, red against blue, green against both. Orthonormal.
const OPPONENT: [[f32; 3]; 3] = [
    [0.577_350_3, 0.577_350_3, 0.577_350_3],
    [0.707_106_77, 0.0, -0.707_106_77],
    [0.408_248_3, -0.816_496_6, 0.408_248_3],
];

/// Octaves of each colour. The last takes in all that is coarser: waves longer than 256 pixels.
const OCTAVES: u8 = 8;

/// Groups of frequencies from one octave's scale to the next one's.
const STEPS: u8 = 8;

/// Groups of each colour.
const GROUPS: u8 = (OCTAVES - 1) * STEPS + 1;

/// Lines that are turned between rows and columns at once: 16 `f32` are a line of the cache.
const LINES: usize = 16;

/// The pixels x = x0 + C' u and the way between gradients of both.
pub struct Spectrum {
    height: usize,
    width: usize,
    /// 3, or 1 of light alone.
    colours: usize,
    /// The transform of a row.
    along_width: CosineTransform,
    /// The transform of a column.
    along_height: CosineTransform,
    /// x0.
    start: Vec<f32>,
    /// x of the point that was evaluated last.
    pixels: Vec<f32>,
    /// dL/dx there.
    pixel_gradient: Vec<f32>,
}

impl Coordinates for Spectrum {
    fn start(&mut self) -> Vec<f32> {
        vec![0.0; self.start.len()]
    }

    /// An eighth of an octave of a colour each; there is a scale for each octave of each colour.
    fn groups(&self) -> Groups {
        Groups { of: self.group_of_each(), places: self.places() }
    }

    /// x0.
    fn around(&self) -> Vec<&[f32]> {
        vec![&self.start]
    }

    fn evaluate<V, E>(
        &mut self,
        u: &[f32],
        gradient: &mut [f32],
        objective: impl FnOnce(&[f32], &mut [f32]) -> Result<V, E>,
    ) -> Result<V, E> {
        self.synthesise_own(u);
        let value = objective(&self.pixels, &mut self.pixel_gradient)?;
        let mut dx = std::mem::take(&mut self.pixel_gradient);
        self.analyse(&mut dx, gradient);
        self.pixel_gradient = dx;
        Ok(value)
    }

    fn pixels<'a>(&'a mut self, u: &'a [f32], evaluated_last: bool) -> &'a [f32] {
        if !evaluated_last {
            self.synthesise_own(u);
        }
        &self.pixels
    }

    fn into_pixels(mut self, u: Vec<f32>) -> Vec<f32> {
        self.synthesise_own(&u);
        self.pixels
    }
}

impl Spectrum {
    /// The colour that a group of the variables is of (0: light, 1: red against blue, 2: green against both), and its octave: of
    /// octave o are the waves half of which are 2^o to 2^(o + 1) pixels long, of the last one all longer ones too.
    pub const fn colour_and_octave(group: usize) -> (usize, usize) {
        (group / GROUPS as usize, group % GROUPS as usize / STEPS as usize)
    }

    /// The coordinates around a picture.
    pub fn around(start: Picture) -> Self {
        Self::of((start.height(), start.width()), start.into_data())
    }

    /// The coordinates around a picture of light alone, H x W x 1.
    ///
    /// # Errors
    /// [`PictureError::Length`] if `start` does not have H W numbers, or none.
    pub fn around_light(height: usize, width: usize, start: Vec<f32>) -> Result<Self, PictureError> {
        if height.checked_mul(width) != Some(start.len()) || start.is_empty() {
            return Err(PictureError::Length { height, width, length: start.len() });
        }
        Ok(Self::of((height, width), start))
    }

    /// The coordinates around H W 3 or H W numbers.
    pub(crate) fn of((height, width): (usize, usize), start: Vec<f32>) -> Self {
        Self {
            height,
            width,
            colours: start.len() / (height * width),
            along_width: CosineTransform::new(width),
            along_height: CosineTransform::new(height),
            pixels: vec![0.0; start.len()],
            pixel_gradient: vec![0.0; start.len()],
            start,
        }
    }

    /// x(u) into `pixels`.
    fn synthesise_own(&mut self, u: &[f32]) {
        let (mut between, mut x) =
            (std::mem::take(&mut self.pixel_gradient), std::mem::take(&mut self.pixels));
        self.synthesise(u, &mut between, &mut x);
        (self.pixel_gradient, self.pixels) = (between, x);
    }

    /// The bytes that a minimisation in these coordinates holds beside the pixels, for `numbers` variables: u, x0, the
    /// gradient in pixels, and the groups.
    pub(crate) const fn bytes(numbers: usize) -> u64 {
        (numbers * (3 * size_of::<f32>() + size_of::<u8>())) as u64
    }

    /// u := C p for p of H x W x 3 (or 1), which is used up. u has the columns one after another: 3 x W x H.
    fn analyse(&self, p: &mut [f32], u: &mut [f32]) {
        let (height, row, arch) = (self.height, self.colours * self.width, Arch::new());
        // Two rows at once are two lines of each colour: those of the first row, then those of the second.
        p.par_chunks_mut(2 * row).for_each_init(
            || (self.along_width.scratch(), vec![0.0; 2 * row]),
            |(scratch, lines), rows| {
                let lines = &mut lines[..rows.len()];
                for (colours, row) in lines.chunks_exact_mut(row).zip(rows.chunks_exact(row)) {
                    match self.colours {
                        1 => colours.copy_from_slice(row),
                        _ => arch.dispatch(|| opponent_colours(row, colours)),
                    }
                }
                self.along_width.analyse(lines, scratch);
                rows.copy_from_slice(lines);
            },
        );
        u.par_chunks_mut(LINES * height).enumerate().for_each_init(
            || self.along_height.scratch(),
            |scratch, (index, columns)| {
                transpose(p, row, index * LINES, columns, height);
                self.along_height.analyse(columns, scratch);
            },
        );
    }

    /// x := x0 + C' u. `between` holds anything, before and after.
    fn synthesise(&self, u: &[f32], between: &mut [f32], x: &mut [f32]) {
        let (height, row, arch) = (self.height, self.colours * self.width, Arch::new());
        between.par_chunks_mut(LINES * height).zip(u.par_chunks(LINES * height)).for_each_init(
            || self.along_height.scratch(),
            |scratch, (columns, u)| {
                columns.copy_from_slice(u);
                self.along_height.synthesise(columns, scratch);
            },
        );
        let rows = x.par_chunks_mut(LINES * row).zip(self.start.par_chunks(LINES * row));
        rows.enumerate().for_each_init(
            || (self.along_width.scratch(), vec![0.0; LINES * row]),
            |(scratch, lines), (index, (rows, start))| {
                let lines = &mut lines[..rows.len()];
                transpose(between, height, index * LINES, lines, row);
                self.along_width.synthesise(lines, scratch);
                let rows = rows.chunks_exact_mut(row).zip(start.chunks_exact(row));
                for ((row, start), colours) in rows.zip(lines.chunks_exact(row)) {
                    match self.colours {
                        1 => arch.dispatch(|| sum(colours, start, row)),
                        _ => arch.dispatch(|| pixels(colours, start, row)),
                    }
                }
            },
        );
    }

    /// The group of each coefficient: an eighth of an octave of a colour, from single pixels to waves of 256 pixels and more.
    fn group_of_each(&self) -> Vec<u8> {
        let (height, width) = (self.height, self.width);
        let step = |x: usize, y: usize| {
            let frequency = (x as f64 / width as f64).hypot(y as f64 / height as f64);
            (-f64::from(STEPS) * frequency.log2()).clamp(0.0, f64::from(GROUPS - 1)) as u8
        };
        let light: Vec<u8> = (0..width).flat_map(|x| (0..height).map(move |y| step(x, y))).collect();
        (0..self.colours as u8)
            .flat_map(|colour| light.iter().map(move |step| GROUPS * colour + step))
            .collect()
    }

    /// The place of each group between the scales, one for each octave of each colour.
    fn places(&self) -> Vec<f32> {
        let place = |colour: u8, step: u8| {
            let octave = ((f32::from(step) + 0.5) / f32::from(STEPS)).min(f32::from(OCTAVES - 1));
            f32::from(OCTAVES * colour) + octave
        };
        let colours = 0..self.colours as u8;
        colours.flat_map(|colour| (0..GROUPS).map(move |step| place(colour, step))).collect()
    }
}

/// The three lines of opponent colours, one after another, of a row of pixels.
#[inline(always)]
fn opponent_colours(row: &[f32], colours: &mut [f32]) {
    let (light, rest) = colours.split_at_mut(row.len() / 3);
    let (red_blue, green) = rest.split_at_mut(row.len() / 3);
    let colours = light.iter_mut().zip(red_blue).zip(green);
    for (pixel, ((light, red_blue), green)) in row.as_chunks::<3>().0.iter().zip(colours) {
        let colour =
            |weights: [f32; 3]| weights[0] * pixel[0] + weights[1] * pixel[1] + weights[2] * pixel[2];
        (*light, *red_blue, *green) = (colour(OPPONENT[0]), colour(OPPONENT[1]), colour(OPPONENT[2]));
    }
}

/// A row of pixels: the start, and what the three lines of opponent colours add to it.
#[inline(always)]
fn pixels(colours: &[f32], start: &[f32], row: &mut [f32]) {
    let (light, rest) = colours.split_at(row.len() / 3);
    let (red_blue, green) = rest.split_at(row.len() / 3);
    let colours = light.iter().zip(red_blue).zip(green);
    let pixels = row.as_chunks_mut::<3>().0.iter_mut().zip(start.as_chunks::<3>().0);
    for ((pixel, start), ((light, red_blue), green)) in pixels.zip(colours) {
        for channel in 0..3 {
            pixel[channel] = start[channel]
                + OPPONENT[0][channel] * light
                + OPPONENT[1][channel] * red_blue
                + OPPONENT[2][channel] * green;
        }
    }
}

/// A row of light: the start, and what is added to it.
#[inline(always)]
fn sum(added: &[f32], start: &[f32], row: &mut [f32]) {
    for ((light, start), added) in row.iter_mut().zip(start).zip(added) {
        *light = start + added;
    }
}

/// Lines `first`.. of the other direction, [`LINES`] at most: to[i length + k] := from[k stride + first + i].
fn transpose(from: &[f32], stride: usize, first: usize, to: &mut [f32], length: usize) {
    // By squares, because the lines of `to` lie in one set of the cache when their length is a power of two.
    let mut square = [[0.0; LINES]; LINES];
    let lines = LINES.min(stride - first);
    for (block, from) in from.chunks(LINES * stride).enumerate() {
        for (row, from) in square.iter_mut().zip(from.chunks_exact(stride)) {
            match from[first..].first_chunk() {
                Some(from) => *row = *from,
                None => row[..lines].copy_from_slice(&from[first..]),
            }
        }
        for (i, to) in to.chunks_exact_mut(length).enumerate() {
            for (to, row) in to[block * LINES..].iter_mut().zip(&square) {
                *to = row[i];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::white_noise;
    use proptest::prelude::*;

    fn dot(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    /// The sums above, in f64: 3 x W x H.
    fn reference(p: &[f32], height: usize, width: usize) -> Vec<f64> {
        let wave = |n: usize, k: usize, length: usize| {
            let scale = if k == 0 { 1.0 } else { 2.0 } / length as f64;
            let angle = std::f64::consts::PI / length as f64 * (n as f64 + 0.5) * k as f64;
            scale.sqrt() * angle.cos()
        };
        let coefficient = |colour: usize, kx: usize, ky: usize| -> f64 {
            let pixel = |i: usize| {
                let (y, x) = (i / width, i % width);
                let value: f64 =
                    (0..3).map(|c| f64::from(OPPONENT[colour][c]) * f64::from(p[3 * i + c])).sum();
                value * wave(x, kx, width) * wave(y, ky, height)
            };
            (0..height * width).map(pixel).sum()
        };
        let columns = (0..3).flat_map(|colour| (0..width).map(move |kx| (colour, kx)));
        columns.flat_map(|(colour, kx)| (0..height).map(move |ky| coefficient(colour, kx, ky))).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn it_is_the_cosine_sum_and_its_transpose_is_its_inverse(
            height in 1usize..20, width in 1usize..40, seed in 0u64..1000,
        ) {
            let start = white_noise(height, width, seed).unwrap();
            let spectrum = Spectrum::around(start.clone());
            let picture = white_noise(height, width, seed + 1).unwrap();
            let n = picture.data().len();
            let (mut u, mut between) = (vec![0.0; n], picture.data().to_vec());
            spectrum.analyse(&mut between, &mut u);
            let scale = dot(picture.data(), picture.data()).sqrt();
            for (u, exact) in u.iter().zip(reference(picture.data(), height, width)) {
                prop_assert!((f64::from(*u) - exact).abs() < 1e-6 * scale, "{} against {}", u, exact);
            }
            let mut x = vec![0.0; n];
            spectrum.synthesise(&u, &mut between, &mut x);
            for ((x, start), p) in x.iter().zip(start.data()).zip(picture.data()) {
                prop_assert!((x - start - p).abs() < 2e-3, "{} against {}", x - start, p);
            }
        }

        #[test]
        fn the_transpose_is_adjoint(height in 1usize..40, width in 1usize..40, seed in 0u64..1000) {
            let black = Picture::new(height, width, vec![0.0; 3 * height * width]).unwrap();
            let spectrum = Spectrum::around(black);
            let (p, u) = (white_noise(height, width, seed).unwrap(), white_noise(height, width, seed + 1).unwrap());
            let (mut between, mut x) = (vec![0.0; p.data().len()], vec![0.0; p.data().len()]);
            spectrum.synthesise(u.data(), &mut between, &mut x);
            let mut cp = vec![0.0; x.len()];
            spectrum.analyse(&mut p.data().to_vec(), &mut cp);
            let (left, right) = (dot(&cp, u.data()), dot(p.data(), &x));
            let scale = (dot(p.data(), p.data()) * dot(u.data(), u.data())).sqrt();
            prop_assert!((left - right).abs() < 1e-6 * scale);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// C of (p, p, p) is 3^1/2 times that of p for light, and 0 for the other colours.
        #[test]
        fn waves_of_light_are_those_of_grey_pictures(
            height in 1usize..20, width in 1usize..40, seed in 0u64..1000,
        ) {
            let n = height * width;
            let light: Vec<f32> = white_noise(height, width, seed).unwrap().data()[..n].to_vec();
            let grey: Vec<f32> = light.iter().flat_map(|light| [*light; 3]).collect();
            let spectrum = Spectrum::around_light(height, width, vec![0.0; n]).unwrap();
            let mut u = vec![0.0; n];
            spectrum.analyse(&mut light.clone(), &mut u);
            let scale = dot(&grey, &grey).sqrt();
            for (u, exact) in u.iter().zip(reference(&grey, height, width)) {
                prop_assert!((f64::from(*u) * 3f64.sqrt() - exact).abs() < 2e-6 * scale, "{} against {}", u, exact);
            }
            let (mut between, mut x) = (vec![0.0; n], vec![0.0; n]);
            spectrum.synthesise(&u, &mut between, &mut x);
            for (x, light) in x.iter().zip(&light) {
                prop_assert!((x - light).abs() < 2e-3, "{} against {}", x, light);
            }
            let other = white_noise(height, width, seed + 1).unwrap().data()[..n].to_vec();
            spectrum.synthesise(&other, &mut between, &mut x);
            let (left, right) = (dot(&u, &other), dot(&light, &x));
            prop_assert!((left - right).abs() < 1e-6 * (dot(&light, &light) * dot(&other, &other)).sqrt());
        }
    }

    #[test]
    fn light_has_the_octaves_of_one_colour() {
        let of_light = Spectrum::around_light(9, 14, vec![0.0; 126]).unwrap().groups();
        let of_colours = Spectrum::around(white_noise(9, 14, 0).unwrap()).groups();
        assert_eq!(of_light.of, of_colours.of[..126]);
        assert_eq!(of_light.places, of_colours.places[..57]);
        assert!(Spectrum::around_light(9, 14, vec![0.0; 125]).is_err());
    }

    #[test]
    fn bytes_are_those_of_variables_start_gradient_and_groups() {
        let spectrum = Spectrum::around(white_noise(9, 14, 0).unwrap());
        let (u, start, gradient) = (&spectrum.start, &spectrum.start, &spectrum.pixel_gradient);
        let numbers = [u, start, gradient].map(|numbers| size_of_val(&numbers[..])).iter().sum::<usize>();
        assert_eq!(Spectrum::bytes(9 * 14 * 3), (numbers + spectrum.groups().of.len()) as u64);
    }

    #[test]
    fn a_start_is_kept_to_the_bit_while_nothing_moves() {
        let start = white_noise(7, 11, 3).unwrap();
        let (mut between, mut x) = (vec![1.0; 231], vec![1.0; 231]);
        Spectrum::around(start.clone()).synthesise(&[0.0; 231], &mut between, &mut x);
        assert_eq!(x, start.data());
    }

    #[test]
    fn groups_go_from_single_pixels_to_the_whole_picture() {
        let start = white_noise(512, 16, 0).unwrap();
        let Groups { of: groups, places } = Spectrum::around(start).groups();
        let of = |colour: usize, x: usize, y: usize| {
            let place = places[usize::from(groups[(colour * 16 + x) * 512 + y])];
            (place / 8.0) as usize * 10 + place as usize % 8
        };
        assert_eq!([of(0, 0, 511), of(0, 0, 257), of(0, 0, 256), of(0, 0, 128)], [0, 0, 1, 2]);
        assert_eq!([of(0, 0, 0), of(0, 0, 4), of(0, 0, 5), of(1, 0, 0), of(2, 15, 0)], [7, 7, 6, 17, 20]);
        assert_eq!([of(0, 9, 0), of(0, 8, 0), of(0, 4, 0), of(0, 4, 128), of(0, 4, 200)], [0, 1, 2, 1, 1]);
        assert_eq!(places.len(), 171);
        // No place of a colour is nearer to the next colour's scales than its own last one.
        for (group, place) in places.iter().enumerate() {
            let first = 8.0 * (group / 57) as f32;
            assert!((first..=first + 7.0).contains(place), "{group} at {place}");
            let scale = *place as usize;
            assert_eq!(Spectrum::colour_and_octave(group), (scale / 8, scale % 8));
        }
    }
}
