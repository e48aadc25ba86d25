//! The engine's Gram matrix and packed product against the plain product, on every instruction set of the machine.

use impasto_tensor::{AlignedBuffer, Gram, Isa, Matrix, PackedMatrix, Scratch, gemm};
use proptest::prelude::*;

fn numbers(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

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
        let f = numbers(positions * channels, u64::from(seed));
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
        let (a, b) = (numbers(m * k, u64::from(seed)), numbers(k * n, u64::from(seed) + 1));
        let start = numbers(m * n, u64::from(seed) + 2);
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

#[test]
fn gram_bits_do_not_depend_on_threads() {
    let (positions, channels) = (9000, 32);
    let f = numbers(positions * channels, 3);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut gram = Gram::new(Isa::current(), channels, positions).unwrap();
            gram.add(&f, &Scratch::default());
            gram.normalised(positions)
        })
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert!(one == run(threads), "{threads} threads");
    }
}
