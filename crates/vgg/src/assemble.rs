//! From the tensors of any file to a network: which tensor is which layer, and whether all of it is there.

use std::collections::BTreeMap;

use impasto_autodiff::ConvLayer;

use crate::error::printable;
use crate::formats::{Layout, RawFile, RawTensor};
use crate::{Arch, Problem};

/// Where a tensor's name places it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// By block and index: `conv4_2`, `block4_conv2`.
    Named(usize, usize),
    /// By a number that grows along the network: `features.21`, `vgg0_conv9`.
    Numbered(usize),
}

/// The tensors of one convolution.
#[derive(Default)]
struct Parts {
    kernel: Option<RawTensor>,
    bias: Option<RawTensor>,
}

/// Convolutions in order, conv1_1 with its channels still as in the file.
///
/// Every kernel is checked against the network's table, unless `any_width`: then the channels only have to fit each other.
pub(crate) fn assemble(file: RawFile, any_width: bool) -> Result<(Arch, Vec<ConvLayer<f32>>), Problem> {
    let layout = file.layout;
    let declared = file.metadata.get("network").and_then(|name| Arch::from_name(name));
    let places = by_place(file.tensors)?;
    let arch = declared.map_or_else(|| arch_of(&places), Ok)?;
    let table = arch.convs();
    let numbered = matches!(places.keys().next(), Some(Place::Numbered(_)));
    let mut places = places.into_iter();
    let mut named: BTreeMap<(usize, usize), Parts> = BTreeMap::new();
    for (conv, (place, parts)) in table.iter().zip(&mut places) {
        let key = match place {
            Place::Named(block, index) => (block, index),
            Place::Numbered(_) => (conv.block, conv.index),
        };
        named.insert(key, parts);
    }
    // A file that says which network it is may hold the first layers only.
    let count = if declared.is_some() && !numbered { named.len() } else { table.len() };
    let mut convs: Vec<ConvLayer<f32>> = Vec::new();
    for conv in &table[..count] {
        let missing = |layer: String| Problem::MissingLayer { arch, layer };
        let parts = named.remove(&(conv.block, conv.index)).ok_or_else(|| missing(conv.to_string()))?;
        let kernel = parts.kernel.ok_or_else(|| missing(format!("{conv} (its kernel)")))?;
        let bias = parts.bias.ok_or_else(|| missing(format!("{conv} (its bias)")))?;
        let inputs = if any_width { convs.last().map_or(3, |last| last.out_channels) } else { conv.inputs };
        let layer = convolution(arch, conv.to_string(), kernel, bias, layout, inputs)?;
        if !any_width && layer.out_channels != conv.outputs {
            return Err(Problem::WrongShape {
                arch,
                layer: layer.name,
                found: vec![layer.out_channels, layer.in_channels, 3, 3],
                expected: vec![conv.outputs, conv.inputs, 3, 3],
            });
        }
        convs.push(layer);
    }
    Ok((arch, convs))
}

/// The kernels and biases that the names place; kernels are what has four sides.
fn by_place(tensors: Vec<RawTensor>) -> Result<BTreeMap<Place, Parts>, Problem> {
    if tensors.iter().any(|tensor| tensor.name.ends_with("running_mean")) {
        return Err(Problem::NotVgg("it has batch normalisation, which the plain networks do not".into()));
    }
    let mut places: BTreeMap<Place, Parts> = BTreeMap::new();
    let is_ordered = tensors.iter().any(|tensor| tensor.order.is_some());
    for tensor in tensors {
        let by_name = || if is_ordered { None } else { place(&tensor.name) };
        let Some(place) = tensor.order.map(Place::Numbered).or_else(by_name) else { continue };
        if tensor.values.is_none() {
            continue;
        }
        let parts = places.entry(place).or_default();
        let part = if tensor.shape.len() == 4 { &mut parts.kernel } else { &mut parts.bias };
        if part.is_some() {
            return Err(Problem::NotVgg(format!("two tensors claim to be {}", printable(&tensor.name))));
        }
        *part = Some(tensor);
    }
    // Numbers may also belong to other layers, such as fully connected ones: those have no 3x3 kernel.
    places.retain(|place, parts| matches!(place, Place::Named(..)) || parts.kernel.is_some());
    let named = places.keys().filter(|place| matches!(place, Place::Named(..))).count();
    if named > 0 && named < places.len() {
        return Err(Problem::NotVgg("its convolutions are named in two ways".into()));
    }
    Ok(places)
}

/// 16 from 19: only the latter has fourth convolutions in a block. Numbered layers are counted.
fn arch_of(places: &BTreeMap<Place, Parts>) -> Result<Arch, Problem> {
    let named = places.keys().any(|place| matches!(place, Place::Named(..)));
    let fourth = places.keys().any(|place| matches!(place, Place::Named(3.., 4)));
    match (named, fourth, places.len()) {
        (true, true, _) | (false, _, 16) => Ok(Arch::Vgg19),
        (true, false, _) | (false, _, 13) => Ok(Arch::Vgg16),
        (false, _, 0) => Err(Problem::NotVgg("it has no 3x3 convolution under a known name".into())),
        (false, _, count) => {
            Err(Problem::NotVgg(format!("it has {count} convolutions, not 13 (VGG-16) or 16 (VGG-19)")))
        }
    }
}

/// Reads the place from a name of any of the conventions in ANCHORS' table: the first of `block4_conv2`, `conv4_2`,
/// `conv9`, `conv2d_9` or `features.21` in it.
fn place(name: &str) -> Option<Place> {
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).take(4).collect();
        digits.parse::<usize>().ok().map(|number| (number, digits.len()))
    };
    if let Some(rest) = after(name, "features.") {
        return number(rest).map(|(index, _)| Place::Numbered(index));
    }
    if let Some(rest) = after(name, "block") {
        let (block, digits) = number(rest)?;
        let (index, _) = number(rest[digits..].strip_prefix("_conv")?)?;
        return Some(Place::Named(block, index));
    }
    if let Some(rest) = after(name, "conv2d") {
        let rest = rest.strip_prefix('_').unwrap_or("0");
        return number(rest).map(|(index, _)| Place::Numbered(index));
    }
    let rest = after(name, "conv")?;
    let (first, digits) = number(rest)?;
    match rest[digits..].strip_prefix('_').and_then(number) {
        Some((index, _)) => Some(Place::Named(first, index)),
        None => Some(Place::Numbered(first)),
    }
}

/// What follows the first `word` in `text`.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.split_once(word).map(|(_, rest)| rest)
}

/// One layer, its kernel brought to (ky, kx, in, out).
fn convolution(
    arch: Arch,
    name: String,
    kernel: RawTensor,
    bias: RawTensor,
    layout: Layout,
    inputs: usize,
) -> Result<ConvLayer<f32>, Problem> {
    let wrong = |found: Vec<usize>, expected: Vec<usize>| Problem::WrongShape {
        arch,
        layer: name.clone(),
        found,
        expected,
    };
    let (out_channels, expected) = match layout {
        Layout::Oihw => (kernel.shape[0], vec![kernel.shape[0], inputs, 3, 3]),
        Layout::Hwio => (kernel.shape[3], vec![3, 3, inputs, kernel.shape[3]]),
    };
    if kernel.shape != expected {
        return Err(wrong(kernel.shape, expected));
    }
    if bias.shape != [out_channels] {
        return Err(wrong(bias.shape, vec![out_channels]));
    }
    let (Some(values), Some(bias)) = (kernel.values, bias.values) else {
        return Err(Problem::MissingLayer { arch, layer: name });
    };
    if !values.iter().chain(&bias).all(|value| value.is_finite()) {
        return Err(Problem::NotFinite { layer: name });
    }
    let kernel = match layout {
        Layout::Oihw => oihw_to_hwio(&values, out_channels, inputs),
        Layout::Hwio => values,
    };
    Ok(ConvLayer { name, in_channels: inputs, out_channels, kernel, bias })
}

/// (out, in, ky, kx) to (ky, kx, in, out), a tile of both channels at a time: what is read of a tile stays in the first-level cache until
/// all its taps have been taken.
fn oihw_to_hwio(values: &[f32], outputs: usize, inputs: usize) -> Vec<f32> {
    const TILE: usize = 16;
    let mut kernel = vec![0.0; values.len()];
    for first_out in (0..outputs).step_by(TILE) {
        let outs = first_out..outputs.min(first_out + TILE);
        for first_in in (0..inputs).step_by(TILE) {
            for tap in 0..9 {
                for i in first_in..inputs.min(first_in + TILE) {
                    let row = (tap * inputs + i) * outputs;
                    for (out, o) in kernel[row + outs.start..row + outs.end].iter_mut().zip(outs.clone()) {
                        *out = values[(o * inputs + i) * 9 + tap];
                    }
                }
            }
        }
    }
    kernel
}

/// (ky, kx, in, out) to (out, in, ky, kx).
pub(crate) fn hwio_to_oihw(values: &[f32], outputs: usize, inputs: usize) -> Vec<f32> {
    let mut kernel = Vec::with_capacity(values.len());
    for o in 0..outputs {
        for i in 0..inputs {
            kernel.extend((0..9).map(|tap| values[(tap * inputs + i) * outputs + o]));
        }
    }
    kernel
}

/// Exchanges the first and the third input channel of conv1_1: B, G, R becomes R, G, B.
pub(crate) fn swap_red_and_blue(conv: &mut ConvLayer<f32>) {
    let outputs = conv.out_channels;
    for tap in conv.kernel.chunks_exact_mut(3 * outputs) {
        let (blue, rest) = tap.split_at_mut(outputs);
        blue.swap_with_slice(&mut rest[outputs..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_convention_are_placed() {
        for (name, expected) in [
            ("conv4_2.weight", Place::Named(4, 2)),
            ("conv4_2/weights", Place::Named(4, 2)),
            ("conv4_2_W", Place::Named(4, 2)),
            ("block4_conv2/block4_conv2_W_1:0", Place::Named(4, 2)),
            ("functional_1/block4_conv2_1/convolution/ReadVariableOp:0", Place::Named(4, 2)),
            ("features.21.bias", Place::Numbered(21)),
            ("module.features.0.weight", Place::Numbered(0)),
            ("vgg0_conv9_weight", Place::Numbered(9)),
            ("layers/conv2d_9/vars/0", Place::Numbered(9)),
            ("layers/conv2d/vars/0", Place::Numbered(0)),
        ] {
            assert_eq!(place(name), Some(expected), "{name}");
        }
        for name in ["classifier.0.weight", "fc6", "block", "conv", "blockx_conv1"] {
            assert_eq!(place(name), None, "{name}");
        }
    }

    #[test]
    fn layouts_are_each_others_inverse() {
        // Also channels that fill no tile.
        for (outputs, inputs) in [(4, 5), (33, 17), (16, 32)] {
            let values: Vec<f32> = (0..outputs * inputs * 9).map(|value| value as f32).collect();
            let kernel = oihw_to_hwio(&values, outputs, inputs);
            assert_eq!(hwio_to_oihw(&kernel, outputs, inputs), values);
            // Element (ky 1, kx 2, in 3, out 1).
            assert_eq!(kernel[((3 + 2) * inputs + 3) * outputs + 1], values[(inputs + 3) * 9 + 3 + 2]);
        }
    }
}
