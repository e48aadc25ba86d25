//! The engine's convolution against the plain path, on every instruction set of the machine.

use crate::common::pseudorandom;
use impasto_proptest::assert_same_bits_on_threads;
use impasto_tensor::conv::{
    Algorithm, Extent, PackedConv, PoolKind, Positions, Section, Sink, Source, mask_len,
};
use impasto_tensor::{
    Border, Isa, Scratch, Shape, Tensor, average_pool, average_pool_gradient, conv3x3, max_pool,
    max_pool_gradient, pad, pad_gradient, rotate_kernel,
};
use proptest::prelude::*;

const ALGORITHMS: [Algorithm; 7] = Algorithm::ALL;

fn tensor(height: usize, width: usize, channels: usize, seed: u64) -> Tensor<f32> {
    let shape = Shape::new(height, width, channels);
    Tensor::from_vec(shape, pseudorandom(shape.len(), seed)).unwrap()
}

/// The largest difference, relative to the largest number.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    let largest = b.iter().fold(1e-3_f32, |largest, b| largest.max(b.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
}

fn relu(z: &Tensor<f32>) -> Tensor<f32> {
    Tensor::from_vec(z.shape(), z.data().iter().map(|z| z.max(0.0)).collect()).unwrap()
}

fn bit(mask: &[u8], index: usize) -> bool {
    mask[index / 8] >> (index % 8) & 1 == 1
}

struct Case {
    extent: Extent,
    input: Tensor<f32>,
    kernel: Vec<f32>,
    bias: Vec<f32>,
    channels: (usize, usize),
}

impl Case {
    fn new(height: usize, width: usize, channels: (usize, usize), seed: u64) -> Self {
        Self {
            extent: Extent { height, width },
            input: tensor(height, width, channels.0, seed),
            kernel: pseudorandom(9 * channels.0 * channels.1, seed + 1),
            bias: pseudorandom(channels.1, seed + 2),
            channels,
        }
    }

    fn packed(&self, isa: Isa, algorithm: Algorithm) -> PackedConv {
        PackedConv::new(isa, algorithm, &self.kernel, self.channels.0, self.channels.1).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn forward_with_pooling_matches_the_plain_path(
        (height, width) in (2_usize..40, 2_usize..60),
        (c_in, c_out) in (1_usize..4, 1_usize..4),
        seed in any::<u32>(),
    ) {
        let case = Case::new(height, width, (16 * c_in, 16 * c_out), u64::from(seed));
        let z = conv3x3(&case.input, &case.kernel, Some(&case.bias)).unwrap();
        let f = relu(&z);
        for (isa, algorithm) in Isa::available().into_iter().flat_map(|isa| ALGORITHMS.map(|a| (isa, a))) {
            let conv = case.packed(isa, algorithm);
            for (kind, expected) in
                [(PoolKind::Average, average_pool(&f).unwrap()), (PoolKind::Max, max_pool(&f).unwrap())]
            {
                let mut response = vec![f32::NAN; f.data().len()];
                let mut pooled = vec![f32::NAN; expected.data().len()];
                let mut mask = vec![0; mask_len(case.extent, case.channels.1)];
                let sink = Sink::Response {
                    bias: &case.bias,
                    response: Some(&mut response),
                    pooled: Some((kind, &mut pooled)),
                    mask: Some(&mut mask),
                };
                conv.run(case.extent, Source::Plain(case.input.data()), sink, &Scratch::default());
                prop_assert!(difference(&response, f.data()) < 3e-5, "{isa:?} {algorithm:?}");
                prop_assert!(difference(&pooled, expected.data()) < 3e-5, "{isa:?} {algorithm:?} {kind:?}");
                // The mask against the response that came with it, so that rounding cannot flip a sign.
                let own = Tensor::from_vec(f.shape(), response).unwrap();
                let ones = Tensor::from_vec(expected.shape(), vec![1.0; expected.data().len()]).unwrap();
                let route = max_pool_gradient(&own, &ones).unwrap();
                for (index, &f) in own.data().iter().enumerate() {
                    let routed = kind == PoolKind::Average || route.data()[index] > 0.0;
                    let position = index / case.channels.1;
                    let pooled_away = position / width >= height & !1 || position % width >= width & !1;
                    if !pooled_away {
                        prop_assert_eq!(bit(&mask, index), f > 0.0 && routed);
                    }
                }
            }
        }
    }

    #[test]
    fn backward_is_the_masked_adjoint_of_the_plain_path(
        (height, width) in (1_usize..40, 1_usize..60),
        (c_in, c_out) in (1_usize..4, 1_usize..4),
        seed in any::<u32>(),
    ) {
        let case = Case::new(height, width, (16 * c_in, 16 * c_out), u64::from(seed));
        let rotated = rotate_kernel(&case.kernel, case.channels.0, case.channels.1);
        let gradient = tensor(height, width, case.channels.1, u64::from(seed) + 3);
        let mask: Vec<u8> = pseudorandom(mask_len(case.extent, case.channels.0), u64::from(seed) + 4)
            .iter().map(|value| (value * 128.0) as i8 as u8).collect();
        let mut expected = conv3x3(&gradient, &rotated, None).unwrap();
        for (index, value) in expected.data_mut().iter_mut().enumerate() {
            if !bit(&mask, index) {
                *value = 0.0;
            }
        }
        for (isa, algorithm) in Isa::available().into_iter().flat_map(|isa| ALGORITHMS.map(|a| (isa, a))) {
            let conv = PackedConv::new(isa, algorithm, &rotated, case.channels.1, case.channels.0).unwrap();
            let mut result = vec![f32::NAN; expected.data().len()];
            let sink = Sink::Gradient { gradient: &mut result, mask: Some(&mask) };
            conv.run(case.extent, Source::Plain(gradient.data()), sink, &Scratch::default());
            prop_assert!(difference(&result, expected.data()) < 3e-5, "{isa:?} {algorithm:?}");
        }
    }

    #[test]
    fn unpooling_on_the_fly_matches_the_plain_path(
        (height, width) in (2_usize..30, 2_usize..40),
        seed in any::<u32>(),
    ) {
        let channels = 16;
        let extent = Extent { height, width };
        let response = relu(&tensor(height, width, channels, u64::from(seed)));
        let pooled = Shape::new(height / 2, width / 2, channels);
        let gradient = Tensor::from_vec(pooled, pseudorandom(pooled.len(), u64::from(seed) + 1)).unwrap();
        let kernel = pseudorandom(9 * channels * channels, u64::from(seed) + 2);
        let average = average_pool_gradient(response.shape(), &gradient).unwrap();
        let max = max_pool_gradient(&response, &gradient).unwrap();
        for (share, mut unpooled) in [(0.25, average), (1.0, max)] {
            let mut mask = vec![0_u8; mask_len(extent, channels)];
            let ones = Tensor::from_vec(pooled, vec![1.0; pooled.len()]).unwrap();
            let route = max_pool_gradient(&response, &ones).unwrap();
            for (index, value) in unpooled.data_mut().iter_mut().enumerate() {
                let set = response.data()[index] > 0.0 && (share < 1.0 || route.data()[index] > 0.0);
                mask[index / 8] |= u8::from(set) << (index % 8);
                if !set {
                    *value = 0.0;
                }
            }
            let expected = conv3x3(&unpooled, &kernel, None).unwrap();
            for (isa, algorithm) in Isa::available().into_iter().flat_map(|isa| ALGORITHMS.map(|a| (isa, a))) {
                let conv = PackedConv::new(isa, algorithm, &kernel, channels, channels).unwrap();
                let mut result = vec![f32::NAN; expected.data().len()];
                let source = Source::Unpooled { gradient: gradient.data(), mask: &mask, share };
                conv.run(extent, source, Sink::Gradient { gradient: &mut result, mask: None }, &Scratch::default());
                prop_assert!(difference(&result, expected.data()) < 3e-5, "{isa:?} {algorithm:?}");
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let case = Case::new(53, 131, (32, 48), 7);
    for algorithm in ALGORITHMS {
        let conv = case.packed(Isa::current(), algorithm);
        assert_same_bits_on_threads(|| {
            let mut response = vec![0.0; case.extent.positions() * 48];
            let sink =
                Sink::Response { bias: &case.bias, response: Some(&mut response), pooled: None, mask: None };
            conv.run(case.extent, Source::Plain(case.input.data()), sink, &Scratch::default());
            response
        });
    }
}

/// All that a forward convolution writes.
#[derive(PartialEq)]
struct Written {
    response: Vec<f32>,
    pooled: Vec<f32>,
    mask: Vec<u8>,
}

impl Case {
    /// The bits of a mask that looks random.
    fn mask(&self, channels: usize, seed: u64) -> Vec<u8> {
        let bytes = pseudorandom(mask_len(self.extent, channels), seed);
        bytes.iter().map(|value| (value * 128.0) as i8 as u8).collect()
    }

    /// The layer forward, section by section.
    fn forward(&self, conv: &PackedConv, kind: PoolKind, sections: &[Section]) -> Written {
        let (Extent { height, width }, (inputs, outputs)) = (self.extent, self.channels);
        let mut written = Written {
            response: vec![f32::NAN; height * width * outputs],
            pooled: vec![f32::NAN; (height / 2) * (width / 2) * outputs],
            mask: vec![0; mask_len(self.extent, outputs)],
        };
        for &section in sections {
            let (rows, pooled) = (section.start..section.end, section.pooled_rows());
            let (row, pooled_row) = (width * outputs, width / 2 * outputs);
            let sink = Sink::Response {
                bias: &self.bias,
                response: Some(&mut written.response[rows.start * row..rows.end * row]),
                pooled: Some((kind, &mut written.pooled[pooled.start * pooled_row..pooled.end * pooled_row])),
                mask: Some(&mut written.mask[rows.start * row / 8..rows.end * row / 8]),
            };
            let input = section.input_rows();
            let source = &self.input.data()[input.start * width * inputs..input.end * width * inputs];
            conv.run(section, Source::Plain(source), sink, &Scratch::default());
        }
        written
    }

    /// A backward step with a pooling behind the layer, section by section.
    fn backward(&self, conv: &PackedConv, sections: &[Section]) -> Vec<f32> {
        let (Extent { height, width }, (inputs, outputs)) = (self.extent, self.channels);
        let gradient = pseudorandom((height / 2) * (width / 2) * inputs, 21);
        let (mask, own) = (self.mask(inputs, 22), self.mask(outputs, 23));
        let mut result = vec![f32::NAN; height * width * outputs];
        for &section in sections {
            let (input, pooled) = (section.input_rows(), section.pooled_input_rows());
            let (row, pooled_row, bits) = (width * outputs, width / 2 * inputs, width * inputs / 8);
            let source = Source::Unpooled {
                gradient: &gradient[pooled.start * pooled_row..pooled.end * pooled_row],
                mask: &mask[input.start * bits..input.end * bits],
                share: 0.25,
            };
            let sink = Sink::Gradient {
                gradient: &mut result[section.start * row..section.end * row],
                mask: Some(&own[section.start * row / 8..section.end * row / 8]),
            };
            conv.run(section, source, sink, &Scratch::default());
        }
        result
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_layer_cut_into_sections_has_the_same_bits(
        (height, width) in (2_usize..60, 2_usize..60),
        (c_in, c_out) in (1_usize..4, 1_usize..4),
        cuts in prop::collection::btree_set(1_usize..30, 0..4),
        (kind, threads) in (prop_oneof![Just(PoolKind::Average), Just(PoolKind::Max)], 1_usize..4),
        seed in any::<u32>(),
    ) {
        let case = Case::new(height, width, (16 * c_in, 16 * c_out), u64::from(seed));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        for (isa, algorithm) in Isa::available().into_iter().flat_map(|isa| ALGORITHMS.map(|a| (isa, a))) {
            let conv = case.packed(isa, algorithm);
            let mut starts: Vec<usize> = cuts.iter().map(|cut| cut * algorithm.tile_rows()).collect();
            starts.insert(0, 0);
            starts.retain(|&start| start < height);
            let end = |at: usize| starts.get(at + 1).copied().unwrap_or(height);
            let sections: Vec<Section> =
                (0..starts.len()).map(|at| Section::new(case.extent, &(starts[at]..end(at)))).collect();
            let whole = case.forward(&conv, kind, &[case.extent.into()]);
            let cut = pool.install(|| case.forward(&conv, kind, &sections));
            prop_assert!(cut == whole, "{isa:?} {algorithm:?} {sections:?}");
            let whole = case.backward(&conv, &[case.extent.into()]);
            let cut = pool.install(|| case.backward(&conv, &sections));
            prop_assert!(cut == whole, "{isa:?} {algorithm:?} {sections:?}");
        }
    }

    #[test]
    fn a_kernel_has_the_same_bits_kept_or_streamed(
        (height, width) in (1_usize..40, 1_usize..60),
        c_in in prop_oneof![1_usize..4, Just(20)],
        c_out in 1_usize..6,
        seed in any::<u32>(),
    ) {
        let case = Case::new(height, width, (16 * c_in, 16 * c_out), u64::from(seed));
        for isa in Isa::available() {
            for kept in [Algorithm::Winograd4, Algorithm::Winograd6] {
                let [kept, streamed] = [kept, kept.streamed()].map(|algorithm| {
                    let conv = case.packed(isa, algorithm);
                    case.forward(&conv, PoolKind::Max, &[case.extent.into()])
                });
                prop_assert!(kept == streamed, "{isa:?}");
            }
        }
    }
}

impl Case {
    /// max(0, Z + b) on the plain path, with a border.
    fn plain_with(&self, border: Border) -> Tensor<f32> {
        let padded = conv3x3(&pad(border, &self.input).unwrap(), &self.kernel, Some(&self.bias)).unwrap();
        relu(&pad_gradient(Border::Zero, &padded).unwrap())
    }

    /// The same by a packed kernel, section by section, whose rows begin at `starts`.
    fn response_with(&self, border: Border, conv: &PackedConv, starts: &[usize]) -> Vec<f32> {
        let (Extent { height, width }, (inputs, outputs)) = (self.extent, self.channels);
        let mut response = vec![f32::NAN; height * width * outputs];
        for (at, &start) in starts.iter().enumerate() {
            let end = starts.get(at + 1).copied().unwrap_or(height);
            let section = Section::new(self.extent, &(start..end));
            let rows = section.input_rows();
            let input = &self.input.data()[rows.start * width * inputs..rows.end * width * inputs];
            let response = Some(&mut response[start * width * outputs..end * width * outputs]);
            let sink = Sink::Response { bias: &self.bias, response, pooled: None, mask: None };
            conv.run(section, Source::Bordered { input, border }, sink, &Scratch::default());
        }
        response
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Every border, every algorithm, pictures of one pixel and more, whole and in sections.
    #[test]
    fn a_border_matches_the_plain_path(
        (height, width) in (1_usize..40, prop_oneof![1_usize..5, 1_usize..120]),
        c_out in 1_usize..3,
        cuts in prop::collection::btree_set(1_usize..12, 0..3),
        seed in any::<u32>(),
    ) {
        for (border, c_in) in Border::ALL.into_iter().flat_map(|border| [(border, 3), (border, 16)]) {
            let case = Case::new(height, width, (c_in, 16 * c_out), u64::from(seed));
            let expected = case.plain_with(border);
            let algorithms = if c_in == 3 { &[Algorithm::Im2col][..] } else { &ALGORITHMS };
            for (isa, &algorithm) in Isa::available().into_iter().flat_map(|isa| algorithms.iter().map(move |a| (isa, a))) {
                let conv = case.packed(isa, algorithm);
                let whole = case.response_with(border, &conv, &[0]);
                prop_assert!(difference(&whole, expected.data()) < 3e-5, "{border:?} {isa:?} {algorithm:?}");
                let cuts = cuts.iter().map(|cut| cut * algorithm.tile_rows()).filter(|&start| start < height);
                let starts: Vec<usize> = std::iter::once(0).chain(cuts).collect();
                prop_assert!(case.response_with(border, &conv, &starts) == whole, "{border:?} {algorithm:?} {starts:?}");
            }
        }
    }

    /// Some positions of a row alone have the bits that they have in the whole response.
    #[test]
    fn positions_with_a_border_have_the_bits_of_the_whole(
        (height, width) in (1_usize..6, 1_usize..110),
        (y, from, to) in (0_usize..6, 0_usize..110, 1_usize..=110),
        seed in any::<u32>(),
    ) {
        prop_assume!(y < height && from < to && to <= width);
        let case = Case::new(height, width, (3, 32), u64::from(seed));
        let conv = case.packed(Isa::current(), Algorithm::Im2col);
        for border in Border::ALL {
            let whole = case.response_with(border, &conv, &[0]);
            let mut some = vec![f32::NAN; (to - from) * 32];
            let mut scratch = vec![0.0; conv.scratch_len(case.extent)];
            let (extent, input, bias) = (case.extent, case.input.data(), &case.bias[..]);
            conv.respond(Positions { extent, input, border, bias, at: (y, from) }, &mut some, &mut scratch);
            prop_assert!(some == whole[(y * width + from) * 32..(y * width + to) * 32], "{border:?}");
        }
    }
}

/// Outputs of 24 MiB that begin at a cache line are written past the caches, others through them.
#[test]
fn bits_do_not_depend_on_the_way_to_memory() {
    let case = Case::new(311, 317, (16, 64), 11);
    let len = case.extent.positions() * 64;
    assert!(len * size_of::<f32>() >= 24 << 20, "large enough");
    let mask: Vec<u8> =
        pseudorandom(mask_len(case.extent, 64), 12).iter().map(|value| (value * 128.0) as i8 as u8).collect();
    for (isa, algorithm) in Isa::available().into_iter().flat_map(|isa| ALGORITHMS.map(|a| (isa, a))) {
        let conv = case.packed(isa, algorithm);
        let mut memory = vec![f32::NAN; len + 32];
        let line = memory.as_ptr().align_offset(64);
        let mut run = |start: usize, backward: bool| {
            let output = &mut memory[start..start + len];
            output.fill(f32::NAN);
            let sink = if backward {
                Sink::Gradient { gradient: output, mask: Some(&mask) }
            } else {
                Sink::Response { bias: &case.bias, response: Some(output), pooled: None, mask: None }
            };
            conv.run(case.extent, Source::Plain(case.input.data()), sink, &Scratch::default());
            memory[start..start + len].to_vec()
        };
        for backward in [false, true] {
            assert!(run(line, backward) == run(line + 1, backward), "{isa:?} {algorithm:?} {backward}");
        }
    }
}

#[test]
fn a_first_layer_of_three_channels_runs_by_im2col() {
    let case = Case::new(19, 23, (3, 64), 5);
    let expected = relu(&conv3x3(&case.input, &case.kernel, Some(&case.bias)).unwrap());
    for isa in Isa::available() {
        let conv = case.packed(isa, Algorithm::Im2col);
        let mut response = vec![0.0; expected.data().len()];
        let sink =
            Sink::Response { bias: &case.bias, response: Some(&mut response), pooled: None, mask: None };
        conv.run(case.extent, Source::Plain(case.input.data()), sink, &Scratch::default());
        assert!(difference(&response, expected.data()) < 1e-5, "{isa:?}");
    }
}

#[test]
fn winograd_refuses_channels_that_are_not_whole_vectors() {
    let kernel = pseudorandom(9 * 3 * 64, 1);
    assert!(PackedConv::new(Isa::current(), Algorithm::Winograd4, &kernel, 3, 64).is_err());
    assert!(PackedConv::new(Isa::current(), Algorithm::Im2col, &kernel, 64, 3).is_err());
}
