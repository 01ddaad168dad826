//! Which keypoints to keep so that they lie all over a picture.

/// A picture is divided into this many rows and columns.
const CELLS: usize = 5;

/// Return the numbers of `count` points, in rounds: the first of each cell, then the second of each, and so on.
///
/// What hides a part of the work, or a photo of a detail, then still leaves some.
pub(super) fn spread(points: &[[f32; 2]], size: [usize; 2], count: usize) -> Vec<usize> {
    let mut filled = [0_usize; CELLS * CELLS];
    let cell = |at: f32, size: usize| ((at / size as f32 * CELLS as f32) as usize).min(CELLS - 1);
    let mut rounds: Vec<(usize, usize)> = (points.iter().enumerate())
        .map(|(number, point)| {
            let filled = &mut filled[cell(point[0], size[0]) * CELLS + cell(point[1], size[1])];
            *filled += 1;
            (*filled, number)
        })
        .collect();
    rounds.sort_unstable();
    rounds
        .into_iter()
        .map(|(_, number)| number)
        .take(count)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cell_has_its_turn() {
        let points = [
            [1.0, 1.0],
            [2.0, 1.0],
            [3.0, 2.0],
            [99.0, 99.0],
            [60.0, 1.0],
            [98.0, 97.0],
        ];
        assert_eq!(spread(&points, [100, 100], 5), [0, 3, 4, 1, 5]);
    }
}
