//! The engine's Gram matrix and packed product against the plain product, on every instruction set of the machine.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::common::pseudorandom;
use impasto_proptest::assert_same_bits_on_threads;
use impasto_tensor::{AlignedBuffer, Gram, Isa, Matrix, PackedMatrix, Scratch, gemm};
use proptest::prelude::*;

fn close(a: &[f32], b: &[f32], scale: f32) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-5 * scale)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn symmetric_gram_matches_the_plain_product(
        positions in 1_usize..3000,
        channels in (1_usize..6).prop_map(|c| 16 * c),
        seed in any::<u32>(),
    ) {
        let f = pseudorandom(positions * channels, u64::from(seed));
        let matrix = Matrix::new(&f, positions, channels).unwrap();
        let mut expected = vec![0.0; channels * channels];
        gemm(1.0 / positions as f32, matrix.transposed(), matrix, 0.0, &mut expected).unwrap();
        for isa in Isa::available() {
            let mut gram = Gram::new(isa, channels, positions).unwrap();
            gram.add(&f, &Scratch::default());
            prop_assert!(close(&gram.normalised(), &expected, 1.0), "{isa:?}");
        }
    }

    #[test]
    fn packed_product_matches_the_plain_product(
        (m, k, n) in (1_usize..30, 1_usize..600, 1_usize..70),
        accumulate in any::<bool>(),
        seed in any::<u32>(),
    ) {
        let (a, b) = (pseudorandom(m * k, u64::from(seed)), pseudorandom(k * n, u64::from(seed) + 1));
        let start = pseudorandom(m * n, u64::from(seed) + 2);
        let mut expected = start.clone();
        let beta = if accumulate { 1.0 } else { 0.0 };
        gemm(1.0, Matrix::new(&a, m, k).unwrap(), Matrix::new(&b, k, n).unwrap(), beta, &mut expected).unwrap();
        for isa in Isa::available() {
            let mut packed = PackedMatrix::new(isa, Matrix::new(&vec![0.0; k * n], k, n).unwrap()).unwrap();
            packed.repack(Matrix::new(&b, k, n).unwrap());
            let stride = packed.padded_columns();
            let mut c = AlignedBuffer::zeros(m * stride).unwrap();
            for row in 0..m {
                c[row * stride..][..n].copy_from_slice(&start[row * n..][..n]);
            }
            packed.multiply(&a, k, &mut c, accumulate, [&[]; 2]);
            for row in 0..m {
                prop_assert!(close(&c[row * stride..][..n], &expected[row * n..][..n], k as f32), "{isa:?}");
            }
        }
    }
}

/// Asserts that the Gram matrix of a response in pieces that end at `cuts` is that of the whole one, on every instruction set: also
/// where a block begins in one piece and ends in another, and where a sum follows others. `prepare` is done to both.
fn assert_same_in_pieces(
    (positions, channels): (usize, usize),
    cuts: BTreeSet<usize>,
    threads: usize,
    seed: u32,
    prepare: impl Fn(Gram) -> Gram,
) -> Result<(), TestCaseError> {
    let f = pseudorandom(positions * channels, u64::from(seed));
    let mut ends: Vec<usize> = cuts.into_iter().filter(|&cut| cut < positions).collect();
    ends.push(positions);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    for isa in Isa::available() {
        let scratch = Scratch::default();
        let mut whole = prepare(Gram::new(isa, channels, positions).unwrap());
        whole.add(&f, &scratch);
        let mut pieces = prepare(Gram::in_pieces(isa, channels, positions).unwrap());
        // What earlier sums left is forgotten: in every block, and where positions wait for others.
        for earlier in [positions, positions / 2] {
            pieces.add(&f[..earlier * channels], &scratch);
            pieces.clear();
        }
        let mut start = 0;
        for &end in &ends {
            pool.install(|| pieces.add(&f[start * channels..end * channels], &scratch));
            start = end;
        }
        prop_assert!(pieces.normalised() == whole.normalised() && pieces.mean() == whole.mean(), "{isa:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_response_in_pieces_has_the_same_gram_matrix(
        positions in prop_oneof![1_usize..2000, 8000_usize..12_000],
        cuts in prop::collection::btree_set(1_usize..12_000, 0..8),
        channels in (1_usize..6).prop_map(|c| 16 * c),
        threads in 1_usize..8,
        seed in any::<u32>(),
    ) {
        assert_same_in_pieces((positions, channels), cuts.clone(), threads, seed, |gram| gram)?;
        assert_same_in_pieces((positions, channels), cuts, threads, seed, Gram::with_mean)?;
    }
}

/// Weights as masks have them: runs that are left out, also whole blocks of them, and others; not all 0.
fn weights(positions: usize) -> impl Strategy<Value = Arc<[f32]>> {
    let t = prop_oneof![Just(0.0_f32), Just(1.0), 0.0..1.0_f32];
    let run = (1_usize..4000, prop_oneof![Just(None), Just(Some(0.0_f32)), Just(Some(1.0))], any::<u32>());
    (prop::collection::vec(run, 1..6), prop::collection::vec(t, 64)).prop_map(move |(runs, some)| {
        let run = |&(len, all, start): &(usize, Option<f32>, u32)| {
            let some = some.clone();
            (0..len).map(move |at| all.unwrap_or_else(|| some[(at * 7 + start as usize % 64) % 64]))
        };
        let mut t: Vec<f32> = runs.iter().cycle().flat_map(run).take(positions).collect();
        if t.iter().all(|&t| t == 0.0) {
            t[positions / 2] = 0.25;
        }
        t.into()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_weighted_gram_matrix_is_its_definition(
        (positions, weights) in (1_usize..3000).prop_flat_map(|positions| (Just(positions), weights(positions))),
        channels in (1_usize..6).prop_map(|c| 16 * c),
        seed in any::<u32>(),
    ) {
        let f = pseudorandom(positions * channels, u64::from(seed));
        let total: f32 = weights.iter().sum();
        let mut expected = vec![0.0; channels * channels];
        let weighted: Vec<f32> =
            f.chunks_exact(channels).zip(&*weights).flat_map(|(row, t)| row.iter().map(move |f| t * f)).collect();
        let [f_matrix, weighted] = [&f, &weighted].map(|f| Matrix::new(f, positions, channels).unwrap());
        gemm(1.0 / total, f_matrix.transposed(), weighted, 0.0, &mut expected).unwrap();
        // What has no weight is not looked at.
        let rows = f.chunks_exact(channels).zip(&*weights);
        let f: Vec<f32> =
            rows.flat_map(|(row, &t)| row.iter().map(move |&f| if t > 0.0 { f } else { f32::NAN })).collect();
        for isa in Isa::available() {
            let mut gram = Gram::new(isa, channels, positions).unwrap().weighted(Arc::clone(&weights));
            gram.add(&f, &Scratch::default());
            prop_assert!(close(&gram.normalised(), &expected, 1.0), "{isa:?}");
        }
    }

    /// Also where a second sum follows the first, and where the first pieces have no weight.
    #[test]
    fn a_weighted_response_in_pieces_has_the_same_gram_matrix(
        (positions, weights) in prop_oneof![1_usize..2000, 8000_usize..12_000]
            .prop_flat_map(|positions| (Just(positions), weights(positions))),
        cuts in prop::collection::btree_set(1_usize..12_000, 0..8),
        channels in (1_usize..6).prop_map(|c| 16 * c),
        threads in 1_usize..8,
        seed in any::<u32>(),
    ) {
        let weighted = |gram: Gram| gram.weighted(Arc::clone(&weights));
        assert_same_in_pieces((positions, channels), cuts.clone(), threads, seed, weighted)?;
        assert_same_in_pieces((positions, channels), cuts, threads, seed, |gram| weighted(gram).with_mean())?;
    }

    /// To the bit, on every instruction set.
    #[test]
    fn weights_that_are_all_one_are_none(
        positions in prop_oneof![1_usize..2000, 8000_usize..12_000],
        channels in (1_usize..6).prop_map(|c| 16 * c),
        seed in any::<u32>(),
    ) {
        let f = pseudorandom(positions * channels, u64::from(seed));
        for isa in Isa::available() {
            let sum = |mut gram: Gram| {
                gram.add(&f, &Scratch::default());
                gram.normalised()
            };
            let gram = || Gram::new(isa, channels, positions).unwrap();
            prop_assert!(sum(gram().weighted(vec![1.0; positions].into())) == sum(gram()), "{isa:?}");
            let mean = |mut gram: Gram| {
                gram.add(&f, &Scratch::default());
                gram.mean()
            };
            let (ones, none) = (gram().weighted(vec![1.0; positions].into()), gram());
            prop_assert!(mean(ones.with_mean()) == mean(none.with_mean()), "{isa:?}");
        }
    }

    /// 1/S sum_p t_p F_p; the Gram matrix beside it has the bits that it has alone, and so have both in pieces.
    #[test]
    fn a_mean_is_its_definition_and_leaves_the_gram_matrix_alone(
        (positions, weights) in prop_oneof![1_usize..2000, 8000_usize..12_000]
            .prop_flat_map(|positions| (Just(positions), weights(positions))),
        channels in (1_usize..6).prop_map(|c| 16 * c),
        weighted in any::<bool>(),
        (cut, seed) in (0.0..1.0, any::<u32>()),
    ) {
        let f = pseudorandom(positions * channels, u64::from(seed));
        let t = |at: usize| if weighted { f64::from(weights[at]) } else { 1.0 };
        let total: f64 = (0..positions).map(t).sum();
        let mean = |i: usize| (0..positions).map(|p| t(p) * f64::from(f[p * channels + i])).sum::<f64>() / total;
        for isa in Isa::available() {
            let with_weights = |gram: Gram| if weighted { gram.weighted(Arc::clone(&weights)) } else { gram };
            let mut alone = with_weights(Gram::new(isa, channels, positions).unwrap());
            let mut both = with_weights(Gram::in_pieces(isa, channels, positions).unwrap()).with_mean();
            alone.add(&f, &Scratch::default());
            let (before, after) = f.split_at((cut * positions as f64) as usize * channels);
            // What an earlier sum left is forgotten.
            both.add(after, &Scratch::default());
            both.clear();
            both.add(before, &Scratch::default());
            both.add(after, &Scratch::default());
            prop_assert!(both.normalised() == alone.normalised() && alone.mean().is_empty(), "{isa:?}");
            prop_assert_eq!(both.mean().len(), channels);
            for (i, &ours) in both.mean().iter().enumerate() {
                prop_assert!((f64::from(ours) - mean(i)).abs() < 1e-6, "{isa:?} {i}: {ours}");
            }
        }
    }
}

#[test]
fn gram_bits_do_not_depend_on_threads() {
    let (positions, channels) = (9000, 32);
    let f = pseudorandom(positions * channels, 3);
    assert_same_bits_on_threads(|| {
        let mut gram = Gram::new(Isa::current(), channels, positions).unwrap();
        gram.add(&f, &Scratch::default());
        gram.normalised()
    });
}
