//! Artists a search is restricted to, and where their rows lie.

use std::ops::Range;

/// A set of artist numbers.
#[derive(Debug, Clone)]
pub struct Artists(Vec<i64>);

impl Artists {
    /// The set of these numbers; repeats and order do not matter.
    pub fn new(mut numbers: Vec<i64>) -> Self {
        numbers.sort_unstable();
        numbers.dedup();
        Self(numbers)
    }

    /// Whether the artist is in the set.
    pub(crate) fn contains(&self, artist: i64) -> bool {
        self.0.binary_search(&artist).is_ok()
    }

    /// The rows of these artists, where `artists` are the ascending artists of a segment and rows
    /// `starts[i]..starts[i + 1]` are those of `artists[i]`. Adjacent ranges are joined; none is empty.
    pub(crate) fn ranges(&self, artists: &[i64], starts: &[u32]) -> Vec<Range<u32>> {
        let mut ranges: Vec<Range<u32>> = Vec::new();
        let mut from = 0;
        for &artist in &self.0 {
            from += artists[from..].partition_point(|&known| known < artist);
            if artists.get(from) != Some(&artist) {
                continue;
            }
            let found = starts[from]..starts[from + 1];
            match ranges.last_mut() {
                Some(last) if last.end == found.start => last.end = found.end,
                _ => ranges.push(found),
            }
        }
        ranges
    }
}

/// Whether `row` lies in one of the ascending `ranges`.
pub(crate) fn covers(ranges: &[Range<u32>], row: u32) -> bool {
    let after = ranges.partition_point(|range| range.start <= row);
    after > 0 && ranges[after - 1].contains(&row)
}

/// Number of rows in `ranges`.
pub(crate) fn rows_in(ranges: &[Range<u32>]) -> usize {
    ranges
        .iter()
        .map(|range| (range.end - range.start) as usize)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grouped(mut row_artists: Vec<i64>) -> (Vec<i64>, Vec<i64>, Vec<u32>) {
        row_artists.sort_unstable();
        let mut artists = row_artists.clone();
        artists.dedup();
        let mut starts: Vec<u32> = artists
            .iter()
            .map(|a| row_artists.partition_point(|row| row < a) as u32)
            .collect();
        starts.push(row_artists.len() as u32);
        (row_artists, artists, starts)
    }

    proptest! {
        #[test]
        fn ranges_cover_exactly_the_rows_of_the_artists(
            rows in prop::collection::vec(-5i64..20, 0..200),
            wanted in prop::collection::vec(-7i64..22, 0..12),
        ) {
            let (row_artists, artists, starts) = grouped(rows);
            let filter = Artists::new(wanted.clone());
            let ranges = filter.ranges(&artists, &starts);
            for (row, artist) in row_artists.iter().enumerate() {
                prop_assert_eq!(covers(&ranges, row as u32), wanted.contains(artist));
            }
            let expected = row_artists.iter().filter(|artist| wanted.contains(artist)).count();
            prop_assert_eq!(rows_in(&ranges), expected);
        }
    }
}
