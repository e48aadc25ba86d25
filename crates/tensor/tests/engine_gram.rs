//! The engine's Gram matrix and packed product against the plain product, on every instruction set of the machine.

mod common;

use common::{assert_same_on_any_threads, pseudorandom};
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
            // In two pieces, as bands of a large picture are.
            let cut = positions / 3 * channels;
            gram.add(&f[..cut], &Scratch::default());
            gram.add(&f[cut..], &Scratch::default());
            prop_assert!(close(&gram.normalised(positions), &expected, 1.0), "{isa:?}");
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

/// At most 16, and at most 2^20 numbers; none of fewer than 512 positions but the last.
#[test]
fn blocks_are_as_many_as_the_sizes_say() {
    for isa in Isa::available() {
        for (channels, positions, expected) in
            [(16, 1, 1), (16, 512, 1), (16, 513, 2), (64, 8192, 16), (64, 20_000, 16), (512, 3000, 4)]
        {
            let f = pseudorandom(positions * channels, 5);
            let mut gram = Gram::new(isa, channels, positions).unwrap();
            let scratch = Scratch::default();
            let count = gram.block_sums(&f, &scratch).len();
            assert_eq!(count, expected, "{isa:?}: {positions} positions of {channels} channels");
            assert_eq!(gram.block_sums(&[], &scratch).len(), 0, "nothing has no blocks");
        }
    }
}

#[test]
fn blocks_summed_elsewhere_give_the_same_bits() {
    let (positions, channels) = (9000, 48);
    let f = pseudorandom(positions * channels, 9);
    let (first, second) = f.split_at(4000 * channels);
    for isa in Isa::available() {
        let scratch = Scratch::default();
        let new = || Gram::new(isa, channels, positions).unwrap();
        let (mut here, mut there, mut sum) = (new(), new(), new());
        for f in [first, second] {
            here.add(f, &scratch);
            sum.add_blocks(there.block_sums(f, &scratch));
        }
        assert!(here.normalised(positions) == sum.normalised(positions), "{isa:?}");
        assert!(there.normalised(1).iter().all(|&g| g == 0.0), "{isa:?}: sums of blocks are not added");
    }
}

#[test]
#[should_panic(expected = "sums of")]
fn sums_of_other_sizes_are_refused() {
    let (mut small, mut large) = [32, 64].map(|c| Gram::new(Isa::current(), c, 10).unwrap()).into();
    let f = pseudorandom(640, 2);
    small.add_blocks(large.block_sums(&f, &Scratch::default()));
}

#[test]
fn gram_bits_do_not_depend_on_threads() {
    let (positions, channels) = (9000, 32);
    let f = pseudorandom(positions * channels, 3);
    assert_same_on_any_threads(|| {
        let mut gram = Gram::new(Isa::current(), channels, positions).unwrap();
        gram.add(&f, &Scratch::default());
        gram.normalised(positions)
    });
}
