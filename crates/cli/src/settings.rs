//! The file of settings: defaults of one's own, in TOML.
//!
//! ```toml
//! size = 1024
//! style-layers = "conv1_1,conv2_1,conv3_1"
//! weights = "vgg19"
//! threads = 2
//! ```
//!
//! Keys are the options of the table, their synonyms, those of [`OTHERS`] and of [`Written::NAMES`]; values are as on the command line.
//! Arguments count more than what a file says of the run (`--scene`, `--resume`), that more than the command's own defaults,
//! those more than settings, and settings more than the preset. The network, and how the picture is written, of a run that a file describes
//! are not looked for in settings. A command heeds what it has an option for.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use etcetera::{BaseStrategy, choose_base_strategy};
use impasto_files::one_line;
use impasto_style::picture::Written;
use impasto_style::{
    Arch, Choices, Init, NUMBERS_OF_PAINTINGS, OPTIONS, OptionsError, did_you_mean, option_name,
};
use impasto_vgg::Convention;
use toml::{Table, Value};

use crate::failure::Failure;
use crate::network::parse_convention;
use crate::place::is_standard;

/// Where settings come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingsArguments {
    /// Take defaults from that file in place of impasto.toml in the user's configuration folder, which is ~/.config or
    /// $XDG_CONFIG_HOME; - is standard input
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// Take defaults from no file
    #[arg(long, global = true, conflicts_with = "config")]
    no_config: bool,
}

/// What a file of settings says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// The file, if there is one.
    pub(crate) path: Option<PathBuf>,
    /// Options of the table.
    pub(crate) choices: Choices,
    pub(crate) weights: Option<PathBuf>,
    pub(crate) preprocess: Option<Convention>,
    /// How pictures are written.
    pub(crate) written: Written,
    pub(crate) no_metadata: bool,
    pub(crate) threads: Option<u16>,
    pub(crate) quiet: bool,
}

/// The keys that are no options of the table.
const OTHERS: [&str; 6] = ["preset", "weights", "preprocess", "no-metadata", "threads", "quiet"];

/// The most bytes of a file of settings.
const MOST_BYTES: u64 = 1 << 20;

impl SettingsArguments {
    /// Whether a file of settings was named.
    pub(crate) const fn are_named(&self) -> bool {
        self.config.is_some()
    }

    /// The settings, if there is a file of them.
    pub(crate) fn read(&self) -> Result<Settings, Failure> {
        let path = match &self.config {
            Some(path) => path.clone(),
            None if self.no_config => return Ok(Settings::default()),
            None => match choose_base_strategy() {
                Ok(user) => user.config_dir().join("impasto.toml"),
                Err(_) => return Ok(Settings::default()),
            },
        };
        match read(&path) {
            Ok(text) => Settings::parse(&path, &text),
            // A file that nobody named, and that is not there for this user.
            Err(error) if self.config.is_none() && is_out_of_reach(&error) => Ok(Settings::default()),
            Err(error) => {
                let problem = format!("cannot read the settings {}: {error}", path.display());
                let advice = if self.config.is_none() { "; --no-config goes without" } else { "" };
                Err(Failure::failed(problem + advice))
            }
        }
    }
}

fn is_out_of_reach(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | NotADirectory | PermissionDenied)
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut input: Box<dyn Read> =
        if is_standard(path) { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    input.by_ref().take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it has more than a mebibyte, which no settings take"));
    }
    Ok(text)
}

impl Settings {
    /// The settings of a text.
    fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        let wrong = |problem: String| Failure::failed(one_line(format!("{}: {problem}", path.display())));
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.get(..before).unwrap_or(text).matches('\n').count() + 1;
            wrong(format!("line {line}: {}", error.message()))
        })?;
        let mut settings = Self { path: Some(path.into()), ..Self::default() };
        for (name, value) in &table {
            settings.set(name, value).map_err(&wrong)?;
        }
        // Checked here, where the file can be named.
        let checked = Choices::default().or(&settings.choices).options();
        let checked = checked.and_then(|options| options.check_smallest());
        checked.map_err(|error| wrong(Failure::from(error).to_string()))?;
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Array(numbers) if NUMBERS_OF_PAINTINGS.contains(&option_name(name)) => {
                let number = |value: &Value| match value {
                    Value::Integer(number) => Ok(number.to_string()),
                    Value::Float(number) => Ok(number.to_string()),
                    _ => Err(format!("{name} must be a text or numbers, as on the command line")),
                };
                numbers.iter().map(number).collect::<Result<Vec<_>, _>>()?.join(",")
            }
            Value::Boolean(value) if name == "quiet" => {
                self.quiet = *value;
                return Ok(());
            }
            Value::Boolean(value) if name == "no-metadata" => {
                self.no_metadata = *value;
                return Ok(());
            }
            _ => return Err(format!("{name} must be a text or a number, as on the command line")),
        };
        let number = |range: &str| format!("{name} must be {range}, not {text}");
        match name {
            "weights" => self.weights = Some(self.placed(&text, Arch::from_name(&text).is_some())),
            "preprocess" => self.preprocess = Some(parse_convention(&text)?),
            name if Written::NAMES.contains(&name) => {
                self.written.set(name, &text).map_err(|error| error.to_string())?;
            }
            "threads" => {
                let threads = text.parse().ok().filter(|&threads| threads > 0);
                self.threads = Some(threads.ok_or_else(|| number("1 or more"))?);
            }
            "quiet" | "no-metadata" => return Err(format!("{name} must be true or false")),
            _ => return self.choose(name, &text),
        }
        Ok(())
    }

    fn choose(&mut self, name: &str, text: &str) -> Result<(), String> {
        let text = match Init::named(text) {
            Init::File(path) if name == "init" && !["", "-"].contains(&text) => {
                self.placed(&path.to_string_lossy(), false).to_string_lossy().into_owned()
            }
            _ => text.to_owned(),
        };
        self.choices.set(name, &text).map_err(|error| match error {
            OptionsError::Unknown { name } => {
                let known = OPTIONS.iter().map(|row| row.name).chain(OTHERS).chain(Written::NAMES);
                format!("there is no setting {name}{}", did_you_mean(&name, known))
            }
            error => Failure::from(error).to_string(),
        })
    }

    /// A path; one that is relative, from the folder of the settings. A `name` is no path.
    fn placed(&self, text: &str, name: bool) -> PathBuf {
        let folder = self.path.as_deref().and_then(Path::parent).filter(|_| !name);
        folder.map_or_else(|| text.into(), |folder| folder.join(text))
    }

    /// What a command heeds that has those options; of a run that is `described` by a file, neither the network nor
    /// how pictures are written.
    pub(crate) fn heeded(mut self, offers: impl Fn(&str) -> bool, described: bool) -> Self {
        let counts = |name: &str| offers(name) && !described;
        self.weights = self.weights.filter(|_| counts("weights"));
        self.preprocess = self.preprocess.filter(|_| counts("preprocess"));
        self.written = if counts("quality") { self.written } else { Written::default() };
        self.threads = self.threads.filter(|_| offers("threads"));
        self.no_metadata &= offers("no-metadata");
        self.quiet &= offers("quiet");
        self.choices = self.choices.only(|name| offers(option_name(name)));
        self
    }

    /// What is said of settings that count; nothing if there are none.
    pub(crate) fn said(&self) -> Option<String> {
        let others = [
            ("weights", self.weights.is_some()),
            ("preprocess", self.preprocess.is_some()),
            ("no-metadata", self.no_metadata),
            ("threads", self.threads.is_some()),
        ];
        let others = others.into_iter().filter(|(_, counts)| *counts).map(|(name, _)| name);
        let written = self.written.said().map(|(name, _)| name);
        let names: Vec<&str> = self.choices.names().chain(others).chain(written).collect();
        let path = self.path.as_ref().filter(|_| !names.is_empty())?;
        Some(format!("Defaults are those of {}: {}", path.display(), names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use impasto_style::Each;

    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        Settings::parse(Path::new("/folder/impasto.toml"), text).map_err(|failure| failure.to_string())
    }

    #[test]
    fn settings_are_options_and_a_few_others() {
        let text = "size = 300\npooling = 'avg'\ncontent-weight = 1e-3\nstyle-layers = 'conv1_1'\npreset = 'paper'\n\
                    init = 'start.png'\nweights = 'vgg19'\nquality = 80\nthreads = 2\nquiet = true\n\
                    no-metadata = true";
        let settings = parse(text).unwrap();
        let options = settings.choices.options().unwrap();
        assert_eq!(
            (options.size, options.iterations, options.content_weight),
            (300.into(), 500.into(), 1e-3)
        );
        assert_eq!(options.init, Init::File("/folder/start.png".into()));
        assert_eq!(settings.weights.as_deref(), Some(Path::new("vgg19")));
        assert_eq!((settings.written.quality, settings.threads, settings.quiet), (Some(80), Some(2), true));
        assert!(settings.no_metadata && !parse("no-metadata = false").unwrap().no_metadata);
        assert!(settings.said().unwrap().contains("/folder/impasto.toml"));
    }

    #[test]
    fn a_number_for_each_painting_may_be_a_list() {
        let options = parse("blend = [3, 0.5]\nstyle-scale = [1, 0.25]").unwrap().choices.options().unwrap();
        assert_eq!((options.blend, options.style_scale), (vec![3.0, 0.5], Each::new([1.0, 0.25]).unwrap()));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_file() {
        for (text, problem) in [
            ("sizee = 3", "there is no setting sizee; did you mean size?"),
            ("threds = 3", "there is no setting threds; did you mean threads?"),
            ("brightness = 1", "there is no setting brightness"),
            ("size = 0", "--size must be from 1 to 10000"),
            ("size = [1, 2]", "size must be a text or a number"),
            ("[size]", "size must be a text or a number"),
            ("blend = ['a']", "blend must be a text or numbers"),
            ("quality = 200", "quality must be from 1 to 100, not 200"),
            ("depth = 12", "depth must be 8 or 16, not 12"),
            ("profile = 'p3'", "profile must be srgb, keep or none, not p3"),
            ("dpi = 0", "dpi must be from 1 to 65535, not 0"),
            ("dithr = 'none'", "did you mean dither?"),
            ("threads = 0", "threads must be 1 or more"),
            ("quiet = 'yes'", "quiet must be true or false"),
            ("no-metadata = 1", "no-metadata must be true or false"),
            ("preset = 'papr'", "did you mean paper?"),
            ("preprocess = 'x'", "it is one of"),
            ("size = 1\nsize = 2", "line 2: "),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.starts_with("/folder/impasto.toml: "), "{message}");
            assert!(message.contains(problem), "{text:?}: {message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }

    #[test]
    fn a_command_heeds_what_it_has_an_option_for() {
        let settings = parse("size = 300\niterations = 7\nquality = 80\nweights = 'vgg19'").unwrap();
        let offers = |name: &str| ["size", "quality", "weights"].contains(&name);
        let heeded = settings.clone().heeded(offers, false);
        assert!(heeded.choices.has("size") && !heeded.choices.has("iterations"));
        assert_eq!((heeded.written.quality, heeded.weights.is_some()), (Some(80), true));
        let described = settings.clone().heeded(offers, true);
        assert_eq!((described.written, described.weights), (Written::default(), None));
        assert_eq!(settings.heeded(|_| false, false).said(), None);
    }
}
