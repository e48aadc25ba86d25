//! The options of neural-style and neural-style-pt, each answered by a sentence that says what there is here.
//! docs/neural-style.md has them as a table.

use impasto_style::{OPTIONS, SYNONYMS, nearest};

/// Every option of both programs, and what there is in its place.
const OPTIONS_OF_THEIRS: [(&str, &str); 34] = [
    ("content_image", "the photo is the first picture: impasto transfer CONTENT STYLE -o OUT"),
    ("style_image", "paintings stand behind the photo: impasto transfer CONTENT STYLE -o OUT"),
    ("output_image", "use -o OUT"),
    ("style_blend_weights", "use --blend, a weight for each painting"),
    ("original_colors", "use --colours photo"),
    ("image_size", "use --size"),
    ("style_scale", "use --style-scale"),
    ("num_iterations", "use --iterations"),
    ("content_weight", "use --content-weight; with --preset neural-style it means what theirs does"),
    ("style_weight", "use --style-weight; with --preset neural-style it means what theirs does"),
    ("tv_weight", "use --tv-weight; with --preset neural-style it means what theirs does"),
    ("content_layers", "use --content-layers"),
    ("style_layers", "use --style-layers"),
    ("init", "use --init noise for random, --init content for image"),
    ("init_image", "use --init with the file"),
    ("optimizer", "use --optimizer"),
    ("learning_rate", "use --learning-rate, with --optimizer adam"),
    ("lbfgs_num_correction", "use --history"),
    ("pooling", "use --pool"),
    ("seed", "use --seed"),
    ("save_iter", "use --save-every"),
    ("print_iter", "every iteration is shown, and --log writes the losses of each to a file"),
    ("model_file", "use --weights with the file, or --weights vgg19"),
    (
        "model_type",
        "a weight file tells what its network expects; of one that does not, --preprocess says it",
    ),
    ("proto_file", "a weight file tells by itself which network it is"),
    (
        "normalize_gradients",
        "there is no such option: the gradient is that of the loss, as the line search needs it",
    ),
    ("normalize_weights", "there is no such option: choose --content-weight and --style-weight themselves"),
    ("gpu", "the processor's cores do the work; --threads says how many"),
    ("backend", "there is one, for the processor; --conv exact chooses plain sums"),
    ("cudnn_autotune", "the fastest algorithm of each layer is chosen in any case"),
    ("cpu_threads", "use --threads"),
    ("multigpu_strategy", "there is one device, the processor; --memory-limit lets large pictures fit"),
    ("multidevice_strategy", "there is one device, the processor; --memory-limit lets large pictures fit"),
    ("disable_check", "a weight file is checked in any case"),
];

/// What is said of the options of neural-style among the words of a command line, a line each; nothing if there are none.
pub(crate) fn answer<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut lines: Vec<String> = words.take_while(|word| *word != "--").filter_map(answer_to).collect();
    let last = lines.pop()?;
    lines.push(format!("{last} (all are in docs/neural-style.md)"));
    Some(lines.join("\n"))
}

/// `-image_size`, `-image_size=512` and `--image_size` are theirs; `--seed` is ours, and so is `-ofile`.
fn answer_to(word: &str) -> Option<String> {
    let option = word.split('=').next()?;
    let single = option.strip_prefix('-')?;
    let (name, is_double) = single.strip_prefix('-').map_or((single, false), |name| (name, true));
    let Some((name, says)) = OPTIONS_OF_THEIRS.iter().find(|(theirs, _)| *theirs == name) else {
        return if is_double { None } else { answer_to_nearly(option, name) };
    };
    let is_ours = || {
        let synonyms = SYNONYMS.iter().map(|(other, _)| *other);
        OPTIONS.iter().map(|row| row.name).chain(synonyms).any(|ours| ours == *name)
    };
    (!(is_double && is_ours())).then(|| format!("{option} is an option of neural-style: {says}"))
}

/// `-style_layer`: with one dash, and an underscore, which no short option of ours with its value is likely to have. The first
/// letter is right, so that `-oinit_image` is ours.
fn answer_to_nearly(option: &str, name: &str) -> Option<String> {
    let is_word = name.contains('_') && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    let theirs = OPTIONS_OF_THEIRS.iter().filter(|(theirs, _)| is_word && theirs.get(..1) == name.get(..1));
    let meant = nearest(name, theirs.clone().map(|(theirs, _)| *theirs))?;
    let (_, says) = theirs.clone().find(|(theirs, _)| *theirs == meant)?;
    Some(format!("there is no {option}, and -{meant} is an option of neural-style: {says}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::Cli;

    #[test]
    fn their_options_are_answered_and_ours_are_not() {
        for theirs in ["-image_size", "-image_size=512", "--image_size", "-seed", "-original_colors", "--gpu"]
        {
            let answer = answer(["transfer", theirs].into_iter()).unwrap();
            assert!(answer.starts_with(theirs.split('=').next().unwrap()), "{answer}");
        }
        for ours in
            ["-ofile", "-o", "riginal_colors", "--seed", "--init", "--pooling", "--image-size", "-", "-s", ""]
        {
            assert_eq!(answer([ours].into_iter()), None, "{ours}");
        }
        assert_eq!(answer(["--", "-seed"].into_iter()), None);
        for ours in ["-oinit_image", "-out_image.png", "-o_b", "--style_layer", "-s_1"] {
            assert_eq!(answer([ours].into_iter()), None, "{ours}");
        }
        for (nearly, meant) in [
            ("-style_layer", "style_layers"),
            ("-num_iteration", "num_iterations"),
            ("-ouput_image", "output_image"),
        ] {
            let answer = answer([nearly, "x"].into_iter()).unwrap();
            let expected = format!("there is no {nearly}, and -{meant} is an option of neural-style: use ");
            assert!(answer.starts_with(&expected), "{answer}");
        }
        let both = answer(["-content_image", "a.jpg", "-style_image", "b.jpg"].into_iter()).unwrap();
        assert_eq!(both.lines().count(), 2, "{both}");
    }

    #[test]
    fn every_answer_names_options_that_there_are() {
        let mut command = Cli::command();
        command.build();
        let transfer = command.find_subcommand("transfer").unwrap();
        let known: Vec<&str> = transfer.get_arguments().filter_map(clap::Arg::get_long).collect();
        for (theirs, says) in OPTIONS_OF_THEIRS {
            for word in says.split(|c: char| !(c.is_alphanumeric() || c == '-')) {
                if let Some(name) = word.strip_prefix("--") {
                    assert!(known.contains(&name), "-{theirs}: there is no {word}");
                }
            }
        }
    }

    #[test]
    fn the_documentation_has_the_same_options() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/neural-style.md");
        let text = std::fs::read_to_string(file).unwrap();
        let (text, _) = text.split_once("## If you know style-transfer-pytorch").unwrap();
        let rows = text.lines().filter(|line| line.starts_with("| `-"));
        let cells = rows.filter_map(|row| row.split('|').nth(1));
        let words =
            cells.flat_map(|cell| cell.split(['`', ' ', ','])).filter_map(|word| word.strip_prefix('-'));
        let documented: BTreeSet<&str> = words.collect();
        let known: BTreeSet<&str> = OPTIONS_OF_THEIRS.iter().map(|(name, _)| *name).collect();
        assert_eq!(documented, known);
    }
}
