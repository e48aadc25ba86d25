//! The name that somebody meant.

use strsim::damerau_levenshtein;

/// The candidate that a misspelt name most likely stands for: the nearest by the Damerau-Levenshtein distance (letters put
/// in, left out, changed, or two neighbours swapped), upper and lower case being the same. None if even that one is further
/// than a third of the name's letters, rounded up, or than 3. Of equally near ones the first.
///
/// ```
/// use impasto_style::nearest;
/// assert_eq!(nearest("conv4_22", ["conv4_1", "conv4_2"]), Some("conv4_2"));
/// assert_eq!(nearest("apples", ["conv4_1", "conv4_2"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let most = name.chars().count().div_ceil(3).min(3);
    let distance = |candidate: &str| damerau_levenshtein(&name, &candidate.to_lowercase());
    let near = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    near.filter(|&(distance, _)| distance <= most).min_by_key(|&(distance, _)| distance).map(|(_, name)| name)
}

/// The end of a sentence that tells of an unknown name: `; did you mean conv4_2?`, or nothing if none is near.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::OPTIONS;

    fn names() -> impl Iterator<Item = &'static str> {
        OPTIONS.iter().map(|row| row.name)
    }

    #[test]
    fn what_fingers_do_is_understood() {
        for (name, meant) in [
            ("sizee", "size"),
            ("iteratoins", "iterations"),
            ("style_weight", "style-weight"),
            ("Style-Weight", "style-weight"),
            ("stle-wieght", "style-weight"),
            ("optimzer", "optimizer"),
        ] {
            assert_eq!(nearest(name, names()), Some(meant), "{name}");
        }
    }

    #[test]
    fn what_is_far_from_all_is_nothing() {
        for name in ["", "x", "photo.png", "brightness"] {
            assert_eq!(nearest(name, names()), None, "{name}");
        }
        assert_eq!(did_you_mean("photo.png", names()), "");
    }

    proptest! {
        #[test]
        fn every_name_is_nearest_to_itself_and_to_itself_with_a_letter_too_many(
            at in 0..OPTIONS.len(), place in 0_usize..20, letter in "[a-z]",
        ) {
            let name = OPTIONS[at].name;
            prop_assert_eq!(nearest(name, names()), Some(name));
            let mut more = name.to_owned();
            more.insert_str(place.min(name.len()), &letter);
            let found = nearest(&more, names()).unwrap();
            prop_assert!(damerau_levenshtein(&more, found) <= 1);
        }
    }
}
