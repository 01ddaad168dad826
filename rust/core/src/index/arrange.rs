//! A graph file whose rows lie in the order of our nodes.
//!
//! `USearch` lays rows and links out in the order in which nodes were added, and a good graph wants them added in a
//! scattered one. Here a file it saved is written again with node `i` in place `i`: rows then lie by artist, so that the
//! vectors of the file are also the rows of exact comparisons, and neighbours share pages. The form of such a file,
//! little endian and packed:
//!
//! ```text
//! rows u32, bytes of a row u32, the rows
//! 64 bytes about types and counts
//! nodes u64, links u64, base links u64, top level u64, entry slot u64
//! levels u16 of each node
//! for each node: key u64, level u16, a list of base links, a list of links for each further level
//! a list is its length u32, and room for as many slots u32 as there may be
//! ```
//!
//! Whatever does not fit this form to the last byte is an error when a segment is built. When one is opened the links
//! are followed too, since `USearch` would follow them wherever they lead.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use bytemuck::{cast_slice, pod_read_unaligned};
use half::f16;

use super::folder::write_durably;
use super::manifest::FileMark;
use super::memory::Mapped;
use crate::{Error, Result};

/// Where the rows begin.
pub(crate) const ROWS_AT: usize = 8;
const TYPES: usize = 64;
const COUNTS: usize = 40;
/// Bytes of a node before its lists.
const NODE: usize = 10;

/// A saved file, taken apart.
struct Saved<'a> {
    sizes: &'a [u8],
    rows: &'a [u8],
    types: &'a [u8],
    counts: [u64; 5],
    levels: &'a [u8],
    /// By slot.
    nodes: Vec<&'a [u8]>,
}

/// Write the file that `USearch` saved at `from` to `to`, with `rows[i]` as row `i`; `from` is deleted.
pub(crate) fn arrange(from: &Path, to: &Path, rows: &[&[f16]]) -> Result<FileMark> {
    let file = Mapped::open(from)?;
    let foreign = || Error::Store("USearch saved a graph of an unknown form".to_owned());
    let row_bytes = rows.first().map_or(0, |row| size_of_val(*row));
    let saved = Saved::read(file.bytes(), rows.len(), row_bytes).ok_or_else(foreign)?;
    let node_at = saved.node_at(rows).ok_or_else(foreign)?;
    let nodes = saved.renumbered(&node_at).ok_or_else(foreign)?;
    let mark = write_durably(to, |out| saved.write(out, rows, &nodes, &node_at))?;
    // one left behind is swept away
    let _ = fs::remove_file(from);
    Ok(mark)
}

/// Whether the bytes are a file that `arrange` wrote, of so many nodes with rows of so many bytes, and no link leads out
/// of it.
pub(crate) fn is_arranged(bytes: &[u8], nodes: usize, row_bytes: usize) -> bool {
    Saved::read(bytes, nodes, row_bytes).is_some_and(|saved| saved.is_closed())
}

impl<'a> Saved<'a> {
    fn read(bytes: &'a [u8], rows: usize, row_bytes: usize) -> Option<Self> {
        let (sizes, rest) = bytes.split_at_checked(ROWS_AT)?;
        let (matrix, rest) = rest.split_at_checked(rows.checked_mul(row_bytes)?)?;
        let (types, rest) = rest.split_at_checked(TYPES)?;
        let (counts, rest) = rest.split_at_checked(COUNTS)?;
        let counts: [u64; 5] = pod_read_unaligned(counts);
        let [count, links, base_links, _, entry] = counts;
        let expected: [u32; 2] = [rows as u32, row_bytes as u32];
        let fits = pod_read_unaligned::<[u32; 2]>(sizes) == expected
            && count == rows as u64
            && entry < count
            && links.max(base_links) < 1 << 16;
        let (levels, mut rest) = rest.split_at_checked(rows * 2).filter(|_| fits)?;
        let nodes = levels.chunks_exact(2).map(|level| {
            let level = u64::from(pod_read_unaligned::<u16>(level));
            let length = NODE as u64 + 4 * (1 + base_links) + 4 * (1 + links) * level;
            let (node, after) = rest.split_at_checked(length as usize)?;
            rest = after;
            Some(node)
        });
        let nodes = nodes.collect::<Option<Vec<_>>>()?;
        rest.is_empty().then_some(Self {
            sizes,
            rows: matrix,
            types,
            counts,
            levels,
            nodes,
        })
    }

    fn level(&self, slot: usize) -> Option<u16> {
        let level = self.levels.get(2 * slot..2 * slot + 2);
        level.map(pod_read_unaligned)
    }

    /// Whether nodes lie in their own slots, and a search comes to no list that is not there.
    fn is_closed(&self) -> bool {
        let [.., top, entry] = self.counts;
        let entered = self.level(entry as usize);
        let own = |(slot, node): (usize, &&[u8])| {
            pod_read_unaligned::<u64>(&node[..8]) == slot as u64
                && Some(pod_read_unaligned::<u16>(&node[8..NODE])) == self.level(slot)
                && self.links_are_closed(node).is_some()
        };
        entered.is_some_and(|level| u64::from(level) >= top)
            && self.nodes.iter().enumerate().all(own)
    }

    /// Some if every link on a level leads to a node that has a list on that level.
    fn links_are_closed(&self, node: &[u8]) -> Option<()> {
        let [_, links, base_links, ..] = self.counts;
        let word = |bytes: &[u8]| pod_read_unaligned::<u32>(bytes) as usize;
        let (base, upper) = node[NODE..].split_at_checked(4 * (1 + base_links as usize))?;
        let lists = std::iter::once(base).chain(upper.chunks_exact(4 * (1 + links as usize)));
        for (level, list) in lists.enumerate() {
            let (length, slots) = list.split_at_checked(4)?;
            for slot in slots.chunks_exact(4).take(word(length)) {
                self.level(word(slot))
                    .filter(|&reaches| usize::from(reaches) >= level)?;
            }
            (word(length) <= slots.len() / 4).then_some(())?;
        }
        Some(())
    }

    /// The node in each slot; every node must be in one, with its row.
    fn node_at(&self, rows: &[&[f16]]) -> Option<Vec<u32>> {
        let saved_rows = self.rows.chunks_exact(size_of_val(*rows.first()?));
        let mut placed = vec![false; rows.len()];
        let nodes = self.nodes.iter().zip(saved_rows).map(|(node, saved)| {
            let key = usize::try_from(pod_read_unaligned::<u64>(&node[..8])).ok()?;
            let whole = *rows.get(key)?;
            let first = !std::mem::replace(&mut placed[key], true);
            (first && saved == cast_slice::<f16, u8>(whole)).then_some(key as u32)
        });
        nodes.collect()
    }

    /// The nodes in their order, linked to nodes rather than slots.
    fn renumbered(&self, node_at: &[u32]) -> Option<Vec<Vec<u8>>> {
        let [_, links, base_links, ..] = self.counts;
        let mut nodes = vec![Vec::new(); self.nodes.len()];
        for (node, &to) in self.nodes.iter().zip(node_at) {
            let words = node[NODE..].chunks_exact(4);
            let mut words: Vec<u32> = words.map(pod_read_unaligned).collect();
            let (base, upper) = words.split_at_mut(1 + base_links as usize);
            for list in std::iter::once(base).chain(upper.chunks_exact_mut(1 + links as usize)) {
                let (length, slots) = list.split_first_mut()?;
                for slot in slots.get_mut(..*length as usize)? {
                    *slot = *node_at.get(*slot as usize)?;
                }
            }
            nodes[to as usize] = [&node[..NODE], cast_slice(&words)].concat();
        }
        Some(nodes)
    }

    fn write(
        &self,
        out: &mut impl Write,
        rows: &[&[f16]],
        nodes: &[Vec<u8>],
        node_at: &[u32],
    ) -> io::Result<()> {
        out.write_all(self.sizes)?;
        rows.iter()
            .try_for_each(|row| out.write_all(cast_slice(row)))?;
        out.write_all(self.types)?;
        let [count, links, base_links, top, entry] = self.counts;
        let entry = u64::from(node_at[entry as usize]);
        out.write_all(cast_slice(&[count, links, base_links, top, entry]))?;
        nodes
            .iter()
            .try_for_each(|node| out.write_all(&node[8..NODE]))?;
        nodes.iter().try_for_each(|node| out.write_all(node))
    }
}
