//! Items of Rust sources, found by their names in text that rustfmt has set: the closing brace of an item stands in the column in which
//! the item begins. So are those within `proptest! { ... }`, which a parser would see as tokens.

use std::ops::Range;

const KEYWORDS: [&str; 11] =
    ["fn", "struct", "enum", "trait", "const", "static", "type", "mod", "impl", "macro_rules!", "union"];

/// The lines (from 0) of every item of this name, with its comments and attributes: `fn name`, `struct Name`, `impl Trait for Name`, or a
/// bare name for an item of any kind. In `Name::name`, the second is sought within the `impl`s and `trait` of the first, or in the
/// whole file if there are none (the first is then a module). Of items of one name at several depths it is the outermost: functions
/// of a module hide methods and what tests define.
pub fn find(source: &str, name: &str) -> Vec<Range<usize>> {
    let lines: Vec<&str> = source.lines().collect();
    let within = 0..lines.len();
    let Some((owner, member)) = name.rsplit_once("::") else { return found(&lines, within, name) };
    let (keyword, owner) = owner.rsplit_once(' ').unwrap_or(("", owner));
    let owner = owner.rsplit("::").next().unwrap_or(owner);
    let member = if keyword.is_empty() { member.to_owned() } else { format!("{keyword} {member}") };
    let owners: Vec<_> =
        within.clone().filter(|&at| owns(lines[at], owner)).map(|at| at..end(&lines, at)).collect();
    if owners.is_empty() {
        return found(&lines, within, &member);
    }
    owners.into_iter().flat_map(|within| found(&lines, within, &member)).collect()
}

/// The line that an item begins with, without its comments and attributes.
pub fn first_line(source: &str, lines: &Range<usize>) -> usize {
    let skipped = source.lines().skip(lines.start).take_while(|line| is_above(line)).count();
    lines.start + skipped
}

fn found(lines: &[&str], within: Range<usize>, name: &str) -> Vec<Range<usize>> {
    let all: Vec<usize> = within.filter(|&at| begins(lines[at], name)).collect();
    let outermost = all.iter().map(|&at| indent(lines[at])).min();
    let outer = all.into_iter().filter(|&at| Some(indent(lines[at])) == outermost);
    outer.map(|at| start(lines, at)..end(lines, at)).collect()
}

/// Whether a line begins the item: its keywords in front, and no more of a word behind it.
fn begins(line: &str, name: &str) -> bool {
    let code = line.trim_start();
    let named = |wanted: &str| {
        code.match_indices(wanted).any(|(at, _)| {
            let before = &code[..at];
            let next = code[at + wanted.len()..].chars().next();
            (before.is_empty() || before.ends_with(' '))
                && before.chars().all(|c| c.is_ascii_lowercase() || " ()\"_".contains(c))
                && !next.is_some_and(is_word)
        })
    };
    if name.contains(' ') {
        return named(name);
    }
    KEYWORDS.iter().filter(|keyword| **keyword != "impl").any(|keyword| named(&format!("{keyword} {name}")))
}

/// Whether a line begins an `impl` for, or the `trait` of, this name.
fn owns(line: &str, owner: &str) -> bool {
    let head = line.trim_start().split(['{', ';']).next().unwrap_or_default();
    let is_trait = begins(line, &format!("trait {owner}"));
    let of = head.strip_prefix("impl").map(|rest| rest.rsplit(" for ").next().unwrap_or(rest));
    is_trait
        || of.is_some_and(|of| {
            of.match_indices(owner)
                .any(|(at, _)| !of[..at].ends_with(is_word) && !of[at + owner.len()..].starts_with(is_word))
        })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_above(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("///") || line.starts_with("#[")
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The first of the comments and attributes above an item.
fn start(lines: &[&str], at: usize) -> usize {
    at - lines[..at].iter().rev().take_while(|line| is_above(line)).count()
}

/// The line behind an item.
fn end(lines: &[&str], at: usize) -> usize {
    let column = indent(lines[at]);
    let closes = |line: &str| {
        let line = line.split("//").next().unwrap_or_default().trim_end();
        line.ends_with(';') || line.ends_with('}')
    };
    if closes(lines[at]) {
        return at + 1;
    }
    let inner = lines[at + 1..].iter().position(|line| {
        indent(line) == column && line.trim_start().starts_with(['}', ')', ']']) && closes(line)
    });
    inner.map_or(lines.len(), |inner| at + 1 + inner + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
//! A file.

/// How many.
pub(crate) const COUNT: [usize; 2] = [
    1, 2,
];

/// Adds.
///
/// Two numbers.
#[inline]
pub fn add(
    a: f64,
    b: f64,
) -> f64 {
    let add_more = |x: f64| {
        x + a
    };
    add_more(b)
}

struct Unit;

impl Default for Unit {
    fn default() -> Self {
        Self
    }
}

impl<T> From<T> for Other<T> {
    fn from(t: T) -> Self { Other(t) }

    fn add(self) {}
}

impl Unit {
    /// Makes.
    fn from(n: usize) -> Self {
        Self
    }
}

proptest! {
    /// It holds.
    #[test]
    fn it_holds(
        a in 0..3,
    ) {
        add(a, a);
    }
}
";

    fn text(name: &str) -> Vec<String> {
        let lines: Vec<_> = SOURCE.lines().collect();
        find(SOURCE, name).into_iter().map(|range| lines[range].join("\n")).collect()
    }

    #[test]
    fn items_have_their_comments_and_all_their_lines() {
        let add = &text("fn add")[..];
        assert_eq!(add.len(), 1);
        assert!(add[0].starts_with("/// Adds.") && add[0].ends_with("add_more(b)\n}"), "{}", add[0]);
        assert_eq!(text("COUNT"), ["/// How many.\npub(crate) const COUNT: [usize; 2] = [\n    1, 2,\n];"]);
        assert_eq!(text("struct Unit"), ["struct Unit;"]);
        assert_eq!(text("impl Default for Unit")[0].lines().count(), 5);
        let test = &text("it_holds")[0];
        assert!(test.trim_start().starts_with("/// It holds.") && test.ends_with("    }"), "{test}");
    }

    #[test]
    fn owners_tell_members_apart() {
        assert_eq!(text("from").len(), 2);
        assert!(text("Unit::from")[0].contains("n: usize"));
        assert!(text("fn Other::from")[0].contains("t: T"));
        assert_eq!(text("module::add"), text("add"));
    }

    #[test]
    fn what_is_missing_is_not_found() {
        assert!(text("ad").is_empty() && text("add_more").is_empty() && text("fn Unit").is_empty());
        assert!(text("Unit::add").is_empty());
    }

    #[test]
    fn comments_are_not_the_first_line() {
        let lines = find(SOURCE, "add").remove(0);
        assert_eq!(SOURCE.lines().nth(first_line(SOURCE, &lines)), Some("pub fn add("));
    }
}
