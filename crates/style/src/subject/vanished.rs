//! What has no position at a layer.

use std::fmt;

/// Something that a mask limits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Masked {
    /// The content of the photo.
    Content,
    /// A region, by its name.
    Region(String),
    /// The part of a painting that is taken, by the painting's number from 0 on.
    Painting(usize),
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content => f.write_str("the content"),
            Self::Region(name) => f.write_str(name),
            Self::Painting(number) => write!(f, "the part of painting {}", number + 1),
        }
    }
}

/// A mask that leaves no position of a layer's response: what it limits drops out there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vanished {
    /// What drops out.
    pub what: Masked,
    /// The layer.
    pub layer: String,
    /// (H, W) of the result, at the scale where it does.
    pub size: (usize, usize),
}

impl Vanished {
    /// What vanished, as a sentence for each thing that did, with its layers at each size.
    pub fn sentences(all: &[Self]) -> Vec<String> {
        let mut things: Vec<&Masked> = Vec::new();
        let mut places: Vec<(&Masked, (usize, usize))> = Vec::new();
        for Self { what, size, .. } in all {
            if !things.contains(&what) {
                things.push(what);
            }
            if !places.contains(&(what, *size)) {
                places.push((what, *size));
            }
        }
        let layers = |(what, size): (&Masked, (usize, usize))| {
            let own = all.iter().filter(|vanished| vanished.what == *what && vanished.size == size);
            let layers: Vec<&str> = own.map(|vanished| &*vanished.layer).collect();
            format!("at {} of {} x {} pixels", layers.join(", "), size.1, size.0)
        };
        let sentence = |what: &Masked| {
            let own = places.iter().filter(|(other, _)| *other == what).map(|&place| layers(place));
            let own: Vec<String> = own.collect();
            format!("{what} drops out where it has no position: {}", own.join(", "))
        };
        things.into_iter().map(sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_vanished_has_one_sentence() {
        let sky = || Masked::Region("sky".to_owned());
        let vanished = |what, layer: &str, size| Vanished { what, layer: layer.to_owned(), size };
        let all = [
            vanished(sky(), "conv4_1", (85, 128)),
            vanished(Masked::Painting(1), "conv5_1", (85, 128)),
            vanished(sky(), "conv5_1", (85, 128)),
            vanished(sky(), "conv5_1", (170, 256)),
        ];
        let expected = [
            "sky drops out where it has no position: at conv4_1, conv5_1 of 128 x 85 pixels, at conv5_1 of 256 x 170 pixels",
            "the part of painting 2 drops out where it has no position: at conv5_1 of 128 x 85 pixels",
        ];
        assert_eq!(Vanished::sentences(&all), expected);
    }
}
