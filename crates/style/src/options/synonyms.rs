//! Other names of options and values, which people know from other programs, or spell otherwise.

/// Another name of an option, and the name in [`OPTIONS`](super::OPTIONS) that it stands for, wherever options are named.
pub const SYNONYMS: [(&str, &str); 4] =
    [("colors", "colours"), ("image-size", "size"), ("optimiser", "optimizer"), ("pooling", "pool")];

/// Another name of a value, and the one that it stands for.
pub const VALUE_SYNONYMS: [(&str, &str); 1] = [("avg", "average")];

/// The name that the table has for an option: of a synonym that, of any other name itself.
///
/// ```
/// use impasto_style::option_name;
/// assert_eq!(option_name("pooling"), "pool");
/// assert_eq!(option_name("size"), "size");
/// ```
pub fn option_name(name: &str) -> &str {
    meant(&SYNONYMS, name)
}

/// The name that the tables have for a value.
pub(super) fn value_name(name: &str) -> &str {
    meant(&VALUE_SYNONYMS, name)
}

fn meant<'a>(synonyms: &[(&str, &'static str)], name: &'a str) -> &'a str {
    synonyms.iter().find(|(other, _)| *other == name).map_or(name, |(_, name)| name)
}
