//! An immutable part of the index: a table, and rows in f16 that lie in a graph once there are enough.

use std::path::Path;

use half::f16;
use roaring::RoaringTreemap;

use super::Options;
use super::folder::named_path;
use super::graph::Graph;
use super::manifest::SegmentMark;
use super::memory::Mapped;
use super::table::Table;
use super::tail::{Block, Entry};
use crate::{Error, Result, store};

/// Endings of the names of its files: keys, artists and sketches.
pub(crate) const TABLE: &str = "table";
/// The f16 rows, where there is no graph.
pub(crate) const ROWS: &str = "rows";
/// The graph with the f16 rows; absent while exact comparison is fast enough.
pub(crate) const GRAPH: &str = "graph";

/// A verified and mapped segment.
pub(crate) struct Segment {
    mark: SegmentMark,
    dim: usize,
    table: Table,
    rows: Rows,
    keys: RoaringTreemap,
}

/// Where the rows are.
enum Rows {
    Linked(Graph),
    Loose(Mapped),
}

impl Rows {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Linked(graph) => graph.rows(),
            Self::Loose(file) => file.bytes(),
        }
    }
}

impl Segment {
    /// Map the files of a segment that is known to be sound.
    pub(crate) fn open(folder: &Path, mark: SegmentMark, options: &Options) -> Result<Self> {
        let (id, dim) = (mark.id, options.dim);
        let table = Table::open(Mapped::open(&named_path(folder, &mark, TABLE)?)?)?;
        let nodes = table.node_count();
        let rows = if mark.files.contains_key(GRAPH) {
            let path = named_path(folder, &mark, GRAPH)?;
            Rows::Linked(Graph::view(&path, dim, nodes)?)
        } else {
            Rows::Loose(Mapped::open(&named_path(folder, &mark, ROWS)?)?)
        };
        if table.dim() != dim || rows.bytes().len() != nodes * dim * size_of::<f16>() {
            return Err(Error::Store(format!(
                "segment {id} of the index is of another shape"
            )));
        }
        let mut ordered = table.keys().to_vec();
        ordered.sort_unstable();
        let keys = RoaringTreemap::from_sorted_iter(ordered)
            .map_err(|_| Error::Store(format!("segment {id} of the index holds a key twice")))?;
        Ok(Self {
            mark,
            dim,
            table,
            rows,
            keys,
        })
    }

    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    pub(crate) fn graph(&self) -> Option<&Graph> {
        match &self.rows {
            Rows::Linked(graph) => Some(graph),
            Rows::Loose(_) => None,
        }
    }

    /// All entries, removed ones included, by artist.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let starts = self
            .table
            .artist_starts()
            .windows(2)
            .zip(self.table.artists());
        starts.flat_map(move |(range, &artist)| {
            (range[0] as usize..range[1] as usize).map(move |entry| {
                let row = self.row(self.table.nodes()[entry]);
                Entry {
                    key: self.table.keys()[entry],
                    artist,
                    row,
                }
            })
        })
    }

    /// The row of a node.
    pub(crate) fn row(&self, node: u32) -> &[f16] {
        let bytes = self.dim * size_of::<f16>();
        let start = node as usize * bytes;
        bytemuck::cast_slice(&self.rows.bytes()[start..start + bytes])
    }
}

impl store::Segment for Segment {
    type Block = Block;

    fn mark(&self) -> &SegmentMark {
        &self.mark
    }

    fn keys(&self) -> &RoaringTreemap {
        &self.keys
    }

    fn loose_rows(&self) -> usize {
        match self.rows {
            Rows::Linked(_) => 0,
            Rows::Loose(_) => self.table.node_count(),
        }
    }

    fn retain(&self, mut keep: impl FnMut(u64) -> bool) -> Block {
        let mut kept = Block::new(self.dim);
        self.entries()
            .filter(|entry| keep(entry.key))
            .for_each(|entry| kept.push(entry));
        kept
    }
}
