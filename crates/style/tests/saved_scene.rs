//! Saved scenes: what is printed is read back as the same, and what is not understood is refused with its line.

use std::path::Path;

use impasto_style::{Choices, Init, Input, OPTIONS, Preset, Record, Role};
use proptest::prelude::*;

fn read(text: &str) -> Result<Record, String> {
    let scene = Record::scene_from(text.as_bytes(), Path::new("scene.toml"), Path::new("folder"));
    scene.map_err(|error| error.to_string())
}

#[test]
fn a_scene_may_say_as_little_as_it_likes() {
    let scene = read("").unwrap();
    assert_eq!(scene.transfer_options().unwrap(), Preset::Default.options());
    let scene = read("[options]\nsize = 300\npreset = \"paper\"\ncontent-weight = 1e-4\n").unwrap();
    let options = scene.transfer_options().unwrap();
    assert_eq!(options.content_weight, 1e-4);
    assert_eq!(options.iterations, Preset::Paper.options().iterations);
}

/// As every record of before there was an option.
#[test]
fn what_a_whole_record_leaves_out_asks_for_nothing() {
    let record = Record::new(&Preset::V011.options(), Vec::new());
    assert!(!record.options.contains_key("border") && !record.options.contains_key("style-loss"));
    assert_eq!(record.choices().unwrap().options().unwrap(), Preset::V011.options());
}

#[test]
fn choices_above_a_scene_leave_it_what_still_applies() {
    let scene =
        read("[options]\noptimiser = \"lbfgs\"\nhistory = 7\nsize = 99\n").unwrap().choices().unwrap();
    let mut given = Choices::default();
    assert_eq!(given.clone().or(&scene).options().unwrap().optimiser.history(), Some(Some(7)));
    given.set("optimizer", "adam").unwrap();
    let options = given.clone().or(&scene).options().unwrap();
    assert_eq!((options.optimiser.name(), options.size), ("adam", impasto_style::Size::Longest(99)));
    given.set("history", "3").unwrap();
    assert!(given.or(&scene).options().is_err(), "what is given itself must have a meaning");
}

#[test]
fn a_number_for_each_painting_may_be_a_list() {
    let lists = read("[options]\nblend = [3, 0.5]\nstyle-scale = [1, 0.25]\n").unwrap();
    let texts = read("[options]\nblend = \"3,0.5\"\nstyle-scale = \"1,0.25\"\n").unwrap();
    assert_eq!(lists.options, texts.options);
    assert_eq!(lists.transfer_options().unwrap().blend, [3.0, 0.5]);
    let wrong = read("[options]\nblend = []\n").unwrap();
    assert!(wrong.transfer_options().unwrap_err().to_string().starts_with("`blend` must be"));
}

#[test]
fn relative_paths_are_from_the_folder_of_the_scene() {
    let text = "[options]\ninit = \"start.png\"\n\
                [[inputs]]\nrole = \"content\"\npath = \"a b.png\"\n\
                [[inputs]]\nrole = \"style\"\npath = \"/ö/\\\"b\\\".png\"\n\
                [[inputs]]\nrole = \"mask\"\npath = \"-\"\n\
                [[inputs]]\nrole = \"weights\"\npath = \"vgg19\"\n";
    let scene = read(text).unwrap();
    let paths: Vec<&str> = scene.inputs.iter().map(|input| input.path.as_deref().unwrap()).collect();
    assert_eq!(paths, ["folder/a b.png", "/ö/\"b\".png", "-", "vgg19"]);
    assert_eq!(scene.options["init"].to_string(), "folder/start.png");
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_not_unicode_is_not_renamed() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = Path::new(std::ffi::OsStr::from_bytes(b"a\xff"));
    let read = |text: &str| Record::scene_from(text.as_bytes(), Path::new("scene.toml"), folder);
    let relative = read("[[inputs]]\nrole = \"content\"\npath = \"a.png\"\n").unwrap_err();
    assert!(relative.to_string().contains("is not Unicode"), "{relative}");
    let absolute = read("[[inputs]]\nrole = \"content\"\npath = \"/a.png\"\n").unwrap();
    assert_eq!(absolute.inputs[0].path.as_deref(), Some("/a.png"));
}

#[test]
fn what_is_not_understood_is_refused_with_its_line_and_the_nearest_name() {
    for (text, message) in [
        ("[options]\n\nsise = 300\n", "scene.toml, line 3: there is no option \"sise\": did you mean size?"),
        ("[options]\nmemory-limit = \"4G\"\n", "line 2: there is no option \"memory-limit\""),
        ("[option]\n", "line 1: there is no key \"option\": did you mean options?"),
        (
            "[[inputs]]\nrole = \"styl\"\npath = \"a\"\n",
            "line 2: there is no role \"styl\": did you mean style?",
        ),
        ("[[inputs]]\nrole = \"init\"\npath = \"a\"\n", "line 2: there is no role \"init\""),
        ("[[inputs]]\nrole = \"style\"\nfile = \"a\"\n", "line 3: there is no key \"file\""),
        ("[options]\nsize = [1]\n", "line 2: the value of size must be a number, or a text"),
        ("[options]\nblend = [1, \"a\"]\n", "line 2: the value of blend must be a number"),
        ("[options]\nblend = [[1]]\n", "line 2: the value of blend must be a number"),
        ("[options]\ncontent-weight = inf\n", "line 2: the value of content-weight must be a number"),
        ("[options]\nsize = \n", "line 2: "),
        ("[[inputs]]\npath = \"a\"\n", "missing field `role`"),
        ("[[inputs]]\nrole = \"style\"\n", "line 1: an input has no path"),
        (
            "[[inputs]]\nrole = \"keep\"\npath = \"a\"\n[[inputs]]\nrole = \"keep\"\npath = \"b\"\n",
            "line 5: there is another input with the role keep",
        ),
        ("[options]\npooling = \"max\"\npool = \"average\"\n", "line 2: pooling is pool, which is there too"),
        ("[[inputs]]\nrole = \"style\"\npath = 3\n", "line 3: "),
        ("inputs = 3\n", "line 1: "),
        ("options = 3\n", "line 1: "),
        ("version = 2\n", "scene.toml: the record has version 2"),
        ("pictures = 3\nversion = 2\n", "scene.toml: the record has version 2"),
        ("version = 99999999999999999999\n", "scene.toml: the record has version 9999"),
        (
            "[[inputs]]\nrole = \"regions-photo\"\npath = \"a\"\n",
            "line 1: there is an input with the role regions-photo, and none with regions-painting",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(message) && !error.contains('\n'), "{text:?}: {error}");
    }
    let long = read(&format!("{} = 3\n", "k".repeat(900_000))).unwrap_err();
    assert!(long.len() < 300, "{}", long.len());
    assert!(read(&"#".repeat(2 << 20)).unwrap_err().contains("too long"));
    assert!(Record::read_scene(Path::new("none")).unwrap_err().to_string().starts_with("cannot read none"));
}

/// Texts that options are known to take; each row takes some of them.
const TEXTS: [&str; 24] = [
    "0",
    "1",
    "2",
    "7",
    "300",
    "0.5",
    "1e-5",
    "0.00001",
    "18446744073709551615",
    "auto",
    "none",
    "content",
    "noise",
    "a \"b\"\\ö.png",
    "conv1_1",
    "conv4_2:1,conv1_1:0.25",
    "average",
    "max",
    "paper",
    "balanced",
    "adam",
    "lbfgs",
    "exact",
    "0.30000000000000004",
];

fn choices() -> impl Strategy<Value = Choices> {
    let values = prop::collection::vec((0..OPTIONS.len(), 0..TEXTS.len()), 0..40);
    (values, 0..Preset::ALL.len()).prop_map(|(values, preset)| {
        let mut choices = Choices::default();
        choices.set("preset", Preset::ALL[preset].1).unwrap();
        for (row, text) in values {
            let mut one = choices.clone();
            one.set(OPTIONS[row].name, TEXTS[text]).unwrap();
            if one.options().is_ok() {
                choices = one;
            }
        }
        choices
    })
}

proptest! {
    /// Whatever was chosen, and whatever the files are called.
    #[test]
    fn what_is_printed_is_read_back_as_the_same(
        choices in choices(), names in prop::collection::vec("[^\\x00/]{1,9}", 1..5), preprocess in any::<bool>(),
    ) {
        let mut options = choices.options().unwrap().with_memory_limit(None);
        if let Init::File(start) = &mut options.init {
            *start = Path::new("/").join(&*start);
        }
        let roles = [Role::Content, Role::Style, Role::Mask, Role::Weights];
        let path = |name: &String| format!("/{name}");
        let input = |(name, role)| Input::unread(role, Some(Path::new(&path(name))));
        let mut inputs: Vec<Input> = names.iter().zip(roles).map(input).collect();
        inputs[0].preprocess = preprocess.then(|| "torch".to_owned());
        let record = Record::new(&options, inputs);
        let text = record.to_scene().unwrap();
        let again = read(&text).unwrap();
        prop_assert_eq!(&again, &record);
        prop_assert_eq!(again.to_scene().unwrap(), text);
        prop_assert_eq!(again.transfer_options().unwrap(), options);
    }
    /// Files come from strangers.
    #[test]
    fn any_text_is_a_scene_or_is_refused_in_one_line(
        lines in prop::collection::vec(
            prop_oneof![
                Just("[options]".to_owned()),
                Just("[[inputs]]".to_owned()),
                Just("role = \"style\"".to_owned()),
                Just("path = \"a\"".to_owned()),
                "[a-z]{1,4} = [-0-9a-z\"\\[{.]{1,9}",
                "\\PC{0,12}",
            ],
            0..9,
        ),
    ) {
        if let Err(message) = read(&lines.join("\n")) {
            prop_assert!(message.starts_with("scene.toml"), "{}", message);
            prop_assert!(!message.contains('\n'), "{}", message);
        }
    }
}
