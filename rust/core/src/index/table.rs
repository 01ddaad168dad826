//! The table file of a segment: which views its rows belong to, and what a search needs beside rows and graph.
//!
//! A *node* is one distinct embedding, an *entry* is one view. Entries lie in order of (artist, node), nodes in order of
//! their first entry, so that the views of an artist are one range of entries and nearly one range of rows.
//! All numbers are little endian, every section starts at a multiple of 64 bytes.

use std::io::{self, Write};
use std::ops::Range;

use bytemuck::{Pod, cast_slice};

use super::memory::Mapped;
use super::sections;
use crate::{Error, Result};

const MAGIC: u64 = u64::from_le_bytes(*b"ARTABLE2");

/// Everything the file holds, as it is gathered when a segment is built.
pub(crate) struct Draft {
    pub(crate) dim: usize,
    /// Number of nodes.
    pub(crate) node_count: usize,
    /// (entries,) key of each entry.
    pub(crate) keys: Vec<u64>,
    /// (entries,) node of each entry.
    pub(crate) nodes: Vec<u32>,
    /// Ascending artists, and where the entries of each begin; one more start than artists.
    pub(crate) artists: Vec<i64>,
    pub(crate) artist_starts: Vec<u32>,
    /// Nodes that the graph does not find, to be compared with every query.
    pub(crate) unreachable: Vec<u32>,
}

impl Draft {
    /// Write the file.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (node_starts, node_entries) = by_node(&self.nodes, self.node_count);
        let counts = [
            self.dim,
            self.node_count,
            self.keys.len(),
            self.artists.len(),
            self.unreachable.len(),
        ];
        let [dim, nodes, entries, artists, unreachable] = counts.map(|count| count as u64);
        sections::write(
            out,
            &[MAGIC, dim, nodes, entries, artists, unreachable, 0, 0],
        )?;
        sections::write(out, &self.keys)?;
        sections::write(out, &self.nodes)?;
        sections::write(out, &node_starts)?;
        sections::write(out, &node_entries)?;
        sections::write(out, &self.artists)?;
        sections::write(out, &self.artist_starts)?;
        sections::write(out, &self.unreachable)
    }
}

fn by_node(nodes: &[u32], count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; count + 1];
    for &node in nodes {
        starts[node as usize + 1] += 1;
    }
    for node in 0..count {
        starts[node + 1] += starts[node];
    }
    let mut next = starts.clone();
    let mut entries = vec![0u32; nodes.len()];
    for (entry, &node) in nodes.iter().enumerate() {
        entries[next[node as usize] as usize] = entry as u32;
        next[node as usize] += 1;
    }
    (starts, entries)
}

/// The mapped file.
pub(crate) struct Table {
    file: Mapped,
    dim: usize,
    node_count: usize,
    sections: Vec<Range<usize>>,
}

impl Table {
    /// Read the head, find the sections, and see that nothing in them points outside.
    pub(crate) fn open(file: Mapped) -> Result<Self> {
        let damaged =
            || Error::Store("a table file of the index is not of the expected form".to_owned());
        let Some([MAGIC, dim, nodes, entries, artists, unreachable, 0, 0]) =
            sections::head(file.bytes())
        else {
            return Err(damaged());
        };
        let sizes = [
            entries.checked_mul(8),
            entries.checked_mul(4),
            nodes
                .checked_add(1)
                .and_then(|starts| starts.checked_mul(4)),
            entries.checked_mul(4),
            artists.checked_mul(8),
            artists
                .checked_add(1)
                .and_then(|starts| starts.checked_mul(4)),
            unreachable.checked_mul(4),
        ];
        let (sections, end) = sections::lay_out(sizes).ok_or_else(damaged)?;
        if end != file.bytes().len() || dim == 0 {
            return Err(damaged());
        }
        let table = Self {
            file,
            dim: dim as usize,
            node_count: nodes as usize,
            sections,
        };
        table.holds_together().then_some(table).ok_or_else(damaged)
    }

    /// Whether every number that points into a section does so, and artists ascend.
    fn holds_together(&self) -> bool {
        let (entries, nodes) = (self.keys().len(), self.node_count);
        let below =
            |numbers: &[u32], end: usize| numbers.iter().all(|&number| (number as usize) < end);
        sections::rise_to(self.section::<u32>(2), entries)
            && sections::rise_to(self.artist_starts(), entries)
            && self.artists().is_sorted_by(|left, right| left < right)
            && below(self.nodes(), nodes)
            && below(self.section(3), entries)
            && below(self.unreachable(), nodes)
    }

    fn section<T: Pod>(&self, number: usize) -> &[T] {
        cast_slice(&self.file.bytes()[self.sections[number].clone()])
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    pub(crate) fn node_count(&self) -> usize {
        self.node_count
    }

    /// (entries,) key of each entry.
    pub(crate) fn keys(&self) -> &[u64] {
        self.section(0)
    }

    /// (entries,) node of each entry.
    pub(crate) fn nodes(&self) -> &[u32] {
        self.section(1)
    }

    /// The entries of one node.
    pub(crate) fn entries(&self, node: u32) -> &[u32] {
        let starts: &[u32] = self.section(2);
        let (start, end) = (starts[node as usize], starts[node as usize + 1]);
        &self.section(3)[start as usize..end as usize]
    }

    /// Ascending artists.
    pub(crate) fn artists(&self) -> &[i64] {
        self.section(4)
    }

    /// Where the entries of each artist begin; one more than artists.
    pub(crate) fn artist_starts(&self) -> &[u32] {
        self.section(5)
    }

    /// Nodes to be compared with every query.
    pub(crate) fn unreachable(&self) -> &[u32] {
        self.section(6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn draft() -> Draft {
        Draft {
            dim: 5,
            node_count: 3,
            keys: vec![10, 11, 12, 13],
            nodes: vec![0, 1, 0, 2],
            artists: vec![-4, 9],
            artist_starts: vec![0, 2, 4],
            unreachable: vec![1],
        }
    }

    fn written(bytes: &[u8]) -> Result<Table> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("table");
        fs::write(&path, bytes).expect("written");
        Table::open(Mapped::open(&path)?)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut bytes = Vec::new();
        draft().write(&mut bytes).expect("written");
        let table = written(&bytes).expect("a sound table");
        assert_eq!((table.dim(), table.node_count()), (5, 3));
        assert_eq!(
            (table.keys(), table.nodes()),
            (&[10, 11, 12, 13][..], &[0, 1, 0, 2][..])
        );
        assert_eq!(
            [table.entries(0), table.entries(1), table.entries(2)],
            [&[0, 2][..], &[1], &[3]]
        );
        assert_eq!(
            (table.artists(), table.artist_starts()),
            (&[-4, 9][..], &[0, 2, 4][..])
        );
        assert_eq!(table.unreachable(), &[1]);
    }

    /// What the file of this draft is read as, after one change of it.
    fn changed(change: impl FnOnce(&mut Draft)) -> Result<Table> {
        let mut draft = draft();
        change(&mut draft);
        let mut bytes = Vec::new();
        draft.write(&mut bytes).expect("written");
        written(&bytes)
    }

    #[test]
    fn numbers_that_point_nowhere_are_refused() {
        assert!(changed(|_| ()).is_ok());
        let changes: [fn(&mut Draft); 6] = [
            |draft| draft.unreachable[0] = 3,
            |draft| draft.artist_starts[0] = 1,
            |draft| draft.artist_starts[1] = 5,
            |draft| draft.artist_starts[2] = 3,
            |draft| draft.artists.swap(0, 1),
            |draft| draft.artists[1] = -4,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert!(changed(change).is_err(), "change {number}");
        }
    }

    #[test]
    fn nodes_and_entries_that_point_nowhere_are_refused() {
        let mut bytes = Vec::new();
        draft().write(&mut bytes).expect("written");
        // the nodes of the entries, where the entries of each node begin, and these entries
        for (section, values) in [(128, 4), (192, 4), (256, 4)] {
            for at in (section..section + 4 * values).step_by(4) {
                let mut damaged = bytes.clone();
                damaged[at] = 77;
                assert!(written(&damaged).is_err(), "byte {at}");
            }
        }
    }

    #[test]
    fn files_of_another_length_are_refused() {
        let mut bytes = Vec::new();
        draft().write(&mut bytes).expect("written");
        for length in [8, 63, 64, bytes.len() - 64] {
            assert!(written(&bytes[..length]).is_err());
        }
        bytes[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(written(&bytes).is_err());
    }
}
