//! The same bits on any number of threads.

use crate::functions::{go_on, waves};
use impasto_lbfgs::{Adam, Groups, Lbfgs, Optimiser, Real};
use rayon::ThreadPoolBuilder;

/// Several blocks and a part of one.
const N: usize = 5 * 2048 + 77;

fn bits<T: Real>(threads: usize) -> Vec<u64> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let start: Vec<T> = (0..N).map(|i| T::from_f64((i % 13) as f64 / 3.0)).collect();
        let mut by_lbfgs = start.clone();
        let lbfgs = Lbfgs { history: 4, max_iterations: 25, ..Lbfgs::default() };
        lbfgs.minimise(&mut by_lbfgs, waves, go_on).unwrap();
        let mut in_groups = start.clone();
        let groups = Groups { of: (0..N).map(|i| (i % 3) as u8).collect(), places: vec![] };
        lbfgs.minimise_in_groups(&mut in_groups, groups, waves, go_on).unwrap();
        let mut by_adam = start;
        Adam { max_iterations: 25, ..Adam::default() }.minimise(&mut by_adam, waves, go_on).unwrap();
        by_lbfgs.iter().chain(&in_groups).chain(&by_adam).map(|x| x.to_f64().to_bits()).collect()
    })
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (f32_bits, f64_bits) = (bits::<f32>(1), bits::<f64>(1));
    for threads in [2, 3, 8] {
        assert!(bits::<f32>(threads) == f32_bits, "f32 differs with {threads} threads");
        assert!(bits::<f64>(threads) == f64_bits, "f64 differs with {threads} threads");
    }
}
