//! Files made of sections: runs of numbers, little endian, each starting at a multiple of 64 bytes.

use std::io::{self, Write};
use std::ops::Range;

use bytemuck::{Pod, cast_slice};

#[cfg(target_endian = "big")]
compile_error!("the files of the index are little endian");

const ALIGN: usize = 64;
/// Numbers of the first section.
const HEAD: usize = 8;

/// Write one section.
pub(crate) fn write<T: Pod>(out: &mut impl Write, values: &[T]) -> io::Result<()> {
    let bytes: &[u8] = cast_slice(values);
    out.write_all(bytes)?;
    out.write_all(&[0; ALIGN][..bytes.len().next_multiple_of(ALIGN) - bytes.len()])
}

/// The first section of a file; None when the file is shorter.
pub(crate) fn head(bytes: &[u8]) -> Option<[u64; HEAD]> {
    bytes.get(..ALIGN).map(bytemuck::pod_read_unaligned)
}

/// Where sections of these sizes lie behind the first, and where the file ends; None when a size is no size.
pub(crate) fn lay_out(
    sizes: impl IntoIterator<Item = Option<u64>>,
) -> Option<(Vec<Range<usize>>, usize)> {
    let mut sections = Vec::new();
    let mut start = ALIGN;
    for size in sizes {
        let end = start.checked_add(usize::try_from(size?).ok()?)?;
        sections.push(start..end);
        start = end.checked_next_multiple_of(ALIGN)?;
    }
    Some((sections, start))
}

/// Whether starts begin at 0, never fall and end at `end`.
pub(crate) fn rise_to<T: Copy + Ord + Into<u64>>(starts: &[T], end: usize) -> bool {
    let ends = starts.first().zip(starts.last());
    ends.is_some_and(|(&first, &last)| (first.into(), last.into()) == (0, end as u64))
        && starts.is_sorted()
}
