//! Linear maps that give a picture's colours the mean and the covariance of another's.
//!
//! ```text
//! c -> A (c - mu_s) + mu_t,   A S A' = T                S, T: the covariances of the source and of the target
//!
//! Monge-Kantorovich:  A = S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2
//! Cholesky:           A = L_t L_s^-1,  S = L_s L_s',  T = L_t L_t',  L lower triangular
//! ```
//!
//! A is not unique: A Q is another solution for each rotation Q of S. The Monge-Kantorovich form is the symmetric one, which of
//! all of them moves the colours of a normal distribution the least (Pitie and Kokaram, "The linear Monge-Kantorovitch linear
//! colour mapping for example-based colour transfer", 2007); it treats the three channels alike. That of Cholesky depends on
//! their order; it is that of "Preserving Color in Neural Artistic Style Transfer" (Gatys et al., 2016).
//!
//! A grey or plain picture has a singular S. Directions in which the source varies by less than rounding to 8 bits does
//! ([`LEAST_VARIANCE`]) hold nothing that could be spread, and stay as they are.

use super::statistics::{Matrix, Statistics};
use crate::options::Transport;

/// The variance of the error of rounding to whole grey levels.
const LEAST_VARIANCE: f64 = 1.0 / 12.0;

/// c -> A (c - from) + to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ColourMap {
    matrix: Matrix,
    from: [f64; 3],
    to: [f64; 3],
}

impl ColourMap {
    /// The map that gives pixels of the statistics `source` those of `target`.
    pub(crate) fn between(form: Transport, source: &Statistics, target: &Statistics) -> Self {
        let (s, t) = (&source.covariance, &target.covariance);
        let matrix = match form {
            Transport::MongeKantorovich => monge_kantorovich(s, t),
            Transport::Cholesky => by_cholesky(s, t),
        };
        Self { matrix, from: source.mean, to: target.mean }
    }

    /// The colour that another one becomes, in grey levels; it may lie outside of 0..=255.
    pub(crate) fn apply(&self, colour: [f32; 3]) -> [f32; 3] {
        let gap: [f64; 3] = std::array::from_fn(|i| f64::from(colour[i]) - self.from[i]);
        std::array::from_fn(|i| (dot(self.matrix[i], gap) + self.to[i]) as f32)
    }
}

/// A = S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2 where S varies, 1 in the directions in which it does not.
fn monge_kantorovich(s: &Matrix, t: &Matrix) -> Matrix {
    let s = Eigen::of(s);
    let varies = |value: f64| value > LEAST_VARIANCE;
    let root = s.function(|value| if varies(value) { value.sqrt() } else { 0.0 });
    let inverse_root = s.function(|value| if varies(value) { value.sqrt().recip() } else { 0.0 });
    let still = s.function(|value| if varies(value) { 0.0 } else { 1.0 });
    let middle = Eigen::of(&product(&product(&root, t), &root)).function(|value| value.max(0.0).sqrt());
    let map = product(&product(&inverse_root, &middle), &inverse_root);
    std::array::from_fn(|i| std::array::from_fn(|j| map[i][j] + still[i][j]))
}

/// A = L_t L_s^-1. A channel that hardly varies beyond what the channels before it tell of it keeps what it has beyond that, and
/// no channel after it follows that.
fn by_cholesky(s: &Matrix, t: &Matrix) -> Matrix {
    let mut stays = [false; 3];
    let l_s = cholesky(s, |j, left| {
        stays[j] = left <= LEAST_VARIANCE;
        stays[j]
    });
    let l_t = cholesky(t, |j, _| stays[j]);
    // A L_s = L_t, column by column from the last on.
    let mut a = [[0.0; 3]; 3];
    for (row, l_t) in a.iter_mut().zip(l_t) {
        for j in (0..3).rev() {
            let known: f64 = (j + 1..3).map(|k| row[k] * l_s[k][j]).sum();
            row[j] = (l_t[j] - known) / l_s[j][j];
        }
    }
    a
}

/// L of a positive semidefinite M = L L'. A column whose diagonal is 0 is 0. Where `stays` says so of a channel and of the variance
/// that the channels before leave it, that variance is left out, and its column is that of the identity.
fn cholesky(m: &Matrix, mut stays: impl FnMut(usize, f64) -> bool) -> Matrix {
    let mut l = [[0.0_f64; 3]; 3];
    for j in 0..3 {
        let left: f64 = m[j][j] - l[j][..j].iter().map(|value| value.powi(2)).sum::<f64>();
        if stays(j, left) {
            l[j][j] = 1.0;
            continue;
        }
        if left <= 0.0 {
            continue;
        }
        l[j][j] = left.sqrt();
        for i in j + 1..3 {
            let known: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            l[i][j] = (m[i][j] - known) / l[j][j];
        }
    }
    l
}

/// A symmetric matrix as V diag(values) V'.
struct Eigen {
    values: [f64; 3],
    /// Their vectors, as rows.
    vectors: Matrix,
}

impl Eigen {
    /// By rotations of Jacobi: each makes the largest entry beside the diagonal 0. Some ten of them reach the precision of `f64`.
    fn of(m: &Matrix) -> Self {
        const MOST_ROTATIONS: usize = 60;
        let mut m: Matrix = std::array::from_fn(|i| std::array::from_fn(|j| f64::midpoint(m[i][j], m[j][i])));
        let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        for _ in 0..MOST_ROTATIONS {
            let beside = [(0, 1), (0, 2), (1, 2)];
            let (p, q) = beside
                .into_iter()
                .fold((0, 1), |a, b| if m[b.0][b.1].abs() > m[a.0][a.1].abs() { b } else { a });
            let largest = m[0][0].abs().max(m[1][1].abs()).max(m[2][2].abs());
            if m[p][q].abs() <= f64::EPSILON * 1e-3 * largest {
                break;
            }
            let ratio = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
            let tangent = ratio.signum() / (ratio.abs() + ratio.hypot(1.0));
            let cosine = tangent.hypot(1.0).recip();
            let sine = tangent * cosine;
            let rotate = |a: f64, b: f64| (cosine * a - sine * b, sine * a + cosine * b);
            for row in &mut m {
                (row[p], row[q]) = rotate(row[p], row[q]);
            }
            for j in 0..3 {
                (m[p][j], m[q][j]) = rotate(m[p][j], m[q][j]);
                (vectors[p][j], vectors[q][j]) = rotate(vectors[p][j], vectors[q][j]);
            }
        }
        Self { values: [m[0][0], m[1][1], m[2][2]], vectors }
    }

    /// V diag(f(values)) V'.
    fn function(&self, f: impl Fn(f64) -> f64) -> Matrix {
        let values = self.values.map(f);
        let entry =
            |i: usize, j: usize| (0..3).map(|k| values[k] * self.vectors[k][i] * self.vectors[k][j]).sum();
        std::array::from_fn(|i| std::array::from_fn(|j| entry(i, j)))
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// A B.
fn product(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::Weighted;
    use crate::{Picture, white_noise};
    use proptest::prelude::*;

    const FORMS: [Transport; 2] = [Transport::MongeKantorovich, Transport::Cholesky];

    fn transposed(m: &Matrix) -> Matrix {
        std::array::from_fn(|i| std::array::from_fn(|j| m[j][i]))
    }

    fn assert_close(a: &Matrix, b: &Matrix, tolerance: f64) {
        for (a, b) in a.concat().iter().zip(b.concat()) {
            assert!((a - b).abs() <= tolerance, "{a} against {b}");
        }
    }

    /// A covariance of rank `rank`.
    fn covariance(rank: usize) -> impl Strategy<Value = Matrix> {
        prop::array::uniform3(prop::array::uniform3(-60.0f64..60.0)).prop_map(move |mut factor| {
            factor[rank..].iter_mut().for_each(|row| *row = [0.0; 3]);
            product(&transposed(&factor), &factor)
        })
    }

    /// Rounding to whole grey levels is off by -1/2 to 1/2, each as often.
    #[test]
    fn the_least_variance_is_that_of_rounding() {
        let errors = (0..1000).map(|k| (f64::from(k) + 0.5) / 1000.0 - 0.5);
        let variance = errors.map(|error| error * error).sum::<f64>() / 1000.0;
        assert!((LEAST_VARIANCE - variance).abs() < 1e-6, "{variance}");
    }

    proptest! {
        #[test]
        fn covariances_become_the_targets(s in covariance(3), t in covariance(3), lower in covariance(2)) {
            // Well above what counts as variation.
            let varied = |m: Matrix| -> Matrix {
                std::array::from_fn(|i| std::array::from_fn(|j| m[i][j] + if i == j { 1.0 } else { 0.0 }))
            };
            // A target that is not may be missed by what counts as rounding.
            let s = varied(s);
            for (t, missed) in [(varied(t), 1e-5), (lower, LEAST_VARIANCE)] {
                for map in [monge_kantorovich(&s, &t), by_cholesky(&s, &t)] {
                    let moved = product(&product(&map, &s), &transposed(&map));
                    assert_close(&moved, &t, missed);
                }
            }
        }

        #[test]
        fn the_monge_kantorovich_map_is_symmetric(s in covariance(3), t in covariance(3)) {
            let map = monge_kantorovich(&s, &t);
            assert_close(&map, &transposed(&map), 1e-8 * map.concat().iter().fold(1.0, |a, b| b.abs().max(a)));
        }

        #[test]
        fn a_covariance_to_itself_moves_nothing(s in (0usize..4).prop_flat_map(covariance)) {
            let identity = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
            // Where S is singular, what cannot be seen in it may be anything: only directions of S are compared.
            for map in [monge_kantorovich(&s, &s), by_cholesky(&s, &s)] {
                assert_close(&product(&map, &s), &product(&identity, &s), 1.0);
            }
        }

        /// Up to the variance of rounding there is nothing that could be spread, that variance itself included.
        #[test]
        fn what_rounding_makes_is_not_spread(t in covariance(3), part in 0.0f64..=1.0) {
            for least in [LEAST_VARIANCE, part * LEAST_VARIANCE] {
                let s = std::array::from_fn(|i| std::array::from_fn(|j| if i == j { least } else { 0.0 }));
                for map in [monge_kantorovich(&s, &t), by_cholesky(&s, &t)] {
                    prop_assert_eq!(map, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
                }
            }
        }

        #[test]
        fn eigenvalues_and_vectors_make_the_matrix_again(m in covariance(3), exponent in -60i32..=0) {
            let size = 2.0_f64.powi(exponent);
            let m: Matrix = m.map(|row| row.map(|value| value * size));
            assert_close(&Eigen::of(&m).function(|value| value), &m, 1e-9 * size);
        }

        #[test]
        fn pictures_get_the_means_and_covariances(seed in 0u64..100, shrink in 0.05f64..0.6) {
            let source = white_noise(12, 9, seed).unwrap();
            let mut target = white_noise(7, 16, seed + 1).unwrap();
            for pixel in target.data_mut().as_chunks_mut::<3>().0 {
                pixel[1] = pixel[0] * 0.4 + pixel[1] * shrink as f32;
            }
            let of = |picture: &Picture| Statistics::of(Weighted::whole(picture)).unwrap();
            for form in FORMS {
                let map = ColourMap::between(form, &of(&source), &of(&target));
                let mut moved = source.clone();
                moved.data_mut().as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = map.apply(*pixel));
                let (moved, target) = (of(&moved), of(&target));
                assert_close(&moved.covariance, &target.covariance, 1e-2);
                for (a, b) in moved.mean.iter().zip(target.mean) {
                    prop_assert!((a - b).abs() < 1e-4);
                }
            }
        }

        #[test]
        fn a_picture_to_itself_is_the_identity(seed in 0u64..100) {
            let picture = white_noise(5, 8, seed).unwrap();
            let own = Statistics::of(Weighted::whole(&picture)).unwrap();
            for form in FORMS {
                let map = ColourMap::between(form, &own, &own);
                for pixel in picture.data().as_chunks::<3>().0 {
                    for (a, b) in map.apply(*pixel).iter().zip(pixel) {
                        prop_assert!((a - b).abs() < 1e-3, "{} against {}", a, b);
                    }
                }
            }
        }
    }

    /// The second channel is the first but for rounding, which the third follows.
    #[test]
    fn no_channel_follows_what_another_has_by_rounding_only() {
        let s = [[400.0, 400.0, 0.0], [400.0, 400.05, 3.0], [0.0, 3.0, 181.0]];
        let t = [[900.0, 0.0, 0.0], [0.0, 900.0, 0.0], [0.0, 0.0, 900.0]];
        let map = by_cholesky(&s, &t);
        assert_eq!((map[0][1], map[2][1]), (0.0, 0.0));
        let moved = product(&product(&map, &s), &transposed(&map));
        for (i, j) in [(0, 0), (0, 2), (2, 2)] {
            assert!((moved[i][j] - t[i][j]).abs() < 1e-9, "{moved:?}");
        }
    }

    /// A grey picture varies along light only, a plain one not at all.
    #[test]
    fn grey_and_plain_pictures_stay_so_and_get_the_mean() {
        let of = |picture: &Picture| Statistics::of(Weighted::whole(picture)).unwrap();
        let colours = white_noise(9, 9, 1).unwrap();
        let mut grey = colours.clone();
        grey.data_mut().as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = [pixel[0]; 3]);
        let plain = Picture::new(9, 9, vec![40.0; 243]).unwrap();
        for form in FORMS {
            for source in [&grey, &plain] {
                let map = ColourMap::between(form, &of(source), &of(&colours));
                let mut moved = source.clone();
                moved
                    .data_mut()
                    .as_chunks_mut::<3>()
                    .0
                    .iter_mut()
                    .for_each(|pixel| *pixel = map.apply(*pixel));
                assert!(moved.data().iter().all(|value| value.is_finite() && value.abs() < 1000.0));
                for (a, b) in of(&moved).mean.iter().zip(of(&colours).mean) {
                    assert!((a - b).abs() < 1e-3, "{form:?}: {a} against {b}");
                }
            }
        }
    }
}
