//! Arrays one behind another in a file, each at a multiple of 64 bytes.

use std::io::{self, Write};
use std::ops::Range;

use bytemuck::{Pod, cast_slice};

#[cfg(target_endian = "big")]
compile_error!("the files of the index are little endian");

/// Bytes to whose multiples the arrays are aligned.
pub(crate) const ALIGN: usize = 64;

/// Write one array and what fills it up.
pub(crate) fn section<T: Pod>(out: &mut impl Write, values: &[T]) -> io::Result<()> {
    let bytes: &[u8] = cast_slice(values);
    out.write_all(bytes)?;
    out.write_all(&[0; ALIGN][..bytes.len().next_multiple_of(ALIGN) - bytes.len()])
}

/// Where arrays of these sizes in bytes lie behind a head of 64 bytes, and where the file ends; None when that is
/// beyond what can be addressed.
pub(crate) fn lay_out<const N: usize>(
    sizes: [Option<u64>; N],
) -> Option<([Range<usize>; N], usize)> {
    let mut sections = [const { 0..0 }; N];
    let mut start = ALIGN;
    for (section, size) in sections.iter_mut().zip(sizes) {
        let end = start.checked_add(usize::try_from(size?).ok()?)?;
        *section = start..end;
        start = end.checked_next_multiple_of(ALIGN)?;
    }
    Some((sections, start))
}

/// The eight numbers of the head.
pub(crate) fn head(bytes: &[u8]) -> Option<[u64; 8]> {
    bytemuck::try_pod_read_unaligned(bytes.get(..ALIGN)?).ok()
}
