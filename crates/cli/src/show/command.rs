//! The command that paints a picture again, from what the picture says of itself.

use std::borrow::Cow;
use std::path::Path;

use impasto_files::quoted;
use impasto_style::picture::{Encoding, Written};
use impasto_style::{Init, Input, OPTIONS, Preset, Provenance, Role, TransferOptions};

use super::inputs::Found;
use crate::place::is_standard;

/// The command as one line for a shell: its picture goes beside the one at `path`, under another name. Settings are left out of it.
///
/// # Errors
/// What of the record this program does not know.
pub(super) fn command(
    said: &Provenance,
    options: &TransferOptions,
    found: &[Found],
    path: &Path,
) -> Result<String, String> {
    let inputs = Inputs::new(said, found);
    let mut words = vec!["impasto transfer".to_owned()];
    words.extend(inputs.of(Role::Content));
    words.extend(inputs.of(Role::Style));
    for (option, role) in [("--mask", Role::Mask), ("--style-mask", Role::StyleMask)] {
        let masks: Vec<String> = inputs.of(role).collect();
        if !masks.is_empty() {
            words.push(format!("{option} {}", masks.join(",")));
        }
    }
    for (option, role) in
        [("--keep", Role::Keep), ("--content-mask", Role::ContentMask), ("--regions", Role::RegionsPhoto)]
    {
        words.extend(inputs.of(role).map(|word| format!("{option} {word}")));
    }
    words.extend(inputs.of(Role::RegionsPainting));
    words.extend(inputs.of(Role::Weights).map(|word| format!("--weights {word}")));
    let network = said.record.inputs_of(Role::Weights).find_map(|input| input.preprocess.as_ref());
    words.extend(network.map(|name| format!("--preprocess {}", quoted(Path::new(name)))));
    words.extend(options_on_a_preset(options, inputs.of(Role::Init).next().as_ref()));
    for (name, value) in &said.output {
        if !Written::NAMES.contains(&&**name) {
            return Err(format!("the record has an option {name}, which this program does not know"));
        }
        words.push(format!("--{name} {}", quoted(Path::new(&value.to_string()))));
    }
    words.push(format!("--no-config -o {}", again(path)));
    Ok(words.join(" "))
}

/// The inputs as words of a command.
struct Inputs {
    words: Vec<(Role, String)>,
}

impl Inputs {
    fn new(said: &Provenance, found: &[Found]) -> Self {
        let mut standard_input = true;
        let inputs = said.record.inputs.iter().zip(found);
        let words = inputs.filter_map(|(input, found)| {
            let word = match (found, &input.path) {
                (Found::Same(Some(path)), _) => quoted(&told_from_names(input.role, path)),
                (_, Some(path)) if is_standard(Path::new(path)) => path.clone(),
                (_, Some(path)) => quoted(&told_from_names(input.role, Path::new(path))),
                (_, None) => nameless(input, &mut standard_input)?,
            };
            Some((input.role, word))
        });
        Self { words: words.collect() }
    }

    fn of(&self, role: Role) -> impl Iterator<Item = String> {
        self.words.iter().filter(move |(known, _)| *known == role).map(|(_, word)| word.clone())
    }
}

/// The path of a file that is not taken for a name of `--init`.
fn told_from_names(role: Role, path: &Path) -> Cow<'_, Path> {
    let is_name = role == Role::Init && !matches!(Init::named(&path.to_string_lossy()), Init::File(_));
    if is_name { Path::new(".").join(path).into() } else { path.into() }
}

/// The word for an input that came from a pipe: standard input for the first one, where `-` means that, else what it is. The
/// built-in network needs none.
fn nameless(input: &Input, standard_input: &mut bool) -> Option<String> {
    let dash_means_it = !matches!(input.role, Role::Mask | Role::StyleMask);
    if input.role == Role::Weights {
        return None;
    }
    if dash_means_it && std::mem::take(standard_input) {
        return Some("-".to_owned());
    }
    Role::ALL.iter().find(|(role, _)| *role == input.role).map(|(_, name)| (*name).to_owned())
}

/// The options on top of the preset that is nearest to them; `start` is the word for a start that is a file.
fn options_on_a_preset(options: &TransferOptions, start: Option<&String>) -> Vec<String> {
    let differing = |preset: Preset| -> Vec<(&str, String)> {
        let of_preset = preset.options();
        let rows =
            OPTIONS.iter().filter(|row| row.decides_pixels() && row.get(options) != row.get(&of_preset));
        rows.filter_map(|row| Some((row.name, row.get(options)?))).collect()
    };
    let presets = Preset::ALL.into_iter().map(|(preset, name)| (preset, name, differing(preset)));
    let Some((preset, name, values)) = presets.min_by_key(|(_, _, values)| values.len()) else {
        return Vec::new();
    };
    let preset = (preset != Preset::default()).then(|| format!("--preset {name}"));
    let word = |(name, value): (&str, String)| {
        let start = start.filter(|_| name == "init").cloned();
        format!("--{name} {}", start.unwrap_or_else(|| quoted(Path::new(&value))))
    };
    preset.into_iter().chain(values.into_iter().map(word)).collect()
}

/// A name beside a picture's for another one of the same kind.
fn again(path: &Path) -> String {
    if is_standard(path) {
        return "again.png".to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push("-again.");
    match path.extension().filter(|_| Encoding::from_path(path, 1).is_ok()) {
        Some(extension) => name.push(extension),
        None => name.push("png"),
    }
    quoted(&path.with_file_name(name))
}
