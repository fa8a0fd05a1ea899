//! A vector added to every row of a matrix, and its way back.

/// Writes `bias` into every row.
pub fn fill_rows(bias: &[f32], rows: &mut [f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        row.copy_from_slice(bias);
    }
}

vectorized! {
/// Adds the sum of all rows to `sums`, as wide as a row: the gradient of a bias.
pub fn add_rows<'a>(rows: &'a [f32], sums: &'a mut [f32]) {
    for row in rows.chunks_exact(sums.len()) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}
}
