//! Matrices in memory that is used again and again: vectors of rows end to end.

/// Gives `buffer` exactly `len` elements; the old ones keep whatever value they have.
pub fn sized(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    buffer.resize(len, 0.0);
    buffer
}

/// Copies chosen rows of a matrix.
pub fn gather(matrix: &[f32], width: usize, rows: &[u32], out: &mut Vec<f32>) {
    out.clear();
    for &row in rows {
        out.extend_from_slice(&matrix[row as usize * width..][..width]);
    }
}

/// Adds rows to chosen rows of a matrix.
pub fn scatter_add(source: &[f32], width: usize, rows: &[u32], matrix: &mut [f32]) {
    for (source, &row) in source.chunks_exact(width).zip(rows) {
        for (m, &s) in matrix[row as usize * width..][..width]
            .iter_mut()
            .zip(source)
        {
            *m += s;
        }
    }
}
