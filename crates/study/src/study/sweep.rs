//! Every combination of some options' values as a study.

use impasto_style::{Choices, OptionsError, TransferOptions};

use super::{Cell, Study};

/// An option and its values, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vary {
    /// The option's name, or `preset`.
    pub option: String,
    /// The values, as the option reads them.
    pub values: Vec<String>,
}

/// One value of each varied option.
type Choice<'a> = Vec<(&'a str, &'a str)>;

/// All combinations of `rows` and `columns` put into `base`: the values of `columns` make the columns, all combinations of
/// the others the rows.
///
/// # Errors
/// [`OptionsError`] if there is no such option, or it cannot have such a value.
pub fn sweep(base: &Choices, rows: &[Vary], columns: &Vary) -> Result<Study, OptionsError> {
    let row_choices = combinations(rows);
    let column_choices = combinations(std::slice::from_ref(columns));
    let mut cells = Vec::new();
    for row in &row_choices {
        for column in &column_choices {
            let choice = [row.as_slice(), column].concat();
            let mut choices = base.clone();
            for (option, value) in &choice {
                choices.set(option, value)?;
            }
            let options = choices.options()?;
            cells.push(Cell { name: free_name(&file_stem(&choice), &options, &cells), options });
        }
    }
    let labels = |choices: &[Choice<'_>]| choices.iter().map(|choice| label(choice)).collect();
    Ok(Study { rows: labels(&row_choices), columns: labels(&column_choices), cells })
}

/// Every way to choose one value of each.
fn combinations(varies: &[Vary]) -> Vec<Choice<'_>> {
    varies.iter().fold(vec![Vec::new()], |choices, vary| {
        let extended = choices.iter().flat_map(|choice| {
            vary.values.iter().map(move |value| {
                let mut choice = choice.clone();
                choice.push((vary.option.as_str(), value.as_str()));
                choice
            })
        });
        extended.collect()
    })
}

/// `pool average, seed 1`.
fn label(choice: &[(&str, &str)]) -> String {
    choice.iter().map(|(option, value)| format!("{option} {value}")).collect::<Vec<_>>().join(", ")
}

/// `pool-average_seed-1`, with nothing in it that a file name may not have.
fn file_stem(choice: &[(&str, &str)]) -> String {
    let parts: Vec<String> = choice.iter().map(|(option, value)| format!("{option}-{value}")).collect();
    let safe = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    parts.join("_").chars().map(safe).collect()
}

/// The most bytes of a stem that may still grow: file names have 255, and an ending.
const LONGEST_STEM: usize = 240;

/// The stem, or if a cell of other options has it in whatever case, as some systems do not tell cases apart, the stem with the first number from 2 on that makes it another one. A stem
/// that is too long for a file name is cut.
fn free_name(stem: &str, options: &TransferOptions, cells: &[Cell]) -> String {
    let ends = stem.char_indices().map(|(start, letter)| start + letter.len_utf8());
    let short = &stem[..ends.take_while(|&end| end <= LONGEST_STEM).last().unwrap_or(0)];
    let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    let taken = |name: &str| cells.iter().any(|cell| same(&cell.name, name) && cell.options != *options);
    let stem = if stem.len() > 250 { short } else { stem };
    let mut names = (2..).map(|number| format!("{short}-{number}"));
    if taken(stem) { names.find(|name| !taken(name)).unwrap_or_default() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use impasto_style::{Init, Pooling, Size};

    use super::*;

    fn vary(option: &str, values: &[&str]) -> Vary {
        Vary { option: option.to_owned(), values: values.iter().map(|&value| value.to_owned()).collect() }
    }

    fn choices(chosen: &[(&str, &str)]) -> Choices {
        let mut choices = Choices::default();
        for (name, value) in chosen {
            choices.set(name, value).unwrap();
        }
        choices
    }

    #[test]
    fn all_combinations_are_cells_with_their_own_options() {
        let base = choices(&[("size", "99")]);
        let study =
            sweep(&base, &[vary("pool", &["average", "max"])], &vary("seed", &["1", "2", "3"])).unwrap();
        assert_eq!((study.rows.len(), study.columns.len(), study.cells.len()), (2, 3, 6));
        assert_eq!(study.cells[4].name, "pool-max_seed-2");
        assert_eq!(study.cells[4].options.seed, 2);
        assert_eq!(study.cells[4].options.pooling, Pooling::Max);
        assert!(study.cells.iter().all(|cell| cell.options.size == Size::Longest(99)));
    }

    #[test]
    fn a_preset_that_was_chosen_stays_and_can_be_varied() {
        let paper = choices(&[("preset", "paper"), ("iterations", "7")]);
        let study = sweep(&paper, &[], &vary("seed", &["1"])).unwrap();
        assert_eq!(study.cells[0].options.init, Init::Noise);
        let study = sweep(&paper, &[], &vary("preset", &["paper", "default"])).unwrap();
        assert_eq!(study.cells[1].options.init, Init::Content);
        assert_eq!(study.cells[1].options.iterations, 7.into(), "what was chosen counts in every preset");
    }

    #[test]
    fn a_method_can_be_varied_with_what_it_alone_has() {
        let study =
            sweep(&Choices::default(), &[vary("learning-rate", &["1", "2"])], &vary("optimizer", &["adam"]));
        assert_eq!(study.unwrap().cells.len(), 2);
    }

    #[test]
    fn unknown_options_and_values_are_refused() {
        for (option, value) in [("colour", "red"), ("seed", "many"), ("preset", "none")] {
            let error = sweep(&Choices::default(), &[], &vary(option, &[value])).unwrap_err();
            assert!(error.to_string().contains(option), "{error}");
        }
    }

    #[test]
    fn no_two_pictures_have_one_name_and_no_name_is_too_long() {
        let names = |study: Study| study.cells.into_iter().map(|cell| cell.name).collect::<Vec<_>>();
        let values = ["a_b.png", "a b.png", "a?b.png", "other.png", "a b.png"];
        let study = sweep(&Choices::default(), &[], &vary("init", &values)).unwrap();
        let expected =
            ["init-a_b.png", "init-a_b.png-2", "init-a_b.png-3", "init-other.png", "init-a_b.png-2"];
        assert_eq!(names(study), expected, "the same options are the same picture");

        let study = sweep(&Choices::default(), &[], &vary("init", &["A.png", "a.png", "É.png", "é.png"]));
        let expected = ["init-A.png", "init-a.png-2", "init-É.png", "init-é.png-2"];
        assert_eq!(names(study.unwrap()), expected, "not every system tells cases apart");

        let long = |end: &str| format!("{}{end}", "é".repeat(200));
        let values = [long("1"), long("2")];
        let names = names(
            sweep(&Choices::default(), &[], &vary("init", &values.each_ref().map(String::as_str))).unwrap(),
        );
        assert!(names[0] != names[1] && names.iter().all(|name| name.len() <= 250), "{names:?}");
    }
}
