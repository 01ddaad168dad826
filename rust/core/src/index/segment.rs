//! An immutable part of the index: rows in f16, a table, and a graph once there are enough rows.

use std::ops::Range;
use std::path::Path;

use half::f16;
use roaring::RoaringTreemap;

use super::filter::{Artists, covers, rows_in};
use super::folder::{SegmentFiles, verify};
use super::graph::Graph;
use super::manifest::SegmentMark;
use super::memory::{Mapped, dot, hamming};
use super::quantize::{to_half, words};
use super::ranking::{Hit, Ranking};
use super::table::Table;
use super::tail::Entry;
use crate::{Error, Result};

/// Candidates a graph search keeps at least, and at most before sketches are compared instead.
const GRAPH_WIDTH: Range<usize> = 160..4096;
/// Filtered rows up to which every one is compared exactly: about 50 ns each.
const EXACT_ROWS: usize = 12_000;
/// Nodes that the sketches choose at least for exact comparison.
const SKETCH_WIDTH: usize = 1000;
/// Sketches of fewer bits do not order rows well enough.
const SKETCH_DIM: usize = 128;

/// One row of a search in the forms that different parts need.
pub(crate) struct Query {
    full: Vec<f32>,
    half: Vec<f16>,
}

impl Query {
    pub(crate) fn new(row: &[f32]) -> Self {
        Self {
            full: row.to_vec(),
            half: to_half(row),
        }
    }

    pub(crate) fn half(&self) -> &[f16] {
        &self.half
    }
}

/// Which entries of a segment a search may return.
struct Allowed<'a> {
    table: &'a Table,
    removed: &'a RoaringTreemap,
    ranges: Option<&'a [Range<u32>]>,
}

impl Allowed<'_> {
    fn entries(&self, node: u32) -> impl Iterator<Item = u32> {
        self.table.entries(node).iter().copied().filter(|&entry| {
            self.ranges.is_none_or(|ranges| covers(ranges, entry))
                && !self.removed.contains(self.table.keys()[entry as usize])
        })
    }

    fn node(&self, node: &u32) -> bool {
        self.entries(*node).next().is_some()
    }
}

/// A verified and mapped segment.
pub(crate) struct Segment {
    mark: SegmentMark,
    dim: usize,
    table: Table,
    rows: Mapped,
    graph: Option<Graph>,
    keys: RoaringTreemap,
}

impl Segment {
    /// Map the files of a segment once their sizes and hashes have been found right.
    pub(crate) fn verified(folder: &Path, mark: &SegmentMark, dim: usize) -> Result<Self> {
        let files = SegmentFiles::new(folder, mark.id);
        verify(&files.table, &mark.table)?;
        verify(&files.rows, &mark.rows)?;
        mark.graph
            .as_ref()
            .map_or(Ok(()), |graph| verify(&files.graph, graph))?;
        Self::open(folder, mark.clone(), dim)
    }

    /// Map the files of a segment that is known to be sound.
    pub(crate) fn open(folder: &Path, mark: SegmentMark, dim: usize) -> Result<Self> {
        let files = SegmentFiles::new(folder, mark.id);
        let id = mark.id;
        let table = Table::open(Mapped::open(&files.table)?)?;
        let rows = Mapped::open(&files.rows)?;
        if table.quantizer().mean.len() != dim
            || rows.bytes().len() != table.node_count() * dim * size_of::<f16>()
        {
            return Err(Error::Store(format!(
                "segment {id} of the index is of another shape"
            )));
        }
        let graph = mark
            .graph
            .as_ref()
            .map(|_| Graph::view(&files.graph, dim, table.node_count()))
            .transpose()?;
        let mut ordered = table.keys().to_vec();
        ordered.sort_unstable();
        let keys = RoaringTreemap::from_sorted_iter(ordered)
            .map_err(|_| Error::Store(format!("segment {id} of the index holds a key twice")))?;
        Ok(Self {
            mark,
            dim,
            table,
            rows,
            graph,
            keys,
        })
    }

    /// What the manifest says of it.
    pub(crate) fn mark(&self) -> &SegmentMark {
        &self.mark
    }

    /// Keys of all entries, removed ones included.
    pub(crate) fn keys(&self) -> &RoaringTreemap {
        &self.keys
    }

    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    pub(crate) fn graph(&self) -> Option<&Graph> {
        self.graph.as_ref()
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
    fn row(&self, node: u32) -> &[f16] {
        let rows: &[f16] = bytemuck::cast_slice(self.rows.bytes());
        &rows[node as usize * self.dim..(node as usize + 1) * self.dim]
    }

    /// Offer the entries nearest to the query that are not `removed` and pass the filter.
    pub(crate) fn search(
        &self,
        query: &Query,
        filter: Option<&Artists>,
        removed: &RoaringTreemap,
        ranking: &mut Ranking,
    ) -> Result<()> {
        let all = [0..self.table.keys().len() as u32];
        let filtered =
            filter.map(|artists| artists.ranges(self.table.artists(), self.table.artist_starts()));
        let ranges = filtered.as_deref().unwrap_or(&all);
        let allowed = Allowed {
            table: &self.table,
            removed,
            ranges: filtered.as_deref(),
        };
        let rows = rows_in(ranges);
        let few = filter.is_some() && rows <= EXACT_ROWS;
        let Some(graph) = self.graph.as_ref().filter(|_| !few) else {
            self.compare_entries(query, ranges, removed, ranking);
            return Ok(());
        };
        let nodes = match rows * 2 < self.table.keys().len() {
            true => None,
            false => self.by_graph(graph, query, &allowed, ranking.k())?,
        };
        match nodes {
            Some(nodes) => self.compare_nodes(query, &nodes, &allowed, ranking),
            None if self.dim < SKETCH_DIM => self.compare_entries(query, ranges, removed, ranking),
            None => {
                let nodes =
                    self.by_sketch(query, ranges, &allowed, SKETCH_WIDTH.max(20 * ranking.k()));
                self.compare_nodes(query, &nodes, &allowed, ranking);
            }
        }
        Ok(())
    }

    /// The nodes worth an exact comparison, or None when too many of those near the query are not allowed.
    fn by_graph(
        &self,
        graph: &Graph,
        query: &Query,
        allowed: &Allowed<'_>,
        k: usize,
    ) -> Result<Option<Vec<u32>>> {
        let mut row = vec![0; self.dim];
        self.table.quantizer().to_i8(&query.full, &mut row);
        let wanted = (2 * k + 10).max(30);
        let mut width = GRAPH_WIDTH.start.max(2 * wanted);
        loop {
            let found = graph.search(&row, width)?;
            let everything = found.len() < width;
            let mut nodes: Vec<u32> = found
                .into_iter()
                .filter(|node| allowed.node(node))
                .take(wanted)
                .collect();
            if everything || nodes.len() == wanted {
                nodes.extend_from_slice(self.table.unreachable());
                nodes.sort_unstable();
                nodes.dedup();
                return Ok(Some(nodes));
            }
            width *= 4;
            if width >= GRAPH_WIDTH.end {
                return Ok(None);
            }
        }
    }

    /// At least `wanted` allowed nodes of `ranges` whose sketches are nearest to the query's, if there are as many.
    fn by_sketch(
        &self,
        query: &Query,
        ranges: &[Range<u32>],
        allowed: &Allowed<'_>,
        wanted: usize,
    ) -> Vec<u32> {
        let mut own = Vec::with_capacity(words(self.dim));
        self.table.quantizer().sketch(&query.full, &mut own);
        let sketches = self.table.sketches();
        let entry_nodes = ranges
            .iter()
            .flat_map(|range| &self.table.nodes()[range.start as usize..range.end as usize]);
        let mut counts = vec![0usize; self.dim + 1];
        let mut distances = Vec::with_capacity(rows_in(ranges));
        for &node in entry_nodes.clone() {
            let start = node as usize * own.len();
            let distance = hamming(&own, &sketches[start..start + own.len()]);
            counts[distance as usize] += 1;
            distances.push(distance);
        }
        let (mut nearer, mut limit, mut nodes) = (0, 0, Vec::new());
        let mut next = wanted;
        while nodes.len() < wanted && limit <= self.dim {
            while limit <= self.dim && nearer < next {
                nearer += counts[limit];
                limit += 1;
            }
            let near = entry_nodes
                .clone()
                .zip(&distances)
                .filter(|(_, distance)| (**distance as usize) < limit);
            nodes = near
                .map(|(&node, _)| node)
                .filter(|node| allowed.node(node))
                .collect();
            nodes.sort_unstable();
            nodes.dedup();
            next = nearer * 4;
        }
        nodes
    }

    fn compare_nodes(
        &self,
        query: &Query,
        nodes: &[u32],
        allowed: &Allowed<'_>,
        ranking: &mut Ranking,
    ) {
        for &node in nodes {
            let score = dot(query.half(), self.row(node));
            for entry in allowed.entries(node) {
                ranking.offer(Hit {
                    key: self.table.keys()[entry as usize],
                    score,
                });
            }
        }
    }

    fn compare_entries(
        &self,
        query: &Query,
        ranges: &[Range<u32>],
        removed: &RoaringTreemap,
        ranking: &mut Ranking,
    ) {
        let (keys, nodes) = (self.table.keys(), self.table.nodes());
        for entry in ranges
            .iter()
            .flat_map(|range| range.start as usize..range.end as usize)
        {
            let score = dot(query.half(), self.row(nodes[entry]));
            if ranking.takes(score) && !removed.contains(keys[entry]) {
                ranking.offer(Hit {
                    key: keys[entry],
                    score,
                });
            }
        }
    }
}
