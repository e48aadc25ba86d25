//! Arrays that are not stored last index fastest.

/// The elements in the order of the shape, last index fastest, from where the strides say they are. Every place must be
/// within `stored`.
pub(super) fn gather(stored: Vec<f32>, shape: &[usize], strides: &[usize]) -> Vec<f32> {
    let mut dense = 1;
    let is_dense = shape.iter().zip(strides).rev().all(|(&side, &stride)| {
        let expected = dense;
        dense *= side;
        side == 1 || stride == expected
    });
    if is_dense {
        return stored;
    }
    let count = shape.iter().product();
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0; shape.len()];
    let mut place = 0;
    for _ in 0..count {
        values.push(stored[place]);
        for ((i, &side), &stride) in index.iter_mut().zip(shape).zip(strides).rev() {
            *i += 1;
            place += stride;
            if *i < side {
                break;
            }
            place -= side * stride;
            *i = 0;
        }
    }
    values
}

/// Strides of an array whose first index is fastest (MATLAB, Fortran).
pub(super) fn column_strides(shape: &[usize]) -> Vec<usize> {
    let strides = shape.iter().scan(1, |stride, side| {
        let this = *stride;
        *stride *= side;
        Some(this)
    });
    strides.collect()
}
