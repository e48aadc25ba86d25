//! The table of options: [`OPTIONS`].

use impasto_autodiff::{Border, ConvMode, Pooling, Reach};

use super::background::{background_text, parse_background};
use super::blend::{blend_text, parse_blend};
use super::bytes::{bytes_text, parse_bytes};
use super::row::{Refused, by_name, is_decay, is_factor, is_weight, name_into, name_of, names, parse_into};
use super::schedule::{FACTORS, MOST_SCALES, parse_scale_factor, scale_factor_text};
use super::{
    Accepts, Colours, Effort, Init, LossScale, Optimiser, OptionRow, Recorded, Scales, StyleLoss, TvPoints,
};

/// Headings: what the picture looks like, how it is found, what of the machine is used.
const LOOK: &str = "Look";
const OPTIMISATION: &str = "Optimisation";
const MACHINE: &str = "Machine";

/// Every pooling, with its name.
const POOLINGS: [(Pooling, &str); 3] =
    [(Pooling::Average, "average"), (Pooling::Max, "max"), (Pooling::ScaledAverage, "scaled-average")];

/// Every border, with its name.
const BORDERS: [(Border, &str); 3] =
    [(Border::Zero, "zero"), (Border::Reflect, "reflect"), (Border::Replicate, "replicate")];

/// Every way in which masks reach the layers, with its name.
const REACHES: [(Reach, &str); 2] = [(Reach::Average, "average"), (Reach::Inside, "inside")];

/// Every choice of convolution algorithms, with its name.
const CONVS: [(ConvMode, &str); 2] = [(ConvMode::Fast, "fast"), (ConvMode::Exact, "exact")];

/// What becomes of values beyond 0 to 255, with its name: whether they are clamped.
const PIXEL_RANGES: [(bool, &str); 2] = [(false, "free"), (true, "clamped")];

/// What moments a size begins with, with its name: whether they are carried over.
const MOMENTS: [(bool, &str); 2] = [(false, "fresh"), (true, "carried")];

/// What a decay must be.
const DECAY: &str = "a number from 0 to below 1";

/// What a list of layers must be.
const LAYERS: &str = "layers with all or no weights, like conv1_1,conv2_1 or conv1_1:2,conv2_1:0.5";

/// What lists of layers must be, one for all paintings or one for each.
const LAYERS_OF_EACH: &str = "layers with all or no weights, like conv1_1,conv2_1 or conv1_1:2,conv2_1:0.5, or such a list for each painting, \
                              separated by /";

/// The table of options. The command line, the table of presets, explained runs, records, sweeps and messages are made from
/// it.
///
/// A new option is a field of [`TransferOptions`](super::TransferOptions), its value in `TransferOptions::neutral`, a method in
/// `with.rs`, and a row here.
pub static OPTIONS: &[OptionRow] = &[
    OptionRow {
        name: "size",
        value_name: "N|WxH|PAPER@DPI|original",
        help: "Size of the result: its longest side in pixels, or a box to fit it into, such as 800x600, or paper, turned as \
               the photo is, such as A3@300, or original, the photo's own",
        heading: LOOK,
        accepts: Accepts::Text(
            "from 1 to 10000 pixels, or a box of such sides like 800x600, or paper of such sides like A3@200, or original",
        ),
        recorded: Recorded::Always,
        get: |options| Some(options.size.to_string()),
        set: |options, text| parse_into(&mut options.size, text),
        valid: |options| options.size.is_valid(),
    },
    OptionRow {
        name: "background",
        value_name: "COLOUR",
        help: "Colour to lay photo and painting on where they are transparent, such as white or #ffd700; none keeps the photo's \
               transparency, and takes no style of what is transparent",
        heading: LOOK,
        accepts: Accepts::Text("none, white, black, grey, or a colour like #ffd700 or #fd0"),
        recorded: Recorded::Unless("none"),
        get: |options| Some(background_text(options.background)),
        set: |options, text| {
            options.background = parse_background(text)?;
            Ok(())
        },
        valid: |_| true,
    },
    OptionRow {
        name: "content-weight",
        value_name: "A",
        help: "alpha, the weight of the content loss: more keeps more of the photo",
        heading: LOOK,
        accepts: Accepts::Text("a number of 0 or more"),
        recorded: Recorded::Always,
        get: |options| Some(options.content_weight.to_string()),
        set: |options, text| parse_into(&mut options.content_weight, text),
        valid: |options| is_weight(options.content_weight),
    },
    OptionRow {
        name: "style-weight",
        value_name: "B",
        help: "beta, the weight of the style loss: more takes more of the painting",
        heading: LOOK,
        accepts: Accepts::Text("a number of 0 or more"),
        recorded: Recorded::Always,
        get: |options| Some(options.style_weight.to_string()),
        set: |options, text| parse_into(&mut options.style_weight, text),
        valid: |options| is_weight(options.style_weight),
    },
    OptionRow {
        name: "tv-weight",
        value_name: "W",
        help: "Weight of the total variation: more makes a smoother picture",
        heading: LOOK,
        accepts: Accepts::Text("a number of 0 or more"),
        recorded: Recorded::Always,
        get: |options| Some(options.tv_weight.to_string()),
        set: |options, text| parse_into(&mut options.tv_weight, text),
        valid: |options| is_weight(options.tv_weight),
    },
    OptionRow {
        name: "tv-points",
        value_name: "N",
        help: "Points that the total variation looks at: 5 (a pixel and the four beside it) or 9 (the diagonal ones too)",
        heading: LOOK,
        accepts: Accepts::Names(&names(&TvPoints::ALL)),
        recorded: Recorded::Unless("5"),
        get: |options| name_of(&TvPoints::ALL, &options.tv_points),
        set: |options, text| name_into(&mut options.tv_points, &TvPoints::ALL, text),
        valid: |_| true,
    },
    OptionRow {
        name: "style-scale",
        value_name: "S",
        help: "Longest side of the painting, as a multiple of the result's: less makes smaller strokes. A painting is never \
               enlarged. Of several paintings it may be one for each, like 1,0.5",
        heading: LOOK,
        accepts: Accepts::Text("a number above 0, or one for each painting"),
        recorded: Recorded::Always,
        get: |options| Some(options.style_scale.to_string()),
        set: |options, text| parse_into(&mut options.style_scale, text),
        valid: |options| options.style_scale.values().all(|&scale| is_factor(scale)),
    },
    OptionRow {
        name: "content-layers",
        value_name: "LAYERS",
        help: "Layers that compare the content, such as conv4_2, with weights if you like: conv4_1:1,conv4_2:2",
        heading: LOOK,
        accepts: Accepts::Text(LAYERS),
        recorded: Recorded::Always,
        get: |options| Some(options.content_layers.to_string()),
        set: |options, text| parse_into(&mut options.content_layers, text),
        valid: |_| true,
    },
    OptionRow {
        name: "style-loss",
        value_name: "NAME",
        help: "How the style is compared: gram (Gram matrices, as in the paper) or wasserstein (the distance of Gaussians with the \
               responses' means and covariances)",
        heading: LOOK,
        accepts: Accepts::Names(&names(&StyleLoss::ALL)),
        recorded: Recorded::Unless("gram"),
        get: |options| name_of(&StyleLoss::ALL, &options.style_loss),
        set: |options, text| name_into(&mut options.style_loss, &StyleLoss::ALL, text),
        valid: |_| true,
    },
    OptionRow {
        name: "style-layers",
        value_name: "LAYERS",
        help: "Layers that compare the style, such as conv1_1,conv2_1; deep layers hold large forms, early ones colours and \
               grain. Of several paintings they may be given for each, like conv1_1,conv2_1/conv4_1,conv5_1",
        heading: LOOK,
        accepts: Accepts::Text(LAYERS_OF_EACH),
        recorded: Recorded::Always,
        get: |options| Some(options.style_layers.to_string()),
        set: |options, text| parse_into(&mut options.style_layers, text),
        valid: |_| true,
    },
    OptionRow {
        name: "blend",
        value_name: "WEIGHTS",
        help: "What each painting weighs in the blend of their styles, like 3,1; even is the same for all",
        heading: LOOK,
        accepts: Accepts::Text(
            "even, or a number of 0 or more for each painting, one of them above 0 and their sum finite",
        ),
        recorded: Recorded::Unless("even"),
        get: |options| Some(blend_text(&options.blend)),
        set: |options, text| {
            options.blend = parse_blend(text)?;
            Ok(())
        },
        valid: |options| {
            let sum: f64 = options.blend.iter().sum();
            options.blend.is_empty()
                || options.blend.iter().all(|&weight| is_weight(weight)) && is_factor(sum)
        },
    },
    OptionRow {
        name: "mask-reach",
        value_name: "NAME",
        help: "Which positions of a layer belong to a mask: average (as much as the layer sees of it there) or inside (those that see \
               nothing else)",
        heading: LOOK,
        accepts: Accepts::Names(&names(&REACHES)),
        recorded: Recorded::Unless("average"),
        get: |options| name_of(&REACHES, &options.mask_reach),
        set: |options, text| name_into(&mut options.mask_reach, &REACHES, text),
        valid: |_| true,
    },
    OptionRow {
        name: "loss-scale",
        value_name: "NAME",
        help: "What the losses are measured in: paper (sums, as in the paper: the look changes with the size), balanced (the \
               paper's at 512 x 512, the same look at every size), neural-style (means, as that program has them) or crowsonkb (means of \
               small responses, as style-transfer-pytorch has them)",
        heading: LOOK,
        accepts: Accepts::Names(&names(&LossScale::ALL)),
        recorded: Recorded::Always,
        get: |options| name_of(&LossScale::ALL, &options.loss_scale),
        set: |options, text| name_into(&mut options.loss_scale, &LossScale::ALL, text),
        valid: |_| true,
    },
    OptionRow {
        name: "colours",
        value_name: "WHOSE",
        help: "Whose colours: painting (as it is), photo (only light is painted), or the painting's brought to the photo's, by \
               histogram (a channel at a time) or by transfer (means and covariances)",
        heading: LOOK,
        accepts: Accepts::Names(&names(&Colours::ALL)),
        recorded: Recorded::Unless("painting"),
        get: |options| name_of(&Colours::ALL, &options.colours),
        set: |options, text| name_into(&mut options.colours, &Colours::ALL, text),
        valid: |_| true,
    },
    OptionRow {
        name: "pool",
        value_name: "KIND",
        help: "How the network shrinks its responses: average, max, or scaled-average (twice the average: as large as the maxima)",
        heading: LOOK,
        accepts: Accepts::Names(&names(&POOLINGS)),
        recorded: Recorded::Always,
        get: |options| name_of(&POOLINGS, &options.pooling),
        set: |options, text| name_into(&mut options.pooling, &POOLINGS, text),
        valid: |_| true,
    },
    OptionRow {
        name: "border",
        value_name: "KIND",
        help: "What the network's first layer sees beyond the picture's edge: zero (the mean colour of all photos), reflect (the \
               picture mirrored) or replicate (its outermost pixels again)",
        heading: LOOK,
        accepts: Accepts::Names(&names(&BORDERS)),
        recorded: Recorded::Unless("zero"),
        get: |options| name_of(&BORDERS, &options.border),
        set: |options, text| name_into(&mut options.border, &BORDERS, text),
        valid: |_| true,
    },
    OptionRow {
        name: "init",
        value_name: "NAME|FILE",
        help: "The start: content, noise, matched (content in the painting's colours), mean-noise (nearly plain, as neural-style \
               starts), or a picture file",
        heading: OPTIMISATION,
        accepts: Accepts::Text("content, noise, matched, mean-noise or a picture file"),
        recorded: Recorded::Always,
        get: |options| options.init.name(),
        set: |options, text| {
            options.init = if text.is_empty() { Err(Refused::Value) } else { Ok(Init::named(text)) }?;
            Ok(())
        },
        valid: |_| true,
    },
    OptionRow {
        name: "seed",
        value_name: "N",
        help: "Seed of the noise: the same seed, the same picture",
        heading: OPTIMISATION,
        accepts: Accepts::Text("a whole number of 0 or more"),
        recorded: Recorded::Always,
        get: |options| Some(options.seed.to_string()),
        set: |options, text| parse_into(&mut options.seed, text),
        valid: |_| true,
    },
    OptionRow {
        name: "effort",
        value_name: "NAME",
        help: "Iterations by size, fewer the larger it is: draft (a quarter, to see what comes), normal or best (three times as many). \
               It says what iterations of auto are, and has no effect where they are numbers",
        heading: OPTIMISATION,
        accepts: Accepts::Names(&names(&Effort::ALL)),
        recorded: Recorded::Unless("normal"),
        get: |options| name_of(&Effort::ALL, &options.effort),
        set: |options, text| name_into(&mut options.effort, &Effort::ALL, text),
        valid: |_| true,
    },
    OptionRow {
        name: "iterations",
        value_name: "N,...|auto",
        help: "Iterations at each size; or those of the coarsest ones, and last of all others, like 1000,500; or auto, as the effort says",
        heading: OPTIMISATION,
        accepts: Accepts::Text("auto, or 1 or more, or several such numbers"),
        recorded: Recorded::Always,
        get: |options| Some(options.iterations.to_string()),
        set: |options, text| parse_into(&mut options.iterations, text),
        valid: |options| options.iterations.said().iter().all(|&iterations| iterations > 0),
    },
    OptionRow {
        name: "scales",
        value_name: "N|auto",
        help: "Sizes to paint at, coarse to fine; auto is as many as fit down to the smallest scale",
        heading: OPTIMISATION,
        accepts: Accepts::Text("auto, or from 1 to 16"),
        recorded: Recorded::Always,
        get: |options| Some(options.scales.to_string()),
        set: |options, text| parse_into(&mut options.scales, text),
        valid: |options| match options.scales {
            Scales::Auto => true,
            Scales::Count(count) => (1..=MOST_SCALES).contains(&count),
        },
    },
    OptionRow {
        name: "scale-factor",
        value_name: "F",
        help: "What each size is times the one before, such as 2 or sqrt2",
        heading: OPTIMISATION,
        accepts: Accepts::Text("from 1.1 to 16, or sqrt2"),
        recorded: Recorded::Unless("2"),
        get: |options| Some(scale_factor_text(options.scale_factor)),
        set: |options, text| {
            options.scale_factor = parse_scale_factor(text)?;
            Ok(())
        },
        valid: |options| FACTORS.contains(&options.scale_factor),
    },
    OptionRow {
        name: "smallest-scale",
        value_name: "N",
        help: "Longest side in pixels that a coarse size has at least",
        heading: OPTIMISATION,
        accepts: Accepts::Text("1 or more"),
        recorded: Recorded::Unless("96"),
        get: |options| Some(options.smallest_scale.to_string()),
        set: |options, text| parse_into(&mut options.smallest_scale, text),
        valid: |options| options.smallest_scale > 0,
    },
    OptionRow {
        name: "optimizer",
        value_name: "METHOD",
        help: "The method of minimisation",
        heading: OPTIMISATION,
        accepts: Accepts::Names(&names(&Optimiser::ALL)),
        recorded: Recorded::Always,
        get: |options| Some(options.optimiser.name().to_owned()),
        set: |options, text| {
            let method = by_name(&Optimiser::ALL, text)?;
            if method.name() != options.optimiser.name() {
                options.optimiser = method;
            }
            Ok(())
        },
        valid: |_| true,
    },
    OptionRow {
        name: "history",
        value_name: "M",
        help: "Steps that L-BFGS remembers; each takes the memory of one picture, and by default (auto) there are fewer the larger \
               the picture",
        heading: OPTIMISATION,
        accepts: Accepts::Text("1 or more, or auto"),
        recorded: Recorded::Always,
        get: |options| {
            let history = options.optimiser.history()?;
            Some(history.map_or_else(|| "auto".to_owned(), |pairs| pairs.to_string()))
        },
        set: |options, text| {
            let history = if text == "auto" { None } else { Some(text.parse()?) };
            Ok(options.optimiser.set_history(history)?)
        },
        valid: |options| options.optimiser.history() != Some(Some(0)),
    },
    OptionRow {
        name: "learning-rate",
        value_name: "R",
        help: "Step of Adam, in grey levels of 0 to 255",
        heading: OPTIMISATION,
        accepts: Accepts::Text("a number above 0"),
        recorded: Recorded::Always,
        get: |options| options.optimiser.adam().map(|adam| adam.learning_rate.to_string()),
        set: |options, text| {
            options.optimiser.adam_mut("learning-rate")?.learning_rate = text.parse()?;
            Ok(())
        },
        valid: |options| options.optimiser.adam().is_none_or(|adam| is_factor(adam.learning_rate)),
    },
    OptionRow {
        name: "adam-beta2",
        value_name: "B",
        help: "How much Adam remembers of the gradient's squares from one iteration to the next: less follows faster",
        heading: OPTIMISATION,
        accepts: Accepts::Text(DECAY),
        recorded: Recorded::Unless("0.999"),
        get: |options| options.optimiser.adam().map(|adam| adam.beta2.to_string()),
        set: |options, text| {
            options.optimiser.adam_mut("adam-beta2")?.beta2 = text.parse()?;
            Ok(())
        },
        valid: |options| options.optimiser.adam().is_none_or(|adam| is_decay(adam.beta2)),
    },
    OptionRow {
        name: "average-decay",
        value_name: "D",
        help: "The picture is the mean of Adam's iterates, each of which weighs D times what the next one does, such as 0.99; with 0 it \
               is the one of lowest loss",
        heading: OPTIMISATION,
        accepts: Accepts::Text(DECAY),
        recorded: Recorded::Unless("0"),
        get: |options| options.optimiser.adam().map(|adam| adam.average_decay.to_string()),
        set: |options, text| {
            options.optimiser.adam_mut("average-decay")?.average_decay = text.parse()?;
            Ok(())
        },
        valid: |options| options.optimiser.adam().is_none_or(|adam| is_decay(adam.average_decay)),
    },
    OptionRow {
        name: "pixel-range",
        value_name: "RANGE",
        help: "What Adam's steps may make of a value: free (anything, cut to 0 to 255 when it is written) or clamped (0 to 255 after each \
               step)",
        heading: OPTIMISATION,
        accepts: Accepts::Names(&names(&PIXEL_RANGES)),
        recorded: Recorded::Unless("free"),
        get: |options| options.optimiser.adam().and_then(|adam| name_of(&PIXEL_RANGES, &adam.clamped)),
        set: |options, text| {
            name_into(&mut options.optimiser.adam_mut("pixel-range")?.clamped, &PIXEL_RANGES, text)
        },
        valid: |_| true,
    },
    OptionRow {
        name: "moments",
        value_name: "WHOSE",
        help: "What Adam knows of the gradient when a size begins: fresh (nothing) or carried (what it has learnt at the size before)",
        heading: OPTIMISATION,
        accepts: Accepts::Names(&names(&MOMENTS)),
        recorded: Recorded::Unless("fresh"),
        get: |options| options.optimiser.adam().and_then(|adam| name_of(&MOMENTS, &adam.carried)),
        set: |options, text| name_into(&mut options.optimiser.adam_mut("moments")?.carried, &MOMENTS, text),
        valid: |_| true,
    },
    OptionRow {
        name: "conv",
        value_name: "MODE",
        help: "Convolutions: fast, or exact for plain sums throughout",
        heading: MACHINE,
        accepts: Accepts::Names(&names(&CONVS)),
        recorded: Recorded::Always,
        get: |options| name_of(&CONVS, &options.conv),
        set: |options, text| name_into(&mut options.conv, &CONVS, text),
        valid: |_| true,
    },
    OptionRow {
        name: "memory-limit",
        value_name: "BYTES",
        help: "The most memory to take, such as 800M or 4G, or none. Under a limit large pictures are \
               worked on in bands",
        heading: MACHINE,
        accepts: Accepts::Text("bytes such as 800M or 4G, or none"),
        recorded: Recorded::Never,
        get: |options| Some(options.memory_limit.map_or_else(|| "none".to_owned(), bytes_text)),
        set: |options, text| {
            let limit = || parse_bytes(text).ok_or(Refused::Value);
            options.memory_limit = if text == "none" { None } else { Some(limit()?) };
            Ok(())
        },
        valid: |_| true,
    },
];
