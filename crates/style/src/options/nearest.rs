//! The name that was meant.

/// The one of `candidates` that is nearest to `name`, if one is near: within a third of its letters, counted as insertions,
/// deletions, replacements and swaps of neighbours (Damerau, 1964).
///
/// ```
/// use impasto_style::nearest;
/// assert_eq!(nearest("conv4_22", ["conv4_1", "conv4_2"]), Some("conv4_2"));
/// assert_eq!(nearest("colour", ["size", "seed"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &&'a str| strsim::osa_distance(name, candidate);
    candidates
        .into_iter()
        .min_by_key(distance)
        .filter(|found| 3 * distance(found) <= name.chars().count().max(3))
}
